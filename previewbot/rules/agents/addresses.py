"""Addresses of pages, compared by host and path, as the table has them (`app.devin.ai/sessions/`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

# Not one within another, as in `https://example.com/?to=https://app.devin.ai/sessions/1`.
_URL = re.compile(r"(?<![A-Za-z0-9+.=&?/%#:@-])https?://([^\s<>\"'`()\[\]{}|\\^\ufffc]+)", re.IGNORECASE)
_PARTS = re.compile(r"([^/?#]*)([^?#]*)(.*)", re.DOTALL)
_QUESTION = re.compile("%3[fF]")
# What leads to the folder above, or to none, also as browsers read it
# (https://url.spec.whatwg.org/#double-dot-path-segment).
_DOTS = re.compile(r"(?:\.|%2[eE]){1,2}")
_CUT = frozenset("/_-=")
"""What a value ends with that something must follow."""


def addresses_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield the addresses in a text: the host in small letters, and all of it without the scheme."""
    for found in _URL.finditer(text):
        host, path, rest = _split(found[1])
        if host:
            yield host, f"{host}{path}{rest}"


def host_of(value: str) -> str:
    """Return the host of a value of the table."""
    return value.partition("/")[0]


def matches(value: str, address: str) -> bool:
    """Return whether an address without its scheme begins as a value of the table says."""
    return _pattern(value).match(address) is not None


def shortest(value: str) -> str:
    """Return the shortest address that a value means."""
    return f"https://{value.replace('*', 'x')}{'0' if value[-1] in _CUT else ''}"


def _split(written: str) -> tuple[str, str, str]:
    """Return host, path and rest; no host where a browser would go elsewhere than it looks."""
    # Some agents write the address with its `?` quoted once too often.
    parts = _PARTS.fullmatch(_QUESTION.sub("?", written, count=1))
    if parts is None:
        return "", "", ""
    host, path, rest = parts[1].lower().removesuffix(":443").removeprefix("www."), parts[2], parts[3]
    # A name before an @ is no host, and `/sessions/../review/1` is a review.
    if "@" in host or ":" in host or any(_DOTS.fullmatch(part) for part in path.split("/")):
        return "", "", ""
    return host, path, rest


@cache
def _pattern(value: str) -> re.Pattern[str]:
    place, _, name = value.partition("?")
    path = re.escape(place).replace(r"\*", "[^/?#]+")
    if name:
        return re.compile(rf"{path}/?\?(?:[^#]*&(?:amp;)?)?{re.escape(name)}[A-Za-z0-9]")
    return re.compile(path + ("[A-Za-z0-9]" if place[-1] in _CUT else r"(?=[/?#]|$)"))
