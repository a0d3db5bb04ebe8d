"""What GitHub's clock shows is taken from its answers, and how far a look can have seen follows from that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.clients.github.their_clock import TheirClock
from tests.support.passes import World
from tests.support.previews import NOW

MOMENT = datetime(2026, 11, 24, 9, 1, tzinfo=UTC)


def test_until_an_answer_tells_their_clock_is_taken_for_ours() -> None:
    clock = TheirClock()
    for broken in ({}, {"date": ""}, {"date": "yesterday"}):
        clock.note(broken, MOMENT)

    assert clock.at(MOMENT) == MOMENT


@given(
    apart=st.floats(-7200, 7200),
    took=st.floats(0, 30),
    later=st.floats(0, 600),
)
def test_their_clock_is_never_taken_to_be_further_on_than_it_is(
    apart: float, took: float, later: float
) -> None:
    clock = TheirClock()
    theirs = MOMENT + timedelta(seconds=apart)
    told = f"{theirs.replace(microsecond=0):%a, %d %b %Y %H:%M:%S} GMT"
    clock.note({"date": told}, MOMENT + timedelta(seconds=took))

    ours = MOMENT + timedelta(seconds=took + later)
    real = ours + timedelta(seconds=apart)
    assert real - timedelta(seconds=took + 1.001) <= clock.at(ours) <= real


@pytest.mark.parametrize(
    ("ahead", "after", "settled"),
    [
        (0, 0.2, False),
        (0, 1, True),
        (0, 60, True),
        # GitHub's clock says how far it is, not ours.
        (-90, 60, False),
        (90, 0.2, True),
    ],
)
async def test_a_look_has_seen_all_of_a_second_only_once_githubs_clock_has_passed_it(
    ahead: float, after: float, settled: bool
) -> None:
    world = World()
    world.github.ahead = timedelta(seconds=ahead)
    world.github.updated_at = NOW
    world.clock.forward(seconds=after)

    await world.run()

    assert world.status.observed.settled is settled
