"""The environment key in a configuration that is read for all pull requests: `{{ key }}`, nothing else.

mirrord's CLI renders a file with a template language, in which `get_env` reads the variables of whoever runs
it. Here that would be previewbot's own: so there is no such language, and whatever looks like it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

KEY = "\ue000"
"""Stands for the environment key in every text of a configuration that was read.

It is a character for private use, which no configuration may have.
"""

_KEY = re.compile(r"\{\{[ \t]*key[ \t]*\}\}")
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
_CLOSING = {"{{": "}}", "{%": "%}", "{#": "#}"}
_LONGEST = 60


class Template(NamedTuple):
    """What looks like a template and is not `{{ key }}`: where it begins (from 0), and how it is written."""

    at: int
    written: str


def value_pattern(key: str) -> str:
    """Return the pattern that an attribute of a key's messages matches, as mirrord's documentation has it."""
    return f".*mirrord-session={key}.*"


def header_pattern(header: str, key: str) -> str:
    """Return the pattern that a header of a key's requests matches, byte for byte as the CLI writes it."""
    return f"^{header}: {value_pattern(key)}$"


def with_marks(text: str) -> str:
    """Return a text in which `KEY` stands wherever `{{ key }}` was written; lines stay where they were."""
    return _KEY.sub(KEY, text)


def templates(text: str) -> Iterator[Template]:
    """Yield what a text in which the keys are marked may not have; the mark itself, where it was written."""
    for found in _TEMPLATE.finditer(text):
        rest = text[found.start() : found.start() + _LONGEST].split("\n")[0]
        end = rest.find(_CLOSING[found[0]])
        yield Template(found.start(), rest[: end + 2] if end >= 0 else rest)
