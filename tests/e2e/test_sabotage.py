"""The tour can fail: each sabotaged world makes it fail at the step that names the fault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest

from previewbot_demo import demo_tour
from previewbot_demo.processes import Child, spawn
from previewbot_demo.world import Options, World

Sabotage = Callable[[World], Awaitable[None]]
PATIENCE_SECONDS = 20.0
"""How long a step is waited for that never comes; no other takes a tenth of that."""

LONG_SECONDS = 60.0
ANOTHER_COMMIT = "0" * 40


async def the_routing_ignores_filters(world: World) -> None:
    world.router.sabotage.ignore_filter = True


async def the_agent_takes_no_request(world: World) -> None:
    world.router.sabotage.take_nothing = True


async def an_ingress_takes_the_marks_away(world: World) -> None:
    world.router.sabotage.unmarked = True


async def the_operator_ignores_deletes(world: World) -> None:
    world.operator.switches.ignore_deletes = True


async def the_operator_never_answers(world: World) -> None:
    world.operator.switches.never_answer = True


async def the_registry_serves_the_previous_commits_image(world: World) -> None:
    world.ci.switches.stale = True


async def ci_never_builds(world: World) -> None:
    world.ci.switches.builds = False


async def the_build_fails(world: World) -> None:
    world.ci.switches.conclusion = "failure"


async def the_registry_refuses(world: World) -> None:
    world.registry.refuse("acme/web")


async def the_gateway_sets_no_header(world: World) -> None:
    world.gateway.sabotage.no_header = True


async def comments_are_refused(world: World) -> None:
    world.github.rest.sabotage.refuse_comments = True


async def the_controller_is_dead(world: World) -> None:
    await world.bot.kill_controller()


async def the_reviewer_may_not_write(world: World) -> None:
    world.github.set_collaborator("alice", "read")


async def the_gateway_names_another_commit(world: World) -> None:
    world.gateway.sabotage.commit = ANOTHER_COMMIT


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("sabotage", "step"),
    [
        (the_routing_ignores_filters, "staging does not"),
        (the_operator_ignores_deletes, "a new commit: the old preview serves until the new one does"),
        (the_registry_serves_the_previous_commits_image, "the link shows the change"),
        # These miss the same step as others here, and wait as long for it.
        pytest.param(the_operator_never_answers, "the comment gets a link", marks=pytest.mark.long),
        pytest.param(the_registry_refuses, "the comment gets a link", marks=pytest.mark.long),
        pytest.param(ci_never_builds, "the comment gets a link", marks=pytest.mark.long),
        pytest.param(the_build_fails, "the comment gets a link", marks=pytest.mark.long),
        # Behind such a link is plain staging: it is asked, and not announced.
        (the_gateway_sets_no_header, "the comment gets a link"),
        pytest.param(the_agent_takes_no_request, "the comment gets a link", marks=pytest.mark.long),
        (an_ingress_takes_the_marks_away, "previewbot asked both links"),
        pytest.param(
            comments_are_refused, "Copilot changes the front end: one comment appears", marks=pytest.mark.long
        ),
        (the_controller_is_dead, "Copilot changes the front end: one comment appears"),
        (the_gateway_names_another_commit, "answers through the link name the commit"),
        (the_reviewer_may_not_write, "`/preview status` is answered"),
    ],
    ids=lambda value: getattr(value, "__name__", "").replace("_", " ") or None,
)
async def test_a_sabotaged_world_fails_the_tour_at_the_step_that_names_the_fault(
    sabotage: Sabotage, step: str
) -> None:
    assert step in await failed_at(Options(build_seconds=0.5), sabotage)


LYING = f"""
import runpy
from gevent import monkey
# As the command does, before anything has imported what is to be patched.
monkey.patch_all()
from previewbot.pages import api

told = api.as_json
api.as_json = lambda facts: told(facts) | {{"serving_sha": "{ANOTHER_COMMIT}"}}
runpy.run_module("previewbot", run_name="__main__")
"""


async def with_pages_that_lie(
    command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path
) -> Child:
    """Start a process as the demo does; but `previewbot pages` says that another commit answers."""
    python, *module, name = command[:4]
    started = [python, "-c", LYING, name] if name == "pages" else [python, *module, name]
    return await spawn((*started, *command[4:]), environment, directory, log)


@pytest.mark.timeout(240)
async def test_json_that_names_another_commit_fails_it_where_programs_ask() -> None:
    failed = await failed_at(Options(build_seconds=0.5, spawn=with_pages_that_lie))

    assert "programs are told the same as JSON" in failed


async def nothing(world: World) -> None:
    del world


async def failed_at(options: Options, sabotage: Sabotage = nothing) -> str:
    """Take the tour in a sabotaged world; return the line about the step at which it failed."""
    lines: list[str] = []
    async with World(options) as world:
        await sabotage(world)
        code = await demo_tour.check(world, PATIENCE_SECONDS, lines.append)

    assert code != 0
    (failed,) = [line for line in lines if "FAIL" in line]
    return failed


@pytest.mark.timeout(240)
async def test_a_dropped_webhook_does_not_fail_it() -> None:
    lines: list[str] = []
    async with World(Options(build_seconds=0.5, settings={"listing": {"interval": "2s"}})) as world:
        world.github.webhooks.drop_next(3)
        code = await demo_tour.check(world, LONG_SECONDS, lines.append)

    assert code == 0, "\n".join(lines)
