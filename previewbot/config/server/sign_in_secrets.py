"""What makes the secrets of a sign-in usable: the App's client secret, and the keys of cookies."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from previewbot.errors import SettingsError

MOST_COOKIE_KEYS = 3
"""The one that encrypts, and those of before that still decrypt."""

_KEY_BYTES = 32
_LEAST_CLIENT_SECRET = 20
"""GitHub's have 40 characters; what is much shorter was cut off when it was copied."""


def client_secret(file: Path, content: bytes) -> str:
    """Return the client secret that `content` of a file holds; raises SettingsError if it holds none."""
    text = content.decode("ascii", errors="replace").strip()
    where = "GitHub makes one in the App's settings, under Client secrets"
    if not text:
        raise SettingsError((f"{file} is empty; it must hold a client secret: {where}",))
    if len(text) < _LEAST_CLIENT_SECRET or not all("!" <= sign <= "~" for sign in text):
        raise SettingsError((f"{file} does not hold one client secret on one line; {where}",))
    return text


def cookie_keys(file: Path, content: bytes) -> tuple[bytes, ...]:
    """Return the keys that `content` of a file holds, one a line, as Fernet takes them; the first encrypts.

    Raises SettingsError if there is none, more than three, or one that is no key.
    """
    lines = (line.strip() for line in content.split(b"\n"))
    found = tuple(dict.fromkeys(line for line in lines if line))
    made = "make one with `openssl rand -base64 32`"
    if not found:
        raise SettingsError((f"{file} is empty; it must hold a key: {made}",))
    if len(found) > MOST_COOKIE_KEYS:
        words = f"{file} holds {len(found)} keys; it must hold {MOST_COOKIE_KEYS} at most: the one that"
        raise SettingsError((f"{words} encrypts first, and those of before it",))
    keys = tuple(map(_as_fernet_takes_it, found))
    if None in keys:
        raise SettingsError((f"{file} holds something that is no key of {_KEY_BYTES} bytes; {made}",))
    return tuple(key for key in keys if key is not None)


def _as_fernet_takes_it(line: bytes) -> bytes | None:
    # openssl writes + and /, where Fernet wants - and _ (https://github.com/fernet/spec/blob/master/Spec.md).
    try:
        raw = base64.b64decode(line.translate(bytes.maketrans(b"-_", b"+/")), validate=True)
    except (binascii.Error, ValueError):
        return None
    return base64.urlsafe_b64encode(raw) if len(raw) == _KEY_BYTES else None
