"""What people are told once, by a comment of its own: when it is owed, and when it is to be said.

It is owed from the pass on in which it happens, if the repository wants it then: whoever writes `notify` into
`preview.yaml` is not told of all the previews that came out long before. Its state is an entry in
`status.reports`: owed, announced, told. At most two are written in the life of a pull request, in this order:
that it failed before anybody could look at it, and that it is ready.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from previewbot.api import Phase, Reason, Report, Severity, Status
from previewbot.config.repository import OCCASIONS, Notify, Occasion, is_told
from previewbot.reconciler.conversation import OwnNotice
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.rules import policy
from previewbot.text.standing import standing_of

OWED = "owed"
"""In `told` of an entry: it is to be told."""

GIVEN = "given"
"""It was told, or cannot be: nothing more is done about it."""

REPORT_OF: Mapping[Occasion, str] = MappingProxyType({"ready": "told-ready", "failed": "told-failed"})
"""The name of each in `status.reports`."""

_FAILED_FOR_GOOD = frozenset(
    {
        Reason.IMAGE_MISSING,
        Reason.REPOSITORY_MISSING,
        Reason.TARGET_MISSING,
        Reason.SESSION_FAILED,
        Reason.SERVICE_FAILED,
        Reason.ROUTE_REFUSED,
        Reason.BRANCH_FAILED,
        Reason.MIGRATION_FAILED,
        Reason.MIGRATION_FORBIDDEN,
    }
)
"""Of the reasons of phase Failed, those of a file without mistakes: one with some says not whom to tell."""


def state_of(status: Status, occasion: Occasion) -> Report:
    """Return what is known of a notice."""
    return status.report(REPORT_OF[occasion])


def with_state(status: Status, occasion: Occasion, state: Report) -> Status:
    """Return the status with this known of a notice."""
    return status.with_report(REPORT_OF[occasion], state)


def is_given(status: Status, occasion: Occasion) -> bool:
    """Return whether people were told, by this Preview or by an earlier one of the same pull request."""
    return state_of(status, occasion).told == GIVEN


def owe(before: Status, after: Status, notify: Notify | None) -> Status:
    """Return the status with what people are to be told of what this pass changes.

    `notify` is None where nobody wants to be told, or where that is not known now.
    """
    # By the clock and not by the phase: the services run first, and the link is there a moment later.
    came_up = after.lifecycle.ready_sha not in ("", before.lifecycle.ready_sha)
    if is_told(notify, "ready") and came_up:
        after = _owed(after, "ready")
    failed_now = has_failed(after) and not has_failed(before)
    if is_told(notify, "failed") and failed_now and not is_given(after, "ready"):
        after = _owed(after, "failed")
    return after


def forget(status: Status, notify: Notify | None) -> Status:
    """Return the status without what was owed, and what the repository does not want any more.

    Else it would be told weeks later to whoever turns it on again.
    """
    unwanted = [
        occasion
        for occasion in OCCASIONS
        if state_of(status, occasion).told == OWED and not is_told(notify, occasion)
    ]
    for occasion in unwanted:
        state = state_of(status, occasion)
        if state.place:
            # It may stand in that issue, its answer lost; forgotten, it might be told again in another one.
            status = with_state(status, occasion, replace(state, told=GIVEN, intent_at=None, held_until=None))
        else:
            name = REPORT_OF[occasion]
            left = {key: each for key, each in status.reports.items() if key != name}
            status = replace(status, reports=left)
    return status


def wanted_now(status: Status, facts: PullRequestFacts | None) -> Notify | None:
    """Return whom the repository wants to be told, if a person may wait for this preview.

    None waits for one that only its agent's own command asks for: a bot would be told of what it knows.
    """
    config = facts.config if facts else None
    if facts is None or config is None or config.notify is None:
        return None
    if not facts.is_agents_own(status.lifecycle.started_by):
        return config.notify
    without_it = policy.trigger(
        facts.pull_request, config.triggers, facts.agent, "", facts.policy, command_only=facts.command_only
    )
    return config.notify if without_it else None


def is_due(status: Status, occasion: Occasion, notify: Notify | None) -> bool:
    """Return whether it is to be told now: it is owed, and the preview stands so at this moment."""
    if not is_told(notify, occasion) or state_of(status, occasion).told != OWED:
        return False
    if occasion == "ready":
        return is_ready(status)
    # What was ready before the failure could be told needs nobody any more: its comment says how it stands.
    return has_failed(status) and not is_given(status, "ready")


def is_ready(status: Status) -> bool:
    """Return whether all changed services serve the newest commit, and whoever opens the link sees them.

    A link that is still being checked, or that nothing answers, is another phase (`plan/fold.py`); and what
    crashes, or answers with an error, is not called ready anywhere.
    """
    return status.phase is not None and status.phase.runs and standing_of(status).severity is Severity.GOOD


def has_failed(status: Status) -> bool:
    """Return whether nothing goes on by itself before another commit or a command, for a service at least."""
    if status.phase is Phase.FAILED:
        return status.reason in _FAILED_FOR_GOOD
    return status.reason is Reason.PARTIAL and any(each.phase is Phase.FAILED for each in status.services)


def adopt_notices(status: Status, found: Iterable[OwnNotice], place: int = 0) -> Status:
    """Take over what people were told before a crash, or by an earlier Preview of the same pull request.

    `place` is the issue in which that was found; 0 is the pull request.
    """
    for notice in found:
        occasion = next((each for each in OCCASIONS if each == notice.occasion), None)
        if occasion is not None and not is_given(status, occasion):
            status = with_state(status, occasion, Report(id=notice.id, told=GIVEN, place=place))
    return status


def _owed(status: Status, occasion: Occasion) -> Status:
    known = REPORT_OF[occasion] in status.reports
    return status if known else with_state(status, occasion, Report(told=OWED))
