"""A pass asks sparingly what a pull request was asked for, tells it, and waits for nobody because of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from previewbot.api import Observed, from_object
from previewbot.api.asked_for import AskedFor, ReferencedIssue
from previewbot.errors import Forbidden, QuotaKept, RemoteError, TryLater
from tests.support.passes import A, B, World, ready

ISSUE = ReferencedIssue(812, "acme/shop", 12, private=True, title="Dress the basket for autumn")
AUTUMN = "Asked for in [\\#\u200b12 Dress the basket for autumn](https://github.com/acme/shop/issues/12)."
NOTHING = "No request is linked."


def world() -> World:
    """Return a world whose pull request closes an issue."""
    built = World()
    built.github.node_id = "PR_42"
    built.github.asked = AskedFor((ISSUE,), 1)
    return built


def observed(town: World) -> Observed:
    assert town.cluster.preview is not None
    return from_object(town.cluster.preview).status.observed


async def test_the_first_comment_names_the_issue_already() -> None:
    town = world()
    town.poke()
    await town.run()

    assert AUTUMN in town.comment
    assert town.github.asked_times == 1


async def test_one_life_of_a_commit_asks_once() -> None:
    town = await ready(world())

    assert AUTUMN in town.comment
    assert town.github.asked_times == 1
    await town.settle(10)
    assert town.github.asked_times == 1


async def test_a_push_and_a_change_of_the_pull_request_ask_again() -> None:
    town = await ready(world())
    town.github.asked = AskedFor((replace(ISSUE, title="Dress it for winter"),), 1)

    town.github.head_sha = B
    town.poke()
    await town.settle()
    assert town.github.asked_times == 2
    assert "Dress it for winter" in town.comment

    town.github.asked = AskedFor()
    town.github.updated_at += timedelta(minutes=1)
    town.poke()
    await town.settle()
    assert town.github.asked_times == 3
    assert NOTHING in town.comment


async def test_an_issue_that_was_edited_is_told_within_the_hour() -> None:
    town = await ready(world())
    town.github.asked = AskedFor((replace(ISSUE, title="Dress it for winter", closed=True),), 1)

    for _ in range(8):
        town.clock.now += timedelta(minutes=10)
        await town.settle(1)

    assert town.github.asked_times == 2
    assert "Dress it for winter" in town.comment and "(closed)" in town.comment


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TryLater("POST graphql", message="502"), "could not ask GitHub, and tries again"),
        (RemoteError("GitHub's answer", message="`nodes` is not a list"), "could not ask GitHub"),
        (QuotaKept("POST graphql", message="kept", after=60), "could not ask GitHub"),
        (Forbidden("POST graphql", status=403, message="Resource not accessible"), "`issues: read`"),
    ],
)
async def test_a_preview_waits_for_no_answer_and_says_that_there_is_none(
    error: RemoteError, words: str
) -> None:
    town = world()
    town.calls.failures["asked for"] = error
    await ready(town)

    assert set(town.serving) == {A}
    assert words in town.comment
    assert town.github.asked_times <= 2


async def test_silence_is_asked_about_again_and_what_was_known_stays() -> None:
    town = await ready(world())
    town.calls.failures["asked for"] = TryLater("POST graphql", message="502")
    for _ in range(5):
        town.github.updated_at += timedelta(minutes=1)
        town.poke()
        await town.settle(1)
    assert AUTUMN in town.comment
    assert town.github.asked_times == 2, "a lively conversation asks no more often while there is no answer"

    del town.calls.failures["asked for"]
    town.github.asked = AskedFor()
    town.clock.now += timedelta(minutes=11)
    await town.settle(2)
    assert NOTHING in town.comment


async def test_a_restart_asks_once_more() -> None:
    town = await ready(world())
    town.restart()
    town.poke()
    await town.settle()

    assert town.github.asked_times == 2


async def test_a_repository_that_became_everybodys_names_no_private_issue_any_more() -> None:
    town = world()
    town.github.asked = AskedFor((replace(ISSUE, repository_id=9, repository="acme/roadmap"),), 1)
    await ready(town)
    assert "acme/roadmap" in town.comment

    town.github.private = False
    town.calls.failures["asked for"] = TryLater("POST graphql", message="502")
    town.poke()
    await town.settle()
    assert "acme/roadmap" not in town.comment
    assert observed(town).closing_issues == ()


async def test_a_pull_request_that_nothing_triggers_is_asked_nothing_about() -> None:
    town = world()
    town.github.labels = ()
    town.poke()
    await town.settle()

    assert town.github.asked_times == 0


async def test_a_fork_that_waits_for_approval_is_asked_nothing_about() -> None:
    town = world()
    town.github.fork = True
    town.poke()
    await town.settle()
    assert town.github.asked_times == 0

    town.say(f"/preview start {A}")
    await town.settle()
    assert town.github.asked_times == 1
    assert AUTUMN in town.comment


async def test_a_server_without_node_ids_is_asked_nothing() -> None:
    town = World()
    await ready(town)

    assert town.github.asked_times == 0
    assert NOTHING not in town.comment and "Asked for" not in town.comment


async def test_a_command_and_the_request_are_one_question() -> None:
    town = await ready(world())
    town.github.asked = AskedFor((replace(ISSUE, title="Dress it for winter"),), 1)
    asked, edits = town.github.asked_times, len(town.github.edits_asked)

    town.say("/preview extend 1h")
    await town.settle(2)

    assert len(town.github.edits_asked) == edits + 1
    assert town.github.asked_times == asked, "no question of its own"
    assert "Dress it for winter" in town.comment


async def test_a_command_is_obeyed_where_the_same_question_has_no_answer_of_the_request() -> None:
    town = await ready(world())
    town.calls.failures["asked for"] = TryLater("POST graphql", message="502")
    town.github.asked_beside = False

    town.say("/preview stop")
    await town.settle(4)

    assert not town.serving
    assert AUTUMN in town.comment


@pytest.mark.parametrize(
    "error", [TryLater("POST graphql", message="502"), Forbidden("POST graphql", status=403)]
)
async def test_a_command_does_not_wait_for_what_github_fails_at_beside_it(error: RemoteError) -> None:
    """GitHub gives up after ten seconds, and the issues may be what it does not get done."""
    town = await ready(world())
    town.calls.failures["edits and asked for"] = error
    town.calls.failures["asked for"] = error

    town.say("/preview stop")
    await town.settle(4)
    assert not town.serving
    assert AUTUMN in town.comment

    # Nor does the next one, when the request is due again.
    town.clock.forward(minutes=2)
    town.say("/preview start")
    await town.settle(2)
    assert town.serving
