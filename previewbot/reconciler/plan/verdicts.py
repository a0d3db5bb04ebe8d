"""What people said of a preview, in the status: found among the comments, and judged anew with each look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from previewbot.api import IssuesUnknown, Observed, Status, Verdict
from previewbot.api.github import AppIdentity, Comment
from previewbot.config.agents import SignalKind
from previewbot.reconciler.conversation import Inbox
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.reconciler.plan.inbox import is_quotation
from previewbot.rules.asked_for import Requested
from previewbot.rules.verdicts import barred, judged, kept, with_requesters


def verdicts_among(
    comments: Sequence[Comment], known: Sequence[Verdict], us: AppIdentity
) -> tuple[Comment, ...]:
    """Return the comments that are verdicts, and those that are known as such and are none any more.

    Only what GitHub says that a person wrote through our own App: there the person was signed in, and what is
    said is of the commit that was served. Anybody can write the marker. And what the App itself wrote, where
    it quotes somebody who came by a proxy, as long as nobody has changed it before it was known.
    """
    were = {each.comment for each in known}
    return tuple(comment for comment in comments if comment.id in were or _is_verdict(comment, us))


def _is_verdict(comment: Comment, us: AppIdentity) -> bool:
    if comment.verdict is None:
        return False
    return is_quotation(comment, us) if comment.verdict.name else us.wrote_for_a_person(comment)


def merged(known: Sequence[Verdict], said: Sequence[Comment]) -> tuple[Verdict, ...]:
    """Return the verdicts that are known, with what a look at the conversation shows of them."""
    found = {each.comment: each for each in known}
    for comment in said:
        before = found.get(comment.id)
        if before is None:
            if comment.verdict is not None:
                found[comment.id] = new_verdict(comment)
        elif _changed(before, comment):
            # What is shown is what was said first: it is told as edited, and not as what it says now.
            edited = before.edited or _says_something_else(before, comment)
            found[comment.id] = replace(before, updated_at=comment.updated_at, asked_at=None, edited=edited)
        elif not before.by_proxy and before.login != comment.author.login:
            found[comment.id] = replace(before, login=comment.author.login)
    return tuple(found.values())


def with_verdicts(
    status: Status, inbox: Inbox, facts: PullRequestFacts, requested: Requested | None = None
) -> Status:
    """Return the status with what a look found of verdicts, and which of them count for the commit of now."""
    named = requested.co_authors if requested is not None else ()
    pull_request, agent = facts.pull_request, facts.agent
    by_agent = agent is not None and agent.kind == SignalKind.ACCOUNT
    of_agents_account = by_agent or pull_request.author.type == "Bot"
    observed = with_requesters(
        status.observed, (*pull_request.assignees, *named), of_agents_account=of_agents_account
    )
    found = status.verdicts if inbox.verdicts is None else inbox.verdicts
    head_sha = pull_request.head.sha
    # Until GitHub has said whom the commits name, any of them may be of whoever started the agent.
    is_known = not of_agents_account or _was_answered(observed)
    verdicts = judged(kept(found, head_sha), head_sha if is_known else "", barred(observed))
    if (observed, verdicts) == (status.observed, status.verdicts):
        return status
    return replace(status, observed=observed, verdicts=verdicts)


def _was_answered(observed: Observed) -> bool:
    """Return whether GitHub has said at least once what a pull request's request and its commits tell."""
    return observed.request is not None and observed.request.unknown is not IssuesUnknown.ANSWER


def new_verdict(comment: Comment) -> Verdict:
    """Return the verdict that a comment is, which begins as one does."""
    assert comment.verdict is not None
    said, by_proxy = comment.verdict, bool(comment.verdict.name)
    return Verdict(
        comment=comment.id,
        node_id=comment.node_id,
        login=said.name if by_proxy else comment.author.login,
        account=0 if by_proxy else comment.author.id,
        says=said.says,
        head_sha=said.sha,
        path=said.path,
        words=said.words,
        said_at=comment.created_at,
        updated_at=comment.updated_at,
        # GitHub knows nobody of that name, so it is not asked.
        writes=False if by_proxy else None,
        by_proxy=by_proxy,
        request=said.request,
        mark=said.mark,
    )


def _changed(before: Verdict, comment: Comment) -> bool:
    return comment.updated_at != before.updated_at or _says_something_else(before, comment)


def _says_something_else(before: Verdict, comment: Comment) -> bool:
    said = comment.verdict
    if said is None:
        return True
    name = before.login if before.by_proxy else ""
    now = (said.says, said.sha, said.path, said.words, said.name, said.mark)
    return now != (before.says, before.head_sha, before.path, before.words, name, before.mark)
