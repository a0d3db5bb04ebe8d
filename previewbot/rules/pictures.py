"""What is pictured, how a wish for pictures and its answer are written, and what is no evidence. Pure.

The controller makes a wish, the worker (`previewbot pictures`) answers how each picture stands, and pages
shows them: what they say to each other is here, for all three.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, TypeAdapter, ValidationError

from previewbot.api.pictures import MOST_OF_A_PATH, MOST_PATHS, Device, NoPicture, Picture, PictureState, Side
from previewbot.api.value import Value

LEAST_COLOURS = 8
"""So many different colours a picture has at least: an empty page has one or two, a line of text dozens."""

MOST_BYTES = 4 * 1024 * 1024
"""Of one picture; noise of the largest size has three million."""

MOST_OF_A_WISH = 4096 + MOST_PATHS * 3 * (MOST_OF_A_PATH + 512)
"""Bytes of a wish as it is sent: each path stands in it three times, twice behind a host."""

MOST_OF_A_STANDING = 4096 + MOST_PATHS * len(Device) * len(Side) * (MOST_OF_A_PATH + 512)
"""Bytes of what is answered to it: each path once for each picture, beside how that stands."""

MOST_ADDRESSES = 16
"""Of a Gateway that a wish names."""

TRIED_AGAIN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
"""When that is looked at again whose reason may pass: so long after the look before, and then no more."""

NAME = r"gh-[0-9]{1,19}-[0-9]{1,19}"
SHA = r"[0-9a-f]{40,64}"
FILE = r"[0-9]{1,2}-(?:phone|desktop)-(?:before|after)"
"""What names a Preview, a commit and a picture in an address."""

_DEVIATIONS = frozenset("\u00df\u03c2\u200c\u200d")
_PURPOSE = b"previewbot: a picture that anybody may see\0"
_ERROR, _ERROR_OF_THE_SERVER = 400, 500
_MAY_PASS = frozenset(
    {
        NoPicture.NO_ANSWER,
        NoPicture.TOO_LATE,
        NoPicture.CERTIFICATE,
        NoPicture.OTHER_COMMIT,
        NoPicture.OTHER,
    }
)


class NoWish(ValueError):
    """What was sent is no wish for pictures; the text says what is wrong, without its values."""


@dataclass(frozen=True)
class Place(Value):
    """One path, and where it is seen with the pull request's services and without."""

    path: Annotated[str, Field(max_length=MOST_OF_A_PATH)]
    with_url: str
    without_url: str


@dataclass(frozen=True)
class Wish(Value):
    """What is to be pictured: `places`, while `sha` serves there, and until when anybody wants to see it.

    `serving_since` is when that began: what was started anew is looked at anew, also of the same commit.
    `bearer` lets whoever sends it through the guard before the preview; empty where there is none.
    It ends at `bearer_until`, and nothing is looked at with one that has ended. With `only_asks` nothing is
    looked at either: how they stand is asked of what sleeps, which a look would wake. `asks_of` is the `of`
    of the wish that is asked about, whose places are not known any more but for their paths.
    `addresses` are where the preview's host is, if its name is not known in the cluster.
    """

    sha: Annotated[str, Field(pattern=f"^{SHA}$")]
    until: datetime
    places: Annotated[tuple[Place, ...], Field(min_length=1, max_length=MOST_PATHS)]
    bearer: Annotated[str, Field(max_length=1024)] = field(default="", repr=False)
    addresses: Annotated[tuple[str, ...], Field(max_length=MOST_ADDRESSES)] = ()
    serving_since: datetime | None = None
    bearer_until: datetime | None = None
    only_asks: bool = False
    asks_of: Annotated[str, Field(max_length=64)] = ""

    @property
    def of(self) -> str:
        """What tells it from other wishes: bearer, end and whether it only asks change, and nothing is taken
        anew for that."""
        if self.asks_of:
            return self.asks_of
        since = self.serving_since.timestamp() if self.serving_since else None
        places = [(each.path, each.with_url, each.without_url) for each in self.places]
        said = repr((self.sha, since, places))
        return hashlib.sha256(said.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Standing(Value):
    """What the worker answers to a wish: how each picture stands."""

    of: str
    taken: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Seen:
    """What a browser saw of a page: the host that it was led to last, what answered there, and its colours.

    `host` is empty and `status` 0 where nothing was asked or answered; `commit` is the one that the answer
    names (`x-preview-sha`), empty where it names none; `failure` is why there is no picture. `left_out` are
    other hosts of which the page wanted something, in vain.
    """

    status: int = 0
    host: str = ""
    colours: int = 0
    commit: str = ""
    failure: NoPicture | None = None
    left_out: tuple[str, ...] = ()


_WISH, _STANDING = TypeAdapter(Wish), TypeAdapter(Standing)


def wish_object(wish: Wish) -> dict[str, Any]:
    """Return a wish as JSON."""
    dumped: dict[str, Any] = _WISH.dump_python(wish, mode="json", by_alias=True)
    return dumped


def wish_from(content: bytes) -> Wish:
    """Return the wish that somebody sent; raises NoWish."""
    try:
        wish = _WISH.validate_json(content)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "the whole"
        raise NoWish(f"no wish for pictures: {where} is not as it should be") from None
    if wish.until.tzinfo is None:
        raise NoWish("no wish for pictures: until has no zone")
    if wish.asks_of and not wish.only_asks:
        raise NoWish("no wish for pictures: asks_of goes with only_asks")
    for place in wish.places:
        if not wish.asks_of and not (_is_web(place.with_url) and _is_web(place.without_url)):
            raise NoWish("no wish for pictures: only http and https are looked at, without a login")
    return wish


def may_look(wish: Wish, now: datetime) -> bool:
    """Return whether something may be looked at for a wish now."""
    ended = bool(wish.bearer) and wish.bearer_until is not None and wish.bearer_until <= now
    return not wish.only_asks and not ended


def standing_object(standing: Standing) -> dict[str, Any]:
    """Return an answer as JSON."""
    dumped: dict[str, Any] = _STANDING.dump_python(standing, mode="json", by_alias=True)
    return dumped


def standing_from(content: bytes) -> Standing | None:
    """Return what a worker answered; None if it is no such answer."""
    try:
        return _STANDING.validate_json(content)
    except ValidationError:
        return None


def pictures_of(wish: Wish) -> tuple[Picture, ...]:
    """Return what is to be taken for a wish, in the order in which they are taken and named."""
    return tuple(
        Picture(place.path, device, side) for place in wish.places for device in Device for side in Side
    )


def url_of(place: Place, side: Side) -> str:
    """Return what is opened for a picture."""
    return place.with_url if side is Side.AFTER else place.without_url


def at_path(url: str, path: str) -> str:
    """Return another path, with its query and its fragment, at the host of a URL.

    No server is sent the fragment, but the page's script reads it: in many front ends it is the route.
    """
    parts, there = urlsplit(url), urlsplit(path)
    return urlunsplit((parts.scheme, parts.netloc, there.path or "/", there.query, there.fragment))


def path_of(url: str) -> str:
    """Return what follows the host of a URL: its path, its query and its fragment."""
    parts = urlsplit(url)
    return urlunsplit(("", "", parts.path or "/", parts.query, parts.fragment))


def host_of(url: str) -> str:
    """Return the host of a URL as browsers write it, without its port; empty where there is none.

    In small letters and ASCII (IDNA), without a dot at its end. Where the one IDNA and the other differ
    (https://www.unicode.org/reports/tr46/#Deviations) it would be another host than the browser's, so none.
    """
    try:
        host = (urlsplit(url).hostname or "").removesuffix(".")
        return "" if _DEVIATIONS.intersection(host) else host.encode("idna").decode().lower()
    except ValueError:
        return ""


def judged(picture: Picture, seen: Seen, url: str, sha: str) -> Picture:
    """Return a picture of the commit `sha` as it stands after `url` was looked at: it counts, or why it does
    not."""
    if seen.host and seen.host != host_of(url):
        return _refused(picture, NoPicture.OTHER_HOST)
    # After a push the same address shows the next commit a moment before the worker is told of it. Where the
    # Gateway names the commit, no picture of the one is shown as the other's.
    if picture.side is Side.AFTER and seen.commit not in ("", sha):
        return _refused(picture, NoPicture.OTHER_COMMIT)
    if seen.status >= _ERROR:
        return _refused(picture, NoPicture.STATUS, seen.status)
    if seen.failure is not None:
        return _refused(picture, seen.failure)
    if not seen.status:
        return _refused(picture, NoPicture.NO_ANSWER)
    if seen.colours < LEAST_COLOURS:
        return _refused(picture, NoPicture.LEFT_OUT if seen.left_out else NoPicture.BLANK)
    return Picture(picture.path, picture.device, picture.side, PictureState.TAKEN)


def may_pass(picture: Picture) -> bool:
    """Return whether there is no picture for a reason that may be gone soon: a name that is not known yet, a
    Gateway or a pod that is started anew, a policy of the network that is mended."""
    if picture.state is not PictureState.REFUSED:
        return False
    return picture.why in _MAY_PASS or picture.answered >= _ERROR_OF_THE_SERVER


def without_room(pictures: Iterable[Picture]) -> tuple[Picture, ...]:
    """Return these pictures as they stand at a worker that has no room for them."""
    return tuple(_refused(each, NoPicture.NO_ROOM) for each in pictures)


def public_part(secret: bytes, name: str, sha: str) -> str:
    """Return the part of an address that nobody guesses, by which anybody sees the pictures of a commit.

    It is made from the secret that the controller shares with the worker, and has 192 bits.
    """
    said = "\0".join((name, sha)).encode()
    return hmac.new(secret, _PURPOSE + said, hashlib.sha256).hexdigest()[:48]


def _refused(picture: Picture, why: NoPicture, answered: int = 0) -> Picture:
    return Picture(picture.path, picture.device, picture.side, PictureState.REFUSED, why, answered)


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False
