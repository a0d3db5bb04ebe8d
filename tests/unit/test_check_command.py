"""`previewbot check`: what somebody reads who writes a `.github/preview.yaml`."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from previewbot.cli import main
from previewbot.cli.check import changed_paths

GOOD = """\
version: 1
services:
  checkout:
    paths: ["services/checkout/**", "libs/money/**"]
    target: deployment/checkout
    namespace: staging
    image: ghcr.io/acme/checkout:{head_sha}
    ports: [8080]
  pricing:
    paths: ["services/pricing/**", "libs/money/**"]
    target: deployment/pricing
    namespace: staging
    image: ghcr.io/acme/pricing:{head_sha}
    ports: [8080]
"""
VALID = "preview.yaml is valid: checkout, pricing\n"
NOTHING = "  no service: a pull request with these files has nothing to preview\n"

Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Return a function that checks a file with these contents; it returns exit code, output, and errors."""

    def run(content: str | bytes, *files: str, stdin: str = "") -> tuple[int, str, str]:
        raw = content.encode() if isinstance(content, str) else content
        (tmp_path / "preview.yaml").write_bytes(raw)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main(["check", "preview.yaml", *files])
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


# The file


def test_a_good_file_is_said_to_be_valid_with_the_services_it_names(check: Check) -> None:
    assert check(GOOD) == (0, VALID, "")


def test_every_mistake_is_a_line_with_its_place_as_editors_and_ci_read_it(check: Check) -> None:
    content = GOOD.replace("namespace: staging", "namespce: staging", 1).replace("[8080]", "[web]", 1)

    code, output, errors = check(content)

    assert (code, output) == (1, "")
    assert errors.splitlines() == [
        "preview.yaml:4: `services.checkout.namespace` is missing; write for example `namespace: staging`",
        "preview.yaml:6: `namespce` is unknown; did you mean `namespace`?",
        "preview.yaml:8: `ports` must be a port, a number from 1 to 65535",
    ]


def test_a_misspelt_key_that_is_needed_is_recognised(check: Check) -> None:
    _, _, errors = check(GOOD.replace("services:", "servcies:"))

    assert "preview.yaml:2: `servcies` is unknown; did you mean `services`?" in errors


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "preview.yaml:1: the file is empty; it must hold keys such as `version: 1`"),
        (b"\xff", "preview.yaml:1: is not UTF-8; save the file in that encoding"),
        (b"version: [", "preview.yaml:1: is not YAML"),
        (b"#" * 70_000, "preview.yaml: the file is larger than 64 KiB; make it smaller"),
    ],
)
def test_what_is_no_configuration_is_told_so(check: Check, content: bytes, says: str) -> None:
    code, output, errors = check(content)

    assert (code, output) == (1, "")
    assert errors.startswith(says)
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("path", "says"), [("gone.yaml", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, says: str
) -> None:
    code = main(["check", str(tmp_path / path)])

    output = capsys.readouterr()
    assert (code, output.out, output.err) == (1, "", f"{tmp_path / path} cannot be read: {says}\n")


# Changed files


def test_changed_files_are_counted_for_the_services_they_match(check: Check) -> None:
    code, output, errors = check(GOOD, "services/checkout/a.py", "libs/money/b.py", "README.md")

    assert (code, errors) == (0, "")
    assert output == VALID + "  checkout: 2 changed files\n  pricing: 1 changed file\n"


def test_changed_files_that_match_nothing_mean_no_preview(check: Check) -> None:
    assert check(GOOD, "README.md") == (0, VALID + NOTHING, "")


def test_changed_files_are_read_from_stdin_one_a_line(check: Check) -> None:
    stdin = "services/pricing/a.py\n\n  services/pricing/b c.py \r\nREADME.md"

    assert check(GOOD, "-", stdin=stdin) == (0, VALID + "  pricing: 2 changed files\n", "")


def test_files_from_stdin_and_from_arguments_count_together(check: Check) -> None:
    _, output, _ = check(GOOD, "services/checkout/a.py", "-", stdin="services/checkout/b.py\n")

    assert output == VALID + "  checkout: 2 changed files\n"


def test_no_changed_files_at_all_mean_no_preview(check: Check) -> None:
    assert check(GOOD, "-", stdin="") == (0, VALID + NOTHING, "")


def test_stdin_is_not_waited_for_unless_it_is_asked_for(check: Check) -> None:
    assert check(GOOD, stdin="services/checkout/a.py\n") == (0, VALID, "")


def test_of_a_broken_file_nothing_is_matched(check: Check) -> None:
    code, output, _ = check("version: 2\n", "services/checkout/a.py")

    assert (code, output) == (1, "")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (r'"libs/money/caf\303\251.go"', "libs/money/café.go"),
        (r'"libs/money/a\tb\nc\"d\\e"', 'libs/money/a\tb\nc"d\\e'),
        (r'"libs/money/\377\001\177"', "libs/money/\udcff\x01\x7f"),
        (r'"libs/money/\a\b\f\v\r"', "libs/money/\a\b\f\v\r"),
        ('"libs/money/ä b"', "libs/money/ä b"),
        (r'"libs/money/\400"', r'"libs/money/\400"'),
        (r'"libs/money/\x"', r'"libs/money/\x"'),
        ('"libs/"money"', '"libs/"money"'),
        ('"', '"'),
        (r"libs/caf\303\251.go", r"libs/caf\303\251.go"),
    ],
)
def test_names_are_read_as_git_quotes_them_and_others_as_they_are(written: str, name: str) -> None:
    assert changed_paths(["-"], io.StringIO(f"  {written} \r\n")) == [name]


def test_names_that_end_with_nul_as_git_writes_them_with_z_are_taken_as_they_are() -> None:
    stdin = io.StringIO('libs/a\nb\0 libs/c \0"libs/d"\0')

    assert changed_paths(["x", "-"], stdin) == ["x", "libs/a\nb", " libs/c ", '"libs/d"']


def test_what_git_itself_says_of_odd_names_is_understood(tmp_path: Path, check: Check) -> None:
    folder = tmp_path / "services/checkout"
    folder.mkdir(parents=True)
    for name in ("café.go", 'q"uote', "tab\there", "line\nend", "plain"):
        (folder / name).touch()
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "services"], check=True)

    for more in ([], ["-z"], ["-c", "core.quotePath=false"]):
        options, config = (more, []) if more == ["-z"] else ([], more)
        listed = subprocess.run([*git, *config, "ls-files", *options], check=True, capture_output=True)
        assert check(GOOD, "-", stdin=listed.stdout.decode())[1] == VALID + "  checkout: 5 changed files\n"


# What cannot be read or told


def test_an_endless_file_is_too_large(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", "/dev/zero"])

    output = capsys.readouterr()
    assert (code, output.out) == (1, "")
    assert output.err == "/dev/zero: the file is larger than 64 KiB; make it smaller\n"


@pytest.mark.parametrize("content", [None, GOOD, "version: 2\n"])
def test_nothing_in_the_name_of_a_file_is_obeyed_by_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    path = tmp_path / "a\x1b[31m\n\u202e.yaml"
    if content is not None:
        path.write_text(content)

    main(["check", str(path)])

    output = capsys.readouterr()
    told = output.out + output.err
    assert "a?[31m??.yaml" in told
    assert all(line.isprintable() for line in told.splitlines())


# As a process


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_names_of_any_bytes_come_through_a_pipe_whatever_the_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "preview.yaml").write_text(GOOD)

    done = subprocess.run(
        [sys.executable, "-m", "previewbot", "check", "preview.yaml", "-"],
        cwd=tmp_path,
        input=b"services/pricing/\xff\n" + "services/pricing/käse\n".encode(),
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == VALID + "  pricing: 2 changed files\n"


def test_a_process_without_stdin_has_no_changed_files(tmp_path: Path) -> None:
    (tmp_path / "preview.yaml").write_text(GOOD)

    done = subprocess.run(
        ["sh", "-c", '"$0" -m previewbot check preview.yaml - <&-', sys.executable],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, VALID + NOTHING, "")


@pytest.mark.parametrize("content", [GOOD, "version: 2\n"], ids=["valid", "invalid"])
def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "preview.yaml").write_text(content)
    reading, writing = os.pipe()
    os.close(reading)

    with os.fdopen(writing, "wb") as closed, (tmp_path / "log").open("wb") as log:
        valid = content == GOOD
        done = subprocess.run(
            [sys.executable, "-m", "previewbot", "check", "preview.yaml", "services/pricing/a"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=closed if valid else log,
            stderr=log if valid else closed,
            timeout=60,
        )

    assert (done.returncode, (tmp_path / "log").read_text()) == (141, "")
