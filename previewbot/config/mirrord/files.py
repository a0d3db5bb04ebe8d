"""Files of the repository that a configuration names: known beforehand, so that reading asks nobody.

Whoever reads a configuration gives what is known. What is not known yet is collected, and raised in the end
as `FilesWanted`: the caller fetches it, from GitHub or from a folder, and reads once more. A configuration
names files, and a mirrord file names more: so two rounds are enough, and a caller bounds them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum

MAX_BYTES = 64 * 1024
"""Of each file."""
MAX_BYTES_IN_ALL = 1024 * 1024
"""Of all files that one configuration names."""
MOST_FILES = 300
"""So many files one configuration may name, also by the folders that they are in: each is a request to GitHub
when it is read for the first time."""
MOST_FOLDERS = 400
"""In so many folders they may be looked for: a folder is a request to GitHub as well, also where no file is
in it. Each name is looked for in two places, beside the mirrord file and from the root."""
ROUNDS = 5
"""How often a configuration is read until all files are known: those that it names, those that a mirrord file
names, and these at the root where there is none beside that file."""


NEVER_ALL = "the files that it names lead to ever more files"
"""What is wrong with a configuration of which not all files are known after so many rounds."""


class NoFile(Enum):
    """Why a file cannot be read."""

    MISSING = "missing"
    LINK = "link"
    FOLDER = "folder"
    TOO_LARGE = "too large"


File = bytes | NoFile
"""What a file holds, or why it cannot be read."""


class FilesWanted(Exception):
    """Files, or folders with all that is in them, that nobody has read yet, by their paths from the root."""

    def __init__(self, paths: frozenset[str], folders: frozenset[str] = frozenset()) -> None:
        super().__init__(", ".join(sorted(paths | folders)))
        self.paths = paths
        self.folders = folders


@dataclass
class Files:
    """What is known of the repository's files, by their paths from its root, and what was asked for in vain.

    A folder that was read has its path in `folders`, and its files in `known`.
    """

    known: Mapping[str, File] = field(default_factory=dict)
    folders: frozenset[str] = frozenset()
    wanted: set[str] = field(default_factory=set)
    wanted_folders: set[str] = field(default_factory=set)
    _texts: dict[str, str] = field(default_factory=dict)

    def one(self, text: str) -> str:
        """Return a text that equals this one: of a file that hundreds of services have there is one text."""
        return self._texts.setdefault(text, text)

    def read(self, path: str) -> File | None:
        """Return a file; None if it is not known yet, which is remembered for `raise_wanted`."""
        if path not in self.known:
            self.wanted.add(path)
        return self.known.get(path)

    def folder(self, path: str) -> Mapping[str, File] | None:
        """Return the files below a folder by their paths within it; None if it is not known yet."""
        if path not in self.folders:
            self.wanted_folders.add(path)
            return None
        start = f"{path}/" if path else ""
        return {name.removeprefix(start): file for name, file in self.known.items() if name.startswith(start)}

    def raise_wanted(self) -> None:
        """Raise FilesWanted if anything was asked for that is not known."""
        if self.wanted or self.wanted_folders:
            raise FilesWanted(frozenset(self.wanted), frozenset(self.wanted_folders))


def too_scattered(paths: Collection[str], folders: Collection[str]) -> str:
    """Return what to do where files and folders of these paths lie in too many folders; else empty."""
    parts = [path.split("/") for path in (*paths, *folders)]
    within = {"/".join(each[:end]) for each in parts for end in range(1, min(len(each), MOST_FOLDERS + 2))}
    if len(within | set(folders)) <= MOST_FOLDERS:
        return ""
    return "the files that it names would be looked for in too many folders; put them into fewer"


def too_many(count: int) -> str:
    """Return what to do about so many files; empty if that is not too many."""
    if count <= MOST_FILES:
        return ""
    return f"the files and folders that it names have more than {MOST_FILES} files together; name fewer"


def too_much(sizes: Collection[int]) -> str:
    """Return what is too much about files of these sizes in bytes, and what to do; empty if nothing is."""
    if words := too_many(len(sizes)):
        return words
    if sum(sizes) > MAX_BYTES_IN_ALL:
        most = f"{MAX_BYTES_IN_ALL // 1024**2} MiB"
        return f"the files that it names have more than {most} together; name fewer, or make them smaller"
    return ""
