"""A comment that hides a command from whoever reads it, quotes one, or is made to be slow to read."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from previewbot.api import Phase
from previewbot.rules.commands import Command, excerpt, parse
from tests.support.passes import ready

LONGEST = 65_536
"""GitHub's limit of a comment, in characters."""

END = "\n/preview stop"

STOP = (Command("stop"),)


def of_length(piece: str, length: int) -> str:
    """Return a text of so many characters that is this piece again and again, with a command at its end."""
    return (piece * (length // len(piece) + 1))[: length - len(END)] + END


def steps(body: str) -> int:
    """Return how many lines of Python it takes to read a comment."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        parse(body)
    finally:
        sys.settrace(before)
    return count


PIECES = [
    *("`", "`a", "`\n", "` `` ", "<", "<a\n", "<a>\n", "<!--", "<!-- -->", "-> <!--\n", "<code>", "<pre>\n"),
    *("> ", ">", "- ", "- a\n", "-\n", "1. ", "#", "*", "_", "~~~\n", "```a`\n", "- " * 20 + "\n" * 40),
    *("\n", " \n", "\t\n", "\\`", "&nbsp;", "[a]: b (", "\u200b", "a\u2028", "@a ", "**/preview "),
    *("<?", "<!X", '<a "', "<a b='", "<div>\n", "<br>", "[a]: b\n", '[a]: b "', "> <!--\n\n"),
    *("/preview\n", "/preview x", "/preview- "),
]


@pytest.mark.parametrize("piece", PIECES)
def test_reading_a_comment_takes_steps_in_proportion_to_its_length(piece: str) -> None:
    short, long = steps(of_length(piece, 2_000)), steps(of_length(piece, 8_000))

    assert long <= 4.6 * short + 2_000


@pytest.mark.parametrize("piece", PIECES)
def test_of_the_longest_comment_little_is_kept(piece: str) -> None:
    body = of_length(piece, LONGEST)

    assert len(excerpt(body)) < 6_000
    assert parse(excerpt(body)) == parse(body)


@pytest.mark.parametrize(
    "body",
    [
        "Looks good!\n\n<!--\n/preview stop\n-->",
        "<details><!-- x\n\n/preview stop\n\n--></details>",
        "> /preview stop\n\nWhy did you write that?",
        "Write this:\n```\n/preview stop\n```",
    ],
)
async def test_what_nobody_sees_or_somebody_else_said_stops_nothing(body: str) -> None:
    world = await ready()
    world.say(body)
    await world.settle(4)

    assert world.status.phase is Phase.READY
    assert world.github.reacted == []


ESCAPED = "\\```x `\n/preview help"
"""The first of three backticks is escaped, and there are no other two in a row."""


async def test_no_stranger_s_comment_keeps_anybody_from_being_obeyed() -> None:
    world = await ready()
    world.github.permissions["mallory"] = "read"
    world.github.say(ESCAPED, "mallory")
    world.say("/preview stop")
    await world.settle(6)

    assert world.status.phase is Phase.STOPPED


@pytest.mark.parametrize("run", range(1, 6))
def test_an_escaped_backtick_in_a_run_is_no_mistake_of_ours(run: int) -> None:
    for before in ("", "x ", "``` `` ", "\n\n", "`a` "):
        for after in ("", " x", " `", " ``", " ``` x", "\\`", "\n\n`", "\\\\`"):
            assert parse(f"{before}\\{'`' * run}{after}\n\n/preview stop") == STOP
