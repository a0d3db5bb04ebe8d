"""`previewbot check --settings`: what whoever writes the settings reads before the processes start."""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from previewbot.cli import main
from previewbot.cli.check_settings import settings_in
from previewbot.cli.serve import load
from previewbot.config.server import Settings
from previewbot.errors import SettingsError
from tests.unit.test_check_command import GOOD

SETTINGS = """\
github: {api_url: https://api.github.com, web_url: https://github.com, app_id: 4242}
public_url: https://previews.example.com
cluster: {namespaces: [staging, payments]}
images: {allowed: [ghcr.io/acme/]}
"""
RULES = """\
owners: [acme]
repositories:
  - match: [acme/shop, "acme/web-*"]
    namespaces: [staging]
    targets: [deployment/checkout]
    entries: ["staging/web"]
    limits: {previews: 5}
  - match: [acme/secret]
    targets: []
  - match: ["acme/*"]
"""
VARIABLE = "PREVIEWBOT_GITHUB__PRIVATE_KEY"

Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Return a function that checks settings with these arguments; it returns exit code, output, errors."""

    def run(content: str, *arguments: str, preview: str = GOOD, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "settings.yaml").write_text(content, encoding="utf-8")
        (tmp_path / "preview.yaml").write_text(preview, encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = main(["check", *arguments])
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


def test_it_says_what_each_rule_means_and_which_secrets_will_be_read(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "never shown")

    assert check(SETTINGS + RULES, "--settings", "settings.yaml") == (
        0,
        "settings.yaml is valid\n"
        "  web will read the App's webhook secret from nowhere yet: github.webhook_secret_file is missing; "
        "write it, or set PREVIEWBOT_GITHUB__WEBHOOK_SECRET\n"
        """\
  controller will read the App's private key from PREVIEWBOT_GITHUB__PRIVATE_KEY
owners: acme
limits: previews 50, evict never, services 10, replicas 3
repositories: the first rule that is for one counts, and what none is for gets nothing
  1. acme/shop, acme/web-*
       namespaces  staging
       targets     deployment/checkout
       images      ghcr.io/acme/
       entries     staging/web
       limits      previews 5
       secrets     no file of the repository
  2. acme/secret: nothing
  3. acme/*
       namespaces  staging, payments
       targets     any
       images      ghcr.io/acme/
       entries     any Service of these namespaces
       limits      everybody's
       secrets     no file of the repository
""",
        "",
    )


def test_without_rules_it_warns_as_the_start_does(check: Check) -> None:
    code, output, _ = check(SETTINGS, "--settings", "settings.yaml")

    assert code == 0
    assert "\nrepositories: everybody's, without rules\n       namespaces  staging, payments\n" in output
    assert "\nwarning: `repositories` is not set: the preview.yaml of every repository" in output
    assert "\nwarning: `owners` is not set: whichever account installs the App" in output
    assert "  no rule: nobody gets anything\n" in check(SETTINGS + "repositories: []\n", "--settings",
                                                        "settings.yaml")[1]  # fmt: skip


def test_every_mistake_is_told_with_its_line_and_variables_count(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREVIEWBOT_GITHUB__APP_ID", "none")
    wrong = SETTINGS + "owners:\n" + RULES.split("\n", 1)[1].replace("match: [acme/secret]", "match: [acme]")

    assert check(wrong, "--settings", "settings.yaml") == (
        1,
        "",
        "settings.yaml: github.app_id (from PREVIEWBOT_GITHUB__APP_ID) must be a whole number from 1, not "
        '"none"\n'
        "settings.yaml:5: owners has no value; write one, or remove the line\n"
        "settings.yaml:12: repositories.match must be owner/name, in which * stands for anything but /, like "
        'acme/shop or acme/*, not "acme"\n',
    )


@pytest.mark.parametrize("secret", ["/nowhere/webhook-secret", "/root/webhook-secret"])
def test_a_secret_need_not_be_readable_here(check: Check, secret: str) -> None:
    written = SETTINGS.replace("app_id: 4242", f"app_id: 4242, webhook_secret_file: {secret}")
    code, output, _ = check(written, "--settings", "settings.yaml")

    assert (code, f"webhook secret from {secret}\n" in output) == (0, True)


@pytest.mark.parametrize(
    ("bearer", "code", "said"),
    [
        ("b" * 40, 0, ""),
        (None, 0, ""),
        ("", 1, "is empty; it must hold a bearer: make one with `openssl rand -hex 32`"),
        ("sesame", 1, "holds a bearer of 6 characters, which can be guessed; 32 is the least"),
        ("b" * 40 + "\0", 1, "with signs that no header can carry"),
    ],
)
def test_the_bearer_of_programs_is_judged_if_it_is_here(
    check: Check, tmp_path: Path, bearer: str | None, code: int, said: str
) -> None:
    file = tmp_path / "bearer"
    if bearer is not None:
        file.write_text(bearer)

    exit_code, output, errors = check(
        f"{SETTINGS}api: {{bearer_file: {file}}}\n", "--settings", "settings.yaml"
    )

    assert exit_code == code
    assert f"pages will read the bearer of programs from {file}\n" in output
    assert said in errors and bool(said) == bool(errors)
    assert "sesame" not in output + errors


def test_a_bearer_that_cannot_be_read_here_is_no_mistake_of_the_settings(
    check: Check, tmp_path: Path
) -> None:
    (tmp_path / "bearer").mkdir()

    code, output, _ = check(
        f"{SETTINGS}api: {{bearer_file: {tmp_path}/bearer}}\n", "--settings", "settings.yaml"
    )

    assert (code, f"warning: api.bearer_file: {tmp_path}/bearer cannot be read" in output) == (0, True)


@pytest.mark.parametrize(
    ("secret", "keys", "code", "said"),
    [
        ("s" * 40, base64.b64encode(b"k" * 32).decode(), 0, []),
        (None, None, 0, []),
        ("s" * 40, "no key", 1, ["sign_in.cookie_keys_file: {keys} holds something that is no key"]),
        (
            "sesame",
            "",
            1,
            ["sign_in.client_secret_file: {secret} does", "sign_in.cookie_keys_file: {keys} is"],
        ),
    ],
)
def test_the_secrets_of_a_sign_in_are_judged_if_they_are_here(
    check: Check, tmp_path: Path, secret: str | None, keys: str | None, code: int, said: list[str]
) -> None:
    places = {"secret": tmp_path / "client-secret", "keys": tmp_path / "cookie-keys"}
    for name, content in (("secret", secret), ("keys", keys)):
        if content is not None:
            places[name].write_text(content)
    sign_in = (
        f"sign_in: {{client_id: Iv1.0, client_secret_file: {places['secret']}, "
        f"cookie_keys_file: {places['keys']}}}\n"
    )

    exit_code, output, errors = check(f"{SETTINGS}{sign_in}", "--settings", "settings.yaml")

    assert exit_code == code
    assert f"pages will read sign_in.cookie_keys_file from {places['keys']}\n" in output
    assert len(errors.splitlines()) == len(said)
    assert all(words.format(**places) in errors for words in said)
    assert "sesame" not in output + errors


def test_a_file_that_is_not_there_is_said_to_be_so(check: Check) -> None:
    assert check("", "--settings", "other.yaml") == (
        1,
        "",
        "other.yaml cannot be read: No such file or directory\n",
    )


@pytest.mark.parametrize(
    ("repository", "words"),
    [
        ("ACME/Shop", "ACME/Shop may have what rule 1 says"),
        ("acme/other", "acme/other may have what rule 3 says"),
        ("acme/secret", "acme/secret gets nothing: rule 2 of the settings' `repositories` gives it nothing"),
        ("mallory/shop", "mallory/shop gets nothing: its account is not among the settings' `owners`"),
    ],
)
def test_it_says_which_rule_counts(check: Check, repository: str, words: str) -> None:
    code, output, _ = check(SETTINGS + RULES, "--settings", "settings.yaml", "--repository", repository)

    assert (code, output.splitlines()[-1]) == (0, words)


def test_a_repositorys_file_is_held_to_its_rule(check: Check) -> None:
    arguments = ("preview.yaml", "--settings", "settings.yaml", "--repository")

    code, output, errors = check(SETTINGS + RULES, *arguments, "acme/shop")
    assert (code, output.splitlines()[-1]) == (1, "acme/shop may have what rule 1 says")
    assert errors == (
        "preview.yaml:11: the target `deployment/pricing` is not open to this repository; open are: "
        "deployment/checkout. That is the platform team's to decide, in previewbot's settings\n"
    )
    code, output, errors = check(SETTINGS + RULES, *arguments, "acme/other")
    assert (code, output.splitlines()[-1], errors) == (0, "preview.yaml is valid: checkout, pricing", "")
    assert check(SETTINGS + RULES, *arguments, "acme/secret")[0] == 1


CHANGED = ("services/pricing/a.py", "services/checkout/a.py", "services/checkout/b.py")


@pytest.mark.parametrize(
    ("limits", "arguments", "words"),
    [
        ("", (), "  checkout: 2 changed files\n  pricing: 1 changed file\n"),
        (
            "limits: {services: 1}\n",
            (),
            "  checkout: 2 changed files\n  pricing: 1 changed file, not previewed\n"
            "  the settings allow 1 service per preview\n",
        ),
        (
            "owners: [acme]\nlimits: {services: 1}\n",
            (),
            "  checkout: 2 changed files\n  pricing: 1 changed file, not previewed\n"
            "  the settings allow 1 service per preview\n",
        ),
        (
            "repositories: [{match: [acme/shop], limits: {services: 1}}, {match: ['acme/*']}]\n",
            ("--repository", "acme/shop"),
            "  checkout: 2 changed files\n  pricing: 1 changed file, not previewed\n"
            "  the settings allow 1 service per preview\n",
        ),
        (
            "repositories: [{match: [acme/shop], limits: {services: 1}}, {match: ['acme/*']}]\n",
            ("--repository", "acme/other"),
            "  checkout: 2 changed files\n  pricing: 1 changed file\n",
        ),
    ],
)
def test_it_says_which_changed_services_the_limit_leaves_out(
    check: Check, limits: str, arguments: tuple[str, ...], words: str
) -> None:
    code, output, _ = check(
        SETTINGS + limits, "preview.yaml", *CHANGED, "--settings", "settings.yaml", *arguments
    )

    assert code == 0
    assert output.endswith(f"preview.yaml is valid: checkout, pricing\n{words}")


@pytest.mark.parametrize(
    ("content", "arguments"),
    [
        ("", ("--settings", "settings.yaml")),
        (SETTINGS + RULES, ("--settings", "nowhere.yaml")),
        (SETTINGS + RULES, ("preview.yaml", "--settings", "settings.yaml", "--repository", "acme/secret")),
    ],
    ids=["wrong settings", "no file", "a repository that gets nothing"],
)
def test_what_it_finds_wrong_is_1_and_no_wrong_use_of_it(
    check: Check, content: str, arguments: tuple[str, ...]
) -> None:
    assert check(content, *arguments)[0] == 1


def test_with_rules_it_must_be_known_whose_file_it_is(check: Check) -> None:
    with pytest.raises(SystemExit) as ended:
        check(SETTINGS + RULES, "preview.yaml", "--settings", "settings.yaml")
    assert ended.value.code == 2
    # Without rules it is held to what everybody may have.
    narrow = SETTINGS.replace("ghcr.io/acme/", "ghcr.io/other/")
    assert check(SETTINGS, "preview.yaml", "--settings", "settings.yaml")[0] == 0
    assert check(narrow, "preview.yaml", "--settings", "settings.yaml")[0] == 1


def test_stdin_is_not_read_for_two_things(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        check("", "preview.yaml", "-", "--settings", "-", stdin=SETTINGS)

    assert ended.value.code == 2
    assert "stdin can be read once" in capsys.readouterr().err


def test_it_takes_what_the_chart_makes_from_stdin(check: Check) -> None:
    wrong = SETTINGS + RULES.replace("[staging]", "[prod]")
    made = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"settings.yaml": SETTINGS + RULES}}
    bad = {**made, "data": {"settings.yaml": wrong}}

    code, output, _ = check("", "--settings", "-", stdin="---\n# Source: x\n" + yaml.safe_dump(made))
    assert (code, output.splitlines()[0]) == (0, "stdin is valid")
    assert check("", "--settings", "-", stdin=yaml.safe_dump(bad)) == (
        1,
        "",
        "stdin:8: repositories.namespaces prod is not among cluster.namespaces; add it there, since a rule "
        "only narrows\n",
    )
    assert check("", "--settings", "-", stdin=wrong)[0] == 1


VALUES = "image: {repository: r.example.com/a}\nexistingSecret: a\nsettings: {owners: [acme]}\n"
RENDER = (
    "helm template previewbot charts/previewbot --namespace previewbot --kube-version 1.30 --values FILE "
    "--show-only templates/settings.yaml | previewbot check --settings -"
)
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\n"
NONE_OF_OURS = "is an object of Kubernetes, but no ConfigMap with settings.yaml in its data"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (VALUES, "holds values of the chart, which makes settings of them; check these"),
        ("settings: {}\n", "holds values of the chart"),
        (f"---\napiVersion: v1\nkind: Service\n---\n{CONFIG_MAP}", "holds several objects"),
        ("apiVersion: v1\nkind: Secret\nstringData: {settings.yaml: x}\n", NONE_OF_OURS),
        (CONFIG_MAP + "data: {config.yaml: x}\n", NONE_OF_OURS),
        (CONFIG_MAP + "data: {settings.yaml: {a: b}}\n", NONE_OF_OURS),
    ],
)
def test_what_is_no_file_of_settings_is_told_in_one_line(check: Check, content: str, words: str) -> None:
    code, output, errors = check(content, "--settings", "settings.yaml")

    assert (code, output, errors.count("\n")) == (1, "", 1)
    assert errors.startswith("settings.yaml: ")
    assert words in errors
    assert errors.endswith(f": {RENDER}\n")


PIECES = [
    *SETTINGS.splitlines(keepends=True),
    *RULES.splitlines(keepends=True),
    *("\ufeff", "\r\n", "\r", "\t", "\0", "---\n", "...\n", "# a comment\n", "{}", "é", "\N{NO-BREAK SPACE}"),
    *("limits: {previews: 5}\n", "limits:\n", "  previews: 5\n", "pages: public\n", "ttl: {max: 1h}\n"),
    *("  - match: [*/*]\n", "  - match: [acme/a, ACME/B]\n", "repositories: []\n"),
    *("owners: [Acme]\n", "owners: ~\n", "kind: Preview\n"),
]


@given(
    st.lists(st.sampled_from(PIECES), max_size=12),
    st.sampled_from(["utf-8", "utf-16", "latin-1"]),
    st.booleans(),
)
def test_it_takes_what_the_start_takes_and_nothing_else(
    pieces: list[str], encoding: str, whole: bool
) -> None:
    content = (SETTINGS * whole + "".join(pieces)).encode(encoding, errors="replace")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "settings.yaml"
        file.write_bytes(content)
        try:
            started: Settings | None = load(file, {})
        except SettingsError:
            started = None

        assert settings_in(file, {}, io.BytesIO()) == started
        assert settings_in(Path("-"), {}, io.BytesIO(content)) == started
