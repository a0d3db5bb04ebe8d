"""The grammar of `/preview`."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.rules.commands import (
    DEFINITIONS,
    MOST_COMMANDS,
    Command,
    Definition,
    UnknownCommand,
    excerpt,
    parse,
    written,
)
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
        ("/preview reset", Command("reset")),
        ("/preview reset orders, checkout", Command("reset", services=("orders", "checkout"))),
        (f"/preview restart {SHA}", Command("restart", sha=SHA)),
        ("/preview stop", Command("stop")),
        ("/preview status", Command("status")),
        ("/preview help\n\nThen read it.", Command("help")),
        ("/preview extend 2h", Command("extend", duration=timedelta(hours=2), text="2h")),
        ("/preview extend 2h 30m", Command("extend", duration=timedelta(hours=2, minutes=30), text="2h 30m")),
        ("/preview extend", Command("extend", duration=timedelta(hours=2))),
        ("/preview start checkout", Command("start", services=("checkout",))),
        ("/preview start Checkout, pricing", Command("start", services=("checkout", "pricing"))),
        (f"/preview start {SHA} checkout", Command("start", sha=SHA, services=("checkout",))),
        ("/preview start 012345", Command("start", services=("012345",))),
        ("/preview stop checkout pricing", Command("stop", services=("checkout", "pricing"))),
        ("/preview logs", Command("logs")),
        ("/preview logs checkout", Command("logs", services=("checkout",))),
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
        ("/preview stop (please)", "/preview stop"),
        ("/preview start origin/main", "/preview start"),
        ("/preview restart checkout", "/preview restart"),
        ("/preview status now", "/preview status"),
        ("/preview tail", "/preview logs"),
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


_NAMES = st.from_regex("[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
_SERVICES = st.lists(_NAMES, max_size=4, unique=True)
_COMMITS = st.none() | st.text("0123456789abcdef", min_size=7, max_size=40)
_COMMANDS = st.one_of(
    st.builds(Command, st.just("start"), _COMMITS, services=_SERVICES.map(tuple)),
    st.builds(Command, st.just("restart"), _COMMITS),
    st.builds(Command, st.sampled_from(["stop", "logs"]), services=_SERVICES.map(tuple)),
    st.builds(Command, st.sampled_from(["status", "help"])),
)


@given(_COMMANDS)
def test_every_command_is_read_back_as_it_is_written(command: Command) -> None:
    (first, *others) = [word for word in written(command).split()[2:]] or [""]
    # The first word of seven to forty digits is taken for the commit, whatever it was meant to be.
    if command.name == "start" and command.sha is None and re.fullmatch("[0-9a-f]{7,40}", first):
        command = Command("start", first, services=tuple(others))
    assert parse(written(command)) == (command,)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: each.name)
def test_what_the_help_shows_is_a_command(definition: Definition) -> None:
    shown = [definition.help.example, *re.findall("`(/preview [^`]*)`", definition.help.says)]

    for example in shown:
        (asked,) = parse(example.replace("<service>", "checkout"))
        assert isinstance(asked, Command) and asked.name == definition.name


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
