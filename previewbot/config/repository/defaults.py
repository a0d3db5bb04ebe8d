"""`defaults` and the short ways to write a service: made whole in the document, before it is judged.

A value that comes from `defaults` keeps the line where it is written there, so that a mistake in it is told
at that line, and once, however many services go by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from previewbot.config.reader import Document, Place, Unreadable
from previewbot.config.repository.image_fields import SERVICE_FIELD
from previewbot.config.schema import KeyPath
from previewbot.config.types import is_label

SERVICES, DEFAULTS = "services", "defaults"
_MOST_SIGNS = 512 * 1024
"""How much `defaults` may become in all services together: one long text is some 60 KB in each of 2,000."""

_A_PLACE, _A_PLACE_OF_AN_OBJECT = 16, 128
"""How much counts what is written at one place, and what of that takes long to read."""

# Which service an image is of, is filled in with the commit: its template stays as it is written.
_AS_WRITTEN = ("image",)


def complete(document: Document) -> None:
    """Make every service of a document whole: with `{service}` filled in, and what `defaults` say.

    A list is a service's `paths`, and one without a value has all from `defaults`. Raises Unreadable where
    that would be too much to go on.
    """
    root = document.value
    services = root.get(SERVICES) if isinstance(root, dict) else None
    if isinstance(root, dict) and isinstance(services, dict):
        written = root.get(DEFAULTS)
        defaults = written if isinstance(written, Mapping) else {}
        work = _Completing(document, defaults)
        root[SERVICES] = {name: work.completed(str(name), service) for name, service in services.items()}


class _Completing:
    """Completes one service after the other, and counts how much that makes."""

    def __init__(self, document: Document, defaults: Mapping[str, object]) -> None:
        self._document = document
        self._defaults = {key: value for key, value in defaults.items() if value is not None}
        # What a default is about, nobody need look for anew with each service.
        self._below = {key: _below(document, (DEFAULTS, key)) for key in self._defaults}
        # A mirrord object with the service's name in it is read for each service, and not once.
        self._read_for_each = {key for key in ("mirrord",) if SERVICE_FIELD in repr(self._defaults.get(key))}
        self._left = _MOST_SIGNS

    def completed(self, name: str, service: object) -> object:
        """Return a service with what it leaves out; what is no service stays for others to judge."""
        path = (SERVICES, name)
        if isinstance(service, list):
            self._move_below(path, (*path, "paths"))
            service = {"paths": service}
        if service is None:
            service = {}
        if not isinstance(service, dict):
            return service
        own = {key: self._filled(value, name, key) for key, value in service.items()}
        # A name that is wrong is told where it stands, and not once more in what `defaults` make of it.
        name_there = name if is_label(name) else "service"
        return {
            **own,
            **{key: self._taken(name, key, name_there) for key in self._defaults if key not in own},
        }

    def _taken(self, name: str, key: str, filled_in: str) -> object:
        """Return a service's value from `defaults`, and note where it is written."""
        for below in self._below[key]:
            self._spend(_A_PLACE_OF_AN_OBJECT if key in self._read_for_each else _A_PLACE)
            # A queue may be called `{service}-jobs`: its keys are found under that name.
            inner = (SERVICES, name, *(self._filled(part, filled_in, key) for part in below[1:]))
            self._document.places[inner] = self._document.places[below]
            self._document.origins[inner] = below
        return self._filled(self._defaults[key], filled_in, key)

    def _filled(self, value: Any, name: str, key: object) -> Any:
        if isinstance(value, list):
            return [self._filled(inner, name, key) for inner in value]
        if isinstance(value, dict):
            return {
                self._filled(inner, name, key): self._filled(each, name, key) for inner, each in value.items()
            }
        if isinstance(value, str) and key not in _AS_WRITTEN and SERVICE_FIELD in value:
            self._spend(len(value) + value.count(SERVICE_FIELD) * len(name))
            return value.replace(SERVICE_FIELD, name)
        return value

    def _spend(self, signs: int) -> None:
        self._left -= signs
        if self._left < 0:
            line = self._document.places.get((DEFAULTS,), Place(0, 0)).key_line
            raise Unreadable(line, "defaults_many")

    def _move_below(self, start: KeyPath, end: KeyPath) -> None:
        places = self._document.places
        for path in _below(self._document, start):
            places[(*end, *path[len(start) :])] = places[path]


def _below(document: Document, start: KeyPath) -> list[KeyPath]:
    """Return where a value is written, and everything in it."""
    value = document.value
    for key in start:
        value = value[key] if isinstance(value, dict) else None
    rest, found = [(start, value)], []
    while rest:
        path, value = rest.pop()
        found.append(path)
        if isinstance(value, dict):
            rest += [((*path, str(key)), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            rest += [((*path, at), inner) for at, inner in enumerate(value)]
    return [path for path in found if path in document.places]
