"""What some hours of a small organisation cost at GitHub, counted: `bench.organisation` in short.

Sixty repositories, of which twelve have open pull requests: fifty of people, nine of agents with a preview.
"""

from __future__ import annotations

import asyncio

import pytest

from bench.organisation.day import Day, live_through
from bench.organisation.ledger import (
    AS_THE_APP,
    CONFIGURATION,
    HOUR,
    KINDS,
    LISTING,
    OTHER,
    POINTS,
    REFUSED,
    UNCHANGED,
    percentile,
)
from bench.organisation.people import Town
from bench.organisation.time import run

REPOSITORIES, PREVIEWS = 60, 9
LISTINGS_AN_HOUR = 20
"""The settings' default: one every three minutes."""

FOUND_WITHIN = 240.0
"""Seconds: the interval of the listing, and what a listing and a look take."""


@pytest.fixture(scope="module")
def quiet_day() -> Day:
    """Three hours in which nothing happens but that the controller begins anew after two."""
    return live_through(Town(REPOSITORIES, PREVIEWS, hours=3, restart_every=2 * HOUR, busy=0))


@pytest.fixture(scope="module")
def busy_day() -> Day:
    """An hour of the night with four times of what usually happens, of which half is lost on its way."""
    return live_through(Town(REPOSITORIES, PREVIEWS, hours=1, busy=4, lost=0.5))


def counted(day: Day, hour: int, *kinds: str) -> int:
    return sum(day.ledger.calls[hour, kind] for kind in kinds or KINDS)


def test_a_preview_that_is_ready_costs_nothing_as_long_as_nothing_happens(quiet_day: Day) -> None:
    assert quiet_day.live == PREVIEWS
    assert counted(quiet_day, 1) == 0
    assert counted(quiet_day, 1, AS_THE_APP) <= 2


def test_a_listing_costs_a_point_and_no_request(quiet_day: Day) -> None:
    ledger = quiet_day.ledger

    assert ledger.listings >= 3 * LISTINGS_AN_HOUR - 3
    # And each preview what its pull request was asked for: at first, and as its comment has changed it, which
    # takes a glance.
    assert counted(quiet_day, 0, POINTS) <= LISTINGS_AN_HOUR + 4 * PREVIEWS + 5
    # What nobody has asked for before is asked for by the listing once, and by each look.
    assert counted(quiet_day, 0, LISTING, CONFIGURATION) <= 1 + PREVIEWS


def test_a_restart_costs_by_the_previews_and_not_by_the_open_pull_requests(quiet_day: Day) -> None:
    after = quiet_day.ledger.after_restart
    requests = sum(after[kind] for kind in KINDS)

    assert quiet_day.live == PREVIEWS
    assert quiet_day.open - PREVIEWS >= 40
    assert 0 < requests <= 7 * PREVIEWS + 5
    assert after["API writes"] <= 2 * PREVIEWS
    assert after[OTHER] <= 1


def test_whatever_no_webhook_told_of_is_found_by_the_listing(busy_day: Day) -> None:
    waits = busy_day.ledger.waits

    assert len(waits) >= 2
    assert busy_day.lost == 0
    assert percentile(waits, 0.99) <= FOUND_WITHIN


def test_the_day_stays_far_below_what_an_installation_has(busy_day: Day) -> None:
    ledger = busy_day.ledger

    assert ledger.calls[0, UNCHANGED] > 0
    assert ledger.calls[0, REFUSED] == 0
    assert max(ledger.rest(1)) <= busy_day.limit / 10


def test_two_days_alike_cost_the_same() -> None:
    one, other = (live_through(Town(20, 3, hours=1, busy=2)).ledger for _ in range(2))

    assert one.calls == other.calls
    assert one.api_writes == other.api_writes


def test_the_time_of_the_day_jumps_and_what_never_comes_is_no_silence() -> None:
    async def a_week() -> float:
        await asyncio.sleep(7 * 24 * HOUR)
        return asyncio.get_running_loop().time()

    assert run(a_week()) >= 7 * 24 * HOUR
    with pytest.raises(RuntimeError, match="what never comes"):
        run(asyncio.Event().wait())
