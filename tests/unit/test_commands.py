"""The grammar of `/preview`."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.rules.commands import MOST_COMMANDS, Command, UnknownCommand, excerpt, parse
from previewbot.text.durations import format_duration

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("/preview", Command("start")),
        ("/preview\n", Command("start")),
        ("/preview   ", Command("start")),
        ("/preview start", Command("start")),
        ("/Preview Start", Command("start")),
        ("/preview\tstart\r\nthanks!", Command("start")),
        (f"/preview start {SHA}", Command("start", sha=SHA)),
        (f"/preview start {SHA.upper()}", Command("start", sha=SHA)),
        ("/preview start 0123456", Command("start", sha="0123456")),
        ("/preview restart", Command("restart")),
        (f"/preview restart {SHA}", Command("restart", sha=SHA)),
        ("/preview stop", Command("stop")),
        ("/preview status", Command("status")),
        ("/preview help\n\nThen read it.", Command("help")),
        ("/preview extend 2h", Command("extend", duration=timedelta(hours=2), text="2h")),
        ("/preview extend 2h 30m", Command("extend", duration=timedelta(hours=2, minutes=30), text="2h 30m")),
        ("/preview extend", Command("extend")),
        ("/preview extend tomorrow", Command("extend", text="tomorrow")),
        ("/preview extend 1 2h", Command("extend", text="1 2h")),
        ("/preview extend -2h", Command("extend", text="-2h")),
    ],
)
def test_a_command_is_understood(body: str, expected: Command) -> None:
    assert (expected,) == parse(body)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "Please /preview stop",
        "preview stop",
        "> /preview stop",
        "/ preview stop",
    ],
)
def test_a_comment_that_does_not_begin_with_the_word_is_no_command(body: str) -> None:
    assert parse(body) == ()


@pytest.mark.parametrize(
    ("body", "suggestion"),
    [
        ("/preview strat", "/preview start"),
        ("/preview stopp", "/preview stop"),
        ("/preview stop now", "/preview stop"),
        ("/preview start main", "/preview start"),
        ("/preview start 012345", "/preview start"),
        (f"/preview start {SHA}0", "/preview start"),
        ("/preview extnd 3h", "/preview extend 3h"),
        ("/preview extnd", "/preview extend 2h"),
        ("/preview 4h", "/preview extend 4h"),
        ("/preview redeploy", "/preview restart"),
        ("/preview delete", "/preview stop"),
        ("/preview make me a sandwich", None),
        ("/preview 😀", None),
    ],
)
def test_a_near_miss_is_answered_with_what_it_may_have_meant(body: str, suggestion: str | None) -> None:
    assert (UnknownCommand(text=body, suggestion=suggestion),) == parse(body)


def test_the_quoted_line_is_short_and_printable() -> None:
    (answer,) = parse("/preview \x00\x1b[31m" + "x" * 70_000)

    assert isinstance(answer, UnknownCommand)
    assert answer.text.isprintable()
    assert len(answer.text) <= 80


@given(st.text() | st.text().map(lambda rest: "/preview " + rest))
def test_no_comment_breaks_the_grammar(body: str) -> None:
    for found in parse(body):
        if isinstance(found, UnknownCommand) and found.suggestion:
            (suggested,) = parse(found.suggestion)
            assert isinstance(suggested, Command)


@given(st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=365)))
def test_every_duration_we_write_can_be_asked_for(duration: timedelta) -> None:
    (found,) = parse(f"/preview extend {format_duration(duration)}")

    assert isinstance(found, Command)
    assert found.duration == timedelta(seconds=duration // timedelta(seconds=1))


def test_all_commands_of_a_comment_count_in_their_order() -> None:
    assert parse("thanks!\n\n/preview stop\r\n/preview start") == (Command("stop"), Command("start"))


def test_of_many_commands_the_first_ten_are_read_and_the_next_one_stands_for_the_rest() -> None:
    found = parse("/preview stop\n" * 5_000)

    assert found[:-1] == (Command("stop"),) * MOST_COMMANDS
    assert found[-1] == UnknownCommand("/preview stop", unread=True)
    assert parse(excerpt("/preview stop\n" * 5_000)) == found
