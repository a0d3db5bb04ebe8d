"""A stranger pushes, edits and reopens pull requests that nothing triggers, without end.

Who could want it: whoever wants to spend the requests that GitHub grants for everybody's previews. Each such
event used to cost a look: five requests, and a Preview made and deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from previewbot.api import Poke
from previewbot.api.github import Account
from previewbot.reconciler.pauses import FIRST, LONGEST, Pauses
from previewbot.webhook.events import Trigger, parse_event
from tests.support.passes import ANN, GITHUB, A, B, World
from tests.support.previews import NOW, a_preview

MALLORY, PUPPET = Account(666, "mallory"), Account(667, "puppet")
ASKING = frozenset(GITHUB)


def a_fork(*labels: str) -> World:
    world = World()
    world.github.fork, world.github.labels, world.github.author = True, labels, MALLORY
    world.poke()
    return world


def asked(world: World) -> list[str]:
    """Return what the last pass asked of GitHub."""
    return [call for call in world.calls.made if call in ASKING]


async def after_pushes(world: World, number: int, every: float) -> int:
    """Push so often, each so many seconds after the other; return how many looks that cost."""
    looks = 0
    for push in range(number):
        world.push(f"{push:040x}")
        looks += await world.looks(every)
    return looks


async def test_an_hour_of_pushes_costs_ten_looks_and_not_a_request_beside_them() -> None:
    world = a_fork()
    await world.run()
    looks, requests = 0, 0
    for push in range(3_600 // 5):
        world.push(f"{push:040x}")
        await world.run()
        looks += "comments" in world.calls.made
        requests += 0 if "comments" in world.calls.made else len(asked(world))
        world.clock.forward(seconds=5)

    assert 5 <= looks <= 12
    assert requests == 0


async def test_what_was_pushed_meanwhile_is_looked_at_once_when_it_is_due() -> None:
    world = a_fork()
    await world.run()
    world.push(B)
    await world.run()
    assert asked(world) == []
    wait = world.outcome.requeue_after
    assert wait is not None and 0 < wait <= FIRST.total_seconds()
    assert world.outcome.error is None

    world.clock.forward(seconds=wait)
    await world.run()

    assert "comments" in asked(world)
    assert world.cluster.preview is None


async def test_another_pull_request_of_the_same_author_waits_too_after_one_request() -> None:
    world = a_fork()
    await world.run()
    world.turn_to(43)
    world.push(B)
    await world.run()

    assert asked(world) == ["pull request"]
    await world.run()
    assert asked(world) == []


async def test_a_labelled_fork_that_nobody_approved_waits_as_well() -> None:
    world = a_fork("preview")
    await world.settle(2)

    assert await after_pushes(world, 100, every=5) <= 8


@pytest.mark.parametrize("labels", [(), ("preview",)], ids=["nobody asked for it", "labelled"])
async def test_closing_and_reopening_without_end_waits_as_well(labels: tuple[str, ...]) -> None:
    world, looks = a_fork(*labels), 0
    for turn in range(200):
        world.github.state = "closed" if turn % 2 else "open"
        world.github.updated_at = world.clock.now
        # A closing makes no Preview where there is none.
        if world.cluster.preview is not None or world.github.state == "open":
            world.poke(closes=world.github.state == "closed")
        looks += await world.looks(3)

    assert looks <= 12


async def test_a_comment_that_is_deleted_at_once_is_not_looked_for_every_two_seconds() -> None:
    """The webhook told of it, and GitHub never shows it."""
    world, looks = a_fork("preview"), 0
    await world.settle(2)
    world.poke(comment_id=10_000)
    for _ in range(29):
        looks += await world.looks(2)

    assert looks <= 5


# What must not wait


async def test_a_writers_command_does_not_wait() -> None:
    world = a_fork("preview")
    await after_pushes(world, 50, every=1)
    head = world.github.head_sha
    world.say(f"/preview start {head}")
    await world.settle(3, seconds=1)

    assert world.serving == [head]


async def test_the_command_of_a_member_on_a_fork_of_their_own_does_not_wait() -> None:
    world = a_fork("preview")
    world.github.permissions[MALLORY.login] = "write"
    await after_pushes(world, 50, every=1)
    head = world.github.head_sha
    number = world.github.say(f"/preview start {head}", MALLORY)
    world.poke(comment_id=number, by_member=True)
    await world.settle(3, seconds=1)

    assert world.serving == [head]


async def test_a_writer_who_does_not_show_as_a_member_waits_for_no_look_that_came_to_nothing() -> None:
    world = a_fork("preview")
    await after_pushes(world, 50, every=1)
    for words in ("/preview help", "/preview status", "/preview strat", f"/preview start {'0' * 40}"):
        world.say(words, ANN)
        await world.run()
        assert "comments" in world.calls.made


async def test_a_writers_command_that_github_does_not_show_yet_waits_for_no_author() -> None:
    """The membership is private, so the webhook shows a stranger; the first look finds nothing of theirs."""
    world = a_fork("preview")
    await after_pushes(world, 500, every=5)
    head, shown = world.github.head_sha, list(world.github.comments_written)
    world.say(f"/preview start {head}", ANN)
    late, world.github.comments_written = world.github.comments_written, shown
    await world.run()
    world.github.comments_written = late
    waited = 0.0
    while not world.serving and waited < LONGEST.total_seconds():
        waited += world.outcome.requeue_after or 0
        world.clock.forward(seconds=world.outcome.requeue_after or 0)
        await world.run()

    assert waited <= FIRST.total_seconds()


@pytest.mark.parametrize("wanted", ["command", "label"])
async def test_a_strangers_comment_takes_away_no_call_that_github_does_not_show_yet(wanted: str) -> None:
    """A webhook stores the latest call only; this one's account waits already."""
    world = a_fork("preview" if wanted == "command" else "")
    for _ in range(200):
        world.say("/preview", PUPPET)
        await world.run()
        world.push(f"{world.clock.now.timestamp():040.0f}")
        await world.run()
        world.clock.forward(seconds=5)
    head, shown = world.github.head_sha, list(world.github.comments_written)
    if wanted == "command":
        world.say(f"/preview start {head}", ANN)
    else:
        soon = world.clock.now + timedelta(seconds=1)
        world.cluster.poke(Poke("late", world.clock.now, soon, label_id="late", event_id="late"))
    late, world.github.comments_written = world.github.comments_written, shown
    await world.run()
    world.github.comments_written, world.github.labels = late, ("preview",)
    world.github.updated_at, waited = world.clock.now + timedelta(seconds=1), 0
    while not (world.serving or (wanted == "label" and head in world.comment)):
        world.say("/preview", PUPPET)
        waited += 2
        assert waited <= FIRST.total_seconds()
        world.clock.forward(seconds=2)
        await world.run()


async def test_a_writer_whose_command_had_its_turn_after_hundreds_of_others_waits_for_no_look() -> None:
    world = a_fork("preview")
    await after_pushes(world, 500, every=5)
    for number in range(60):
        world.github.say("/preview", Account(1_000 + number, f"stranger-{number}"))
    world.say("/preview help", ANN)
    for _ in range(5):
        await world.run()
        world.clock.forward(seconds=world.outcome.requeue_after or 0)
    assert len(world.github.asked_about) == 61
    world.say(f"/preview start {world.github.head_sha}", ANN)
    await world.settle(3, seconds=1)

    assert world.serving == [world.github.head_sha]


async def test_a_label_does_not_wait() -> None:
    world = a_fork()
    await after_pushes(world, 50, every=1)
    world.github.labels = ("preview",)
    world.poke(urgent_by=0)
    await world.run()

    assert f"/preview start {world.github.head_sha}" in world.comment


async def test_a_label_that_github_does_not_show_yet_is_looked_for_until_it_does() -> None:
    world = a_fork()
    await after_pushes(world, 50, every=1)
    world.cluster.poke(
        Poke(
            "late", world.clock.now, world.clock.now + timedelta(seconds=1), label_id="late", event_id="late"
        )
    )
    await world.run()
    world.clock.forward(seconds=2)
    world.github.labels, world.github.updated_at = ("preview",), world.clock.now
    await world.run()

    assert f"/preview start {world.github.head_sha}" in world.comment


async def test_what_was_approved_is_replaced_and_removed_at_once() -> None:
    world = a_fork("preview")
    await after_pushes(world, 50, every=1)
    head = world.github.head_sha
    world.say(f"/preview start {head}")
    await world.settle(3, seconds=1)
    assert world.serving == [head]

    world.push(B)
    await world.run()
    assert "comments" in world.calls.made
    await world.settle(10)
    assert world.serving == []


async def test_an_approved_fork_that_waits_for_its_image_is_looked_at_as_any_other() -> None:
    world = a_fork("preview")
    world.registry.images.clear()
    world.say(f"/preview start {A}")
    await world.settle(2)
    for _ in range(20):
        world.poke()
        await world.run()
        assert "comments" in world.calls.made


async def test_closing_ends_what_serves_at_once() -> None:
    world = a_fork("preview")
    await after_pushes(world, 50, every=1)
    world.say(f"/preview start {world.github.head_sha}")
    await world.settle(3, seconds=1)
    world.close()
    await world.settle(6)

    assert world.cluster.sessions == {}
    assert world.cluster.preview is None


async def test_closing_what_was_only_told_of_is_the_last_that_is_told_and_does_not_wait() -> None:
    world = a_fork("preview")
    await after_pushes(world, 50, every=1)
    assert "/preview start" in world.comment
    world.close()
    await world.run()

    assert "no preview here now**: the pull request was closed" in world.comment
    assert world.cluster.preview is None


async def test_an_approval_makes_up_for_all_that_came_to_nothing_before() -> None:
    world = a_fork("preview")
    await after_pushes(world, 50, every=1)
    world.say(f"/preview start {world.github.head_sha}")
    await world.settle(3, seconds=1)
    world.turn_to(43)
    world.github.labels = ()
    world.poke()
    await world.run()

    assert "comments" in world.calls.made


async def test_branches_of_the_repository_itself_never_wait() -> None:
    world = a_fork()
    world.github.fork = False

    assert await after_pushes(world, 40, every=1) == 40


# Who else could break the pause


async def test_somebody_elses_comments_break_the_pause_no_oftener_than_pushes() -> None:
    world, looks = a_fork("preview"), 0
    await after_pushes(world, 50, every=1)
    for _ in range(100):
        world.say("/preview", PUPPET)
        looks += await world.looks(3)

    assert looks <= 8


async def test_a_workflow_that_labels_by_changed_paths_breaks_the_pause_no_oftener_than_pushes() -> None:
    world, looks = a_fork("preview"), 0
    labelled = {
        "action": "labeled",
        "pull_request": {"number": 42, "updated_at": NOW.isoformat()},
        "repository": {"id": 812, "full_name": "acme/shop"},
        "installation": {"id": 7},
        "sender": {"id": 41898282, "login": "github-actions[bot]", "type": "Bot"},
    }
    about = parse_event("pull_request", labelled, app_id=4242)
    assert isinstance(about, Trigger) and about.urgent
    await after_pushes(world, 50, every=1)
    for push in range(100):
        world.push(f"{push + 1:040x}")
        await world.run()
        looks += "comments" in world.calls.made
        world.poke(urgent_by=about.by)
        looks += await world.looks(3)

    assert looks <= 10


async def test_the_authors_own_comments_break_no_pause() -> None:
    world, looks = a_fork("preview"), 0
    await after_pushes(world, 50, every=1)
    for _ in range(50):
        world.say("/preview", MALLORY)
        looks += await world.looks(1)

    assert looks <= 3


# The listing


def listed(world: World) -> None:
    """Tell of the pull request as the listing does."""
    now = world.clock.now
    world.cluster.poke(Poke(f"listing-{now.isoformat()}", now, world.github.updated_at))


async def test_after_a_restart_every_pull_request_of_an_author_is_looked_at_once() -> None:
    world = a_fork("preview")
    world.restart()
    for number in range(42, 72):
        world.turn_to(number)
        listed(world)
        await world.run()
        assert f"/preview start {A}" in world.comment


async def test_the_listing_breaks_no_pause_of_a_pull_request_that_is_known() -> None:
    world = a_fork()
    await after_pushes(world, 50, every=1)
    listed(world)
    await world.run()

    assert asked(world) == []


async def test_a_stranger_who_opens_many_pull_requests_gains_nothing_by_the_listing() -> None:
    """Each is known by the one request that its webhook cost."""
    world, looks = a_fork(), 0
    for number in range(42, 142):
        world.turn_to(number)
        world.poke()
        await world.run()
        looks += "comments" in world.calls.made
        listed(world)
        looks += await world.looks(1)

    assert looks <= 6


# The memory of it


def test_the_wait_doubles_up_to_its_longest_and_is_forgotten_after_an_hour_of_quiet() -> None:
    pauses, now, waits = Pauses(), NOW, []
    for _ in range(9):
        wait = pauses.note_in_vain(MALLORY.id, now)
        waits.append(wait.total_seconds())
        now += wait

    assert waits == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert pauses.note_in_vain(MALLORY.id, now + timedelta(minutes=49)) == LONGEST
    assert pauses.note_in_vain(MALLORY.id, now + timedelta(hours=3)) == FIRST


@pytest.mark.parametrize(
    "note",
    [
        lambda pauses, number: pauses.note_in_vain(number, NOW),
        lambda pauses, number: pauses.note_fork(f"gh-812-{number}", number),
        lambda pauses, number: pauses.note_heard(
            replace(a_preview(name=f"gh-812-{number}"), poke=Poke("d", call_id="d"))
        ),
        lambda pauses, number: pauses.note_unanswered(
            replace(a_preview(name=f"gh-812-{number}"), poke=Poke("d", call_id="d", called_by=number))
        ),
    ],
    ids=["accounts", "pull requests", "calls", "calls without an answer"],
)
def test_what_is_remembered_is_bounded(note: Callable[[Pauses, int], None]) -> None:
    pauses = Pauses()
    for number in range(25_000):
        note(pauses, number)

    assert all(len(kept) <= 20_000 for kept in vars(pauses).values())


def test_a_thousand_looks_in_vain_overflow_nothing() -> None:
    pauses = Pauses()

    assert {pauses.note_in_vain(MALLORY.id, NOW) for _ in range(1_000)} <= {
        timedelta(seconds=s) for s in (10, 20, 40, 80, 160, 320, 600)
    }
