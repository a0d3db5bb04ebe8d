"""What was read of the files that configurations name: by git's names of them, which never change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from previewbot.api.github import FileContent, TreeEntry
from previewbot.reconciler.bounded import keep, look_up

Names = frozenset[tuple[str, str]]
"""What files hold, by their paths: git's name of it, or why there is none to read."""

_BYTES_KEPT = 32 * 1024 * 1024
"""Of files' contents, in all repositories together."""
_FOLDERS_KEPT = 500
_LARGEST_FOLDER = 2_000
"""Entries of a folder that is kept: one that has more is read again for each commit of the base branch."""
_ENTRIES_KEPT = 100_000
"""Of all folders together, some 30 MB: each push of a repository makes its uppermost one anew."""
_COMMITS_KEPT = 200

Tree = Mapping[str, TreeEntry]


class FilesMemory:
    """Folders and contents of files, and the configuration of a commit; each by its repository as well.

    Whose a content is matters: what one repository holds must not be known because another has its name.
    """

    def __init__(self) -> None:
        self._trees: OrderedDict[tuple[str, str, bool], Tree] = OrderedDict()
        self._blobs: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._configurations: OrderedDict[tuple[str, str], FileContent | None] = OrderedDict()
        self._bytes = 0

    def tree(self, repository: str, sha: str, *, whole: bool) -> Tree | None:
        """Return what is in a folder; None if it is not known (any more)."""
        return look_up(self._trees, (repository, sha, whole))

    def keep_tree(self, repository: str, sha: str, tree: Tree, *, whole: bool) -> None:
        """Note what is in a folder."""
        if len(tree) <= _LARGEST_FOLDER:
            keep(self._trees, (repository, sha, whole), tree, _FOLDERS_KEPT)
        while sum(map(len, self._trees.values())) > _ENTRIES_KEPT:
            self._trees.popitem(last=False)

    def blob(self, repository: str, sha: str) -> bytes | None:
        """Return what a file holds; None if it is not known (any more)."""
        return look_up(self._blobs, (repository, sha))

    def keep_blob(self, repository: str, sha: str, content: bytes) -> None:
        """Note what a file holds."""
        self._bytes += len(content) - len(self._blobs.pop((repository, sha), b""))
        self._blobs[repository, sha] = content
        while self._bytes > _BYTES_KEPT:
            self._bytes -= len(self._blobs.popitem(last=False)[1])

    def knows_configuration(self, repository: str, commit: str) -> bool:
        """Return whether the configuration of a commit is known."""
        return (repository, commit) in self._configurations

    def configuration(self, repository: str, commit: str) -> FileContent | None:
        """Return the configuration of a commit that is known; None: it has none."""
        return self._configurations[repository, commit]

    def keep_configuration(self, repository: str, commit: str, file: FileContent | None) -> None:
        """Note the configuration of a commit."""
        keep(self._configurations, (repository, commit), file, _COMMITS_KEPT)
