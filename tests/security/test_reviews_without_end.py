"""A stranger reviews without end, and comments on lines: anybody may, where the repository is public.

Who could want it: whoever wants to spend the requests that GitHub grants for everybody, to fill conversations
with our answers, or to hide what people with rights ask for. All of it is paid for as comments are.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from previewbot.api import OF_REVIEWS, RequestKind
from previewbot.api.github import Account
from previewbot.errors import QuotaKept
from previewbot.reconciler.plan.refusals import ANSWERS_IN_ALL, WORDS_FOR
from tests.support.passes import ANN, GITHUB, A, World, ready

MALLORY = Account(666, "mallory")
KEPT = QuotaKept("GET", status=429, message="kept", after=1_800.0)
LINES = RequestKind.REVIEW_COMMENT
EACH_PLACE = pytest.mark.parametrize("on_lines", [False, True])


def answers(world: World) -> list[str]:
    """Return what was answered in words."""
    return [body for body in world.github.own_comments() if " reply-to" in body]


async def shouts(world: World, times: int, every: float, *, on_lines: bool) -> tuple[int, int]:
    """Review so often, each so many seconds after the other; return the looks and requests that it cost."""
    looks, requests = 0, 0
    for _ in range(times):
        world.review("/preview status", MALLORY, on_lines=on_lines)
        await world.run()
        looks += "comments" in world.calls.made
        requests += sum(call in GITHUB for call in world.calls.made)
        world.clock.forward(seconds=every)
    return looks, requests


@EACH_PLACE
async def test_an_hour_of_them_where_nothing_runs_costs_ten_looks(on_lines: bool) -> None:
    world = World()
    world.github.labels = ()
    looks, requests = await shouts(world, 500, every=7, on_lines=on_lines)

    assert looks <= 12
    assert requests <= 150


@EACH_PLACE
async def test_where_something_runs_they_cost_a_look_a_minute_at_most(on_lines: bool) -> None:
    world = await ready()
    looks, _ = await shouts(world, 180, every=10, on_lines=on_lines)

    assert looks <= 36


@EACH_PLACE
async def test_the_kept_fifth_is_not_for_them(on_lines: bool) -> None:
    world = await ready()
    world.github.kept = KEPT
    _, requests = await shouts(world, 60, every=5, on_lines=on_lines)

    assert requests == 0


@EACH_PLACE
async def test_a_thousand_of_one_stranger_are_one_look_one_lookup_and_one_answer(on_lines: bool) -> None:
    world = await ready()
    for _ in range(999):
        world.github.review("/preview help", MALLORY, on_lines=on_lines)
    world.review("/preview help", MALLORY, on_lines=on_lines)
    await world.run()
    assert world.calls.made.count("permission") == 1
    await world.settle(12, seconds=1)

    assert ["write access" in body for body in answers(world)] == [True]
    assert len(world.github.reacted_on_lines) == (2 if on_lines else 0)
    requests = world.status.requests
    assert len(requests.handled_of(OF_REVIEWS[on_lines])) <= 70
    assert (world.status.replies, world.github.asked_about.count("mallory") <= 3) == ((), True)


@EACH_PLACE
async def test_many_accounts_together_do_not_get_much(on_lines: bool) -> None:
    world = await ready()
    for number in range(100):
        world.github.permissions[f"stranger-{number}"] = "read"
        for _ in range(2):
            world.github.review("/preview help", f"stranger-{number}", on_lines=on_lines)
    world.review("/preview help", MALLORY, on_lines=on_lines)
    await world.settle(40, seconds=1)

    assert len(answers(world)) == WORDS_FOR
    assert len(world.github.reacted_on_lines) <= ANSWERS_IN_ALL
    assert len(world.status.requests.handled) <= 70
    assert world.status.replies == ()


@EACH_PLACE
async def test_the_same_stranger_is_not_told_anew_in_each_place(on_lines: bool) -> None:
    world = await ready()
    world.say("/preview help", MALLORY)
    await world.settle(4, seconds=15)
    world.review("/preview help", MALLORY, on_lines=on_lines)
    await world.settle(4, seconds=60)

    assert len(answers(world)) == 1


@EACH_PLACE
async def test_a_writers_review_among_them_is_answered(on_lines: bool) -> None:
    world = await ready()
    await shouts(world, 100, every=1, on_lines=on_lines)
    number = world.review("/preview status", ANN, on_lines=on_lines)
    await world.settle(4, seconds=1)

    assert any(f"={number} " in body for body in answers(world))


@EACH_PLACE
async def test_a_members_review_is_not_hidden_by_what_follows(on_lines: bool) -> None:
    world = await ready()
    await shouts(world, 100, every=1, on_lines=on_lines)
    number = world.review("/preview status", ANN, on_lines=on_lines, by_member=True)
    world.review("/preview", MALLORY, on_lines=on_lines)
    await world.settle(4, seconds=1)

    assert any(f"={number} " in body for body in answers(world))


@EACH_PLACE
async def test_they_do_not_keep_a_comment_from_being_obeyed(on_lines: bool) -> None:
    world = await ready()
    await shouts(world, 100, every=1, on_lines=on_lines)
    world.say("/preview stop", ANN)
    await world.settle(6)

    assert world.serving == []


# What nobody can do in a review


@EACH_PLACE
async def test_a_fork_is_not_approved_in_a_review(on_lines: bool) -> None:
    """GitHub does not say whether an App wrote it: an assistant may have been talked into it."""
    world = World()
    world.github.fork = True
    world.poke()
    await world.settle(2)
    number = world.review(f"/preview start {A}", ANN, on_lines=on_lines)
    await world.settle(6)

    assert (world.serving, world.status.lifecycle.approved_sha) == ([], "")
    (answer,) = [body for body in answers(world) if f"={number} " in body]
    assert f"```\n/preview start {A}\n```" in answer


@EACH_PLACE
async def test_a_bots_review_is_never_answered(on_lines: bool) -> None:
    """Review bots quote what they read, and answer whoever answers them."""
    world = await ready()
    bot = world.github.bot("copilot-pull-request-reviewer[bot]")
    world.review("/preview extend 8h", bot, on_lines=on_lines)
    world.list_it()
    await world.settle(6)

    assert (answers(world), world.github.reacted_on_lines, world.github.asked_about) == ([], [], [])


@EACH_PLACE
async def test_who_lost_write_access_since_is_not_obeyed(on_lines: bool) -> None:
    world = await ready()
    before = world.status.lifecycle.expires_at
    world.github.permissions["ann"] = "read"
    world.review("/preview extend 8h", ANN, on_lines=on_lines, by_member=True)
    await world.settle(4)

    assert world.status.lifecycle.expires_at == before


@EACH_PLACE
async def test_what_somebody_else_edited_in_a_review_is_never_a_command(on_lines: bool) -> None:
    """Of a review REST does not show that it was edited at all."""
    world = await ready()
    before = world.status.lifecycle.expires_at
    number = world.github.review("thanks", ANN, on_lines=on_lines)
    written = world.github.reviews_written[-1]
    world.github.reviews_written[-1] = replace(written, body="/preview extend 8h")
    world.github.edited[written.node_id] = [(world.clock.now, MALLORY.id)]
    world.list_it()
    await world.settle(6)

    assert world.status.lifecycle.expires_at == before
    assert "Somebody else has edited" in next(body for body in answers(world) if f"={number} " in body)


async def extended(world: World, number: int) -> object:
    """Return until when a preview runs after a comment on lines was touched, and all looks were taken."""
    written = world.github.reviews_written
    place, old = next((i, c) for i, c in enumerate(written) if (c.kind, c.id) == (LINES, number))
    written[place] = replace(old, updated_at=world.clock.now)
    world.review("/preview status", on_lines=True)
    await world.settle(8)
    return world.status.lifecycle.expires_at


async def test_a_crowd_does_not_have_what_was_obeyed_long_ago_obeyed_again() -> None:
    """Once the floor has passed it, a comment that somebody touches looks like a draft of that time."""
    world = await ready()
    number = world.review("/preview extend 1h", on_lines=True)
    await world.settle(4)
    once = world.status.lifecycle.expires_at
    for _ in range(60):
        world.review("/preview help", MALLORY, on_lines=True)
    world.clock.forward(minutes=2)
    await world.settle(10)
    assert world.status.requests.floor_of(LINES) > number
    world.clock.forward(minutes=2)

    assert await extended(world, number) == once


async def test_a_draft_that_lay_below_the_floor_is_obeyed_when_it_is_submitted() -> None:
    world = await ready()
    begun = world.clock.now
    for _ in range(60):
        world.review("/preview help", MALLORY, on_lines=True)
    world.clock.forward(minutes=2)
    await world.settle(10)
    once = world.status.lifecycle.expires_at
    world.review("/preview extend 1h", on_lines=True, number=1, begun_at=begun)
    await world.settle(6)

    assert world.status.lifecycle.expires_at != once
