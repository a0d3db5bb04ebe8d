"""Patterns as people write them: what is meant is understood, what can never match is told as that."""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api.github import ChangedFile, ChangedFiles
from previewbot.clients.github import kept
from previewbot.clients.github import parse as parse_github
from previewbot.config.repository import parse
from previewbot.errors import ConfigurationError
from previewbot.rules.changes import compare

FILE = """\
version: 1
services:
  checkout:
    paths: {paths}
    target: deployment/checkout
    namespace: staging
    image: ghcr.io/acme/checkout:{{head_sha}}
    ports: [8080]
"""


def a_file(*patterns: str) -> str:
    quoted = ", ".join("'" + pattern.replace("'", "''") + "'" for pattern in patterns)
    return FILE.format(paths=f"[{quoted}]")


def told(content: str) -> tuple[int, str]:
    with pytest.raises(ConfigurationError) as caught:
        parse(content)
    (problem,) = caught.value.problems
    return problem.line, problem.message


def matches(path: str, *patterns: str) -> bool:
    config = parse(a_file(*patterns))
    return bool(compare(config, ChangedFiles((ChangedFile(path),), complete=True)).files)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            "services/{checkout,pricing}/**",
            "`paths` has `services/{checkout,pricing}/**`: braces are a part of a name in .gitignore; write "
            "a path for each: `services/checkout/**`, `services/pricing/**`",
        ),
        ("src/**/*.{ts,tsx}", "write a path for each: `src/**/*.ts`, `src/**/*.tsx`"),
        ("libs/v{1..3}/**", "braces are a part of a name"),
        ("a/{b,c,d,e,f}/**", "`a/b/**`, `a/c/**`, `a/d/**`, `a/e/**`, …"),
        ("services/@(checkout|pricing)/**", "`services/checkout/**`, `services/pricing/**`"),
        ("services/(checkout|pricing)/**", "a choice in parentheses is a part of a name in .gitignore"),
        ("services/+(checkout)/**", "a choice in parentheses"),
        ("services\\checkout\\**", "in which \\ is no sign between folders; write `services/checkout/**`"),
        ("services\\\\checkout\\\\**", "write `services/checkout/**`"),
        ("services\\checkout", "write `services/checkout`"),
        ("../services/checkout/**", "all paths begin at the root of the repository"),
        ("services/../checkout/**", "all paths begin at the root of the repository"),
        ("services/./checkout/**", "all paths begin at the root of the repository"),
        ("./services/checkout/**", "must be written without ./ at its beginning: `services/checkout/**`"),
        ("services//checkout/**", "has two slashes with nothing in between; write `services/checkout/**`"),
        ("services/a/**, libs/**", "which no file is called; write `services/a/**`, `libs/**`"),
        ("services/a/** libs/**", "which no file is called; write `services/a/**`, `libs/**`"),
        ("services/a/**  # the service", "which no file is called; write `services/a/**`"),
        ('"services/a/**"', "which no file is called; write `services/a/**`"),
        ("//services/a/...", "which no file is called; write `services/a/**`"),
        ("services/{name}/**", "which no file is called; write `services/{service}/**`"),
        ("https://github.com/acme/shop/tree/main/services", "must be patterns as in .gitignore"),
        ("^services/checkout/.*$", "a regular expression; write a pattern as in .gitignore"),
    ],
)
def test_what_can_never_match_is_told_as_what_it_is_with_what_to_write(pattern: str, message: str) -> None:
    line, found = told(a_file("x", pattern))

    assert line == 4
    assert message in found


@pytest.mark.parametrize("pattern", ["services/{a,b}/**", "!services/{a,b}/**"])
def test_the_sign_that_takes_away_stays_with_each_of_a_choice(pattern: str) -> None:
    sign = "!" if pattern.startswith("!") else ""

    assert f"`{sign}services/a/**`, `{sign}services/b/**`" in told(a_file("services/**", pattern))[1]


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("services/checkout/a", "/services/checkout/**"),
        ("services/checkout/a", " services/checkout/**"),
        ("apps/[slug]/page.tsx", "apps/[slug]/**"),
        ("apps/[...slug]/page.tsx", "apps/[...slug]/**"),
        ("apps/[[...slug]]/page.tsx", "apps/[[...slug]]/**"),
        ("apps/[slug]/page.tsx", "apps/\\[slug\\]/**"),
        ("apps/s/page.tsx", "apps/[slug]/**"),
        ("pages/posts/[id].tsx", "pages/posts/[id].tsx"),
        ("pages/posts/i.tsx", "pages/posts/[id].tsx"),
        ("apps/[user]-[id]/a", "apps/[user]-[id]/**"),
        ("routes/[lang=lang]/a", "routes/[lang=lang]/**"),
        ("routes/[[lang]]/a", "routes/[[lang]]/**"),
        ("src/a/b/c.go", "src/**.go"),
        ("src/c.go", "src/**.go"),
        ("my folder/a b/c", "my folder/a b/**"),
        ("apps/(shop)/page.tsx", "apps/(shop)/**"),
        ("apps/@modal/page.tsx", "apps/@modal/**"),
        ("{{cookiecutter.name}}/a.py", "{{cookiecutter.name}}/**"),
        ("a#b/c", "a#b/**"),
        ("#a/b", "\\#a/**"),
        ("lib/a", "lib/[a-z]"),
    ],
)
def test_what_is_meant_is_matched(path: str, pattern: str) -> None:
    assert matches(path, pattern)


def test_a_range_is_no_name() -> None:
    assert not matches("lib/[a-z]", "lib/[a-z]")
    assert not matches("lib/[a-z].go", "lib/[a-z].go")


def test_two_stars_before_an_ending_take_away_in_every_folder_too() -> None:
    assert not matches("src/a/b/c.md", "src/**", "!src/**.md")


@pytest.mark.parametrize("written", ["${service}", "{{service}}", "{{ .service }}"])
def test_what_other_templates_call_a_service_is_told_in_defaults(written: str) -> None:
    text = (
        FILE.format(paths=f"['src/{written}/**']")
        .replace("services:", "defaults:")
        .replace("  checkout:\n", "")
    )
    text = text.replace("\n    ", "\n  ") + "services: {checkout: }\n"

    assert (
        told(text)[1]
        == f"`paths` has `src/{written}/**`, which no file is called; write `src/{{service}}/**`"
    )


Form = Literal["NFC", "NFD"]
_FORM: st.SearchStrategy[Form] = st.sampled_from(["NFC", "NFD"])


@given(_FORM, _FORM)
def test_a_name_is_the_same_however_its_accents_are_written(pattern: Form, path: Form) -> None:
    name = "föö-é"

    assert matches(unicodedata.normalize(path, f"{name}/a"), unicodedata.normalize(pattern, name) + "/**")


# A folder that is listed by its own name


@pytest.mark.parametrize(
    ("path", "pattern", "found"),
    [
        ("services/checkout", "services/checkout/**", True),
        ("checkout", "checkout/**", True),
        ("apps/checkout", "**/checkout/**", True),
        ("apps/[slug]", "apps/[slug]/**", True),
        ("x/checkout", "checkout/**", False),
        ("services/checkout2", "services/checkout/**", False),
        ("services/README.md", "services/*/**", False),
    ],
)
def test_a_submodule_or_a_link_in_a_folders_place_is_the_folder(path: str, pattern: str, found: bool) -> None:
    """GitHub lists both by the folder's own name: services/checkout, modified."""
    assert matches(path, pattern) is found


BUMP = "@@ -1 +1 @@\n-Subproject commit 5f3b1c9e\n+Subproject commit 00c0ffee"


@pytest.mark.parametrize(
    ("patch", "submodule"),
    [
        (BUMP, True),
        ("@@ -0,0 +1 @@\n+Subproject commit 00c0ffee\n", True),
        ("@@ -1,2 +1,2 @@\n one\n-Subproject commit 5f3b\n+Subproject commit 00c0", False),
        ("@@ -1 +1 @@\n-old\n+Subproject commit of a text", False),
        ("", False),
    ],
)
def test_a_submodule_is_known_by_what_git_shows_of_it(patch: str, submodule: bool) -> None:
    listed = {"filename": "services/checkout", "status": "modified", "patch": patch}

    assert parse_github.changed_file_from(listed).submodule is submodule
    assert kept.of_submodule(patch) == (patch if submodule else "")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("services/*/**", True),
        ("services/checkout/", True),
        ("services/check*/**", True),
        ("pricing/*/**", False),
    ],
)
def test_a_submodule_is_a_folder_to_wildcards_too(pattern: str, found: bool) -> None:
    changed = ChangedFiles((ChangedFile("services/checkout", submodule=True),), complete=True)

    assert bool(compare(parse(a_file(pattern)), changed).files) is found


def test_one_that_is_taken_away_is_not() -> None:
    assert not matches("services/checkout", "services/**", "!services/checkout/**")


# What takes away


@pytest.mark.parametrize("away", ["!web/docs", "!web/docs/", "!web/docs/**"])
def test_a_folder_that_is_taken_away_is_all_that_is_in_it(away: str) -> None:
    """To Git, the first two would take nothing away: `web/**` has named each file."""
    assert not matches("web/docs/a", "web/**", away)
    assert matches("web/a", "web/**", away)


@pytest.mark.parametrize(
    ("before", "away"),
    [("web/**", "!pricing/docs/**"), ("/web/a/**", "!web/b"), ("web/a/**", "!web/b/*.md")],
)
def test_what_takes_away_from_nothing_is_told(before: str, away: str) -> None:
    line, found = told(a_file(before, away))

    assert line == 4
    assert found.startswith(
        f"`paths` has `{away}`, which takes away from nothing: no path before it leads there"
    )


@pytest.mark.parametrize(
    ("before", "away"),
    [
        ("web/**", "!*.md"),
        ("*.go", "!pricing/**"),
        ("web/*/x", "!web/a/x"),
        ("web", "!web/docs/**"),
        ("a/", "!a/b"),
        ("fo\u0308/**", "!f\u00f6/docs/**"),
    ],
)
def test_what_may_take_something_away_is_not(before: str, away: str) -> None:
    assert parse(a_file(before, away))


# YAML's own signs


@pytest.mark.parametrize(
    ("paths", "line", "message"),
    [
        (
            "\n      - checkout/**\n      - !checkout/docs/**",
            6,
            "`!checkout/docs/**` begins with !, which YAML",
        ),
        (
            "\n      - **/checkout/*\n      - *.py",
            5,
            "`**/checkout/*` begins with *, which YAML reads",
        ),
        (
            "[services/{a,b}/**]",
            4,
            "`services/{a,b}/**` has { in it, which YAML reads as keys within a list",
        ),
        ("[x, src/{a}/**, y]", 4, "`src/{a}/**` has { in it"),
        (
            "[apps/[slug]/**]",
            4,
            "`apps/[slug]/**` has [ in it, which YAML reads as a list within",
        ),
    ],
)
def test_a_sign_of_yamls_own_without_quotes_is_told_by_the_value(paths: str, line: int, message: str) -> None:
    found = told(FILE.format(paths=paths))

    assert found[0] == line
    assert message in found[1]


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("version: 1", "version: 1\t# format"),
        ("version: 1", "version:\t1\t"),
        ("namespace: staging", "namespace: staging \t "),
        ("namespace: staging", "namespace:\t'staging'\t# where"),
        ("ports: [8080]", "ports: [\t8080\t]\t# one"),
        ("ports: [8080]", "ports:\n    -\t8080"),
        ("services:", "\t\n\t# all\nservices:\t"),
    ],
)
def test_a_tab_between_values_is_a_blank(written: str, instead: str) -> None:
    content = FILE.format(paths="[x]")

    assert parse(content.replace(written, instead)) == parse(content)


def test_a_tab_that_indents_is_not() -> None:
    line, found = told(FILE.format(paths="[x]").replace("    namespace", "\tnamespace"))

    assert line == 6
    assert found.endswith("indent with spaces, not tabs")


@pytest.mark.parametrize("ports", ['["8080"]', "['8080']", "[8080]"])
def test_a_port_may_be_in_quotes(ports: str) -> None:
    assert parse(FILE.format(paths="[x]").replace("[8080]", ports)).services[0].ports == (8080,)


@pytest.mark.parametrize("port", ["'08080'", "'0'", "'65536'", "'http'", "' 8080'", "'8080/tcp'", "'٨٠٨٠'"])
def test_another_text_is_no_port(port: str) -> None:
    assert told(FILE.format(paths="[x]").replace("8080", port))[1].startswith("`ports` must be a port")
