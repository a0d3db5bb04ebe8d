"""A stranger comments without end, on pull requests that are not theirs.

Who could want it: whoever wants to spend the requests that GitHub grants for everybody, the kept fifth too;
or wants an honest contributor to wait. Each comment used to cost a look, wherever it stood.
"""

from __future__ import annotations

import pytest

from previewbot.api import Lifecycle, Observed, Poke
from previewbot.api.github import Account
from previewbot.errors import QuotaKept
from previewbot.reconciler.pauses import WHILE_IT_RUNS
from tests.support.passes import ANN, GITHUB, A, B, World, ready
from tests.support.previews import a_preview

MALLORY, BOB = Account(666, "mallory"), Account(1, "bob")
KEPT = QuotaKept("GET", status=429, message="kept", after=1_800.0)


def asked(world: World) -> int:
    """Return how many requests the last pass made of GitHub."""
    return sum(call in GITHUB for call in world.calls.made)


async def shouts(world: World, times: int, every: float) -> tuple[int, int]:
    """Comment so often, each so many seconds after the other; return the looks and requests that it cost."""
    looks, requests = 0, 0
    for _ in range(times):
        world.say("/preview", MALLORY)
        await world.run()
        looks += "comments" in world.calls.made
        requests += asked(world)
        world.clock.forward(seconds=every)
    return looks, requests


async def test_an_hour_of_comments_where_nothing_runs_costs_ten_looks() -> None:
    world = World()
    world.github.labels = ()
    looks, requests = await shouts(world, 500, every=7)

    assert looks <= 12
    assert requests <= 120


async def test_comments_where_something_runs_cost_a_look_a_minute_at_most() -> None:
    world = await ready()
    looks, _ = await shouts(world, 180, every=10)

    assert looks <= 36


async def test_on_many_pull_requests_they_wait_as_on_one() -> None:
    world, looks = World(), 0
    world.github.labels = ()
    for number in range(100, 200):
        world.turn_to(number)
        world.say("/preview", MALLORY)
        looks += await world.looks(7)

    assert looks <= 7


async def test_a_comment_that_is_deleted_at_once_is_not_looked_for_every_two_seconds() -> None:
    world, looks = await ready(), 0
    world.poke(comment_id=10_000, urgent_by=MALLORY.id)
    for _ in range(29):
        looks += await world.looks(2)

    assert looks <= 10


async def test_the_kept_fifth_is_not_for_strangers_comments_on_what_runs() -> None:
    world = await ready()
    world.github.kept = KEPT
    _, requests = await shouts(world, 60, every=5)

    assert requests == 0
    # What is looked at once in a while, whoever comments, finds them.
    _, requests = await shouts(world, 60, every=10)
    assert 0 < requests <= 10


async def test_the_kept_fifth_is_for_a_push_that_comes_among_them() -> None:
    world = await ready()
    world.github.kept = KEPT
    await shouts(world, 20, every=1)
    world.push(B)
    await shouts(world, 20, every=5)

    assert world.serving == [B]


async def test_a_session_is_made_while_strangers_comment() -> None:
    world = World()
    await world.run()
    assert world.serving == [A]
    world = World()
    world.registry.images.clear()
    world.poke()
    await world.run()
    await shouts(world, 30, every=1)
    world.registry.images |= {f"checkout:{A}"}
    await shouts(world, 30, every=1)

    assert world.serving == [A]


async def test_a_preview_ends_on_time_while_strangers_comment() -> None:
    world = await ready()
    assert world.status.lifecycle.expires_at is not None
    world.clock.now = world.status.lifecycle.expires_at
    await shouts(world, 12, every=2)

    assert world.serving == []


async def test_a_closing_among_them_takes_everything_down() -> None:
    world = await ready()
    await shouts(world, 20, every=1)
    world.close()
    await shouts(world, 12, every=2)

    assert world.cluster.sessions == {}


async def test_the_stop_of_a_writer_who_does_not_show_as_a_member_is_obeyed_at_once() -> None:
    world = await ready()
    await shouts(world, 100, every=1)
    world.say("/preview stop", ANN)
    await world.run()

    assert "comments" in world.calls.made
    await world.settle(5)
    assert world.serving == []


async def test_a_stop_that_a_stranger_hides_by_commenting_in_the_same_moment_waits_a_minute_at_most() -> None:
    world = await ready()
    await shouts(world, 100, every=1)
    world.say("/preview stop", ANN)
    await shouts(world, int(WHILE_IT_RUNS.total_seconds()) + 12, every=1)

    assert world.serving == []


async def test_a_members_command_is_not_hidden() -> None:
    world = await ready()
    await shouts(world, 100, every=1)
    number = world.github.say("/preview stop", ANN, "MEMBER")
    world.poke(comment_id=number, by_member=True, urgent_by=ANN.id)
    world.say("/preview", MALLORY)
    await world.settle(5)

    assert world.serving == []


async def test_who_was_found_to_have_write_access_waits_for_nothing() -> None:
    world = await ready()
    for words in ("/preview status", "/preview strat", "/preview help"):
        world.say(words, ANN)
        await world.run()
        assert "comments" in world.calls.made


async def test_a_comment_that_github_shows_late_is_read_as_soon_as_it_is_shown() -> None:
    world = World()
    world.github.labels = ()
    number = world.github.say("/preview start", ANN)
    late = world.github.comments_written.pop()
    world.poke(comment_id=number, urgent_by=ANN.id)
    await world.settle(3, seconds=2)
    world.github.comments_written.append(late)
    await world.settle(3, seconds=2)

    assert world.serving == [A]


async def test_whom_an_earlier_process_heard_does_not_wait_after_a_restart() -> None:
    """What they wrote then is still in the Preview, and is no look in vain of theirs now."""
    world = await ready()
    world.say("/preview status", ANN)
    await world.settle(2)
    world.restart()
    world.push(B)
    await world.run()
    world.say("/preview stop", ANN)
    await world.run()

    assert "comments" in world.calls.made


# An honest contributor


def bobs_fork() -> World:
    world = World()
    world.github.fork, world.github.author = True, BOB
    world.poke()
    return world


async def test_the_author_of_a_fork_does_not_wait_for_what_others_write_there() -> None:
    world = bobs_fork()
    await world.settle(2)
    world.clock.forward(hours=2)
    await shouts(world, 60, every=10)
    world.push(B)
    await world.run()

    assert "comments" in world.calls.made


async def test_a_label_is_not_hidden_by_a_strangers_comment() -> None:
    world = bobs_fork()
    world.github.labels = ()
    await world.run()
    for push in range(50):
        world.push(f"{push:040x}")
        await world.run()
    await shouts(world, 6, every=1)
    world.github.labels = ("preview",)
    now = world.clock.now
    world.cluster.poke(Poke("label", now, now, label_id="label", event_id="label"))
    world.say("/preview", MALLORY)
    await world.run()

    assert f"/preview start {world.github.head_sha}" in world.comment


@pytest.mark.parametrize(
    ("approved_sha", "head_sha", "is_approved"),
    [(A, A, True), (A, B, False), ("", A, False), ("", "", False)],
)
def test_only_the_commit_that_somebody_approved_counts_as_approved(
    approved_sha: str, head_sha: str, is_approved: bool
) -> None:
    """Comments wait less where something was approved; that nothing was must not look like it."""
    lifecycle, observed = Lifecycle(approved_sha=approved_sha), Observed(head_sha=head_sha)

    assert a_preview(lifecycle=lifecycle, observed=observed).is_approved is is_approved
