"""A repository's files as git has them, in memory: for passes that read a mirrord file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from previewbot.api.github import FileContent, TreeEntry
from previewbot_demo.github import trees


class GitInMemory:
    """Answers as `clients/github/git_objects.py` does; `note` is told of each call.

    `heads` has what other commits hold otherwise, `queued` tells the commits of a merge queue.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        note: Callable[[str], None],
        heads: Mapping[str, Mapping[str, bytes]] = MappingProxyType({}),
        queued: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._files, self._note, self._heads = files, note, heads
        self._queued = queued

    @property
    def commit(self) -> str:
        """The commit that these files are of: another one once they change."""
        return trees.commit_sha(self._files, ())

    async def queue_heads(self, repository: str, base: str, number: int) -> list[str]:
        self._note("queue heads")
        return list(self._queued())

    async def file(self, repository: str, path: str, ref: str) -> FileContent | None:
        self._note("file at a commit")
        content = {**self._files, **self._heads.get(ref, {})}.get(path)
        return None if content is None else FileContent(trees.blob_sha(content), content)

    async def tree(self, repository: str, sha: str, *, whole: bool = False) -> Mapping[str, TreeEntry]:
        self._note("tree")
        found = self._files if sha == self.commit else trees.folder_named(self._files, sha)
        assert found is not None
        listed = trees.entries(found, whole=whole)
        return {each.path: TreeEntry(each.mode, each.sha, each.size) for each in listed}

    async def blob(self, repository: str, sha: str) -> bytes:
        self._note("blob")
        found = trees.file_named(self._files, sha)
        assert found is not None
        return found
