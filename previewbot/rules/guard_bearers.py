"""The bearer with which a program gets past the guard into one preview, until an end that it names. Pure.

`pvb1.<environment key>.<seconds since 1970>.<signature>`: it needs no Preview, so that a route which only
tries the gateway has one too, and nobody is asked whether it counts.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from previewbot.rules.environment_keys import FIRST_LABEL, environment_key

HEADER = "x-previewbot-bearer"

_VERSION = "pvb1"
_PURPOSE = "previewbot: a bearer past the guard"
_PROOF = "previewbot: the guard refused a stranger"
_RE = re.compile(
    rf"{_VERSION}\.(?P<key>{FIRST_LABEL})\.(?P<end>[1-9][0-9]{{0,10}})\.(?P<signature>[A-Za-z0-9_-]{{43}})"
)
_LONGEST = 200
_STEP = timedelta(minutes=30)
LASTS = timedelta(hours=1)
"""So long a bearer lasts at least that programs are told of."""
FOR_A_QUESTION = timedelta(seconds=60)
"""So long one lasts with which previewbot itself asks."""

STRANGER = environment_key("stranger.invalid", 1, 1, "")
"""The key of no preview: a bearer that names it must open none."""


class Standing(Enum):
    """What a bearer is worth."""

    COUNTS = auto()
    ENDED = auto()
    WRONG = auto()


def signed(keys: Sequence[bytes], key: str, domain: str, until: datetime) -> str:
    """Return the bearer for the preview of an environment key below a domain; the first of `keys` signs.

    `keys` are base64 in its alphabet for addresses. Raises ValueError if there is none.
    """
    if not keys:
        raise ValueError("there is no key to sign with")
    end = str(int(until.timestamp()))
    return f"{_VERSION}.{key}.{end}.{_signature(keys[0], key, domain, end)}"


def of_a_question(keys: Sequence[bytes], key: str, domain: str, now: datetime) -> str:
    """Return the bearer with which previewbot itself asks for the preview of a key now; raises ValueError if
    there is no key to sign with."""
    return signed(keys, key, domain, now + FOR_A_QUESTION)


def of_a_stranger(keys: Sequence[bytes], domain: str, now: datetime) -> tuple[str, str]:
    """Return a bearer that counts now, and the host that it is for, at which no preview is.

    Who asks for another preview with both must be refused: by a gateway that does not ask the guard they are
    not, nor by one that lets whoever asks say about which host. Raises ValueError if there is no key.
    """
    return of_a_question(keys, STRANGER, domain, now), f"{STRANGER}.{domain}"


def standing(keys: Sequence[bytes], given: str, key: str, domain: str, now: datetime) -> Standing:
    """Return what a bearer is worth at the preview of this key now; any of `keys` may have signed it."""
    found = _RE.fullmatch(given) if len(given) <= _LONGEST else None
    if found is None or found["key"] != key:
        return Standing.WRONG
    end, signature = found["end"], found["signature"]
    # Each is compared, whichever it is, so that time does not tell.
    same = [hmac.compare_digest(_signature(one, key, domain, end), signature) for one in keys]
    if not any(same):
        return Standing.WRONG
    return Standing.COUNTS if int(end) > now.timestamp() else Standing.ENDED


def proof(keys: Sequence[bytes], given: str, key: str, domain: str, now: datetime) -> str:
    """Return what shows that it is the guard that refuses a stranger's bearer at the preview of this key.

    Empty for any other bearer. Only who has `keys` can make it, which the preview's own code has not.
    """
    counts = standing(keys, given, STRANGER, domain, now) is Standing.COUNTS
    return _signed(keys[0], _PROOF, given, key, domain) if counts else ""


def is_proven(keys: Sequence[bytes], found: str, given: str, key: str, domain: str) -> bool:
    """Return whether an answer to a stranger's bearer has the guard's proof, by any of `keys`."""
    given_back = found.encode("utf-8", "replace")
    same = [
        hmac.compare_digest(_signed(one, _PROOF, given, key, domain).encode(), given_back) for one in keys
    ]
    return any(same)


def end_of(given: str) -> datetime:
    """Return when a bearer ends that counts."""
    return datetime.fromtimestamp(int(given.split(".")[2]), UTC)


def end_for_programs(now: datetime) -> datetime:
    """Return the end of a bearer that a program is told of now: in an hour to an hour and a half.

    The same for half an hour, so that what programs are told has no news by the minute.
    """
    seconds = int(_STEP.total_seconds())
    begun = int(now.timestamp()) // seconds * seconds
    return datetime.fromtimestamp(begun, UTC) + LASTS + _STEP


def _signature(key: bytes, environment_key: str, domain: str, end: str) -> str:
    return _signed(key, _PURPOSE, _VERSION, environment_key, domain, end)


def _signed(key: bytes, *words: str) -> str:
    said = "\n".join(words).encode()
    digest = hmac.digest(base64.urlsafe_b64decode(key), said, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
