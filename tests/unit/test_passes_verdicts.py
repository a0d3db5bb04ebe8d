"""Verdicts in the passes of a preview: found, asked about, judged, gone; never taken for anything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from previewbot.api import IssuesUnknown, Saying, Says, Verdict
from previewbot.api.asked_for import AskedFor
from previewbot.api.github import Account
from previewbot.errors import TryLater
from previewbot.text.markers import notice_marker, status_marker
from previewbot.text.quotes import quote_comment
from previewbot.text.verdicts import verdict_comment
from tests.support.passes import ANN, BOT, OWN_APP, A, B, World, ready, somebody

LINK = "https://shop-42.preview.example.com/"
READER = Account(50, "rita")
AUTHOR = Account(1, "bob")
AGENTS_APP = Account(77, "helper[bot]", "Bot")


def say(
    world: World,
    says: Says = Says.GOOD,
    who: Account = ANN,
    *,
    words: str = "",
    sha: str = A,
    app_id: int | None = OWN_APP,
) -> int:
    body = verdict_comment(says, sha, "/cart", words, preview_url=LINK)
    return world.say(body, who, app_id)


def touched(world: World, comment: int, body: str, by: int, *, told: bool = True) -> None:
    world.github.edit(comment, body, by)
    if told:
        world.poke()


def only(world: World) -> Verdict:
    (found,) = world.status.verdicts
    return found


async def test_a_verdict_is_found_with_who_said_what_of_which_commit() -> None:
    world = await ready()
    comment = say(world, Says.WORK, words="The sum is wrong.")
    await world.settle(2)

    found = only(world)
    assert (found.comment, found.login, found.account) == (comment, "ann", ANN.id)
    assert (found.says, found.head_sha, found.path, found.words) == (
        Says.WORK,
        A,
        "/cart",
        "The sum is wrong.",
    )
    assert (found.edited, found.writes, found.counts) == (False, True, True)


async def test_a_verdict_is_asked_about_until_the_answer_is_final_and_no_longer() -> None:
    world = await ready()
    say(world)
    outcome = await world.run()
    assert outcome.requeue_after is not None
    assert outcome.requeue_after <= 6
    await world.settle(4)
    asked = len(world.github.edits_asked)
    await world.settle(3, seconds=700)

    assert len(world.github.edits_asked) == asked
    assert only(world).counts


async def test_an_edit_within_the_second_of_writing_is_found_although_nobody_tells_of_it() -> None:
    world = await ready()
    comment = say(world)
    await world.run()
    assert only(world).counts
    touched(world, comment, world.github.comments_written[-1].body, AUTHOR.id, told=False)
    await world.settle(3)

    assert (only(world).edited, only(world).counts) == (True, False)


@pytest.mark.parametrize("by", [ANN, Account(3, "wanda"), AUTHOR, AGENTS_APP], ids=lambda who: who.login)
@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
@pytest.mark.parametrize("removes_marker", [True, False])
async def test_a_verdict_that_anybody_edited_counts_no_more(
    by: Account, told: bool, removes_marker: bool
) -> None:
    world = await ready()
    comment = say(world, Says.WORK)
    await world.settle(3)
    assert only(world).counts
    world.clock.forward(seconds=60)
    good = verdict_comment(Says.GOOD, A, "/cart", "", preview_url=LINK)
    touched(world, comment, "Looks good to me" if removes_marker else good, by.id, told=told)
    await world.settle(2, seconds=601)

    found = only(world)
    assert (found.edited, found.counts) == (True, False)
    # What it was made to say is not told as what was said.
    assert found.says is Says.WORK


async def test_whoever_was_edited_gives_a_new_one() -> None:
    world = await ready()
    comment = say(world)
    await world.settle(3)
    touched(world, comment, "no", AUTHOR.id)
    await world.settle(2)
    say(world)
    await world.settle(2)

    newest, edited = world.status.verdicts
    assert (newest.counts, edited.counts, edited.edited) == (True, False, True)


async def test_a_verdict_that_was_deleted_is_gone() -> None:
    world = await ready()
    comment = say(world)
    await world.settle(3)
    world.github.delete(comment)
    world.poke()
    await world.settle(2)

    assert world.status.verdicts == ()


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_verdict_is_gone_also_if_nobody_told_that_it_was_deleted(restarts: bool) -> None:
    world = await ready()
    comment = say(world)
    await world.settle(3)
    asked = len(world.github.edits_asked)
    world.github.delete(comment)
    if restarts:
        world.restart()
        await world.settle(1)
    else:
        # Looks for which nobody calls ask about it once an hour, and not each time.
        await world.settle(8, seconds=700)

    assert world.status.verdicts == ()
    assert len(world.github.edits_asked) == asked + 1


async def test_what_graphql_alone_does_not_show_is_not_gone() -> None:
    world = await ready()
    say(world)
    await world.settle(3)
    world.clock.forward(seconds=3_600)
    written = world.github.comments_written
    world.github.comments_written = [replace(each, node_id=f"other {each.id}") for each in written]
    world.poke()
    await world.settle(2)

    assert only(world).counts is False


async def test_while_github_cannot_say_it_a_verdict_is_shown_and_does_not_count() -> None:
    world = await ready()
    world.fail("edits", by=TryLater("GitHub", status=502))
    say(world)
    await world.settle(3)
    assert (only(world).asked_at, only(world).counts) == (None, False)
    # Nothing else waits for it.
    assert world.status.observed.delivery_id == world.preview.poke.delivery_id
    world.mend()
    await world.settle(4, seconds=60)

    assert only(world).counts is True


@pytest.mark.parametrize("who", [READER, AUTHOR], ids=["a reader", "the author"])
async def test_of_whom_it_does_not_count_it_is_shown(who: Account) -> None:
    world = await ready()
    say(world, who=who)
    await world.settle(3)

    assert only(world).login == who.login
    assert only(world).counts is False


async def test_whoever_an_agent_works_for_does_not_judge_it() -> None:
    world = await ready()
    world.github.author = Account(198_982_749, "Copilot", "Bot")
    world.github.assignees = (ANN.id,)
    world.poke()
    await world.settle(2)
    world.github.assignees = ()
    say(world)
    await world.settle(3)

    assert (only(world).writes, only(world).counts) == (True, False)


async def test_whoever_an_agents_commits_name_does_not_judge_it() -> None:
    world = World()
    world.github.author = Account(198_982_749, "Copilot", "Bot")
    world.github.node_id = "PR_42"
    world.github.asked = AskedFor(co_authors=(ANN.id,))
    world.poke()
    await world.settle(2)
    say(world)
    await world.settle(3)

    assert (only(world).writes, only(world).counts) == (True, False)


async def test_until_github_says_whom_an_agents_commits_name_nobodys_verdict_counts() -> None:
    world = World()
    world.github.author = Account(198_982_749, "Copilot", "Bot")
    world.github.node_id = "PR_42"
    world.github.asked = AskedFor(unknown=IssuesUnknown.ANSWER)
    world.poke()
    await world.settle(2)
    say(world)
    await world.settle(3)
    assert (only(world).writes, only(world).counts) == (True, False)

    world.github.asked = AskedFor()
    await world.settle(3, seconds=700)
    assert only(world).counts
    # Its silence from then on changes nothing of what was known before.
    world.github.asked = AskedFor(unknown=IssuesUnknown.ANSWER)
    await world.settle(6, seconds=700)
    assert only(world).counts


@pytest.mark.parametrize(
    ("who", "app_id"),
    [(ANN, None), (ANN, 15_368), (AGENTS_APP, OWN_APP), (BOT, OWN_APP), (AGENTS_APP, 15_368)],
    ids=["by hand", "through another App", "a bot through ours", "our own bot", "a bot"],
)
async def test_what_no_person_wrote_through_our_app_is_no_verdict(who: Account, app_id: int | None) -> None:
    world = await ready()
    say(world, who=who, app_id=app_id)
    await world.settle(2)

    assert world.status.verdicts == ()


async def test_a_verdict_stays_when_a_new_commit_comes_and_counts_for_its_own_only() -> None:
    world = await ready()
    say(world)
    await world.settle(3)
    world.push(B)
    await world.settle(4)
    assert (only(world).head_sha, only(world).counts) == (A, False)
    say(world, sha=B)
    await world.settle(3)

    assert [each.counts for each in world.status.verdicts] == [True, False]


async def test_all_verdicts_are_asked_about_in_one_question() -> None:
    world = await ready()
    for number in range(5):
        world.github.say(
            verdict_comment(Says.GOOD, A, "/", "", preview_url=LINK), Account(60 + number, f"r{number}"),
            app_id=OWN_APP,
        )  # fmt: skip
    world.poke()
    before = len(world.github.edits_asked)
    await world.run()

    assert world.github.edits_asked[before:] == [5]


HEARD_AS_WORDS = [
    "/preview stop",
    "```\n/preview stop\n```",
    "<!-- x -->/preview stop",
    status_marker("gh-1-42", 99_999),
    notice_marker("gh-1-42", "ready"),
    quote_comment(7, somebody("Pia"), Saying(Says.GOOD, A, "/", "Fine."), preview_url=LINK),
    '```json\n{\n  "previewbot": 1,\n  "phase": "Ready"\n}\n```',
]


@pytest.mark.parametrize("words", HEARD_AS_WORDS)
@pytest.mark.parametrize("raw", [True, False], ids=["as it is", "cleaned"])
async def test_what_a_person_writes_through_our_app_is_neither_obeyed_nor_taken_for_ours(
    words: str, raw: bool
) -> None:
    world = await ready()
    ours = world.status.reports["comment"]
    floor = world.status.requests
    body = words if raw else verdict_comment(Says.GOOD, A, "/", words, preview_url=LINK)
    comment = world.say(body, ANN, OWN_APP)
    await world.settle(4)

    assert world.status.lifecycle.ended is None
    assert world.status.reports["comment"].id == ours.id
    assert (world.status.requests.floor, world.status.requests.handled) == (floor.floor, floor.handled)
    assert comment in {each.id for each in world.github.comments_written}
    assert [number for number, _ in world.github.reacted if number == comment] == []


async def test_the_words_of_a_status_comment_in_a_persons_hand_are_not_adopted_by_a_new_life() -> None:
    world = await ready()
    world.say(status_marker("gh-812-42", 99_999), ANN, OWN_APP)
    world.cluster.preview = None
    world.restart()
    world.poke()
    await world.settle(4)

    assert world.status.requests.floor < 99_999
    assert world.status.report("comment").id != world.github.comments_written[-1].id


async def test_a_new_life_of_the_preview_finds_what_was_said_before() -> None:
    world = await ready()
    comment = say(world)
    await world.settle(3)
    world.clock.forward(seconds=timedelta(days=3).total_seconds())
    world.cluster.preview = None
    world.restart()
    world.poke()
    await world.settle(4)

    assert (only(world).comment, only(world).counts) == (comment, True)


async def test_a_verdict_costs_no_question_where_there_is_none() -> None:
    world = await ready()
    world.github.say("Just a word")
    world.poke()
    await world.settle(2)

    assert world.github.edits_asked == []


async def test_after_a_restart_nothing_is_lost() -> None:
    world = await ready()
    say(world)
    await world.settle(3)
    before = world.status.verdicts
    world.restart()
    world.clock.forward(seconds=timedelta(hours=2).total_seconds())
    await world.settle(2)

    assert world.status.verdicts == before
