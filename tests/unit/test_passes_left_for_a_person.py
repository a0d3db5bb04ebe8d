"""An agent's own commands beside what a person started: `agents: {copilot: {services: […]}}` holds back."""

from __future__ import annotations

from typing import Any

from tests.support.passes import ANN, BOTH, World
from tests.unit.test_passes_agent_policies import COPILOT, a_world
from tests.unit.test_passes_services_of_choice import running

GRANTED: dict[str, Any] = {"agents": {"commands": {"copilot": ["start", "stop", "restart"]}}}


async def by_policy() -> World:
    """Return a world in which the policy lets one of two services of an agent start, and it runs."""
    world = a_world(COPILOT, "copilot: {services: [pricing]}", **GRANTED)
    world.github.paths = BOTH
    await world.settle()
    assert running(world) == {"pricing"}
    return world


async def test_an_agents_restart_takes_nothing_away_of_what_a_person_started() -> None:
    world = await by_policy()
    world.say("/preview start", ANN)
    await world.settle()
    before = set(world.cluster.sessions[name]["metadata"]["uid"] for name in world.cluster.sessions)
    world.say("/preview restart", COPILOT)
    await world.settle()

    assert running(world) == {"checkout", "pricing"}
    assert before.isdisjoint(s["metadata"]["uid"] for s in world.cluster.sessions.values())


async def test_an_agent_starts_again_alone_what_a_person_had_started() -> None:
    world = await by_policy()
    world.say("/preview start", ANN)
    await world.settle()
    world.say("/preview stop checkout", ANN)
    await world.settle()
    world.say("/preview start checkout", COPILOT)
    await world.settle()

    assert running(world) == {"checkout", "pricing"}


async def test_an_agent_that_names_what_is_left_for_a_person_is_told_so() -> None:
    world = await by_policy()
    number = world.say("/preview start checkout", COPILOT)
    await world.settle()

    assert running(world) == {"pricing"}
    assert world.github.reacted == [(number, "confused")]
    assert "leaves `checkout` for a person to start" in world.answers[-1]


async def test_an_agent_that_starts_its_services_says_nothing_of_the_others() -> None:
    world = await by_policy()
    world.say("/preview stop", COPILOT)
    await world.settle()
    world.say("/preview start pricing", COPILOT)
    await world.settle()

    assert running(world) == {"pricing"}
    assert "Only a person's command starts **checkout**" in world.comment


async def test_a_persons_restart_leaves_out_what_was_left_out() -> None:
    world = await by_policy()
    world.say("/preview restart", ANN)
    await world.settle()

    assert running(world) == {"pricing"}
    assert world.status.observed.held_back == ("checkout",)
