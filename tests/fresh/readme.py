"""The README's two commands, as they stand there: what somebody who has just cloned it types."""

from __future__ import annotations

import re

HEADING = "## Try it: two commands"
"""How the section begins that has the commands, each an indented line of its own."""


def two_commands(readme: str) -> tuple[str, str]:
    """Return the command that does the main job and the one that passes the tests; raises ValueError."""
    section = re.search(rf"^{HEADING}.*?\n(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL)
    if section is None:
        raise ValueError(f"README.md has no section “{HEADING} …” with the two commands")
    found = re.findall(r"^ {4}(\S.*)$", section[1], re.MULTILINE)
    if len(found) != 2:
        raise ValueError(f"README.md's section “{HEADING} …” has {len(found)} commands, not two: {found}")
    return found[0], found[1]
