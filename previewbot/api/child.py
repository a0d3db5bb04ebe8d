"""An object in the cluster that belongs to a preview, as the status knows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from previewbot.api.reasons import AnyReason
from previewbot.api.value import Value


class ChildState(StrEnum):
    """Where an object in the cluster stands that belongs to a preview."""

    PENDING = "Pending"
    CREATING = "Creating"
    READY = "Ready"
    IDLE = "Idle"
    FAILED = "Failed"
    REPLACING = "Replacing"
    REMOVING = "Removing"

    @classmethod
    def _missing_(cls, value: object) -> ChildState:
        """Read a state that only a newer version knows: the next pass finds its own."""
        return cls.PENDING


@dataclass(frozen=True)
class Child(Value):
    """An object in the cluster that belongs to this preview, or should.

    `service` is whose it is; empty if it is for several, which are `services`, or (none) for all. `title` is
    its name for people, where it has one: that of the database. `uid` is cleared in the write that precedes
    our own delete, so a recorded uid that is gone means that somebody else removed the object.
    `failed_attempt` is the key of the attempt (commit and spec) that failed: it is not tried again.
    `was_ready` tells one that wakes up slowly from one that never came up. `resets` counts how often a person
    wanted it anew. `given` is the uid of the object that was given its secret files.
    """

    kind: str
    namespace: str
    name: str
    service: str = ""
    uid: str = ""
    spec_hash: str = ""
    state: ChildState = ChildState.PENDING
    reason: AnyReason | None = None
    message: str = ""
    since: datetime | None = None
    failed_attempt: str = ""
    recreations: int = 0
    was_ready: bool = False
    services: tuple[str, ...] = ()
    title: str = ""
    resets: int = 0
    given: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """What tells it from every other object of its time: kind, namespace, name."""
        return self.kind, self.namespace, self.name

    def is_of(self, service: str) -> bool:
        """Return whether a service depends on it; what has no service (empty) depends on everything."""
        if not service:
            return True
        return service in self.services if self.services else self.service in ("", service)
