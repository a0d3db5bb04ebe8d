"""Lines that are too long, cut so that it shows."""

from __future__ import annotations

_MARK = " … "
_HEAD_SHARE = 0.33
"""Of what is kept, so much is the beginning."""

_WORD_AT_MOST = 24
"""A cut moves by so many characters at most, so that it falls between words."""


def cut_at_the_end(line: str, length: int) -> str:
    """Return a line of at most so many characters that has its beginning."""
    return line if len(line) <= length else f"{line[: length - 1]}…"


def cut_to_bytes(text: str, most: int) -> str:
    """Return the beginning of a text that has at most so many bytes; no character is cut in half."""
    return text.encode(errors="replace")[:most].decode(errors="ignore")


def as_quotation(text: str, length: int = 80) -> str:
    """Return what somebody wrote as one line that can be shown: short, its words apart by one space.

    Without control characters, which could hide or turn what stands around it.
    """
    clean = "".join(char if char.isprintable() else " " for char in " ".join(text.split()))
    return cut_at_the_end(clean, length)


def cut_in_the_middle(line: str, length: int) -> str:
    """Return a line of at most so many characters that has its beginning and its end.

    What was tried stands at the beginning of a message, why it failed at its end. Only for what is masked
    already (`rules/masking.py`): without its middle a line may have lost the name by which a secret behind it
    is known.
    """
    if len(line) <= length:
        return line
    head = int((length - len(_MARK)) * _HEAD_SHARE)
    tail = length - len(_MARK) - head
    return f"{_until_a_word(line[:head])}{_MARK}{_from_a_word(line[-tail:])}"


def _until_a_word(text: str) -> str:
    place = text.rfind(" ", max(0, len(text) - _WORD_AT_MOST))
    return text[:place] if place > 0 else text


def _from_a_word(text: str) -> str:
    place = text.find(" ", 0, _WORD_AT_MOST)
    return text[place + 1 :] if place >= 0 else text
