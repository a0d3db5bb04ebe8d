"""What a service's preview session has of its own, and what it shares with staging: its blast radius."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from previewbot.api.value import Value


class TakenBy(StrEnum):
    """By what a session chooses the requests that it takes."""

    BAGGAGE = "Baggage"
    BAGGAGE_OR_TRACESTATE = "BaggageOrTracestate"
    NOTHING = "Nothing"
    """It takes no requests at all."""
    OTHER = "Other"
    """By something that previewbot never asks for, so it may take other people's requests."""

    @classmethod
    def _missing_(cls, value: object) -> TakenBy:
        """Read what only a newer version knows: the next pass finds its own."""
        return cls.OTHER


class Copied(StrEnum):
    """What a database of its own began with."""

    NOTHING = "Nothing"
    SCHEMA = "Schema"
    PART = "Part"
    """Some of its tables or rows, as its filters say."""
    ALL = "All"
    UNKNOWN = "Unknown"

    @classmethod
    def _missing_(cls, value: object) -> Copied:
        """Read what only a newer version knows: the next pass finds its own."""
        return cls.UNKNOWN


@dataclass(frozen=True)
class RequestsTaken(Value):
    """Which requests a session takes; `conditions` is how many more than the key's own they must fit."""

    by: TakenBy = TakenBy.OTHER
    conditions: int = 0


@dataclass(frozen=True)
class OwnDatabase(Value):
    """A database of its own: its name in the configuration, and that of mirrord's object (`branch`).

    `name` is empty where that object is not there any more, or has not said what it is of. `unreached`: no
    variable leads the service to it, so that the service goes on to use staging's.
    """

    branch: str
    name: str = ""
    copied: Copied = Copied.UNKNOWN
    unreached: bool = False


@dataclass(frozen=True)
class OwnMessages(Value):
    """A queue of which a session gets its own messages; `id` is that of the split, `*` every queue.

    With `mirrored` staging gets these messages too.
    """

    id: str
    mirrored: bool = False


@dataclass(frozen=True)
class OwnEnvironment(Value):
    """How a session's variables differ from those of its target: so many are overridden, some left out.

    `files` is how many files are put into its container. No names: values of these may be secrets.
    """

    overridden: int = 0
    left_out: bool = False
    files: int = 0


@dataclass(frozen=True)
class Uses(Value):
    """What the configuration says that a service uses in staging, by name: an empty list says it uses none.

    None: the configuration does not say. What of these a session does not have of its own is staging's.
    """

    databases: tuple[str, ...] | None = None
    queues: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Isolation(Value):
    """What the session that serves was sent, as the cluster has it, and what its service uses.

    `behind` is the front end's Service that hands requests on to it; empty where the link leads to it.
    """

    requests: RequestsTaken = RequestsTaken()
    databases: tuple[OwnDatabase, ...] = ()
    queues: tuple[OwnMessages, ...] = ()
    environment: OwnEnvironment = OwnEnvironment()
    uses: Uses = Uses()
    behind: str = ""
