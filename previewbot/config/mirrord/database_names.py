"""What a copy of a database is called in a preview: what its id says besides the environment key."""

from __future__ import annotations

import hashlib
import re

from previewbot.config.keys import KEY

_DIGITS = 6


def plain_words(text: str) -> str:
    """Return a text's words in small letters and digits, with - between them, and without the key."""
    return re.sub(r"[^a-z0-9]+", "-", text.replace(KEY, "").lower()).strip("-")


def name_in(said: str, most: int) -> str:
    """Return the name that an id says: what follows the key, or a name like it; empty if it says none.

    Two ids have two names, also where they are long or differ in their signs alone.
    """
    named = said.removeprefix(f"{KEY}-")
    plain = plain_words(said)
    if re.fullmatch("[a-z0-9]([a-z0-9-]*[a-z0-9])?", named) and len(named) <= most:
        return named
    if not plain:
        return ""
    tail = hashlib.sha256(said.encode()).hexdigest()[:_DIGITS]
    return f"{plain[: most - _DIGITS - 1].strip('-')}-{tail}"
