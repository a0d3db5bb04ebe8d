"""The check `preview verdict`, through passes: begun for each commit, moved by what counts, no yes else."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api import Says
from previewbot.api.check_runs import VERDICT_CHECK_NAME, CheckRunContent
from previewbot.api.github import Account
from previewbot.errors import Forbidden, TryLater
from previewbot.reconciler.plan.requeue import INTENT_HOLDS
from previewbot.text.verdicts import verdict_comment
from tests.support.passes import ANN, OWN_APP, A, B, World

AUTHOR, READER = Account(1, "bob"), Account(50, "rita")
NOT_GRANTED = Forbidden("GitHub", status=403, message="Resource not accessible by integration")
YES_TO_RULES_OF_BRANCHES = {"neutral", "skipped"}


async def a_world(verdicts: str = "check", **settings: Any) -> World:
    world = World(verdicts=verdicts, **settings)
    world.poke()
    await world.settle(2)
    world.cluster.session_becomes("Ready")
    await world.settle(4)
    return world


def said(world: World, sha: str = A) -> list[CheckRunContent]:
    runs = world.github.checks.of(sha, VERDICT_CHECK_NAME)
    assert len(runs) <= 1
    return runs[0].said if runs else []


def outcomes(world: World, sha: str = A) -> list[str]:
    return [str(each.conclusion or "in progress") for each in said(world, sha)]


async def say(world: World, says: Says = Says.GOOD, who: Account = ANN, *, sha: str = A) -> int:
    number = world.say(verdict_comment(says, sha, "/cart", "", preview_url=""), who, OWN_APP)
    await world.settle(3)
    return number


async def test_without_the_setting_there_is_no_such_check() -> None:
    world = await a_world("off")
    await say(world)

    assert world.github.checks.runs == {}


async def test_it_waits_until_somebody_judged_the_very_commit() -> None:
    world = await a_world()
    assert outcomes(world) == ["in progress"]
    assert said(world)[-1].details_url == "http://previewbot.example.com/p/812/42"
    await say(world)
    assert outcomes(world)[-1] == "success"
    world.push(B)
    await world.settle(4)
    assert outcomes(world, B) == ["in progress"]
    await say(world, Says.WORK, sha=B)

    assert outcomes(world, B)[-1] == "action_required"
    # What was judged stays so.
    assert outcomes(world, A)[-1] == "success"


async def test_of_a_commit_that_nobody_judged_the_check_ends_without_a_yes() -> None:
    world = await a_world()
    world.push(B)
    await world.settle(4)

    assert outcomes(world, A) == ["in progress", "cancelled"]


@pytest.mark.parametrize("who", [AUTHOR, READER], ids=["the author", "a reader"])
async def test_who_does_not_count_moves_nothing(who: Account) -> None:
    world = await a_world()
    await say(world, who=who)

    assert outcomes(world) == ["in progress"]


async def test_a_verdict_that_is_edited_or_deleted_moves_it_back() -> None:
    world = await a_world()
    number = await say(world)
    world.github.edit(number, "changed", AUTHOR.id)
    world.poke()
    await world.settle(3)
    assert outcomes(world)[-1] == "in progress"
    number = await say(world)
    assert outcomes(world)[-1] == "success"
    world.github.delete(number)
    world.poke()
    await world.settle(3)

    assert outcomes(world)[-1] == "in progress"


async def test_a_press_is_no_verdict_and_there_is_no_button() -> None:
    world = await a_world()

    assert all(each.actions == () and each.annotations == () for each in said(world))


async def test_where_nothing_is_previewed_there_is_none() -> None:
    world = World(verdicts="check")
    world.github.labels, world.github.paths = (), ("README.md",)
    world.poke()
    await world.settle(3)

    assert world.github.checks.runs == {}


async def test_a_pull_request_that_closes_leaves_no_check_that_waits_for_ever() -> None:
    world = await a_world()
    world.close()
    await world.settle(4)

    assert outcomes(world)[-1] == "cancelled"


async def test_nothing_ever_said_is_a_yes_without_a_verdict() -> None:
    world = await a_world()
    for who in (AUTHOR, READER):
        await say(world, who=who)
    world.push(B)
    await world.settle(3)
    world.say("/preview stop")
    await world.settle(4)
    world.close()
    await world.settle(4)

    conclusions = {each for sha in (A, B) for each in outcomes(world, sha)}
    assert conclusions == {"in progress", "cancelled"}
    assert not conclusions & YES_TO_RULES_OF_BRANCHES


@pytest.mark.parametrize("call", ["create", "update"])
async def test_a_process_that_dies_over_it_leaves_one_check_that_says_the_right_thing(call: str) -> None:
    world = await a_world() if call == "update" else World(verdicts="check")
    sends = getattr(world.github.checks, call)

    async def dies(*arguments: Any) -> None:
        await sends(*arguments)
        raise SystemExit

    setattr(world.github.checks, call, dies)
    world.say(verdict_comment(Says.GOOD, A, "/", "", preview_url=""), ANN, OWN_APP)
    with pytest.raises(SystemExit):
        await world.settle()
    setattr(world.github.checks, call, sends)
    world.restart()
    world.clock.forward(seconds=INTENT_HOLDS.total_seconds() + 1)
    await world.settle()

    assert outcomes(world)[-1] == "success"


@pytest.mark.parametrize("error", [NOT_GRANTED, TryLater("GitHub", status=502)], ids=["refused", "away"])
async def test_what_goes_wrong_with_it_holds_up_nothing(error: Exception) -> None:
    world = World(verdicts="check")
    world.fail("create check", by=error)
    world.poke()
    await world.settle(2)
    world.cluster.session_becomes("Ready")
    await world.settle(4)

    assert world.comment
    assert world.status.phase is not None
    assert world.status.phase.runs
    assert world.status.last_error == ""


async def test_the_words_of_the_check_name_who_said_what_and_escape_it() -> None:
    world = await a_world()
    await say(world, Says.WORK)
    output = said(world)[-1].output

    assert output.title == "ann says that it needs work"
    assert "**ann**: [needs work](https://github.com/acme/shop/pull/42#issuecomment-" in output.summary
    assert "the preview's page](http://previewbot.example.com/p/812/42)" in output.summary
