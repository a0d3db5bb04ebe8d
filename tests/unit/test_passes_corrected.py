"""Commands that were edited: GitHub's own second, and corrections of what came to nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from previewbot.api import Reason
from tests.support.passes import ANN, World, ready


class Killed(BaseException):
    """The controller ends here."""


async def stopped(world: World, passes: int = 4) -> bool:
    await world.settle(passes)
    ended = world.status.lifecycle.ended
    return ended is not None and (ended.reason, ended.by) == (Reason.BY_COMMAND, "ann")


def touch(world: World, comment: int, seconds: float) -> None:
    """Let GitHub set when a comment changed, although nobody edited it."""
    written = world.github.comments_written
    place, old = next((i, c) for i, c in enumerate(written) if c.id == comment)
    written[place] = replace(old, updated_at=old.created_at + timedelta(seconds=seconds))


def worded(world: World, comment: int) -> list[str]:
    return [body for body in world.github.own_comments() if f"reply-to={comment} " in body]


@pytest.mark.parametrize("seconds", [0, 1, 2, 59, 3_600, 86_400])
async def test_what_nobody_edited_is_obeyed_whatever_its_times_are(seconds: float) -> None:
    world = await ready()
    comment = world.say("/preview stop")
    touch(world, comment, seconds)

    assert await stopped(world)
    assert (comment, "rocket") in world.github.reacted


@pytest.mark.parametrize("written", ["/preview stpo", "/preview", "thanks!", "please /preview stop"])
@pytest.mark.parametrize(("after", "obeyed"), [(1, True), (599, True), (601, False), (86_400, False)])
async def test_a_correction_within_ten_minutes_is_obeyed_and_a_later_one_gets_a_sign(
    written: str, after: float, obeyed: bool
) -> None:
    world = await ready()
    comment = world.say(written) if written.startswith("/") else world.github.say(written)
    await world.settle(2)
    # A bare `/preview` is obeyed as it is.
    was_obeyed = written == "/preview"
    world.clock.forward(seconds=after - 10)
    world.github.edit(comment, "/preview stop")
    world.poke()

    assert await stopped(world) is (obeyed and not was_obeyed)
    if was_obeyed:
        return
    assert world.github.reacted[-1] == (comment, "rocket" if obeyed else "confused")
    if not obeyed:
        assert "edited more than ten minutes after it was written" in worded(world, comment)[-1]


@pytest.mark.parametrize("seconds", [3, 30])
async def test_a_typo_that_is_corrected_before_or_after_the_first_look_is_obeyed_once(seconds: float) -> None:
    world = await ready()
    comment = world.github.say("/preview extend 1m nonsense")
    if seconds > 5:
        world.poke(comment_id=comment)
        await world.settle(2)
    before = world.status.lifecycle.expires_at
    assert before is not None
    world.clock.forward(seconds=seconds)
    world.github.edit(comment, "/preview extend 1m")
    world.poke()
    await world.settle(3)
    # Whatever touches it later, without another edit, changes nothing.
    touch(world, comment, 300)
    world.poke()
    await world.settle(3)

    assert world.status.lifecycle.expires_at == before + timedelta(minutes=1)
    assert world.github.reacted[-1] == (comment, "rocket")


async def test_what_was_obeyed_is_never_obeyed_again_in_other_words() -> None:
    world = await ready()
    comment = world.say("/preview status")
    await world.settle(2)
    world.github.edit(comment, "/preview stop")
    world.poke()

    assert not await stopped(world)
    # Nothing is asked about it either.
    assert world.github.edits_asked == [1]


async def test_of_what_was_obeyed_in_part_nothing_is_corrected() -> None:
    world = await ready()
    comment = world.say("/preview extend 1m\n/preview stpo")
    await world.settle(2)
    before = world.status.lifecycle.expires_at
    world.github.edit(comment, "/preview extend 1m\n/preview stop")
    world.poke()

    assert not await stopped(world)
    assert world.status.lifecycle.expires_at == before


async def test_a_correction_may_be_wrong_too_and_be_corrected_again() -> None:
    world = await ready()
    comment = world.say("/preview stpo")
    await world.settle(2)
    for body in ("/preview sotp", "/preview stop"):
        world.clock.forward(seconds=20)
        world.github.edit(comment, body)
        world.poke()
        await world.settle(2)

    assert await stopped(world)
    assert len(worded(world, comment)) == 2


async def test_who_may_not_write_any_more_corrects_nothing_and_is_asked_about_once() -> None:
    world = await ready()
    comment = world.say("/preview stpo")
    await world.settle(2)
    world.github.permissions["ann"] = "read"
    world.github.edit(comment, "/preview stop")
    world.poke()
    assert not await stopped(world, passes=6)

    assert world.github.asked_about == ["ann", "ann"]


async def test_a_correction_outlasts_a_restart_and_a_preview_that_went_in_between() -> None:
    world = World()
    world.github.labels = ()
    comment = world.say("/preview strat")
    await world.settle(3)
    assert world.cluster.preview is None
    world.github.edit(comment, "/preview start")
    world.cluster.preview = world.cluster._new_preview()
    world.poke()
    await world.settle(4)

    assert world.serving
    assert (comment, "rocket") in world.github.reacted


@pytest.mark.parametrize("crash", range(1, 9))
@pytest.mark.parametrize("stored", [False, True])
async def test_a_correction_is_carried_out_once_wherever_the_controller_dies(
    crash: int, stored: bool
) -> None:
    world = await ready()
    comment = world.say("/preview extend 1")
    await world.settle(2)
    before = world.status.lifecycle.expires_at
    assert before is not None and worded(world, comment)
    put, writes = world.cluster.put_status, 0

    async def dies(obj: Any) -> dict[str, Any]:
        nonlocal writes
        writes += 1
        if writes == crash and not stored:
            raise Killed
        answer = await put(obj)
        if writes == crash:
            raise Killed
        return answer

    world.cluster.put_status = dies  # type: ignore[method-assign]
    world.github.edit(comment, "/preview extend 1m")
    world.poke()
    for _ in range(20):
        try:
            await world.run()
        except Killed:
            world.restart()
        world.clock.forward(seconds=5)

    assert world.status.lifecycle.expires_at == before + timedelta(minutes=1)
    assert len(worded(world, comment)) == 2


async def test_only_so_many_may_be_corrected_and_the_newest_of_them() -> None:
    world = await ready()
    comments = [world.github.say("/preview stpo", ANN) for _ in range(30)]
    world.poke()
    await world.settle(6)

    kept = [each.request.id for each in world.status.requests.correctable]
    assert kept == comments[-20:]
