"""Requests that were made elsewhere than in a comment: which are new, in which order, which are over.

Each is carried out once: its effect and its number are stored in one write, and it is removed only after
that. Until it is removed, a delivery that comes again finds its name taken.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import SAY, Ask, Asked, AskedIn, Preview, PreviewRequest, Reply, RequestId, Status
from previewbot.reconciler.conversation import Hand, Request
from previewbot.rules.commands import Command, parse

MOST_WAITING = 5
"""So many requests of one account are carried out in one look at a pull request; more at once is a mistake,
or mischief, and is answered with that."""

MOST_WAITING_BY_PROXY = 10
"""The same of all together who come by a proxy, whom only the proxy tells apart."""

SAID_KEPT_FOR = timedelta(hours=24)
"""How long what somebody said is kept while it cannot be quoted: their words stand nowhere else."""

KEPT_FOR = timedelta(hours=1)
"""How long one is kept after it was made, so that its delivery is known when it comes again."""

MOST_KEPT = 20
"""So many of one Preview are kept that are done with; the oldest go before their time."""

ORPHAN_AFTER = timedelta(minutes=10)
"""Web makes a request and then the Preview, where there is none: within seconds. What is older than its
Preview by more was for an earlier one."""

WRITING = ("admin", "write")
"""The permissions with which somebody may write to a repository."""

_ANSWERS_KEPT = 3

_KINDS = (AskedIn.CHECK_RUN.value, AskedIn.PAGE.value)
"""The kinds in a `RequestId`: of all that was asked at a check, and of what was asked on a page.

The number is the delivery's, or the form's, and tells one from another whatever the kind; the kind says where
it is answered.
"""


def press_id(number: int, place: str = AskedIn.CHECK_RUN) -> RequestId:
    """Return the id of a request that was made elsewhere, in a place that is an `AskedIn`."""
    on_page = place == AskedIn.PAGE
    return RequestId(kind=AskedIn.PAGE.value if on_page else AskedIn.CHECK_RUN.value, id=number)


def waiting(found: Iterable[PreviewRequest], preview: Preview) -> tuple[PreviewRequest, ...]:
    """Return those that are still to be taken, in the order in which the API server took them in."""
    handled = frozenset(taken(preview.status))
    new = [each for each in found if each.ask.id not in handled and is_for(each, preview)]
    return tuple(sorted(new, key=lambda each: each.order))


def is_for(found: PreviewRequest, preview: Preview) -> bool:
    """Return whether a request is for this very Preview, and not for an earlier one of the pull request."""
    # The controller gives what it has taken to its Preview. If that is deleted, Kubernetes removes both; what
    # it has not removed yet must not be taken again by the next Preview.
    if found.owners and preview.uid not in found.owners:
        return False
    return preview.created_at - found.created_at <= ORPHAN_AFTER


def buttons_in(found: Iterable[PreviewRequest]) -> tuple[PreviewRequest, ...]:
    """Return those that a command has the same effect as."""
    return tuple(each for each in found if each.ask.asked != SAY)


def says_in(found: Iterable[PreviewRequest]) -> tuple[PreviewRequest, ...]:
    """Return those in which somebody says something who came by a proxy."""
    return tuple(each for each in found if each.ask.asked == SAY)


def requests_of(
    new: Sequence[PreviewRequest],
    levels: Mapping[int, str],
    before: Sequence[Request] = (),
    *,
    readers_may_extend: bool = False,
    extends_by_proxy: bool = False,
) -> tuple[Request, ...]:
    """Return what is to be carried out now: of each account so many, the rest as too many.

    `levels` has the permissions of the accounts that were asked about; what others ask waits for the next
    look. `before` is what people wrote, in its order; the two are merged by when GitHub and the API server
    took them in, both by GitHub's clock.

    `extends_by_proxy`: the settings let people who come by a proxy give this preview more time. GitHub cannot
    be asked about them; their names are pages' word, and this is all that it is good for.
    """
    counted: Counter[tuple[int, str]] = Counter()
    found, written = list[Request](), deque(before)
    for each in new:
        while written and (written[0].updated_at is None or written[0].updated_at <= each.created_at):
            found.append(written.popleft())
        actor, all_by_proxy = each.ask.actor, (0, "")
        counted[actor.id, actor.mark] += 1
        counted[all_by_proxy] += actor.by_proxy
        too_many = counted[actor.id, actor.mark] > MOST_WAITING
        too_many |= actor.by_proxy and counted[all_by_proxy] > MOST_WAITING_BY_PROXY
        if actor.by_proxy:
            found.append(_request(each, extends_by_proxy and _extends(each.ask), too_many=too_many))
        elif too_many or actor.id in levels:
            may = _may_ask(each.ask, levels.get(actor.id, ""), readers_may_extend=readers_may_extend)
            found.append(_request(each, may, too_many=too_many))
    return (*found, *written)


def _may_ask(ask: Ask, level: str, *, readers_may_extend: bool) -> bool:
    """Return whether somebody with this permission may ask for this; who may not write, hardly ever."""
    if level in WRITING:
        return True
    return readers_may_extend and _extends(ask) and level == "read"


def _extends(ask: Ask) -> bool:
    # A check's buttons GitHub shows to writers alone.
    return ask.asked == Asked.EXTEND and ask.source.kind == AskedIn.PAGE


def to_ask_about(new: Sequence[PreviewRequest]) -> dict[int, str]:
    """Return the accounts, with their newest logins, of which it matters what they may."""
    return {each.ask.actor.id: each.ask.actor.login for each in new if not each.ask.actor.by_proxy}


def _request(found: PreviewRequest, may_write: bool, *, too_many: bool) -> Request:
    ask = found.ask
    return Request(
        id=press_id(ask.id, ask.source.kind),
        actor=ask.actor.called,
        asked=(_command(ask.asked, ask.source.head_sha),),
        may_write=may_write,
        account=ask.actor.id,
        hand=Hand.PRESSED,
        place=ask.source.id if ask.source.kind == AskedIn.CHECK_RUN else 0,
        head_sha=ask.source.head_sha,
        pressed_at=found.created_at,
        too_many=too_many,
    )


def _command(asked: str, head_sha: str) -> Command:
    # These name the commit where it was pressed: if another is the head, nobody asked for that.
    if asked == Asked.START:
        return Command("start", sha=head_sha)
    if asked == Asked.RESTART:
        return Command("restart", sha=head_sha)
    command = next(each for each in parse(f"/preview {asked}") if isinstance(each, Command))
    # What stands is stopped, or kept, from an older commit's check too: there is one preview of them all.
    return command


def with_answers_bounded(status: Status) -> Status:
    """Return the status with the newest answers to what was asked elsewhere; they are shown where it was."""
    presses = [reply for reply in status.replies if is_press(reply)]
    old = presses[:-_ANSWERS_KEPT]
    if not old:
        return status
    return replace(status, replies=tuple(reply for reply in status.replies if reply not in old))


def without_answers(status: Status) -> Status:
    """Return the status without answers of before: another commit is the newest, with a check of its own.

    Who looks at the page sees that commit now, and knows no more what the answers there were to.
    """
    kept = tuple(reply for reply in status.replies if not is_press(reply))
    return status if kept == status.replies else replace(status, replies=kept)


def is_press(reply: Reply) -> bool:
    """Return whether an answer is to what was asked elsewhere: it stands in no comment."""
    return reply.request.kind in _KINDS


def taken(status: Status) -> tuple[int, ...]:
    """Return the numbers of the requests that were taken and are not removed yet, oldest first."""
    return tuple(each.id for each in status.requests.handled if each.kind in _KINDS)


def without_taken(status: Status, numbers: Iterable[int]) -> Status:
    """Return the status that knows no more of requests that are gone."""
    gone = frozenset(numbers)
    handled = tuple(
        each for each in status.requests.handled if each.kind not in _KINDS or each.id not in gone
    )
    if handled == status.requests.handled:
        return status
    return replace(status, requests=replace(status.requests, handled=handled))


def is_over(created_at: datetime, now: datetime) -> bool:
    """Return whether a request has been kept for long enough."""
    return now - created_at >= KEPT_FOR
