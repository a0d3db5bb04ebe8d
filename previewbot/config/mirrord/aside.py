"""Templates in keys of a mirrord file that a preview has no use for: they need not be filled in.

Teams write `"key": "{{ get_env(name='USER') }}"`, or a folder of their own machines under `feature.fs`. What
stands there has no effect on a preview, so that nobody has to change it; anywhere else it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from previewbot.config.reader import Document
from previewbot.config.schema import KeyPath

ASIDE = "\ue001"
"""Stands, with a number between two of it, for a template while a file is read; no file may have it."""

# What mirrord's CLI can fill in: any other name it refuses, and a file that it refuses helps nobody.
_KNOWN = re.compile(r"\{\{-?[ \t]*(?:(?:get_env|get_random|now)[ \t]*\(|(?:git_branch|key)\b)[^{}\n]*\}\}")
_MARKED = re.compile(f"{ASIDE}([0-9]+){ASIDE}")


class Aside:
    """A text whose templates are set aside: `text` has a mark for each, `written` what it stands for."""

    def __init__(self, text: str) -> None:
        self.written: list[str] = _KNOWN.findall(text)
        numbers = iter(range(len(self.written)))
        self.text = _KNOWN.sub(lambda _: f"{ASIDE}{next(numbers)}{ASIDE}", text)

    def places(self, document: Document) -> Iterator[tuple[int, KeyPath]]:
        """Yield in which key of a document each template stands; its name is of the key that it is in."""
        return _places(document.value, ())

    def with_only(self, used: Collection[int]) -> str:
        """Return the text with those templates in it, and marks in place of the others."""
        kept = frozenset(used)
        return _MARKED.sub(
            lambda found: self.written[int(found[1])] if int(found[1]) in kept else found[0], self.text
        )

    def put_back(self, document: Document) -> Document:
        """Return a document with all templates as they are written."""
        document.value = self._back(document.value)
        document.places = {
            tuple(self._text(part) if isinstance(part, str) else part for part in path): place
            for path, place in document.places.items()
        }
        return document

    def _back(self, value: object) -> object:
        if isinstance(value, dict):
            return {
                self._text(name) if isinstance(name, str) else name: self._back(inner)
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self._back(inner) for inner in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        return _MARKED.sub(lambda found: self.written[int(found[1])], text)


def is_within(path: KeyPath, keys: Collection[KeyPath]) -> bool:
    """Whether a path is one of these keys, or within one."""
    return any(path[:end] in keys for end in range(1, len(path) + 1))


def _places(value: object, path: KeyPath) -> Iterator[tuple[int, KeyPath]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from ((int(number), path) for number in _MARKED.findall(str(name)))
            yield from _places(inner, (*path, str(name)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _places(inner, (*path, number))
    elif isinstance(value, str):
        yield from ((int(number), path) for number in _MARKED.findall(value))
