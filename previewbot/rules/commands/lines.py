"""Which lines of a comment give a command: those that begin with `/preview`, outside quotes and code."""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORD = re.compile(r"/preview(?=\s|$)", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


def command_lines(body: str) -> Iterator[str]:
    """Yield the lines that give a command, with each of their words apart by one space."""
    # Most comments give none, and of the longest nothing is copied then.
    if "/preview" not in body.lower():
        return
    fence = ""
    for line in body.splitlines():
        opened = _FENCE.match(line)
        if opened:
            marks = opened.group(1)
            if not fence:
                fence = marks
            elif marks.startswith(fence):
                fence = ""
            continue
        words = " ".join(line.split())
        if not fence and not line.startswith(("    ", "\t")) and _WORD.match(words):
            yield words
