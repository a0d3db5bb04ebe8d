"""GitHub's GraphQL: what the stand-in answers, and what our client makes of it and of GitHub's refusals.

https://docs.github.com/en/graphql
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from graphql import parse as parse_query
from graphql import validate

from previewbot import errors
from previewbot.api.github import Edits
from previewbot.clients.github import kept, queries
from previewbot.clients.github.graphql_answers import address_of
from previewbot.rules.glances import as_now
from previewbot_demo.github import graphql
from previewbot_demo.github.model import Edit, put
from previewbot_demo.github.shapes import node_id
from tests.support.github_script import GRAPHQL, sends
from tests.support.github_town import ALICE, APP, BOB, COPILOT, REPO, Town, github_town

COST = "query { rateLimit { cost remaining } }"
KEPT: Any = {"rateLimit": {"cost": None, "remaining": None}}
BUDGET = {"x_ratelimit_limit": "5000", "x_ratelimit_resource": "graphql"}
SPENT = {**BUDGET, "x_ratelimit_remaining": "0"}
LEFT = {**BUDGET, "x_ratelimit_remaining": "4000"}
ALL_QUERIES = {
    name: query
    for name, query in vars(queries).items()
    if isinstance(query, str) and name.isupper() and name[0] != "_"
}


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


@pytest.mark.parametrize("name", sorted(ALL_QUERIES))
def test_every_question_is_of_the_schema(name: str) -> None:
    assert validate(graphql.schema(), parse_query(ALL_QUERIES[name])) == []


@pytest.mark.parametrize(
    ("api", "asked"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://api.github.com/", "https://api.github.com/graphql"),
        ("https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql"),
        ("https://git.example.com/api/v3", "https://git.example.com/api/graphql"),
        ("https://git.example.com:8443/api/v3/", "https://git.example.com:8443/api/graphql"),
    ],
)
def test_graphql_is_where_github_and_its_enterprise_server_have_it(api: str, asked: str) -> None:
    assert address_of(api) == asked


async def edits(town: Town, *comments: int) -> list[Edits | None]:
    names = [node_id("IssueComment", number) for number in comments]
    found = await town.client.edits(names)
    return [found.get(name) for name in names]


async def test_a_comment_has_the_node_id_by_which_graphql_finds_it(town: Town) -> None:
    number = town.pull_request()
    written = town.github.comment(number, ALICE, "/preview start")

    [comment] = await town.client.comments("acme/shop", number, None)

    assert comment.node_id == node_id("IssueComment", written)
    found = (await town.client.edits([comment.node_id]))[comment.node_id]
    assert (found.created_at, found.last_edited_at, found.editors) == (comment.created_at, None, frozenset())


async def test_who_edited_a_text_is_told_of_all_who_ever_did(town: Town) -> None:
    number = town.pull_request()
    untouched, own, others, both = (town.github.comment(number, ALICE, "/preview") for _ in range(4))
    town.clock.ahead = timedelta(seconds=30)
    town.github.edit_comment(own, "/preview stop")
    town.github.edit_comment(others, "/preview stop", by=BOB)
    town.github.edit_comment(both, "/preview stop", by=BOB)
    town.github.edit_comment(both, "/preview start", by=ALICE)

    told = await edits(town, untouched, own, others, both)

    assert [each.are_only_by(ALICE.id) for each in told if each] == [True, True, False, False]
    assert told[3] is not None and told[3].editors == {ALICE.id, BOB.id}
    assert told[1] is not None and told[1].last_edited_at is not None
    assert told[1].last_edited_at - told[1].created_at >= timedelta(seconds=30)
    assert [each.body for each in told if each] == [
        "/preview",
        "/preview stop",
        "/preview stop",
        "/preview start",
    ]


async def test_an_app_that_edited_is_told_by_the_number_of_its_account(town: Town) -> None:
    written = town.github.comment(town.pull_request(), ALICE, "/preview")
    await town.client.update_comment("acme/shop", written, "/preview stop")

    [told] = await edits(town, written)

    assert told is not None and told.editors == {ALICE.id, APP + 900_000}


async def test_an_editor_whose_account_is_deleted_is_nobody_we_know(town: Town) -> None:
    written = town.github.comment(town.pull_request(), ALICE, "/preview")
    state = town.github.store.state
    comment = state.comments[written]
    edited = replace(comment, edits=(Edit(None, comment.created_at),))
    town.github.store.change(replace(state, comments=put(state.comments, written, edited)))

    [told] = await edits(town, written)

    assert told is not None and told.editors == {0, ALICE.id}
    assert not told.are_only_by(ALICE.id)


async def test_whoever_edits_their_own_text_ninety_times_stays_its_only_editor(town: Town) -> None:
    written = town.github.comment(town.pull_request(), ALICE, "/preview")
    for _ in range(90):
        town.github.edit_comment(written, "/preview stop")

    [told] = await edits(town, written)

    assert told is not None and told.are_only_by(ALICE.id)


async def test_of_more_edits_than_are_shown_not_all_editors_are_known(town: Town) -> None:
    written = town.github.comment(town.pull_request(), ALICE, "/preview")
    town.github.edit_comment(written, "/preview stop", by=BOB)
    for _ in range(100):
        town.github.edit_comment(written, "/preview stop")

    [told] = await edits(town, written)

    assert told is not None and 0 in told.editors


async def test_what_is_gone_and_what_another_installation_has_is_left_out(town: Town) -> None:
    number = town.pull_request()
    gone, left = (town.github.comment(number, ALICE, "/preview") for _ in range(2))
    town.github.delete_comment(gone)
    elsewhere = town.github.create_repository("other/one", {"a": b""}, repository_id=900)
    theirs = town.github.open_pull_request("other/one", COPILOT, "copilot/x", {"a": b"1"}, title="x")
    foreign = town.github.comment(theirs, ALICE, "/preview", repository=elsewhere.full_name)

    told = await edits(town, gone, left, foreign)

    assert [each is not None for each in told] == [False, True, False]


async def test_more_nodes_than_github_takes_are_refused(town: Town) -> None:
    with pytest.raises(errors.RemoteError):
        await town.client.edits([node_id("IssueComment", number) for number in range(101)])


async def test_a_question_that_the_schema_does_not_have_is_refused(town: Town) -> None:
    with pytest.raises(errors.Invalid, match="noSuchField"):
        await town.client.graphql("query { noSuchField }", {}, {})


async def test_a_question_is_a_read_that_no_fence_stops(town: Town) -> None:
    def fence() -> None:
        raise errors.LeaseLost("held by somebody else")

    town.app._fence = fence
    town.app._installations.clear()

    # The token itself is made by a write of the App's own transport, which was made before.
    assert (await town.client.graphql(COST, {}, KEPT)).data["rateLimit"]["cost"] == 1


async def test_the_hour_of_graphql_is_another_than_that_of_rest(town: Town) -> None:
    town.github.graphql.limits.hourly = 1
    assert (await town.client.graphql(COST, {}, KEPT)).data["rateLimit"]["remaining"] == 0

    with pytest.raises(errors.TryLater) as refused:
        await town.client.graphql(COST, {}, KEPT)
    assert refused.value.after is not None and refused.value.after > 60

    # GraphQL is not asked again until then; REST goes on, and its own hour is what its headers say.
    asked = len(town.script.asked)
    with pytest.raises(errors.TryLater):
        await town.client.graphql(COST, {}, KEPT)
    assert len(town.script.asked) == asked
    await town.client.repositories()


async def test_rest_that_is_used_up_does_not_stop_graphql(town: Town) -> None:
    await town.client.repositories()
    town.github.rest.limits.hourly = 1
    with pytest.raises(errors.TryLater):
        await town.client.pull_request("acme/shop", 1)

    assert await town.client.graphql(COST, {}, KEPT)


async def test_the_last_fifth_of_its_hour_is_kept_as_that_of_rest(town: Town) -> None:
    town.github.graphql.limits.hourly = 10
    for _ in range(9):
        await town.client.graphql(COST, {}, KEPT)

    with pytest.raises(errors.QuotaKept):
        await town.client.sparing().graphql(COST, {}, KEPT)
    assert await town.client.graphql(COST, {}, KEPT)
    await town.client.sparing().repositories()


async def test_who_goes_too_fast_is_stopped_in_both(town: Town) -> None:
    town.github.graphql.limits.secondary = 7

    with pytest.raises(errors.TryLater) as refused:
        await town.client.graphql(COST, {}, KEPT)

    assert refused.value.after == 7
    with pytest.raises(errors.TryLater):
        await town.client.repositories()


async def test_a_token_that_was_revoked_is_renewed_once(town: Town) -> None:
    await town.client.graphql(COST, {}, KEPT)
    town.github.doorkeeper.revoke_all()

    assert await town.client.graphql(COST, {}, KEPT)


WENT_WRONG = "Something went wrong while executing your query. This may be the result of a timeout."


@pytest.mark.parametrize(
    ("answer", "error", "after"),
    [
        (sends({"message": "Bad gateway"}, 502), errors.TryLater, None),
        (sends({"data": None, "errors": [{"message": WENT_WRONG}]}, 504), errors.TryLater, None),
        (sends({"data": None, "errors": [{"message": WENT_WRONG}]}), errors.TryLater, None),
        # A part that was not finished: half a look is no look.
        (
            sends({"data": {"rateLimit": None}, "errors": [{"message": WENT_WRONG, "path": ["rateLimit"]}]}),
            errors.TryLater,
            None,
        ),
        (sends({"errors": [{"type": "RATE_LIMITED", "message": "x"}]}, 200, **SPENT), errors.TryLater, 60),
        (sends({"errors": [{"message": "You have exceeded a secondary rate limit"}]}), errors.TryLater, 60),
        (sends({"message": "secondary rate limit"}, 403, **LEFT, Retry_After="9"), errors.TryLater, 9),
        (sends({"message": "Resource not accessible by integration"}, 403, **LEFT), errors.Forbidden, None),
        (
            sends({"data": None, "errors": [{"type": "FORBIDDEN", "message": "x"}]}, 200, **LEFT),
            errors.Forbidden,
            None,
        ),
        (sends({"errors": [{"type": "INSUFFICIENT_SCOPES", "message": "x"}]}), errors.Forbidden, None),
        (sends({"data": None, "errors": [{"type": "NOT_FOUND", "message": "x"}]}), errors.NotFound, None),
        (
            sends({"errors": [{"message": "x", "extensions": {"code": "undefinedField"}}]}),
            errors.Invalid,
            None,
        ),
        (sends({"errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": "x"}]}), errors.Invalid, None),
        (sends({"message": "Not Found"}, 404), errors.NotFound, None),
        (sends([]), errors.TryLater, None),
        (sends({}), errors.TryLater, None),
        (sends({"data": []}), errors.TryLater, None),
        (sends({"data": {}, "errors": [{"type": [], "message": 7, "path": {}}]}), errors.TryLater, None),
    ],
)
async def test_what_is_no_answer_is_an_error_of_its_kind(
    town: Town, answer: Any, error: type[errors.RemoteError], after: float | None
) -> None:
    town.script.on("POST", "/graphql", answer)

    with pytest.raises(error) as refused:
        await town.client.graphql(COST, {}, KEPT)

    assert refused.value.after == after


async def test_of_a_part_that_is_not_there_the_rest_is_answered(town: Town) -> None:
    missing = {"type": "NOT_FOUND", "path": ["nodes", 0], "message": "Could not resolve to a node"}
    town.script.on("POST", "/graphql", sends({"data": {"nodes": [None]}, "errors": [missing]}))

    answer = await town.client.graphql(queries.EDITS, {"ids": ["x"]}, kept.EDITS)

    assert answer.data == {"nodes": [None]}
    assert answer.is_missing("nodes", 0)
    assert not answer.is_missing("nodes", 1)


async def test_what_is_not_asked_for_is_not_kept_and_too_much_is_refused(town: Town) -> None:
    town.script.on("POST", "/graphql", sends({"data": {"rateLimit": {"cost": 1, "more": "x" * 100}}}))
    assert (await town.client.graphql(COST, {}, KEPT)).data == {"rateLimit": {"cost": 1}}

    town.script.on("POST", "/graphql", sends({"data": {"rateLimit": {"cost": "x" * 3_000_000}}}))
    with pytest.raises(errors.TooLarge):
        await town.client.graphql(COST, {}, KEPT)


async def test_the_credentials_are_those_of_rest_and_the_request_says_who_asks(town: Town) -> None:
    await town.client.graphql(COST, {"a": 1}, KEPT)

    asked = town.script.asked[-1]
    assert (asked.method, asked.path) == ("POST", GRAPHQL)
    assert asked.data == {"query": COST, "variables": {"a": 1}}
    assert asked.headers["authorization"].endswith(town.script.tokens[-1])
    assert asked.headers["user-agent"] == "previewbot/test"


@pytest.mark.parametrize(("token", "status"), [("", 401), ("nobody's", 401)])
async def test_the_stand_in_takes_only_an_installations_token(town: Town, token: str, status: int) -> None:
    answer = await town.call("POST", f"{town.url}{GRAPHQL}", {"query": COST}, token=token)

    assert answer.status == status
    assert (await town.call("GET", REPO + "/pulls")).status == 200


@pytest.mark.parametrize("nodes", [[], [None, None]])
async def test_an_answer_about_another_number_of_texts_is_no_answer(town: Town, nodes: list[None]) -> None:
    """An error of ours would end the pass, and not be asked about again soon."""
    town.script.on("POST", "/graphql", {"data": {"nodes": nodes}})

    with pytest.raises(errors.RemoteError, match="nodes for 1 ids"):
        await town.client.edits([node_id("IssueComment", 1)])


async def test_a_glance_shows_what_changed_and_the_newest_words_first(town: Town) -> None:
    number = town.pull_request()
    [row] = await town.client.open_pull_requests("acme/shop")
    before = await town.client.pull_request("acme/shop", number)
    old, edited = (town.github.comment(number, ALICE, words) for words in ("One", "Two"))
    town.clock.ahead = timedelta(seconds=30)
    town.github.label(number, "preview")
    town.github.edit_comment(old, "One, again")
    ours = await town.client.create_comment("acme/shop", number, "Hello")

    seen = await town.client.glance(row.node_id)

    assert (seen.head_sha, seen.base_ref) == (before.head.sha, before.base.ref)
    assert (seen.open, seen.draft, seen.title, seen.body) == (True, False, before.title, before.body)
    assert (seen.repository_id, seen.full_name) == (before.base.repository_id, "acme/shop")
    assert (seen.private, seen.archived, seen.labels) == (before.private, False, ("preview",))
    assert {each.id for each in seen.words[:2]} == {old, ours.id}
    assert seen.words[-1].id == edited
    us = await town.app.identity(town.installation.id)
    assert {each.id: each.author for each in seen.words} == {
        old: ALICE.id,
        edited: ALICE.id,
        ours.id: us.bot_id,
    }
    assert seen.updated_at >= max(each.updated_at for each in seen.words)
    assert seen.reviewed_at is None


@pytest.mark.parametrize("change", ["nothing", "a push", "a label", "closed"])
async def test_by_a_glance_a_pull_request_is_what_rest_shows(town: Town, change: str) -> None:
    number = town.pull_request()
    town.clock.ahead = timedelta(seconds=30)
    before = await town.client.pull_request("acme/shop", number)
    town.clock.ahead = timedelta(seconds=60)
    if change == "a push":
        town.github.push(number, {"src/new.py": b"five\n"}, "Go on")
    elif change == "a label":
        town.github.label(number, "preview")
    elif change == "closed":
        town.github.close(number)
    town.clock.ahead = timedelta(seconds=90)

    seen = as_now(await town.client.glance(before.node_id), before)

    shown = await town.client.pull_request("acme/shop", number)
    assert seen == replace(shown, merge_commit_sha=None)


async def test_a_glance_of_which_github_refuses_a_part_is_none(town: Town) -> None:
    town.pull_request()
    [row] = await town.client.open_pull_requests("acme/shop")
    whole = {"nodes": [None]}
    refused = {"data": whole, "errors": [{"message": "no", "path": ["nodes", 0]}]}
    town.script.on("POST", "/graphql", sends(refused))

    with pytest.raises(errors.RemoteError):
        await town.client.glance(row.node_id)


async def test_a_glance_shows_when_a_comment_on_a_line_was_edited(town: Town) -> None:
    number = town.pull_request()
    [row] = await town.client.open_pull_requests("acme/shop")
    line = town.github.comment_on_line(number, ALICE, "README.md", "/preview stauts")
    written = await town.client.glance(row.node_id)
    town.clock.ahead = timedelta(seconds=30)
    town.github.edit_line_comment(line, "/preview status")

    edited = await town.client.glance(row.node_id)

    assert written.reviewed_at is not None and edited.reviewed_at is not None
    assert edited.reviewed_at >= written.reviewed_at + timedelta(seconds=29)
    assert not edited.more_reviews


async def test_a_glance_says_that_there_is_more_than_it_shows(town: Town) -> None:
    number = town.pull_request()
    [row] = await town.client.open_pull_requests("acme/shop")
    for _ in range(21):
        town.github.comment(number, ALICE, "Again")
        town.github.review(number, ALICE, "Again")

    seen = await town.client.glance(row.node_id)

    assert (len(seen.words), seen.more_words, seen.more_reviews) == (20, True, True)
