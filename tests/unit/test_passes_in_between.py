"""What happens between two looks, in the middle of a pass, or to one service while another runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from previewbot.api import Phase, Slot
from previewbot.config.server import parse
from previewbot.errors import Forbidden, RemoteError, TryLater
from tests.support.passes import ANN, BOTH, BROKEN, CONFIGURATION, SETTINGS, A, B, World, ready
from tests.support.previews import NOW, a_preview

FAILS = TryLater("it", status=500)
REFUSED = Forbidden("it", status=403)


def pricing_alone() -> str:
    before, _, rest = CONFIGURATION.partition("  checkout:")
    return before + rest[rest.index("  pricing:") :]


# Looks


async def test_an_announced_comment_that_is_not_wanted_any_more_keeps_nobody_busy() -> None:
    world = World()
    world.fail("create comment", by=FAILS)
    await world.run()
    world.mend()
    world.github.paths = ("docs/readme.md",)
    world.push(B)
    await world.settle(20)

    assert world.status.phase is Phase.NOTHING_TO_PREVIEW
    assert world.outcome.requeue_after is None


async def test_a_label_of_the_configurations_own_counts_while_that_is_broken() -> None:
    world = World()
    world.github.labels = ("ship",)
    world.configure(CONFIGURATION + "triggers: {labels: [ship]}\n")
    await ready(world)
    world.configure(BROKEN)
    await world.settle()

    assert world.serving == [A]
    assert world.status.reason == "ConfigurationInvalid"


async def test_a_label_counts_in_whatever_capitals_as_on_github() -> None:
    world = World()
    world.github.author, world.github.labels = ANN, ("Preview",)
    await ready(world)

    assert world.status.observed.trigger == "the label Preview"


async def test_a_poke_in_the_last_pass_of_a_closed_pull_request_is_not_lost() -> None:
    world = await ready()
    world.close()
    await world.run()
    world.clock.forward(seconds=5)
    put = world.cluster.put_status
    pokes: list[Any] = []

    async def reopened_meanwhile(obj: Any) -> Any:
        if not pokes and not world.cluster.sessions:
            world.github.state, world.github.updated_at = "open", world.clock.now
            world.poke()
            pokes.append(world.clock.now)
        return await put(obj)

    world.cluster.put_status = reopened_meanwhile  # type: ignore[method-assign]
    await world.settle(15)

    assert pokes
    assert world.serving == [A]


async def test_what_vanished_while_github_cannot_be_read_after_a_restart_is_not_called_ready() -> None:
    world = await ready()
    world.fail_github(FAILS)
    world.restart()
    world.cluster.sessions.clear()
    await world.settle(3)

    assert world.status.phase is Phase.DEPLOYING
    assert world.status.link.url == ""


# One of two services


@pytest.mark.parametrize("error", [REFUSED, FAILS])
async def test_a_target_that_cannot_be_read_does_not_hold_up_another_service(error: RemoteError) -> None:
    world = World()
    world.github.paths = BOTH
    world.registry.images = {f"checkout:{A}"}
    world.cluster.session_status = {"phase": "Waiting"}
    await world.settle(3)
    world.registry.images.add(f"pricing:{A}")
    world.fail("get target", by=error)
    world.poke()
    await world.settle(2)
    world.cluster.session_becomes("Ready")
    await world.settle(3)

    assert world.serving == [A]
    assert world.status.lifecycle.expires_at is not None
    assert "cannot be looked at" in world.comment
    world.mend()
    world.cluster.session_status = {"phase": "Ready"}
    await world.settle(30)
    assert world.serving == [A, A]


async def test_a_name_that_goes_to_another_target_waits_for_nobody() -> None:
    world = await ready()
    renamed = CONFIGURATION.replace("  checkout:\n", "  shop:\n")
    world.configure(
        renamed
        + """  checkout:
    paths: ["checkout/**"]
    target: deployment/other
    namespace: staging
    image: "ghcr.io/acme/checkout:{head_sha}"
    ports: [8080]
"""
    )
    await world.settle()

    assert [service.phase for service in world.status.services] == [Phase.READY, Phase.READY]


# Sessions that nobody asks for any more


async def test_what_is_to_be_replaced_has_an_end_while_its_route_cannot_be_written() -> None:
    world = World()
    world.cluster.session_status = {"phase": "Waiting"}
    await world.settle(3)
    world.cluster.session_becomes("Ready")
    world.push(B)
    world.fail("apply route", by=FAILS)
    await world.settle(100, seconds=3600)

    assert world.serving == []


async def test_what_no_service_names_any_more_goes_although_the_configuration_is_broken() -> None:
    world = World()
    world.github.paths = BOTH
    await ready(world)
    world.fail("delete session", by=FAILS)
    world.configure(pricing_alone())
    await world.run()
    world.mend()
    world.configure(BROKEN)
    await world.settle()

    assert world.serving == [A]


async def test_a_push_under_a_refused_route_leaves_what_serves_behind_the_link() -> None:
    world = await ready()
    world.fail("apply route", by=REFUSED)
    world.push(B)
    await world.settle(20)
    assert world.serving == [A]
    assert world.outcome.error is REFUSED
    assert world.outcome.requeue_after is not None and world.outcome.requeue_after > 60
    world.mend()
    await world.settle()

    assert world.serving == [B]


# A cluster that does not do what it is asked


@pytest.mark.parametrize("call", ["create session", "delete session"])
async def test_while_the_cluster_fails_people_are_answered(call: str) -> None:
    world = World() if call == "create session" else await ready()
    world.fail(call, by=FAILS)
    if call == "delete session":
        world.push(B)
    await world.settle(3)
    world.say("/preview status")
    await world.settle(5)

    assert "is starting" in world.comment
    assert world.status.replies == ()
    assert world.outcome.error is FAILS
    assert world.outcome.requeue_after is None or world.outcome.requeue_after > 60
    world.mend()
    await world.settle()
    assert world.serving == [world.github.head_sha]


async def test_without_a_gateway_the_route_of_before_goes() -> None:
    world = await ready()
    world.settings = parse({key: value for key, value in SETTINGS.items() if key != "links"}, {})
    world.restart()
    await world.settle()

    assert world.cluster.routes == {}
    assert world.serving == [A]


# Commands


async def test_a_stop_that_a_start_overtook_is_answered_whatever_comes_of_the_start() -> None:
    world = World()
    world.cluster.session_status = {"phase": "Failed", "failureMessage": "no"}
    await world.settle()
    world.say("/preview stop")
    world.say("/preview start")
    await world.settle()

    assert world.status.replies == ()


# The line


async def test_one_in_line_that_cannot_be_looked_after_keeps_nobody_waiting() -> None:
    world = World(limits={"previews": 1})
    since = NOW - timedelta(days=2)
    slot = Slot(waiting_since=since)
    stuck = a_preview(name="gh-812-9", uid="another", slot=slot, last_error="GitHub: 403 suspended")
    world.others = [stuck]
    await world.settle()

    assert world.serving == [A]


async def test_one_in_line_before_me_comes_first() -> None:
    world = World(limits={"previews": 1})
    since = NOW - timedelta(days=2)
    world.others = [
        a_preview(name="gh-812-9", uid="another", phase=Phase.QUEUED, slot=Slot(waiting_since=since))
    ]
    await world.settle()

    assert (world.status.phase, world.status.slot.queue_position) == (Phase.QUEUED, 1)


async def test_a_slot_that_another_takes_between_the_question_and_the_write_is_not_taken_twice() -> None:
    world = World(limits={"previews": 1})
    world.calls.watch(
        "registry", lambda: world.others.append(a_preview(name="gh-812-7", slot=Slot(held=True)))
    )
    await world.settle(2)

    assert world.serving == []
    assert (world.status.phase, world.status.slot.held) == (Phase.QUEUED, False)
    assert "session" not in " ".join(world.calls.made)


async def test_a_route_that_was_refused_is_forgotten_once_none_is_wanted() -> None:
    world = World()
    world.fail("apply route", by=Forbidden("route", status=403, message="denied by policy"))
    await world.settle(3)
    assert world.status.reason == "RouteRefused"

    world.configure(CONFIGURATION.replace("entry:", "# entry:"))
    await world.settle(6)

    assert world.status.phase is Phase.READY
