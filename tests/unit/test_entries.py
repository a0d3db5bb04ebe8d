"""A front end some of whose paths other Services answer, as staging's own HTTPRoute has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.config.repository import Entry, PathRule, parse
from previewbot.config.repository.entries import EVERYTHING, Timeouts
from previewbot.errors import ConfigurationError
from previewbot_demo.gateway_rules import rule_for

FILE = """\
version: 1
entry:
  url: https://staging.example.com
  namespace: staging
  service: web
  port: 80
  routes:
  - path: /api
    service: api
    port: 8080
    timeouts: {request: 0s}
  - {path: /, service: web, port: 80}
services:
  web:
    paths: ["web/**"]
    target: deployment/web
    namespace: staging
    image: ghcr.io/acme/web:{head_sha}
"""


def an_entry(*routes: dict[str, object]) -> Entry:
    return Entry.model_validate(
        {
            "url": "https://staging.example.com",
            "namespace": "staging",
            "service": "web",
            "port": 80,
            "routes": list(routes),
        }
    )


def test_a_file_names_paths_and_who_answers_them() -> None:
    entry = parse(FILE).entry

    assert entry is not None
    assert entry.rules == (
        PathRule("PathPrefix", "/api", "api", 8080, Timeouts(request="0s")),
        PathRule("PathPrefix", "/", "web", 80),
    )
    assert entry.backends == (("web", 80), ("api", 8080))


def test_without_paths_the_service_answers_all_of_them() -> None:
    entry = an_entry()

    assert entry.rules == (PathRule(*EVERYTHING, "web", 80),)
    assert entry.backends == (("web", 80),)


def test_what_no_path_names_is_the_entrys_own() -> None:
    entry = an_entry({"path": "/api/", "service": "api", "port": 8080})

    assert [(rule.path, rule.service) for rule in entry.rules] == [("/api/", "api"), ("/", "web")]


PATHS = st.lists(
    st.fixed_dictionaries(
        {
            "path": st.lists(st.sampled_from("ab"), max_size=3).map(lambda parts: "/" + "/".join(parts)),
            "type": st.sampled_from(("PathPrefix", "Exact")),
        }
    ).filter(lambda path: path["path"] != "/" or path["type"] == "Exact"),
    unique_by=lambda path: (path["path"], path["type"]),
    max_size=8,
)


@given(paths=PATHS, asked=st.text("ab/", max_size=6))
def test_a_gateway_that_takes_the_first_rule_that_fits_decides_as_one_that_takes_the_best(
    paths: list[dict[str, str]], asked: str
) -> None:
    entry = an_entry(*({**path, "service": f"s{n}", "port": 80} for n, path in enumerate(paths)))
    rules = [
        {"matches": [{"path": {"type": r.type, "value": r.path}}], "service": r.service} for r in entry.rules
    ]
    path = f"/{asked}"

    best = rule_for(path, rules)

    assert best is not None, "the last rule takes everything"
    assert best is next(rule for rule in rules if rule_for(path, [rule]))
    assert best is rule_for(path, rules[::-1])


@pytest.mark.parametrize(
    ("written", "instead", "line", "message"),
    [
        (
            "path: /api",
            "path: api",
            8,
            "`path` must be a path of a URL as the Gateway API has it, like `",
        ),
        ("path: /api", "path: //api", 8, "`path` must be a path of a URL"),
        ("path: /api", "path: /api/../admin", 8, "`path` must be a path of a URL"),
        ("path: /api", "path: /a/.", 8, "`path` must be a path of a URL"),
        ("path: /api", "path: /a%2Fb", 8, "`path` must be a path of a URL"),
        ("path: /api", "path: '/a#b'", 8, "`path` must be a path of a URL"),
        ("path: /api", "path: /a?b", 8, "`path` must be a path of a URL"),
        ("path: /api", "path: /ü", 8, "`path` must be a path of a URL"),
        ("path: /api", "path: '/api/*'", None, ""),
        ("path: /api", f"path: /{'x' * 1024}", 8, "`path` must be a path of a URL"),
        ("service: api", "service: Api", 9, "`service` must be a name of at most 63 small letters"),
        ("port: 8080", "port: http", 10, "`port` must be a port"),
        ("port: 8080", "prot: 8080", 8, "`entry.routes.port` is missing; write for example `port: 8080`"),
        ("request: 0s", "request: 0", 11, "`request` must be a text; put `0` in quotes"),
        ("request: 0s", "request: 1 minute", 11, "`request` must be a duration as the Gateway API has it"),
        ("request: 0s", "request: 8d", 11, "`request` must be a duration as the Gateway API has it"),
        ("request: 0s", "reqest: 0s", 11, "`reqest` is unknown; did you mean `request`?"),
        (
            "request: 0s",
            "request: 1s, backendRequest: 1500ms",
            11,
            "`backendRequest` must not be longer than request, which is `1s`",
        ),
        ("request: 0s", "request: 0s, backendRequest: 1h", None, ""),
        ("{path: /,", "{path: /api/,", 12, "`path` means the same as `/api` above; keep one"),
        ("{path: /,", "{path: /api, type: Exact,", None, ""),
        ("{path: /,", "{path: /api, type: Regex,", 12, "`type` must be PathPrefix or Exact"),
        ("service: web, port: 80", "service: other, port: 80", 12, "is not where the entry itself leads"),
        (
            "service: web, port: 80",
            "service: web, port: 81",
            12,
            "which is `web:80`; name that Service, ",
        ),
        ("  routes:\n", "  routes: 1\n  routs:\n", 7, "`routes` must be a list"),
    ],
)
def test_what_is_wrong_with_a_path_is_told_by_line(
    written: str, instead: str, line: int | None, message: str
) -> None:
    assert written in FILE
    changed = FILE.replace(written, instead, 1)
    if line is None:
        parse(changed)
        return

    with pytest.raises(ConfigurationError) as caught:
        parse(changed)

    assert any(p.line == line and message in p.message for p in caught.value.problems), caught.value.problems


def test_more_paths_than_a_route_has_rules_are_refused() -> None:
    routes = "".join(f"  - {{path: /{n}, service: api, port: 80}}\n" for n in range(16))
    before, after = FILE.split("  - path: /api")[0], FILE[FILE.index("services:") :]

    with pytest.raises(ConfigurationError, match="`routes` has more paths than a route may; at most 15"):
        parse(before + routes + after)


ENTRIES = """\
version: 1
entries:
  admin: {url: "https://admin.example.com", namespace: staging, service: admin, port: 80}
  shop: {url: "https://staging.example.com", namespace: staging, service: web, port: 80}
services:
  web: {paths: ["web/**"], target: deployment/web, namespace: staging, image: "ghcr.io/acme/web:{head_sha}"}
  office:
    paths: ["office/**"]
    target: deployment/office
    namespace: staging
    image: ghcr.io/acme/office:{head_sha}
    entry: shop
"""
ALONE = 'entry: {url: "https://alone.example.com", namespace: staging, service: alone, port: 80}\n'


@pytest.mark.parametrize(
    ("content", "of_web", "of_office"),
    [
        (ENTRIES, "admin", "web"),
        (ENTRIES.replace("  shop:", "  default:").replace(": shop", ": default"), "web", "web"),
        (ENTRIES + ALONE, "alone", "web"),
        ((ENTRIES + ALONE).replace("entry: shop", "entry: default"), "alone", "alone"),
        (ENTRIES.replace("    entry: shop\n", ""), "admin", "admin"),
        (FILE + "    entry: default\n", "web", "web"),
    ],
    ids=["the first", "by that name", "beside them", "by the name of it", "nobody says", "alone"],
)
def test_a_service_opens_the_entry_that_it_names_or_the_one_that_counts_for_all(
    content: str, of_web: str, of_office: str
) -> None:
    found = [parse(content).entry_of(name) for name in ("web", "office")]

    assert [entry.service if entry else None for entry in found] == [of_web, of_office]


def test_without_any_entry_there_is_none_to_open() -> None:
    assert parse(FILE[:11] + FILE[FILE.index("services:") :]).entry_of("web") is None


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (
            ENTRIES.replace("entry: shop", "entry: shp"),
            12,
            "names `shp`, which is not among `entries`; did you",
        ),
        (ENTRIES.replace("entry: shop", "entry: x"), 12, "known here: admin, shop"),
        (FILE + "    entry: admin\n", 19, "known here: default"),
        (FILE[:11] + FILE[FILE.index("services:") :] + "    entry: a\n", 8, "there are no `entries`"),
        (ENTRIES.replace("  shop:", "  default:").replace(": shop", ": default") + ALONE, 4, "is the name"),
        (ENTRIES.replace("  shop:", "  Shop:"), 4, "`Shop` must be a name of at most 63 small letters"),
        (ENTRIES.replace("service: admin, ", ""), 3, "`entries.admin.service` is missing"),
        (ENTRIES.replace("port: 80}", "port: 0}", 1), 3, "`port` must be a port"),
    ],
)
def test_what_is_wrong_with_entries_is_told_by_line(content: str, line: int, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(content)

    assert any(p.line == line and message in p.message for p in caught.value.problems), caught.value.problems
