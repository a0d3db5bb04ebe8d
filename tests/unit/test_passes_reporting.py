"""Orders of events between the comment, the answers and what another version left in the status."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

import previewbot.reconciler.reconciler as reconciler
from previewbot.api import Report
from previewbot.errors import Forbidden, TryLater
from previewbot.reconciler.plan.requeue import INTENT_HOLDS
from previewbot.reconciler.reporters import GITHUB_REPORTERS
from previewbot.reconciler.reporters.reporter import ReportContext
from tests.support.passes import B, World, ready
from tests.unit.test_another_kind import Board, Line

LOCKED = Forbidden("GitHub", status=403, message="locked")


def stored(world: World) -> dict[str, Any]:
    """Return the status as the API server has it, to be changed as another version would have left it."""
    assert world.cluster.preview is not None
    status: dict[str, Any] = world.cluster.preview["status"]
    return status


def a_reply_of_another_version(**more: Any) -> dict[str, Any]:
    request = {"kind": "Discussion", "id": 777}
    return {"request": request, "author": "ann", "command": "status", **more}


@pytest.mark.parametrize("more", [{"words": "status"}, {}])
async def test_an_answer_that_only_another_version_can_give_wakes_nobody(more: dict[str, str]) -> None:
    world = await ready()
    before = (await world.run()).requeue_after
    stored(world)["replies"] = [a_reply_of_another_version(intentAt="2020-01-01T00:00:00Z", **more)]

    assert [(await world.run()).requeue_after for _ in range(3)] == [before] * 3
    assert len(world.status.replies) == 1


async def test_an_answer_that_only_another_version_can_give_keeps_no_closed_preview() -> None:
    world = await ready()
    stored(world)["replies"] = [a_reply_of_another_version(reaction="rocket")]
    world.close()
    await world.settle()

    assert world.cluster.preview is None


@pytest.mark.parametrize(
    "words", [{"words": "of-a-newer-version"}, {"words": "status", "more": [{"words": "extended"}]}]
)
async def test_words_that_only_another_version_has_end_no_pass(words: dict[str, Any]) -> None:
    world = await ready()
    number = world.say("/preview status")
    world.fail("create comment", "react", by=TryLater("GitHub", status=502))
    await world.run()
    stored(world)["replies"][0] |= {"intentAt": None, **words}
    world.mend()
    await world.settle(3)
    assert (world.github.reacted, world.status.replies) == ([(number, "rocket")], ())

    world.close()
    await world.settle()
    assert world.cluster.preview is None


async def test_an_intent_that_ran_out_while_the_text_is_refused_is_no_busy_loop() -> None:
    world = World()
    world.fail("create comment", by=LOCKED)
    await world.settle(3)
    stored(world)["reports"]["comment"]["intentAt"] = "2020-01-01T00:00:00Z"
    waits = [(await world.run()).requeue_after for _ in range(3)]

    assert all(wait is None or wait > 1 for wait in waits)


async def test_reactions_that_hang_keep_no_status_comment_from_being_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconciler, "READ_PATIENCE", 0.2)
    world = World()
    world.say("/preview start")
    world.say("/preview start")

    async def hang(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(world.github, "react", hang)
    for _ in range(6):
        await world.run()
        world.clock.forward(seconds=60)

    assert "Open the preview" in world.comment


async def test_a_conversation_that_cannot_be_read_keeps_no_comment_old() -> None:
    world = await ready()
    world.push(B, built=False)
    world.say("/preview status")

    def fail() -> None:
        world.fail("comments", by=TryLater("GitHub", message="no answer in time"))

    # The second time it is read before the answer is written; by then the comment is known.
    world.calls.watch("comments", lambda: world.calls.watch("comments", fail))
    await world.run()

    assert B[:7] in world.comment
    assert "no answer in time" in world.status.last_error


async def test_what_was_answered_before_a_crash_and_is_seen_late_is_owed_no_more() -> None:
    world = await ready()
    world.say("/preview status")
    await world.settle()
    (answer,) = [body for body in world.github.own_comments() if "previewbot reply" in body]
    (request,) = [c.id for c in world.github.comments_written if c.body == "/preview status"]
    reply = {"request": {"kind": "IssueComment", "id": request}, "author": "ann", "command": "status"}
    stored(world)["replies"] = [
        {**reply, "words": "status", "reacted": True, "intentAt": "2020-01-01T00:00:00Z"}
    ]
    await world.run()

    assert world.status.replies == ()
    assert world.github.own_comments().count(answer) == 1


async def test_a_refusal_that_runs_out_in_the_midst_of_a_pass_creates_nothing_unannounced() -> None:
    class Slow(Board):
        async def write(self, context: ReportContext, key: str, report: Report, content: Line) -> Report:
            world.clock.forward(seconds=20)
            return await super().write(context, key, report, content)

    world = World(reporters=(Slow(), *GITHUB_REPORTERS))
    world.fail("create comment", by=LOCKED)
    await world.settle(4)
    world.mend()
    refusal = world.status.reports["comment"].refusal
    assert refusal is not None
    world.clock.now = refusal.at
    world.clock.forward(seconds=295)
    stored(world)["reports"]["board"]["hash"] = "of another text"
    world.calls.made.clear()
    await world.run()

    assert "create comment" not in world.calls.made
    world.clock.forward(seconds=INTENT_HOLDS.total_seconds())
    await world.settle()
    assert "Open the preview" in world.comment


async def test_no_answer_is_given_twice_if_its_own_answer_is_lost() -> None:
    world = await ready()
    world.fail("create comment", by=TryLater("GitHub", message="no answer in time"))
    world.say("/preview status")
    await world.run()
    world.mend()
    await world.settle()

    assert len([body for body in world.github.own_comments() if "previewbot reply" in body]) == 1


async def test_for_an_answer_no_more_of_the_conversation_is_read_than_what_no_look_has_seen() -> None:
    world = await ready()
    world.clock.forward(seconds=3_600)
    await world.settle()
    world.say("/preview status")
    began = world.clock.now
    world.github.read_since.clear()
    await world.settle()

    assert len([body for body in world.github.own_comments() if "previewbot reply" in body]) == 1
    # One look finds the command, and another comes before the answer.
    found, before_the_answer, *_ = world.github.read_since
    assert found is not None and before_the_answer is not None
    assert before_the_answer >= began - timedelta(minutes=10)


async def test_while_the_status_comment_is_not_known_the_whole_conversation_is_read() -> None:
    world = World()
    await world.settle(2)

    assert world.github.read_since[:2] == [None, None] and world.comment


async def test_an_answer_that_was_announced_long_ago_is_looked_for_from_then_on() -> None:
    world = await ready()
    request = world.say("/preview status")
    await world.settle()
    announced = world.clock.now - timedelta(seconds=1)
    reply = {"request": {"kind": "IssueComment", "id": request}, "author": "ann", "command": "status"}
    world.clock.forward(seconds=86_400)
    # All looks of a day have missed it: GitHub was that far behind, say.
    stored(world)["replies"] = [
        {**reply, "words": "status", "reacted": True, "intentAt": announced.isoformat()}
    ]
    stored(world)["requests"]["readAt"] = world.clock.now.isoformat()
    await world.settle()

    assert len([body for body in world.github.own_comments() if "previewbot reply" in body]) == 1
    assert world.status.replies == ()
