"""Pictures as people look at them: of each path, on each device, before beside after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from previewbot.api import Device, Picture, Pictures, Side
from previewbot.api.pictures import SIZES, file_of


@dataclass(frozen=True)
class Shown:
    """One of a pair, with its part of an address: `file` is empty where there is no picture to be shown.

    One that is taken anew has its address too: a comment goes on showing it, and is not edited for that.
    """

    picture: Picture
    file: str
    width: int
    height: int


@dataclass(frozen=True)
class Pair:
    """A path on a device, without the change and with it."""

    path: str
    device: Device
    before: Shown
    after: Shown


def pairs_of(pictures: Pictures) -> tuple[Pair, ...]:
    """Return what is shown of a commit, in the order of its paths; nothing if half of a pair is not known."""
    by_side = {each.which: _shown(pictures.taken, each) for each in pictures.taken}
    pairs = []
    for path in dict.fromkeys(each.path for each in pictures.taken):
        for device in Device:
            sides = [by_side.get((path, device, side)) for side in (Side.BEFORE, Side.AFTER)]
            before, after = sides
            if before is not None and after is not None:
                pairs.append(Pair(path, device, before, after))
    return tuple(pairs)


def _shown(pictures: Sequence[Picture], picture: Picture) -> Shown:
    file = file_of(pictures, picture) if picture.state.was_taken else ""
    return Shown(picture, file, *SIZES[picture.device])
