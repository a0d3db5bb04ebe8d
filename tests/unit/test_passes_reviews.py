"""Commands in the body of a review and in comments on lines, from the webhook's poke to the answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from previewbot.api import OF_REVIEWS, RequestId, RequestKind
from previewbot.api.github import Account, Edits
from previewbot.errors import NotFound, TryLater
from tests.security.test_logs_that_people_ask_for import a_world, logs_read
from tests.support.passes import ANN, A, World, ready

CHECKOUT = "checkout"
MALLORY = Account(666, "mallory")
LISTS = {"reviews", "review comments"}


def answers(world: World, number: int, *, on_lines: bool = False) -> list[str]:
    """Return what was answered in words to a review, or to a comment on lines."""
    place = "reply-to-review-comment" if on_lines else "reply-to-review"
    return [body for body in world.github.own_comments() if f" {place}={number} " in body]


@pytest.mark.parametrize("command", ["status", "help", "extend 2h"])
@pytest.mark.parametrize("on_lines", [False, True])
async def test_what_changes_nothing_of_what_runs_is_obeyed_in_a_review(command: str, on_lines: bool) -> None:
    world = await ready()
    number = world.review(f"/preview {command}", on_lines=on_lines)
    await world.settle(3, seconds=1)

    (answer,) = answers(world, number, on_lines=on_lines)
    anchor = "discussion_r" if on_lines else "pullrequestreview-"
    assert f"pull/42#{anchor}{number}" in answer
    assert world.github.reacted == []
    assert world.github.reacted_on_lines == ([(number, "rocket")] if on_lines else [])
    assert world.status.replies == ()


@pytest.mark.parametrize("command", ["start", "stop", "restart", "", f"start {A}"])
@pytest.mark.parametrize("on_lines", [False, True])
async def test_what_starts_or_ends_something_is_answered_with_the_line_to_write_in_the_conversation(
    command: str, on_lines: bool
) -> None:
    world = await ready()
    before = world.status.lifecycle
    number = world.review(f"/preview {command}".strip(), on_lines=on_lines)
    await world.settle(3, seconds=1)

    (answer,) = answers(world, number, on_lines=on_lines)
    assert f"```\n/preview {command or 'start'}\n```" in answer
    assert (world.serving, world.status.lifecycle) == ([A], before)
    assert world.github.reacted_on_lines == ([(number, "confused")] if on_lines else [])


@pytest.mark.parametrize("command", ["logs", f"logs {CHECKOUT}"])
@pytest.mark.parametrize("on_lines", [False, True])
async def test_the_last_lines_are_shown_in_a_review_of_a_private_repository(
    command: str, on_lines: bool
) -> None:
    world = await a_world("listening on 8080\npassword=hunter2-of-the-database")
    number = world.review(f"/preview {command}", on_lines=on_lines)
    await world.settle(6)

    (answer,) = answers(world, number, on_lines=on_lines)
    assert "<details><summary>The last lines of checkout</summary>" in answer
    assert "listening on 8080" in answer and "hunter2" not in answer
    assert world.github.reacted_on_lines == ([(number, "rocket")] if on_lines else [])
    await world.settle(3)
    assert logs_read(world) == 1


@pytest.mark.parametrize("command", ["logs", f"logs {CHECKOUT}"])
@pytest.mark.parametrize("on_lines", [False, True])
async def test_in_a_review_of_a_public_repository_none_are_read_or_shown(
    command: str, on_lines: bool
) -> None:
    world = await a_world(private=False)
    number = world.review(f"/preview {command}", on_lines=on_lines)
    await world.settle(6)

    (answer,) = answers(world, number, on_lines=on_lines)
    assert "This repository is public" in answer and "listening" not in answer
    assert logs_read(world) == 0
    assert world.github.reacted_on_lines == ([(number, "confused")] if on_lines else [])


@pytest.mark.parametrize("on_lines", [False, True])
async def test_who_may_only_read_gets_no_lines_for_a_review(on_lines: bool) -> None:
    world = await a_world()
    world.github.permissions["mallory"] = "read"
    number = world.review("/preview logs", MALLORY, on_lines=on_lines)
    await world.settle(6)

    assert not any("listening" in answer for answer in answers(world, number, on_lines=on_lines))
    assert logs_read(world) == 0


async def test_of_several_commands_each_counts_or_is_answered() -> None:
    world = await ready()
    number = world.review("/preview extend 1h\n\n/preview stop\n")
    await world.settle(3, seconds=1)

    (answer,) = answers(world, number)
    assert "stays open until" in answer and "/preview stop" in answer
    assert world.serving == [A]


async def test_a_misspelt_command_in_a_review_is_answered() -> None:
    world = await ready()
    number = world.review("/preview statsu")
    await world.settle(3, seconds=1)

    assert "did you mean" in answers(world, number)[0]


async def test_the_same_number_means_something_else_in_each_place() -> None:
    """Ids of different kinds are not comparable: here all three have the same."""
    world = await ready()
    number = world.say("/preview help")
    for on_lines in (False, True):
        world.review("/preview help", on_lines=on_lines, number=number)
    await world.settle(4, seconds=1)

    given = [body for body in world.github.own_comments() if "reply-to" in body.split("\n")[0]]
    assert len(given) == 3
    assert {RequestId(each, number) for each in RequestKind} <= set(world.status.requests.handled)


async def test_nobody_asks_for_reviews_when_nothing_tells_of_one() -> None:
    world = await ready()
    world.say("/preview status")
    for _ in range(5):
        world.poke()
        await world.run()
        assert not LISTS & set(world.calls.made)
        world.clock.forward(minutes=11)


async def test_one_webhook_has_them_read_once() -> None:
    world = await ready()
    world.review("/preview status")
    reads = 0
    for _ in range(10):
        await world.run()
        reads += world.calls.made.count("reviews") + world.calls.made.count("review comments")
        world.poke()
        world.clock.forward(seconds=20)

    assert reads == 2


@pytest.mark.parametrize("on_lines", [False, True])
async def test_a_review_whose_webhook_was_lost_is_found_by_the_listing(on_lines: bool) -> None:
    world = await ready()
    number = world.github.review("/preview status", on_lines=on_lines)
    world.poke()
    await world.settle(2)
    assert not answers(world, number, on_lines=on_lines)
    # By another webhook the time of its last change is known already; reviews are another matter.
    assert world.status.observed.updated_at == world.github.updated_at
    assert world.status.requests.reviews_as_of != world.github.updated_at
    world.list_it()
    await world.settle(2)

    assert answers(world, number, on_lines=on_lines)
    assert world.status.requests.reviews_as_of == world.status.observed.updated_at


@pytest.mark.parametrize("on_lines", [False, True])
async def test_a_review_that_github_shows_late_is_waited_for(on_lines: bool) -> None:
    world = await ready()
    number = world.review("/preview status", on_lines=on_lines)
    late = world.github.reviews_written.pop()
    await world.settle(5, seconds=2)
    world.github.reviews_written.append(late)
    await world.settle(3, seconds=2)

    assert answers(world, number, on_lines=on_lines)


async def test_a_comment_on_lines_that_was_deleted_at_once_is_not_waited_for_without_end() -> None:
    world = await ready()
    world.review("/preview status", on_lines=True)
    world.github.reviews_written.clear()
    await world.settle(40, seconds=2)
    await world.run()
    world.poke()
    await world.run()

    assert not LISTS & set(world.calls.made)


@pytest.mark.parametrize("on_lines", [False, True])
async def test_what_was_begun_as_a_draft_is_obeyed_when_it_is_submitted(on_lines: bool) -> None:
    """Its number is that of when it was begun: below all that were carried out meanwhile."""
    world = await ready()
    for _ in range(2):
        for _ in range(59):
            world.github.review("/preview help", on_lines=on_lines)
        world.review("/preview help", on_lines=on_lines)
        await world.settle(4, seconds=10)
    assert world.status.requests.floor_of(OF_REVIEWS[on_lines]) > 520
    drafted = world.clock.now - timedelta(hours=2)
    number = world.review("/preview status", on_lines=on_lines, number=7, begun_at=drafted)
    # Behind the answers that are owed still.
    await world.settle(20, seconds=10)

    assert len(answers(world, number, on_lines=on_lines)) == 1


async def test_a_dismissed_or_late_list_of_many_reviews_is_read_from_where_it_ended() -> None:
    world = await ready()
    for _ in range(350):
        world.github.review("Looks good", MALLORY)
    number = world.review("/preview status")
    await world.settle(2, seconds=1)
    assert world.github.pages_read == [1]
    again = world.review("/preview status")
    await world.settle(2, seconds=1)

    assert world.github.pages_read == [1, 3]
    assert answers(world, number) and answers(world, again)


async def test_more_reviews_than_one_look_reads_are_read_by_the_next() -> None:
    world = await ready()
    for _ in range(2_500):
        world.github.review("Looks good", MALLORY)
    number = world.review("/preview status")
    await world.settle(6, seconds=2)

    assert answers(world, number)
    assert world.github.pages_read == [1, 10, 19]


# Once, whatever happens


@pytest.mark.parametrize("on_lines", [False, True])
async def test_an_answer_is_not_given_twice_after_a_crash(on_lines: bool) -> None:
    world = await ready()
    number = world.review("/preview extend 1h", on_lines=on_lines)
    before = world.status.lifecycle.expires_at

    def dies() -> None:
        world.fail("put status", by=TryLater("Kubernetes"))

    world.calls.watch("create comment", dies)
    assert (await world.run()).error is not None
    world.mend()
    world.restart()
    await world.settle(10, seconds=10)

    assert len(answers(world, number, on_lines=on_lines)) == 1
    assert world.status.lifecycle.expires_at is not None and before is not None
    assert world.status.lifecycle.expires_at == before + timedelta(hours=1)


@pytest.mark.parametrize("on_lines", [False, True])
async def test_an_answer_is_not_given_again_by_the_next_preview_of_a_pull_request(
    on_lines: bool,
) -> None:
    world = await ready()
    number = world.review("/preview extend 1h", on_lines=on_lines)
    await world.settle(3, seconds=1)
    world.cluster.preview = None
    world.restart()
    world.list_it()
    await world.settle(6, seconds=5)

    assert len(answers(world, number, on_lines=on_lines)) == 1


@pytest.mark.parametrize("on_lines", [False, True])
async def test_where_nothing_triggers_a_preview_each_review_is_answered_once(on_lines: bool) -> None:
    world = World()
    world.github.labels = ()
    written = []
    for _ in range(4):
        written.append(world.review("/preview help", on_lines=on_lines))
        await world.settle(3, seconds=5)
        assert world.cluster.preview is None

    assert [len(answers(world, number, on_lines=on_lines)) for number in written] == [1] * 4


async def test_a_review_that_is_older_than_a_day_when_the_app_is_installed_is_not_obeyed() -> None:
    world = World()
    number = world.github.review("/preview help")
    world.clock.forward(hours=25)
    world.list_it()
    await world.settle(3)

    assert not answers(world, number)


async def test_a_comment_on_lines_that_is_gone_when_it_is_answered_owes_nothing() -> None:
    world = await ready()
    world.fail("react on lines", by=NotFound("GitHub", status=404))
    world.review("/preview help", on_lines=True)
    await world.settle(4, seconds=1)

    assert world.status.replies == ()


async def test_a_status_of_before_reviews_were_read_is_gone_on_with() -> None:
    world = await ready()
    assert world.cluster.preview is not None
    for name in ("places", "reviewsAsOf"):
        world.cluster.preview["status"]["requests"].pop(name, None)
    number = world.review("/preview status", ANN)
    await world.settle(3, seconds=1)

    assert len(answers(world, number)) == 1


async def test_a_draft_from_long_ago_is_obeyed_once_while_another_comment_waits_for_an_answer_of_github() -> (
    None
):
    world = await ready()
    for number in range(9_100, 9_160):
        world.review("/preview status", on_lines=True, number=number)
    await world.settle(30)
    before, edits = world.status.lifecycle.expires_at, world.github.edits
    world.fail("edits", by=TryLater("GitHub", status=502))
    world.review("/preview status", on_lines=True, number=9_300)
    await world.settle(2)
    world.mend()

    async def of_all_but_one(node_ids: Sequence[str]) -> dict[str, Edits]:
        return {node_id: found for node_id, found in (await edits(node_ids)).items() if "9300" not in node_id}

    world.github.edits = of_all_but_one  # type: ignore[method-assign]
    world.review("/preview extend 1h", on_lines=True, number=9_050)
    await world.settle(10)

    assert before is not None
    assert world.status.lifecycle.expires_at == before + timedelta(hours=1)
    assert len(answers(world, 9_050, on_lines=True)) == 1


# Corrections


async def corrected(
    world: World, number: int, body: str, *, on_lines: bool, by: int | None = None
) -> list[str]:
    """Let somebody edit it, and web tell of that; return all answers to it."""
    world.github.edit(number, body, by, in_reviews=True)
    world.poke_review(number, on_lines=on_lines)
    await world.settle(4, seconds=1)
    return answers(world, number, on_lines=on_lines)


@pytest.mark.parametrize("written", ["/preview extnd 1h", "/preview extend soon", "/preview stop"])
@pytest.mark.parametrize("on_lines", [False, True])
async def test_what_came_to_nothing_in_a_review_is_corrected_within_ten_minutes_and_once(
    written: str, on_lines: bool
) -> None:
    world = await ready()
    before = world.status.lifecycle.expires_at
    assert before is not None
    number = world.review(written, on_lines=on_lines)
    await world.settle(3, seconds=1)
    world.clock.forward(minutes=5)

    told = await corrected(world, number, "/preview extend 1h", on_lines=on_lines)
    assert "stays open until" in told[-1] and len(told) == 2
    assert world.status.lifecycle.expires_at == before + timedelta(hours=1)
    assert world.github.reacted_on_lines[-1:] == ([(number, "rocket")] if on_lines else [])

    # What was obeyed is done with, whatever it says later.
    assert await corrected(world, number, "/preview extend 2h", on_lines=on_lines) == told
    assert world.status.lifecycle.expires_at == before + timedelta(hours=1)


@pytest.mark.parametrize("on_lines", [False, True])
async def test_a_review_that_becomes_a_command_by_an_edit_is_obeyed(on_lines: bool) -> None:
    world = await ready()
    number = world.github.review("Looks good", on_lines=on_lines)
    world.clock.forward(seconds=90)

    (told,) = await corrected(world, number, "Looks good\n\n/preview help", on_lines=on_lines)
    assert "/preview help" in told


@pytest.mark.parametrize("on_lines", [False, True])
async def test_a_review_that_is_corrected_late_is_not_obeyed(on_lines: bool) -> None:
    world = await ready()
    before = world.status.lifecycle.expires_at
    number = world.review("/preview extnd 1h", on_lines=on_lines)
    await world.settle(3, seconds=1)
    world.clock.forward(minutes=11)

    told = await corrected(world, number, "/preview extend 1h", on_lines=on_lines)
    assert world.status.lifecycle.expires_at == before
    assert "edited more than ten minutes after it was written" in told[-1]


@pytest.mark.parametrize("on_lines", [False, True])
async def test_what_somebody_else_writes_into_a_review_is_never_a_command(on_lines: bool) -> None:
    world = await ready()
    before = world.status.lifecycle.expires_at
    number = world.review("/preview extnd 1h", on_lines=on_lines)
    await world.settle(3, seconds=1)
    world.clock.forward(seconds=30)

    told = await corrected(world, number, "/preview extend 1h", on_lines=on_lines, by=MALLORY.id)
    assert "Somebody else has edited" in told[-1]
    assert world.status.lifecycle.expires_at == before


async def test_a_review_that_nobody_can_correct_any_more_has_no_list_read() -> None:
    world = await ready()
    world.review("/preview extnd 1h")
    await world.settle(3, seconds=1)
    world.clock.forward(minutes=13)
    world.poke()
    await world.run()

    assert not LISTS & set(world.calls.made)


async def test_a_stranger_has_nothing_to_correct() -> None:
    world = await ready()
    world.github.permissions["mallory"] = "read"
    world.review("/preview extnd 1h", MALLORY)
    await world.settle(3, seconds=1)
    world.poke()
    await world.run()

    assert world.status.requests.correctable == ()
    assert not LISTS & set(world.calls.made)
