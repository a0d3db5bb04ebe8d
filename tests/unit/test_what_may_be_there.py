"""What GitHub may have made without our knowing is looked for before it is made again."""

from __future__ import annotations

import pytest

from previewbot.api import Phase
from previewbot.errors import Forbidden, Invalid, NotFound, TryLater
from previewbot.rules.retries import MOST_TRIES
from tests.support.passes import A, World
from tests.unit.test_optional_places import Lamps, world_with
from tests.unit.test_passes_deployments import ON, a_run
from tests.unit.test_passes_links import OURS, STAGING

LIMITED = TryLater("GitHub", status=403, message="You have exceeded a secondary rate limit")


async def tried(world: World, lamps: Lamps, times: int) -> None:
    for _ in range(400):
        if len(lamps.asked) == times:
            return
        await world.run()
        world.clock.forward(seconds=20)
    raise AssertionError(f"not tried {times} times")


async def test_what_the_last_of_many_tries_made_is_found_by_the_next_one() -> None:
    lamps = Lamps()
    lamps.fails = TryLater("GitHub", status=502)
    world = world_with(lamps)
    await tried(world, lamps, MOST_TRIES - 1)
    lamps.fails, lamps.is_lost = None, True
    await tried(world, lamps, MOST_TRIES)
    assert lamps.lamps == [(A, True)]

    lamps.is_lost = False
    await world.settle(20)
    assert (world.outcome.requeue_after or 3600) > 60, "nobody looks each half minute for what is given up"
    world.clock.forward(minutes=10)
    world.poke()
    await world.settle()
    assert lamps.lamps == [(A, True)]


@pytest.mark.parametrize("passes", [1, 60], ids=["a while", "until it is given up"])
async def test_what_was_made_before_a_limit_of_writes_is_found_after_it(passes: int) -> None:
    lamps = Lamps()
    lamps.is_lost = True
    world = world_with(lamps)
    await tried(world, lamps, 1)
    lamps.is_lost, world.github.writes_limit = False, LIMITED
    await world.settle(passes, seconds=60)

    world.github.writes_limit = None
    world.clock.forward(minutes=61)
    world.poke()
    await world.settle()
    assert lamps.lamps == [(A, True)]


REFUSALS = {
    "not valid": Invalid("GitHub", status=422, message="Validation Failed"),
    "as if it were not there": NotFound("GitHub", status=404, message="Not Found"),
    "no permission": Forbidden("GitHub", status=403, message="Resource not accessible by integration"),
    "given up": TryLater("GitHub", status=502),
}


@pytest.mark.parametrize("waits", [False, True], ids=["with the deployment", "after it waited"])
@pytest.mark.parametrize("error", REFUSALS.values(), ids=REFUSALS.keys())
async def test_a_deployment_of_which_no_word_is_taken_is_no_reason_to_make_another(
    error: Exception, waits: bool
) -> None:
    world = World(**ON)
    world.github.ci = a_run()
    world.push(A, built=not waits)
    if waits:
        await world.settle(4)
        assert world.github.deployments.states() == {A: "waits"}
        world.push(A)
    world.fail("say of deployment", by=error)
    await world.settle(60, seconds=60)
    assert (world.status.phase, world.status.last_error) == (Phase.READY, "")

    # There is something new to say: the link shows staging now.
    world.links.answer = STAGING
    await world.settle(60, seconds=60)
    world.mend()
    world.links.answer = OURS
    world.clock.forward(minutes=61)
    world.poke()
    await world.settle(60)
    assert len(world.github.deployments.all) == 1
    assert world.github.deployments.states() == {A: "success"}


async def test_a_deployment_that_somebody_deleted_while_it_waited_is_made_again_with_news() -> None:
    world = World(**ON)
    world.github.ci = a_run()
    world.push(A, built=False)
    await world.settle(4)
    world.github.deployments.all.clear()
    world.push(A)
    await world.settle()

    assert world.github.deployments.states() == {A: "success"}
