"""Where code in a line of Markdown ends: at the next run of as many backticks (CommonMark 6.1)."""

from __future__ import annotations

import re
from bisect import bisect_left

_RUN = re.compile("`+")


class CodeSpans:
    """The runs of backticks in a text, found once: whoever asks about thousands of them takes no longer."""

    def __init__(self, text: str) -> None:
        self._begins: dict[int, list[int]] = {}
        for run in _RUN.finditer(text):
            self._begins.setdefault(len(run.group()), []).append(run.start())

    def end(self, length: int, after: int) -> int | None:
        """Return where code ends that so many backticks begin, the last of them right before `after`.

        None if nothing closes it: then they are nothing but backticks.
        """
        same = self._begins.get(length, [])
        closing = bisect_left(same, after)
        return same[closing] + length if closing < len(same) else None
