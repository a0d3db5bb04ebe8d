"""What people without write access are answered: words once, a reaction, then nothing.

Anybody may comment on a public repository, as often as they like. Each answer is a request to GitHub, which
limits what creates content for the whole App, and a comment that everybody on the pull request is notified
of. So each account gets little, and all of them together do not get much.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from previewbot.api import Refused, Reply, RequestKind, Status
from previewbot.reconciler.conversation import Hand, Request
from previewbot.reconciler.plan.inbox import with_correctable, with_handled

ANSWERS_EACH = 2
"""For one account on one pull request: words with a reaction, then a reaction."""

WORDS_FOR = 10
"""So many accounts get words on one pull request; those after them a reaction."""

ANSWERS_IN_ALL = 50
"""For all accounts on one pull request."""

ANSWERS_AN_HOUR = 100
"""For all accounts on all pull requests of an installation. There may be thousands of both, and to comment is
all it takes. GitHub limits what creates content for the whole installation, to some 500 in an hour
(https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits)."""

_WORDS = "not-allowed"


def refuse(
    status: Status, requests: Sequence[Request], told: Collection[int] = (), most: int | None = None
) -> Status:
    """Return the status after requests of people who may not ask: answers owed to some, all handled.

    `told` has accounts that the conversation shows a refusal of, for a Preview that does not know of it.
    At most so many answers are given as there are left of this hour, if that is known (`most`).
    """
    if not requests:
        return status
    given = {refused.account: refused.answers for refused in status.requests.refused}
    in_all, replies = sum(given.values()), list[Reply]()
    for request in requests:
        account = request.account
        before = given.get(account, 1 if account in told else 0)
        if before >= ANSWERS_EACH or in_all >= ANSWERS_IN_ALL:
            continue
        if most is not None and len(replies) >= most:
            break
        # Words to a bot, or to an assistant that writes in a person's name, may be answered by it, and so on
        # without end: a reaction says enough.
        machine = request.is_bot or request.hand is Hand.OTHER_APP
        silent = before > 0 or machine or len(given) >= WORDS_FOR
        in_all += before + 1 - given.get(account, 0)
        given[account] = before + 1
        if silent and request.id.kind == RequestKind.REVIEW:
            # It takes no reaction, so there is nothing less than words to answer it with.
            continue
        replies.append(_refusal(request, "" if silent else _WORDS))
    refused = tuple(Refused(account, answers) for account, answers in given.items())
    status = replace(
        status,
        replies=(*status.replies, *replies),
        requests=replace(status.requests, refused=refused),
    )
    for request in requests:
        # Who corrected it may not ask any more, and must not be asked about in every look.
        status = with_correctable(status, request.id, None)
    return with_handled(status, *(request.id for request in requests))


def is_refusal(reply: Reply) -> bool:
    """Return whether an answer is one to somebody who may not ask."""
    return not reply.command and reply.words in ("", _WORDS)


def _refusal(request: Request, words: str) -> Reply:
    # It names no command: an answer that does is one to somebody who may ask.
    return Reply(
        request=request.id,
        author=request.actor,
        command="",
        reaction="confused",
        words=words,
        values={"login": request.actor} if words else {},
        place=request.place,
        head_sha=request.head_sha,
    )
