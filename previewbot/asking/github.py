"""Asks GitHub, with somebody's token, what our App says of a commit: deployment, check, and the comment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from pydantic import TypeAdapter

from previewbot.api.reference import Reference
from previewbot.asking import github_answers as answers
from previewbot.asking.access import CHECK, Access
from previewbot.asking.facts import Facts
from previewbot.asking.github_answers import CommentSeen, PullSeen
from previewbot.asking.http import Answer, Asker, moment_of
from previewbot.asking.judging import CheckRun, Deployment, Pull, Seen, judged
from previewbot.asking.source import Listing, Look, NoRepository
from previewbot.errors import Forbidden, Invalid, NotFound, Unauthorized

T = TypeVar("T")

_HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "previewbot-wait",
}
_PAGE = 100
_MOST_PAGES = 30
"""GitHub takes 2,500 comments, and shows 250 commits of a pull request."""
_LISTED = 10
"""Pages of a repository's comments that a list of its previews is made of."""
_OVERLAP = timedelta(minutes=10)

DEPLOYMENTS, CHECKS, COMMENTS = "deployments: read", "checks: read", "pull-requests: read"


class WrongCommit(ValueError):
    """The commit that was named can never be one of the pull request's; the words say which one to name."""


class GitHubSource:
    """GitHub's API, asked with the token of whoever waits."""

    def __init__(self, session: aiohttp.ClientSession, access: Access) -> None:
        host = urlsplit(access.api_url).netloc
        self._asker = Asker(session, access.api_url, access.token, f"GitHub ({host})", _HEADERS)
        self._whom, self._access = f"GitHub ({host})", access
        self._refused: set[tuple[str, str]] = set()
        self._had: set[tuple[str, str]] = set()
        self._comments: dict[str, _Conversation] = {}

    @property
    def whom(self) -> str:
        """Who is asked."""
        return self._whom

    async def head(self, reference: Reference) -> str:
        """Return the pull request's newest commit."""
        return (await self._pull(reference)).kept.head.sha

    async def look(self, reference: Reference, sha: str) -> Look:
        """Return how the preview of this commit stands now; raises WrongCommit for the test merge's."""
        answer = await self._pull(reference)
        pull = answer.kept
        _refuse_test_merge(pull, sha)
        seen = Pull(
            pull.head.sha,
            is_open=pull.state == "open",
            is_merged=pull.merged_at is not None,
            had=await self._was_head(reference, pull, sha),
        )
        if not seen.is_open:
            return Look(judged(sha, Seen(seen)))
        notes: list[str] = []
        deployment = await self._optional(
            reference, DEPLOYMENTS, lambda: self._deployment(reference, pull.preview, sha), notes
        )
        check = None
        if deployment is None:
            check = await self._optional(
                reference, CHECKS, lambda: self._check(reference, pull.preview, sha), notes
            )
        comment = await self._optional(reference, COMMENTS, lambda: self._comment(reference), notes)
        self._refuse_blindness(reference)
        doubt = self._about_other_apps(reference, comment)
        written_at = comment.updated_at if comment is not None else None
        told = answers.facts_told(comment, reference)
        found = Seen(seen, deployment, check, told, written_at, moment_of(answer.date))
        return Look(judged(sha, found), (*notes, *([doubt] if doubt else ())), doubt)

    async def told(self, reference: Reference) -> Facts | None:
        """Return what the comment says; raises Invalid where only another App has written one."""
        comment = await self._comment(reference)
        # Else whoever named the wrong App learnt that there is no preview.
        if doubt := self._about_other_apps(reference, comment):
            raise Invalid(str(reference), message=doubt)
        return answers.facts_told(comment, reference)

    async def listing(self, repository: str) -> Listing:
        """Return the previews of which the thousand newest comments of a repository tell.

        Raises NoRepository where none is named: a token alone does not say which ones have previews; and
        Invalid where all that are told of are another App's.
        """
        if not repository:
            raise NoRepository("name a repository, OWNER/NAME: with a token GitHub is asked, one by one")
        query = urlencode({"sort": "updated", "direction": "desc", "per_page": _PAGE})
        found: dict[int, Facts] = {}
        complete, other = False, ""
        async for page in self._pages(
            f"{_of(repository)}/issues/comments?{query}", answers.COMMENTS, _LISTED
        ):
            for each in page.kept:
                is_ours = each.is_status(self._access.app)
                other = other or ("" if is_ours else each.looks_like_ours)
                facts = answers.facts_told(each, each.place) if is_ours else None
                if facts is not None:
                    found.setdefault(facts.number, facts)
            complete = not page.next_url
        if other and not found:
            raise Invalid(repository, message=_about(other))
        return Listing(tuple(found.values()), complete)

    async def _pull(self, reference: Reference) -> Answer[PullSeen]:
        try:
            return await self._get(f"{_of(reference)}/pulls/{reference.number}", answers.PULL)
        except NotFound as error:
            message = f"{reference} is not there, or this token may not see it"
            raise NotFound(error.what, status=error.status, message=message) from error
        except Forbidden as error:
            message = f"the token may not read pull requests ({COMMENTS}): {error.message}"
            raise Forbidden(error.what, status=error.status, message=message) from error

    async def _was_head(self, reference: Reference, pull: PullSeen, sha: str) -> bool:
        """Return whether a commit is, or was, the head: else a push may not have got through yet."""
        key = (str(reference), sha)
        if pull.head.sha == sha:
            self._had.add(key)
        elif key not in self._had:
            url = f"{_of(reference)}/pulls/{reference.number}/commits?per_page={_PAGE}"
            async for page in self._pages(url, answers.COMMITS):
                if any(commit.sha == sha for commit in page.kept):
                    self._had.add(key)
        return key in self._had

    async def _deployment(self, reference: Reference, preview: str, sha: str) -> Deployment | None:
        query = urlencode({"environment": self._access.environment, "sha": sha, "per_page": _PAGE})
        found = await self._get(f"{_of(reference)}/deployments?{query}", answers.DEPLOYMENTS)
        ours = answers.newest_deployment(found.kept, self._access.app, preview)
        if ours is None:
            return None
        url = f"{_of(reference)}/deployments/{ours.id}/statuses?per_page={_PAGE}"
        # Newest first. Whoever may deploy can say so much of our deployment that ours is on a later page.
        async for page in self._pages(url, answers.STATUSES):
            said = answers.deployment_by(page.kept, self._access.app)
            if said.state:
                return said
        return Deployment(at=ours.created_at)

    async def _check(self, reference: Reference, preview: str, sha: str) -> CheckRun | None:
        # All and not the latest: two pull requests with one head have a run of this name each.
        query = urlencode({"check_name": CHECK, "filter": "all", "per_page": _PAGE})
        url = f"{_of(reference)}/commits/{sha}/check-runs?{query}"
        runs: list[answers.CheckRunSeen] = []
        try:
            async for page in self._pages(url, answers.CHECK_RUNS):
                runs += page.kept.check_runs
        except Invalid:
            # So it says where it knows no such commit, or does not yet.
            return None
        return answers.newest_check(runs, self._access.app, preview)

    async def _comment(self, reference: Reference) -> CommentSeen | None:
        known = self._comments.setdefault(str(reference).lower(), _Conversation())
        if known.id:
            try:
                url = f"{_of(reference)}/issues/comments/{known.id}"
                return (await self._get(url, answers.COMMENT)).kept
            except NotFound:
                # Somebody deleted it. The next one is written when there is something new to say.
                known.id = 0
        query = {"per_page": str(_PAGE)} | ({"since": known.since} if known.since else {})
        url = f"{_of(reference)}/issues/{reference.number}/comments?{urlencode(query)}"
        first: Answer[list[CommentSeen]] | None = None
        async for page in self._pages(url, answers.COMMENTS):
            first = first or page
            for comment in page.kept:
                if comment.is_status(self._access.app):
                    known.id = comment.id
                    return comment
                known.others = known.others or comment.looks_like_ours
        # What was read once need not be read again: ours will be newer.
        known.since = known.since or _a_while_before(first.date if first else "")
        return None

    async def _pages(
        self, url: str, shape: TypeAdapter[T], most: int = _MOST_PAGES
    ) -> AsyncIterator[Answer[T]]:
        next_url = url
        for _ in range(most):
            page = await self._get(next_url, shape)
            yield page
            next_url = page.next_url
            if not next_url:
                return

    async def _get(self, path: str, shape: TypeAdapter[T]) -> Answer[T]:
        return await self._asker.get(path, shape.validate_python)

    async def _optional(
        self,
        reference: Reference,
        permission: str,
        ask: Callable[[], Awaitable[T | None]],
        notes: list[str],
    ) -> T | None:
        """Return what was found, None if the token may not read this: then the others have to do."""
        # A token may have other rights in another repository, of which the same agent asks.
        refused = (reference.repository.lower(), permission)
        if refused in self._refused:
            return None
        try:
            return await ask()
        except Unauthorized:
            raise
        except (Forbidden, NotFound) as error:
            self._refused.add(refused)
            notes.append(f"the token may not read this ({permission}), so it is left out: {error.message}")
            return None

    def _refuse_blindness(self, reference: Reference) -> None:
        name = reference.repository.lower()
        if all((name, permission) in self._refused for permission in (DEPLOYMENTS, CHECKS, COMMENTS)):
            message = (
                f"the token may read none of what tells of a preview: {DEPLOYMENTS}, {CHECKS}, {COMMENTS}"
            )
            raise Forbidden(str(reference), status=403, message=message)

    def _about_other_apps(self, reference: Reference, comment: CommentSeen | None) -> str:
        other = self._comments.get(str(reference).lower(), _Conversation()).others
        return _about(other) if comment is None and other else ""


@dataclass
class _Conversation:
    """What is known of a pull request's comments: which is ours, since when they were read, and whose other
    comment looks like it."""

    id: int = 0
    since: str = ""
    others: str = ""


def _about(other: str) -> str:
    """Return what to do where another App than the one that was named has written as previewbot does."""
    named = f"--app {other}, or PREVIEWBOT_APP={other}"
    return f"{other}[bot] has written a comment like previewbot's: if that is your App, say {named}"


def _of(repository: Reference | str) -> str:
    name = repository if isinstance(repository, str) else repository.repository
    return f"/repos/{quote(name)}"


def _refuse_test_merge(pull: PullSeen, sha: str) -> None:
    """Raise WrongCommit for what `github.sha` is in a workflow that `pull_request` starts."""
    if sha == pull.merge_commit_sha and sha != pull.head.sha and pull.state == "open":
        raise WrongCommit(
            f"{sha[:7]} is the test merge of the pull request (github.sha in a workflow), and previews are "
            f"of its newest commit, {pull.head.sha[:7]}: name github.event.pull_request.head.sha"
        )


def _a_while_before(date: str) -> str:
    """Return a moment before that of an answer as GitHub takes it, "" where it has none."""
    moment = moment_of(date)
    return (moment - _OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ") if moment is not None else ""
