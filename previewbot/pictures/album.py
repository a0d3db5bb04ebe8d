"""What is wished for, how each picture stands, and which one is next: all that the worker knows.

It is lost with the process, and the controller wishes again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from previewbot.api.pictures import NoPicture, Picture, PictureState, Which, file_of, named
from previewbot.pictures.shelf import Key, Shelf
from previewbot.rules.pictures import (
    TRIED_AGAIN,
    Place,
    Standing,
    Wish,
    may_look,
    may_pass,
    pictures_of,
    url_of,
    without_room,
)

MOST_PREVIEWS = 200
"""Previews of which there are pictures at once; of more it is said that there is no room."""


@dataclass(frozen=True)
class Job:
    """A picture to be taken now, for which wish."""

    name: str
    wish: Wish
    picture: Picture

    @property
    def place(self) -> Place:
        """Where its path is seen."""
        return next(each for each in self.wish.places if each.path == self.picture.path)

    @property
    def url(self) -> str:
        """What is opened for it."""
        return url_of(self.place, self.picture.side)


@dataclass
class _Again:
    """How often a picture was tried in vain, and when it is tried again; never if `at` is None."""

    times: int = 0
    at: datetime | None = None


@dataclass
class _Wished:
    wish: Wish
    taken: tuple[Picture, ...]
    again: dict[Which, _Again] = field(default_factory=dict)

    def pending(self) -> Picture | None:
        """Return the first that was not looked at yet."""
        return next((each for each in self.taken if each.state is PictureState.PENDING), None)

    def tried_again(self, now: datetime) -> Picture | None:
        """Return the first that is looked at once more."""
        due = {which for which, again in self.again.items() if again.at is not None and again.at <= now}
        return next((each for each in self.taken if each.which in due), None)


class Album:
    """The wishes by the names of their Previews, and the pictures that were taken for them."""

    def __init__(self, shelf: Shelf, now: Callable[[], datetime], most: int = MOST_PREVIEWS) -> None:
        self._shelf, self._now, self._most = shelf, now, most
        self._wished: OrderedDict[str, _Wished] = OrderedDict()

    @property
    def previews(self) -> int:
        """Of how many Previews there are pictures, or are to be."""
        return len(self._wished)

    @property
    def kept(self) -> tuple[int, int]:
        """How many bytes of pictures are kept, and how many at most."""
        return self._shelf.size, self._shelf.most

    @property
    def waiting(self) -> int:
        """How many pictures are still to be taken."""
        pending = PictureState.PENDING
        return sum(each.state is pending for known in self._wished.values() for each in known.taken)

    def wish(self, name: str, wish: Wish) -> Standing:
        """Take a wish, in place of any other for this Preview; return how its pictures stand.

        The same wish once more changes only its end, its bearer and whether it only asks. A new one that only
        asks is not kept.
        """
        self._drop_what_is_over()
        known = self._wished.get(name)
        if known is not None and known.wish.of == wish.of:
            known.wish = wish
            return Standing(wish.of, known.taken)
        self.forget(name)
        taken = pictures_of(wish)
        if wish.only_asks:
            return Standing(wish.of, taken)
        if len(self._wished) >= self._most:
            return Standing(wish.of, without_room(taken))
        self._wished[name] = _Wished(wish, taken)
        return Standing(wish.of, taken)

    def forget(self, name: str) -> None:
        """Forget a Preview and its pictures."""
        self._wished.pop(name, None)
        self._shelf.drop(lambda key: key.name == name)

    def content(self, name: str, sha: str, file: str) -> bytes | None:
        """Return a picture that was taken of this commit; None if there is none."""
        self._drop_what_is_over()
        known = self._wished.get(name)
        if known is None or known.wish.sha != sha:
            return None
        return self._shelf.get(Key(name, sha, file))

    def next(self) -> Job | None:
        """Return what is to be taken now, None if nothing is: one of each Preview in turn.

        What was never looked at comes before what is tried again.
        """
        self._drop_what_is_over()
        now = self._now()
        may = [(name, known) for name, known in self._wished.items() if may_look(known.wish, now)]
        first = ((name, known, known.pending()) for name, known in may)
        again = ((name, known, known.tried_again(now)) for name, known in may)
        for name, known, due in (*first, *again):
            if due is not None:
                # One that never finishes loading keeps the others waiting for one picture, and not for all.
                self._wished.move_to_end(name)
                return Job(name, known.wish, due)
        return None

    def seconds_until_next(self) -> float | None:
        """Return in how many seconds something is tried again, 0 if that is now; None if nothing is."""
        now = self._now()
        at = [
            again.at
            for known in self._wished.values()
            if may_look(known.wish, now)
            for again in known.again.values()
            if again.at is not None
        ]
        return max(0.0, (min(at) - now).total_seconds()) if at else None

    def done(self, job: Job, picture: Picture, content: bytes) -> None:
        """Note what became of a picture; `content` is kept if it was taken and is still wished for."""
        known = self._wished.get(job.name)
        if known is None or known.wish.of != job.wish.of:
            return
        if picture.state is PictureState.TAKEN:
            key = Key(job.name, job.wish.sha, file_of(known.taken, job.picture))
            gone = self._shelf.put(key, content)
            if gone is None:
                picture = without_room((picture,))[0]
            for other in gone or ():
                self._lose(other)
        self._note(known, picture)
        again = known.again.setdefault(picture.which, _Again())
        tries = may_pass(picture) and again.times < len(TRIED_AGAIN)
        again.at = self._now() + TRIED_AGAIN[again.times] if tries else None
        again.times += 1

    def _lose(self, key: Key) -> None:
        """Say of a picture that it is gone: taken anew, it would push out another, without end."""
        known = self._wished.get(key.name)
        picture = named(known.taken, key.file) if known is not None else None
        if known is not None and picture is not None:
            gone = replace(picture, state=PictureState.REFUSED, why=NoPicture.NO_ROOM)
            self._note(known, gone)

    def _note(self, known: _Wished, picture: Picture) -> None:
        known.taken = tuple(picture if each.which == picture.which else each for each in known.taken)

    def _drop_what_is_over(self) -> None:
        now = self._now()
        for name in [name for name, known in self._wished.items() if known.wish.until <= now]:
            self.forget(name)
