"""How a preview stands as a whole, for everything that tells of it: comment, page, conditions, Events."""

from __future__ import annotations

from dataclasses import dataclass

from previewbot.api import (
    POD_PROBLEMS,
    ContainerPart,
    Phase,
    Proven,
    Reason,
    Service,
    Severity,
    Status,
    Turn,
    Waiting,
)

_SERVER_ERROR = 500

_LAST_WORDS = (
    Reason.MERGED,
    Reason.CLOSED,
    Reason.NOT_INCLUDED,
    Reason.REPOSITORY_ARCHIVED,
    Reason.REPOSITORY_GONE,
    Reason.PULL_REQUEST_GONE,
)
"""With these the Preview goes, and its page with it: nobody is led there."""


@dataclass(frozen=True)
class Standing:
    """The macro of its words, how bad it is, whose turn it is, and whether it goes on without anybody.

    `look_again` is after how many seconds there may be news for whoever follows it, 0 if only for whoever
    comes back. `has_page`: its page will be there for whoever follows a link that is written now.
    """

    key: str
    severity: Severity
    turn: Turn
    goes_on: bool
    look_again: int
    has_page: bool = True


_SOON, _LATER, _NEVER = 3, 20, 0
_STAYS = (Phase.EXPIRED, Phase.STOPPED, Phase.NOTHING_TO_PREVIEW)
"""Only a person changes these: by a command, or a push."""


def standing_of(status: Status) -> Standing:
    """Return how a preview stands by its phase and the row of its reason, and by how its services do."""
    reason = status.reason
    # A first pass has not decided yet, or a command has just changed what should be.
    if status.phase is None or reason is None:
        reason = reason if reason is not None and reason.phase is None else Reason.LOOKING
    has_page = reason not in _LAST_WORDS
    if status.phase is Phase.STOPPING and reason.phase is not Phase.STOPPING:
        # The reason is that of its end already, and its words would say that all is gone.
        return Standing("removing", Severity.PROGRESS, Turn.NOBODY, True, _SOON, has_page)
    severity, turn = _severity(status, reason), _turn(status, reason)
    # One that wakes is a reviewer's to look at, and comes by itself.
    goes_on = reason is Reason.WAKING or (turn is Turn.NOBODY and severity is not Severity.ENDED)
    look_again = _NEVER if status.phase in _STAYS else _SOON if goes_on else _LATER
    return Standing(reason.key, severity, turn, goes_on, look_again, has_page)


def _severity(status: Status, reason: Reason) -> Severity:
    """Return how bad it is: nothing is good that crashes, runs in part or answers with an error."""
    severity = reason.info.severity
    if reason is Reason.PARTIAL and not any(map(runs_well, status.services)):
        return Severity.BAD
    return Severity.WARNING if severity is Severity.GOOD and answers_with_an_error(status) else severity


def answers_with_an_error(status: Status) -> bool:
    """Return whether what is behind the link is this change's own, and an error."""
    return status.link.proven is Proven.YES and status.link.answered >= _SERVER_ERROR


def _turn(status: Status, reason: Reason) -> Turn:
    """Return whose turn it is: of several services the row of one reason cannot tell."""
    if reason.info.severity is Severity.GOOD and answers_with_an_error(status):
        return Turn.AUTHOR
    if reason is not Reason.PARTIAL and reason not in POD_PROBLEMS:
        return reason.info.turn
    turns = {_turn_of(service) for service in status.services if not runs_well(service)}
    return next((turn for turn in _FIRST if turn in turns), Turn.NOBODY)


_FIRST = (Turn.AUTHOR, Turn.MAINTAINER, Turn.PLATFORM_TEAM)
"""Whose turn it is, of several who have something to do; the words name all of them."""


def _turn_of(service: Service) -> Turn:
    if for_the_platform_team(service):
        return Turn.PLATFORM_TEAM
    reason = _reason_of(service)
    return reason.info.turn if reason is not None else Turn.NOBODY


def _reason_of(service: Service) -> Reason | None:
    return service.pod_problem.reason if service.pod_problem is not None else service.reason


def runs_well(service: Service) -> bool:
    """Return whether a service runs, and nothing is wrong with its pod."""
    return service.phase.runs and service.pod_problem is None


def goes_on(service: Service) -> bool:
    """Return whether what keeps a service from running well mostly passes by itself."""
    reason = _reason_of(service)
    return reason is not None and reason.info.severity is Severity.PROGRESS


def for_the_platform_team(service: Service) -> bool:
    """Return whether its author can do nothing about what is wrong with a service's pod.

    A sidecar is staging's own: no pull request changes its image.
    """
    problem = service.pod_problem
    if problem is None:
        return False
    return problem.part is ContainerPart.SIDECAR or problem.reason.info.turn is Turn.PLATFORM_TEAM


def for_the_author(service: Service) -> bool:
    """Return whether what keeps a service from running well is its author's to mend."""
    return not runs_well(service) and _turn_of(service) is Turn.AUTHOR


def for_the_maintainer(service: Service) -> bool:
    """Return whether what keeps a service from running well is mended in the repository's configuration."""
    return not runs_well(service) and _turn_of(service) is Turn.MAINTAINER


def service_waited_for(status: Status) -> Service:
    """Return the service whose image the whole preview waits for: the one that gave it its reason."""
    waiting = [service for service in status.services if service.waiting]
    # Several services may wait for different reasons. The sentence at the top must be about the one whose
    # reason stands there.
    same = [service for service in waiting if service.waiting and service.waiting.reason is status.reason]
    nothing = Service("", "", "", waiting=Waiting(status.reason or Reason.UNKNOWN))
    return next(iter((*same, *waiting)), nothing)
