"""The pause between two listings: as long as it is, unless web asks for one."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api import LISTING_ASKED
from previewbot.config.server import LeaseSettings
from previewbot.errors import Conflict, Forbidden, RemoteError, TryLater
from previewbot.runtime.listing_asked import LEAST_SECONDS, LOOK_SECONDS, ListingAsked

LEASE = LeaseSettings(name="previewbot-controller-listing", namespace="previewbot")


class Kube:
    """One Lease, as the API server keeps it."""

    def __init__(self, asked: str | None = "") -> None:
        self.asked = asked
        self.fails: RemoteError | None = None
        self.made: list[dict[str, Any]] = []

    async def get_lease(self, namespace: str, name: str) -> dict[str, Any] | None:
        assert (namespace, name) == (LEASE.namespace, LEASE.name)
        if self.fails is not None:
            raise self.fails
        return None if self.asked is None else {"metadata": {"annotations": {LISTING_ASKED: self.asked}}}

    async def create_lease(self, manifest: dict[str, Any]) -> dict[str, Any]:
        self.made.append(manifest)
        self.asked = ""
        return manifest


class Pause:
    """Pauses on a clock of its own; at `at` seconds web asks for a listing."""

    def __init__(self, kube: Kube, at: float | None = None) -> None:
        self.kube, self.at, self.passed = kube, at, 0.0
        self.asked = ListingAsked(kube, LEASE, sleep=self._sleep)  # type: ignore[arg-type]

    async def _sleep(self, seconds: float) -> None:
        self.passed += seconds
        if self.at is not None and self.passed >= self.at:
            self.kube.asked, self.at = "d-1", None

    async def lasts(self, seconds: float) -> float:
        before = self.passed
        await self.asked.wait(seconds)
        return self.passed - before


async def test_a_pause_that_nobody_cuts_short_lasts_as_long_as_it_should() -> None:
    pause = Pause(Kube())
    await pause.asked.begin()

    assert [await pause.lasts(seconds) for seconds in (5, 60, 180, 203)] == [5, 60, 180, 203]


async def test_a_listing_that_is_asked_for_comes_within_seconds_and_once() -> None:
    pause = Pause(Kube(), at=100)
    await pause.asked.begin()

    assert 100 <= await pause.lasts(600) <= 100 + LOOK_SECONDS
    assert await pause.lasts(600) == 600


async def test_whoever_asks_without_end_has_a_listing_a_minute_at_most() -> None:
    kube = Kube()
    pause = Pause(kube)
    await pause.asked.begin()
    for number in range(5):
        kube.asked = f"d-{number}"
        assert await pause.lasts(600) == LEAST_SECONDS


async def test_what_was_asked_for_before_it_began_is_answered_by_the_first_listing() -> None:
    pause = Pause(Kube("d-0"))
    await pause.asked.begin()

    assert await pause.lasts(600) == 600


async def test_what_is_asked_for_during_a_listing_is_not_lost() -> None:
    kube = Kube()
    pause = Pause(kube)
    await pause.asked.begin()
    kube.asked = "d-1"

    assert await pause.lasts(600) == LEAST_SECONDS


async def test_the_lease_is_made_by_the_first_controller() -> None:
    kube = Kube(None)
    await Pause(kube).asked.begin()
    [made] = kube.made

    assert (made["kind"], made["metadata"]) == ("Lease", {"name": LEASE.name, "namespace": LEASE.namespace})


@pytest.mark.parametrize("error", [Forbidden("lease", status=403), TryLater("lease"), Conflict("lease")])
async def test_a_lease_that_cannot_be_read_shortens_no_pause_and_ends_nothing(error: RemoteError) -> None:
    kube = Kube()
    kube.fails = error
    pause = Pause(kube, at=10)
    await pause.asked.begin()

    assert await pause.lasts(600) == 600


async def test_a_lease_that_can_be_read_later_asks_for_nothing_by_that_alone() -> None:
    kube = Kube()
    kube.fails = TryLater("lease")
    pause = Pause(kube)
    await pause.asked.begin()
    kube.fails = None

    assert await pause.lasts(600) == 600


async def test_a_lease_that_could_not_be_made_at_first_or_was_deleted_is_made_later() -> None:
    kube = Kube(None)
    kube.fails = TryLater("lease")
    pause = Pause(kube)
    await pause.asked.begin()
    kube.fails = None
    assert await pause.lasts(600) == 600
    assert len(kube.made) == 1

    kube.asked = None
    assert await pause.lasts(600) == 600
    assert len(kube.made) == 2
