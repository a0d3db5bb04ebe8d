"""The values that the rules of one service work with: what was found, what surrounds it, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from previewbot.mirrord import Session, Wanted
from previewbot.preview import Preview, Service, Waiting


@dataclass(frozen=True)
class Create:
    """Create this session."""

    wanted: Wanted


@dataclass(frozen=True)
class Delete:
    """Delete this session, and no other of its name."""

    session: Session


class Look(StrEnum):
    """How a look for something ended."""

    NOT_LOOKED = "NotLooked"
    FOUND = "Found"
    MISSING = "Missing"


@dataclass(frozen=True)
class ImageLook:
    """What the registry said of a service's image for the head; `waiting` says why if it is not there."""

    look: Look = Look.NOT_LOOKED
    image: str = ""
    digest: str = ""
    waiting: Waiting | None = None


@dataclass(frozen=True)
class Surroundings:
    """What a service's step needs to know of everything else; `strays` are sessions that no service names."""

    preview: Preview
    head_sha: str
    ttl_seconds: int
    session_deadline: timedelta
    place_granted: bool
    now: datetime
    strays: tuple[Session, ...] = ()


@dataclass(frozen=True)
class ServiceStep:
    """The service's new status and at most one action; `needs_place` if it waits for nothing else."""

    service: Service
    action: Create | Delete | None = None
    needs_place: bool = False
