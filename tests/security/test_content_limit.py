"""Somebody makes previewbot write until GitHub stops it: elsewhere it goes on, and so does what runs.

GitHub limits what creates content (80 requests a minute, 500 an hour) beside all other requests:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from previewbot.api import Preview, Slot
from previewbot.errors import Forbidden, TryLater
from previewbot.rules.slot_limits import SlotLimits
from tests.support import github_samples as samples
from tests.support.github_script import Answer, sends
from tests.support.github_town import Town, github_town
from tests.support.passes import A, B, World, ready
from tests.support.previews import a_preview
from tests.support.slots import slot_for

SHOP, TOOLS, SITE = "acme/shop", "acme/tools", "acme/site"
BLOCKED = (
    "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. "
    "Please retry your request again later."
)
LIMIT = TryLater("POST", status=403, message=BLOCKED, after=3_600.0)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        for repository in (SHOP, TOOLS, SITE):
            written = sends(samples.comment(9), 201)
            built.script.on("POST", f"/repos/{repository}/issues/7/comments", written)
            built.script.on("PATCH", f"/repos/{repository}/issues/comments/9", sends(samples.comment(9)))
            built.script.on("POST", f"/repos/{repository}/issues/comments/9/reactions", sends({}, 201))
            built.script.on("GET", f"/repos/{repository}/pulls/7", sends(samples.pull_request()))
        yield built


def blocked(town: Town, repository: str, answer: Answer | None = None) -> None:
    """Let GitHub take no comment there for ten minutes."""
    answer = answer or sends({"message": BLOCKED}, 403, retry_after="600")
    town.script.on("POST", f"/repos/{repository}/issues/7/comments", answer)


async def write(town: Town, repository: str) -> None:
    await town.client.create_comment(repository, 7, "Hello")


async def is_stopped(town: Town, repository: str) -> bool:
    """Return whether nothing is written there now, without having asked."""
    before = len(town.script.asked)
    try:
        await town.client.update_comment(repository, 9, "Hello again")
    except TryLater:
        assert len(town.script.asked) == before
        return True
    return False


@pytest.mark.parametrize(
    "answer",
    [
        sends({"message": BLOCKED}, 403, retry_after="600"),
        sends({"message": BLOCKED}, 403),
        sends({"message": BLOCKED}, 429, retry_after="600", x_ratelimit_remaining="4000"),
    ],
    ids=["with the time to wait", "by its words alone", "as 429"],
)
async def test_a_limit_on_content_stops_writing_in_that_repository_alone(town: Town, answer: Answer) -> None:
    blocked(town, SHOP, answer)
    with pytest.raises(TryLater):
        await write(town, SHOP)

    assert await is_stopped(town, SHOP)
    assert await is_stopped(town, "Acme/Shop")
    assert (await town.client.pull_request(SHOP, 7)).number == 7
    assert not await is_stopped(town, TOOLS)
    town.client.check_writes(TOOLS)
    with pytest.raises(TryLater):
        town.client.check_writes(SHOP)


async def test_where_a_second_repository_meets_it_too_writing_stops_everywhere(town: Town) -> None:
    for repository in (SHOP, TOOLS):
        blocked(town, repository)
        with pytest.raises(TryLater):
            await write(town, repository)

    assert await is_stopped(town, SITE)
    assert (await town.client.pull_request(SITE, 7)).number == 7


async def test_the_same_repository_twice_is_no_second_one_nor_is_one_whose_time_is_over(town: Town) -> None:
    for _ in range(2):
        blocked(town, SHOP)
        with pytest.raises(TryLater):
            await write(town, SHOP)
        town.our_clock.forward(seconds=601)
    blocked(town, TOOLS)
    with pytest.raises(TryLater):
        await write(town, TOOLS)

    assert not await is_stopped(town, SITE)


async def test_when_the_time_is_over_it_is_written_again(town: Town) -> None:
    blocked(town, SHOP)
    with pytest.raises(TryLater) as caught:
        await write(town, SHOP)
    assert caught.value.after == 600

    town.our_clock.forward(seconds=601)
    assert not await is_stopped(town, SHOP)


@pytest.mark.parametrize("retry", [{}, {"retry_after": "600"}], ids=["", "with the time to wait"])
async def test_an_hour_that_is_used_up_stops_reading_too_whatever_met_it(
    town: Town, retry: dict[str, str]
) -> None:
    reset = str(int(town.our_clock().timestamp()) + 600)
    spent = {"x_ratelimit_limit": "5000", "x_ratelimit_remaining": "0", "x_ratelimit_reset": reset}
    blocked(town, SHOP, sends({"message": "API rate limit exceeded"}, 403, **spent, **retry))
    with pytest.raises(TryLater):
        await write(town, SHOP)

    for repository in (SHOP, TOOLS):
        with pytest.raises(TryLater):
            await town.client.pull_request(repository, 7)


async def test_a_limit_that_a_read_meets_stops_everything(town: Town) -> None:
    town.script.on("GET", f"/repos/{SHOP}/pulls/7", sends({"message": BLOCKED}, 403, retry_after="600"))
    with pytest.raises(TryLater):
        await town.client.pull_request(SHOP, 7)

    assert await is_stopped(town, TOOLS)
    with pytest.raises(TryLater):
        await town.client.pull_request(TOOLS, 7)


async def test_a_repository_that_takes_no_comment_is_no_limit(town: Town) -> None:
    blocked(town, SHOP, sends({"message": "Resource not accessible by integration"}, 403))
    with pytest.raises(Forbidden):
        await write(town, SHOP)

    assert not await is_stopped(town, SHOP)


# What a pass makes of it


def limit(world: World) -> None:
    """Let GitHub take nothing that is written, for an hour."""
    world.fail("create comment", "update comment", "react", by=LIMIT)
    world.github.writes_limit = LIMIT


def lift(world: World) -> None:
    world.mend()
    world.github.writes_limit = None


async def test_a_preview_starts_and_is_replaced_while_nothing_can_be_written() -> None:
    world = World()
    limit(world)
    await world.settle()
    assert (world.serving, world.comment) == ([A], "")

    world.push(B, built=False)
    outcome = await world.run()
    assert outcome.error is LIMIT
    assert outcome.requeue_after is not None and outcome.requeue_after <= 10

    world.push(B)
    await world.settle()
    assert (world.serving, world.cluster.leads_to()) == ([B], "staging")


async def test_what_is_to_be_changed_costs_no_write_of_the_status_while_nothing_can_be_written() -> None:
    world = await World(deployments={"environment": "preview"}).settle()
    limit(world)
    world.fail("say of deployment", "update check", by=LIMIT)
    world.push(B)
    await world.settle()
    assert B[:7] not in world.comment and world.serving == [B]
    stored = world.calls.made.count("put status")
    outcome = await world.run()
    assert (outcome.error, stored, world.calls.made.count("put status")) == (LIMIT, 0, 0)

    lift(world)
    world.clock.forward(hours=2)
    await world.settle()
    assert B[:7] in world.comment
    assert world.github.deployments.states() == {A: "inactive", B: "success"}


async def test_one_that_waits_for_a_slot_keeps_its_place_while_nothing_can_be_written() -> None:
    world = World(limits={"previews": 1})
    world.others = [a_preview(name="gh-1-9", slot=Slot(held=True))]
    limit(world)
    await world.settle()
    me, later = world.preview, a_preview(name="gh-1-8", slot=Slot(waiting_since=world.clock.now))
    assert me.status.slot.waiting_since is not None

    def gets_one(preview: Preview, other: Preview) -> bool:
        return slot_for(preview, [other], lambda _: SlotLimits(previews=1), world.clock.now).granted

    assert gets_one(me, later)
    assert not gets_one(later, me)


async def test_a_closed_pull_request_is_torn_down_at_once_and_gets_its_last_words_later() -> None:
    world = await ready()
    limit(world)
    world.close()
    await world.settle(4)
    assert world.cluster.sessions == {}
    assert world.cluster.preview is not None

    lift(world)
    await world.settle(2)
    assert "no preview here now**: the pull request was closed" in world.comment
    assert world.cluster.preview is None


async def test_a_stop_is_obeyed_while_nothing_can_be_written_and_answered_later() -> None:
    world = await ready()
    limit(world)
    asked = world.say("/preview stop")
    await world.settle(4)
    assert world.cluster.sessions == {}

    lift(world)
    await world.settle(4)
    assert (asked, "rocket") in world.github.reacted


async def test_what_cannot_be_written_is_not_announced_again_and_again() -> None:
    world = World()
    limit(world)
    await world.settle()
    world.say("/preview status")
    await world.settle(4)
    await world.run()

    assert "create comment" not in world.calls.made
    assert "put status" not in world.calls.made
    assert all(reply.intent_at is None for reply in world.status.replies)
