"""Deployments and checks that wait for room: they are written in the end, at little cost until then."""

from __future__ import annotations

from datetime import timedelta

from previewbot.errors import QuotaKept, TryLater
from tests.support.passes import A, World
from tests.unit.test_passes_checks import NOT_GRANTED, outcomes
from tests.unit.test_passes_deployments import ON

NO_ROOM = QuotaKept("POST", status=429, message="kept for comments and answers", after=60.0)


def is_gone(world: World) -> bool:
    return world.cluster.preview is None


async def goes_on(world: World, **time: float) -> list[str]:
    """Look when the passes want to, for so long; return the calls that they make."""
    until, made = world.clock.now + timedelta(**time), list[str]()
    while world.clock.now < until and world.cluster.preview is not None:
        again = (await world.run()).requeue_after
        made += ["pass", *world.calls.made]
        world.clock.forward(seconds=600 if again is None else max(again, 0.2))
    return made


async def test_a_required_check_of_what_is_not_previewed_waits_for_hours_and_is_made() -> None:
    world = World(check="required")
    world.github.labels, world.github.optional_limit = (), NO_ROOM
    made = await goes_on(world, hours=2)
    assert not is_gone(world)
    assert made.count("pass") < 40
    world.github.optional_limit = None
    await goes_on(world, minutes=10)

    assert is_gone(world)
    assert outcomes(world, A) == [["skipped"]]


async def test_a_deployment_that_waits_at_the_end_keeps_no_session_and_is_ended() -> None:
    world = World(**ON)
    await world.settle()
    world.github.optional_limit = NO_ROOM
    world.close()
    await goes_on(world, minutes=1)
    assert not world.cluster.sessions
    assert "Open the preview" not in world.comment
    made = await goes_on(world, hours=2)
    # It waits for GitHub alone: nothing in the cluster is looked at again and again.
    assert made.count("pass") < 60
    assert world.github.deployments.states() == {A: "success"}
    world.github.optional_limit = None
    await goes_on(world, minutes=10)

    assert is_gone(world)
    assert world.github.deployments.states() == {A: "inactive"}


async def test_what_was_never_sent_leaves_no_doubt_of_what_stands_there() -> None:
    world = World(check="on", **ON)
    world.registry.images = set()
    await world.settle()
    before = world.status.report(f"check/{A}")
    world.github.optional_limit = NO_ROOM
    world.push(A)
    await world.settle()
    held = world.status.report(f"check/{A}")
    assert (held.hash, held.told, held.intent_at) == (before.hash, before.told, None)
    assert "GitHub takes what is reported" in [each.message for each in world.status.conditions]
    world.github.optional_limit = None
    made = await goes_on(world, minutes=10)

    assert "own checks" not in made
    assert outcomes(world, A) == [["in progress", "success"]]
    assert world.github.deployments.states() == {A: "success"}


async def test_what_an_hour_kept_for_others_is_written_soon_after_it_is_not_kept_from_it() -> None:
    world = World(check="on")
    world.registry.images = set()
    await world.settle()
    world.github.optional_limit = QuotaKept("POST", status=429, message="kept", after=3_000.0)
    world.push(A)
    await world.settle()
    world.github.optional_limit = None
    await goes_on(world, minutes=5)

    assert outcomes(world, A) == [["in progress", "success"]]


async def test_a_required_check_that_github_does_not_take_is_made_by_a_listing_an_hour_later() -> None:
    world = World(check="required")
    world.github.labels = ()
    world.fail("create check", by=TryLater("GitHub", status=502))
    await goes_on(world, hours=1)
    assert is_gone(world)
    # What is refused for good must not cost a look with each listing.
    assert world.remembers_that_nothing_triggers()
    world.mend()
    world.clock.forward(hours=1)
    assert not world.remembers_that_nothing_triggers()
    world.list_it()
    await goes_on(world, minutes=5)

    assert is_gone(world)
    assert outcomes(world, A) == [["skipped"]]
    world.clock.forward(hours=1)
    assert world.remembers_that_nothing_triggers()


async def test_once_a_permission_is_granted_the_listing_finds_those_that_went_without_a_check() -> None:
    world = World(check="required")
    world.github.labels = ()
    world.fail("create check", by=NOT_GRANTED)
    world.clock.forward(seconds=5)
    await world.settle()
    assert is_gone(world)
    world.clock.forward(hours=2)
    assert world.remembers_that_nothing_triggers()
    world.mend()
    world.turn_to(43)
    world.poke()
    await world.settle()

    assert is_gone(world)
    assert not world.remembers_that_nothing_triggers()
