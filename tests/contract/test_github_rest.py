"""What the fake GitHub does around every endpoint: pages, entity tags, limits, lag, redirects, refusals.

https://docs.github.com/en/rest/using-the-rest-api
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from githubkit_schemas.v2022_11_28 import models

from previewbot_demo.github import Account
from tests.support.github_town import (
    ALICE,
    APP,
    REPO,
    Town,
    described,
    github_town,
)

PULLS = f"{REPO}/pulls"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


async def test_a_listing_is_cut_into_pages_that_links_connect(town: Town) -> None:
    number = town.pull_request()
    ids = [town.github.comment(number, ALICE, f"comment {index}") for index in range(7)]
    path, pages, relations = f"{REPO}/issues/1/comments?per_page=3", [], []
    while path:
        answer = await town.get(path)
        links = answer.headers.get("Link", "")
        pages.append([comment["id"] for comment in answer.json])
        relations.append({part.split('rel="')[1].rstrip('"') for part in links.split(", ")})
        following = [part for part in links.split(", ") if 'rel="next"' in part]
        path = following[0].split(">")[0].lstrip("<") if following else ""

    assert pages == [ids[:3], ids[3:6], ids[6:]]
    assert relations == [{"next", "last"}, {"prev", "next", "last", "first"}, {"prev", "first"}]


async def test_a_page_has_30_items_and_at_most_100(town: Town) -> None:
    number = town.pull_request()
    for index in range(120):
        town.github.comment(number, ALICE, str(index))

    assert len((await town.get(f"{REPO}/issues/1/comments")).json) == 30
    assert len((await town.get(f"{REPO}/issues/1/comments?per_page=1000")).json) == 100


async def test_listings_inside_an_object_have_the_total_of_all_pages(town: Town) -> None:
    head = town.github.pull_request(town.pull_request()).head_sha
    for name in ("a", "b", "c"):
        town.github.set_check(head, name, "completed", "success")

    answer = await town.get(f"{REPO}/commits/{head}/check-runs?per_page=2")

    assert (answer.json["total_count"], len(answer.json["check_runs"])) == (3, 2)


async def test_an_unchanged_answer_is_304_and_costs_nothing(town: Town) -> None:
    town.pull_request()
    first = await town.get(f"{REPO}/pulls/1")
    tag = first.headers["ETag"]

    same = await town.get(f"{REPO}/pulls/1", If_None_Match=tag)
    town.clock.ahead = timedelta(seconds=5)
    town.github.push(1, {"x": b"y\n"}, "More")
    changed = await town.get(f"{REPO}/pulls/1", If_None_Match=tag)

    assert (same.status, same.data, same.headers["ETag"]) == (304, b"", tag)
    assert same.headers["X-RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"]
    assert (changed.status, changed.headers["ETag"] != tag) == (200, True)
    assert int(changed.headers["X-RateLimit-Used"]) == int(first.headers["X-RateLimit-Used"]) + 1


async def test_over_the_hourly_limit_everything_is_refused_until_the_reset(town: Town) -> None:
    town.github.rest.limits.hourly = 2
    statuses = [(await town.get(PULLS)).status for _ in range(2)]
    refused = await town.get(PULLS)

    assert statuses == [200, 200]
    assert (refused.status, refused.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert int(refused.headers["X-RateLimit-Reset"]) > time.time()
    town.clock.ahead = timedelta(minutes=59)
    assert (await town.get(PULLS)).status == 403
    town.clock.ahead = timedelta(minutes=61)
    town.token = town.github.doorkeeper.new_token(town.installation).value
    assert (await town.get(PULLS)).status == 200


async def test_the_secondary_limit_says_how_long_to_wait(town: Town) -> None:
    town.github.rest.limits.secondary = 7

    answer = await town.get(PULLS)

    assert (answer.status, answer.headers["Retry-After"]) == (403, "7")
    assert "secondary rate limit" in answer.json["message"]
    assert answer.headers["X-RateLimit-Remaining"] != "0"


async def test_a_request_without_a_user_agent_is_refused(town: Town) -> None:
    answer = await town.get(PULLS, User_Agent="")

    assert (answer.status, b"User-Agent" in answer.data) == (403, True)


async def test_every_answer_has_a_request_id_of_its_own(town: Town) -> None:
    one, other = await town.get(PULLS), await town.get("/none")

    assert one.headers["X-GitHub-Request-Id"] != other.headers["X-GitHub-Request-Id"]
    assert other.status == 404


async def test_an_unknown_api_version_is_refused(town: Town) -> None:
    assert (await town.get(PULLS, X_GitHub_Api_Version="2022-11-28")).status == 200
    assert (await town.get(PULLS, X_GitHub_Api_Version="1999-01-01")).status == 400


async def test_with_a_lag_reads_show_the_world_as_it_was(town: Town) -> None:
    number = town.pull_request()
    old = town.github.pull_request(number).head_sha
    town.clock.ahead = timedelta(seconds=30)
    town.github.store.lag = 10
    new = town.github.push(number, {"x": b"y\n"}, "More")
    made = await town.call("POST", f"{REPO}/issues/1/comments", {"body": "hello"})

    heads, comments = [], []
    for seconds in (31, 45):
        town.clock.ahead = timedelta(seconds=seconds)
        heads.append((await town.get(f"{REPO}/pulls/1")).json["head"]["sha"])
        comments.append([c["id"] for c in (await town.get(f"{REPO}/issues/1/comments")).json])

    assert heads == [old, new]
    assert comments == [[], [made.json["id"]]]
    assert (await town.events())[1][1]["after"] == new


async def test_a_renamed_repository_answers_at_its_old_address_by_a_redirect(town: Town) -> None:
    town.pull_request()
    town.github.rename_repository("acme/shop", "store")

    moved = await town.get(f"{REPO}/pulls/1?a=b")
    posted = await town.call("POST", f"{REPO}/issues/1/comments", {"body": "x"})

    assert (moved.status, posted.status) == (301, 307)
    assert moved.headers["Location"] == f"{town.url}/api/v3/repositories/812/pulls/1?a=b"
    answer = await town.get(moved.headers["Location"])
    assert (answer.status, answer.json["base"]["repo"]["full_name"]) == (200, "acme/store")


async def test_comments_of_the_app_say_so_and_those_of_people_do_not(town: Town) -> None:
    town.pull_request()
    made = (await town.call("POST", f"{REPO}/issues/1/comments", {"body": "ours"})).json
    town.github.comment(1, ALICE, "theirs")

    ours, theirs = (await town.get(f"{REPO}/issues/1/comments")).json

    assert made["id"] == ours["id"] < theirs["id"]
    assert ours["performed_via_github_app"]["id"] == APP
    assert (ours["user"]["login"], ours["user"]["type"]) == ("previewbot[bot]", "Bot")
    assert theirs["performed_via_github_app"] is None
    assert (theirs["user"]["login"], theirs["user"]["type"]) == ("alice", "User")


async def test_comments_since_a_moment_are_those_updated_since(town: Town) -> None:
    number = town.pull_request()
    first, second = (town.github.comment(number, ALICE, text) for text in ("one", "two"))
    town.clock.ahead = timedelta(minutes=10)
    third = town.github.comment(number, ALICE, "three")
    town.github.edit_comment(first, "one, edited")
    since = (datetime.now(UTC) + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")

    found = (await town.get(f"{REPO}/issues/1/comments?since={since}")).json

    assert [comment["id"] for comment in found] == [first, third]
    assert second not in [comment["id"] for comment in found]


BODIES: tuple[Any, ...] = ({}, {"body": ""}, {"body": 7}, {"body": "x" * 65_537})


@pytest.mark.parametrize("body", BODIES, ids=["none", "empty", "a number", "too long"])
async def test_a_comment_without_a_usable_text_is_unprocessable(town: Town, body: Any) -> None:
    town.pull_request()

    answer = await town.call("POST", f"{REPO}/issues/1/comments", body)

    assert answer.status == 422
    described(models.ValidationError, answer)


async def test_an_unknown_reaction_is_unprocessable(town: Town) -> None:
    comment = town.github.comment(town.pull_request(), ALICE, "x")

    answer = await town.call("POST", f"{REPO}/issues/comments/{comment}/reactions", {"content": "shrug"})

    assert answer.status == 422


PERMISSIONS = (("alice", "write", "maintain"), ("bob", "read", "triage"), ("carol", "none", "none"))


@pytest.mark.parametrize(("login", "permission", "role"), PERMISSIONS)
async def test_a_permission_sums_up_the_role(town: Town, login: str, permission: str, role: str) -> None:
    town.github.know(Account(503, "carol"))

    answer = (await town.get(f"{REPO}/collaborators/{login}/permission")).json

    assert (answer["permission"], answer["role_name"]) == (permission, role)


@pytest.mark.parametrize("login", ["Copilot", "nobody"])
async def test_the_permission_endpoint_does_not_answer_for_bots_and_strangers(town: Town, login: str) -> None:
    assert (await town.get(f"{REPO}/collaborators/{login}/permission")).status == 404
