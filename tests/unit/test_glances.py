"""A glance instead of a look: what it may save, and what it must never miss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from previewbot.api.github import Account, Branch, Comment, Glance, PullRequest, Word
from previewbot.clients.github.limits import Quota
from previewbot.clients.github.spending import Hours
from previewbot.errors import Conflict, QuotaKept, TryLater
from previewbot.rules.glances import (
    Heard,
    as_now,
    heard,
    is_explained,
    no_review_since,
    nothing_was_said,
)
from tests.support.passes import ANN, A, B, World, ready
from tests.support.previews import NOW

US, ANNA = 9, 2
LATER = NOW + timedelta(minutes=1)
OVERLAP = timedelta(minutes=1)

BEFORE = PullRequest(
    number=42,
    state="open",
    merged=False,
    title="Shout",
    body="",
    draft=False,
    author=Account(ANNA, "anna"),
    head=Branch("shout", A, 812, "acme/shop"),
    base=Branch("main", B, 812, "acme/shop"),
    default_branch="main",
    labels=("preview", "bug"),
    private=True,
    updated_at=NOW,
    closed_at=None,
    mergeable=True,
    merge_commit_sha=None,
    changed_files=1,
    html_url="https://github.com/acme/shop/pull/42",
)
SEEN = Glance(
    head_sha=A,
    head_repository_id=812,
    base_ref="main",
    open=True,
    merged=False,
    closed_at=None,
    draft=False,
    title="Shout",
    body="",
    labels=("preview", "bug"),
    private=True,
    archived=False,
    repository_id=812,
    full_name="acme/shop",
    mergeable=True,
    changed_files=1,
    updated_at=LATER,
    default_branch="main",
)


def test_a_pull_request_of_which_only_the_time_moved_is_as_it_was() -> None:
    assert as_now(SEEN, BEFORE) == replace(BEFORE, updated_at=LATER)


@pytest.mark.parametrize(
    ("seen", "now"),
    [
        ({"head_sha": B}, {"head": replace(BEFORE.head, sha=B)}),
        ({"draft": True}, {"draft": True}),
        ({"title": "Whisper"}, {"title": "Whisper"}),
        ({"body": "signed by an agent"}, {"body": "signed by an agent"}),
        ({"labels": ("bug",)}, {"labels": ("bug",)}),
        ({"private": False}, {"private": False}),
        ({"archived": True}, {"archived": True}),
        ({"mergeable": False}, {"mergeable": False}),
        ({"mergeable": None}, {"mergeable": None}),
        ({"changed_files": 7}, {"changed_files": 7}),
        ({"open": False, "closed_at": LATER}, {"state": "closed", "closed_at": LATER}),
        (
            {"open": False, "merged": True, "closed_at": LATER},
            {"state": "closed", "merged": True, "closed_at": LATER},
        ),
    ],
    ids=lambda each: " ".join(each),
)
def test_what_changed_of_it_is_taken_from_the_glance(seen: dict[str, Any], now: dict[str, Any]) -> None:
    assert as_now(replace(SEEN, **seen), BEFORE) == replace(BEFORE, updated_at=LATER, **now)


@pytest.mark.parametrize(
    "changed",
    [
        {"base_ref": "release"},
        {"repository_id": 813},
        {"full_name": "acme/store"},
        {"head_repository_id": None},
        {"default_branch": "trunk"},
        {"updated_at": NOW - timedelta(seconds=1)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_where_it_is_elsewhere_or_the_glance_is_an_old_one_it_is_read(changed: dict[str, Any]) -> None:
    assert as_now(replace(SEEN, **changed), BEFORE) is None


def test_no_test_merge_is_believed_of_a_glance() -> None:
    now = as_now(SEEN, replace(BEFORE, merge_commit_sha="d" * 40))

    assert now is not None and now.merge_commit_sha is None


@pytest.mark.parametrize(
    ("words", "known", "quiet"),
    [
        ((), Heard(), True),
        ((Word(1, LATER, US),), Heard(), True),
        ((Word(1, LATER, ANNA),), Heard(), False),
        ((Word(1, LATER, 0),), Heard(), False),
        ((Word(1, LATER, ANNA),), Heard(frozenset({(1, LATER)})), True),
        ((Word(1, LATER, ANNA),), Heard(frozenset({(1, NOW)})), False),
        ((Word(1, NOW, ANNA),), Heard(since=LATER), True),
        ((Word(1, LATER, ANNA),), Heard(since=LATER), False),
        ((Word(2, LATER, US), Word(1, LATER, ANNA)), Heard(), False),
    ],
    ids=[
        "no comment",
        "ours",
        "a new one",
        "of nobody that GitHub names",
        "one that was read",
        "one that was read and edited since",
        "one from before what is read at all",
        "one of that very second",
        "one beside ours",
    ],
)
def test_a_conversation_is_read_again_unless_every_comment_is_ours_or_was_read(
    words: tuple[Word, ...], known: Heard, quiet: bool
) -> None:
    assert nothing_was_said(replace(SEEN, words=words), known, US) is quiet


def test_of_a_long_conversation_what_is_not_remembered_counts_as_read_by_its_time() -> None:
    written = [
        Comment(number, Account(ANNA, "anna"), None, "", NOW, NOW + timedelta(seconds=number))
        for number in range(150)
    ]

    known = heard(written, None, NOW + timedelta(hours=1))

    assert all(known.knows(each.id, each.updated_at) for each in written)
    assert not known.knows(7, NOW + timedelta(hours=1))
    assert len(known.words) == 100


@pytest.mark.parametrize(
    ("updated_at", "words", "explained"),
    [
        (NOW, (), True),
        (LATER, (), False),
        (LATER, (Word(1, LATER, US),), True),
        (LATER, (Word(1, LATER - timedelta(seconds=1), US),), True),
        (LATER, (Word(1, NOW, US),), False),
    ],
)
def test_a_change_is_explained_by_a_comment_of_its_time(
    updated_at: datetime, words: tuple[Word, ...], explained: bool
) -> None:
    assert is_explained(replace(SEEN, updated_at=updated_at, words=words), BEFORE) is explained


@pytest.mark.parametrize(
    ("reviewed_at", "as_of", "none"),
    [
        (None, None, True),
        (NOW, None, False),
        (NOW, NOW, False),
        (NOW, LATER, False),
        (NOW, LATER + timedelta(seconds=1), True),
        (LATER, NOW, False),
    ],
)
def test_reviews_are_read_again_if_one_is_newer(
    reviewed_at: datetime | None, as_of: datetime | None, none: bool
) -> None:
    assert no_review_since(replace(SEEN, reviewed_at=reviewed_at), as_of, OVERLAP) is none
    assert not no_review_since(replace(SEEN, reviewed_at=reviewed_at, more_reviews=True), as_of, OVERLAP)


def test_a_comment_of_the_second_in_which_it_was_read_may_have_been_edited_since() -> None:
    written = Comment(1, Account(ANNA, "anna"), None, "", NOW, NOW)

    assert not heard([written], None, NOW + timedelta(seconds=1)).knows(1, NOW)
    assert heard([written], None, NOW + timedelta(seconds=2)).knows(1, NOW)


def test_where_ours_hide_the_others_the_conversation_is_read() -> None:
    ours, read = tuple(Word(number, LATER, US) for number in range(2, 22)), Word(1, NOW, ANNA)
    known = Heard(frozenset({(1, NOW)}))

    assert nothing_was_said(replace(SEEN, words=ours), known, US)
    assert not nothing_was_said(replace(SEEN, words=ours, more_words=True), known, US)
    assert nothing_was_said(replace(SEEN, words=(*ours, read), more_words=True), known, US)


def a_world() -> World:
    """A world in which GitHub answers glances."""
    world = World()
    world.github.glances, world.github.node_id = True, "PR_1"
    return world


async def glancing() -> World:
    """Such a world in which a preview serves."""
    return await ready(a_world())


READS = ("pull request", "comments", "reviews", "review comments")


def read(world: World) -> list[str]:
    return [call for call in world.calls.made if call in READS]


async def test_what_our_own_comment_changed_is_not_read() -> None:
    world = await glancing()

    world.list_it()
    await world.run()

    assert "glance" in world.calls.made
    assert read(world) == []
    assert not world.preview.unseen_poke


async def test_the_listing_takes_a_glance_for_a_look_at_the_reviews_too() -> None:
    world = await glancing()
    world.list_it()
    await world.run()

    shown = max(each.updated_at for each in world.github.comments_written)
    assert world.status.requests.reviews_as_of == world.status.observed.updated_at == shown


async def test_a_push_is_seen_at_a_glance_and_a_conversation_without_news_is_not_read() -> None:
    world = await glancing()

    world.push(B)
    await world.run()

    assert read(world) == []
    assert "files" in world.calls.made
    await world.settle()
    assert world.serving == [B]


def by_comment(world: World) -> None:
    world.github.say("/preview extend 2h", ANN)


def by_edit(world: World) -> None:
    number = next(each.id for each in world.github.comments_written if each.author == ANN)
    world.github.edit(number, "/preview extend 2h")


def by_review(world: World) -> None:
    world.github.review("/preview extend 2h", ANN, number=9_001)


@pytest.mark.parametrize("said", [by_comment, by_edit, by_review])
async def test_what_no_webhook_told_of_is_obeyed_although_our_own_comment_came_after_it(
    said: Callable[[World], None],
) -> None:
    world = await glancing()
    world.say("/preview extnd 2h")
    await world.settle(4)
    before = world.status.lifecycle.expires_at
    assert before is not None

    said(world)
    world.clock.forward(seconds=20)
    own = next(each for each in world.github.comments_written if each.author != ANN)
    await world.github.update_comment("acme/shop", own.id, own.body)
    world.list_it()
    await world.settle(3)

    assert world.status.lifecycle.expires_at == before + timedelta(hours=2)


async def test_a_comment_that_was_read_and_whose_effect_was_not_stored_is_read_again() -> None:
    world = await glancing()
    before = world.status.lifecycle.expires_at
    assert before is not None
    world.github.say("/preview extend 2h", ANN)
    world.list_it()

    # Somebody else writes at the same moment: this pass stores nothing.
    world.fail("put status", by=Conflict("status"))
    await world.run()
    world.mend()
    assert world.status.lifecycle.expires_at == before
    await world.settle(2)

    assert world.status.lifecycle.expires_at == before + timedelta(hours=2)


async def test_a_comment_that_a_webhook_tells_of_is_read() -> None:
    world = await glancing()

    world.say("/preview status")
    await world.run()

    assert "comments" in world.calls.made


async def test_where_github_answers_no_glance_everything_is_read() -> None:
    world = await glancing()
    world.fail("glance", by=TryLater("GraphQL", status=502, message="no answer"))

    world.poke()
    await world.run()

    assert read(world)[:2] == ["pull request", "comments"]
    assert not world.preview.unseen_poke


async def test_where_a_glance_failed_none_is_taken_for_ten_minutes() -> None:
    world = await glancing()
    world.fail("glance", by=TryLater("GraphQL", status=502, message="no answer"))
    world.poke()
    await world.run()
    world.mend()

    world.clock.forward(minutes=9)
    world.poke()
    await world.run()
    assert "glance" not in world.calls.made

    world.clock.forward(minutes=2)
    world.poke()
    await world.run()
    assert "glance" in world.calls.made


async def test_a_glance_that_is_kept_for_others_turns_none_of_theirs_off() -> None:
    world = await glancing()
    world.fail("glance", by=QuotaKept("GraphQL", status=429, after=600.0))
    world.poke()
    await world.run()
    assert read(world)[:2] == ["pull request", "comments"]
    world.mend()

    world.poke()
    await world.run()
    assert "glance" in world.calls.made


async def test_another_default_branch_is_seen_behind_a_glance() -> None:
    world = await glancing()
    world.github.default_branch = "trunk"
    world.poke()
    await world.run()

    assert "pull request" in world.calls.made


async def test_a_deployment_that_may_be_there_turns_no_glance_off() -> None:
    world = await glancing()
    assert world.cluster.preview is not None
    world.cluster.preview["status"]["reports"][f"deployments/{A}"] = {"intentAt": "2020-01-01T00:00:00Z"}
    world.poke()
    await world.run()

    assert "glance" in world.calls.made


async def test_while_an_image_is_waited_for_github_is_asked_once_a_minute() -> None:
    world = a_world()
    world.registry.images.clear()
    made = list[str]()
    world.poke()
    for _ in range(19):
        await world.run()
        made += world.calls.made
        world.clock.forward(seconds=10)

    assert made.count("registry") >= 19
    # The conversation once more, before our own comment was written.
    assert (made.count("pull request"), made.count("comments")) == (1, 2)
    assert made.count("glance") <= 4


async def test_while_points_are_scarce_one_that_waits_is_looked_at_more_seldom_and_its_image_as_often() -> (
    None
):
    world = a_world()
    world.registry.images.clear()
    # A few of an hour's points, so that even one preview has to go slowly.
    ends = (world.clock.now + timedelta(minutes=50)).timestamp()
    world.github.hours = Hours(points=Quota(100, 30, ends))
    made = list[str]()
    world.poke()
    for _ in range(19):
        await world.run()
        made += world.calls.made
        world.clock.forward(seconds=10)

    assert made.count("registry") >= 19
    assert made.count("glance") <= 1
    # Nor is everything read instead.
    assert made.count("pull request") == 1

    world.poke()
    await world.run()

    # What was told of is looked at, however little is left.
    assert "glance" in world.calls.made


async def test_a_merge_of_the_pull_request_is_told_although_nothing_else_was_read() -> None:
    world = await glancing()

    world.close()
    await world.settle(4)

    assert world.cluster.preview is None
    assert not world.serving
