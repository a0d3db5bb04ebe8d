"""What a pull request was asked for, as it is stored: the issues that it closes, its agent's session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from previewbot.api import AgentSeen, ClosingIssue, IssuesUnknown, Observed, RequestSeen
from previewbot.api.asked_for import AskedFor, ReferencedIssue
from previewbot.api.github import PullRequest
from previewbot.config.agents import AgentTable
from previewbot.rules.agents import session_url
from previewbot.text.cutting import cut_at_the_end
from previewbot.text.unseen import one_line_of

LISTED = 10
"""The most issues of a pull request that are asked for, and stored."""

OPENING_LINES = 3
LONGEST_TITLE = 140
LONGEST_LINE = 200


@dataclass(frozen=True)
class Requested:
    """What is known of the request: the issues that may be named, and the rest; who the commits name."""

    issues: tuple[ClosingIssue, ...]
    seen: RequestSeen
    co_authors: tuple[int, ...] = ()


def opening_of(text: str) -> list[str]:
    """Return the first lines of an issue's text that say something, each cut at its end."""
    lines: list[str] = []
    # Whoever opens an issue decides how long it is: no more of it is split than is looked at.
    for line in text[: OPENING_LINES * 4_000].splitlines():
        clean = cut_at_the_end(one_line_of(line), LONGEST_LINE)
        if clean:
            lines.append(clean)
        if len(lines) == OPENING_LINES:
            break
    return lines


def title_of(text: str) -> str:
    """Return an issue's title as one line of what people see, cut at its end."""
    return cut_at_the_end(one_line_of(text), LONGEST_TITLE)


def seen_of(
    asked: AskedFor, pull_request: PullRequest, agent: AgentSeen | None, table: AgentTable
) -> Requested:
    """Return what is stored of GitHub's answer, and nothing of it that not everybody who reads this may read.

    GitHub shows the App all that it is installed for. Whoever reads the comment may know less: of another
    repository only the name is kept, and of a private one, where the pull request is everybody's to read, not
    even that.
    """
    public = not pull_request.private
    issues = [_issue(each, pull_request.base.repository_id) for each in asked.issues[:LISTED]]
    key = agent.key if agent is not None and agent.is_in_table else ""
    # GitHub may count what it does not show, and never less than it shows.
    total = max(asked.total, len(asked.issues))
    seen = RequestSeen(total, asked.unknown, session_url(asked.sessions, key, table))
    return Requested(for_readers(issues, public=public), seen, asked.co_authors)


def for_readers(issues: Iterable[ClosingIssue], *, public: bool) -> tuple[ClosingIssue, ...]:
    """Return those of some issues that may be named where the pull request is `public`, or is not."""
    return tuple(each for each in issues if each.own or each.public or not public)


def with_answer(observed: Observed, answer: Requested) -> Observed:
    """Return what is known after an answer; GitHub's silence changes nothing of what was known before."""
    before = observed.request
    silent = answer.seen.unknown is IssuesUnknown.ANSWER
    if silent and before is not None and before.unknown is not IssuesUnknown.ANSWER:
        return observed
    return replace(observed, closing_issues=answer.issues, request=answer.seen)


def _issue(found: ReferencedIssue, repository_id: int | None) -> ClosingIssue:
    # By number: another repository may have got the name of one that was renamed.
    own = found.repository_id == repository_id
    public = not found.private
    return ClosingIssue(
        repository=found.repository,
        number=found.number,
        own=own,
        public=public,
        closed=found.closed,
        title=title_of(found.title) if own else "",
        opening=found.opening if own and public else (),
    )
