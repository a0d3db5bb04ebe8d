"""Numbers that stand in a text: whoever may write in a repository can change what an App's comment says."""

from __future__ import annotations

MOST = 2**63 - 1
"""The largest that the API server stores (`format: int64`). One more, and it refuses the whole status
of a Preview, which then neither stops nor ends."""

_MOST_DIGITS = 19


def number_in(text: str | None) -> int:
    """Return the number that a text is; 0 for what is none, and for one that no status can hold."""
    # The length comes first: Python reads no number of thousands of digits, and raises ValueError.
    if not text or len(text) > _MOST_DIGITS or not text.isascii() or not text.isdigit():
        return 0
    number = int(text)
    return number if number <= MOST else 0
