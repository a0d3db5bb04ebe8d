"""Passes with deployments: what GitHub is told of which commit, when, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from previewbot.api import Condition, Phase
from previewbot.api.ci import Runs, WorkflowRun
from previewbot.api.deployments import Deployment
from previewbot.errors import Forbidden, Invalid, TryLater
from tests.support.fault_points import Fault
from tests.support.lives_in_process import DeployedLife, live, live_with_each
from tests.support.passes import BOTH, A, B, World, ready
from tests.unit.test_passes_links import ENTRY, OURS, STAGING

ON: dict[str, Any] = {"deployments": {"environment": "preview"}}
NOT_GRANTED = Forbidden("GitHub", status=403, message="Resource not accessible by integration")
FIXED = {"some": pytest.param(9), "all": pytest.param(1, marks=pytest.mark.long)}


def a_run(conclusion: str = "", status: str = "in_progress") -> Runs:
    return Runs((WorkflowRun(1, 7, "build", "b.yml", "pull_request", status, conclusion, "https://x"),))


async def test_a_life_is_told_commit_by_commit_with_the_link_and_ends_inactive() -> None:
    world = World(**ON)
    world.github.ci = a_run()
    world.push(A, built=False)
    await world.settle(2)
    kept = world.github.deployments
    assert (kept.states(), kept.all[1].environment) == ({A: "waits"}, "preview")

    world.push(A)
    await world.settle()
    assert kept.last(A).environment_url == world.status.link.url != ""
    assert kept.last(A).log_url == "https://github.com/acme/shop/pull/42"

    world.push(B)
    await world.settle()
    world.close()
    await world.settle()
    assert world.cluster.preview is None
    assert kept.said_of(A) == ["in_progress", "success", "inactive"]
    assert kept.said_of(B) == ["in_progress", "success", "inactive"]


async def test_one_life_costs_seven_requests_and_two_questions() -> None:
    world = World(**ON)
    made: list[str] = []
    steps: tuple[Callable[[], None], ...] = (partial(world.push, A), partial(world.push, B), world.close)
    for step in steps:
        step()
        for _ in range(12):
            await world.run()
            made += [call for call in world.calls.made if "deployment" in call or "approval" in call]
            world.clock.forward(seconds=5)

    counted = {call: made.count(call) for call in made}
    assert counted == {
        "awaits approval": 2,
        "create deployment": 2,
        "say of deployment": 5,
    }


async def test_an_older_commit_stays_a_success_as_long_as_it_serves() -> None:
    world = await ready(World(**ON))
    world.github.ci = a_run()
    world.push(B, built=False)
    await world.settle()

    assert (world.serving, world.github.deployments.states()) == ([A], {A: "success", B: "waits"})


async def test_a_link_that_shows_staging_is_no_success_and_one_that_does_so_later_takes_it_back() -> None:
    world = World(**ON)
    world.github.configuration, world.links.answer = ENTRY, STAGING
    await world.settle(90)
    kept = world.github.deployments
    assert (kept.states(), kept.last(A).environment_url) == ({A: "in_progress"}, "")
    assert kept.last(A).description == "The link does not show the pull request"

    world.links.answer = OURS
    await world.settle(60)
    assert kept.states() == {A: "success"}


async def test_switched_off_those_that_are_there_end_and_none_is_made() -> None:
    world = await ready(World(**ON))
    world.settings = World().settings
    world.restart()
    world.push(B)
    await world.settle()

    assert world.github.deployments.states() == {A: "inactive"}


def reported(world: World) -> Condition:
    return next(each for each in world.status.conditions if each.type == "Reported")


async def test_without_the_permission_everything_else_goes_on_and_the_preview_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(**ON)
    world.fail("deployments", "create deployment", by=NOT_GRANTED)
    await ready(world)
    assert (world.status.last_error, world.status.phase) == ("", Phase.READY)
    assert (reported(world).status, reported(world).reason) == ("True", "InPart")
    assert reported(world).message == (
        "GitHub takes what is reported, but for this. There are no deployments: the App was not granted "
        "`deployments: write`. Whoever owns the App adds that to it, and an owner of acme accepts it; it is "
        "tried again once an hour."
    )
    world.calls.made.clear()
    world.push(B)
    await world.settle()
    asked = [call for call in world.calls.made if call in ("deployments", "create deployment")]
    assert asked == [], "a new head does not ask again"
    told = [record.__dict__ for record in caplog.records if "takes nothing from us" in record.message]
    assert [(each["place"], each["permission"]) for each in told] == [("deployments", "deployments: write")]

    world.mend()
    world.clock.forward(minutes=61)
    world.poke()
    await world.settle()
    assert (reported(world).status, reported(world).reason) == ("True", "AsExpected")
    assert world.github.deployments.last(B).environment_url == world.status.link.url
    world.fail("deployments", "create deployment", "say of deployment", by=NOT_GRANTED)

    world.close()
    await world.settle()
    assert world.cluster.preview is None


async def test_a_preview_whose_deployment_was_lost_does_not_wait_for_the_permission_to_end() -> None:
    world = World(**ON)
    world.fail("create deployment", by=TryLater("GitHub", message="no answer in time"))
    await ready(world)
    assert any(report.intent_at for report in world.status.reports.values())

    world.mend()
    world.fail("deployments", "create deployment", by=NOT_GRANTED)
    world.clock.forward(minutes=10)
    world.poke()
    await world.settle()
    assert (world.outcome.requeue_after or 3600) > 60, "nobody looks each half minute for what is refused"
    world.close()
    await world.settle()
    assert world.cluster.preview is None


@pytest.mark.parametrize(
    "error", [TryLater("GitHub", status=502), Invalid("GitHub", status=422, message="x")]
)
async def test_a_github_that_takes_none_holds_up_no_end(error: Exception) -> None:
    world = await ready(World(**ON))
    world.fail("say of deployment", by=error)
    world.close()
    await world.settle(4)
    assert world.cluster.sessions == {}

    await world.settle(200, seconds=20)
    assert world.cluster.preview is None


async def test_one_that_somebody_deleted_is_made_again_only_with_news() -> None:
    world = await ready(World(**ON))
    world.github.deployments.all.clear()
    world.push(B)
    await world.settle()

    assert world.github.deployments.states() == {B: "success"}


async def test_one_made_without_an_answer_is_found_where_the_words_before_are_wanted_again() -> None:
    world = await ready(World(**ON))
    kept, runs = world.github.deployments, world.cluster.session_status
    world.cluster.session_status = {"phase": "Waiting"}
    # Somebody deletes it: what is said next has no deployment.
    kept.all.clear()
    world.cluster.session_becomes("Failed")
    await world.settle(30)
    make = kept.create

    async def without_an_answer(*what: str) -> Deployment:
        await make(*what)
        kept.create = make  # type: ignore[method-assign]
        raise TryLater("GitHub", message="no answer")

    kept.create = without_an_answer  # type: ignore[method-assign, assignment]
    world.say("/preview start")
    world.poke()
    while kept.create != make:
        await world.settle(1)
    world.cluster.session_becomes("Failed")
    await world.settle(30)
    assert kept.states() == {A: "failure"}

    world.cluster.session_status = runs
    world.say("/preview start")
    world.poke()
    await world.settle(30)
    assert kept.states() == {A: "success"}


async def test_a_reopened_pull_request_goes_on_with_the_deployment_of_its_commit() -> None:
    world = await ready(World(**ON))
    world.close()
    await world.settle()
    world.github.state = "open"
    world.poke()
    await world.settle()

    assert world.github.deployments.states() == {A: "success"}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("each", FIXED.values(), ids=FIXED.keys())
@pytest.mark.parametrize("fault", Fault, ids=str)
async def test_a_fault_at_any_request_leaves_one_deployment_a_commit_and_none_active(
    fault: Fault, each: int
) -> None:
    undisturbed = await live(BOTH, kind=DeployedLife)

    lives = await live_with_each(fault, BOTH, undisturbed, DeployedLife, each)

    assert {"deployment create", "deployment say"} <= set(undisturbed.requests)
    different = {str(point): life for point, life in lives.items() if life.seen != undisturbed.seen}
    assert different == {}
