"""Whether a text is a JSONPath, as mirrord's CLI asks for it (https://www.rfc-editor.org/rfc/rfc9535)."""

from __future__ import annotations

import re

_NAME = r"[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*"
_TEXT = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_NUMBER = r"-?(?:0|[1-9][0-9]*)"
_SLICE = rf"(?:{_NUMBER})?\s*:\s*(?:{_NUMBER})?(?:\s*:\s*(?:{_NUMBER})?)?"
_SHORT = re.compile(rf"\s*(?:\.\.?(?:{_NAME}|\*)|(?:\.\.)?\[)")
_SELECTOR = re.compile(rf"\s*(?:{_TEXT}|\*|{_SLICE}|{_NUMBER})\s*")
_CLOSING = {"[": "]", "(": ")"}


def is_json_path(text: str) -> bool:
    """Return whether a text is a JSONPath; of what its filters compare, only that it ends is looked at."""
    if not text.startswith("$"):
        return False
    at = 1
    while at < len(text):
        segment = _SHORT.match(text, at)
        if segment is None:
            return False
        at = segment.end()
        if segment[0].endswith("["):
            end = _bracket(text, at)
            if end is None:
                return False
            at = end
    return True


def _bracket(text: str, at: int) -> int | None:
    """Return where the selectors in brackets end, that begin here; None if they do not."""
    while True:
        selector = _SELECTOR.match(text, at)
        end = selector.end() if selector else _filter(text, at)
        if end is None or end >= len(text):
            return None
        if text[end] == "]":
            return end + 1
        if text[end] != ",":
            return None
        at = end + 1


def _filter(text: str, at: int) -> int | None:
    """Return where a filter selector ends: before the comma or bracket that is not its own."""
    begins = re.compile(r"\s*\?\s*(?=[^\s,\]])").match(text, at)
    if begins is None:
        return None
    at, within = begins.end(), list[str]()
    token = re.compile(rf"{_TEXT}|.", re.DOTALL)
    while at < len(text):
        found = token.match(text, at)
        sign = found[0] if found else ""
        if not within and sign in (",", "]"):
            return at
        if sign in _CLOSING:
            within.append(_CLOSING[sign])
        elif sign in ("]", ")"):
            if not within or within.pop() != sign:
                return None
        elif sign in ("'", '"'):
            return None
        at = found.end() if found else len(text)
    return None
