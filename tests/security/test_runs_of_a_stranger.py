"""Attack: whoever pushes a commit chooses what its workflows and checks are called, and how many there are.

A comment that names them is read by reviewers, who approve what it asks them to.
"""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api import Reason
from tests.support.github_ci_samples import app, check_run, runs_of, workflow_run
from tests.support.passes import World


def run(name: str, number: int, **changes: Any) -> dict[str, Any]:
    """Return a workflow run of a workflow of its own."""
    path = f".github/workflows/{number}.yml"
    return workflow_run(number, name, number, path=path, **{"updated_at": "2026-02-01T09:00:00Z", **changes})


async def told(*shown: dict[str, Any]) -> World:
    """Return a world without the image, after GitHub has shown these runs."""
    world = World()
    world.registry.images.clear()
    world.github.ci = runs_of(*shown)
    return await world.settle(3)


@pytest.mark.parametrize(
    "name", ["Deploy production", "Build image and deploy to production", "Docker", "CI"]
)
@pytest.mark.parametrize(
    "beside", [(), (run("Build image", 1),), (run("Build image", 1, conclusion="failure"),)]
)
async def test_nobody_is_led_to_a_deployment_to_approve_it(name: str, beside: tuple[Any, ...]) -> None:
    """A run is `waiting` where a job's environment is protected: that approval lets it deploy."""
    waiting = run(name, 7, status="waiting", conclusion=None)
    world = await told(*beside, waiting)

    assert world.status.reason is not Reason.BUILD_NEEDS_APPROVAL
    assert waiting["html_url"] not in world.comment
    assert "approve here" not in world.comment


async def test_another_apps_wish_is_no_approval() -> None:
    """Its link may lead anywhere."""
    evil = check_run(
        5, "build image", 77, conclusion="action_required", app=app(9, "evil"), html_url="https://evil/x"
    )
    world = await told(evil)

    assert "evil" not in world.comment
    assert "approve here" not in world.comment


async def test_names_that_are_markup_or_hidden_are_told_as_text() -> None:
    world = await told(
        run("Build image", 1),
        run("**[x](https://evil)** @acme/all `y` <b>\u202e\U000e0041", 2, conclusion="failure"),
    )

    assert "Also failed:" in world.comment
    assert "Also failed: \\*\\*\\[x\\](" in world.comment
    assert "@acme/all" not in world.comment
    assert "<b>" not in world.comment
    assert "\u202e" not in world.comment
    assert "\U000e0041" not in world.comment


async def test_hundreds_of_runs_are_told_in_few_words() -> None:
    many = [run(f"{'long ' * 39}{n}", 100 + n, conclusion="failure") for n in range(300)]
    world = await told(run("Build image", 1), *many)

    assert world.status.reason is Reason.NO_SUCH_TAG
    assert len(world.comment) < 4_000
    waiting = world.service.waiting
    assert waiting is not None
    assert len(waiting.also_failed) == 3


async def test_thousands_of_runs_and_jobs_are_summed_up() -> None:
    many = [run(f"Build {n}", 100 + n) for n in range(1_000)]
    jobs = [check_run(n, f"image ({n})", 3100 + n % 1_000) for n in range(3_000)]
    world = await told(*many, *jobs)

    assert world.status.reason is Reason.NO_SUCH_TAG
