"""Somebody edits another person's comment, and what it says then is to be obeyed in that person's name.

Whoever may write, and many Apps, can edit everybody's comments
(https://docs.github.com/en/communities/moderating-comments-and-conversations/managing-disruptive-comments).
"""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api import Phase, Reason
from previewbot.api.github import Account, Edits
from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError, TryLater
from tests.support.passes import ANN, A, B, World, ready

MALLORY = Account(666, "mallory")
DELETED = 0
APP = Account(4711, "helpful[bot]", "Bot").id


async def stopped(world: World) -> bool:
    await world.settle(4)
    ended = world.status.lifecycle.ended
    return ended is not None and ended.reason is Reason.BY_COMMAND


def answers(world: World, comment: int) -> list[str]:
    return [body for body in world.github.own_comments() if f"reply-to={comment} " in body]


@pytest.mark.parametrize(
    "editor", [MALLORY.id, APP, DELETED], ids=["a person", "an App", "a deleted account"]
)
async def test_what_somebody_else_edited_is_never_a_command(editor: int) -> None:
    world = await ready()
    comment = world.github.say("what does /preview do here?", ANN)
    world.github.edit(comment, "/preview stop", by=editor)
    world.poke()

    assert not await stopped(world)
    # Who wrote it is told once that nothing of it counts, and whose it is.
    assert world.github.reacted == [(comment, "confused")]
    [told] = answers(world, comment)
    assert "Somebody else has edited this comment" in told
    world.clock.forward(minutes=20)
    world.github.edit(comment, "/preview stop now", by=editor)
    world.poke()
    assert not await stopped(world)
    assert len(answers(world, comment)) == 1


async def test_an_edit_of_the_author_does_not_cover_one_of_somebody_else() -> None:
    """`editor` names the last one only."""
    world = await ready()
    comment = world.github.say("thanks", ANN)
    world.github.edit(comment, "/preview stop", by=MALLORY.id)
    world.github.edit(comment, "/preview stop", by=ANN.id)
    world.poke()

    assert not await stopped(world)
    assert (comment, "confused") in world.github.reacted


async def test_a_refused_command_that_somebody_else_corrects_is_not_obeyed() -> None:
    world = await ready()
    comment = world.say("/preview stpo")
    await world.settle(2)
    world.github.edit(comment, "/preview stop", by=MALLORY.id)
    world.poke()

    assert not await stopped(world)
    [told] = answers_to_edits(world, comment)
    assert "Somebody else has edited" in told


def answers_to_edits(world: World, comment: int) -> list[str]:
    return [body for body in world.github.own_comments() if f"reply-to={comment} edit=" in body]


async def test_an_edit_in_the_same_second_is_found_too() -> None:
    """Then both times that REST tells are equal."""
    world = await ready()
    comment = world.github.say("/preview stop", ANN)
    world.github.edited[f"IC_{comment}"] = [(world.clock.now, MALLORY.id)]
    world.poke()

    assert not await stopped(world)


async def test_a_text_that_changes_between_the_two_questions_is_not_obeyed_for_what_the_other_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """REST shows what Mallory made of it, GraphQL is a moment behind and knows of no edit."""
    world = await ready()
    comment = world.github.say("/preview status", ANN)
    before = await world.github.edits([f"IC_{comment}"])
    world.github.edit(comment, "/preview stop", by=MALLORY.id)
    ask = world.github.edits

    async def behind(node_ids: Any) -> dict[str, Edits]:
        return before

    monkeypatch.setattr(world.github, "edits", behind)
    world.poke()
    assert not await stopped(world)
    monkeypatch.setattr(world.github, "edits", ask)
    assert not await stopped(world)
    assert (comment, "confused") in world.github.reacted


OUTAGES = [
    TryLater("GitHub", status=502),
    TryLater("GitHub", status=429, after=1_800),
    Forbidden("GitHub", status=403),
    RemoteError("GitHub", message="no sense"),
]


@pytest.mark.parametrize("outage", OUTAGES, ids=["fault", "limit", "forbidden", "no sense"])
async def test_while_it_cannot_be_asked_nobody_guesses_and_everything_else_goes_on(
    outage: RemoteError,
) -> None:
    world = await ready()
    world.fail("edits", by=outage)
    comment = world.say("/preview stop")
    world.push(B)
    await world.settle(10)

    assert (world.serving, world.status.phase) == ([B], Phase.READY)
    # Whoever asked sees that it was seen, once.
    assert world.github.reacted == [(comment, "eyes")]
    world.mend()
    world.clock.forward(minutes=1)
    assert await stopped(world)
    assert world.github.reacted[-1] == (comment, "rocket")


async def test_looks_for_it_become_fewer_and_whoever_waits_is_told_in_the_end() -> None:
    world = await ready()
    world.fail("edits", by=TryLater("GitHub", status=502))
    comment = world.say("/preview stop")
    looks = 0
    for _ in range(20 * 60):
        looks += await world.looks(1)

    assert looks <= 30
    assert (world.status.phase, world.github.reacted) == (
        Phase.READY,
        [(comment, "eyes"), (comment, "confused")],
    )
    [told] = answers(world, comment)
    assert "could not say whether somebody else has edited" in told


async def test_an_outage_of_before_does_not_make_the_next_one_shorter() -> None:
    """What waited then was deleted, so that nothing was left to be asked when GitHub answered again."""
    world = await ready()
    world.fail("edits", by=TryLater("GitHub", status=502))
    gone = world.say("/preview stop")
    await world.settle(2)
    await world.github.delete_comment("acme/shop", gone)
    world.poke()
    await world.settle(4, seconds=60)
    world.mend()
    world.clock.forward(hours=1)
    world.fail("edits", by=TryLater("GitHub", status=502))
    comment = world.say("/preview stop")
    await world.settle(3)
    world.mend()

    assert answers(world, comment) == []
    world.clock.forward(minutes=1)
    assert await stopped(world)


@pytest.mark.parametrize("error", [NotFound("GraphQL", status=404), Invalid("GraphQL", status=200)])
async def test_a_server_without_that_question_lets_nobody_wait_for_long(error: RemoteError) -> None:
    world = await ready()
    world.fail("edits", by=error)
    comment = world.say("/preview stop")
    await world.settle(6, seconds=10)

    assert world.serving == [A]
    assert len(answers(world, comment)) == 1


async def test_of_many_commands_one_question_is_asked_and_of_strangers_none() -> None:
    world = await ready()
    for _ in range(20):
        world.github.say("/preview status", ANN)
        stranger = world.github.say("/preview stop", MALLORY)
        world.github.edit(stranger, "/preview stop it")
    world.poke()
    await world.run()
    assert world.github.edits_asked == [20]

    for _ in range(30):
        world.github.edit(stranger, "/preview stop it now")
        world.poke(urgent_by=MALLORY.id)
        await world.settle(1)
    assert world.github.edits_asked == [20]


async def test_a_forks_commit_is_never_approved_by_an_edit() -> None:
    world = World()
    world.github.fork = True
    comment = world.say("/preview start")
    await world.settle(2)
    assert (comment, "confused") in world.github.reacted
    world.clock.forward(seconds=5)
    world.github.edit(comment, f"/preview start {A}")
    world.poke()
    await world.settle(4)

    assert world.serving == []
    [told] = answers_to_edits(world, comment)
    assert "an edited comment never starts a fork's commit" in told
    world.say(f"/preview start {A}")
    await world.settle(4)
    assert world.serving == [A]
