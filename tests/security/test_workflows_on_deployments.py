"""Whoever may not run workflows has one run by our deployment.

A workflow that starts at `deployment` or `deployment_status` runs as the deployed commit has it, with the
repository's secrets, and GitHub asks nobody for leave.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from previewbot.api import Phase
from previewbot.api.ci import CheckRun, Runs
from previewbot.api.github import Account
from tests.support.passes import A, B, World
from tests.unit.test_passes_deployments import ON, a_run

WAITS = a_run("action_required", "completed")
DEPENDABOT = Account(49699333, "dependabot[bot]")


@pytest.mark.parametrize("seen", ["while the image is missing", "when it is there"])
async def test_no_deployment_is_made_while_a_workflow_waits_for_a_person(seen: str) -> None:
    world = World(**ON)
    world.github.ci = WAITS
    world.push(A, built=seen == "when it is there")
    await world.settle(30)
    assert world.github.deployments.all == {}

    world.github.ci = a_run()
    world.push(A)
    await world.settle(30, seconds=30)
    assert world.github.deployments.states() == {A: "success"}


@pytest.mark.parametrize("event", ["pull_request_target", "dynamic"])
async def test_a_workflow_that_needs_no_approval_says_nothing_of_those_that_do(event: str) -> None:
    """Such a one runs, and CI outside of GitHub builds, before the one that waits is listed."""
    elsewhere = CheckRun(5, "build", "in_progress", app_id=9, app="circleci-checks")
    needs_none = replace(a_run().workflows[0], path="labels.yml", event=event)
    world = World(**ON)
    world.github.ci = Runs((needs_none,), (elsewhere,))
    world.push(A, built=False)
    await world.settle(2)

    world.github.ci = Runs((needs_none, *WAITS.workflows), (elsewhere,))
    world.push(A)
    await world.settle(30)
    assert world.github.deployments.all == {}


async def test_until_github_lists_what_a_push_starts_no_deployment_is_made() -> None:
    world = World(**ON)
    world.github.ci = Runs()
    await world.settle(2, seconds=3)
    assert (world.github.deployments.all, world.calls.made.count("awaits approval")) == ({}, 0)

    world.github.ci = WAITS
    await world.settle(30)
    assert world.github.deployments.all == {}


async def test_that_a_workflow_waits_is_asked_ever_more_seldom() -> None:
    world = World(**ON)
    world.github.ci = WAITS
    asked = 0
    for _ in range(120):
        world.poke()
        await world.run()
        asked += world.calls.made.count("awaits approval")
        world.clock.forward(seconds=30)

    assert 5 <= asked <= 14


async def test_a_fork_has_none_also_with_an_approved_commit() -> None:
    world = World(**ON)
    world.github.fork = True
    world.say(f"/preview start {A}")
    await world.settle(20)

    assert world.status.phase is Phase.READY
    assert world.github.deployments.all == {}


async def test_dependabot_has_none_whoever_else_pushes() -> None:
    world = World(**ON)
    world.github.author = DEPENDABOT
    world.github.ci = a_run()
    world.push(A)
    world.say("/preview start")
    await world.settle(20)
    assert world.status.phase is Phase.READY
    assert world.github.deployments.all == {}

    world.push(B)
    await world.settle(20)
    world.close()
    await world.settle(20)
    assert world.github.deployments.all == {}
