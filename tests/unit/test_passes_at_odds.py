"""What two passes at once, an error in the middle, or another setting must not break."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from previewbot.api import Phase, Reason, Slot
from previewbot.errors import Conflict, Forbidden, TryLater
from previewbot.reconciler.reporters import GITHUB_REPORTERS
from tests.support.passes import A, B, World, ready
from tests.support.previews import a_preview
from tests.unit.test_another_kind import Board

FAILS = TryLater("it", status=500)


async def test_a_slot_that_another_pass_took_since_we_looked_is_not_taken_twice() -> None:
    world = World(limits={"previews": 1})
    find = world.registry.find

    async def taken_meanwhile(reference: Any, revision: bool = False) -> Any:
        world.others = [a_preview(name="gh-1-9", slot=Slot(held=True))]
        return await find(reference, revision)

    world.registry.find = taken_meanwhile  # type: ignore[method-assign]
    await world.run()

    assert (world.status.phase, world.status.slot.held) == (Phase.QUEUED, False)
    assert world.status.slot.queue_position == 1
    assert world.cluster.sessions == {}

    world.others = []
    world.registry.find = find  # type: ignore[method-assign]
    await world.settle()
    assert world.serving == [A]


@pytest.mark.parametrize("error", [Conflict("status"), FAILS])
async def test_an_error_while_everything_of_a_gone_repository_is_removed_is_an_outcome(
    error: Exception,
) -> None:
    world = await ready()
    world.github.covering.clear()
    world.poke()
    put = world.cluster.put_status

    async def fails(obj: Any) -> Any:
        raise error

    world.cluster.put_status = fails  # type: ignore[method-assign]
    await world.run()
    assert world.outcome.requeue_after is not None

    world.cluster.put_status = put  # type: ignore[method-assign]
    await world.settle()
    assert world.cluster.preview is None


@pytest.mark.parametrize("closes", [False, True])
async def test_a_second_status_comment_that_could_not_be_deleted_is_deleted_later(closes: bool) -> None:
    world = await ready()
    assert world.cluster.preview is not None
    del world.cluster.preview["status"]["reports"]
    (ours,) = [c for c in world.github.comments_written if c.app_id is not None]
    world.github.comments_written.append(replace(ours, id=999))
    delete = world.github.delete_comment

    async def fails(repository: str, comment_id: int) -> None:
        raise FAILS

    world.github.delete_comment = fails  # type: ignore[method-assign]
    if closes:
        world.cluster.sessions.clear()
        world.close()
    world.poke()
    await world.run()
    world.github.delete_comment = delete  # type: ignore[method-assign]
    await world.settle()

    (left,) = [c for c in world.github.comments_written if c.app_id is not None]
    assert left.id == ours.id
    assert (left.body != ours.body, world.cluster.preview is None) == (closes, closes)


async def test_a_route_that_was_refused_is_forgotten_with_the_gateway() -> None:
    world = World()
    world.fail("apply route", by=Forbidden("it", status=403, message="no routes"))
    await world.settle()
    assert world.status.reason is Reason.ROUTE_REFUSED
    world.mend()

    world.settings = World(links=None).settings
    world.restart()
    world.fail("delete route", by=AssertionError("there is no route to delete"))
    world.poke()
    await world.settle()

    assert world.serving == [A]


async def test_a_place_that_takes_the_next_text_is_no_longer_said_to_refuse() -> None:
    board = Board()
    board.fails = Forbidden("the board", status=403, message="locked")
    world = World(reporters=(*GITHUB_REPORTERS, board))
    await world.settle()
    board.fails = None
    world.push(B, built=False)
    await world.settle()

    reported = {c.type: c for c in world.status.conditions}["Reported"]
    assert (reported.status, world.status.reports["board"].refusal) == ("True", None)
