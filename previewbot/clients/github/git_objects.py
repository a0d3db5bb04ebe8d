"""Files of a repository as git has them: at one commit, and with links as links.

GitHub's contents API follows a link to the file that it leads to, and does not say that there was one
(https://docs.github.com/en/rest/repos/contents#get-repository-content). Trees say it; and they and blobs
never change, so that whoever remembers one need not ask for it again.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from previewbot.api.github import FileContent, TreeEntry
from previewbot.clients.github import fields, kept, parse
from previewbot.clients.github.sending import Sending
from previewbot.errors import Invalid, NotFound, RemoteError


class GitObjects:
    """Reads the files of a repository, `owner/name`; raises the RemoteError that GitHub's answer means."""

    def __init__(self, api: Sending) -> None:
        self._api = api

    async def file(self, repository: str, path: str, ref: str) -> FileContent | None:
        """Return a file at a commit or `refs/heads/…`, or None if there is none; Invalid if over 1 MB.

        A link's is that of the file it leads to.
        """
        url = f"/repos/{repository}/contents/{quote(path)}?ref={quote(ref, safe='')}"
        try:
            answer = await self._api.send("GET", url, kept.FILE)
        except NotFound:
            return None
        return parse.file_content_from(answer)

    async def tree(self, repository: str, sha: str, *, whole: bool = False) -> Mapping[str, TreeEntry]:
        """Return what is in a folder by name, which may be a commit's uppermost; with `whole` all below it.

        Raises Invalid for one of which GitHub does not show everything
        (https://docs.github.com/en/rest/git/trees#get-a-tree).
        """
        url = f"/repos/{repository}/git/trees/{quote(sha, safe='')}{'?recursive=1' if whole else ''}"
        answer = await self._api.send("GET", url, kept.TREE)
        if fields.has(answer, "truncated") and fields.flag(answer, "truncated"):
            raise Invalid("a folder", message="it has more files than GitHub lists")
        return {fields.text(each, "path"): _entry(each) for each in fields.items(answer, "tree")}

    async def queue_heads(self, repository: str, base: str, number: int) -> list[str]:
        """Return the commits in which the merge queue of a branch tries a pull request.

        https://docs.github.com/en/rest/git/refs#list-matching-references
        """
        ref = quote(f"heads/gh-readonly-queue/{base}/pr-{number}-")
        url = f"/repos/{repository}/git/matching-refs/{ref}"
        answer = await self._api.send("GET", url, kept.REFERENCES)
        return [fields.sha(each, "object.sha") for each in fields.items(answer, "")]

    async def blob(self, repository: str, sha: str) -> bytes:
        """Return what a file holds, by the name of its content."""
        url = f"/repos/{repository}/git/blobs/{quote(sha, safe='')}"
        answer = await self._api.send("GET", url, kept.BLOB)
        if fields.text(answer, "encoding") != "base64":
            raise RemoteError("GitHub's answer", message="`encoding` is not base64")
        try:
            return base64.b64decode(fields.text(answer, "content"))
        except (binascii.Error, ValueError) as error:
            raise RemoteError("GitHub's answer", message="`content` is not base64") from error


def _entry(obj: Any) -> TreeEntry:
    size = fields.number(obj, "size") if fields.has(obj, "size") else None
    return TreeEntry(fields.text(obj, "mode"), fields.sha(obj, "sha"), size)
