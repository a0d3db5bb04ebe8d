"""Passes in memory in a repository that has issues, of which its pull request closes one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from previewbot.api.asked_for import AskedFor, ReferencedIssue
from previewbot.api.github import Comment
from previewbot.errors import RemoteError, TryLater
from tests.support.passes import BOT, CONFIGURATION, OWN_APP, GitHubInMemory, World, as_read

IN_THE_ISSUE = CONFIGURATION + "notify: {where: issue}\n"
MINE = ReferencedIssue(812, "acme/shop", 12, private=False, title="Dress the basket")


class GitHubWithIssues(GitHubInMemory):
    """A repository whose pull request closes issues, with what stands in each of these."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.node_id, self.asked = "PR_42", AskedFor((MINE,), 1)
        self.issues: dict[int, list[Comment]] = {number: [] for number in (12, 13)}
        self.refuses: RemoteError | None = None
        self.unreadable: RemoteError | None = None
        self.loses_answers = False

    async def comments(self, repository: str, number: int, since: datetime | None) -> list[Comment]:
        if number not in self.issues:
            return await super().comments(repository, number, since)
        if self.unreadable is not None:
            raise self.unreadable
        return [as_read(each) for each in self.issues[number] if since is None or each.updated_at >= since]

    async def create_comment(self, repository: str, number: int, body: str) -> Comment:
        if number not in self.issues:
            return await super().create_comment(repository, number, body)
        if self.refuses is not None:
            raise self.refuses
        now = self._clock.now
        written = Comment(next(self._comment_ids), BOT, OWN_APP, body, now, now)
        self.issues[number].append(written)
        if self.loses_answers:
            raise TryLater("GitHub", message="the answer is lost")
        return written


class Issues(World):
    """A world with such a repository."""

    def __init__(self, configuration: str = IN_THE_ISSUE, **settings: Any) -> None:
        super().__init__(**settings)
        self.hub = GitHubWithIssues(self.calls, self.clock)
        self.github = self.hub
        self.restart()
        self.configure(configuration)

    def said_in(self, number: int) -> list[str]:
        """Return what stands in an issue."""
        return [each.body for each in self.hub.issues[number]]

    @property
    def said_here(self) -> list[str]:
        """Return the notices that stand in the pull request."""
        return [body for body in self.github.own_comments() if body.startswith("<!-- previewbot notice ")]
