"""What is remembered of repositories' files has an end, whatever they hold and whoever pushes how often."""

from __future__ import annotations

from previewbot.api.github import TreeEntry
from previewbot.reconciler.files_memory import FilesMemory
from previewbot.reconciler.memory import Configurations, ReadConfiguration
from tests.support.observations import BOUNDS

SHOP = "acme/shop"


def tree(entries: int) -> dict[str, TreeEntry]:
    return {f"{number}.sql": TreeEntry("100644", "0" * 40, 1) for number in range(entries)}


def test_folders_have_no_more_than_a_hundred_thousand_entries_together() -> None:
    memory, large = FilesMemory(), tree(2_000)
    for number in range(60):
        memory.keep_tree(SHOP, f"{number}", large, whole=False)

    kept = [number for number in range(60) if memory.tree(SHOP, f"{number}", whole=False) is not None]
    assert kept == [*range(10, 60)]


def test_small_folders_are_counted_and_a_very_large_one_is_not_kept() -> None:
    memory, small = FilesMemory(), tree(1)
    for number in range(501):
        memory.keep_tree(SHOP, f"{number}", small, whole=False)
    memory.keep_tree(SHOP, "large", tree(2_001), whole=False)

    assert [memory.tree(SHOP, sha, whole=False) for sha in ("0", "1", "500")] == [None, small, small]
    assert memory.tree(SHOP, "large", whole=False) is None
    assert memory.tree(SHOP, "1", whole=True) is None


def test_of_many_folders_and_commits_those_that_were_asked_for_last_stay() -> None:
    configurations, read = Configurations(), ReadConfiguration()
    memory = configurations.files
    for number in range(1_000):
        memory.keep_tree(SHOP, f"{number}", tree(1), whole=False)
        configurations.remember_commit(SHOP, f"{number}", BOUNDS, "blob", read)
        assert memory.tree(SHOP, "0", whole=False) is not None
        assert configurations.of_commit(SHOP, "0", BOUNDS) == ("blob", read)

    assert memory.tree(SHOP, "1", whole=False) is None
    assert configurations.of_commit(SHOP, "1", BOUNDS) is None


def test_contents_are_no_more_than_32_mib_and_what_was_asked_for_last_stays() -> None:
    memory, half = FilesMemory(), b" " * (16 * 1024 * 1024)
    memory.keep_blob(SHOP, "first", half)
    memory.keep_blob(SHOP, "second", half)
    assert memory.blob(SHOP, "first") == half
    # The same once more takes no more room.
    memory.keep_blob(SHOP, "first", half)
    memory.keep_blob(SHOP, "third", b"x")

    found = [memory.blob(SHOP, sha) is not None for sha in ("first", "second", "third")]
    assert found == [True, False, True]
