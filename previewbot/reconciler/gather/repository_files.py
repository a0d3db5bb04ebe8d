"""The files that a configuration names, read through GitHub's API at one commit.

A path is followed folder by folder, so that a link is seen as one. What was read of a folder or a content is
not read again: after a push it is what the push changed. What all of it came to is remembered for the commit
(`Configurations.of_commit`): while its base branch stays where it is, a look at a pull request costs one
conditional request more, which is free, however many files there are.
"""

from __future__ import annotations

from collections.abc import Mapping

from previewbot.api.github import FileContent, TreeEntry
from previewbot.clients.github import InstallationClient
from previewbot.config.mirrord.files import (
    MAX_BYTES,
    File,
    Files,
    FilesWanted,
    NoFile,
    too_many,
    too_much,
    too_scattered,
)
from previewbot.config.repository import PATH
from previewbot.errors import Invalid
from previewbot.reconciler.files_memory import FilesMemory, Names


class FilesAt:
    """The files of a repository at one commit, as far as they were asked for."""

    def __init__(self, memory: FilesMemory, client: InstallationClient, repository: str, commit: str) -> None:
        self._memory, self._git = memory, client.git
        self.repository, self.commit = repository, commit
        self._known: dict[str, File] = {}
        self._folders: set[str] = set()
        self._sizes: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._paths: set[str] = set()
        self._trees: dict[tuple[str, bool], Mapping[str, TreeEntry]] = {}
        """Folders that were read: one may be too large to be remembered beyond this, and have many files."""

    @property
    def names(self) -> Names:
        """What all files hold that were asked for."""
        return frozenset(self._names.items())

    def files(self) -> Files:
        """Return what is known by now, for one reading of the configuration."""
        return Files(dict(self._known), frozenset(self._folders))

    async def configuration(self) -> FileContent | None:
        """Return the configuration of this commit; raises Invalid if it is too large."""
        memory, repository, commit = self._memory, self.repository, self.commit
        if not memory.knows_configuration(repository, commit):
            memory.keep_configuration(repository, commit, await self._git.file(repository, PATH, commit))
        return memory.configuration(repository, commit)

    async def fetch(self, wanted: FilesWanted) -> None:
        """Read what is wanted; raises Invalid where that is too much."""
        # By the names alone, before anything is asked for: also for what is not there folders are read.
        self._paths |= wanted.paths
        if words := too_scattered(self._paths, self._folders | wanted.folders):
            raise Invalid(PATH, message=words)
        found: dict[str, TreeEntry | NoFile] = {}
        for path in sorted(wanted.paths):
            found[path] = await self._entry(path)
        for folder in sorted(wanted.folders):
            found |= await self._folder(folder)
        files = {path: entry for path, entry in found.items() if isinstance(entry, TreeEntry)}
        for path, entry in found.items():
            if isinstance(entry, NoFile):
                self._known[path], self._names[path] = entry, entry.value
        small = {path: entry for path, entry in files.items() if (entry.size or 0) <= MAX_BYTES}
        for path in files.keys() - small.keys():
            self._known[path], self._names[path] = NoFile.TOO_LARGE, files[path].sha
        # By what the folders say, before anything is read: whoever names a folder need not know how much is
        # in it.
        self._sizes |= {path: entry.size or 0 for path, entry in small.items()}
        if words := too_much(self._sizes.values()):
            raise Invalid(PATH, message=words)
        await self._read(small)

    async def _read(self, files: Mapping[str, TreeEntry]) -> None:
        # One after the other, as GitHub asks for. What was read is remembered, so that the look after one
        # that took too long goes on from there:
        # https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#avoid-concurrent-requests
        for path, entry in files.items():
            self._known[path], self._names[path] = await self._blob(entry.sha), entry.sha

    async def _blob(self, sha: str) -> bytes:
        content = self._memory.blob(self.repository, sha)
        if content is None:
            content = await self._git.blob(self.repository, sha)
            self._memory.keep_blob(self.repository, sha, content)
        return content

    async def _entry(self, path: str) -> TreeEntry | NoFile:
        """Return the file at a path, or why there is none."""
        entry = await self._walked(path)
        if isinstance(entry, NoFile) or entry.is_file:
            return entry
        # A submodule is a folder of another repository, of which nothing is read.
        return NoFile.FOLDER

    async def _walked(self, path: str) -> TreeEntry | NoFile:
        at = TreeEntry("040000", self.commit)
        for name in path.split("/") if path else ():
            entry = (await self._tree(at.sha)).get(name) if at.is_folder else None
            if entry is None:
                return NoFile.MISSING
            if entry.is_link:
                return NoFile.LINK
            at = entry
        return at

    async def _folder(self, path: str) -> Mapping[str, TreeEntry | NoFile]:
        """Return the files below a folder, by their paths from the root; one that is none has none.

        Raises Invalid for one with too many, before the next is read: hundreds of folders may be named, each
        with a hundred thousand files.
        """
        folder = await self._walked(path)
        self._folders.add(path)
        if isinstance(folder, NoFile):
            return {path: folder}
        if not folder.is_folder:
            return {}
        self._names[f"{path}/"] = folder.sha
        tree = await self._tree(folder.sha, whole=True)
        below = {name: entry for name, entry in tree.items() if not entry.is_folder}
        if words := too_many(len(below)):
            raise Invalid(PATH, message=words)
        start = f"{path}/" if path else ""
        return {
            start + name: entry if entry.is_file else NoFile.LINK if entry.is_link else NoFile.FOLDER
            for name, entry in below.items()
        }

    async def _tree(self, sha: str, *, whole: bool = False) -> Mapping[str, TreeEntry]:
        tree = self._trees.get((sha, whole)) or self._memory.tree(self.repository, sha, whole=whole)
        if tree is None:
            tree = await self._git.tree(self.repository, sha, whole=whole)
            self._memory.keep_tree(self.repository, sha, tree, whole=whole)
        self._trees[sha, whole] = tree
        return tree
