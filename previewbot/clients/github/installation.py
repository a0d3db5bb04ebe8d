"""What an installation may do: read pull requests, write comments, reactions, checks and deployments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from previewbot.api.asked_for import AskedFor
from previewbot.api.ci import Runs
from previewbot.api.github import (
    Account,
    ChangedFiles,
    Comment,
    Commit,
    Details,
    Edits,
    FileContent,
    Glance,
    ListedRepository,
    OpenPullRequest,
    PullRequest,
    Repository,
)
from previewbot.clients.github import (
    asked_for,
    conversations,
    fields,
    glances,
    kept,
    listing_questions,
    parse,
    queries,
    runs,
)
from previewbot.clients.github.check_runs import CheckRuns
from previewbot.clients.github.cutting import Rule
from previewbot.clients.github.deployments import Deployments
from previewbot.clients.github.git_objects import GitObjects
from previewbot.clients.github.graphql_answers import Answer, nodes_of
from previewbot.clients.github.limits import AGENTS_SHARE, KEPT_SHARE
from previewbot.clients.github.sending import Sending
from previewbot.clients.github.spending import Hours
from previewbot.clients.github.tokens import Tokens
from previewbot.clients.github.transport import Transport
from previewbot.config.agents import AgentTable
from previewbot.errors import Invalid, NotFound

_T = TypeVar("_T")

FILES_LIMIT = 3_000
"""GitHub lists no more changed files of a pull request than this
(https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files)."""

REVIEW_PAGES = 10
"""The most pages of reviews that one look reads: anybody may write them, and the next look goes on there."""


class InstallationClient:
    """Reads and writes as an installation; `repository` is always `owner/name`.

    Of descriptions and commits it keeps what the signals of `agents` are found in.
    Every method raises the RemoteError that GitHub's answer means; TryLater may say after how long. One that
    is `sparing` raises QuotaKept once only so much of the hour's requests is left as is kept for others.
    """

    def __init__(
        self, transport: Transport, tokens: Tokens, agents: AgentTable, *, sparing: float = 0.0
    ) -> None:
        self._api = Sending(transport, tokens, sparing)
        self._agents = agents
        self._pull_request, self._commits = kept.pull_request(agents), kept.commits(agents)
        self._details, self._asked_for = kept.details(agents), kept.asked_for(agents)
        self._glance = kept.glance(agents)

    def sparing(self) -> InstallationClient:
        """Return this client for what can wait: it leaves the last fifth of the hour's requests to others."""
        return self._leaving(KEPT_SHARE)

    def for_agents(self) -> InstallationClient:
        """Return this client for an agent's pull request: of the last fifth it leaves a half to others."""
        return self._leaving(AGENTS_SHARE)

    def _leaving(self, share: float) -> InstallationClient:
        api = self._api
        return InstallationClient(api.transport, api.tokens, self._agents, sparing=share)

    def time_at(self, moment: datetime) -> datetime:
        """Return what GitHub's clock showed at least at a moment of ours, as far as its answers tell."""
        return self._api.transport.clock.at(moment)

    def check_writes(self, repository: str, *, optional: bool = False) -> None:
        """Raise TryLater if nothing (or nothing `optional`) may be written there now; asks nobody."""
        url, sparing = f"/repos/{repository}/issues", self._api.sparing
        self._api.transport.check_limits("POST", url, sparing=sparing, optional=optional)

    async def repositories(self) -> list[Repository]:
        """Return the repositories that the installation covers."""
        url = "/installation/repositories"
        return await self._api.items(url, kept.REPOSITORIES, parse.repository_from, "repositories")

    async def pull_request(self, repository: str, number: int) -> PullRequest:
        """Return a pull request; that of a renamed repository too, under the new name."""
        answer = await self._api.send("GET", f"/repos/{repository}/pulls/{number}", self._pull_request)
        return parse.pull_request_from(answer)

    async def open_pull_requests(self, repository: str) -> list[OpenPullRequest]:
        """Return the open pull requests of a repository."""
        url = f"/repos/{repository}/pulls?state=open"
        return await self._api.items(url, kept.OPEN_PULL_REQUESTS, parse.open_pull_request_from)

    async def files(self, repository: str, number: int) -> ChangedFiles:
        """Return the changed files.

        `complete` is false where the list is cut off, by GitHub (FILES_LIMIT) or by a limit of ours.
        """
        url = f"/repos/{repository}/pulls/{number}/files"
        files, all_read = await self._api.as_many_as_can_be_read(
            url, kept.CHANGED_FILES, parse.changed_file_from
        )
        # GitHub cuts the list off without a word, so its length is the only sign. Of exactly 3,000 files it
        # is called incomplete too, which only makes more services count as changed.
        return ChangedFiles(tuple(files), complete=all_read and len(files) < FILES_LIMIT)

    async def commits(self, repository: str, number: int) -> list[Commit]:
        """Return the commits of a pull request: the first 250 as GitHub has it, fewer if they are huge."""
        url = f"/repos/{repository}/pulls/{number}/commits"
        return (await self._api.as_many_as_can_be_read(url, self._commits, parse.commit_from))[0]

    async def parents(self, repository: str, sha: str) -> tuple[str, ...]:
        """Return the SHAs of a commit's parents, in order."""
        url = f"/repos/{repository}/git/commits/{sha}"
        return parse.parents_from(await self._api.send("GET", url, kept.GIT_COMMIT))

    async def file(self, repository: str, path: str, branch: str) -> FileContent | None:
        """Return a file at a branch, or None if there is no file there; Invalid if over 1 MB."""
        # Spelled out. A bare name may be a tag's or a commit's as well, and whoever may push can make a tag
        # with the name of a branch that they may not push to.
        return await self.git.file(repository, path, f"refs/heads/{branch}")

    async def is_protected(self, repository: str, branch: str) -> bool:
        """Return whether GitHub calls a branch protected; raises NotFound if there is none of this name.

        https://docs.github.com/en/rest/branches/branches#get-a-branch
        """
        url = f"/repos/{repository}/branches/{quote(branch, safe='')}"
        return parse.protection_from(await self._api.send("GET", url, kept.BRANCH), branch)

    async def rules(self, repository: str, branch: str) -> frozenset[str]:
        """Return the types of the active rules for a branch, whether or not it is there.

        https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch
        """
        url = f"/repos/{repository}/rules/branches/{quote(branch, safe='')}"
        return frozenset(await self._api.items(url, kept.RULES, parse.rule_type_from))

    async def runs(self, repository: str, head_sha: str) -> Runs:
        """Return what runs and ran for a commit; nothing as well while GitHub does not know it yet (422).

        Checks and workflows are two permissions. Where one was not granted the other is told, and raises
        Forbidden only if neither was.
        """
        return await runs.runs(self._api, repository, head_sha)

    async def awaits_approval(self, repository: str, head_sha: str) -> bool:
        """Return whether a workflow of a commit waits for a person's approval; none does without Actions.

        https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
        """
        return await runs.awaits_approval(self._api, repository, head_sha)

    async def comments(self, repository: str, number: int, since: datetime | None) -> list[Comment]:
        """Return all comments, or those made or changed since a moment, oldest first."""
        query = f"?since={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if since else ""
        url = f"/repos/{repository}/issues/{number}/comments{query}"
        return await self._api.items(url, kept.COMMENTS, conversations.comment_from)

    async def reviews(self, repository: str, number: int, page: int) -> list[Comment]:
        """Return the reviews that were submitted, in the order of that, from one page of a hundred on.

        GitHub knows no `since` here
        (https://docs.github.com/en/rest/pulls/reviews#list-reviews-for-a-pull-request). At most REVIEW_PAGES
        pages are read: of as many there may be more.
        """
        url = f"/repos/{repository}/pulls/{number}/reviews?page={page}"
        return await self._api.items(url, kept.REVIEWS, conversations.review_from, most=REVIEW_PAGES)

    async def review_comments(self, repository: str, number: int, since: datetime) -> list[Comment]:
        """Return the comments on lines that were made or changed since a moment, in the order of that.

        At most REVIEW_PAGES pages of a hundred are read: of as many there may be more.
        """
        query = f"sort=updated&direction=asc&since={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        url = f"/repos/{repository}/pulls/{number}/comments?{query}"
        return await self._api.items(url, kept.COMMENTS, conversations.review_comment_from, most=REVIEW_PAGES)

    async def react_on_lines(self, repository: str, comment_id: int, content: str) -> None:
        """Give a reaction to a comment on lines, as `react` does; to a review REST gives none."""
        url = f"/repos/{repository}/pulls/comments/{comment_id}/reactions"
        await self._api.send("POST", url, kept.NOTHING, {"content": content})

    async def comment(self, repository: str, number: int, comment_id: int) -> Comment | None:
        """Return one comment of a pull request, or None where GitHub shows no such comment there."""
        url = f"/repos/{repository}/issues/comments/{comment_id}"
        try:
            answer = await self._api.send("GET", url, kept.ONE_COMMENT)
        except NotFound:
            return None
        # By its number a comment is found wherever in the repository it is.
        return (
            conversations.comment_from(answer) if conversations.issue_number_from(answer) == number else None
        )

    async def edits(self, node_ids: Sequence[str]) -> dict[str, Edits]:
        """Return by whom and when some texts were edited, by their node ids.

        Those that GitHub does not show are left out. Texts of any kind, `MOST_IDS` at most, in one question
        of GraphQL's.
        """
        answer = await self.graphql(queries.EDITS, {"ids": list(node_ids)}, kept.EDITS)
        return conversations.edits_in(nodes_of(answer.data, node_ids))

    async def edits_and_asked_for(
        self, node_ids: Sequence[str], node_id: str, writers: Sequence[int]
    ) -> tuple[dict[str, Edits], AskedFor | None]:
        """Return both at once: see `edits` and `asked_for`, of which None is one without an answer."""
        return await asked_for.with_edits(self.graphql, node_ids, node_id, writers, self._asked_for)

    async def graphql(self, query: str, variables: Mapping[str, Any], rule: Rule) -> Answer:
        """Ask GitHub's GraphQL; `rule` says what is kept of `data`. Of what is not there it has null."""
        return await self._api.ask(query, variables, rule)

    async def listed(self, repositories: Sequence[Repository]) -> dict[int, ListedRepository | None]:
        """Return the open pull requests and the configuration of many repositories, by their ids.

        `MOST_REPOSITORIES` at most, in one question of GraphQL's, and one more for each further page of one.
        What GitHub does not show is left out: nothing is known of it then, not even that it is gone. None is
        one of which it refused a part.
        """
        return await listing_questions.listed(self.graphql, repositories)

    async def details(self, node_ids: Sequence[str]) -> dict[str, Details]:
        """Return what tells whether anything asks for a preview of some pull requests, by their node ids.

        `MOST_DETAILS` at most, in one question of GraphQL's. Those that GitHub does not show are left out.
        """
        return await listing_questions.details(self.graphql, node_ids, self._details)

    async def asked_for(self, node_id: str, writers: Sequence[int]) -> AskedFor:
        """Return what a pull request was asked for, by its node id; `writers` are the agent's accounts."""
        return await asked_for.asked_for(self.graphql, node_id, writers, self._asked_for)

    async def glance(self, node_id: str) -> Glance:
        """Return what a pull request looks like, by its node id: one point of GraphQL's hour."""
        return await glances.glance(self.graphql, node_id, self._glance)

    async def tip(self, repository: str, branch: str) -> str:
        """Return the commit that a branch is at; raises NotFound if there is no such branch.

        Asked again it costs nothing until somebody pushes, whereas that a file is not there costs a request
        each time: a 404 is never a 304 (https://docs.github.com/en/rest/branches/branches#get-a-branch).
        """
        url = f"/repos/{repository}/branches/{quote(branch, safe='')}"
        return fields.sha(await self._api.send("GET", url, kept.BRANCH), "commit.sha")

    @property
    def git(self) -> GitObjects:
        """The files of repositories, as git has them."""
        return GitObjects(self._api)

    @property
    def checks(self) -> CheckRuns:
        """The check runs that we write ourselves."""
        return CheckRuns(replace(self._api, optional=True))

    @property
    def deployments(self) -> Deployments:
        """The deployments of repositories."""
        return Deployments(replace(self._api, optional=True))

    @property
    def hours(self) -> Hours:
        """What was last heard of the hours that this installation has, of requests and of questions."""
        return self._api.transport.hours

    async def create_comment(self, repository: str, number: int, body: str) -> Comment:
        """Write a comment."""
        url = f"/repos/{repository}/issues/{number}/comments"
        return conversations.comment_from(await self._api.send("POST", url, kept.COMMENT, {"body": body}))

    async def update_comment(self, repository: str, comment_id: int, body: str) -> Comment:
        """Replace the text of a comment; raises NotFound if somebody deleted it."""
        url = f"/repos/{repository}/issues/comments/{comment_id}"
        return conversations.comment_from(await self._api.send("PATCH", url, kept.COMMENT, {"body": body}))

    async def delete_comment(self, repository: str, comment_id: int) -> None:
        """Delete a comment; one that is gone already is fine."""
        try:
            await self._api.send("DELETE", f"/repos/{repository}/issues/comments/{comment_id}", kept.NOTHING)
        except NotFound:
            return

    async def react(self, repository: str, comment_id: int, content: str) -> None:
        """Give a reaction (`eyes`, `rocket`, `confused`); giving it twice is giving it once."""
        url = f"/repos/{repository}/issues/comments/{comment_id}/reactions"
        await self._api.send("POST", url, kept.NOTHING, {"content": content})

    async def permission(self, repository: str, login: str, account: int = 0) -> str:
        """Return `admin`, `write`, `read` or `none`; somebody of whom GitHub does not tell has none.

        With the id of an `account`: none as well where somebody else has the login by now.
        """
        # Asked with this repository's address: the answer covers organisation, teams and outside
        # collaborators. The `author_association` in a comment would not tell who may write.
        url = f"/repos/{repository}/collaborators/{quote(login, safe='')}/permission"
        try:
            answer = await self._api.send("GET", url, kept.PERMISSION)
        # Not known (any more), or about whom GitHub refuses to say anything (422, 451): one such account must
        # not keep all others of a pull request from being obeyed.
        except (NotFound, Invalid):
            return "none"
        return parse.permission_from(answer, account)

    async def account(self, login: str) -> Account:
        """Return an account by its login; that of an App is called `slug[bot]`."""
        return parse.account_from(
            await self._api.send("GET", f"/users/{quote(login, safe='')}", kept.ACCOUNT)
        )
