"""Orders of events that a review of the passes found: what each of them must not break."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from previewbot.api import Phase, Slot
from previewbot.clients.registry import FoundImage
from previewbot.errors import Forbidden, RemoteError, TryLater
from previewbot.reconciler.reporters import GITHUB_REPORTERS
from tests.support.passes import BROKEN, A, B, World, ready
from tests.support.previews import a_preview
from tests.unit.test_another_kind import Board

AWAY = TryLater("it", status=500)
LOCKED = Forbidden("GitHub", status=403, message="locked")


def stored(world: World) -> Any:
    """Return the stored status, to be changed as another version would have left it."""
    assert world.cluster.preview is not None
    return world.cluster.preview["status"]


def reported(world: World) -> str:
    return next(c.status for c in world.status.conditions if c.type == "Reported")


async def test_a_preview_past_its_time_waits_for_the_backoff_while_the_cluster_takes_no_writes() -> None:
    world = await ready()
    world.clock.forward(seconds=100 * 3600)
    world.fail("put status", by=AWAY)
    outcome = await world.run()

    assert (outcome.requeue_after, outcome.error) == (None, AWAY)


@pytest.mark.parametrize(
    "away", [True, False], ids=["while GitHub is away", "while the configuration is broken"]
)
async def test_what_another_version_stored_ends_nothing(away: bool) -> None:
    world = await ready()
    status = {"phase": "Ready", "reason": "AllReady", "trigger": "the label preview", "placed": True}
    service = {"name": "checkout", "namespace": "staging", "target": "deployment/checkout"}
    owed = {"commentId": 7, "author": "ann", "command": "start", "goal": "Running"}
    stored(world).clear()
    stored(world).update(status, services=[service], replies=[owed], expiresAt="2030-01-01T00:00:00Z")
    world.restart()
    world.fail_github(AWAY) if away else world.configure(BROKEN)
    await world.settle()

    assert world.serving == [A]


@pytest.mark.parametrize(
    ("keys", "value"),
    [(("link", "kind"), "Tunnel"), (("children", 0, "state"), "Paused"), (("reason",), "Dreaming")],
)
async def test_words_that_only_a_newer_version_knows_stop_no_pass(keys: Any, value: str) -> None:
    world = await ready()
    part = stored(world)
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    await world.settle(2)

    assert (world.serving, world.status.phase) == ([A], Phase.READY)


async def test_an_intent_of_a_reporter_that_this_version_lacks_wakes_nobody() -> None:
    world = await ready()
    stored(world)["reports"]["board"] = {"intentAt": "2020-01-01T00:00:00Z"}
    await world.run()
    outcome = await world.run()

    assert outcome.requeue_after is not None and outcome.requeue_after > 60
    assert "board" in world.status.reports


async def test_an_answer_owed_to_another_kind_of_request_is_left_to_who_knows_it() -> None:
    world = await ready()
    request = {"kind": "DiscussionComment", "id": 777}
    stored(world)["replies"] = [
        {"request": request, "author": "ann", "command": "status", "reaction": "rocket"}
    ]
    world.poke()
    await world.run()

    assert "react" not in world.calls.made
    assert len(world.status.replies) == 1


async def test_a_slot_freed_while_a_pass_waited_makes_nothing_before_github_was_read() -> None:
    world = World(limits={"previews": 1})
    world.others = [a_preview(name="gh-1-9", slot=Slot(held=True))]
    await world.settle()
    assert world.status.phase is Phase.QUEUED
    world.clock.forward(seconds=100)
    slots = world.slots
    await slots.acquire()
    waiting = asyncio.ensure_future(world.run())
    while not slots.waits:
        await asyncio.sleep(0)
    world.others = []
    world.github.state = "closed"
    slots.release()
    await waiting

    assert "create session" not in world.calls.made
    await world.settle()
    assert world.cluster.sessions == {}


async def test_a_limit_of_github_is_kept_although_something_else_was_refused_before() -> None:
    world = await ready()
    world.fail("update comment", by=LOCKED)
    world.fail("react", by=TryLater("GitHub", status=429, after=3600.0))
    world.cluster.session_becomes("Idle")
    world.say("/preview status")
    outcome = await world.run()

    assert isinstance(outcome.error, TryLater)


async def test_a_place_that_refuses_costs_no_other_its_last_words() -> None:
    board = Board()
    world = World(reporters=(board, *GITHUB_REPORTERS))
    await world.settle()
    board.fails = LOCKED
    world.fail("update comment", by=AWAY)
    world.close()
    await world.settle()
    assert world.cluster.preview is not None

    world.mend()
    await world.settle()
    assert "no preview here now**: the pull request was closed" in world.comment
    assert world.cluster.preview is None


async def test_what_github_takes_again_is_said_in_the_pass_that_saw_it() -> None:
    world = World()
    await world.settle()
    world.fail("update comment", by=LOCKED)
    world.push(B)
    await world.settle()
    assert reported(world) == "False"

    world.mend()
    world.clock.forward(seconds=600)
    await world.run()
    assert reported(world) == "True"


async def test_a_text_that_is_wanted_no_more_is_no_longer_said_to_be_refused() -> None:
    world = await ready()
    world.fail("update comment", by=LOCKED)
    world.cluster.session_becomes("Idle")
    await world.settle(2)
    world.mend()
    world.cluster.session_becomes("Ready")
    await world.settle()

    assert reported(world) == "True"


async def test_an_extension_in_time_counts_however_long_the_pass_takes() -> None:
    world = await ready()
    end = world.status.lifecycle.expires_at
    assert end is not None
    world.clock.now = end - timedelta(seconds=2)
    world.push(B)
    world.say("/preview extend 1h")
    world.calls.watch("registry", lambda: world.clock.forward(seconds=5))
    await world.run()

    assert world.status.lifecycle.ended is None
    assert world.status.lifecycle.expires_at == end + timedelta(hours=1)


async def test_another_commit_may_lose_its_session_once_although_its_image_is_the_same() -> None:
    world = World()
    find = world.registry.find

    async def the_same(reference: Any, revision: bool = False) -> FoundImage | None:
        found = await find(reference, revision)
        return found and replace(found, digest="sha256:" + "1" * 64)

    world.registry.find = the_same  # type: ignore[method-assign]
    await world.settle()
    world.cluster.sessions.clear()
    await world.settle()
    world.push(B)
    await world.settle()
    world.cluster.sessions.clear()
    await world.settle()

    assert len(world.cluster.sessions) == 1


@pytest.mark.parametrize("error", [LOCKED, AWAY])
async def test_a_second_status_comment_that_stays_keeps_the_first_from_nothing(error: RemoteError) -> None:
    world = await ready()
    del stored(world)["reports"]
    (ours,) = [c for c in world.github.comments_written if c.app_id is not None]
    world.github.comments_written.append(replace(ours, id=999))
    delete, refused = world.github.delete_comment, [error, error]

    async def fails(repository: str, comment_id: int) -> None:
        if refused:
            raise refused.pop()
        await delete(repository, comment_id)

    world.github.delete_comment = fails  # type: ignore[method-assign]
    world.push(B)
    await world.settle()

    assert f"of `{B[:7]}`" in world.comment
