"""The Previews of the store as values, each read once per change."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from pydantic import ValidationError

from previewbot.api import Preview, from_object

log = logging.getLogger(__name__)


class Objects(Protocol):
    """What the Previews are read from: the objects as they are now, and a number that changes with any."""

    revision: int

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Yield the objects."""


class Previews:
    """Call it for the current Previews; one that cannot be read is left out, and said once."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._revision: int | None = None
        self._current: tuple[Preview, ...] = ()
        self._read: dict[str, tuple[Mapping[str, Any], Preview | None]] = {}

    def __call__(self) -> tuple[Preview, ...]:
        """Return the Previews, in no order; the very same tuple while nothing changes."""
        # Each of thousands that wait asks for all others in each of its passes.
        if self._revision == self._objects.revision:
            return self._current
        read: dict[str, tuple[Mapping[str, Any], Preview | None]] = {}
        for obj in self._objects:
            name = obj["metadata"]["name"]
            known = self._read.get(name)
            # The cache replaces an object whenever it changes and never alters one, so the same object has
            # the same value.
            read[name] = known if known is not None and known[0] is obj else (obj, readable(obj))
        self._read, self._revision = read, self._objects.revision
        self._current = tuple(preview for _, preview in read.values() if preview is not None)
        return self._current


def readable(obj: Mapping[str, Any]) -> Preview | None:
    """Return an object as a Preview; None, said in the log, if it cannot be read."""
    try:
        return from_object(obj)
    # One Preview that somebody edited by hand must not stop the work for all others.
    except (ValidationError, KeyError, ValueError) as error:
        extra = {"preview": obj["metadata"]["name"], "error": str(error)}
        log.error("a Preview cannot be read", extra=extra)
        return None
