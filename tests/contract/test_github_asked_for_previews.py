"""Whoever waits for a preview, at the stand-in for GitHub: what is asked, what counts, what it costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from githubkit_schemas.v2022_11_28 import models as published

from previewbot.api.reference import Reference
from previewbot.asking.github import WrongCommit
from previewbot.asking.source import NoRepository
from previewbot.asking.standing import State
from previewbot.errors import Forbidden, Invalid, NotFound, TryLater, Unauthorized
from previewbot_demo.github.server import PERMISSIONS
from tests.support.asking import HEADER, LINK, MARKER, SHOP, Says, asking, block, reference
from tests.support.github_script import in_turn, sends
from tests.support.github_town import ALICE, REPO, Town, described, github_town


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        built.pull_request()
        yield built


@pytest.fixture
def says(town: Town) -> Says:
    return Says(town, 1)


async def state_of(town: Town, sha: str) -> State:
    return (await asking(town).look(reference(), sha)).standing.state


async def test_what_is_answered_is_of_the_published_shape(town: Town, says: Says) -> None:
    says.comment(block(says.head))
    listed = await town.get(f"{REPO}/issues/comments?sort=updated&direction=desc")
    described(list[published.IssueComment], listed)


async def test_a_life_is_followed_by_its_deployment(town: Town, says: Says) -> None:
    source, sha = asking(town), says.head
    seen = [(await source.look(reference(), sha)).standing.state]
    deployment = await says.deployment()
    for state in ("", "in_progress", "success", "in_progress", "success", "inactive"):
        if state:
            await says.deployment_status(deployment, state)
        seen.append((await source.look(reference(), sha)).standing.state)
    wait = State.WAITING
    assert seen == [State.NOTHING, wait, wait, State.READY, wait, State.READY, State.ENDED]


async def test_what_is_ready_has_link_and_header(town: Town, says: Says) -> None:
    says.comment(block(says.head))
    await says.deployment("success")
    found = (await asking(town).look(reference(), says.head)).standing
    assert (found.url, found.header, found.sha) == (LINK, HEADER, says.head)


async def test_the_newest_deployment_of_the_commit_counts(town: Town, says: Says) -> None:
    await says.deployment("inactive")
    await says.deployment("in_progress")
    assert await state_of(town, says.head) is State.WAITING


async def test_without_deployments_it_is_followed_by_its_check_and_without_that_by_the_comment(
    town: Town, says: Says
) -> None:
    comment = says.comment(block(says.head, "Deploying"))
    by_comment = (await asking(town).look(reference(), says.head)).standing
    town.github.edit_comment(comment, block(says.head), by=town.github.app.bot)
    ready = (await asking(town).look(reference(), says.head)).standing
    await says.check("failure")
    by_check = (await asking(town).look(reference(), says.head)).standing

    assert (by_comment.state, by_comment.told_by) == (State.WAITING, "comment")
    assert (ready.state, ready.url) == (State.READY, LINK)
    assert (by_check.state, by_check.told_by) == (State.FAILED, "check")


async def test_a_push_ends_the_wait_also_while_the_older_commit_still_serves(town: Town, says: Says) -> None:
    source, older = asking(town), says.head
    await says.deployment("success")
    assert (await source.look(reference(), older)).standing.state is State.READY
    newer = town.github.push(1, {"x": b"y\n"}, "More")
    found = (await source.look(reference(), older)).standing
    assert (found.state, found.words) == (State.ENDED, f"{newer[:7]} has taken the place of {older[:7]}")
    assert (await source.look(reference(), newer)).standing.state is State.NOTHING
    # Whoever begins only now knows it from the commits of the pull request.
    assert await state_of(town, older) is State.ENDED


async def test_a_commit_that_never_was_the_pull_requests_is_named(town: Town) -> None:
    found = (await asking(town).look(reference(), "c" * 40)).standing
    assert found.state is State.NOTHING
    assert found.words.startswith("ccccccc is not the newest commit of the pull request")


async def test_a_workflows_own_sha_is_told_from_the_commit(town: Town) -> None:
    merge = (await town.get(f"{REPO}/pulls/1")).json["merge_commit_sha"]
    with pytest.raises(WrongCommit, match=r"github\.event\.pull_request\.head\.sha"):
        await asking(town).look(reference(), merge)


@pytest.mark.parametrize(("merge", "words"), [(True, "merged"), (False, "closed")])
async def test_a_pull_request_that_is_closed_has_ended_its_preview(
    town: Town, says: Says, merge: bool, words: str
) -> None:
    sha = says.head
    await says.deployment("success")
    (town.github.merge if merge else town.github.close)(1)
    found = (await asking(town).look(reference(), sha)).standing
    assert (found.state, found.words) == (State.ENDED, f"the pull request was {words}")


async def test_two_pull_requests_with_one_head_are_told_apart(town: Town, says: Says) -> None:
    neighbour = Says(town, 1)
    neighbour.preview = "gh-812-2"
    await neighbour.deployment("success")
    await neighbour.check("success")
    assert await state_of(town, says.head) is State.NOTHING
    await says.check("")
    assert await state_of(town, says.head) is State.WAITING


async def test_another_environment_is_asked_where_the_settings_name_one(town: Town, says: Says) -> None:
    await says.deployment("success", environment="previews of acme")
    assert await state_of(town, says.head) is State.NOTHING
    found = await asking(town, environment="previews of acme").look(reference(), says.head)
    assert found.standing.state is State.READY


async def test_a_comment_that_was_deleted_is_looked_for_again(town: Town, says: Says) -> None:
    source = asking(town)
    first = says.comment(block(says.head, "Deploying"))
    assert (await source.look(reference(), says.head)).standing.state is State.WAITING
    town.github.delete_comment(first)
    assert (await source.look(reference(), says.head)).standing.state is State.NOTHING
    says.comment(block(says.head))
    assert (await source.look(reference(), says.head)).standing.state is State.READY


async def test_an_app_of_another_name_is_suggested_and_not_believed(town: Town, says: Says) -> None:
    says.comment(block(says.head))
    look = await asking(town, app="previews").look(reference(), says.head)
    assert look.standing.state is State.NOTHING
    assert any("say --app previewbot" in note for note in look.notes)


async def test_that_there_is_no_preview_is_not_told_where_only_another_app_has_written_of_one(
    town: Town, says: Says
) -> None:
    source = asking(town, app="previews")
    assert await source.told(reference()) is None
    assert (await source.listing(SHOP)).previews == ()

    says.comment(block(says.head))
    for asked in (source.told(reference()), source.listing(SHOP)):
        with pytest.raises(Invalid, match="say --app previewbot, or PREVIEWBOT_APP=previewbot"):
            await asked


async def test_what_did_not_change_costs_nothing_of_the_hour(town: Town, says: Says) -> None:
    says.comment(block(says.head, "Deploying"))
    await says.deployment("in_progress")
    source = asking(town)
    for _ in range(2):
        await source.look(reference(), says.head)
    quota = town.github.rest.limits.quotas[f"installation {town.installation.id}"]
    used, asked = quota.used, len(town.script.asked)
    for _ in range(5):
        await source.look(reference(), says.head)
    assert quota.used == used
    assert len(town.script.asked) - asked == 5 * 4


async def test_a_long_conversation_is_read_once(town: Town, says: Says) -> None:
    for number in range(230):
        town.github.comment(1, ALICE, f"word {number}")
    source = asking(town)
    await source.look(reference(), says.head)
    before = len(town.script.asked)
    await source.look(reference(), says.head)
    listed = [path for path in town.script.paths()[before:] if "/issues/1/comments" in path]
    assert len(listed) < 4
    says.comment(block(says.head))
    assert (await source.look(reference(), says.head)).standing.state is State.READY


async def test_a_repository_that_was_renamed_is_found_by_its_older_name(town: Town, says: Says) -> None:
    await says.deployment("success")
    says.comment(block(says.head))
    town.github.rename_repository("acme/shop", "store")
    found = (await asking(town).look(reference(), says.head)).standing
    assert (found.state, found.url) == (State.READY, LINK)


async def test_a_token_that_may_not_read_deployments_is_told_so_once_and_the_rest_has_to_do() -> None:
    without = {name: level for name, level in PERMISSIONS.items() if name != "deployments"}
    async with github_town(permissions=without) as town:
        town.pull_request()
        says, source = Says(town, 1), asking(town)
        says.comment(block(says.head))
        first = await source.look(reference(), says.head)
        second = await source.look(reference(), says.head)
    assert first.standing.state is State.READY
    assert [note for note in first.notes if "deployments: read" in note]
    assert second.notes == ()


async def test_a_token_that_may_read_nothing_of_it_is_refused() -> None:
    async with github_town(permissions={"pull_requests": "none", "metadata": "read"}) as town:
        town.pull_request()
        with pytest.raises(Forbidden, match="pull-requests: read"):
            await asking(town).look(reference(), "a" * 40)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (in_turn(401)[0], Unauthorized, "status 401"),
        (in_turn(404)[0], NotFound, "acme/shop#1 is not there, or this token may not see it"),
        (in_turn(502)[0], TryLater, "status 502"),
        (sends({}, 429, retry_after="90"), TryLater, "its rate limit is reached"),
        (sends([1, 2]), TryLater, "its answer cannot be read"),
        (
            sends({"message": "Moved"}, 301, location="https://evil.example.com/x"),
            Exception,
            "another server",
        ),
    ],
)
async def test_what_github_refuses_with_is_told_in_words(
    town: Town, answer: Any, error: type[Exception], words: str
) -> None:
    town.script.on("GET", f"{REPO}/pulls/1", answer)
    with pytest.raises(error, match=words) as raised:
        await asking(town).look(reference(), "a" * 40)
    assert getattr(raised.value, "after", None) == (90 if "limit" in words else None)


async def test_a_list_that_ends_before_the_comments_do_says_so(town: Town, says: Says) -> None:
    says.comment(block(says.head))
    for _ in range(150):
        town.github.comment(1, ALICE, "I like it.")
    behind_others = await asking(town).listing(SHOP)
    assert (len(behind_others.previews), behind_others.complete) == (1, True)

    for _ in range(850):
        town.github.comment(1, ALICE, "I like it.")
    too_far = await asking(town).listing(SHOP)
    assert (len(too_far.previews), too_far.complete) == (0, False)
    with pytest.raises(NoRepository, match="name a repository, OWNER/NAME"):
        await asking(town).listing("")


async def test_the_previews_of_a_repository_are_those_its_newest_comments_tell_of(
    town: Town, says: Says
) -> None:
    town.github.comment(1, ALICE, block(says.head))
    oldest = says.comment(f"{MARKER}\nwithout a block")
    says.comment(block(says.head, "Queued"))
    listing = await asking(town).listing(SHOP)
    [found] = listing.previews
    assert (found.number, found.phase, listing.complete) == (1, "Queued", True)
    # The oldest comment of a pull request is the one.
    assert await asking(town).told(Reference(SHOP, 1)) is None
    town.github.edit_comment(oldest, block(says.head, "Deploying"), by=town.github.app.bot)
    told = await asking(town).told(reference())
    assert told is not None and told.phase == "Deploying"


async def test_what_the_app_may_not_write_any_more_gives_way_to_its_comment(town: Town, says: Says) -> None:
    number = await says.deployment("in_progress")
    says.comment(block(says.head))
    statuses = f"{REPO}/deployments/{number}/statuses"
    [status] = (await town.get(statuses)).json
    pull = (await town.get(f"{REPO}/pulls/1")).json
    comment_at = datetime.now(UTC)
    town.script.on("GET", statuses, sends([status | {"created_at": "2026-01-01T00:00:00Z"}]))

    async def looked(after: timedelta) -> State:
        at = format_datetime(comment_at + after, usegmt=True)
        town.script.on("GET", f"{REPO}/pulls/1", sends(pull, date=at))
        return (await asking(town).look(reference(), says.head)).standing.state

    assert await looked(timedelta(minutes=1)) is State.WAITING
    assert await looked(timedelta(minutes=4)) is State.READY
