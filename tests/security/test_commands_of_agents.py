"""Commands written by Apps: an agent's account, one that looks like it, and one that writes without an end.

Who could want it: whoever gets an agent to write a comment (a title, an issue, a file that it reads), or
makes an App of their own. The settings give each agent its commands (`agents.commands`); none by default.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from previewbot.api.github import Account
from previewbot.reconciler.plan.agents_commands import OBEYED_AN_HOUR
from tests.support.passes import ANN, BOT, OWN_APP, A, B, World

COPILOT = Account(198982749, "Copilot", "Bot")
CURSOR = Account(206951365, "cursor[bot]", "Bot")
LOOK_ALIKE = Account(777_002, "Copilot", "Bot")
BOB = Account(1, "bob")
THEIR_APP = 1_143_301
GRANTED: dict[str, Any] = {"agents": {"commands": {"copilot": ["status", "start", "restart"]}}}
ALL: dict[str, Any] = {
    "agents": {"commands": {"copilot": ["start", "restart", "stop", "extend", "status", "help"]}}
}


def a_world(author: Account = COPILOT, **settings: Any) -> World:
    world = World(**(settings or GRANTED))
    world.github.author, world.github.labels = author, ()
    world.poke()
    return world


async def running(author: Account = COPILOT, **settings: Any) -> World:
    world = a_world(author, **settings)
    if author.type != "Bot":
        world.github.labels = ("preview",)
    await world.settle()
    assert world.serving == [A]
    return world


def reactions(world: World, comment: int) -> list[str]:
    return [reaction for number, reaction in world.github.reacted if number == comment]


def uids(world: World) -> list[str]:
    return [session["metadata"]["uid"] for session in world.cluster.sessions.values()]


async def test_an_agent_is_obeyed_in_its_own_pull_request_without_a_question_about_its_rights() -> None:
    world = await running()
    before = uids(world)
    said = world.say("/preview restart", COPILOT, THEIR_APP)
    await world.settle()

    assert uids(world) != before
    assert reactions(world, said)[-1] == "rocket"
    assert COPILOT.login not in world.github.asked_about


async def test_by_default_no_agent_is_obeyed() -> None:
    world = await running(agents={})
    before = uids(world)
    said = world.say("/preview restart", COPILOT, THEIR_APP)
    await world.settle()

    assert (uids(world), reactions(world, said), world.answers) == (before, ["confused"], [])


@pytest.mark.parametrize("command", ["/preview stop", "/preview extend 2h", "/preview strat"])
async def test_what_the_settings_do_not_give_it_gets_a_reaction_only(command: str) -> None:
    world = await running()
    before = world.status.lifecycle
    said = world.say(command, COPILOT, THEIR_APP)
    await world.settle(3)

    assert world.status.lifecycle == before
    assert (world.serving, reactions(world, said), world.answers) == ([A], ["confused"], [])


async def test_one_command_that_it_may_not_give_takes_the_others_of_its_comment_along() -> None:
    world = await running()
    before = uids(world)
    said = world.say("/preview restart\n\n/preview stop", COPILOT, THEIR_APP)
    await world.settle()

    assert (world.serving, uids(world), reactions(world, said)) == ([A], before, ["confused"])


@pytest.mark.parametrize("author", [LOOK_ALIKE, CURSOR], ids=["a look-alike", "another agent"])
async def test_another_account_is_not_obeyed_in_an_agents_pull_request(author: Account) -> None:
    world = await running(**ALL)
    said = world.say("/preview stop", author, THEIR_APP)
    await world.settle()

    assert (world.serving, reactions(world, said), world.answers) == ([A], ["confused"], [])


async def test_a_login_that_was_taken_over_opens_no_pull_request_of_the_agents() -> None:
    world = a_world(LOOK_ALIKE, **ALL)
    world.github.labels = ("preview",)
    world.poke()
    await world.settle()
    said = world.say("/preview stop", LOOK_ALIKE, THEIR_APP)
    await world.settle()

    assert (world.serving, reactions(world, said)) == ([A], ["confused"])


@pytest.mark.parametrize("branch", ["fix/checkout", "copilot/fix"])
async def test_an_agents_account_is_not_obeyed_in_a_persons_pull_request(branch: str) -> None:
    world = a_world(BOB, **ALL)
    world.github.branch, world.github.labels = branch, ("preview",)
    world.poke()
    await world.settle()
    said = world.say("/preview stop", COPILOT, THEIR_APP)
    await world.settle()

    assert (world.serving, reactions(world, said), world.answers) == ([A], ["confused"], [])


async def test_an_agent_is_not_obeyed_in_another_agents_pull_request() -> None:
    both = {"agents": {"commands": {"copilot": ["stop"], "cursor": ["stop"]}}}
    world = await running(CURSOR, **both)
    said = world.say("/preview stop", COPILOT, THEIR_APP)
    await world.settle()

    assert (world.serving, reactions(world, said)) == ([A], ["confused"])


@pytest.mark.parametrize("command", [f"/preview start {A}", f"/preview restart {A}", "/preview status"])
async def test_of_a_fork_an_agent_gets_nothing_and_approves_nothing(command: str) -> None:
    world = a_world(**ALL)
    world.github.fork = True
    world.poke()
    await world.settle(3)
    said = world.say(command, COPILOT, THEIR_APP)
    await world.settle()

    assert (world.serving, world.status.lifecycle.approved_sha) == ([], "")
    assert (reactions(world, said), world.answers) == (["confused"], [])


async def test_what_our_own_app_writes_is_no_command_even_if_somebody_lists_it_as_an_agent() -> None:
    table = {"previewbot": {"accounts": [BOT.id]}}
    settings = {"agents": {"table": table, "commands": {"previewbot": ["stop"]}}}
    world = await running(BOT, **settings)
    said = world.say("/preview stop", BOT, OWN_APP)
    await world.settle()

    assert (world.serving, reactions(world, said)) == ([A], [])


async def test_an_app_that_writes_in_a_persons_name_stays_what_it_was() -> None:
    world = await running(**ALL)
    said = world.say("/preview stop", ANN, THEIR_APP)
    await world.settle()

    assert (world.serving, reactions(world, said)) == ([A], ["confused"])


async def test_a_person_stops_what_an_agent_starts_and_the_newer_one_counts() -> None:
    world = await running()
    world.say("/preview start", COPILOT, THEIR_APP)
    world.say("/preview stop", ANN)
    await world.settle()
    assert world.serving == []

    world.say("/preview start", COPILOT, THEIR_APP)
    await world.settle()
    assert world.serving == [A]


async def test_an_agents_start_leaves_to_a_person_what_its_policy_leaves_to_one() -> None:
    world = a_world()
    world.github.paths = ("checkout/app.py", "pricing/app.py")
    world.github.configuration += "agents:\n  copilot: {services: [pricing]}\n"
    world.poke()
    await world.settle()
    world.say("/preview start", COPILOT, THEIR_APP)
    await world.settle()

    assert [service.name for service in world.status.services] == ["pricing"]


async def test_an_agent_that_writes_restart_for_ever_costs_little() -> None:
    world = await running()
    made = set(uids(world))
    said = []
    for _ in range(4 * OBEYED_AN_HOUR):
        said.append(world.say("/preview restart", COPILOT, THEIR_APP))
        await world.settle(4)
        made.update(uids(world))

    assert len(made) <= OBEYED_AN_HOUR + 1
    assert world.answers == []
    assert [reactions(world, number)[-1:] for number in said[:OBEYED_AN_HOUR]] == [
        ["rocket"]
    ] * OBEYED_AN_HOUR
    late = [reactions(world, number) for number in said[OBEYED_AN_HOUR:]]
    assert late[0] == ["confused"]
    assert sum(map(len, late)) <= 2


async def test_it_is_obeyed_again_an_hour_later_and_people_all_the_time() -> None:
    world = await running()
    for _ in range(OBEYED_AN_HOUR + 1):
        world.say("/preview restart", COPILOT, THEIR_APP)
        await world.settle(4)
    before = uids(world)
    world.say("/preview restart", ANN)
    await world.settle()
    assert uids(world) != before

    before = uids(world)
    world.clock.forward(seconds=timedelta(hours=1).total_seconds())
    world.say("/preview restart", COPILOT, THEIR_APP)
    await world.settle()
    assert uids(world) != before


async def test_the_limit_outlives_the_controller() -> None:
    world = await running()
    for _ in range(OBEYED_AN_HOUR):
        world.say("/preview status", COPILOT, THEIR_APP)
        await world.settle(2)
    given = len(world.answers)
    world.restart()
    world.say("/preview status", COPILOT, THEIR_APP)
    await world.settle(3)

    assert given == OBEYED_AN_HOUR
    assert len(world.answers) == given


async def test_a_push_of_the_agent_changes_nothing_about_what_it_may_ask_for() -> None:
    world = await running()
    world.push(B)
    await world.settle()
    said = world.say("/preview stop", COPILOT, THEIR_APP)
    await world.settle()

    assert (world.serving, reactions(world, said)) == ([B], ["confused"])


async def test_what_somebody_else_edited_into_an_agents_comment_is_no_command() -> None:
    world = await running(**ALL)
    said = world.github.say("I looked at it.", COPILOT, app_id=THEIR_APP)
    world.github.edit(said, "/preview stop", by=BOB.id)
    world.poke(comment_id=said)
    await world.settle()

    assert world.serving == [A]
