"""Which services a list of changed files touches."""

from __future__ import annotations

import asyncio
import time
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec
from pathspec._backends.simple.gitignore import SimpleGiBackend

from previewbot.api.github import ChangedFile, ChangedFiles
from previewbot.config.repository import Patterns, RepositoryConfig, ServiceConfig, TargetPath
from previewbot.reconciler.gather.configuration import matched
from previewbot.rules.changes import MOST_BYTES, bounded, compare, portions


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
    assert ({"web": 1} if matches else {}) == compare(config(web=patterns), files(path)).files


def test_files_are_counted_for_every_service_they_match() -> None:
    repository = config(web=["web/**", "libs/**"], pricing=["pricing/**", "libs/**"], docs=["docs/**"])

    assert compare(repository, files("web/a", "web/b", "libs/c", "README.md")).files == {
        "web": 3,
        "pricing": 1,
    }


def test_services_come_in_the_order_of_the_file() -> None:
    assert list(compare(config(zebra=["**"], apple=["**"]), files("x")).files) == ["zebra", "apple"]


def test_a_renamed_file_counts_on_both_sides_and_once_within_one() -> None:
    repository = config(web=["web/**"], pricing=["pricing/**"])
    moved = ChangedFiles((ChangedFile("web/a", "pricing/a"), ChangedFile("web/b", "web/c")))

    assert compare(repository, moved).files == {"web": 2, "pricing": 1}


def test_a_list_that_was_cut_off_changes_every_service() -> None:
    repository = config(web=["web/**"], pricing=["pricing/**"])

    assert compare(repository, files("web/a", "web/b", complete=False)).files == {"web": 2, "pricing": 1}


def test_no_files_change_nothing() -> None:
    assert compare(config(web=["**"]), files()).files == {}


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

    assert compare(config(web=[pattern]), files(*(f"{path}{number}" for number in range(3_000)))).files == {}

    assert time.process_time() - started < 30


def test_many_files_are_matched_in_time() -> None:
    repository = config(**{f"s{number}": [f"services/s{number}/**", "**/*a*b*c"] for number in range(20)})
    started = time.process_time()

    compare(repository, files(*(f"services/s{number % 25}/" + "a" * 80 for number in range(3_000))))

    assert time.process_time() - started < 30


_path = st.lists(st.text(st.sampled_from("ab._ "), min_size=1, max_size=4), min_size=1, max_size=4).map(
    "/".join
)


@given(st.lists(_path))
def test_two_stars_match_every_file(paths: list[str]) -> None:
    expected = {"all": len(paths)} if paths else {}

    assert expected == compare(config(all=["**"]), files(*paths)).files


@given(st.lists(_path), st.lists(_path))
def test_counts_of_separate_lists_add_up(some: list[str], more: list[str]) -> None:
    repository = config(one=["a*"], two=["b/**", "!b/a"])
    parts = [compare(repository, files(*part)).files for part in (some, more)]
    whole = compare(repository, files(*some, *more)).files

    for name in ("one", "two"):
        assert sum(part.get(name, 0) for part in parts) == whole.get(name, 0)


# All services at once

_piece = st.sampled_from(["a", "b", "ab", "*", "**", "a*", "*.b", "?", "[ab]", "[!a]b", "\\\\*"])
_pattern = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "/"]),
    st.lists(_piece, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "/", "/**"]),
)
_name = st.sampled_from(["a", "b", "ab", "a.b", "bb", "*", "ä"])


def by_pathspec(patterns: list[str], path: str) -> bool:
    """Return what pathspec says of one service.

    Its own shortcuts (RE2's matches as they come, or from the last pattern to the first) differ where a
    folder is named after it was taken away, so it is asked pattern after pattern.
    """
    spec = GitIgnoreSpec.from_lines(
        patterns, _test_backend_factory=lambda read: SimpleGiBackend(cast(Any, read), no_reverse=True)
    )
    return spec.match_file(path)


@given(
    st.lists(st.lists(_pattern, min_size=1, max_size=5), min_size=1, max_size=4),
    st.lists(st.lists(_name, min_size=1, max_size=4).map("/".join), min_size=1, max_size=8),
)
def test_each_service_among_others_is_matched_as_it_would_be_alone(
    services: list[list[str]], paths: list[str]
) -> None:
    patterns = Patterns(services)

    for path in paths:
        alone = {at for at, one in enumerate(services) if by_pathspec(one, path)}
        assert alone == patterns.services_of(path), path


def test_a_file_that_was_named_itself_stays_when_its_folder_is_taken_away() -> None:
    assert compare(config(web=["docs/a.md", "!docs/"]), files("docs/a.md", "docs/b.md")).files == {"web": 1}


def test_a_path_is_read_once_for_all_services_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = Patterns.services_of

    def counted(patterns: Patterns, path: str) -> frozenset[int]:
        asked.append(path)
        return original(patterns, path)

    monkeypatch.setattr(Patterns, "services_of", counted)
    repository = config(**{f"s{number}": [f"services/s{number}/**"] for number in range(300)})

    assert compare(repository, files("services/s1/a", "services/s2/a", "README.md")).files == {
        "s1": 1,
        "s2": 1,
    }
    assert asked == ["services/s1/a", "services/s2/a", "README.md"]


# Very many files


def test_paths_are_matched_in_portions_of_a_kilobyte_or_of_one_path() -> None:
    paths = [*["a" * 100] * 25, "ä" * 500, "b", "c" * 4_000, "d"]

    found = list(portions(files(*paths)))

    assert [path for portion in found for path in portion] == paths
    assert [len(portion) for portion in found] == [10, 10, 5, 2, 1, 1]


def test_the_two_names_of_a_renamed_file_may_be_in_two_portions() -> None:
    renamed = ChangedFiles((ChangedFile("a" * 4_000, "b" * 4_000),))

    assert [len(portion) for portion in portions(renamed)] == [1, 1]


def test_of_more_than_half_a_megabyte_of_paths_the_rest_is_as_if_github_had_cut_it() -> None:
    renamed = ChangedFiles(tuple(ChangedFile("a" * 4_000, "b" * 4_000) for _ in range(3_000)))

    cut = bounded(renamed)

    assert cut == ChangedFiles(renamed.files[: MOST_BYTES // 8_000], complete=False)
    assert compare(config(web=["web/**"]), cut).files == {"web": 1}


@pytest.mark.parametrize("complete", [True, False])
def test_three_thousand_paths_as_people_have_them_are_all_looked_at(complete: bool) -> None:
    changed = files(*(f"{'a' * 160}/{number}" for number in range(3_000)), complete=complete)

    assert bounded(changed) is changed


async def test_others_have_their_turn_after_every_portion() -> None:
    changed = files(*("web/" + "a" * 1_020 for _ in range(50)))
    matching = asyncio.ensure_future(matched(config(web=["web/**"]), changed))
    turns = 0

    while not matching.done():
        await asyncio.sleep(0)
        turns += 1

    assert matching.result().files == {"web": 50}
    assert turns >= 50
