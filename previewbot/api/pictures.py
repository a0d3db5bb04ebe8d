"""Pictures of a preview: of a path before and after, on a phone and a desktop, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import WithJsonSchema

from previewbot.api.value import Value

MOST_PATHS = 5
"""Paths of one preview that are pictured: each is four pictures."""

MOST_OF_A_PATH = 512
"""Characters of a path that is pictured."""


class Device(StrEnum):
    """What a picture was taken on."""

    PHONE = "phone"
    DESKTOP = "desktop"


SIZES = {Device.PHONE: (390, 844), Device.DESKTOP: (1280, 800)}
"""Width and height of a picture, in pixels: what is seen first, whatever the length of the page."""


class Side(StrEnum):
    """Whether a picture shows staging as everybody sees it, or the pull request's own services in it."""

    BEFORE = "before"
    AFTER = "after"


class PictureState(StrEnum):
    """What became of a picture that somebody wished for."""

    PENDING = "Pending"
    TAKEN = "Taken"
    AGAIN = "Again"
    """It was taken, the worker has lost it, and takes it anew."""
    REFUSED = "Refused"
    """There is something that must not be shown as evidence, or nothing."""

    @property
    def is_due(self) -> bool:
        """Whether it is still to be taken, for the first time or anew."""
        return self in (PictureState.PENDING, PictureState.AGAIN)

    @property
    def was_taken(self) -> bool:
        """Whether it has an address: one that is taken anew had it before."""
        return self in (PictureState.TAKEN, PictureState.AGAIN)

    @classmethod
    def _missing_(cls, value: object) -> PictureState:
        """Read what only a newer version knows: it is not shown."""
        return cls.REFUSED


class NoPicture(StrEnum):
    """Why there is no picture; the words are in `templates/_pictures.jinja`."""

    STATUS = "Status"
    OTHER_HOST = "OtherHost"
    OTHER_COMMIT = "OtherCommit"
    """Its answer names another commit: the preview changed while it was looked at."""
    BLANK = "Blank"
    LEFT_OUT = "LeftOut"
    """The page is blank without what it has of other hosts."""
    TOO_LATE = "TooLate"
    NO_ANSWER = "NoAnswer"
    CERTIFICATE = "Certificate"
    NO_PAGE = "NoPage"
    """It answered with something that a browser does not show, such as a download."""
    NO_ROOM = "NoRoom"
    """The worker has as many pictures as it may keep."""
    TOO_MUCH_MEMORY = "TooMuchMemory"
    """Its browser took more than it may, or the worker ended while it was looked at."""
    OTHER = "Other"

    @classmethod
    def _missing_(cls, value: object) -> NoPicture:
        """Read what only a newer version knows."""
        return cls.OTHER


Which = tuple[str, Device, Side]
"""Which of a preview's pictures: of which path, on what, and of which side."""


@dataclass(frozen=True)
class Picture(Value):
    """One picture, or why there is none: `why`, and what status was `answered`, 0 where that is not it."""

    path: str
    device: Device
    side: Side
    state: PictureState = PictureState.PENDING
    why: Annotated[NoPicture, WithJsonSchema({"type": "string"})] | None = None
    answered: int = 0

    @property
    def which(self) -> Which:
        """Which one it is, whatever became of it."""
        return self.path, self.device, self.side


@dataclass(frozen=True)
class Pictures(Value):
    """The pictures of one commit; `of` tells the wish from others, `since` is when it was first made.

    `sha` is the commit whose services served while they were taken. `public` is the part of their addresses
    that nobody guesses, empty unless anybody may see them.
    """

    sha: str = ""
    of: str = ""
    since: datetime | None = None
    taken: tuple[Picture, ...] = ()
    public: str = ""

    @property
    def are_due(self) -> bool:
        """Whether some are still to be taken, for the first time or anew."""
        return any(each.state.is_due for each in self.taken)

    @property
    def are_known(self) -> bool:
        """Whether it is known of each what became of it; one that is taken anew was taken."""
        return all(each.state is not PictureState.PENDING for each in self.taken)


def file_of(pictures: Sequence[Picture], picture: Picture) -> str:
    """Return how one of these pictures is named in its address; the path itself may be anything."""
    paths = list(dict.fromkeys(each.path for each in pictures))
    return f"{paths.index(picture.path)}-{picture.device}-{picture.side}"


def named(pictures: Sequence[Picture], file: str) -> Picture | None:
    """Return the picture that is named so, if one is."""
    return next((each for each in pictures if file_of(pictures, each) == file), None)
