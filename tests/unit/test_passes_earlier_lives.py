"""What an earlier Preview said where no comment tells of it: it is found, and not said twice."""

from __future__ import annotations

from previewbot.errors import TryLater
from tests.support.passes import A, B, World
from tests.unit.test_passes_checks import QUEUED, WRONG, dies_over, outcomes
from tests.unit.test_passes_deployments import ON, a_run

C = "c" * 40


async def skipped() -> World:
    """Return a world whose pull request has a check alone: nothing triggers a preview of it."""
    world = World(check="required")
    world.github.labels = ()
    await world.settle()
    assert world.cluster.preview is None
    assert outcomes(world, A) == [["skipped"]]
    return world


async def test_a_required_check_that_was_skipped_becomes_that_of_the_preview() -> None:
    world = await skipped()
    world.github.labels = ("preview",)
    world.poke()
    await world.settle()

    (found,) = outcomes(world, A)
    assert (found[0], found[-1]) == ("skipped", "success")


async def test_a_check_of_mistakes_alone_becomes_that_of_the_preview() -> None:
    world = World(check="on")
    world.github.configuration_path = "elsewhere"
    world.github.labels, world.github.author = (), world.github.bot("Copilot")
    world.github.branch = "copilot/first"
    world.github.heads_files = {A: WRONG}
    await world.settle()
    assert outcomes(world, A) == [["failure"]]
    world.cluster.preview = None
    world.restart()
    world.github.configuration_path, world.github.labels = ".github/preview.yaml", ("preview",)
    world.github.paths = ("checkout/app.py", ".github/preview.yaml")
    world.poke()
    await world.settle()

    assert "Open the preview" in world.comment
    assert len(outcomes(world, A)) == 1


async def test_a_deployment_of_an_older_commit_is_ended_after_its_preview_was_deleted_by_hand() -> None:
    world = World(**ON)
    await world.settle()
    world.github.ci = a_run()
    world.push(B, built=False)
    await world.settle()
    assert world.github.deployments.states() == {A: "success", B: "waits"}

    world.cluster.preview = None
    world.cluster.sessions.clear()
    world.cluster.routes.clear()
    world.restart()
    world.poke()
    await world.settle()
    assert world.github.deployments.states() == {A: "inactive", B: "queued"}

    world.close()
    await world.settle()
    assert world.github.deployments.states() == {A: "inactive", B: "inactive"}


async def test_it_is_ended_also_while_a_workflow_of_the_newest_commit_waits_for_a_person() -> None:
    world = World(**ON)
    await world.settle()
    world.github.ci = a_run("action_required", "completed")
    world.push(B, built=False)
    await world.settle()
    assert world.github.deployments.states() == {A: "success"}

    world.cluster.preview = None
    world.cluster.sessions.clear()
    world.cluster.routes.clear()
    world.registry.images |= {f"checkout:{B}", f"pricing:{B}"}
    world.restart()
    world.poke()
    await world.settle()
    world.clock.forward(minutes=1)
    await world.settle()
    assert world.github.deployments.states() == {A: "inactive"}

    world.github.ci = a_run("success", "completed")
    world.clock.forward(minutes=15)
    await world.settle()
    assert world.github.deployments.states() == {A: "inactive", B: "success"}


async def test_what_was_ended_before_a_pull_request_was_opened_again_is_not_ended_again() -> None:
    world = World(**ON)
    for sha in (A, B, C):
        world.push(sha)
        await world.settle()
    world.close()
    await world.settle()
    assert world.cluster.preview is None
    said = {sha: world.github.deployments.said_of(sha) for sha in (A, B)}
    world.github.state = "open"
    world.poke()
    await world.settle()

    assert {sha: world.github.deployments.said_of(sha) for sha in (A, B)} == said
    assert world.github.deployments.states() == {A: "inactive", B: "inactive", C: "success"}


async def test_a_merge_queue_does_not_have_the_check_of_the_newest_commit_made_twice() -> None:
    world = await skipped()
    world.github.queued = [QUEUED]
    world.poke(queued=True)
    await world.settle()

    assert (outcomes(world, A), outcomes(world, QUEUED)) == ([["skipped"]], [["skipped"]])


async def test_a_button_of_an_older_commit_does_not_have_that_check_made_twice_either() -> None:
    world = await skipped()
    world.push(B)
    await world.settle()
    assert (outcomes(world, A), outcomes(world, B)) == ([["skipped"]], [["skipped"]])
    world.press("start", at=A)
    await world.settle()

    assert [len(outcomes(world, sha)) for sha in (A, B)] == [1, 1]


async def test_what_could_not_be_looked_for_at_first_is_looked_for_again() -> None:
    world = await skipped()
    world.github.labels = ("preview",)
    world.fail("own checks", by=TryLater("GitHub", status=502))
    world.poke()
    await world.settle()
    world.mend()
    world.clock.forward(minutes=5)
    await world.settle()

    (found,) = outcomes(world, A)
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
    world.poke()
    await dies_over(world, "update")

    (run,) = world.github.checks.of(A)
    assert run.annotations
    assert len(set(run.annotations)) == len(run.annotations)
