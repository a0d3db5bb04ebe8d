"""Commits whose messages are nothing but trailers.

Who could want it: anybody. The listing asks GitHub for the commits of many pull requests at once, those of
forks among them, and a message may have 65,536 characters. To look each of its lines up with every agent took
two seconds for one message, in which the controller did nothing else.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from previewbot.config.agents import built_in
from previewbot.rules import agents

TABLE = built_in()
LONGEST = 65_536


def calls_for(message: str) -> int:
    """Return how many calls of Python's it takes to see what of a message is kept."""
    kept, calls = agents.signatures(TABLE), 0

    def count(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal calls
        calls += event == "call"

    kept("Fix\n\na: b")
    sys.setprofile(count)
    try:
        kept(message)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize(
    "line",
    [
        "a:\n",
        "a: b\n",
        "Co-authored-by: x <a@b.c>\n",
        "Co-authored-by: <<<\n",
        "Assisted-by:\n",
        "Made-with: x\n",
        "Claude-Session: https://claude.ai/x\n",
        "Agent-Logs-Url: https://github.com/a/b/c\n",
        "Signed-off-by: a\nx\n",
    ],
)
def test_no_line_of_a_message_costs_a_call_for_each_agent(line: str) -> None:
    number = (LONGEST - 5) // len(line)

    assert calls_for("Fix\n\n" + line * number) < 40 * number + 1_000
