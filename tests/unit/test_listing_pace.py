"""How often an installation is listed follows its budget, and how soon something is found is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from previewbot.clients.github.limits import Quota
from previewbot.clients.github.spending import Hours, Spent
from previewbot.errors import QuotaKept
from previewbot.runtime.pace import Pace, interval
from tests.support.previews import NOW

WISH = 180.0
LARGE = Hours(Quota(12_500, 12_000, 0), Quota(12_500, 12_000, 0))
SMALL = Hours(Quota(5_000, 5_000, 0), Quota(5_000, 5_000, 0))


@pytest.mark.parametrize(
    ("spent", "hours", "seconds"),
    [
        (Spent(22, 2, 20), LARGE, 180),
        (Spent(40, 20, 20), LARGE, 180),
        (Spent(400, 200, 200), LARGE, 230.4),
        (Spent(4, 2, 200), SMALL, 576),
        (Spent(4_000, 0, 0), LARGE, 4_000 / 450 * 60),
        (Spent(100, 100, 0), Hours(), 180),
    ],
    ids=[
        "200 repositories",
        "2,000 repositories",
        "20,000 repositories",
        "a small hour",
        "4,000 answers that nothing has changed",
        "a server without limits",
    ],
)
def test_a_listing_takes_a_quarter_of_the_hour_at_most(spent: Spent, hours: Hours, seconds: float) -> None:
    assert interval(WISH, spent, hours) == pytest.approx(seconds)


def at(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


class Told:
    """A pace, and what it says."""

    def __init__(self) -> None:
        self.words = ""
        self.metrics = CollectorRegistry()
        self.pace = Pace(WISH, note=self._note, metrics=self.metrics)

    def _note(self, words: str) -> None:
        self.words = words

    def listed(self, began: float, ended: float, spent: Spent | None = None, which: int = 7) -> None:
        self.pace.listed(which, NOW + at(began), NOW + at(ended), spent or Spent(4, 2, 2), LARGE)
        self.pace.tell()

    def metric(self, name: str) -> float | None:
        return self.metrics.get_sample_value(f"previewbot_listing_{name}")


def test_who_slows_their_own_listing_down_slows_nobody_elses() -> None:
    told = Told()
    told.listed(0, 40, Spent(1_000, 1_000, 1_000), which=7)
    told.listed(0, 1, which=8)
    soon, due = NOW + at(WISH), NOW + at(1_152)

    assert (told.pace.is_due(7, soon), told.pace.is_due(8, soon)) == (False, True)
    assert told.pace.is_due(7, due)


def test_how_soon_something_is_found_is_measured_from_one_whole_listing_to_the_end_of_the_next() -> None:
    told = Told()
    told.listed(0, 20)
    assert told.metric("found_within_seconds") == 0
    told.listed(200, 225)

    assert told.metric("found_within_seconds") == 225
    assert told.words == ""


def test_what_is_found_late_is_said_to_the_platform_team() -> None:
    told = Told()
    told.listed(0, 20)
    told.listed(900, 1_000)
    assert told.words == "what no webhook told of is found within 17 min"

    told.listed(1_100, 1_120)
    assert told.words == ""


def test_a_limit_that_stops_a_listing_is_said_until_a_listing_comes_to_its_end() -> None:
    told = Told()
    error = QuotaKept("GET", status=429, message="kept", after=1_800)
    told.pace.stopped(7, error, NOW)
    told.pace.tell()
    assert "stopped the listing of installation 7 until 09:30 UTC (kept)" in told.words
    assert told.metric("stopped") == 1

    told.listed(0, 10)
    assert (told.words, told.metric("stopped")) == ("", 0)


def test_who_only_stands_by_says_nothing_of_it() -> None:
    told = Told()
    told.pace.stopped(7, QuotaKept("GET", message="kept", after=60), NOW)
    told.pace.tell()
    told.pace.forget()

    assert (told.words, told.metric("stopped")) == ("", 0)
