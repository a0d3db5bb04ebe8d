"""What the stand-in charges and whom it refuses, as GitHub documents it: a test for each rule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from previewbot_demo.github.charge_rules import RULES
from previewbot_demo.github.charges import Charged, Charges, Size
from previewbot_demo.github.points import cost_of
from tests.support.clock import RunningClock
from tests.support.github_town import REPO, Answered, Town, app_jwt, github_town

PULLS = f"{REPO}/pulls"
COMMENTS = f"{REPO}/issues/1/comments"
COST = "query { rateLimit { cost } }"
MUTATION = "mutation { addComment { id } }"
DEAR = """query {
  viewer { repositories(first: 100) { edges { node { id
    issues(first: 50) { edges { node { id labels(first: 60) { edges { node { id name } } } } } } } } } } }"""
LARGE = """query ($page: Int) {
  viewer { repositories(first: $page) { edges { repository: node { name
    pullRequests(first: 20) { edges { pullRequest: node { title ...Said } } }
    issues(first: 20) { edges { issue: node { title comments(first: 10) { edges { node { id } } } } } }
  } } } followers(first: 10) { edges { follower: node { login } } } } }
fragment Said on PullRequest { comments(first: 10) { edges { comment: node { bodyHTML } } } }"""

TESTED: dict[str, str] = {}
"""The name of the test of each rule."""


def of(*rules: str) -> Callable[[Any], Any]:
    """Say which rules a test is of."""

    def note(test: Any) -> Any:
        TESTED.update(dict.fromkeys(rules, test.__name__))
        return test

    return note


class Budget:
    """A town that charges, and what it charged."""

    def __init__(self, town: Town, clock: RunningClock, charged: list[Charged]) -> None:
        self.town, self.clock, self.charged = town, clock, charged
        assert town.github.charges is not None
        self.charges = town.github.charges

    @property
    def points(self) -> list[int]:
        return [charged.points for charged in self.charged]

    async def get(self, path: str, **more: Any) -> Answered:
        return await self.town.get(path, **more)

    async def ask(self, query: str, **variables: Any) -> Answered:
        url = f"{self.town.url}/api/graphql"
        return await self.town.call("POST", url, {"query": query, "variables": variables})


@pytest.fixture
async def budget() -> AsyncIterator[Budget]:
    clock, charged = RunningClock(), list[Charged]()
    async with github_town(clock=clock, charges=Charges(clock, heard=charged.append)) as town:
        town.pull_request()
        yield Budget(town, clock, charged)


def used(answer: Answered) -> int:
    return int(answer.headers["x-ratelimit-used"])


def left(answer: Answered) -> int:
    return int(answer.headers["x-ratelimit-remaining"])


def is_refused(answer: Answered) -> bool:
    return answer.status == 403 and "secondary" in answer.json["message"] and "retry-after" in answer.headers


def test_each_rule_has_a_page_of_githubs_and_a_test() -> None:
    assert all(rule.source.startswith("https://docs.github.com/en/") for rule in RULES.values())
    assert set(TESTED) == set(RULES)


@of("request", "headers")
async def test_a_request_counts_once_and_the_answer_says_so(budget: Budget) -> None:
    first, second = await budget.get(PULLS), await budget.get(PULLS)

    assert (used(first), used(second)) == (1, 2)
    assert (left(first), first.headers["x-ratelimit-limit"]) == (4_999, "5000")
    assert first.headers["x-ratelimit-resource"] == "core"
    begun = int(budget.clock().timestamp())
    assert begun + 3_590 < int(first.headers["x-ratelimit-reset"]) <= begun + 3_600
    budget.clock.ahead += timedelta(minutes=59)
    assert used(await budget.get(PULLS)) == 3


@of("unchanged")
async def test_what_did_not_change_is_free(budget: Budget) -> None:
    etag = (await budget.get(PULLS)).headers["ETag"]
    again = await budget.get(PULLS, If_None_Match=etag)

    assert (again.status, used(again)) == (304, 1)


@of("not found")
async def test_what_is_not_there_counts_each_time(budget: Budget) -> None:
    path = f"{REPO}/contents/.github/preview.yaml"
    answers = [await budget.get(path) for _ in range(2)]

    assert [(answer.status, used(answer)) for answer in answers] == [(404, 1), (404, 2)]


@of("nobody")
async def test_nobody_has_sixty_requests_an_hour(budget: Budget) -> None:
    async def ask() -> Answered:
        async with budget.town.http.get(f"{budget.town.url}/api/v3{PULLS}") as answer:
            return Answered(answer.status, answer.headers.copy(), await answer.read())

    assert [(await ask()).status for _ in range(60)] == [401] * 60
    assert (await ask()).status == 403
    assert used(await budget.get(PULLS)) == 1


@of("installation")
@pytest.mark.parametrize(
    ("size", "hourly"),
    [
        (Size(), 5_000),
        (Size(repositories=20, users=20), 5_000),
        (Size(repositories=21, users=20), 5_050),
        (Size(repositories=60, users=30), 7_500),
        (Size(repositories=2_000, users=40), 12_500),
        (Size(repositories=1, enterprise_cloud=True), 15_000),
    ],
)
async def test_an_installations_hour_grows_with_it(budget: Budget, size: Size, hourly: int) -> None:
    budget.charges.size = lambda installation: size

    assert left(await budget.get(PULLS)) == hourly - 1


@of("points an hour")
@pytest.mark.parametrize(
    ("size", "hourly"),
    [(Size(), 5_000), (Size(2_000, 40), 12_500), (Size(1, enterprise_cloud=True), 10_000)],
)
async def test_the_hour_of_graphql_grows_too(budget: Budget, size: Size, hourly: int) -> None:
    budget.charges.size = lambda installation: size

    assert left(await budget.ask(COST)) == hourly - 1


@of("app")
async def test_the_app_itself_has_an_hour_of_its_own(budget: Budget) -> None:
    path = f"/app/installations/{budget.town.installation.id}/access_tokens"
    made = await budget.town.call("POST", path, token=app_jwt())

    assert (made.status, used(made)) == (201, 1)
    assert used(await budget.get(PULLS)) == 1


@of("points")
async def test_a_question_costs_points_of_another_hour(budget: Budget) -> None:
    await budget.get(PULLS)
    first = await budget.ask(COST)
    dear = await budget.ask(DEAR)

    assert (used(first), first.headers["x-ratelimit-resource"]) == (1, "graphql")
    # GitHub's own example: 1 + 100 + 5,000 requests.
    assert used(dear) == 1 + 51
    assert used(await budget.get(PULLS)) == 2


def test_a_question_is_counted_as_github_counts_its_examples() -> None:
    assert (cost_of(DEAR, {}).points, cost_of(LARGE, {"page": 50}).nodes) == (51, 22_060)


@pytest.mark.parametrize(("ids", "points"), [(1, 1), (49, 1), (50, 1), (149, 1), (150, 2), (260, 3)])
def test_points_are_rounded_and_one_at_least(ids: int, points: int) -> None:
    query = "query { a: nodes(ids: $ids) { ... on Repository { pullRequests(first: 1) { totalCount } } } }"

    assert cost_of(query, {"ids": ["x"] * ids}).points == points


@of("nodes")
@pytest.mark.parametrize(
    "query",
    [
        "{ viewer { a(first: 100) { nodes { b(first: 100) { nodes { c(first: 100) { totalCount } } } } } } }",
        "{ viewer { a(first: 101) { totalCount } } }",
    ],
)
async def test_a_question_that_shows_too_much_is_refused(budget: Budget, query: str) -> None:
    answer = await budget.ask(query)

    assert (answer.status, used(answer)) == (200, 0)
    assert answer.json["errors"][0]["type"] == "MAX_NODE_LIMIT_EXCEEDED"


@of("used up")
async def test_an_hour_that_is_used_up_refuses_until_it_ends(budget: Budget) -> None:
    identity = f"installation {budget.town.installation.id}"
    assert budget.charges.spend(identity, "core", 5_000) == 5_000
    refused = await budget.get(PULLS)

    assert (refused.status, left(refused)) == (403, 0)
    assert "retry-after" not in refused.headers
    # GraphQL has an hour of its own, and tells its end with 200.
    assert "data" in (await budget.ask(COST)).json
    budget.charges.spend(identity, "graphql", 5_000)
    told = await budget.ask(COST)
    assert (told.status, told.json["errors"][0]["type"], left(told)) == (200, "RATE_LIMITED", 0)
    assert [charged.why for charged in budget.charged] == ["used up", "", "used up"]
    # A token lives as long as the hour does.
    budget.clock.ahead += timedelta(minutes=60, seconds=1)
    budget.town.token = budget.town.github.doorkeeper.new_token(budget.town.installation).value
    assert used(await budget.get(PULLS)) == 1


@of("at once")
async def test_more_than_a_hundred_at_once_are_refused(budget: Budget) -> None:
    all_are_there, under_way = asyncio.Event(), 0

    async def think() -> None:
        nonlocal under_way
        under_way += 1
        if under_way == 100:
            all_are_there.set()
        await answered.wait()

    answered = asyncio.Event()
    budget.charges.thinking = think
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as budget.town.http:
        # Of both kinds, since they are counted together.
        asked = [asyncio.create_task(budget.get(PULLS)) for _ in range(50)]
        asked += [asyncio.create_task(budget.ask(COST)) for _ in range(50)]
        async with asyncio.timeout(10):
            await all_are_there.wait()
        refused = await budget.get(PULLS)
        answered.set()

        assert is_refused(refused)
        assert {answer.status for answer in await asyncio.gather(*asked)} == {200}
        assert (await budget.get(PULLS)).status == 200


@of("a minute")
async def test_rest_has_900_points_a_minute_of_which_a_write_takes_five(budget: Budget) -> None:
    budget.charges.hurry(f"installation {budget.town.installation.id}", "core", 894)
    made = await budget.town.call("POST", COMMENTS, {"body": "one"})
    read, refused = await budget.get(PULLS), await budget.get(PULLS)

    assert (made.status, read.status) == (201, 200)
    assert is_refused(refused)
    assert left(refused) == left(read)
    budget.clock.ahead += timedelta(seconds=61)
    assert (await budget.get(PULLS)).status == 200


@of("a minute of GraphQL")
async def test_graphql_has_2000_points_a_minute_of_which_a_mutation_takes_five(budget: Budget) -> None:
    budget.charges.hurry(f"installation {budget.town.installation.id}", "graphql", 1_994)
    assert [(await budget.ask(query)).status for query in (MUTATION, COST)] == [200, 200]

    assert is_refused(await budget.ask(COST))
    assert (await budget.get(PULLS)).status == 200


@of("content")
async def test_eighty_comments_a_minute_are_taken(budget: Budget) -> None:
    made = [(await budget.town.call("POST", COMMENTS, {"body": "Hello"})).status for _ in range(80)]
    refused = await budget.town.call("POST", COMMENTS, {"body": "Hello"})

    assert made == [201] * 80
    assert is_refused(refused)
    # Who only reads is none of this.
    assert (await budget.get(PULLS)).status == 200
    budget.clock.ahead += timedelta(seconds=61)
    assert (await budget.town.call("POST", COMMENTS, {"body": "Hello"})).status == 201


@of("content an hour")
async def test_five_hundred_comments_an_hour_are_taken(budget: Budget) -> None:
    for _ in range(10):
        budget.charges.write(f"installation {budget.town.installation.id}", 50)
        budget.clock.ahead += timedelta(minutes=2)
    refused = await budget.town.call("POST", COMMENTS, {"body": "Hello"})

    assert is_refused(refused)
    # The first of them is an hour old in as many seconds.
    assert 2_300 < int(refused.headers["retry-after"]) <= 2_400
