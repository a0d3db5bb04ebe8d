"""Files that a configuration names, read from a folder: what is read of it, and what never is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from previewbot.cli.repository_folder import root_of, with_files
from previewbot.config.mirrord.files import (
    MAX_BYTES,
    MOST_FILES,
    MOST_FOLDERS,
    File,
    Files,
    FilesWanted,
    NoFile,
)
from previewbot.errors import ConfigurationError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository's folder, with somebody else's file beside it."""
    (tmp_path / "secret").write_bytes(b"of somebody else")
    made = tmp_path / "shop"
    for path, content in {
        ".github/preview.yaml": b"version: 1\n",
        ".mirrord/mirrord.json": b"{}",
        ".mirrord/large": b" " * (MAX_BYTES + 1),
        ".mirrord/just": b" " * MAX_BYTES,
        "db/V1.sql": b"one",
        "db/more/V2.sql": b"two",
        ".git/HEAD": b"ref",
    }.items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_bytes(content)
    (made / ".mirrord/outside").symlink_to(tmp_path / "secret")
    (made / ".mirrord/inside").symlink_to("mirrord.json")
    (made / "linked").symlink_to(".mirrord")
    (made / "db/linked").symlink_to("../.mirrord")
    os.mkfifo(made / "pipe")
    return made


def read(root: Path, *paths: str, folders: tuple[str, ...] = ()) -> Files:
    """Return the files as a configuration sees them that names these."""

    def reading(files: Files) -> Files:
        for path in paths:
            files.read(path)
        for folder in folders:
            files.folder(folder)
        files.raise_wanted()
        return files

    return with_files(root / ".github" / "preview.yaml", reading)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".mirrord/mirrord.json", b"{}"),
        (".mirrord/just", b" " * MAX_BYTES),
        (".mirrord/large", NoFile.TOO_LARGE),
        (".mirrord/outside", NoFile.LINK),
        (".mirrord/inside", NoFile.LINK),
        ("linked/mirrord.json", NoFile.LINK),
        ("linked", NoFile.LINK),
        (".mirrord", NoFile.FOLDER),
        ("pipe", NoFile.MISSING),
        ("none", NoFile.MISSING),
        ("none/mirrord.json", NoFile.MISSING),
        (".mirrord/mirrord.json/x", NoFile.MISSING),
    ],
)
def test_a_file_is_read_if_it_is_one(root: Path, path: str, found: File) -> None:
    assert read(root, path).read(path) == found


def test_a_folder_has_all_files_below_it_and_no_link_is_followed(root: Path) -> None:
    found = read(root, folders=("db", "linked", "none", ".mirrord/mirrord.json"))

    assert found.folder("db") == {"V1.sql": b"one", "more/V2.sql": b"two", "linked": NoFile.LINK}
    assert [found.folder(f) for f in ("linked", "none", ".mirrord/mirrord.json")] == [{}, {}, {}]


def test_gits_own_folder_is_no_part_of_the_repository(root: Path) -> None:
    assert not any(name.startswith(".git/") for name in read(root, folders=("",)).folder("") or ())


@pytest.mark.parametrize(
    ("path", "of"),
    [
        ("shop/.github/preview.yaml", "shop"),
        ("shop/preview.yaml", "shop"),
        ("shop/drafts/preview.yaml", "shop/drafts"),
    ],
)
def test_the_root_is_above_the_folder_of_github_or_where_the_file_lies(
    tmp_path: Path, path: str, of: str
) -> None:
    assert root_of(tmp_path / path) == tmp_path / of


def test_the_root_is_found_from_within_the_folder_of_github(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root / ".github")

    assert root_of(Path("preview.yaml")) == root


@pytest.mark.parametrize(
    ("count", "size", "words"),
    [(MOST_FILES + 1, 0, "more than 300 files"), (17, MAX_BYTES, "more than 1 MiB")],
)
def test_too_much_is_refused(root: Path, count: int, size: int, words: str) -> None:
    (root / "many").mkdir()
    for number in range(count):
        (root / "many" / str(number)).write_bytes(b" " * size)

    with pytest.raises(ConfigurationError, match=words):
        read(root, folders=("many",))


def test_names_in_too_many_folders_are_refused_as_in_a_pull_request(root: Path) -> None:
    with pytest.raises(ConfigurationError, match="too many folders; put them into fewer"):
        read(root, *(f"{number}/settings.txt" for number in range(MOST_FOLDERS + 1)))


def test_a_configuration_that_never_has_enough_is_given_up(root: Path) -> None:
    def reading(files: Files) -> None:
        raise FilesWanted(frozenset({f"file-{len(files.known)}"}))

    with pytest.raises(ConfigurationError, match="ever more files"):
        with_files(root / "preview.yaml", reading)
