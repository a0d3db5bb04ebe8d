"""A repository's configuration: strict, with the line of every mistake and what to write instead."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.config.repository import (
    Entry,
    RepositoryConfig,
    ServiceConfig,
    TargetPath,
    Triggers,
    parse,
    parse_target,
)
from previewbot.config.server import Settings
from previewbot.config.server import parse as parse_settings
from previewbot.errors import ConfigurationError, Problem
from previewbot.rules.bounds import check_against
from previewbot.rules.repositories import Bounds, bounds_of

EXAMPLE = """\
version: 1
entry:                       # what a reviewer opens: staging's front end
  url: https://staging.example.com
  namespace: staging
  service: web               # the Kubernetes Service a link is forwarded to
  port: 80
  target: deployment/web     # default: deployment/<service>
services:
  checkout:
    paths: ["services/checkout/**", "libs/money/**"]   # gitignore-style, several services may match
    target: deployment/checkout                         # optional /container/<name>
    namespace: staging
    image: ghcr.io/acme/checkout:{head_sha}             # {head_sha} {short_sha} (7) {merge_sha} {number}
    ports: [8080]
    open: /cart                                         # where the link lands
triggers: {agents: true, labels: [preview], drafts: true}
ttl: 8h
"""

SERVICE = """\
version: 1
services:
  checkout:
    paths: ["services/checkout/**"]
    target: deployment/checkout
    namespace: staging
    image: ghcr.io/acme/checkout:{head_sha}
    ports: [8080]
"""


def problems(content: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(ConfigurationError) as caught:
        parse(content)
    return caught.value.problems


def changed(line: int, text: str) -> str:
    """Return the example with one line replaced."""
    lines = EXAMPLE.splitlines()
    lines[line - 1] = text
    return "\n".join(lines)


def test_the_example_is_accepted_as_it_is() -> None:
    expected = RepositoryConfig(
        version=1,
        entry=Entry(
            url="https://staging.example.com",
            namespace="staging",
            service="web",
            port=80,
            target=TargetPath("deployment", "web"),
        ),
        services=(
            ServiceConfig(
                name="checkout",
                paths=("services/checkout/**", "libs/money/**"),
                target=TargetPath("deployment", "checkout"),
                namespace="staging",
                image="ghcr.io/acme/checkout:{head_sha}",
                ports=(8080,),
                open="/cart",
            ),
        ),
        triggers=Triggers(agents=True, labels=("preview",), drafts=True),
        ttl=timedelta(hours=8),
    )

    assert expected == parse(EXAMPLE)
    assert expected == parse(EXAMPLE.encode())
    assert expected == parse(b"\xef\xbb\xbf" + EXAMPLE.replace("\n", "\r\n").encode())


def test_what_may_be_left_out_has_the_examples_values() -> None:
    found = parse(SERVICE)

    assert found.entry is None
    assert found.ttl is None
    assert found.triggers == Triggers(agents=True, labels=("preview",), drafts=True)
    assert found.services[0].open == "/"
    assert found.services[0].check is None


def test_a_service_may_name_the_path_at_which_it_repeats_what_it_received() -> None:
    found = parse(SERVICE + "    check: /api/checkout/baggage?as=text\n")

    assert found.services[0].check == "/api/checkout/baggage?as=text"


def test_the_entrys_target_is_the_deployment_of_its_service_unless_it_says_otherwise() -> None:
    found = parse(EXAMPLE.replace("  target: deployment/web ", "  # "))

    assert found.entry is not None
    assert str(found.entry.target) == "deployment/web"


def test_services_keep_the_order_of_the_file() -> None:
    block = SERVICE.split("services:\n")[1]
    more = SERVICE + block.replace("checkout", "zebra") + block.replace("checkout", "apple")

    assert [service.name for service in parse(more).services] == ["checkout", "zebra", "apple"]


def test_no_label_at_all_may_trigger() -> None:
    assert parse(changed(16, "triggers: {labels: []}")).triggers == Triggers(labels=())


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (1, "version: 2", "`version` must be 1"),
        (1, "version: '1'", "`version` must be 1"),
        (1, "versoin: 1", "`versoin` is unknown; did you mean `version`?"),
        (3, "  url: staging.example.com", "`url` must be an http:// or https:// URL"),
        (3, "  url: https://u:p@staging.example.com", "`url` must not contain a user name or password"),
        (3, "  url: https://x.example.com:port", "`url` must be an http:// or https:// URL"),
        (3, "  url: javascript:alert(1)", "`url` must be an http:// or https:// URL"),
        (3, "  ulr: https://x.example.com", "`ulr` is unknown; did you mean `url`?"),
        (4, "  namespace: Staging", "`namespace` must be a name of at most 63 small letters"),
        (4, "  namespace: 12", "`namespace` must be a text; put `12` in quotes"),
        (4, "  namespace: no", "`namespace` must be a text; put `no` in quotes"),
        (4, "  namespace:", "`namespace` has no value; write for example `namespace: staging`"),
        (4, "  namespace: [staging]", "`namespace` must be a text"),
        (6, "  port: 0", "`port` must be a port, a number from 1 to 65535"),
        (6, "  port: 65536", "`port` must be a port"),
        (6, "  port: 0x50", "`port` must be a port"),
        (6, "  port: http", "`port` must be a port"),
        (7, "  target: deploy/web", "`target` must be one of deployment/<name>, statefulset/<name>"),
        (7, "  target: deploymnt/web", "did you mean `deployment`?"),
        (7, "  target: daemonset/web", "`target` must be one of"),
        (7, "  target: deployment", "`target` must be deployment/<name> or deployment/<name>/container/"),
        (7, "  target: deployment/web/app", "`target` must be deployment/<name> or deployment/<name>/contai"),
        (7, "  target: deployment/Web", "`target` must name a workload (and container) in small letters"),
        (9, "  check_out:", "`check_out` must be a name of at most 63 small letters, digits and -"),
        (10, "    paths: {services}", "`paths` must be a list, like `[services/checkout/**]`"),
        (10, "    paths: []", "`paths` must name at least one, like `[services/checkout/**]`"),
        (10, "    paths: ['#x']", "`paths` must be patterns as in .gitignore"),
        (10, "    paths: ['[z-a]']", "`paths` must be patterns as in .gitignore"),
        (10, "    paths: ['a\\']", "`paths` must be patterns as in .gitignore"),
        (10, "    paths: ['/']", "`paths` must be patterns as in .gitignore"),
        (10, "    paths: ['']", "`paths` must be a text on one line that is not empty"),
        (10, "    paths: [./services/**]", "without ./ at its beginning: `services/**`"),
        (10, "    paths: ['a[[:alpha:]]']", "`paths` must be patterns as in .gitignore"),
        (10, "    paths: ['!docs/**']", "`paths` must not begin with `!docs/**`"),
        (13, "    image: ghcr.io/acme/checkout:{sha}", "`image` has the unknown field `{sha}`"),
        (13, "    image: ghcr.io/acme/checkout:{head_sah}", "did you mean `{head_sha}`?"),
        (
            13,
            "    image: ghcr.io/acme/checkout:{sha}",
            "`{head_sha}` is the pull request's own commit, `{merge_",
        ),
        (13, "    image: ghcr.io/acme/checkout:{head_sha", "`image` must be a registry, a repository and a"),
        (
            13,
            "    image: ghcr.io/acme/checkout",
            "`image` must end with a tag, like `ghcr.io/acme/checkout:{h",
        ),
        (13, "    image: https://ghcr.io/acme/checkout:x", "`image` must be written without https://"),
        (13, "    image: ghcr.io/acme/checkout@sha256:00", "`image` must name a tag, not a digest"),
        (
            13,
            "    image: ghcr.io/Acme/Checkout:PR-{number}",
            "`image` must be written in small letters, like `ghcr.io/acme/checkout:PR-{number}`",
        ),
        (13, "    image: acme/checkout:x", "`image` must be a registry, a repository and a tag"),
        (13, "    image: '{branch}.io/acme/x:y'", "`image` must begin with a registry's name"),
        (
            13,
            "    image: ghcr.io/Acme/checkout:x",
            "`image` must be written in small letters, like `ghcr.io/acme/checkout:x`",
        ),
        (13, "    imge: ghcr.io/acme/checkout:x", "`imge` is unknown; did you mean `image`?"),
        (14, "    ports: true", "`ports` must be a list, like `[8080]`"),
        (14, "    ports: [8080, 99999]", "`ports` must be a port, a number from 1 to 65535"),
        (15, "    open: cart", "`open` must begin with one /, like `/cart`"),
        (15, "    open: //evil.example.com", "`open` must begin with one /"),
        (15, "    open: /a b", "`open` must be written as in a URL"),
        (15, "    open: /ä", "`open` must be written as in a URL"),
        (15, "    open: /x)y", "`open` must be written as in a URL"),
        (15, '    open: "/x\'y"', "`open` must be written as in a URL"),
        (15, f"    pictures: [/{'x' * 512}]", "`pictures` names a path of more than 512 characters"),
        (15, "    check: baggage", "`check` must begin with one /, like `/baggage`"),
        (15, "    check: //169.254.169.254/baggage", "`check` must begin with one /"),
        (15, "    check: https://evil.example.com/", "`check` must begin with one /"),
        (15, "    check: /a b", "`check` must be written as in a URL"),
        (15, "    check: true", "`check` must be"),
        (15, "    ports: [1]", "`ports` is written twice, first in line 14; keep one"),
        (16, "triggers: {agents: 1}", "`agents` must be true or false"),
        (16, "triggers: {labels: true}", "`labels` must be a list, like `[preview]`"),
        (16, "triggers: {label: [x]}", "`label` is unknown; did you mean `labels`?"),
        (16, "triggers: [agents]", "`triggers` must hold keys"),
        (16, "triggers:", "`triggers` has no value; write one, or remove the line"),
        (17, "ttl: 8", "`ttl` must be a duration, like 8h, 2h30m, 90s or 3d"),
        (17, "ttl: 0h", "`ttl` must be more than zero, like 30m"),
        (17, "ttl: 0d0s", "`ttl` must be more than zero, like 30m"),
        (17, "ttl: 400d", "`ttl` must be at most 365d"),
        (17, "ttl: 99999999d", "`ttl` must be at most 365d"),
        (17, "zzz: 1", "`zzz` is unknown; known here: version, entry, entries, defaults, shared, ignore, se"),
        (17, "ttl: *x", "the alias `*x` is not allowed; write its value out"),
        (17, "<<: {a: 1}", "`<<` is unknown"),
        (17, "? [a]\n: 1", "a key must be a word"),
        (17, "---\nversion: 1", "a second document begins here"),
        (17, "\tttl: 8h", "is not YAML"),
        (
            17,
            "ttl: !!python/name:os.system x",
            "`!!python/name:os.system` begins with !, which YAML reads as a",
        ),
        (
            17,
            "ttl: !8h",
            "`!8h` begins with !, which YAML reads as a tag; put it in quotes, or remove the tag",
        ),
        (
            10,
            "    paths: [!docs/**]",
            "`!docs/**` begins with !, which YAML reads as a tag; put it in quotes",
        ),
        (
            10,
            "    paths: [**/x.py]",
            "`**/x.py` begins with *, which YAML reads as an alias; put it in quotes",
        ),
        (
            10,
            '    paths: [!"docs/**"]',
            '`!"docs/**"` begins with !, which YAML reads as a tag; put it in quotes, or remove the tag',
        ),
        (10, "    paths: [!docs/**, b]", "`!docs/**` begins with !"),
        (10, '    paths: [!a"b, c]', '`!a"b` begins with !'),
        (10, "    paths: [!<docs, c]", "`!<docs` begins with !"),
        (10, "    paths: [!docs!x, c]", "`!docs!x` begins with !"),
        (17, "ttl: !docs/a,b # both", "`!docs/a,b` begins with !"),
        (17, "ttl: !docs!a,b # both", "`!docs!a,b` begins with !"),
        (10, "    paths: [*.go, b]", "`*.go` begins with *, which YAML reads as an alias; put it in quotes"),
        (10, "    paths: [*.go] # all", "`*.go` begins with *"),
        (17, "ttl: *.{js,ts}", "`*.{js,ts}` begins with *"),
        (
            10,
            "    paths: [&x/**, b]",
            "`&x/**` begins with &, which YAML reads as an anchor; put it in quotes",
        ),
        (17, "ttl: &x/**", "`&x/**` begins with &"),
        (10, "    paths: [a, @x, b]", "`@x` begins with a sign that YAML keeps for itself; put it in quotes"),
        (10, "    paths: [%x]", "`%x` begins with a sign that YAML keeps for itself; put it in quotes"),
        (10, "    paths: [`x`]", "begins with a sign that YAML keeps for itself; put it in quotes"),
        (15, "    open: |/x", "`|/x` begins with |, which YAML reads as a text of several lines; put it in"),
        (15, "    open: >/x", "`>/x` begins with >, which YAML reads as a text of several lines; put it in"),
        (
            13,
            "    image: {registry}/checkout:{head_sha}  # CI",
            "`{registry}/checkout:{head_sha}` begins with {, which YAML reads as keys; put it in quotes",
        ),
        (12, "    namespace: {{ .Values.ns }}-x", "`{{ .Values.ns }}-x` begins with {, which YAML reads as"),
        (10, "    paths: [{a}/x, b]", "`{a}/x` begins with {, which YAML reads as keys; put it in quotes"),
        (
            13,
            "    image: {a: {b}}/x",
            "`{a: {b}}/x` begins with {, which YAML reads as keys; put it in quotes",
        ),
        (10, "    paths: [*.go,\n      b ]", "`*.go` begins with *"),
        (10, "    paths: [*.go, # all\n      b ]", "`*.go` begins with *"),
        (17, "!important\nttl: 8h", "`!important` begins with !, which YAML reads as a tag"),
        (17, "ttl: &a 8h\nx: &a 1", "`&a 8h` begins with &, which YAML reads as an anchor"),
        (17, "ttl: 8h\ta day", "has a tab behind the value; remove it, or write a space instead"),
        (13, "    image: 010", "`image` must be a text; put `010` in quotes"),
        (13, "    image: 1.5", "`image` must be a text; put `1.5` in quotes"),
        (13, "    image: 2026-01-01", "`image` must be a text; put `2026-01-01` in quotes"),
        (6, "  port: 010", "`port` must be a port"),
        (6, "  port: 1_000", "`port` must be a port"),
        (6, "  port: true", "`port` must be a port"),
        (1, "version: 1.0", "`version` must be 1"),
        (1, "version: true", "`version` must be 1"),
        (13, "    name: checkout", "`name` is unknown"),
        (17, "lines: {}", "`lines` is unknown"),
        (17, "ttl: \x07", "has a character that YAML does not allow"),
        (17, "ttl: " + "[" * 30, "is nested too deeply"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_write(line: int, text: str, message: str) -> None:
    found = problems(changed(line, text))

    assert any(problem.line == line and message in problem.message for problem in found), found


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("", 1, "the file is empty"),
        ("# nothing\n", 1, "the file is empty"),
        ("- version", 1, "the file must hold keys"),
        ("version: 1", 1, "`services` is missing; write under it what can be previewed, by name"),
        # The anchor is no mistake; what is wrong stands below it.
        ("&web version: 1\nttl: 8h\n x: 1", 3, "is not YAML"),
        ("version: 1\nservices:", 2, "`services` has no value; write under it what can be previewed"),
        ("version: 1\nservices: {}", 2, "`services` must name at least one"),
        (
            "version: 1\nservices:\n  a: {}",
            3,
            "`services.a.paths` is missing; write for example `paths: [services/a/**]`",
        ),
        (
            SERVICE.replace("version: 1", "ttl: 8h"),
            1,
            "`version` is missing; write for example `version: 1`",
        ),
        (b"version: 1\nttl: \xff", 2, "is not UTF-8"),
        ("version: 1\n#" + "x" * 70_000, 0, "the file is larger than 64 KiB"),
        ("\ud800", 1, "is not UTF-8"),
    ],
)
def test_a_file_that_is_no_configuration_is_told_so(content: str | bytes, line: int, message: str) -> None:
    found = problems(content)

    assert any(problem.line == line and message in problem.message for problem in found), found


TEXTS = {
    "entry.url": 3,
    "entry.namespace": 4,
    "entry.service": 5,
    "entry.target": 7,
    "services.checkout.target": 11,
    "services.checkout.namespace": 12,
    "services.checkout.image": 13,
    "services.checkout.open": 15,
    "ttl": 17,
}
"""The lines of the example whose value is a text."""


@pytest.mark.parametrize("line", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize(
    "instead",
    [
        '{kind: deployment, name: "x\\e[31m@everybody\\0"}',
        "{kind: deployment, name: web, container: null}",
        "{written: x}",
        "{}",
        "{head_sha}",
        "{a: {b, b: 1}, a: 2}",
        "{{ .Values.x }}",
        "[{a}]",
        "[deployment, web]",
    ],
)
def test_no_mapping_or_list_stands_in_for_a_text(line: int, instead: str) -> None:
    key, _, _ = EXAMPLE.splitlines()[line - 1].partition(":")
    found = problems(changed(line, f"{key}: {instead}"))

    expected = "must be a duration" if line == 17 else "must be a text"
    if instead.startswith("{") and line != 17:
        expected += "; put what begins with { in quotes"
    assert [(problem.line, problem.message.partition(" ")[0]) for problem in found] == [
        (line, f"`{key.strip()}`")
    ]
    assert expected in found[0].message


def test_a_value_of_keys_below_each_other_is_not_told_to_begin_with_a_brace() -> None:
    assert problems(changed(13, "    image:\n      head_sha:")) == (Problem(13, "`image` must be a text"),)


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (14, "    ports: {a}", "`ports` must be a list, like `[8080]`"),
        (14, "    ports: [{a, a: 1}]", "`ports` must be a port, a number from 1 to 65535"),
        (6, "  port: {{ .Values.port }}", "`port` must be a port, a number from 1 to 65535"),
        (16, "triggers: {labels: {preview}}", "`labels` must be a list, like `[preview]`"),
        (16, "triggers: {agents: {a}}", "`agents` must be true or false"),
        (1, "version: {1}", "`version` must be 1"),
    ],
)
def test_of_keys_where_none_can_be_only_the_value_is_told(line: int, text: str, message: str) -> None:
    assert problems(changed(line, text)) == (Problem(line, message),)


def unindented(content: str, *names: str) -> str:
    """Return a file in which the keys of these parts stand beside them."""
    lines = []
    inside = None
    for line in content.splitlines():
        depth = len(line) - len(line.lstrip())
        inside = inside if inside is not None and depth > inside else None
        lines.append(line[2:] if inside is not None else line)
        if line.strip().partition(":")[0] in names:
            inside = depth
    return "\n".join(lines)


TWO_SERVICES = SERVICE + SERVICE.split("services:\n")[1].replace("checkout", "cart")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            unindented(SERVICE, "checkout"),
            [(3, "`checkout` has nothing under it; indent what belongs there: `paths` to `ports`")],
        ),
        (
            unindented(TWO_SERVICES, "checkout", "cart"),
            [
                (3, "`checkout` has nothing under it; indent what belongs there: `paths` to `ports`"),
                (9, "`cart` has nothing under it; indent what belongs there: `paths` to `ports`"),
            ],
        ),
        (
            unindented(SERVICE, "services"),
            [(2, "`services` has nothing under it; indent what belongs there: `checkout`")],
        ),
        (
            unindented(EXAMPLE, "entry"),
            [(2, "`entry` has nothing under it; indent what belongs there: `url` to `target`")],
        ),
        (
            SERVICE + "triggers:\ndrafts: false\n",
            [(9, "`triggers` has nothing under it; indent what belongs there: `drafts`")],
        ),
        (
            unindented(SERVICE.replace("  ports", "  prots").replace("8080", "x"), "checkout"),
            [
                (3, "`checkout` has nothing under it; indent what belongs there: `paths` to `prots`"),
                (8, "`prots` is unknown; did you mean `ports`?"),
            ],
        ),
        (
            SERVICE + "triggers:\ndrafts: false\ntll: 8h\n",
            [
                (9, "`triggers` has nothing under it; indent what belongs there: `drafts`"),
                (11, "`tll` is unknown; did you mean `ttl`?"),
            ],
        ),
        (
            unindented(SERVICE.replace("8080", "x"), "checkout"),
            [
                (3, "`checkout` has nothing under it; indent what belongs there: `paths` to `ports`"),
                (8, "`ports` must be a port, a number from 1 to 65535"),
            ],
        ),
    ],
)
def test_keys_beside_the_part_that_they_belong_to_are_one_mistake(
    content: str, told: list[tuple[int, str]]
) -> None:
    assert [(problem.line, problem.message) for problem in problems(content)] == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (SERVICE.replace("  checkout:", "  open:\n  checkout:"), "`services.open.paths` is missing"),
        (SERVICE.replace("checkout:", "cart:\n  paths:", 1), "`services.cart.paths` is missing"),
        (SERVICE + "entry:\nttl: 8h\n", "`entry` has no value; write one, or remove the line"),
        (SERVICE + "entry:\nx: 1\n", "`x` is unknown"),
        (SERVICE + "entry:\n[a]: 1\n", "a key must be a word"),
        (SERVICE + "entry:\nurl: {[a]: 1}\n", "`url` is unknown"),
    ],
)
def test_a_key_that_may_stand_where_it_stands_is_not_told_to_be_indented(content: str, told: str) -> None:
    found = [problem.message for problem in problems(content)]

    assert any(message.startswith(told) for message in found), found
    assert not any("indent" in message for message in found)


@pytest.mark.parametrize("nothing", ["", " {}", " ~"])
def test_of_a_service_that_says_nothing_every_key_is_told_with_an_example(nothing: str) -> None:
    assert problems(f"version: 1\nservices:\n  cart:{nothing}\n") == (
        Problem(3, "`services.cart.paths` is missing; write for example `paths: [services/cart/**]`"),
        Problem(3, "`services.cart.target` is missing; write for example `target: deployment/cart`"),
        Problem(3, "`services.cart.namespace` is missing; write for example `namespace: staging`"),
        Problem(
            3, "`services.cart.image` is missing; write for example `image: ghcr.io/acme/cart:{head_sha}`"
        ),
    )


def test_the_name_of_a_service_that_says_nothing_is_looked_at_too() -> None:
    found = problems(SERVICE + "  Cart:\n")

    assert Problem(9, "`Cart` must be a name of at most 63 small letters, digits and -") in found


def test_services_whose_names_are_no_words_are_not_told_to_be_none() -> None:
    assert problems("version: 1\nservices: {{ .Values.services }}\n") == (Problem(2, "a key must be a word"),)


@pytest.mark.parametrize("written", ["\n  - name: checkout\n", " [checkout]\n", " checkout\n", " 5\n"])
def test_services_that_are_no_keys_are_told_how_to_name_them(written: str) -> None:
    assert problems("version: 1\nservices:" + written) == (
        Problem(2, "`services` must hold names of services, such as `checkout:`"),
    )


def test_a_key_that_is_called_like_a_sign_of_the_checker_is_told_like_any_other() -> None:
    content = SERVICE + '  "[key]": x\n"[key]": 1\n'
    such = "`paths: [services/checkout/**]` and `target: deployment/checkout`"

    assert [(problem.line, problem.message.partition(";")[0]) for problem in problems(content)] == [
        (9, "`[key]` must be a name of at most 63 small letters, digits and -"),
        (9, f"`[key]` must hold keys such as {such}"),
        (10, "`[key]` is unknown"),
    ]
    (found,) = problems(SERVICE + '    "[key]": 1\n')
    assert found.message.startswith("`[key]` is unknown; known here: paths, target")


UNPRINTABLE = {
    "a control character": "\\e[31m",
    "NUL": "\\0",
    "a line break": "\\n",
    "DEL": "\\x7f",
    "C1": "\\x9b",
    "a line separator": "\\u2028",
    "a sign that turns the direction": "\\u202e",
    "a zero-width space": "\\u200b",
    "a lone surrogate": "\\ud800",
}


@pytest.mark.parametrize("sign", UNPRINTABLE.values(), ids=UNPRINTABLE)
@pytest.mark.parametrize("line", [*TEXTS.values(), 10, 16], ids=[*TEXTS, "paths", "labels"])
def test_a_text_holds_only_what_can_be_seen_and_so_does_its_message(line: int, sign: str) -> None:
    key, _, value = EXAMPLE.splitlines()[line - 1].partition("#")[0].partition(":")
    text = {10: f'["a{sign}b"]', 16: f'{{labels: ["a{sign}b"]}}'}.get(line, f'"{value.strip()}{sign}x"')
    found = problems(changed(line, f"{key}: {text}"))

    assert [problem.line for problem in found] == [line]
    assert found[0].message.isprintable()


def test_an_address_must_be_one_line_of_what_can_be_seen() -> None:
    (found,) = problems(changed(3, '  url: "https://x.example.com/\\e[31m"'))

    assert found == Problem(
        3, "`url` must be a text on one line that is not empty, without invisible characters"
    )


@pytest.mark.parametrize("sign", UNPRINTABLE.values(), ids=UNPRINTABLE)
def test_a_key_of_signs_that_cannot_be_seen_is_told_without_them(sign: str) -> None:
    content = SERVICE.replace("  checkout:", f'  "a{sign}b":') + f'"x{sign}": 1\n'

    found = problems(content)

    assert [problem.line for problem in found] == ([3] if "ud800" in sign else [3, 9])
    assert all(problem.message.isprintable() for problem in found)


def test_every_mistake_is_told_at_once_in_the_order_of_the_lines() -> None:
    content = changed(13, "    imge: x").replace("ttl: 8h", "ttl: x").replace("port: 80", "port: x")

    found = problems(content)

    assert [problem.line for problem in found] == sorted(problem.line for problem in found)
    assert [problem.line for problem in found] == [6, 10, 13, 17]


def test_the_error_names_the_file_and_the_line() -> None:
    with pytest.raises(
        ConfigurationError, match=r"^\.github/preview\.yaml, line 17: `ttl` must be a duration"
    ):
        parse(changed(17, "ttl: x"))


def test_of_very_many_mistakes_only_the_first_are_told() -> None:
    found = problems(SERVICE + "".join(f"x{number}: 1\n" for number in range(1_000)))

    assert len(found) == 21
    assert found[-1].message == "and 980 more mistakes"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("deployment/a", "deployment/a", True),
        ("deployment/a", "deployment/a/container/x", True),
        ("deployment/a/container/x", "deployment/a/container/x", True),
        ("deployment/a/container/y", "deployment/a/container/x", False),
        ("deployment/a", "statefulset/a", False),
        ("deployment/a", "deployment/b", False),
    ],
)
def test_two_services_do_not_take_the_same_place(one: str, other: str, same: bool) -> None:
    first = SERVICE.replace("deployment/checkout", one)
    block = SERVICE.split("services:\n")[1].replace("checkout:\n", "cart:\n", 1)
    content = first + block.replace("deployment/checkout", other)

    if same:
        assert [Problem(9, "`cart` has the same target as `checkout`; join the two")] == list(
            problems(content)
        )
    else:
        assert len(parse(content).services) == 2


def test_the_same_target_in_another_namespace_is_another_place() -> None:
    block = SERVICE.split("services:\n")[1].replace("checkout:\n", "cart:\n", 1)

    assert len(parse(SERVICE + block.replace("staging", "payments")).services) == 2


@pytest.mark.parametrize("length", [1_000, 60_000])
def test_hostile_files_are_refused_in_time(length: int) -> None:
    started = time.process_time()

    for piece in ("[", "{", "? ", "- ", "a: &a ", "*a ", "!", "|", '"'):
        problems((piece * length)[:length])

    assert time.process_time() - started < 20


def test_a_message_shows_only_a_short_printable_piece_of_the_file() -> None:
    (found,) = problems(SERVICE + '"`\\u202e' + "x" * 500 + '": 1\n')

    assert len(found.message) < 200
    assert found.message.startswith("`??xxx")


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_no_file_breaks_the_reader(content: str | bytes) -> None:
    assert problems(content)


@given(st.integers(1, 17), st.text(max_size=40))
def test_no_line_breaks_the_reader(line: int, text: str) -> None:
    try:
        parse(changed(line, text))
    except ConfigurationError as error:
        assert error.problems


_name = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


@given(st.sampled_from(["deployment", "statefulset", "rollout"]), _name, st.none() | _name)
def test_a_target_is_read_back_as_written(kind: str, name: str, container: str | None) -> None:
    text = f"{kind}/{name}" + (f"/container/{container}" if container else "")

    assert str(parse_target(text)) == text
    assert parse_target(text).container == container


# What the server allows


@pytest.fixture(name="settings")
def _settings() -> Settings:
    return parse_settings(
        {
            "github": {"api_url": "https://api.github.com", "web_url": "https://github.com", "app_id": 1},
            "public_url": "https://previews.example.com",
            "cluster": {"namespaces": ["staging", "payments"]},
            "images": {"allowed": ["ghcr.io/acme/"]},
            "ttl": {"max": "24h"},
        },
        {},
    )


def everybody(settings: Settings) -> Bounds:
    """What any repository may have, without rules for them."""
    bounds = bounds_of(settings, "acme/shop")
    assert bounds is not None
    return bounds


def test_the_example_is_within_what_the_server_allows(settings: Settings) -> None:
    assert check_against(parse(EXAMPLE), everybody(settings)) == ()


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (
            4,
            "  namespace: prod",
            "the namespace `prod` is not open to this repository; choose from: staging, payments. That is "
            "the platform team's to decide",
        ),
        (
            12,
            "    namespace: prod",
            "the namespace `prod` is not open to this repository; choose from: staging, pay",
        ),
        (13, "    image: ghcr.io/acme-evil/x:{head_sha}", "it must begin with one of: ghcr.io/acme/"),
        (13, "    image: docker.io/acme/x:{head_sha}", "it must begin with one of: ghcr.io/acme/"),
        (17, "ttl: 25h", "`ttl` must be at most 1d here"),
    ],
)
def test_what_the_server_does_not_allow_is_told_with_its_line(
    settings: Settings, line: int, text: str, message: str
) -> None:
    (found,) = check_against(parse(changed(line, text)), everybody(settings))

    assert found.line == line
    assert message in found.message


def test_a_configuration_made_without_a_file_has_no_lines(settings: Settings) -> None:
    config = RepositoryConfig(version=1, services=(), ttl=timedelta(days=2))

    (problem,) = check_against(config, everybody(settings))
    assert problem.line == 0
    assert problem.message.startswith("`ttl` must be at most 1d here. That is the platform team's to decide")


@pytest.mark.parametrize(
    ("written", "ports"),
    [("    ports: [8080]\n", (8080,)), ("", None), ("    ports: []\n", ())],
    ids=["these", "those that its containers declare", "none"],
)
def test_ports_may_be_left_out_and_a_worker_has_none(written: str, ports: tuple[int, ...] | None) -> None:
    (service,) = parse(SERVICE.replace("    ports: [8080]\n", written)).services

    assert service.ports == ports
