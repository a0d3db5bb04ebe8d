"""Characters that nobody sees: what hides, reverses or joins others, or fills a place without showing.

Whoever reads a comment sees less than a program that reads it, such as a coding agent, which would take text
that is written in them for words of ours.
"""

from __future__ import annotations

import re

# Control characters but for tabs and line ends, what Unicode calls default-ignorable (variation selectors and
# tags among them, in which any text can be written: https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point),
# line and paragraph separators, annotations, and halves of characters, which no encoding can write.
_UNSEEN_RE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def seen(text: str) -> str:
    """Return a text without what nobody sees; tabs and line ends stay."""
    return _UNSEEN_RE.sub("", text)


def one_line_of(text: object) -> str:
    """Return what people see of a text, as one line; what parts lines, seen or not, parts words."""
    return " ".join(filter(None, map(seen, str(text).split())))
