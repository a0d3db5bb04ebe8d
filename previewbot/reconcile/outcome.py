"""How a pass went: what was known, what went wrong, and when the next one is due."""

from __future__ import annotations

from dataclasses import dataclass

from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError
from previewbot.plan import Facts


@dataclass(frozen=True)
class Outcome:
    """How a pass ended: `again` is in seconds; None means "when something happens".

    With an `error` it is to be repeated after a backoff, yet no later than `again`.
    """

    again: float | None = None
    error: RemoteError | None = None


@dataclass(frozen=True)
class Look:
    """The facts of a pass: of a look just `made`, or of one before, with what kept us from another."""

    facts: Facts | None
    made: bool = False
    trouble: RemoteError | None = None


@dataclass(frozen=True)
class Troubles:
    """What went wrong in a pass, by its part; None where nothing did."""

    look: RemoteError | None = None
    route: RemoteError | None = None
    report: RemoteError | None = None
    act: RemoteError | None = None

    @property
    def first(self) -> RemoteError | None:
        """The one to tell of."""
        return self.act or self.report or self.route or self.look

    @property
    def passing(self) -> RemoteError | None:
        """One that keeps us from going on now; a comment or a route that is refused for good does not."""
        report = None if isinstance(self.report, Forbidden | Invalid) else self.report
        return self.look or self.act or report or (None if is_refusal(self.route) else self.route)


def is_refusal(error: RemoteError | None) -> bool:
    """Return whether the cluster will not say otherwise soon."""
    return isinstance(error, Forbidden | Invalid | NotFound)


def sooner(*times: float | None) -> float | None:
    """Return the least of these times, in seconds, or None if there is none."""
    return min((seconds for seconds in times if seconds is not None), default=None)
