"""What some hours of a small organisation cost at GitHub, counted: `bench.organisation` in short.

Sixty repositories, of which twelve have open pull requests: fifty of people, nine of agents with a preview.
"""

from __future__ import annotations

import asyncio

import pytest

from bench.organisation.day import EVERYWHERE, REQUIRED, Day, live_through
from bench.organisation.ledger import (
    AS_THE_APP,
    BUILDS,
    CHECK,
    COMMENTS,
    CONFIGURATION,
    CONTENT,
    DEPLOYMENTS,
    HOUR,
    KINDS,
    LISTING,
    OTHER,
    POINTS,
    PULL_REQUEST,
    REFUSED,
    UNCHANGED,
    WRITTEN,
    kind_of,
    percentile,
)
from bench.organisation.people import Town
from bench.organisation.time import run
from previewbot_demo.github.charges import Charged

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


REPOSITORY = "/api/v3/repos/acme/r00001"
SHA = "a" * 40


@pytest.mark.parametrize(
    ("method", "address", "kind"),
    [
        ("GET", "/api/v3/installation/repositories?page=2", LISTING),
        ("GET", f"{REPOSITORY}/pulls?state=open", LISTING),
        ("GET", f"{REPOSITORY}/contents/.github/preview.yaml", CONFIGURATION),
        ("GET", f"{REPOSITORY}/contents/docs/deployments/x.yaml", CONFIGURATION),
        ("GET", f"{REPOSITORY}/branches/main", CONFIGURATION),
        ("GET", f"{REPOSITORY}/pulls/7", PULL_REQUEST),
        ("GET", f"{REPOSITORY}/pulls/7/files?per_page=100", PULL_REQUEST),
        ("GET", f"{REPOSITORY}/issues/7/comments?since=x", COMMENTS),
        ("GET", f"{REPOSITORY}/pulls/7/reviews?page=1", COMMENTS),
        ("GET", f"{REPOSITORY}/collaborators/ann/permission", COMMENTS),
        ("GET", f"{REPOSITORY}/commits/{SHA}/check-runs?per_page=100", BUILDS),
        ("GET", f"{REPOSITORY}/actions/runs?head_sha={SHA}", BUILDS),
        ("GET", f"{REPOSITORY}/commits/{SHA}/check-runs?check_name=preview&app_id=1&filter=all", CHECK),
        ("POST", f"{REPOSITORY}/check-runs", CHECK),
        ("PATCH", f"{REPOSITORY}/check-runs/9", CHECK),
        ("GET", f"{REPOSITORY}/deployments?environment=preview&sha={SHA}", DEPLOYMENTS),
        ("POST", f"{REPOSITORY}/deployments", DEPLOYMENTS),
        ("POST", f"{REPOSITORY}/deployments/9/statuses", DEPLOYMENTS),
        ("GET", f"{REPOSITORY}/actions/runs?head_sha={SHA}&status=action_required", DEPLOYMENTS),
        ("POST", f"{REPOSITORY}/issues/7/comments", WRITTEN),
        ("PATCH", f"{REPOSITORY}/issues/comments/9", WRITTEN),
        ("POST", f"{REPOSITORY}/issues/comments/9/reactions", WRITTEN),
        ("GET", "/api/v3/users/previewbot[bot]", OTHER),
    ],
)
def test_each_request_is_filed_under_what_it_is_for(method: str, address: str, kind: str) -> None:
    path, _, query = address.partition("?")
    charged = Charged(0.0, "installation 7", "core", method, path, 200, 1, query=query)

    assert kind_of(charged) == kind


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


def test_deployments_and_check_cost_requests_of_their_own(busy_day: Day) -> None:
    everywhere, required = (
        live_through(Town(40, 4, hours=1, begin=10, lost=0), places=places)
        for places in (EVERYWHERE, REQUIRED)
    )

    assert counted(busy_day, 0, DEPLOYMENTS, CHECK) == 0
    assert busy_day.ledger.calls[0, CONTENT] == counted(busy_day, 0, WRITTEN)
    assert counted(everywhere, 0, DEPLOYMENTS) > 0
    assert 0 < counted(everywhere, 0, CHECK) < counted(required, 0, CHECK)


def test_many_that_wait_for_their_images_never_use_up_the_points_of_the_hour() -> None:
    # As 300 would share the 5,000 of a small installation, five do with 83: without a bound they would take
    # a glance each 55 seconds, 327 in all.
    waiting = Town(10, 5, hours=1, waiting=True, points=83, busy=0, lost=0)

    day = live_through(waiting)

    assert day.live == 0
    assert day.ledger.calls[0, REFUSED] == 0
    assert 30 <= day.ledger.calls[0, POINTS] <= 83 * 0.9


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
