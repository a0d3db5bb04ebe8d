"""The tour can fail: each sabotaged world makes it fail at the step that names the fault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from previewbot_demo import tour
from previewbot_demo.world import Options, World

Sabotage = Callable[[World], Awaitable[None]]
PATIENCE_SECONDS = 12.0
"""How long a step is waited for that never comes; no other takes a tenth of that."""

LONG_SECONDS = 60.0


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


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("sabotage", "step"),
    [
        (the_routing_ignores_filters, "staging does not"),
        (the_operator_ignores_deletes, "a new commit: the old preview serves until the new one does"),
        (the_operator_never_answers, "the comment gets a link"),
        (the_registry_serves_the_previous_commits_image, "the link shows the change"),
        (ci_never_builds, "the comment gets a link"),
        (the_build_fails, "the comment gets a link"),
        (the_registry_refuses, "the comment gets a link"),
        # Behind such a link is plain staging: it is asked, and not announced.
        (the_gateway_sets_no_header, "the comment gets a link"),
        (the_agent_takes_no_request, "the comment gets a link"),
        (an_ingress_takes_the_marks_away, "previewbot asked both links"),
        (comments_are_refused, "Copilot changes the front end: one comment appears"),
        (the_controller_is_dead, "Copilot changes the front end: one comment appears"),
        (the_reviewer_may_not_write, "`/preview status` is answered"),
    ],
    ids=lambda value: getattr(value, "__name__", "").replace("_", " ") or None,
)
async def test_a_sabotaged_world_fails_the_tour_at_the_step_that_names_the_fault(
    sabotage: Sabotage, step: str
) -> None:
    lines: list[str] = []
    async with World(Options(build_seconds=0.5)) as world:
        await sabotage(world)
        code = await tour.check(world, PATIENCE_SECONDS, lines.append)

    assert code != 0
    (failed,) = [line for line in lines if "FAIL" in line]
    assert step in failed


@pytest.mark.timeout(120)
async def test_a_dropped_webhook_does_not_fail_it() -> None:
    lines: list[str] = []
    async with World(Options(build_seconds=0.5, settings={"listing": {"interval": "2s"}})) as world:
        world.github.webhooks.drop_next(3)
        code = await tour.check(world, LONG_SECONDS, lines.append)

    assert code == 0, "\n".join(lines)
