"""Durations as people write them."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.text.durations import format_duration, from_now, parse_duration, spoken


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8h", timedelta(hours=8)),
        ("2h30m", timedelta(hours=2, minutes=30)),
        ("90s", timedelta(seconds=90)),
        ("3d", timedelta(days=3)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("72H", timedelta(hours=72)),
        ("365d", timedelta(days=365)),
    ],
)
def test_a_duration_is_read(text: str, expected: timedelta) -> None:
    assert expected == parse_duration(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8",
        "h",
        "0h",
        "-1h",
        "1.5h",
        "30m2h",
        "2h 30m",
        "2h2h",
        "8h!",
        "1w",
        "366d",
        "99999999d",
        "9" * 99 + "h",
        "٣h",
        "9ſ",
    ],
)
def test_anything_else_is_refused_with_words_for_the_writer(text: str) -> None:
    with pytest.raises(ValueError, match="a duration"):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=365)))
def test_what_is_written_is_read_back_to_the_second(duration: timedelta) -> None:
    assert timedelta(seconds=duration // timedelta(seconds=1)) == parse_duration(format_duration(duration))


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_duration(text) > timedelta(0)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (timedelta(hours=72), "3d"),
        (timedelta(minutes=150), "2h30m"),
        (timedelta(0), "0s"),
        (timedelta(milliseconds=1900), "1s"),
    ],
)
def test_a_duration_is_written_as_short_as_possible(duration: timedelta, expected: str) -> None:
    assert expected == format_duration(duration)


def test_a_negative_duration_is_not_written() -> None:
    with pytest.raises(ValueError, match="negative"):
        format_duration(timedelta(seconds=-1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("59s", "less than a minute"),
        ("1m", "1 minute"),
        ("12m59s", "12 minutes"),
        ("1h", "1 hour"),
        ("3h40m", "3 h 40 min"),
        ("4h", "4 hours"),
        ("1d", "1 day"),
        ("2d3h59m", "2 days 3 h"),
    ],
)
def test_a_duration_is_said_as_people_say_it(text: str, said: str) -> None:
    assert spoken(parse_duration(text)) == said


def test_a_moment_is_said_from_now_on_whether_it_is_to_come_or_over() -> None:
    now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    assert from_now(now + timedelta(hours=3, minutes=40), now) == "in 3 h 40 min"
    assert from_now(now - timedelta(minutes=2), now) == "2 minutes ago"
    assert from_now(now, now) == "less than a minute ago"


@given(st.timedeltas())
def test_whatever_the_duration_something_is_said(duration: timedelta) -> None:
    assert spoken(duration)
