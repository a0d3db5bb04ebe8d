"""How the check `preview` of a commit stands, by how the preview does. Pure.

A check that fails stops merges, so it fails only for what the author of the change can mend. Whatever else
keeps a preview from being there (limits, people, the platform) is `neutral`, which stops nobody
(https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/about-status-checks).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from previewbot.api import Phase, Proven, Reason, Severity, Status, Turn
from previewbot.api.check_runs import CheckAction, Conclusion
from previewbot.text.standing import Standing, for_the_author, goes_on, runs_well, standing_of

_ENDED = (Phase.STOPPING, Phase.STOPPED, Phase.EXPIRED, Phase.AWAITING_APPROVAL)
"""By a person's word, or waiting for one without an end."""

_WAITED_IN_VAIN = (Reason.IMAGE_MISSING, Reason.REPOSITORY_MISSING)
"""A deadline has passed. Nobody knows that the author could do anything about it."""

_MADE_OF_SEVERAL = (Reason.PARTIAL, Reason.SERVICE_FAILED)
"""What several services come to: of these the services themselves tell whose turn it is."""

START = CheckAction("Start", "Start the preview again", "start")
STOP = CheckAction("Stop", "Stop the preview", "stop")
EXTEND = CheckAction("2 h longer", "Let the preview run two hours longer", "extend")


def conclusion_of(status: Status, *, mistakes: bool, deadline: timedelta, now: datetime) -> Conclusion | None:
    """Return how the check of the newest commit came out; None while it is in progress.

    `mistakes`: the change makes some in the configuration file. `deadline` is how long an image, or a place
    in line, is waited for. Of a fork, whose author may know nothing of any preview, nothing is a failure.
    """
    found = _conclusion(status, mistakes=mistakes, deadline=deadline, now=now)
    return Conclusion.NEUTRAL if found is Conclusion.FAILURE and status.observed.fork else found


def _conclusion(status: Status, *, mistakes: bool, deadline: timedelta, now: datetime) -> Conclusion | None:
    phase = status.phase
    if mistakes:
        # However well the preview runs now: merged, this file would end all previews of the repository.
        return Conclusion.FAILURE
    if phase is Phase.NOTHING_TO_PREVIEW:
        return Conclusion.SKIPPED
    if phase in _ENDED:
        return Conclusion.NEUTRAL
    if phase is Phase.QUEUED:
        return _unless_past(status.slot.waiting_since, deadline, now)
    if phase is Phase.AWAITING_IMAGE:
        return _without_image(status, deadline, now)
    return _made(status) if phase is not None else None


def _without_image(status: Status, deadline: timedelta, now: datetime) -> Conclusion | None:
    standing = standing_of(status)
    if standing.severity is not Severity.BAD:
        return _unless_past(status.observed.head_first_seen_at, deadline, now)
    return Conclusion.FAILURE if standing.turn is Turn.AUTHOR else Conclusion.NEUTRAL


def _unless_past(since: datetime | None, deadline: timedelta, now: datetime) -> Conclusion | None:
    return Conclusion.NEUTRAL if since is not None and now - since >= deadline else None


def _made(status: Status) -> Conclusion | None:
    """Return how it came out of what runs, starts or failed."""
    standing, troubled = standing_of(status), [s for s in status.services if not runs_well(s)]
    if status.reason in _MADE_OF_SEVERAL and any(map(goes_on, troubled)):
        return None
    if standing.severity is Severity.GOOD:
        return _if_shown(status)
    if standing.severity is Severity.PROGRESS:
        return None
    if status.reason in _WAITED_IN_VAIN:
        return Conclusion.NEUTRAL
    if status.reason in _MADE_OF_SEVERAL:
        by_author = any(for_the_author(s) and s.reason not in _WAITED_IN_VAIN for s in troubled)
        return Conclusion.FAILURE if by_author else Conclusion.NEUTRAL
    return _by_turn(standing, status)


def _by_turn(standing: Standing, status: Status) -> Conclusion | None:
    if standing.turn is not Turn.AUTHOR:
        return Conclusion.NEUTRAL
    # What only warns while it starts may still come right; its own deadline ends that.
    waits = standing.severity is Severity.WARNING and status.phase is Phase.DEPLOYING
    return None if waits else Conclusion.FAILURE


def _if_shown(status: Status) -> Conclusion | None:
    """Return success if this very commit answers everywhere, and nothing speaks against its link."""
    head_sha = status.observed.head_sha
    shown = all(service.serving_sha == head_sha for service in status.services)
    return Conclusion.SUCCESS if shown and status.link.proven is not Proven.NO else None


def actions_of(status: Status) -> tuple[CheckAction, ...]:
    """Return the buttons of a check that is completed: what a person with write access may want now."""
    phase = status.phase
    if phase in (Phase.READY, Phase.IDLE):
        return (STOP, EXTEND)
    if phase in (Phase.STOPPED, Phase.EXPIRED):
        # Of a fork a start names the very commit, which a button cannot.
        again = status.lifecycle.ended is not None and not status.observed.fork
        return (START,) if again else ()
    runs = (Phase.QUEUED, Phase.AWAITING_IMAGE, Phase.DEPLOYING, Phase.FAILED)
    return (STOP,) if phase in runs and status.observed.trigger else ()
