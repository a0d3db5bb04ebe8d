"""What an installation may do: read pull requests, write comments and reactions."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from previewbot.errors import NotFound, TryLater, Unauthorized
from previewbot.github import parse
from previewbot.github.transport import Transport
from previewbot.model import (
    Build,
    ChangedFiles,
    Comment,
    Commit,
    FileContent,
    OpenPullRequest,
    PullRequest,
)

_FILES_LIMIT = 3_000
"""GitHub lists no more changed files of a pull request than this
(https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files)."""

_BEFORE_THE_END = timedelta(minutes=5)


@dataclass(frozen=True)
class Token:
    """An installation access token and the moment it ends."""

    value: str
    expires_at: datetime


class InstallationClient:
    """Reads and writes as an installation; `repository` is always `owner/name`."""

    def __init__(
        self,
        transport: Transport,
        new_token: Callable[[], Awaitable[Token]],
        now: Callable[[], datetime],
    ) -> None:
        self._transport = transport
        self._new_token = new_token
        self._now = now
        self._token: Token | None = None
        self._renewing = asyncio.Lock()

    async def pull_request(self, repository: str, number: int) -> PullRequest:
        """Return a pull request; a renamed repository answers too, under its new name."""
        return parse.pull_request_from(await self._get(f"/repos/{repository}/pulls/{number}"))

    async def open_pull_requests(self, repository: str) -> list[OpenPullRequest]:
        """Return the open pull requests of a repository."""
        items = await self.items(f"/repos/{repository}/pulls?state=open")
        return [parse.open_pull_request_from(item) for item in items]

    async def files(self, repository: str, number: int) -> ChangedFiles:
        """Return the changed files; GitHub cuts the list off at 3,000, which is said."""
        items = await self.items(f"/repos/{repository}/pulls/{number}/files")
        files = tuple(parse.changed_file_from(item) for item in items)
        return ChangedFiles(files, complete=len(files) < _FILES_LIMIT)

    async def commits(self, repository: str, number: int) -> list[Commit]:
        """Return the commits of a pull request (GitHub shows at most 250)."""
        items = await self.items(f"/repos/{repository}/pulls/{number}/commits")
        return [parse.commit_from(item) for item in items]

    async def file(self, repository: str, path: str, ref: str) -> FileContent | None:
        """Return a file at a branch, or None if there is none there."""
        try:
            obj = await self._get(f"/repos/{repository}/contents/{quote(path)}?ref={quote(ref, safe='')}")
        except NotFound:
            return None
        if not isinstance(obj, dict) or obj.get("type") != "file" or obj.get("encoding") != "base64":
            return None
        return FileContent(sha=obj["sha"], content=base64.b64decode(obj["content"]))

    async def build(self, repository: str, head_sha: str) -> Build:
        """Return what CI says of a commit, from its check runs and its workflow runs."""
        checks = await self.items(f"/repos/{repository}/commits/{head_sha}/check-runs", "check_runs")
        runs = await self.items(f"/repos/{repository}/actions/runs?head_sha={head_sha}", "workflow_runs")
        return parse.build_from(checks, runs)

    async def comments(self, repository: str, number: int, since: datetime | None) -> list[Comment]:
        """Return all comments, or those that were updated since a moment."""
        query = f"?since={since.strftime('%Y-%m-%dT%H:%M:%SZ')}" if since else ""
        items = await self.items(f"/repos/{repository}/issues/{number}/comments{query}")
        return [parse.comment_from(item) for item in items]

    async def create_comment(self, repository: str, number: int, body: str) -> Comment:
        """Write a comment."""
        obj = await self._send("POST", f"/repos/{repository}/issues/{number}/comments", {"body": body})
        return parse.comment_from(obj)

    async def update_comment(self, repository: str, comment_id: int, body: str) -> Comment:
        """Replace the text of a comment; raises NotFound if a person deleted it."""
        url = f"/repos/{repository}/issues/comments/{comment_id}"
        return parse.comment_from(await self._send("PATCH", url, {"body": body}))

    async def delete_comment(self, repository: str, comment_id: int) -> None:
        """Delete a comment; one that is gone already is fine."""
        try:
            await self._send("DELETE", f"/repos/{repository}/issues/comments/{comment_id}", b"")
        except NotFound:
            return

    async def react(self, repository: str, comment_id: int, content: str) -> None:
        """Give a reaction (`eyes`, `rocket`, `confused`); giving it twice is giving it once."""
        url = f"/repos/{repository}/issues/comments/{comment_id}/reactions"
        await self._send("POST", url, {"content": content})

    async def permission(self, repository: str, login: str) -> str:
        """Return `admin`, `write`, `read` or `none` (GitHub sums `maintain` up as `write`, `triage` as `read`)."""
        try:
            obj = await self._get(f"/repos/{repository}/collaborators/{quote(login)}/permission")
        except NotFound:
            return "none"
        return str(obj["permission"])

    async def items(self, url: str, key: str | None = None) -> list[Any]:
        """Return the items of all pages of a listing."""

        async def read(token: str) -> list[Any]:
            return [item async for item in self._transport.pages(url, token=token, key=key)]

        return await self._authorized(read)

    async def _get(self, url: str) -> Any:
        return await self._send("GET", url, b"")

    async def _send(self, method: str, url: str, data: Any) -> Any:
        async def send(token: str) -> Any:
            answer, _ = await self._transport.request(method, url, data=data, token=token)
            return answer

        return await self._authorized(send)

    async def _authorized(self, call: Callable[[str], Awaitable[Any]]) -> Any:
        """Call with a token; one that GitHub no longer takes (revoked, key rotated) is renewed once."""
        token = await self._current()
        try:
            return await call(token.value)
        except Unauthorized:
            if self._token is token:
                self._token = None
        except (KeyError, TypeError, ValueError) as error:
            raise TryLater("GitHub", message=f"an answer that cannot be read: {error!r}") from error
        return await call((await self._current()).value)

    async def _current(self) -> Token:
        async with self._renewing:
            if self._token is None or self._now() >= self._token.expires_at - _BEFORE_THE_END:
                self._token = await self._new_token()
            return self._token
