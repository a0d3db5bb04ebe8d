"""Patterns that take away all that others name: no change would ever count, and that is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.config.repository import parse
from previewbot.config.repository.globs import effective
from previewbot.config.repository.leftovers import emptied
from previewbot.config.repository.patterns import Patterns
from previewbot.errors import ConfigurationError


def a_file(*services: list[str], ignore: list[str] | None = None, shared: list[str] | None = None) -> str:
    lines = [
        "version: 1",
        *(f"{key}: {value}" for key, value in (("ignore", ignore), ("shared", shared)) if value),
    ]
    lines.append("services:")
    for at, paths in enumerate(services):
        lines.append(f"  s{at}: {{paths: {paths}, target: deployment/s{at}, namespace: staging,")
        lines.append("    image: 'ghcr.io/acme/s:{head_sha}'}")
    return "\n".join(lines) + "\n"


def told(content: str) -> tuple[int, str]:
    with pytest.raises(ConfigurationError) as caught:
        parse(content)
    (problem,) = caught.value.problems
    return problem.line, problem.message


@pytest.mark.parametrize(
    ("paths", "ignore"),
    [
        (["services/a/**"], ["services/**"]),
        (["services/a/**"], ["services/"]),
        (["services/a/**"], ["services"]),
        (["services/a/**"], ["**"]),
        (["services/a/**"], ["*"]),
        (["services/a/*.md"], ["docs/**", "**/*.md"]),
        (["a/**/*_test.go", "docs/x.md"], ["*_test.go", "docs/"]),
        (["apps/[slug]/**"], ["apps/**"]),
        (["apps/[...slug]/page.tsx"], ["apps/**"]),
        (["Dockerfile"], ["Docker*"]),
        (["a?/[b-d]/[!x]"], ["a*/**"]),
        (["/*", "a/**"], ["*"]),
        (["a/**"], ["**", "!b/**"]),
    ],
)
def test_ignore_that_takes_away_all_of_a_service_is_told_with_its_name(
    paths: list[str], ignore: list[str]
) -> None:
    assert told(a_file(paths, ignore=ignore)) == (
        2,
        "`ignore` takes away all of `services.s0.paths`: no change there would ever count; name less "
        "here, or take a path back with !",
    )


@pytest.mark.parametrize(
    ("paths", "ignore"),
    [
        (["services/a/**"], ["**/*.md", "**/tests/**", "docs/"]),
        (["services/a/**"], ["services/**", "!services/a/**"]),
        (["services/a/**"], ["services/**", "!services/a/go.mod"]),
        (["services/a/**"], ["services/a/[a-z]*/**"]),
        (["services/a/**", "go.mod"], ["services/**"]),
        (["*.md"], ["docs/**"]),
        (["docs"], ["*.md"]),
        (["**"], ["*.md"]),
        (["services/a/**"], ["**", "!*.go"]),
        (["services/a/**"], ["*", "!go.mod"]),
        (["services/a/**"], ["**", "!src/"]),
        (["services/a/**"], ["services/**", "!services/*/src/**"]),
        (["services/a/**"], ["services/a/*/"]),
        (["services/a/**"], ["services/*/*/**"]),
        (["**"], ["/*/"]),
        (["**/*.go"], ["*/**"]),
        (["Dockerfile"], ["/Dockerfile", "/*/Dockerfile"]),
        (["*.[ch]"], ["*.c"]),
        (["api/v[12]/**"], ["**/v1/**"]),
        (["services/[a-z]*/**"], ["services/a*/**"]),
        (["services/a/**"], ["services/*/[!A-Z]*"]),
    ],
)
def test_ignore_that_leaves_something_is_taken(paths: list[str], ignore: list[str]) -> None:
    assert parse(a_file(paths, ignore=ignore))


def test_several_services_are_told_in_one_sentence() -> None:
    _, message = told(a_file(*([f"services/{name}/**"] for name in "abcde"), ignore=["services/**"]))

    assert message.startswith(
        "`ignore` takes away all of `services.s0.paths`, `services.s1.paths`, `services.s2.paths` and 2 more:"
    )


def test_what_is_shared_and_ignored_is_told() -> None:
    assert told(a_file(["a/**"], ignore=["libs/**", "*.md"], shared=["libs/go/**"])) == (
        2,
        "`ignore` takes away all of `shared`: no change there would ever count; name less here, or take a "
        "path back with !",
    )


@pytest.mark.parametrize(
    "paths", [["a/**", "!a/**"], ["a/b/**", "!a"], ["a/*.go", "!*.go"], ["a", "b/**", "!**"], ["/a/", "!/a/"]]
)
def test_a_service_that_takes_away_all_that_it_names_is_told(paths: list[str]) -> None:
    line, message = told(a_file(["other"], paths))

    assert line == 5
    assert message == (
        "`paths` takes away, with !, all that it names; remove the patterns with !, or name more before them"
    )


@pytest.mark.parametrize(
    "paths",
    [
        ["a/**", "!a/b/**"],
        ["a/**", "!a/**", "a/b"],
        ["**", "!*.md"],
        ["a", "!a/b"],
        ["a/", "!/a/"],
        ["**", "!*/**"],
        ["a/**", "!a/*/**"],
        ["src/*.[jt]s", "!*.js"],
    ],
)
def test_a_service_that_leaves_something_is_taken(paths: list[str]) -> None:
    assert parse(a_file(paths))


def test_no_more_is_tried_than_a_pass_has_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    original = Patterns.services_of

    def counted(patterns: Patterns, path: str) -> frozenset[int]:
        tried.append(path)
        return original(patterns, path)

    monkeypatch.setattr(Patterns, "services_of", counted)
    services = [[f"{at}/" + "ab" * 140] for at in range(200)]
    found = emptied(Patterns(services, (), ["**"]), services, (), ["**"])

    assert found.by_ignored
    assert sum(map(len, tried)) < 100_000


_PART = st.sampled_from(["a", "b", "*", "**", "?", "*.md", "x.md", "[ab]", "[!a]", "[slug]"])
_PATTERN = st.lists(_PART, min_size=1, max_size=3).map("/".join)
_SIGNED = st.builds("{}{}".format, st.sampled_from(["", "!"]), _PATTERN)
_PATTERNS = st.builds(lambda first, rest: [first, *rest], _PATTERN, st.lists(_SIGNED, max_size=2))
_PATH = st.lists(st.sampled_from(["a", "b", "x.md", "slug", "c", "qzx"]), min_size=1, max_size=4).map(
    "/".join
)


@given(_PATTERNS, st.one_of(st.just([]), _PATTERNS), _PATH)
def test_no_wildcard_that_leaves_a_path_is_said_to_leave_none(
    paths: list[str], ignored: list[str], path: str
) -> None:
    """But for sets: of these, nobody can make up the one name that two of them leave.

    And of `a/**` not `a` itself, which counts where it is a submodule.
    """
    away = [*(each for each in paths if each.startswith("!")), *ignored]
    written = Patterns([[each for each in paths if not each.startswith("!")]])
    if any("[" in pattern for pattern in away) or 0 not in written.services_of(path):
        return
    counted = Patterns([effective(paths)], (), effective(ignored))
    by_own, by_ignored = emptied(counted, [paths], (), ignored)

    assert not (0 in (*by_own, *by_ignored) and 0 in counted.services_of(path)), path
