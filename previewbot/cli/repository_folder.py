"""The files that a configuration names, read from the folder of its repository on this machine.

Nothing outside of that folder is read, and no link is followed: what counts in a pull request's preview is
what git has, and a link that leads elsewhere on this machine would be read here and refused there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from previewbot.config.mirrord.files import (
    MAX_BYTES,
    MOST_FILES,
    NEVER_ALL,
    ROUNDS,
    File,
    Files,
    FilesWanted,
    NoFile,
    too_many,
    too_much,
    too_scattered,
)
from previewbot.errors import ConfigurationError, Problem

_GITHUB = ".github"
_GIT = ".git"

T = TypeVar("T")


def root_of(path: Path) -> Path:
    """Return the repository's folder: above `.github`, or where a file lies that is somewhere else."""
    folder = path.absolute().parent
    return folder.parent if folder.name == _GITHUB else folder


def with_files(path: Path, read: Callable[[Files], T]) -> T:
    """Return what is read of a configuration at `path` once the files are known that it names.

    Raises ConfigurationError, also where these are too many or cannot be read.
    """
    root, found = root_of(path), _Found()
    for _ in range(ROUNDS):
        try:
            return read(Files(dict(found.known), frozenset(found.folders)))
        except FilesWanted as wanted:
            try:
                _fetch(root, wanted, found)
            except OSError as error:
                message = f"a file that it names cannot be read: {error.filename}: {error.strerror}"
                raise ConfigurationError(str(path), (Problem(0, message),)) from None
        contents = [file for file in found.known.values() if isinstance(file, bytes)]
        words = too_much([*map(len, contents)]) or ("" if found.complete else too_many(MOST_FILES + 1))
        words = words or too_scattered(found.asked, found.folders)
        if words:
            raise ConfigurationError(str(path), (Problem(0, words),))
    raise ConfigurationError(str(path), (Problem(0, NEVER_ALL),))


class _Found:
    """What was read; not `complete`: a folder has more files than may be named."""

    def __init__(self) -> None:
        self.known: dict[str, File] = {}
        self.asked: set[str] = set()
        self.folders: set[str] = set()
        self.complete = True


def _fetch(root: Path, wanted: FilesWanted, found: _Found) -> None:
    found.asked |= wanted.paths
    for path in sorted(wanted.paths):
        found.known[path] = _file(root, path)
    for folder in sorted(wanted.folders):
        found.folders.add(folder)
        for number, name in enumerate(_below(root, folder)):
            if number >= MOST_FILES:
                found.complete = False
                return
            found.known[name] = _file(root, name)


def _file(root: Path, path: str) -> File:
    """Return what a file holds, or why it cannot be read; raises OSError for one that may not be read."""
    *folders, name = path.split("/")
    with _opened(root, folders) as within:
        if isinstance(within, NoFile):
            return within
        try:
            about = os.stat(name, dir_fd=within, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return NoFile.MISSING
        if stat.S_ISLNK(about.st_mode):
            return NoFile.LINK
        if not stat.S_ISREG(about.st_mode):
            # A device or a pipe is nothing that git knows.
            return NoFile.FOLDER if stat.S_ISDIR(about.st_mode) else NoFile.MISSING
        if about.st_size > MAX_BYTES:
            return NoFile.TOO_LARGE
        # It may have become something else since: neither a link is followed nor a pipe waited for.
        number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=within)
        with os.fdopen(number, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    return content if len(content) <= MAX_BYTES else NoFile.TOO_LARGE


@contextmanager
def _opened(root: Path, folders: list[str]) -> Iterator[int | NoFile]:
    """Open a folder by its parts from the root, each only if it is no link."""
    at, problem = os.open(root, os.O_RDONLY | os.O_DIRECTORY), None
    try:
        for name in folders:
            problem = _no_folder(at, name)
            if problem is not None:
                break
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = inner
        yield problem or at
    finally:
        os.close(at)


def _no_folder(at: int, name: str) -> NoFile | None:
    try:
        mode = os.stat(name, dir_fd=at, follow_symlinks=False).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return NoFile.MISSING
    if stat.S_ISLNK(mode):
        return NoFile.LINK
    return None if stat.S_ISDIR(mode) else NoFile.MISSING


def _below(root: Path, folder: str) -> Iterator[str]:
    """Yield the paths of all that is below a folder and no folder itself, by their names."""
    start = [part for part in folder.split("/") if part]
    with _opened(root, start) as within:
        if isinstance(within, NoFile):
            return
        for below, folders, files, at in os.fwalk(dir_fd=within, follow_symlinks=False):
            # Sorted, so that what is too much is the same everywhere. Git's own folder is no part of it.
            folders[:] = sorted(name for name in folders if name != _GIT)
            links = [name for name in folders if _is_link(at, name)]
            parts = [*start, *(part for part in below.split(os.sep) if part not in ("", "."))]
            for name in sorted([*files, *links]):
                yield "/".join([*parts, name])


def _is_link(at: int, name: str) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode)
