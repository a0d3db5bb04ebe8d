"""Words of others as one line for a terminal or a log."""

from __future__ import annotations

_LONGEST = 500
RUNNER_COMMAND = "##["
"""What begins a command to GitHub's runner wherever in a line of a step's output it stands."""


def one_line(words: str) -> str:
    """Return words as one line that neither a terminal nor GitHub's runner obeys, cut to what people read.

    The runner takes `##[name]` for a command, and `::name::` where a line begins with it
    (https://github.com/actions/runner/blob/v2.328.0/src/Runner.Common/ActionCommand.cs); ours never begin
    with words of others.
    """
    line = " ".join(words[: 4 * _LONGEST].split())
    line = "".join(char if char.isprintable() else "?" for char in line)
    line = line.replace(RUNNER_COMMAND, "## [")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
