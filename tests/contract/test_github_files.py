"""Files that a configuration names, read at one commit: what that costs, and what is no file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest

from previewbot.config.mirrord.files import MAX_BYTES, MOST_FILES, MOST_FOLDERS, FilesWanted, NoFile
from previewbot.errors import Invalid
from previewbot.reconciler.files_memory import FilesMemory
from previewbot.reconciler.gather.repository_files import FilesAt
from previewbot_demo.github.trees import Link, Submodule, blob_sha
from tests.support.github_script import PREFIX
from tests.support.github_town import ALICE, REPO, Town, github_town

SHOP = "acme/shop"
FILES: Mapping[str, bytes] = {
    "README.md": b"# Shop\n",
    ".github/preview.yaml": b"version: 1\n",
    ".mirrord/mirrord.json": b"{}",
    ".mirrord/binary": b"\x89PNG\xff\x00",
    ".mirrord/linked.json": Link(b"mirrord.json"),
    ".mirrord/large.json": b" " * (MAX_BYTES + 1),
    ".mirrord/just.json": b" " * MAX_BYTES,
    "linked": Link(b".mirrord"),
    "vendor": Submodule(b"0" * 40),
    "db/migrations/V1__orders.sql": b"create table orders (id int);\n",
    "db/migrations/more/V2__users.sql": b"create table users (id int);\n",
    "db/migrations/up": Link(b"../up.sql"),
}


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town(FILES) as built:
        yield built


async def read(
    town: Town, memory: FilesMemory, *paths: str, folders: tuple[str, ...] = (), commit: str = ""
) -> FilesAt:
    at = FilesAt(memory, town.client, SHOP, commit or await town.client.tip(SHOP, "main"))
    await at.fetch(FilesWanted(frozenset(paths), frozenset(folders)))
    return at


def asked(town: Town) -> list[str]:
    """Return what was asked of GitHub since the last time, below the repository."""
    made = [each.path.removeprefix(f"{PREFIX}/repos/{SHOP}/") for each in town.script.asked]
    town.script.asked.clear()
    return [path for path in made if "access_tokens" not in path]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".mirrord/mirrord.json", b"{}"),
        (".mirrord/binary", b"\x89PNG\xff\x00"),
        (".mirrord/just.json", b" " * MAX_BYTES),
        (".mirrord/large.json", NoFile.TOO_LARGE),
        (".mirrord/linked.json", NoFile.LINK),
        ("linked/mirrord.json", NoFile.LINK),
        ("linked", NoFile.LINK),
        (".mirrord", NoFile.FOLDER),
        ("vendor", NoFile.FOLDER),
        ("vendor/mirrord.json", NoFile.MISSING),
        ("README.md/mirrord.json", NoFile.MISSING),
        (".mirrord/Mirrord.json", NoFile.MISSING),
        ("none/mirrord.json", NoFile.MISSING),
    ],
)
async def test_a_file_is_what_git_calls_one(town: Town, path: str, found: bytes | NoFile) -> None:
    at = await read(town, FilesMemory(), path)

    assert at.files().read(path) == found


async def test_a_folder_has_all_files_below_it_and_no_link_is_followed(town: Town) -> None:
    files = (await read(town, FilesMemory(), folders=("db/migrations",))).files()

    assert files.folder("db/migrations") == {
        "V1__orders.sql": b"create table orders (id int);\n",
        "more/V2__users.sql": b"create table users (id int);\n",
        "up": NoFile.LINK,
    }


@pytest.mark.parametrize("folder", ["none", "README.md", "linked", "vendor"])
async def test_what_is_no_folder_has_no_files(town: Town, folder: str) -> None:
    files = (await read(town, FilesMemory(), folders=(folder,))).files()

    assert files.folder(folder) == {}


async def test_files_are_of_the_commit_although_somebody_pushes_meanwhile(town: Town) -> None:
    commit = await town.client.tip(SHOP, "main")
    town.github.commit("main", {".mirrord/mirrord.json": b'{"key": "later"}'}, "Later", ALICE)

    at = await read(town, FilesMemory(), ".mirrord/mirrord.json", commit=commit)

    assert at.files().read(".mirrord/mirrord.json") == b"{}"


async def test_what_was_read_costs_nothing_until_a_push_and_then_what_that_changed(town: Town) -> None:
    memory, wanted = FilesMemory(), (".mirrord/mirrord.json", ".mirrord/binary")
    commit = await town.client.tip(SHOP, "main")
    asked(town)

    first = await read(town, memory, *wanted, folders=("db/migrations",), commit=commit)
    begun = asked(town)
    again = await read(town, memory, *wanted, folders=("db/migrations",), commit=commit)
    kept = asked(town)
    pushed = town.github.commit("main", {".mirrord/mirrord.json": b'{"key": "x"}'}, "Change", ALICE)
    await read(town, memory, *wanted, folders=("db/migrations",), commit=pushed)
    changed = asked(town)

    assert [path.split("/")[1] for path in begun] == ["trees"] * 4 + ["blobs"] * 4
    assert kept == []
    assert again.names == first.names
    assert [path.split("/")[1] for path in changed] == ["trees", "trees", "blobs"]


async def test_what_one_repository_holds_is_not_known_of_another(town: Town) -> None:
    memory, path = FilesMemory(), ".mirrord/mirrord.json"
    commit, sha = await town.client.tip(SHOP, "main"), blob_sha(FILES[path])
    await read(town, memory, path)

    assert (memory.blob(SHOP, sha), memory.blob("acme/other", sha)) == (FILES[path], None)
    assert memory.tree("acme/other", commit, whole=False) is None


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({f"db/many/{n}.sql": b"" for n in range(MOST_FILES + 1)}, "more than 300 files"),
        ({f"db/many/{n}.sql": b" " * MAX_BYTES for n in range(17)}, "more than 1 MiB"),
    ],
)
async def test_too_much_is_refused_before_any_of_it_is_read(
    town: Town, files: Mapping[str, bytes], words: str
) -> None:
    town.github.commit("main", files, "Many", ALICE)
    with pytest.raises(Invalid, match=words):
        await read(town, FilesMemory(), folders=("db/many",))

    assert not any("blobs" in path for path in asked(town))


async def test_behind_a_folder_with_too_many_files_no_other_is_read(town: Town) -> None:
    many = {f"db/{name}/{n}": Link(b"up") for name in "ab" for n in range(MOST_FILES + 1)}
    town.github.commit("main", many | {"db/b/more": b""}, "Many", ALICE)
    commit = await town.client.tip(SHOP, "main")
    asked(town)
    with pytest.raises(Invalid, match="more than 300 files"):
        await read(town, FilesMemory(), folders=("db/a", "db/b"), commit=commit)

    # The root, `db`, and all that is below `db/a`.
    assert len(asked(town)) == 3


async def test_a_folder_of_which_github_shows_a_part_is_no_folder(town: Town) -> None:
    commit = await town.client.tip(SHOP, "main")
    town.script.on("GET", f"{REPO}/git/trees/{commit}", {"sha": commit, "tree": [], "truncated": True})

    with pytest.raises(Invalid, match="more files than GitHub lists"):
        await read(town, FilesMemory(), "README.md")


async def test_names_in_too_many_folders_are_refused_before_anything_is_asked(town: Town) -> None:
    asked(town)
    with pytest.raises(Invalid, match="too many folders; put them into fewer"):
        await read(town, FilesMemory(), *(f"{n}/settings.txt" for n in range(MOST_FOLDERS + 1)), commit="0")
    with pytest.raises(Invalid, match="too many folders"):
        await read(town, FilesMemory(), "a/" * (MOST_FOLDERS + 1) + "settings.txt", commit="0")

    assert asked(town) == []


async def test_a_folder_too_large_to_be_remembered_is_read_once_for_all_that_is_in_it(town: Town) -> None:
    paths = [f"many/{n}" for n in range(2_001)]
    town.github.commit("main", dict.fromkeys(paths, b""), "Many", ALICE)
    commit = await town.client.tip(SHOP, "main")
    asked(town)
    await read(town, FilesMemory(), *paths[:20], commit=commit)

    assert [path.split("/")[1] for path in asked(town)] == ["trees", "trees", "blobs"]
