"""What an earlier Preview said where no comment tells of it: it is found, and not said twice."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api.check_runs import CheckRunContent
from previewbot.errors import TryLater
from previewbot.reconciler.plan.requeue import INTENT_HOLDS
from tests.support.passes import A, B, World

Q = "d" * 40
"""The commit in which a merge queue tries the pull request."""

WRONG = {".github/preview.yaml": b"version: 1\nservices:\n  checkout:\n    paht: [x]\n"}


def said(world: World, sha: str) -> list[list[str]]:
    """Return how each check run of a commit stood, from the first to what it says now."""
    runs = world.github.checks.of(sha)
    return [[str(each.conclusion or "in progress") for each in run.said] for run in runs]


async def skipped() -> World:
    """Return a world whose pull request has a check alone: nothing triggers a preview of it."""
    world = World(check="required")
    world.github.labels = ()
    await world.settle()
    assert world.cluster.preview is None
    assert said(world, A) == [["skipped"]]
    return world


async def test_a_required_check_that_was_skipped_becomes_that_of_the_preview() -> None:
    world = await skipped()
    world.github.labels = ("preview",)
    world.poke()
    await world.settle()

    (found,) = said(world, A)
    assert (found[0], found[-1]) == ("skipped", "success")


async def test_a_check_of_mistakes_alone_becomes_that_of_the_preview() -> None:
    world = World(check="on")
    world.github.configuration_path = "elsewhere"
    world.github.labels, world.github.author = (), world.github.bot("Copilot")
    world.github.branch = "copilot/first"
    world.github.heads_files = {A: WRONG}
    await world.settle()
    assert said(world, A) == [["failure"]]
    world.cluster.preview = None
    world.restart()
    world.github.configuration_path, world.github.labels = ".github/preview.yaml", ("preview",)
    world.github.paths = ("checkout/app.py", ".github/preview.yaml")
    world.poke()
    await world.settle()

    assert "Open the preview" in world.comment
    assert len(said(world, A)) == 1


async def test_a_merge_queue_does_not_have_the_check_of_the_newest_commit_made_twice() -> None:
    world = await skipped()
    world.github.queued = [Q]
    world.poke(queued=True)
    await world.settle()

    assert (said(world, A), said(world, Q)) == ([["skipped"]], [["skipped"]])


async def test_a_button_of_an_older_commit_does_not_have_that_check_made_twice_either() -> None:
    world = await skipped()
    world.push(B)
    await world.settle()
    assert (said(world, A), said(world, B)) == ([["skipped"]], [["skipped"]])
    world.press("start", at=A)
    await world.settle()

    assert [len(said(world, sha)) for sha in (A, B)] == [1, 1]


async def test_what_could_not_be_looked_for_at_first_is_looked_for_again() -> None:
    world = await skipped()
    world.github.labels = ("preview",)
    world.fail("own checks", by=TryLater("GitHub", status=502))
    world.poke()
    await world.settle()
    world.mend()
    world.clock.forward(minutes=5)
    await world.settle()

    (found,) = said(world, A)
    assert found[-1] == "success"


async def test_a_process_that_dies_over_a_check_that_it_found_marks_no_line_twice() -> None:
    world = World(check="on")
    world.github.paths = ("checkout/app.py", ".github/preview.yaml")
    world.github.heads_files = {A: {}}
    world.registry.images = set()
    await world.settle()
    world.cluster.preview = None
    world.github.heads_files = {A: WRONG}
    world.restart()
    sends = world.github.checks.update

    async def dies(repository: str, number: int, content: CheckRunContent) -> Any:
        await sends(repository, number, content)
        raise SystemExit

    world.github.checks.update = dies  # type: ignore[method-assign, assignment]
    world.poke()
    with pytest.raises(SystemExit):
        await world.settle()
    world.github.checks.update = sends  # type: ignore[method-assign]
    world.restart()
    world.clock.forward(seconds=INTENT_HOLDS.total_seconds() + 1)
    await world.settle()

    (run,) = world.github.checks.of(A)
    assert run.annotations
    assert len(set(run.annotations)) == len(run.annotations)
