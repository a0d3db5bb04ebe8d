"""What the conversation holds: requests that are new, and what we wrote there in an earlier life.

"Ours" means our marker *and* our App in its own name: people quote markers, and with a user's token of our
App somebody else writes through it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import OF_REVIEWS, Correctable, Reply, Report, RequestId, RequestKind, Requests, Status
from previewbot.api.github import AppIdentity, Comment
from previewbot.reconciler.conversation import Hand, OwnComments, OwnNotice, OwnReport
from previewbot.reconciler.plan.notices import adopt_notices
from previewbot.rules.edited import text_hash
from previewbot.text.markers import parse_marker

COMMENT = "comment"
"""The name of the status comment among `status.reports`."""

_HANDLED_KEPT = 50

_LATE_KEPT = 20
"""So many handled ones in reviews are known one by one that lie below the floor."""

_CORRECTABLE_KEPT = 20
"""So many that came to nothing may still be corrected: people correct what they wrote just now."""

SEEN_WITHIN = timedelta(minutes=10)
"""How far our clock and GitHub's may be apart and GitHub's list behind, together: far more than is likely."""


REVIEW_OVERLAP = timedelta(seconds=60)
"""GitHub may show a comment on lines late: each look goes back so far beyond what was shown before."""


def comment_request(comment_id: int) -> RequestId:
    """Return the id of the request that an issue comment makes."""
    return RequestId(kind=RequestKind.ISSUE_COMMENT, id=comment_id)


def own_comments(comments: Sequence[Comment], us: AppIdentity) -> OwnComments:
    """Return what of a conversation is ours."""
    marked = [
        (comment, marker)
        for comment in comments
        if us.wrote(comment) and (marker := parse_marker(comment.marker)) is not None
    ]
    reports = [
        OwnReport(comment.id, comment.hash, marker.command)
        for comment, marker in marked
        if marker.kind == "status"
    ]
    answers = {(m.reply_to, m.edit) for _, m in marked if m.kind == "reply" and m.reply_to is not None}
    answered = frozenset(request for request, _ in answers)
    refused = frozenset(marker.reply_to for _, marker in marked if marker.refused and marker.reply_to)
    reports.sort(key=lambda report: report.id)
    notices = tuple(
        OwnNotice(comment.id, marker.of, marker.occasion)
        for comment, marker in marked
        if marker.kind == "notice"
    )
    quoted = frozenset(
        comment.verdict.request
        for comment in comments
        if comment.verdict is not None and is_quotation(comment, us)
    )
    return OwnComments(tuple(reports), answered, frozenset(answers), refused, notices, quoted)


def is_quotation(comment: Comment, us: AppIdentity) -> bool:
    """Return whether a comment is one of ours in which somebody is quoted who came by a proxy.

    GitHub lets everybody with write access change our comments, and names us as the author all the same. So
    only one that nobody has touched is known by its words: we change none that quotes somebody.
    """
    quotes = comment.verdict is not None and bool(comment.verdict.name)
    return quotes and us.wrote(comment) and comment.updated_at == comment.created_at


def oldest_report(own: OwnComments) -> Report | None:
    """Return the status comment that stays: the oldest of ours, or None if there is none."""
    return Report(id=own.reports[0].id, hash=own.reports[0].hash, adopted=True) if own.reports else None


def had_no_earlier_life(before: Status, status: Status) -> bool:
    """Return whether no earlier Preview of this pull request told of itself: this one wrote the comment.

    Or it is about to: a conversation without a comment of ours was read in this very pass, which began with
    `before`. Where nothing is known of a comment there may have been anything.
    """
    then, report = before.report(COMMENT), status.report(COMMENT)
    announced_now = report.intent_at is not None and then.intent_at is None
    return not report.adopted and (bool(report.id) or announced_now)


def resume(status: Status, earlier: Requests | None) -> Status:
    """Go on where an earlier Preview of the same pull request was, if this process knows it.

    One that nothing triggers is deleted after each look. Without this each comment would have all the others
    answered again.
    """
    if earlier is None or status.requests.read_at is not None:
        return status
    # A command of a member that came with this Preview is newer than the one before knew.
    return replace(status, requests=replace(earlier, member_comment_id=0))


def adopt(status: Status, own: OwnComments) -> Status:
    """Take over what we wrote before a crash or in an earlier life: the status comment, and answers given.

    Of several status comments the oldest stays; the others are `duplicates`.
    """
    status = adopt_notices(_with_requests(status, own), own.notices)
    report = status.report(COMMENT)
    # We wrote it, and died before its id was stored. Or somebody deleted the Preview with `kubectl`, and this
    # is the comment of its earlier life.
    adopted = oldest_report(own)
    if not report.id and adopted is not None:
        status = replace(status, reports={**status.reports, COMMENT: adopted})
    # The answer was written and the process died before it was noted: the marker in it tells, and it is not
    # given twice.
    answered = own.answered_edits
    if any(reply.words and answer_of(reply) in answered for reply in status.replies):
        replies = tuple(
            replace(reply.saying(()), worded=True) if reply.words and answer_of(reply) in answered else reply
            for reply in status.replies
        )
        status = replace(status, replies=replies)
    return status


def edit_of(reply: Reply) -> int:
    """Return which edit of a request an answer is to (epoch seconds); 0 for what was written first."""
    return int(reply.edited_at.timestamp()) if reply.edited_at else 0


def answer_of(reply: Reply) -> tuple[RequestId, int]:
    """Return what tells an answer from others: the request, and which edit of it."""
    return reply.request, edit_of(reply)


def unseen_since(status: Status) -> datetime | None:
    """Return from when on the conversation may hold something of ours that no look has taken over yet.

    None means from its beginning: as long as the id of the status comment is not known, an earlier life of
    this Preview may have written it at any time. Else each complete look has taken over what there was, and
    what was announced is in the status with its moment.
    """
    read_at = status.requests.read_at
    if read_at is None or not status.report(COMMENT).id:
        return None
    intents = [reply.intent_at for reply in status.replies]
    intents += [report.intent_at for report in status.reports.values()]
    return min([read_at, *(moment for moment in intents if moment is not None)]) - SEEN_WITHIN


def duplicates(status: Status, own: OwnComments) -> tuple[int, ...]:
    """Return the ids of status comments beside the one that stays; ours, from a crash or a race."""
    if status.report(COMMENT).id:
        return ()
    return tuple(report.id for report in own.reports[1:])


def with_handled(status: Status, *requests: RequestId) -> Status:
    """Note requests as carried out."""
    known = set(status.requests.handled)
    new = tuple(request for request in dict.fromkeys(requests) if request not in known)
    handled = (*status.requests.handled, *new)
    return replace(status, requests=replace(status.requests, handled=handled))


def summed_up(requests: Requests, oldest_left: Mapping[str, int] | None = None) -> Requests:
    """Sum up the oldest of many handled requests of each kind in its floor, below which all counts as done.

    The floor stays below what `oldest_left` has of the kind, the oldest that is still to be carried out: some
    newer ones were before it.
    """
    for kind in RequestKind:
        requests = _summed_up(requests, kind, (oldest_left or {}).get(kind))
    return requests


def _summed_up(requests: Requests, kind: RequestKind, oldest_left: int | None) -> Requests:
    handled = sorted(requests.handled_of(kind))
    dropped = [n for n in handled[:-_HANDLED_KEPT] if oldest_left is None or n < oldest_left]
    return _with_floor(requests, kind, max([requests.floor_of(kind), *dropped]), handled)


def _with_floor(requests: Requests, kind: RequestKind, floor: int, handled: Iterable[int]) -> Requests:
    """Return these with a floor of one kind, and those handled above it one by one; the same if it says
    nothing new."""
    others = tuple(each for each in requests.handled if each.kind != kind)
    # A draft that was submitted late may lie below, and is shown again as long as a look leaves something.
    late = [number for number in requests.handled_of(kind) if number <= floor and kind in OF_REVIEWS]
    numbers = [*late[-_LATE_KEPT:], *sorted(number for number in handled if number > floor)]
    kept = (*others, *(RequestId(kind=kind, id=number) for number in numbers))
    if (floor, set(kept)) == (requests.floor_of(kind), set(requests.handled)):
        return requests
    requests = replace(requests, handled=kept)
    if kind is RequestKind.ISSUE_COMMENT:
        return replace(requests, floor=floor)
    return requests.with_place(kind, replace(requests.place(kind), floor=floor))


def correctable(requests: Requests, request: RequestId) -> Correctable | None:
    """Return what is known of a request that was answered and may be corrected; None if it is no such one."""
    return next((each for each in requests.correctable if each.request == request), None)


def with_correctable(status: Status, request: RequestId, found: Correctable | None) -> Status:
    """Note that a request may be corrected, as it was answered now, or (None) that it may not be any more."""
    others = tuple(each for each in status.requests.correctable if each.request != request)
    kept = (*others, *([found] if found else []))[-_CORRECTABLE_KEPT:]
    if kept == status.requests.correctable:
        return status
    return replace(status, requests=replace(status.requests, correctable=kept))


def is_new(
    comment: Comment,
    requests: Requests,
    *,
    app_id: int,
    earliest: datetime | None,
    told: Collection[int] = (),
) -> bool:
    """Return whether a comment may hold a request that is still to be carried out.

    What our own App wrote is none, in whosever name. What came to nothing may be corrected, and is new when
    GitHub shows it changed since it was answered. `told` are those that a webhook told of: they are not old,
    however late they are shown.
    """
    if comment.app_id == app_id:
        return False
    answered = correctable(requests, comment.request)
    if answered is not None:
        # Two edits within a second have one time, and of a review REST shows none at all.
        return comment.updated_at > answered.updated_at or answered.text not in ("", text_hash(comment))
    if comment.request in requests.handled:
        return False
    if comment.kind is not RequestKind.ISSUE_COMMENT:
        return _is_new_in_review(comment, requests, earliest)
    if comment.id <= requests.floor:
        return False
    # At the first look age counts; later, what has changed since the last one: an old comment may become a
    # command by an edit, which is answered too.
    moment = comment.created_at if requests.read_at is None else comment.updated_at
    return earliest is None or moment >= earliest or comment.id in told


def _is_new_in_review(comment: Comment, requests: Requests, earliest: datetime | None) -> bool:
    """Whether what stands in a review may hold a request that is still to be carried out."""
    # An answer to a machine has a machine read it, and a review has no reaction that would be silent.
    if comment.author.type == "Bot":
        return False
    place = requests.place(comment.kind)
    # A draft gets its number when it is begun, and is shown to others when it is submitted: by its number it
    # may lie below what was carried out long before anybody could read it.
    late = place.shown_at is not None and comment.shown_at > place.shown_at
    return (comment.id > place.floor or late) and (earliest is None or comment.shown_at >= earliest)


def done_until(comment: Comment, requests: Requests) -> datetime | None:
    """Return until when what others could read was carried out, if a comment's number is among it.

    None of an issue comment: its number is as old as it is, and below the floor it is never new.
    """
    place = requests.place(comment.kind)
    if correctable(requests, comment.request) is not None:
        # What is wanted of it is its edit, whenever it was first shown.
        return None
    is_below = comment.kind is not RequestKind.ISSUE_COMMENT and comment.id <= place.floor
    return place.shown_at if is_below else None


def hand_of(comment: Comment, trusted_apps: Collection[int]) -> Hand:
    """Return by whose hand a comment was written that shows a person as its author.

    GitHub names the App that writes with a user's token; a personal access token and an OAuth app, such as
    GitHub's own command line, it does not tell from the person
    (https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-with-a-github-app-on-behalf-of-a-user).
    """
    if comment.kind is not RequestKind.ISSUE_COMMENT:
        return Hand.UNTOLD
    if comment.app_id is None:
        return Hand.OWN
    return Hand.TRUSTED_APP if comment.app_id in trusted_apps else Hand.OTHER_APP


def _with_requests(status: Status, own: OwnComments) -> Status:
    requests = status.requests
    floor = requests.floor
    if requests.read_at is None:
        # Only for a Preview that knows nothing yet. To one that does, the newest command that was carried out
        # says nothing of older ones: a member's goes before others'.
        floor = max([floor, *(report.last_request for report in own.reports)])
    requests = _with_floor(requests, RequestKind.ISSUE_COMMENT, floor, requests.comments)
    new = tuple(each for each in _in_order(own.answered) if each.id > requests.floor_of(each.kind))
    known = set(requests.handled)
    requests = replace(requests, handled=(*requests.handled, *(each for each in new if each not in known)))
    return status if requests == status.requests else replace(status, requests=requests)


def _in_order(requests: Iterable[RequestId]) -> list[RequestId]:
    return sorted(requests, key=lambda request: (request.kind, request.id))
