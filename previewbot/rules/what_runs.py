"""All previews as one list: how each stands, what one asks for, which of them needs somebody first. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum

from previewbot.api import Phase, Preview, Severity
from previewbot.config.agents import SignalKind
from previewbot.text.standing import standing_of

LONGEST_FILTER = 200
"""Characters of one value in the address; a repository's name has hardly more (`names.FULL_NAME`)."""

_NEVER = datetime.max.replace(tzinfo=UTC)
_OVER = (Phase.EXPIRED, Phase.STOPPED, Phase.NOTHING_TO_PREVIEW)


class Stands(StrEnum):
    """How a preview stands for whoever looks down a list, in the order in which it is read."""

    NEEDS_SOMEBODY = "needs-somebody"
    """Something is wrong, or waits for a yes, and does not pass by itself."""
    READY = "ready"
    """It can be looked at."""
    ON_ITS_WAY = "on-its-way"
    """It goes on by itself: it waits for a slot or a build, starts, or is being removed."""
    ENDED = "ended"
    """Nothing runs, and only a command or a push changes that."""


@dataclass(frozen=True)
class Wanted:
    """What one asks for in the address; what is empty leaves nothing out. Names are the same in any case."""

    repository: str = ""
    state: str = ""
    agent: str = ""
    person: str = ""

    @property
    def is_valid(self) -> bool:
        """Whether such a state exists, and no name is longer than any can be."""
        known = not self.state or self.state in {each.value for each in Stands}
        return known and all(len(value) <= LONGEST_FILTER for value in self.values().values())

    def values(self) -> Mapping[str, str]:
        """Return what is asked for, by the names that it has in the address."""
        found = {each.name: str(getattr(self, each.name)) for each in fields(self)}
        return {name: value for name, value in found.items() if value}


def wanted_of(sent: Mapping[str, str]) -> Wanted:
    """Return what somebody asks for, of the values in the address; others there are none of ours."""
    return Wanted(**{each.name: sent.get(each.name, "").strip() for each in fields(Wanted)})


def stands(preview: Preview) -> Stands:
    """Return how a preview stands for whoever looks down a list."""
    status, standing = preview.status, standing_of(preview.status)
    if status.phase in _OVER:
        return Stands.ENDED
    if standing.goes_on:
        return Stands.ON_ITS_WAY
    if status.runs and standing.severity is Severity.GOOD:
        return Stands.READY
    return Stands.NEEDS_SOMEBODY


def agent_of(preview: Preview) -> str:
    """Return the agent that made the pull request, as it is told; empty for none."""
    agent = preview.status.observed.agent
    return agent.name if agent is not None else ""


def person_of(preview: Preview) -> str:
    """Return the login of the person who opened the pull request; empty where that was an agent's account."""
    observed = preview.status.observed
    own = observed.agent is not None and (
        observed.agent.kind == SignalKind.ACCOUNT or observed.agent.is_unknown_app
    )
    return "" if own else observed.author


def fits(preview: Preview, wanted: Wanted, *, words: bool) -> bool:
    """Return whether a preview is asked for. Without `words` its reader sees neither agent nor person of it.

    They are compared with what is shown alone, so that nobody finds out by a filter what they may not see.
    """
    shown = {
        "repository": preview.repository,
        "state": stands(preview),
        "agent": agent_of(preview) if words else "",
        "person": person_of(preview) if words else "",
    }
    return all(shown[name].lower() == value.lower() for name, value in wanted.values().items())


def rank(preview: Preview) -> tuple[int, int, datetime, str, int]:
    """Return what a list is sorted by: what needs somebody comes first, then what can be looked at.

    Of those alike the next in line for a slot, then what ends soonest.
    """
    status = preview.status
    how = stands(preview)
    place = status.slot.queue_position if status.phase is Phase.QUEUED else 0
    ends = status.lifecycle.expires_at if how is not Stands.ENDED else None
    return list(Stands).index(how), place, ends or _NEVER, preview.repository.lower(), preview.spec.number
