"""What an installation may do: read pull requests, write comments and reactions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from previewbot.api.github import (
    Build,
    ChangedFiles,
    Comment,
    Commit,
    FileContent,
    OpenPullRequest,
    PullRequest,
    Repository,
)
from previewbot.clients.github import parse
from previewbot.clients.github.builds import build_from
from previewbot.clients.github.tokens import Tokens
from previewbot.clients.github.transport import Transport
from previewbot.errors import Invalid, NotFound, Unauthorized

_T = TypeVar("_T")

FILES_LIMIT = 3_000
"""GitHub lists no more changed files of a pull request than this
(https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files)."""


class InstallationClient:
    """Reads and writes as an installation; `repository` is always `owner/name`.

    Every method raises the RemoteError that GitHub's answer means; TryLater may say after how long.
    """

    def __init__(self, transport: Transport, tokens: Tokens, *, app_id: int) -> None:
        self._transport = transport
        self._tokens = tokens
        self._app_id = app_id

    async def repositories(self) -> list[Repository]:
        """Return the repositories that the installation covers."""
        return [
            parse.repository_from(item)
            for item in await self._items("/installation/repositories", "repositories")
        ]

    async def pull_request(self, repository: str, number: int) -> PullRequest:
        """Return a pull request; that of a renamed repository too, under the new name."""
        return parse.pull_request_from(await self._send("GET", f"/repos/{repository}/pulls/{number}"))

    async def open_pull_requests(self, repository: str) -> list[OpenPullRequest]:
        """Return the open pull requests of a repository."""
        items = await self._items(f"/repos/{repository}/pulls?state=open")
        return [parse.open_pull_request_from(item) for item in items]

    async def files(self, repository: str, number: int) -> ChangedFiles:
        """Return the changed files; `complete` is false where GitHub cuts the list off (FILES_LIMIT)."""
        items = await self._items(f"/repos/{repository}/pulls/{number}/files")
        files = tuple(parse.changed_file_from(item) for item in items)
        # GitHub cuts the list off without a word, so its length is the only sign. Of exactly 3,000 files it
        # is called incomplete too, which only makes more services count as changed.
        return ChangedFiles(files, complete=len(files) < FILES_LIMIT)

    async def commits(self, repository: str, number: int) -> list[Commit]:
        """Return the commits of a pull request (GitHub shows the first 250)."""
        items = await self._items(f"/repos/{repository}/pulls/{number}/commits")
        return [parse.commit_from(item) for item in items]

    async def parents(self, repository: str, sha: str) -> tuple[str, ...]:
        """Return the SHAs of a commit's parents, in order."""
        return parse.parents_from(await self._send("GET", f"/repos/{repository}/git/commits/{sha}"))

    async def file(self, repository: str, path: str, ref: str) -> FileContent | None:
        """Return a file at a branch or commit, or None if there is no file there; Invalid if over 1 MB."""
        url = f"/repos/{repository}/contents/{quote(path)}?ref={quote(ref, safe='')}"
        try:
            answer = await self._send("GET", url)
        except NotFound:
            return None
        return parse.file_content_from(answer)

    async def build(self, repository: str, head_sha: str) -> Build:
        """Return what CI says of a commit; `none` as well while GitHub does not know the commit yet (422)."""
        try:
            # Both are needed: other systems report check runs only, and of a workflow that waits for an
            # approval there is a workflow run but no check run yet.
            checks = await self._items(f"/repos/{repository}/commits/{head_sha}/check-runs", "check_runs")
        except Invalid:
            return Build("none")
        try:
            runs = await self._items(f"/repos/{repository}/actions/runs?head_sha={head_sha}", "workflow_runs")
        except NotFound:
            # The check runs were found, so the repository is there: its server has no Actions.
            runs = []
        return build_from(checks, runs, app_id=self._app_id)

    async def comments(self, repository: str, number: int, since: datetime | None) -> list[Comment]:
        """Return all comments, or those made or changed since a moment, oldest first."""
        query = f"?since={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if since else ""
        items = await self._items(f"/repos/{repository}/issues/{number}/comments{query}")
        return [parse.comment_from(item) for item in items]

    async def create_comment(self, repository: str, number: int, body: str) -> Comment:
        """Write a comment."""
        url = f"/repos/{repository}/issues/{number}/comments"
        return parse.comment_from(await self._send("POST", url, {"body": body}))

    async def update_comment(self, repository: str, comment_id: int, body: str) -> Comment:
        """Replace the text of a comment; raises NotFound if somebody deleted it."""
        url = f"/repos/{repository}/issues/comments/{comment_id}"
        return parse.comment_from(await self._send("PATCH", url, {"body": body}))

    async def delete_comment(self, repository: str, comment_id: int) -> None:
        """Delete a comment; one that is gone already is fine."""
        try:
            await self._send("DELETE", f"/repos/{repository}/issues/comments/{comment_id}")
        except NotFound:
            return

    async def react(self, repository: str, comment_id: int, content: str) -> None:
        """Give a reaction (`eyes`, `rocket`, `confused`); giving it twice is giving it once."""
        url = f"/repos/{repository}/issues/comments/{comment_id}/reactions"
        await self._send("POST", url, {"content": content})

    async def permission(self, repository: str, login: str) -> str:
        """Return `admin`, `write`, `read` or `none`; somebody whom GitHub does not know has none."""
        # Asked with this repository's address: the answer covers organisation, teams and outside
        # collaborators. The `author_association` in a comment would not tell who may write.
        url = f"/repos/{repository}/collaborators/{quote(login, safe='')}/permission"
        try:
            answer = await self._send("GET", url)
        except NotFound:
            return "none"
        return parse.permission_from(answer)

    async def _items(self, url: str, key: str | None = None) -> list[Any]:
        async def read(token: str) -> list[Any]:
            return [item async for item in self._transport.pages(url, token=token, key=key)]

        return await self._call_with_token(read)

    async def _send(self, method: str, url: str, data: Any = b"") -> Any:
        async def send(token: str) -> Any:
            answer, _ = await self._transport.request(method, url, data=data, token=token)
            return answer

        return await self._call_with_token(send)

    async def _call_with_token(self, call: Callable[[str], Awaitable[_T]]) -> _T:
        """Call with a token; one that GitHub no longer takes (revoked, say) is renewed once."""
        token = await self._tokens.current()
        try:
            return await call(token.value)
        except Unauthorized:
            # Only this very token is dropped: of eight callers that were refused at once, one asks for a new
            # one and the others take it.
            self._tokens.drop(token)
        return await call((await self._tokens.current()).value)
