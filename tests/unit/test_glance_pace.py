"""How far apart glances are: as many wait, and as much is left of the hour, so that points never run out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.reconciler.watched import Watched
from previewbot.rules.glance_pace import APART, KEPT, LONGEST, Left, apart
from tests.support.previews import NOW

HOUR = 3_600.0
SMALLEST = 5_000.0
"""What an installation has in an hour at least."""


@pytest.mark.parametrize(
    ("watched", "left", "seconds"),
    [
        # Nothing was heard of an hour: a server without limits, or before the first answer.
        (300, None, 55),
        (300, Left(0, 0, HOUR), 55),
        # Few wait: an hour has enough for all of them.
        (1, Left(SMALLEST, SMALLEST, HOUR), 55),
        (30, Left(SMALLEST, SMALLEST, HOUR), 55),
        # Many: they share half of what is left beside the fifth that is kept.
        (300, Left(SMALLEST, SMALLEST, HOUR), 540),
        (300, Left(12_500, 12_500, HOUR), 216),
        # Towards the end the same number of points is more for each.
        (300, Left(SMALLEST, 3_000, 1_800), 540),
        (300, Left(SMALLEST, 3_000, 600), 180),
        (300, Left(SMALLEST, 3_000, 60), 55),
        # Others have used most of it up.
        (300, Left(SMALLEST, 1_500, 1_800), 1_800),
        (2_000, Left(SMALLEST, SMALLEST, HOUR), 1_800),
        # What is kept is kept: until the hour is over, or half of one.
        (1, Left(SMALLEST, 1_000, 1_200), 1_200),
        (1, Left(SMALLEST, 0, HOUR), 1_800),
        (1, Left(SMALLEST, 0, 20), 55),
        # An hour that is over says nothing of the next, which is taken to be as long.
        (300, Left(SMALLEST, 0, 0), 540),
        (300, Left(SMALLEST, 17, -9_000), 540),
    ],
)
def test_they_share_what_is_left_of_the_hour(watched: int, left: Left | None, seconds: float) -> None:
    assert apart(watched, left) == timedelta(seconds=seconds)


@given(
    watched=st.integers(1, 2_000),
    limit=st.sampled_from([SMALLEST, 10_000.0, 12_500.0]),
    others=st.integers(0, 3_000),
)
def test_an_hour_of_glances_leaves_what_is_kept(watched: int, limit: float, others: int) -> None:
    used, at = 0.0, 0.0
    # A round of all of them after the other, while others use their part steadily.
    while at < HOUR:
        left = Left(limit, limit - used - others * at / HOUR, HOUR - at)
        pause = apart(watched, left)
        used += watched
        at += pause.total_seconds()
        assert APART <= pause <= LONGEST

    # The round that runs when the last points are given out ends.
    assert used <= (1 - KEPT) * limit + 2 * watched


def test_more_that_wait_or_less_that_is_left_never_make_it_faster() -> None:
    pauses = [apart(watched, Left(SMALLEST, 4_000, 1_800)) for watched in range(1, 3_000, 50)]
    scarcer = [apart(100, Left(SMALLEST, left, 1_800)) for left in range(5_000, 0, -50)]

    assert pauses == sorted(pauses)
    assert scarcer == sorted(scarcer)


def test_each_counts_once_in_its_installation_and_no_more_when_it_stops_waiting() -> None:
    watched, minute = Watched(), timedelta(minutes=1)

    assert [watched.count(7, name, NOW) for name in ("a", "b", "a")] == [1, 2, 2]
    assert watched.count(8, "c", NOW) == 1
    assert watched.count(7, "a", NOW + 5 * minute) == 2
    assert watched.count(7, "a", NOW + 7 * minute) == 1

    watched.forget("a")
    assert watched.count(7, "b", NOW + 7 * minute) == 1
