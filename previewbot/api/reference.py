"""What names a pull request on the command line: `acme/shop#42`, or its address in a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from previewbot.api.names import is_full_name

_SHORT = re.compile(r"(?P<name>[^\s#]+)#(?P<number>[1-9][0-9]{0,17})")
_PATH = re.compile(r"/(?P<name>[^/]+/[^/]+)/(?:pull|pulls|issues)/(?P<number>[1-9][0-9]{0,17})(?:/.*)?")
_EXAMPLE = "write it like acme/shop#42, or give the pull request's address"


@dataclass(frozen=True)
class Reference:
    """A pull request by its repository's name and its number; `host` is that of an address, else empty."""

    repository: str
    number: int
    host: str = ""

    def __str__(self) -> str:
        return f"{self.repository}#{self.number}"


def reference_from(text: str) -> Reference:
    """Read what a person wrote; raises ValueError, with what to write instead."""
    text = text.strip()
    if "://" in text:
        parts = urlsplit(text)
        found = _PATH.fullmatch(parts.path)
        host = parts.netloc.rpartition("@")[2].lower()
    else:
        found, host = _SHORT.fullmatch(text), ""
    if found is None or not is_full_name(found["name"]):
        raise ValueError(f"{text!r} names no pull request: {_EXAMPLE}")
    return Reference(found["name"], int(found["number"]), host)
