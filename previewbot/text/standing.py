"""How a preview stands as a whole, for everything that tells of it: comment, page, conditions, Events."""

from __future__ import annotations

from dataclasses import dataclass

from previewbot.api import ContainerPart, Phase, Reason, Service, Severity, Status, Turn, Waiting


@dataclass(frozen=True)
class Standing:
    """The macro of its words, how bad it is, and whether it goes on without anybody.

    `look_again` is after how many seconds there may be news for whoever follows it, 0 if only for whoever
    comes back.
    """

    key: str
    severity: Severity
    goes_on: bool
    look_again: int


_SOON, _LATER, _NEVER = 3, 20, 0
_STAYS = (Phase.EXPIRED, Phase.STOPPED, Phase.NOTHING_TO_PREVIEW)
"""Only a person changes these: by a command, or a push."""

_LOOKING = Standing(Reason.UNKNOWN.key, Severity.PROGRESS, goes_on=True, look_again=_SOON)
_REMOVING = Standing("removing", Severity.PROGRESS, goes_on=True, look_again=_SOON)


def standing_of(status: Status) -> Standing:
    """Return how a preview stands by its phase and the row of its reason."""
    # A first pass has not decided yet, or a command has just changed what should be.
    if status.phase is None or status.reason is None:
        return _LOOKING
    if status.phase is Phase.STOPPING and status.reason.phase is not Phase.STOPPING:
        # The reason is that of its end already, and its words would say that all is gone.
        return _REMOVING
    info = status.reason.info
    goes_on = info.turn is Turn.NOBODY and info.severity is not Severity.ENDED
    stays = status.phase in _STAYS
    look_again = _NEVER if stays else _SOON if goes_on else _LATER
    return Standing(status.reason.key, info.severity, goes_on, look_again)


def for_the_platform_team(service: Service) -> bool:
    """Return whether its author can do nothing about what is wrong with a service's pod.

    A sidecar is staging's own: no pull request changes its image.
    """
    problem = service.pod_problem
    if problem is None:
        return False
    return problem.part is ContainerPart.SIDECAR or problem.reason.info.turn is Turn.PLATFORM_TEAM


def service_waited_for(status: Status) -> Service:
    """Return the service whose image the whole preview waits for: the one that gave it its reason."""
    waiting = [service for service in status.services if service.waiting]
    # Several services may wait for different reasons. The sentence at the top must be about the one whose
    # reason stands there.
    same = [service for service in waiting if service.waiting and service.waiting.reason is status.reason]
    nothing = Service("", "", "", waiting=Waiting(status.reason or Reason.UNKNOWN))
    return next(iter((*same, *waiting)), nothing)
