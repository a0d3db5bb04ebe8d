"""As much of git as a pull request shows: trees of files, names made of contents, and differences.

A blob's name is git's own; those of trees and commits only have git's form.
"""

from __future__ import annotations

import difflib
import hashlib
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Tree = Mapping[str, bytes]
"""File contents by path."""


class Link(bytes):
    """A symbolic link, whose content is where it leads, from the folder that it is in."""


class Submodule(bytes):
    """Another repository's commit in the place of a folder; its content is that commit."""


@dataclass(frozen=True)
class Entry:
    """What a tree has under a path: git's mode and kind, the name of the object, and its bytes, if a file."""

    path: str
    mode: str
    kind: str
    sha: str
    size: int | None = None


_SIMILAR = 0.5


@dataclass(frozen=True)
class FileChange:
    """One changed file; `previous` is its former path if it was renamed, `patch` None if it is binary."""

    path: str
    status: str
    blob: str
    additions: int
    deletions: int
    patch: str | None
    previous: str | None = None


def blob_sha(content: bytes) -> str:
    """Return the name that git gives to a file's content (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects)."""
    return _sha1(b"blob %d\0" % len(content) + content)


def tree_sha(tree: Tree) -> str:
    """Return a name for a tree: the same for the same files."""
    named = (f"{path}\0{_mode(data)}\0{blob_sha(data)}\n" for path, data in sorted(tree.items()))
    return _sha1("".join(named).encode())


def subtree(tree: Tree, folder: str) -> Tree:
    """Return what is below a folder, by the paths within it; `""` is all."""
    start = f"{folder}/" if folder else ""
    return {path.removeprefix(start): data for path, data in tree.items() if path.startswith(start)}


def folders(tree: Tree) -> list[str]:
    """Return the paths of all folders, the uppermost (`""`) first."""
    found = {"": None}
    for path in tree:
        parts = path.split("/")[:-1]
        found |= {"/".join(parts[: end + 1]): None for end in range(len(parts))}
    return list(found)


def folder_named(tree: Tree, sha: str) -> Tree | None:
    """Return the folder that has this name, which may be all of the tree; None if none has."""
    below = (subtree(tree, folder) for folder in folders(tree))
    return next((found for found in below if tree_sha(found) == sha), None)


def file_named(tree: Tree, sha: str) -> bytes | None:
    """Return the content that has this name; None if none has."""
    return next((data for data in tree.values() if blob_sha(data) == sha), None)


def entries(tree: Tree, *, whole: bool) -> list[Entry]:
    """Return what is directly in a tree, or with `whole` all of it, as git lists it."""
    inner = {path: subtree(tree, path) for path in folders(tree) if path and (whole or "/" not in path)}
    found = [Entry(path, "040000", "tree", tree_sha(below)) for path, below in inner.items()]
    for path, data in tree.items():
        if not whole and "/" in path:
            continue
        if isinstance(data, Submodule):
            found.append(Entry(path, _mode(data), "commit", data.decode()))
        else:
            found.append(Entry(path, _mode(data), "blob", blob_sha(data), len(data)))
    return sorted(found, key=lambda entry: entry.path)


def followed(tree: Tree, path: str) -> bytes | None:
    """Return the file at a path, or that to which a link leads there; None if there is none."""
    data = tree.get(path)
    if isinstance(data, Link):
        data = tree.get(posixpath.normpath(posixpath.join(posixpath.dirname(path), data.decode())))
    return data


def _mode(data: bytes) -> str:
    """Return git's mode of a file (https://docs.github.com/en/rest/git/trees#create-a-tree)."""
    return "120000" if isinstance(data, Link) else "160000" if isinstance(data, Submodule) else "100644"


def commit_sha(tree: Tree, parents: Sequence[str], *words: object) -> str:
    """Return a name for a commit: another for other files, parents or words (message, author, time)."""
    return _sha1("\n".join([tree_sha(tree), *parents, *map(str, words)]).encode())


def apply(tree: Tree, changes: Mapping[str, bytes | None]) -> Tree:
    """Return the tree with files written, or (None) deleted."""
    merged = {**tree, **changes}
    return {path: data for path, data in sorted(merged.items()) if data is not None}


def changes(before: Tree, after: Tree) -> dict[str, bytes | None]:
    """Return what leads from one tree to another."""
    changed: dict[str, bytes | None] = {p: d for p, d in after.items() if before.get(p) != d}
    return changed | {path: None for path in before if path not in after}


def compare(before: Tree, after: Tree) -> list[FileChange]:
    """Return the changed files, by path; a file that moved with at least half of its lines is renamed."""
    removed = [path for path in before if path not in after]
    found = [
        _change(path, "modified", before[path], after[path])
        for path in after
        if _differs(path, before, after)
    ]
    for path in (path for path in after if path not in before):
        origin = _origin(after[path], removed, before)
        if origin is None:
            found.append(_change(path, "added", b"", after[path]))
        else:
            removed.remove(origin)
            found.append(_change(path, "renamed", before[origin], after[path], origin))
    found += [_change(path, "removed", before[path], b"") for path in removed]
    return sorted(found, key=lambda change: change.path)


def _differs(path: str, before: Tree, after: Tree) -> bool:
    return path in before and before[path] != after[path]


def _origin(content: bytes, candidates: Sequence[str], before: Tree) -> str | None:
    scored = [(_similarity(before[path], content), path) for path in candidates]
    score, path = max(scored, default=(0.0, ""))
    return path if score >= _SIMILAR else None


def _similarity(one: bytes, other: bytes) -> float:
    if one == other:
        return 1.0
    return difflib.SequenceMatcher(None, one.splitlines(), other.splitlines(), autojunk=False).ratio()


def _change(path: str, status: str, before: bytes, after: bytes, previous: str | None = None) -> FileChange:
    blob = blob_sha(before if status == "removed" else after)
    try:
        patch = _patch(before.decode(), after.decode())
    except UnicodeDecodeError:
        return FileChange(path, status, blob, 0, 0, None, previous)
    lines = patch.splitlines()
    return FileChange(
        path,
        status,
        blob,
        sum(line.startswith("+") for line in lines),
        sum(line.startswith("-") for line in lines),
        patch,
        previous,
    )


def _patch(before: str, after: str) -> str:
    """Return the hunks, without the two lines of file names, as GitHub shows them."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="")
    return "\n".join(list(lines)[2:])


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
