"""With `where: issue` people are told in the issue that the pull request closes, where its author waits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from previewbot.api import IssuesUnknown
from previewbot.api.asked_for import AskedFor
from previewbot.api.github import Comment
from previewbot.errors import Forbidden, NotFound, RemoteError, TryLater
from tests.support.passes import (
    BOT,
    CONFIGURATION,
    OWN_APP,
    B,
    ready,
)
from tests.support.passes_in_issues import IN_THE_ISSUE, MINE, Issues

NOT_GRANTED = Forbidden("GitHub", status=403, message="Resource not accessible by integration")
LOCKED = Forbidden("GitHub", status=403, message="Unable to create comment because issue is locked.")
GONE = NotFound("GitHub", status=410, message="This issue was deleted")


async def test_it_is_told_in_the_issue_and_not_in_the_pull_request() -> None:
    world = Issues()
    await ready(world)

    [text] = world.said_in(12)
    assert "The preview of #42, which is to close this issue, is ready." in text
    assert world.said_here == []
    assert world.status.reports["told-ready"].place == 12


async def test_it_is_told_once_over_pushes_restarts_and_a_reopened_pull_request() -> None:
    world = Issues()
    await ready(world)
    world.push(B)
    await world.settle()
    world.restart()
    world.close()
    await world.settle()
    assert world.cluster.preview is None
    world.github.state = "open"
    world.poke()
    await world.settle()

    assert (len(world.said_in(12)), world.said_here) == (1, [])
    assert world.status.reports["told-ready"].told == "given"


async def test_a_process_that_dies_behind_the_comment_finds_it_in_the_issue() -> None:
    world = Issues()
    world.hub.loses_answers = True
    await world.settle(8)
    world.hub.loses_answers = False
    world.restart()
    await world.settle()

    assert (len(world.said_in(12)), world.said_here) == (1, [])
    assert world.status.reports["told-ready"].place == 12


async def test_it_is_found_where_it_was_announced_although_another_issue_is_closed_by_now() -> None:
    world = Issues()
    world.hub.loses_answers = True
    await world.settle(4)
    assert len(world.said_in(12)) == 1
    world.hub.loses_answers = False
    world.hub.asked = AskedFor((replace(MINE, number=13),), 1)
    world.restart()
    world.poke()
    await world.settle()

    assert (len(world.said_in(12)), len(world.said_in(13))) == (1, 0)


async def test_what_may_stand_there_is_told_nowhere_else_if_it_is_turned_off_and_on_again() -> None:
    world = Issues()
    world.hub.loses_answers = True
    await world.settle(4)
    assert len(world.said_in(12)) == 1
    world.configure(CONFIGURATION)
    world.poke()
    await world.settle(3)

    world.hub.loses_answers = False
    world.hub.asked = AskedFor((replace(MINE, number=13),), 1)
    world.configure(IN_THE_ISSUE)
    world.push(B)
    world.restart()
    await world.settle(8)

    assert (len(world.said_in(12)), len(world.said_in(13)), world.said_here) == (1, 0, [])


@pytest.mark.parametrize(
    ("closes", "words"),
    [
        (AskedFor(), "closes no issue of this repository"),
        (
            AskedFor((replace(MINE, repository_id=9, repository="acme/design"),), 1),
            "closes no issue of this repository",
        ),
        (AskedFor(unknown=IssuesUnknown.PERMISSION), "does not know which issue this pull request closes"),
    ],
    ids=["none", "of another repository", "not known"],
)
async def test_without_an_issue_of_its_own_repository_the_pull_request_is_told(
    closes: AskedFor, words: str
) -> None:
    world = Issues()
    world.hub.asked = closes
    await ready(world)

    [text] = world.said_here
    assert words in text
    assert world.said_in(12) == []


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (NOT_GRANTED, "to be told in #12, where the App may not write: whoever administers it can grant it "
                      "`issues: write`"),
        (LOCKED, "to be told in #12, where GitHub takes no comment (`Unable to create comment"),
        (GONE, "to be told in #12, where GitHub takes no comment (`This issue was deleted`)"),
    ],
    ids=["right missing", "locked", "deleted"],
)  # fmt: skip
async def test_what_the_issue_does_not_take_is_told_in_the_pull_request_with_the_reason(
    refusal: RemoteError, words: str
) -> None:
    world = Issues()
    world.hub.refuses = refusal
    await ready(world)
    world.hub.refuses = None
    world.push(B)
    await world.settle()

    [text] = world.said_here
    assert words in text
    assert world.said_in(12) == []
    assert world.status.last_error == ""


async def test_an_issue_that_cannot_be_read_now_is_not_written_in_either() -> None:
    world = Issues()
    world.hub.unreadable = TryLater("GitHub", status=502)
    await world.settle(4)
    assert (world.said_in(12), world.said_here) == ([], [])
    assert "Open the preview" in world.comment
    world.hub.unreadable = None
    world.clock.forward(seconds=60)
    await world.settle()

    assert len(world.said_in(12)) == 1


async def test_an_answer_that_is_late_is_waited_for() -> None:
    world = Issues()
    world.hub.asked = AskedFor(unknown=IssuesUnknown.ANSWER)
    await world.settle(4)
    assert "Open the preview" in world.comment
    assert (world.said_in(12), world.said_here) == ([], [])
    world.hub.asked = AskedFor((MINE,), 1)
    world.clock.forward(minutes=10)
    await world.settle(4)

    assert (len(world.said_in(12)), world.said_here) == (1, [])


async def test_an_answer_that_never_comes_keeps_nobody_waiting() -> None:
    world = Issues()
    world.hub.asked = AskedFor(unknown=IssuesUnknown.ANSWER)
    await world.settle(4)
    assert (await world.run()).requeue_after is not None
    world.clock.forward(minutes=10)
    await world.settle(4)

    assert "does not know which issue this pull request closes" in world.said_here[0]
    assert world.status.reports["told-ready"].held_until is None


async def test_an_issue_that_is_closed_already_is_told_only_if_there_is_no_other() -> None:
    world = Issues()
    world.hub.asked = AskedFor((replace(MINE, closed=True), replace(MINE, number=13)), 2)
    await ready(world)

    assert (len(world.said_in(12)), len(world.said_in(13))) == (0, 1)


async def test_a_notice_about_another_pull_request_in_the_same_issue_is_not_taken_for_ours() -> None:
    world = Issues()
    of_another = f"<!-- previewbot notice of={world.cluster.name}1 occasion=ready -->\nready"
    world.hub.issues[12].append(Comment(1, BOT, OWN_APP, of_another, world.clock.now, world.clock.now))
    await ready(world)

    assert len(world.said_in(12)) == 2


async def test_a_marker_that_a_person_copies_into_the_issue_silences_nobody() -> None:
    world = Issues()
    copied = f"<!-- previewbot notice of={world.cluster.name} occasion=ready -->\nready"
    person = replace(BOT, id=66, login="mallory", type="User")
    world.hub.issues[12].append(Comment(1, person, None, copied, world.clock.now, world.clock.now))
    await ready(world)

    assert len(world.said_in(12)) == 2
