"""Which services a list of changed files touches."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api.github import ChangedFile, ChangedFiles
from previewbot.config.repository import RepositoryConfig, ServiceConfig, TargetPath
from previewbot.rules.changes import match


def config(**services: list[str]) -> RepositoryConfig:
    return RepositoryConfig(
        version=1,
        entry=None,
        services=tuple(
            ServiceConfig(
                name=name,
                paths=tuple(paths),
                target=TargetPath("deployment", name),
                namespace="staging",
                image="ghcr.io/acme/x:{head_sha}",
                ports=(8080,),
            )
            for name, paths in services.items()
        ),
    )


def files(*paths: str, complete: bool = True) -> ChangedFiles:
    return ChangedFiles(tuple(ChangedFile(path) for path in paths), complete)


@pytest.mark.parametrize(
    ("patterns", "path", "matches"),
    [
        (["services/checkout/**"], "services/checkout/app.py", True),
        (["services/checkout/**"], "services/checkout/a/b/c.py", True),
        (["services/checkout/**"], "services/checkout2/app.py", False),
        (["services/checkout/**"], "old/services/checkout/app.py", False),
        (["services/checkout"], "services/checkout/app.py", True),
        (["/go.mod"], "go.mod", True),
        (["/go.mod"], "tools/go.mod", False),
        (["go.mod"], "tools/go.mod", True),
        (["*.py"], "a/b.py", True),
        (["services/*/app.py"], "services/web/app.py", True),
        (["services/*/app.py"], "services/web/x/app.py", False),
        (["web/**", "!web/docs/**"], "web/docs/a.md", False),
        (["web/**", "!web/docs/**"], "web/a.md", True),
        (["web/**", "!web/docs/**", "web/docs/live/**"], "web/docs/live/a.md", True),
        (["web/**"], "Web/a", False),
        (["web/**"], "web/with space/ä.txt", True),
        (["web/[ab].txt"], "web/a.txt", True),
        (["**"], "anything", True),
    ],
)
def test_patterns_mean_what_they_mean_in_gitignore(patterns: list[str], path: str, matches: bool) -> None:
    assert ({"web": 1} if matches else {}) == match(config(web=patterns), files(path))


def test_files_are_counted_for_every_service_they_match() -> None:
    repository = config(web=["web/**", "libs/**"], pricing=["pricing/**", "libs/**"], docs=["docs/**"])

    assert match(repository, files("web/a", "web/b", "libs/c", "README.md")) == {"web": 3, "pricing": 1}


def test_services_come_in_the_order_of_the_file() -> None:
    assert list(match(config(zebra=["**"], apple=["**"]), files("x"))) == ["zebra", "apple"]


def test_a_renamed_file_counts_on_both_sides_and_once_within_one() -> None:
    repository = config(web=["web/**"], pricing=["pricing/**"])
    moved = ChangedFiles((ChangedFile("web/a", "pricing/a"), ChangedFile("web/b", "web/c")))

    assert match(repository, moved) == {"web": 2, "pricing": 1}


def test_a_list_that_was_cut_off_changes_every_service() -> None:
    repository = config(web=["web/**"], pricing=["pricing/**"])

    assert match(repository, files("web/a", "web/b", complete=False)) == {"web": 2, "pricing": 1}


def test_no_files_change_nothing() -> None:
    assert match(config(web=["**"]), files()) == {}


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("**/a/**/*_*.py", "a/" * 200 + "_" * 250),
        ("*_*_*.py", "_" * 4000),
        ("**/a/**/b.py", "a/" * 2000),
        ("src/**/*-*-*.ts", "src/" + "a/" * 100 + "-" * 245),
    ],
)
def test_no_path_that_somebody_thinks_up_takes_long(pattern: str, path: str) -> None:
    """A backtracking matcher takes minutes for each of these."""
    started = time.process_time()

    assert match(config(web=[pattern]), files(*(f"{path}{number}" for number in range(3_000)))) == {}

    assert time.process_time() - started < 30


def test_many_files_are_matched_in_time() -> None:
    repository = config(**{f"s{number}": [f"services/s{number}/**", "**/*a*b*c"] for number in range(20)})
    started = time.process_time()

    match(repository, files(*(f"services/s{number % 25}/" + "a" * 80 for number in range(3_000))))

    assert time.process_time() - started < 30


_path = st.lists(st.text(st.sampled_from("ab._ "), min_size=1, max_size=4), min_size=1, max_size=4).map(
    "/".join
)


@given(st.lists(_path))
def test_two_stars_match_every_file(paths: list[str]) -> None:
    expected = {"all": len(paths)} if paths else {}

    assert expected == match(config(all=["**"]), files(*paths))


@given(st.lists(_path), st.lists(_path))
def test_counts_of_separate_lists_add_up(some: list[str], more: list[str]) -> None:
    repository = config(one=["a*"], two=["b/**", "!b/a"])
    parts = [match(repository, files(*part)) for part in (some, more)]
    whole = match(repository, files(*some, *more))

    for name in ("one", "two"):
        assert sum(part.get(name, 0) for part in parts) == whole.get(name, 0)
