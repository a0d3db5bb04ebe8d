"""How often a comment is edited: news at once, what comes and goes within a bound, and nothing is lost."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from previewbot.rules.edits import APART, AT_ONCE, HOUR, MOST, held_until, lately
from tests.support.previews import NOW


def test_the_first_edits_of_an_hour_are_made_at_once() -> None:
    edits: tuple[datetime, ...] = ()
    for _ in range(AT_ONCE):
        assert held_until(edits, NOW) is None
        edits = (*edits, NOW)

    assert held_until(edits, NOW) == NOW + APART


def test_after_an_hour_all_are_at_once_again() -> None:
    assert held_until([NOW] * MOST, NOW + HOUR) is None


def test_what_is_held_back_comes_when_there_is_room_in_the_hour_if_that_is_sooner() -> None:
    edits = [NOW + timedelta(minutes=minutes) for minutes in (0, 54, 55, 56, 57, 58)]

    assert held_until(edits, NOW + timedelta(minutes=59)) == NOW + HOUR


def test_a_clock_that_was_put_back_holds_nothing_back_for_ever() -> None:
    assert held_until([NOW + timedelta(days=1)] * MOST, NOW) is None


@given(st.lists(st.integers(0, 600), max_size=400))
def test_however_often_the_text_changes_an_hour_has_a_bound_and_the_last_text_is_written(
    pauses: list[int],
) -> None:
    now, edits = NOW, list[datetime]()
    for pause in pauses:
        now += timedelta(seconds=pause)
        if held_until(edits, now) is None:
            edits.append(now)
        assert held_until(edits, now) is None or held_until(edits, now) <= now + APART  # type: ignore[operator]

    for first in edits:
        assert len([at for at in edits if first <= at < first + HOUR]) <= MOST
    assert held_until(edits, now + APART) is None


@given(st.lists(st.integers(0, 90).map(lambda minutes: NOW - timedelta(minutes=minutes)), max_size=60))
def test_no_more_is_kept_than_counts(edits: list[datetime]) -> None:
    kept = lately(sorted(edits), NOW)

    assert len(kept) <= MOST
    assert held_until(kept, NOW) == held_until(sorted(edits), NOW)
