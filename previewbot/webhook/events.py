"""Which pull request a webhook is about. Nothing else of a delivery is believed.

Payloads: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from previewbot.api import RequestKind
from previewbot.api.github import MEMBERS
from previewbot.rules import commands
from previewbot.text.verdicts import is_verdict
from previewbot.webhook.app_events import ListingWanted, is_about_the_app, listing_wanted
from previewbot.webhook.merge_queue import queued_number
from previewbot.webhook.payload import Malformed, Payload
from previewbot.webhook.presses import Press, presses_of


@dataclass(frozen=True)
class Trigger:
    """Pull requests to look at; `create` if they may get a Preview by this.

    `updated_at` and `comment_id` are what GitHub's API must show at least before it is believed;
    `member_comment_id` is that comment if a member wrote it (`MEMBERS`), else 0. It is what a review is as
    well, or a comment on lines: `kind` says it. `urgent`: a label, or a comment by somebody else than the
    author, which must not wait for the author's noise; `by` is that somebody's account, or that of the bot
    that set the label, 0 where a person did. `closes`: something may be left to take down. `presses` are of
    buttons of our own check, which are stored before anybody looks, one for each pull request. `queued`: a
    merge queue waits for checks.
    """

    repository_id: int
    repository: str
    installation_id: int
    numbers: tuple[int, ...]
    create: bool = False
    updated_at: datetime | None = None
    comment_id: int = 0
    member_comment_id: int = 0
    urgent: bool = False
    by: int = 0
    closes: bool = False
    kind: RequestKind = RequestKind.ISSUE_COMMENT
    presses: tuple[Press, ...] = ()
    queued: bool = False


@dataclass(frozen=True)
class Ignored:
    """An event that concerns no pull request, and why we think so."""

    reason: str


def parse_event(event: str, payload: object, *, app_id: int) -> Trigger | ListingWanted | Ignored:
    """Return what an event is about; raises `Malformed` if it is no payload of GitHub's."""
    readers = {
        "pull_request": _pull_request,
        "issue_comment": _issue_comment,
        "pull_request_review": _review,
        "pull_request_review_comment": _review,
        "check_run": _check,
        "check_suite": _check,
        "workflow_run": _check,
        "merge_group": _merge_group,
    }
    reader = readers.get(event)
    if reader is None and is_about_the_app(event):
        return listing_wanted(event, payload) or Ignored(f"this {event} changes nothing for previews")
    if reader is None:
        return Ignored(f"{event} concerns no pull request")
    if not isinstance(payload, Mapping):
        raise Malformed("the payload is not a JSON object")
    return reader(event, Payload(payload), app_id)


def _pull_request(_: str, payload: Payload, app_id: int) -> Trigger | Ignored:
    """Every action but `closed` may begin a preview; a close only ends one."""
    pull_request, action = payload.child("pull_request"), payload.text("action")
    return _trigger(
        payload,
        (pull_request.number("number"),),
        create=action != "closed",
        updated_at=pull_request.moment("updated_at"),
        # A label takes the triage role. The author alone can do all else that is told here: push, edit, close
        # and reopen. A workflow that labels by changed paths sets one for whoever pushes the right files, so
        # a bot may call for looks as often as a stranger's comments may.
        urgent=action == "labeled",
        by=payload.bot(),
        closes=action == "closed",
    )


def _issue_comment(_: str, payload: Payload, app_id: int) -> Trigger | Ignored:
    issue = payload.child("issue")
    if "pull_request" not in issue.values:
        return Ignored("a comment on an issue")
    comment = payload.child("comment")
    action, through_us = payload.text("action"), comment.is_of("performed_via_github_app", app_id)
    # Whatever else a person wrote through our App: there it is no command.
    if through_us and not comment.is_by_person():
        return Ignored("our own comment")
    if through_us or (is_verdict(_was(payload)) and not comment.is_by_bot()):
        return _verdict(payload, issue, comment, action)
    if action not in ("created", "edited") or not commands.parse(comment.text("body")):
        # A deleted or edited comment may be ours: the text is restored at its next change, not at once.
        return Ignored("no new command")
    return _asked(payload, issue, comment, RequestKind.ISSUE_COMMENT, is_edit=action == "edited")


def _was(payload: Payload) -> str:
    """Return what a comment said before it was edited, or what it says."""
    changes = payload.values.get("changes")
    body = changes.get("body") if isinstance(changes, Mapping) else None
    was = body.get("from") if isinstance(body, Mapping) else None
    if isinstance(was, str) and is_verdict(was):
        return was
    now = payload.child("comment").values.get("body")
    return now if isinstance(now, str) else ""


def _verdict(payload: Payload, issue: Payload, comment: Payload, action: str) -> Trigger | Ignored:
    """Return what a verdict is about that was given, edited or taken away: it begins no preview."""
    if action not in ("created", "edited", "deleted"):
        return Ignored("nothing happened to a verdict")
    trigger = _asked(payload, issue, comment, RequestKind.ISSUE_COMMENT, is_edit=action != "created")
    # Others may edit and delete it than who wrote it, and such a look must not wait for the author's noise.
    by = trigger.by if action == "created" else payload.sender()
    return replace(trigger, create=False, urgent=by not in (0, issue.account()), by=by)


def _review(event: str, payload: Payload, app_id: int) -> Trigger | Ignored:
    """A review that was submitted, a comment on lines, or an edit of one: of neither GitHub documents which
    App wrote it (https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request_review)."""
    is_body = event == "pull_request_review"
    kind = RequestKind.REVIEW if is_body else RequestKind.REVIEW_COMMENT
    written = payload.child("review" if is_body else "comment")
    action = payload.text("action")
    # A review that only approves has no body: GitHub sends null.
    if action not in ("submitted" if is_body else "created", "edited") or not written.has_command():
        return Ignored("no new command")
    if written.is_by_bot():
        return Ignored("a bot's review")
    # These ids have no order, so that of an edit may stand beside others': by it the lists are read.
    return _asked(payload, payload.child("pull_request"), written, kind)


def _asked(
    payload: Payload, subject: Payload, written: Payload, kind: RequestKind, *, is_edit: bool = False
) -> Trigger:
    """Return what a text with a command is about; `subject` is the pull request that it stands at."""
    # An edit may be a correction. Its number is older than that of a comment that GitHub may not show yet,
    # and must not take its place.
    number = 0 if is_edit else written.number("id")
    # Where it is missing or no text, nobody is put before the others: a delivery is not lost over it.
    association = written.values.get("author_association")
    by_member = isinstance(association, str) and association in MEMBERS
    # A webhook does not see private memberships, which are the default: such a writer is shown as CONTRIBUTOR
    # or NONE (https://github.com/orgs/community/discussions/18690). So whoever is not the author may call for
    # a look; it grants nothing, and a deleted account calls for none.
    by = written.account()
    return _trigger(
        payload,
        (subject.number("number"),),
        create=True,
        comment_id=number,
        member_comment_id=number if by_member else 0,
        urgent=by not in (0, subject.account()),
        by=by,
        kind=kind,
    )


def _check(event: str, payload: Payload, app_id: int) -> Trigger | Ignored:
    subject = payload.child(event)
    if subject.is_of("app", app_id):
        return _own_check(event, payload, subject)
    # A check only tells that the image may be there by now. It never makes a Preview: the pull request's own
    # events do. To find the image is the look's own.
    numbers = subject.pull_requests(payload.child("repository").number("id"))
    if not numbers:
        # For forks GitHub names none; the look at the image finds it out.
        return Ignored("names no pull request")
    return _trigger(payload, numbers)


def _own_check(event: str, payload: Payload, subject: Payload) -> Trigger | Ignored:
    branch = subject.values.get("head_branch") if event == "check_suite" else _branch_of(subject)
    number = queued_number(branch)
    if number and payload.text("action") in ("requested", "rerequested"):
        # GitHub asks every App that may write checks for those of whatever is pushed, also by a merge queue.
        return replace(_trigger(payload, (number,), create=True), queued=True)
    found = presses_of(event, payload, subject)
    if isinstance(found, str):
        return Ignored(found)
    # It counts as a comment of somebody else's than the author does: the author's own noise does not hold it
    # up. Where there is no Preview it may begin one.
    numbers = tuple(press.number for press in found)
    return replace(_trigger(payload, numbers, create=True, urgent=True, by=found[0].account), presses=found)


def _branch_of(check_run: Payload) -> object:
    suite = check_run.values.get("check_suite")
    return suite.get("head_branch") if isinstance(suite, Mapping) else None


def _merge_group(_: str, payload: Payload, app_id: int) -> Trigger | Ignored:
    number = queued_number(payload.child("merge_group").text("head_ref"))
    if payload.text("action") != "checks_requested" or not number:
        return Ignored("a merge queue that asks for no checks")
    return replace(_trigger(payload, (number,), create=True), queued=True)


def _trigger(
    payload: Payload,
    numbers: tuple[int, ...],
    *,
    create: bool = False,
    updated_at: datetime | None = None,
    comment_id: int = 0,
    member_comment_id: int = 0,
    urgent: bool = False,
    by: int = 0,
    closes: bool = False,
    kind: RequestKind = RequestKind.ISSUE_COMMENT,
) -> Trigger:
    if "installation" not in payload.values:
        raise Malformed("`installation` is missing: the webhook belongs into the App, not into a repository")
    repository = payload.child("repository")
    return Trigger(
        repository_id=repository.number("id"),
        repository=repository.full_name("full_name"),
        installation_id=payload.child("installation").number("id"),
        numbers=numbers,
        create=create,
        updated_at=updated_at,
        comment_id=comment_id,
        member_comment_id=member_comment_id,
        urgent=urgent,
        by=by,
        closes=closes,
        kind=kind,
    )
