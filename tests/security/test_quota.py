"""Somebody uses up the hour's requests: the last fifth is kept for what runs and for who may ask.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#checking-the-status-of-your-rate-limit
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from previewbot.api import Phase, Poke
from previewbot.api.github import Account
from previewbot.config.server import parse
from previewbot.errors import QuotaKept, TryLater
from previewbot.reconciler import Untriggered
from previewbot.runtime.resync import Resync
from tests.support import github_samples as samples
from tests.support.github_script import Answer, sends
from tests.support.github_town import Town, github_town
from tests.support.passes import GITHUB, SETTINGS, A, B, World, ready

SHOP = "acme/shop"
PULL = "/repos/acme/shop/pulls/7"
KEPT = QuotaKept("GET", status=429, message="kept", after=1_800.0)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


def left(town: Town, remaining: int, status: int = 200) -> None:
    """Let the next answer say how many requests are left of 5,000 for half an hour."""
    reset = str(int(town.our_clock().timestamp()) + 1_800)
    said = {"x_ratelimit_limit": "5000", "x_ratelimit_remaining": str(remaining), "x_ratelimit_reset": reset}
    town.script.on("GET", PULL, sends(samples.pull_request(), status, **said))


def ask_as_a_member(world: World, words: str) -> int:
    """Write a command as a member, of which a delivery tells; return its id."""
    asked, now = world.github.say(words, "ann", "MEMBER"), world.clock.now
    world.cluster.poke(Poke(delivery_id="1", poked_at=now, comment_id=asked, member_comment_id=asked))
    return asked


async def test_the_last_fifth_of_the_hour_is_kept_from_who_can_wait(town: Town) -> None:
    left(town, 999)
    await town.client.pull_request(SHOP, 7)
    asked = len(town.script.asked)

    with pytest.raises(QuotaKept) as caught:
        await town.client.sparing().pull_request(SHOP, 7)
    with pytest.raises(QuotaKept):
        await town.client.sparing().open_pull_requests(SHOP)
    with pytest.raises(QuotaKept):
        town.client.sparing().check_writes(SHOP)

    assert caught.value.after is not None
    assert 1_790 <= caught.value.after <= 1_800 + 60
    assert len(town.script.asked) == asked
    assert (await town.client.pull_request(SHOP, 7)).number == 7
    town.client.check_writes(SHOP)


async def test_all_may_use_the_other_four(town: Town) -> None:
    left(town, 1_000)
    await town.client.pull_request(SHOP, 7)

    assert (await town.client.sparing().pull_request(SHOP, 7)).number == 7


async def test_an_answer_that_nothing_has_changed_tells_what_is_left_too(town: Town) -> None:
    reset = str(int(town.our_clock().timestamp()) + 1_800)

    def says(status: int, remaining: str) -> Answer:
        said = {"x_ratelimit_limit": "5000", "x_ratelimit_remaining": remaining, "x_ratelimit_reset": reset}
        return sends(samples.pull_request() if status == 200 else {}, status, ETag='"1"', **said)

    town.script.on("GET", PULL, says(200, "4000"), says(304, "999"))
    await town.client.pull_request(SHOP, 7)
    await town.client.pull_request(SHOP, 7)

    with pytest.raises(QuotaKept):
        await town.client.sparing().pull_request(SHOP, 7)


async def test_when_the_hour_is_over_all_may_ask_again(town: Town) -> None:
    left(town, 10)
    await town.client.pull_request(SHOP, 7)
    town.our_clock.forward(seconds=1_801)

    assert (await town.client.sparing().pull_request(SHOP, 7)).number == 7


async def test_those_who_waited_do_not_come_back_all_at_once(town: Town) -> None:
    left(town, 10)
    await town.client.pull_request(SHOP, 7)
    waits = []
    for _ in range(20):
        with pytest.raises(QuotaKept) as caught:
            await town.client.sparing().pull_request(SHOP, 7)
        waits.append(caught.value.after)

    assert len(set(waits)) > 10


async def test_a_server_without_limits_keeps_nothing_from_anybody(town: Town) -> None:
    town.script.on("GET", PULL, sends(samples.pull_request()))
    await town.client.pull_request(SHOP, 7)

    assert (await town.client.sparing().pull_request(SHOP, 7)).number == 7


def listing(town: Town) -> Resync:
    return Resync(
        github=town.app,
        kube=None,  # type: ignore[arg-type]  # Nothing is poked: nothing can be read.
        previews=list,
        untriggered=Untriggered(),
        now=town.our_clock,
        settings=parse({**SETTINGS, "listing": {"interval": "1s"}}, {}),
    )


async def test_the_listing_can_wait(town: Town) -> None:
    # Which repositories there are is asked for with less left, once: else nothing is found for an hour.
    left(town, 499)
    await town.client.pull_request(SHOP, 7)
    asked = len(town.script.asked)

    await listing(town).list_once()
    assert [each.path for each in town.script.asked[asked:]] == ["/api/v3/app/installations?per_page=100"]


@pytest.mark.parametrize("status", [200, 403], ids=["almost", "to the last"])
async def test_whoever_uses_up_the_hour_of_one_installation_stops_no_listing_of_the_others(
    town: Town, status: int
) -> None:
    left(town, 0, status)
    with contextlib.suppress(TryLater):
        await town.client.pull_request(SHOP, 7)
    asked, task = len(town.script.asked), asyncio.create_task(listing(town).run())
    async with asyncio.timeout(10):
        while len(town.script.asked) < asked + 3:
            await asyncio.sleep(0.01)
    task.cancel()

    assert {each.path for each in town.script.asked[asked:]} == {"/api/v3/app/installations?per_page=100"}


# What a pass makes of it


async def test_a_pull_request_without_sessions_waits_for_the_next_hour() -> None:
    world = World()
    world.github.kept = KEPT
    world.poke()
    outcome = await world.run()

    assert outcome.error is KEPT
    assert set(world.calls.made) & set(GITHUB) == set()
    world.github.kept = None
    await world.settle()
    assert world.status.phase is Phase.READY


async def test_a_preview_that_runs_goes_on() -> None:
    world = await ready()
    world.github.kept = KEPT
    world.push(B)
    await world.settle()

    assert world.serving == [B]
    assert f"of `{B[:7]}`" in world.comment


async def test_the_author_of_an_approved_fork_cannot_use_up_what_is_kept() -> None:
    world = World()
    world.github.fork, world.github.author = True, Account(666, "mallory")
    world.poke()
    await world.settle(2)
    world.say(f"/preview start {A}")
    await world.settle(4)
    assert world.serving == [A]
    world.github.kept, looks = KEPT, 0
    for _ in range(300):
        world.poke()
        await world.run()
        looks += "pull request" in world.calls.made
        world.clock.forward(seconds=1)

    assert 1 <= looks <= 6
    world.push(B)
    await world.settle(20)
    assert world.serving == []


async def test_what_ci_says_can_wait() -> None:
    world = await ready()
    world.github.kept = KEPT
    world.push(B, built=False)
    outcome = await world.run()

    assert (outcome.error, "runs" in world.calls.made) == (None, False)


async def test_a_members_command_is_obeyed_and_answered_where_nothing_runs() -> None:
    world = World()
    world.github.labels = ()
    world.github.kept = KEPT
    asked = ask_as_a_member(world, "/preview start")
    await world.settle()

    assert world.status.phase is Phase.READY
    assert (asked, "rocket") in world.github.reacted


async def test_a_members_question_where_nothing_runs_is_answered() -> None:
    world = World()
    world.github.labels = ()
    world.github.kept = KEPT
    asked = ask_as_a_member(world, "/preview status")
    await world.settle(4)

    assert any(f"reply-to={asked} " in body for body in world.github.own_comments())
    assert world.cluster.preview is None


async def test_a_strangers_command_where_nothing_runs_waits_although_a_member_wrote_before() -> None:
    world = World()
    world.github.labels = ()
    ask_as_a_member(world, "/preview status")
    await world.settle(4)
    world.github.kept = KEPT
    world.github.permissions["mallory"] = "none"
    world.github.say("/preview start", "mallory")
    world.poke()
    outcome = await world.run()

    assert outcome.error is KEPT
    assert "mallory" not in world.github.asked_about
