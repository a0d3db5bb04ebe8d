"""How many previews a repository, an author and an agent may hold, and how many services a preview."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from previewbot.api import Preview, SlotBound
from previewbot.config.server import RepositoryLimits, Settings
from previewbot.rules.repositories import bounds_of

_NAMES_KEPT = 10_000
_LIVES = 2
"""How many of the longest lives of a preview somebody may be passed over: then all slots have changed hands,
but for those that pushes kept, and somebody else got each of them."""


@dataclass(frozen=True)
class SlotLimits:
    """How many previews may hold a slot at the same time; None is no limit of that kind.

    `author_here` and `agent_here` are for the previews of one repository, `author` and `agent` for all. Who
    got nothing for as long as `patience` comes before all others. `evicts_idle`: a preview that sleeps gives
    its slot to one that waits.
    """

    previews: int
    repository: int | None = None
    author: int | None = None
    author_here: int | None = None
    agent: int | None = None
    agent_here: int | None = None
    patience: timedelta | None = None
    evicts_idle: bool = False

    def of(self, bound: SlotBound) -> int:
        """Return the number of a limit, 0 if there is none of that kind."""
        limits = {
            SlotBound.PREVIEWS: self.previews,
            SlotBound.REPOSITORY: self.repository,
            SlotBound.AUTHOR: self.author,
            SlotBound.AUTHOR_HERE: self.author_here,
            SlotBound.AGENT: self.agent,
            SlotBound.AGENT_HERE: self.agent_here,
        }
        return limits[bound] or 0


def slot_limits_of(settings: Settings, repository: str) -> SlotLimits:
    """Return the limits of a repository's previews; of its rule and of all, the lower one counts."""
    limits, here = settings.limits, _of_its_rule(settings, repository)
    return SlotLimits(
        previews=limits.previews,
        repository=_lower(here.previews, limits.per_repository),
        author=limits.per_author,
        author_here=here.per_author,
        agent=limits.per_agent,
        agent_here=here.per_agent,
        patience=_LIVES * settings.ttl.max,
        evicts_idle=limits.evict == "idle",
    )


def services_limit(settings: Settings, repository: str) -> int:
    """Return how many services of one pull request of a repository are previewed."""
    here = _of_its_rule(settings, repository).services
    return min(here or settings.limits.services, settings.limits.services)


def _of_its_rule(settings: Settings, repository: str) -> RepositoryLimits:
    bounds = bounds_of(settings, repository)
    # What gets nothing asks for no slot either.
    return bounds.limits if bounds is not None else RepositoryLimits()


def _lower(one: int | None, other: int | None) -> int | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)


class SlotLimitsOf:
    """The limits of a preview's repository, each looked up once by its name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, SlotLimits] = {}

    def __call__(self, preview: Preview) -> SlotLimits:
        """Return the limits that count for a preview."""
        # Until a look at GitHub has told the name it is a hint; no preview gets a slot before that.
        name = preview.repository
        if name not in self._known:
            if len(self._known) >= _NAMES_KEPT:
                self._known.clear()
            self._known[name] = slot_limits_of(self._settings, name)
        return self._known[name]
