"""What a pass makes of a commit's CI, and of an image that is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from previewbot.api import Reason
from previewbot.api.ci import Runs
from previewbot.errors import Forbidden, NotFound, RemoteError, TryLater
from tests.support.github_ci_samples import app, check_run, named_run, runs_of
from tests.support.passes import BOTH, CONFIGURATION, A, B, World

IMAGE = f"ghcr.io/acme/checkout:{A}"
LONG_AGO = "2026-02-01T09:00:00Z"


def run(name: str, conclusion: str | None = "success", **changes: Any) -> dict[str, Any]:
    """Return a workflow run, which ended long ago if it did."""
    return named_run(name, conclusion, **{"updated_at": LONG_AGO, **changes})


async def told(
    *shown: dict[str, Any], configuration: str = CONFIGURATION, images: tuple[str, ...] = ()
) -> World:
    """Return a world without the image, after GitHub has shown these runs."""
    world = World()
    world.github.configuration = configuration
    world.registry.images = set(images)
    world.github.ci = runs_of(*shown)
    return await world.settle(3)


def named(build: str) -> str:
    return CONFIGURATION.replace(
        'checkout:{head_sha}"\n', 'checkout:{head_sha}"\n    build: ' + build + "\n", 1
    )


COPILOT = run(
    "Running Copilot Code Review",
    "failure",
    path="dynamic/agents/copilot-pull-request-reviewer",
    event="dynamic",
)


# Only the build is the build


@pytest.mark.parametrize(
    "bystander",
    [
        COPILOT,
        run("Lint", "failure"),
        run("CI", "cancelled"),
        check_run(5, "codecov/patch", 77, conclusion="failure", app=app(254, "codecov")),
        check_run(5, "Vercel", 77, conclusion="failure", app=app(8329, "vercel")),
        check_run(5, "license/cla", 77, conclusion="action_required", app=app(5, "cla-assistant")),
    ],
    ids=lambda shown: shown["name"],
)
async def test_a_bystander_that_fails_is_not_told_as_the_build(bystander: dict[str, Any]) -> None:
    world = await told(run("Build image"), bystander)

    assert world.status.reason is Reason.NO_SUCH_TAG
    assert world.comment.splitlines()[1].startswith(
        "**Built, but there is no such tag**: [the build](https://github.com/acme/shop/actions/runs/"
    )
    assert f"looks for `{IMAGE}`" in world.comment
    assert "failed**" not in world.comment


async def test_what_failed_beside_the_build_is_told_second() -> None:
    world = await told(run("Build image"), run("Lint", "failure"))

    assert "Also failed: Lint." in world.comment


@pytest.mark.parametrize(
    ("conclusion", "words"), [("failure", "its build failed** ([Docker build]("), (None, "[The build](")]
)
async def test_an_unrelated_workflow_that_waits_is_told_second(conclusion: str | None, words: str) -> None:
    build = run("Docker build", conclusion, event="push")
    world = await told(build, run("Sync Board Status", "action_required"))

    assert words in world.comment
    assert build["html_url"] in world.comment
    assert "approve here" not in world.comment
    assert "Also waits for somebody's approval: Sync Board Status." in world.comment


async def test_nobody_is_asked_to_approve_a_deployment() -> None:
    world = await told(run("Build image"), run("Deploy production", None, status="waiting"))

    assert world.status.reason is Reason.NO_SUCH_TAG
    assert "approv" not in world.comment
    assert "Deploy production" not in world.comment


async def test_a_build_that_an_environment_holds_is_not_told_to_run() -> None:
    world = await told(run("Build image", None, status="waiting"))

    assert "is held by the protection rules of the environment" in world.comment
    assert "has been running" not in world.comment
    assert "/actions/runs/" not in world.comment


async def test_a_build_that_waits_is_still_told_first_with_where_to_approve() -> None:
    build = run("Build image", "action_required")
    world = await told(run("Lint", "action_required"), build, COPILOT)

    assert f"[approve here]({build['html_url']})" in world.comment


async def test_the_end_of_a_build_is_no_accusation_for_a_moment() -> None:
    """The registry was asked before the build ended; the next look finds the image."""
    world = World()
    world.registry.images.clear()
    world.github.ci = runs_of(run("Build image", updated_at=world.clock.now.isoformat()))
    await world.run()
    assert world.status.reason == "BuildRunning"

    world.clock.forward(seconds=30)
    await world.run()
    assert world.status.reason is Reason.NO_SUCH_TAG


async def test_a_build_on_push_is_told_although_the_pull_request_conflicts() -> None:
    world = World()
    world.registry.images.clear()
    world.github.mergeable = False
    await world.settle(2)
    assert world.status.reason == "MergeConflict"

    world.github.ci = runs_of(run("Build image", None, event="push"))
    world.clock.forward(seconds=60)
    await world.settle(2)
    assert world.status.reason is Reason.BUILD_RUNNING


async def test_what_runs_is_asked_again_after_a_minute_and_at_once_where_something_happened() -> None:
    world = World()
    world.registry.images.clear()
    await world.run()
    assert "runs" in world.calls.made
    world.clock.forward(seconds=30)
    await world.run()
    assert "runs" not in world.calls.made
    world.clock.forward(seconds=30)
    await world.run()
    assert "runs" in world.calls.made

    world.github.ci = runs_of(run("Build image", None, event="push"))
    world.poke()
    await world.settle(2)
    assert world.status.reason is Reason.BUILD_RUNNING


async def test_the_end_of_a_build_that_nobody_told_of_holds_up_no_preview() -> None:
    world = World()
    world.registry.images.clear()
    world.github.ci = runs_of(run("Build image", None, event="push"))
    await world.settle(2)
    assert world.status.reason is Reason.BUILD_RUNNING

    world.registry.images = {f"checkout:{A}"}
    await world.settle(4)
    assert world.serving == [A]


async def test_two_services_ask_once_what_runs() -> None:
    world = World()
    world.github.paths = BOTH
    world.registry.images.clear()
    world.poke()
    await world.run()

    assert world.calls.made.count("runs") == 1


async def test_each_service_is_told_its_own_build() -> None:
    world = World()
    world.github.paths = BOTH
    world.registry.images.clear()
    world.github.ci = runs_of(run("Build checkout", "failure"), run("Build pricing", None))
    await world.settle(2)

    assert [service.reason for service in world.status.services] == [
        Reason.BUILD_FAILED,
        Reason.BUILD_RUNNING,
    ]


# A permission that was not granted


async def partly_told(*shown: dict[str, Any], configuration: str = CONFIGURATION) -> World:
    """Return a world without the image, in which one of the two permissions was not granted."""
    world = World()
    world.github.configuration = configuration
    world.registry.images.clear()
    world.github.ci = replace(runs_of(*shown), whole=False)
    return await world.settle(3)


async def test_what_may_be_seen_is_told_where_the_rest_may_not() -> None:
    world = await partly_told(run("Build image", "failure"))

    assert world.status.reason is Reason.BUILD_FAILED


@pytest.mark.parametrize("configuration", [CONFIGURATION, named("{workflow: ship.yml}")])
async def test_what_may_not_be_seen_is_not_taken_for_what_did_not_run(configuration: str) -> None:
    world = await partly_told(run("Lint", "failure"), configuration=configuration)
    world.clock.forward(minutes=3)
    await world.settle(2)

    assert world.status.reason is Reason.BUILDS_UNREADABLE
    assert "previewbot may not see" in world.comment


# A build that the configuration names


async def test_of_a_named_build_only_that_is_told() -> None:
    world = await told(
        run("Build image"), run("Ship", "failure"), configuration=named("{workflow: ship.yml}")
    )

    assert "its build failed** ([Ship](" in world.comment


async def test_a_named_build_that_never_ran_has_words_of_its_own_after_a_while() -> None:
    world = await told(run("Build image", "failure"), configuration=named("{workflow: ship.yml}"))
    assert world.status.reason == "NoImage"

    world.clock.forward(minutes=3)
    await world.settle(2)

    assert world.status.reason is Reason.BUILD_NOT_RUN
    assert "**`ship.yml` has not run for this commit**" in world.comment
    assert "its build failed" not in world.comment


async def test_a_named_check_of_another_system_is_the_build() -> None:
    jenkins = check_run(
        5, "jenkins/pr", 77, status="in_progress", conclusion=None, app=app(9, "acme-jenkins")
    )
    world = await told(jenkins, run("Lint", "failure"), configuration=named("{check: jenkins/pr}"))

    assert world.status.reason is Reason.BUILD_RUNNING


# What is remembered


async def test_the_workflow_that_ran_before_an_image_appeared_is_known_at_the_next_commit() -> None:
    world = await told(run("Main", None), run("Tests", None))
    world.push(A)
    await world.settle()
    assert world.service.built_by == (".github/workflows/main.yml",)

    world.restart()
    world.github.ci = runs_of(run("Main", "failure"), run("Docker", None))
    world.push(B, built=False)
    await world.settle(3)

    assert world.status.reason is Reason.BUILD_FAILED
    assert "([Main](" in world.comment


async def test_remembering_asks_github_nothing() -> None:
    world = World()
    await world.settle(1)

    assert "runs" not in world.calls.made
    assert world.service.built_by == ()


async def test_a_fork_teaches_nothing() -> None:
    world = World()
    world.github.fork = True
    world.registry.images.clear()
    world.github.ci = runs_of(run("Evil", None))
    world.poke()
    await world.settle(2)
    world.say(f"/preview start {A}")
    await world.settle(3)
    assert world.status.reason is Reason.BUILD_RUNNING
    world.push(A)
    await world.settle()

    assert world.serving == [A]
    assert world.service.built_by == ()


# Tags


async def test_a_tag_of_the_commit_in_another_form_is_suggested() -> None:
    world = await told(run("Build image"), images=(f"checkout:sha-{A[:7]}", "checkout:latest"))

    assert f"There is `sha-{A[:7]}`, of this very commit" in world.comment
    assert "did you mean `image: ghcr.io/acme/checkout:sha-{short_sha}`?" in world.comment


async def test_some_other_tags_are_told_and_never_called_the_newest() -> None:
    world = await told(run("Build image"), images=("checkout:latest", "checkout:v1", "pricing:x"))

    assert "The repository has, among others, `latest`, `v1`." in world.comment


async def test_tags_are_listed_once_for_a_commit_and_again_only_after_a_while() -> None:
    world = await told(run("Build image"))
    listed = 0
    for _ in range(30):
        world.clock.forward(seconds=10)
        await world.run()
        listed += world.calls.made.count("tags")
    assert listed == 0

    world.clock.forward(minutes=16)
    await world.run()
    assert world.calls.made.count("tags") == 1


async def test_what_tags_there_are_stays_told_when_the_registry_cannot_list_them_once() -> None:
    world = await told(run("Build image"), images=("checkout:latest",))
    before = world.comment
    assert "among others, `latest`" in before
    world.fail("tags", by=TryLater("r", status=429, after=900.0))
    world.clock.forward(minutes=16)
    await world.run()

    assert "tags" in world.calls.made
    assert world.comment == before


@pytest.mark.parametrize("runs", [Runs(), runs_of(run("Build image", None)), runs_of(run("Lint", "failure"))])
async def test_tags_are_not_listed_while_the_build_is_not_done(runs: Runs) -> None:
    world = World()
    world.registry.images.clear()
    world.github.ci = runs
    for _ in range(3):
        await world.run()
        assert "tags" not in world.calls.made
        world.clock.forward(seconds=20)


async def test_an_image_that_never_came_is_told_with_what_is_there_whatever_ci_shows() -> None:
    world = await told(images=(f"checkout:{A[:7]}",))
    world.clock.forward(hours=2)
    await world.settle(2)

    assert world.status.reason is Reason.IMAGE_MISSING
    assert "did you mean `image: ghcr.io/acme/checkout:{short_sha}`?" in world.comment


@pytest.mark.parametrize(
    "error",
    [Forbidden("r", status=403), NotFound("r", status=404), TryLater("r", status=429, after=900.0)],
    ids=["403", "404", "429"],
)
async def test_a_registry_that_lists_nothing_changes_nothing_else(error: RemoteError) -> None:
    world = World()
    world.registry.images.clear()
    world.fail("tags", by=error)
    world.github.ci = runs_of(run("Build image"))
    await world.settle(2)
    assert world.status.reason is Reason.NO_SUCH_TAG
    assert "among others" not in world.comment

    world.push(A)
    await world.settle()
    assert world.serving == [A]
