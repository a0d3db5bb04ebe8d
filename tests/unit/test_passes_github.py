"""A GitHub that answers in part, refuses, or is away, and what a pass makes of it."""

from __future__ import annotations

import pytest

from previewbot.api import Phase, Poke, Slot
from previewbot.errors import Forbidden, Invalid, RemoteError, TryLater
from tests.support.github_ci_samples import runs_of, workflow_run
from tests.support.passes import BOTH, BROKEN, A, B, C, World, ready
from tests.support.previews import NOW, a_preview

AWAY = TryLater("GitHub", status=502)


# Half a look


async def test_half_a_look_changes_nothing_that_is_told() -> None:
    world = await ready()
    before, end = world.comment, world.status.lifecycle.expires_at
    world.clock.forward(hours=1)
    world.push(B, built=False)
    world.fail("comments", by=AWAY)
    await world.settle(3)

    assert world.comment == before
    assert (world.status.observed.head_sha, world.status.lifecycle.ready_sha) == (A, A)
    world.mend()
    await world.settle(3)
    assert world.status.observed.head_sha == B
    assert f"`{B[:7]}`" in world.comment
    assert world.status.lifecycle.expires_at == end


async def test_the_clock_of_a_commit_starts_when_it_is_ready_although_a_look_failed_before() -> None:
    world = await ready()
    world.clock.forward(hours=1)
    world.push(B, built=False)
    world.fail("comments", by=AWAY)
    await world.settle(2)
    world.mend()
    world.clock.forward(hours=2)
    world.push(B)
    await world.settle()

    assert world.serving == [B]
    assert (world.status.lifecycle.ready_sha, world.status.lifecycle.ready_at) == (
        B,
        world.service.serving_since,
    )


async def test_a_command_in_a_look_that_fails_is_obeyed_once_by_the_next() -> None:
    world = await ready()
    world.say("/preview extend 2h")
    world.fail("permission", by=AWAY)
    end = world.status.lifecycle.expires_at
    await world.settle(2)
    assert world.status.lifecycle.expires_at == end
    world.mend()
    await world.settle(5)

    assert end is not None and world.status.lifecycle.expires_at is not None
    assert (world.status.lifecycle.expires_at - end).total_seconds() == 2 * 3600
    assert sum("now stays open" in body for body in world.github.own_comments()) == 1


# Checks


@pytest.mark.parametrize("error", [Forbidden("checks", status=403), AWAY, TryLater("checks", after=3600)])
async def test_checks_that_cannot_be_read_keep_nobody_waiting_for_a_word(error: RemoteError) -> None:
    world = World()
    world.registry.images.clear()
    world.fail("runs", by=error)
    await world.settle(3)
    assert world.status.phase is Phase.AWAITING_IMAGE
    assert "waiting for its image" in world.comment
    assert ("can grant it to read *Checks*" in world.comment) == isinstance(error, Forbidden)

    world.push(A)
    await world.settle()
    assert world.serving == [A]


async def test_checks_that_cannot_be_read_do_not_hold_up_another_service() -> None:
    world = World()
    world.github.paths = BOTH
    world.registry.images = {"checkout:" + A}
    world.fail("runs", by=Forbidden("checks", status=403))
    await world.settle()

    assert world.serving == [A]
    assert world.status.reason == "Partial"


async def test_what_was_known_of_a_build_is_told_while_it_cannot_be_asked_again() -> None:
    world = World()
    world.registry.images.clear()
    world.github.ci = runs_of(workflow_run(conclusion="failure"))
    await world.settle(2)
    assert "its build failed" in world.comment
    world.fail("runs", by=AWAY)
    world.clock.forward(seconds=20)
    await world.settle(2)

    assert "its build failed" in world.comment


async def test_an_image_is_given_up_in_time_although_checks_cannot_be_read() -> None:
    world = World()
    world.registry.images.clear()
    world.fail("runs", by=Forbidden("checks", status=403))
    await world.settle(2)
    world.clock.forward(hours=3)
    await world.settle(2)

    assert world.status.reason == "ImageMissing"


# A session that vanishes meanwhile


async def test_a_session_that_vanishes_while_github_is_away_leaves_the_page_behind_the_link() -> None:
    world = await ready()
    world.cluster.sessions.clear()
    world.fail_github(AWAY)
    await world.run()
    assert world.cluster.leads_to() == "page"
    assert world.serving == []
    world.mend()
    await world.settle()

    assert world.serving == [A]
    assert world.cluster.leads_to() == "staging"


# A pull request that takes no comments


LOCKED = Forbidden("comment", status=403, message="the conversation is locked")


async def test_a_refused_comment_does_not_slow_down_the_looks_for_an_image() -> None:
    world = World()
    world.registry.images.clear()
    world.fail("create comment", by=LOCKED)
    for _ in range(5):
        outcome = await world.run()
        world.clock.forward(seconds=11)
        assert outcome.requeue_after is not None and outcome.requeue_after <= 30


async def test_a_refused_comment_is_tried_again_after_minutes_or_with_another_text() -> None:
    world = World()
    world.registry.images.clear()
    world.fail("create comment", by=LOCKED)
    tries = 0
    for _ in range(12):
        await world.run()
        tries += world.calls.made.count("create comment")
        world.clock.forward(seconds=11)
    assert tries == 1
    assert "locked" in world.status.last_error

    world.clock.forward(minutes=5)
    await world.run()
    assert "create comment" in world.calls.made
    world.mend()
    world.push(A)
    await world.settle()
    assert "Open the preview" in world.comment


async def test_a_closed_pull_request_is_done_although_its_last_edit_is_refused() -> None:
    world = await ready()
    world.fail("update comment", by=LOCKED)
    world.close()
    await world.settle(20)

    assert world.cluster.preview is None
    assert world.serving == []


async def test_a_closed_pull_request_waits_for_its_last_edit_while_github_is_away() -> None:
    world = await ready()
    world.close()
    world.fail("update comment", by=AWAY)
    await world.settle(20)
    assert world.cluster.preview is not None
    assert world.serving == []
    world.mend()
    await world.settle()

    assert world.cluster.preview is None
    assert "closed" in world.comment


async def test_a_closed_pull_request_is_done_although_an_answer_is_refused() -> None:
    world = await ready()
    world.say("/preview help")
    world.fail("create comment", "react", "update comment", by=LOCKED)
    world.close()
    await world.settle(20)

    assert world.cluster.preview is None


async def test_an_answer_that_github_refuses_does_not_block_the_others() -> None:
    world = await ready()
    first = world.say("/preview help")
    world.say("/preview status")
    world.github.refused_words = f"reply reply-to={first} "
    world.calls.failures["such words"] = Invalid("comment", status=422)
    await world.settle(5)

    replies = [body for body in world.github.own_comments() if "reply-to=" in body]
    assert len(replies) == 1
    assert world.status.replies == ()


async def test_a_refused_status_comment_does_not_block_the_answers() -> None:
    world = World()
    world.github.refused_words = "previewbot status"
    world.calls.failures["such words"] = Invalid("comment", status=422)
    world.say("/preview help")
    await world.settle(5)

    assert len(world.github.own_comments()) == 1


# Forks


async def approved_fork() -> World:
    world = World()
    world.github.fork = True
    await world.settle(2)
    world.say(f"/preview start {A}")
    await world.settle(4)
    assert world.serving == [A]
    return world


async def test_a_push_to_a_fork_ends_what_was_approved_although_the_configuration_is_broken() -> None:
    world = await approved_fork()
    world.github.configuration = BROKEN
    world.push(B)
    await world.settle(10)

    assert world.serving == []
    assert world.status.reason == "ConfigurationInvalid"
    assert "mistake" in world.comment


async def test_a_broken_configuration_alone_ends_nothing_of_an_approved_fork() -> None:
    world = await approved_fork()
    world.configure(BROKEN)
    await world.settle(10)

    assert world.serving == [A]


async def test_a_start_that_a_push_to_the_fork_overtook_is_answered() -> None:
    world = World()
    world.github.fork = True
    world.cluster.session_status = {"phase": "Waiting"}
    await world.settle(2)
    world.say(f"/preview start {A}")
    await world.settle(3)
    world.push(B)
    world.clock.forward(minutes=5)
    await world.settle(4)

    assert world.status.replies == ()
    assert f"/preview start {B}" in world.github.own_comments()[-1]


# Repositories that move


async def test_a_repository_that_was_deleted_and_whose_name_was_reused_is_torn_down() -> None:
    world = await ready()
    world.github.covering["acme/shop"] = 4711
    world.poke()
    await world.settle()

    assert world.cluster.preview is None
    assert world.cluster.sessions == {}


async def test_a_repository_that_was_renamed_and_whose_old_name_was_reused_is_followed() -> None:
    world = await ready()
    world.github.covering = {"acme/shop": 4711, "acme/store": 812}
    world.github.installations["acme/store"] = 7
    world.push(B)
    await world.settle()

    assert world.serving == [B]
    assert world.cluster.preview is not None
    assert world.cluster.preview["spec"]["repository"] == "acme/store"


async def test_a_repository_that_cannot_be_asked_for_now_is_not_torn_down() -> None:
    world = await ready()
    world.github.covering["acme/shop"] = 4711
    world.fail("repositories", by=AWAY)
    world.poke()
    await world.settle()

    assert world.serving == [A]


# The place in line


async def test_a_place_in_line_outlasts_a_restart_while_github_is_away() -> None:
    world = World(limits={"previews": 1})
    world.others = [a_preview(name="gh-812-7", slot=Slot(held=True))]
    await world.settle(3)
    since = world.status.slot.waiting_since
    assert since is not None
    world.restart()
    world.fail_github(AWAY)
    await world.settle(2)

    assert (world.status.slot.waiting_since, world.status.phase) == (since, Phase.QUEUED)


# Images named by test merges


async def test_a_pinned_image_stays_however_often_the_base_moves() -> None:
    world = World()
    template = "ghcr.io/acme/checkout:{merge_sha}"
    world.github.configuration = world.github.configuration.replace(
        "ghcr.io/acme/checkout:{head_sha}", template
    )
    world.github.merge_commit_sha = "m0"
    world.registry.images = {"checkout:m0"}
    await world.settle(3)
    assert world.serving == [A]
    pinned = world.service.image
    for number in range(1, 26):
        world.github.merge_commit_sha = f"m{number}"
        world.registry.images.add(f"checkout:m{number}")
        world.poke()
        await world.settle(1)

    assert world.service.image == pinned
    assert len(world.status.observed.merge_shas) <= 22
    world.push(C)
    await world.settle(1)
    assert "m0" not in world.status.observed.merge_shas


async def test_a_status_of_another_layout_ends_nothing_while_github_is_away() -> None:
    world = await ready()
    assert world.cluster.preview is not None
    del world.cluster.preview["status"]["children"]
    world.restart()
    world.fail_github(by=TryLater("GitHub", status=502))
    await world.settle()

    assert world.serving == [A]
    world.mend()
    await world.settle()
    assert (world.serving, world.status.phase) == ([A], Phase.READY)


async def test_a_members_command_is_told_apart_until_a_look_has_taken_it_into_account() -> None:
    world = await ready()
    world.cluster.poke(Poke(delivery_id="1", poked_at=NOW, comment_id=700, member_comment_id=700))
    world.cluster.poke(Poke(delivery_id="2", poked_at=NOW, comment_id=701))
    assert world.preview.asked_by_member

    world.fail("comments", by=TryLater("GitHub", status=502))
    await world.run()
    assert world.preview.asked_by_member

    world.mend()
    await world.run()
    assert not world.preview.asked_by_member


async def test_a_members_command_that_github_never_shows_counts_for_a_minute() -> None:
    world = await ready()
    now = world.clock.now
    world.cluster.poke(Poke(delivery_id="1", poked_at=now, comment_id=700, member_comment_id=700))
    await world.run()
    assert world.preview.asked_by_member

    world.clock.forward(seconds=61)
    await world.run()
    assert not world.preview.asked_by_member
