"""The words behind a command's name: services, a commit, a duration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from previewbot.text.durations import parse_duration

_SHA = re.compile(r"[0-9a-f]{7,40}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_MOST_SERVICES = 50


def services_of(words: Sequence[str]) -> tuple[str, ...] | None:
    """Return the services that words name, also with commas between them; None if one can be no name."""
    names = [name for word in words for name in word.lower().split(",") if name]
    if len(names) > _MOST_SERVICES or not all(map(_NAME.fullmatch, names)):
        return None
    return tuple(dict.fromkeys(names))


def commit_of(words: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """Return the commit that words begin with, if they do, and the other words.

    That is 7 to 40 hexadecimal digits. A service may be named so as well: with 40 digits it is a commit for
    sure, with fewer whoever knows the services decides.
    """
    if words and _SHA.fullmatch(words[0].lower()):
        return words[0].lower(), words[1:]
    return None, words


def duration_of(text: str) -> timedelta | None:
    """Return the duration that a text names, also as separate words: `2h 30m`."""
    try:
        for word in text.split():
            parse_duration(word)
        return parse_duration("".join(text.split()))
    except ValueError:
        return None
