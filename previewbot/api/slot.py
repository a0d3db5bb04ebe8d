"""The slot of a Preview: whether it holds one, and what it waits for if not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from previewbot.api.value import Value

COUNTED = 20
"""Positions in line that are told exactly; a longer line moves too often to be told in every comment."""


class SlotBound(StrEnum):
    """What keeps a preview from a slot: a limit of all previews, or one of its own kind."""

    PREVIEWS = "Previews"
    REPOSITORY = "Repository"
    AUTHOR = "Author"
    AUTHOR_HERE = "AuthorInRepository"
    AGENT = "Agent"
    AGENT_HERE = "AgentInRepository"

    @classmethod
    def _missing_(cls, value: object) -> SlotBound:
        """Read a bound that only a newer version knows: the next pass finds its own."""
        return cls.PREVIEWS

    @property
    def subject(self) -> str:
        """Whose limit it is: the macro of its words."""
        return {
            SlotBound.PREVIEWS: "everybody",
            SlotBound.REPOSITORY: "repository",
            SlotBound.AUTHOR: "author",
            SlotBound.AUTHOR_HERE: "author",
            SlotBound.AGENT: "agent",
            SlotBound.AGENT_HERE: "agent",
        }[self]


@dataclass(frozen=True)
class Holders(Value):
    """Who holds the slots that one waits for: its own repository's by number, all others only as a count.

    `numbers` are the first of the `here`; never more is known of another repository, which may be private.
    """

    numbers: tuple[int, ...] = ()
    here: int = 0
    elsewhere: int = 0

    @property
    def all(self) -> int:
        """How many there are."""
        return self.here + self.elsewhere


@dataclass(frozen=True)
class Slot(Value):
    """Whether the preview counts towards the limits; if not, since when it waits, and for what.

    `bound` is what it waits for, with its `limit`, and `holders` those that reach it. `queue_position` counts
    from 1 up to `COUNTED`, and one more says "further back", also of one that its own limit keeps waiting,
    however many slots are free; 0 is such a one further to the front. Further back nobody is named.
    """

    held: bool = False
    held_since: datetime | None = None
    waiting_since: datetime | None = None
    queue_position: int = 0
    bound: SlotBound = SlotBound.PREVIEWS
    limit: int = 0
    holders: Holders = Holders()

    @property
    def far_back(self) -> bool:
        """Whether more wait before it than are counted."""
        return self.queue_position > COUNTED
