"""A pull request that nothing runs for gets no host name in staging, whoever opens it.

Who could want it: whoever wants a name below the platform's own domain that leads somewhere, or to fill the
Gateway with routes, for the price of a pull request.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.passes import BROKEN, A, B, World, ready


def a_world(**changes: Any) -> World:
    world = World()
    for name, value in changes.items():
        setattr(world.github, name, value)
    world.poke()
    return world


NEVER_RAN = {
    "a fork that nobody approved": {"fork": True},
    "a broken configuration": {"configuration": BROKEN},
    "a fork with a broken configuration": {"fork": True, "configuration": BROKEN},
    "no service changed": {"paths": ("README.md",)},
    "nothing asks for it": {"labels": ()},
}


@pytest.mark.parametrize("changes", NEVER_RAN.values(), ids=NEVER_RAN.keys())
async def test_what_never_ran_has_no_route(changes: dict[str, Any]) -> None:
    world = a_world(**changes)

    await world.settle()

    assert "apply route" not in world.calls.made
    assert world.cluster.routes == {}


@pytest.mark.parametrize("changes", NEVER_RAN.values(), ids=NEVER_RAN.keys())
async def test_nothing_that_is_told_of_it_names_the_host(changes: dict[str, Any]) -> None:
    world = a_world(**changes)
    world.say("/preview status")
    world.say("/preview help")
    await world.settle()

    told = [*world.github.own_comments(), str(world.cluster.preview and world.cluster.preview["status"])]
    assert not [text for text in told if "preview.example.com" in text.replace("previewbot.example.com", "")]


async def test_a_fork_that_was_stopped_before_anybody_approved_it_has_no_route() -> None:
    world = a_world(fork=True)
    await world.settle(2)
    world.say("/preview stop")
    await world.settle(4)

    assert world.status.reason == "ByCommand"
    assert world.cluster.routes == {}


async def test_the_route_is_there_before_the_session_of_an_approved_fork() -> None:
    world = a_world(fork=True)
    await world.settle(2)
    world.say(f"/preview start {A}")
    await world.run()

    assert world.calls.made.index("apply route") < world.calls.made.index("create session")
    await world.settle(3)
    assert world.cluster.leads_to() == "staging"


async def test_a_push_to_an_approved_fork_turns_its_route_to_the_page_and_keeps_it() -> None:
    world = a_world(fork=True)
    world.say(f"/preview start {A}")
    await world.settle(4)
    world.push(B)
    await world.settle(10)

    assert world.serving == []
    assert world.cluster.leads_to() == "page"


async def test_a_route_that_was_made_and_not_recorded_is_turned_all_the_same() -> None:
    """A process died after it had made the route, and before it stored that."""
    world = await ready()
    assert world.cluster.preview is not None
    children = world.cluster.preview["status"]["children"]
    world.cluster.preview["status"]["children"] = [c for c in children if c["kind"] != "HTTPRoute"]
    world.restart()
    world.say("/preview stop")
    await world.settle(10)

    assert world.serving == []
    assert world.cluster.leads_to() == "page"
