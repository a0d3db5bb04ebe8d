"""Commands from a comment to what comes of them: several at once, in odd places, and what is said of each."""

from __future__ import annotations

import pytest

from previewbot.api import Phase, Reason
from tests.support.passes import ready


@pytest.mark.parametrize(
    "body",
    [
        "\r\n/preview stop",
        "\ufeff/preview stop",
        "LGTM, thanks!\r\n\r\n/preview stop",
        "`/preview stop`",
        "<!-- saved reply -->\n/preview stop",
        "/preview: stop",
        "@previewbot /preview stop",
    ],
)
async def test_a_command_is_carried_out_wherever_it_stands_in_its_comment(body: str) -> None:
    world = await ready()
    number = world.say(body)
    await world.settle(6)

    assert (world.status.phase, world.status.reason) == (Phase.STOPPED, Reason.BY_COMMAND)
    assert world.github.reacted == [(number, "eyes"), (number, "rocket")]


async def test_two_commands_of_one_comment_are_carried_out_in_their_order() -> None:
    world = await ready()
    (before,) = [session["metadata"]["uid"] for session in world.cluster.sessions.values()]
    number = world.say("/preview stop\r\n/preview start")
    await world.settle(10)

    assert world.status.phase is Phase.READY
    assert world.github.reacted == [(number, "eyes"), (number, "rocket")]
    (after,) = [session["metadata"]["uid"] for session in world.cluster.sessions.values()]
    assert after != before
    assert world.status.lifecycle.started_by == "ann"


async def test_the_words_of_several_commands_are_in_one_answer_and_the_worst_outcome_counts() -> None:
    world = await ready()
    number = world.say("/preview extend 2h\n/preview frobnicate\n/preview help\n/preview help")
    await world.settle(6)

    (answer,) = world.answers
    assert "stays open until" in answer and "frobnicate" in answer
    assert answer.count("needs write access") <= 1 and answer.count("You need write access") == 1
    assert world.github.reacted == [(number, "confused")]


async def test_what_is_beyond_the_most_that_is_read_of_a_comment_is_told() -> None:
    world = await ready()
    world.say("/preview status\n" * 10 + "/preview stop\n/preview start")
    await world.settle(6)

    (answer,) = world.answers
    assert "at most 10 commands" in answer and "/preview stop" in answer
    assert world.status.phase is Phase.READY


@pytest.mark.parametrize(
    "body", ["- /preview stop", "> you said\n/preview stop", "/preview-stop", "/previews"]
)
async def test_what_may_have_been_meant_as_a_command_gets_a_sign_and_changes_nothing(body: str) -> None:
    world = await ready()
    number = world.say(body)
    await world.settle(6)

    assert world.github.reacted == [(number, "confused")]
    assert len(world.answers) == 1
    assert world.status.phase is Phase.READY
