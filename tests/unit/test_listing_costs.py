"""What a listing asks of GitHub, counted at the stand-in: of many repositories, after a restart, without
GraphQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from aiohttp import web

from previewbot.api import Poke, Preview, Spec
from previewbot.config.repository import parse_asking
from previewbot.config.server import parse
from previewbot.reconciler import OfAgents, Untriggered
from previewbot.runtime.resync import Resync
from previewbot_demo.github.points import cost_of
from previewbot_demo.github.shapes import node_id
from tests.support.github_script import pages, sends
from tests.support.github_town import ALICE, COPILOT, Town, github_town
from tests.support.passes import CONFIGURATION, SETTINGS
from tests.support.previews import a_preview

SHOP = "acme/shop"
FILES = {"src/app.py": b"one\ntwo\n", ".github/preview.yaml": CONFIGURATION.encode()}
BARE = {"README.md": b"# Tools\n"}


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town(FILES) as built:
        built.our_clock.now = built.clock() + timedelta(hours=1)
        yield built


class Pokes:
    """Takes pokes; each is a write to the API server, and a look."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int]] = []

    async def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        self.made.append((spec.repository, spec.number))
        return True

    async def patch_preview_spec(self, name: str, patch: Mapping[str, Any]) -> None:
        """Nothing here goes by what a spec says."""


class Listing:
    """Listings of one process; `restart` begins another one, which knows nothing."""

    def __init__(self, town: Town, **settings: Any) -> None:
        self._town, self._settings = town, {**SETTINGS, **settings}
        self.previews: list[Preview] = []
        self.restart()

    def restart(self) -> None:
        self.pokes, self.of_agents, self.untriggered = Pokes(), OfAgents(), Untriggered()
        self._resync = Resync(
            github=self._town.app,
            kube=cast(Any, self.pokes),
            previews=lambda: self.previews,
            untriggered=self.untriggered,
            of_agents=self.of_agents,
            now=self._town.our_clock,
            settings=parse(self._settings, {}),
        )

    async def run(self) -> Counter[str]:
        """List once; return what was asked of GitHub, by kind."""
        asked, pokes = len(self._town.script.asked), len(self.pokes.made)
        await self._resync.list_once()
        found: Counter[str] = Counter()
        for each in self._town.script.asked[asked:]:
            if each.path.endswith("/access_tokens"):
                continue
            if each.path.endswith("/graphql"):
                found["questions"] += 1
                found["points"] += cost_of(each.data["query"], each.data["variables"]).points
            else:
                found["requests"] += 1
        found["pokes"] = len(self.pokes.made) - pokes
        return +found


def people_open(town: Town, number: int, repository: str = SHOP) -> list[int]:
    """Let a person open so many pull requests that nothing asks for; an hour ago, so that all is seen."""
    town.clock.ahead -= timedelta(hours=1)
    opened = [
        town.github.open_pull_request(
            repository, ALICE, f"fix/{each}", {"src/app.py": f"{each}\n".encode()}, title=f"Fix {each}"
        )
        for each in range(number)
    ]
    town.clock.ahead += timedelta(hours=1)
    return opened


def many_repositories(town: Town, number: int) -> None:
    """Make so many repositories without a configuration at once, each like the first of them."""
    one = town.github.create_repository("acme/tools", BARE, repository_id=10_000)
    more = {10_000 + each: replace(one, id=10_000 + each, name=f"r{each}") for each in range(number)}
    state = town.github.store.state
    town.github.store.change(replace(state, repositories={**state.repositories, **more}))


async def test_a_restart_with_sixty_pull_requests_of_people_costs_seven_calls_and_no_write(
    town: Town,
) -> None:
    """Before: 315 requests and 240 writes to the API server, at each restart."""
    people_open(town, 60)
    listing = Listing(town)
    for _ in range(2):
        assert await listing.run() == {"requests": 2, "questions": 5, "points": 5}
        assert await listing.run() == {"requests": 2, "questions": 2, "points": 2}
        listing.restart()


@pytest.mark.parametrize("number", [700, 900, 2_000])
async def test_a_listing_grows_by_one_point_with_a_hundred_repositories(town: Town, number: int) -> None:
    """Before: a request for each repository, and one more for each file that is not there."""
    many_repositories(town, number - 1)
    cost = await Listing(town).run()

    assert cost["points"] == cost["questions"] == number // 100
    assert cost["requests"] == 1 + number // 100


async def test_a_listing_without_graphql_asks_again_for_nothing_that_costs(town: Town) -> None:
    """An old Enterprise Server, or a proxy that lets no such question through."""
    for each in range(20):
        town.github.create_repository(f"acme/r{each}", BARE, repository_id=10_000 + each)
    people_open(town, 2)
    town.script.on("POST", "/graphql", sends({"message": "Not Found"}, 404))
    listing = Listing(town)
    first = await listing.run()
    assert first["questions"] == 1
    counted = town.github.rest.limits.quota(f"installation {town.installation.id}", 0).used
    town.our_clock.forward(minutes=10)
    second = await listing.run()

    assert (second["questions"], second["points"]) == (0, 0)
    assert second["requests"] <= 2 + 21 + 2
    after = town.github.rest.limits.quota(f"installation {town.installation.id}", 0).used
    assert after - counted <= 1
    assert first["pokes"] == second["pokes"] == 2


async def test_what_github_does_not_get_through_at_once_is_asked_in_parts(town: Town) -> None:
    for each in range(30):
        town.github.create_repository(f"acme/r{each}", FILES, repository_id=10_000 + each)
    number = town.pull_request()
    gives_up = sends({"errors": [{"message": "Something went wrong while executing your query."}]}, 502)

    async def too_much(request: Any) -> Any:
        ids = (await request.json())["variables"]["ids"]
        return gives_up(request) if len(ids) > 10 else await town.github.handle(request)

    town.script.on("POST", "/graphql", too_much)
    listing = Listing(town)
    cost = await listing.run()

    assert listing.pokes.made == [(SHOP, number)]
    assert cost["questions"] <= 10


async def test_one_repository_that_github_cannot_answer_for_is_listed_alone(town: Town) -> None:
    for each in range(8):
        town.github.create_repository(f"acme/r{each}", FILES, repository_id=10_000 + each)
    number = town.pull_request()
    poison = node_id("Repository", 812)

    async def answers(request: Any) -> Any:
        if poison in (await request.json())["variables"]["ids"]:
            return web.json_response({"message": "Bad Gateway"}, status=502)
        return await town.github.handle(request)

    town.script.on("POST", "/graphql", answers)
    listing = Listing(town)
    await listing.run()

    assert listing.pokes.made == [(SHOP, number)]


async def test_a_repository_that_graphql_does_not_show_is_unseen_and_not_absent(town: Town) -> None:
    """An organisation's list of allowed addresses, say: null, with an error beside it."""
    town.pull_request()
    error = {"type": "FORBIDDEN", "path": ["nodes", 0], "message": "an IP allow list is enabled"}
    town.script.on("POST", "/graphql", {"data": {"nodes": [None]}, "errors": [error]})
    listing = Listing(town)
    listing.previews = [a_preview(name="gh-812-1")]
    await listing.run()

    assert listing.pokes.made == []


@pytest.mark.parametrize(
    ("change", "pokes"),
    [
        ({"author": COPILOT}, 1),
        ({"branch": "copilot/fix"}, 1),
        ({"branch": "copilot/fix", "fork": "alice"}, 0),
        ({"body": "https://chatgpt.com/codex/tasks/task_e_1"}, 1),
        ({"message": "Fix\n\nCo-authored-by: Claude <noreply@anthropic.com>"}, 1),
        ({}, 0),
    ],
    ids=["its account", "its branch", "a fork's branch", "its description", "its commit", "a person's"],
)
async def test_an_agents_pull_request_whose_webhook_was_lost_is_found(
    town: Town, change: Any, pokes: int
) -> None:
    values: Any = {"author": ALICE, "branch": "fix/1", "title": "Fix", "changes": {"src/app.py": b"2\n"}}
    town.github.open_pull_request(SHOP, **values | change)
    listing = Listing(town)

    assert (await listing.run())["pokes"] == pokes


async def test_a_configuration_that_names_mirrord_files_is_read_once_for_all_that_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[bytes] = []

    def noted(content: bytes, agents: tuple[str, ...] | None) -> Any:
        read.append(content)
        return parse_asking(content, agents)

    monkeypatch.setattr("previewbot.runtime.rows.parse_asking", noted)
    named = CONFIGURATION.replace("    ports: [8080]\n", "    mirrord: .mirrord/mirrord.json\n", 1)
    async with github_town({**FILES, ".github/preview.yaml": named.encode()}) as town:
        town.our_clock.now = town.clock() + timedelta(hours=1)
        people_open(town, 3)
        assert (await Listing(town).run())["questions"]
    assert read == [named.encode()]


async def test_a_command_whose_webhook_was_lost_is_found_until_it_has_our_sign(town: Town) -> None:
    [number] = people_open(town, 1)
    listing = Listing(town)
    assert (await listing.run())["pokes"] == 0

    town.clock.ahead += timedelta(seconds=30)
    command = town.github.comment(number, ALICE, "/preview start")
    assert (await listing.run())["pokes"] == 1
    await town.client.react(SHOP, command, "rocket")
    listing.restart()
    assert (await listing.run())["pokes"] == 0


async def test_a_label_of_the_second_of_the_last_look_is_found(town: Town) -> None:
    """GitHub tells both with the same time."""
    [number] = people_open(town, 1)
    pull = town.github.store.state.pulls[812, number]
    pull = replace(pull, updated_at=town.clock())
    town.github.store.change(town.github.store.state.with_pull(pull))
    listing = Listing(town)
    assert (await listing.run())["pokes"] == 0
    pull = town.github.store.state.pulls[812, number]
    town.github.store.change(town.github.store.state.with_pull(replace(pull, labels=("preview",))))

    assert (await listing.run())["pokes"] == 1


async def test_a_base_with_a_configuration_of_its_own_is_looked_at_where_the_default_branch_has_none(
    town: Town,
) -> None:
    town.github.create_repository("acme/tools", {**BARE, "src/app.py": b""}, repository_id=900)
    found = town.github.find("acme/tools")
    town.github._set_branch(found, "release/1", found.branches["main"])
    values: Any = {"title": "Fix", "changes": {"src/app.py": b"2\n"}, "base": "release/1"}
    town.github.open_pull_request("acme/tools", ALICE, "fix/1", **values)

    assert (await Listing(town).run())["pokes"] == 0
    assert (await Listing(town, config_branches=["release/*"]).run())["pokes"] == 1


async def test_a_file_that_appears_is_found_by_the_next_listing_with_and_without_graphql(
    town: Town,
) -> None:
    town.github.create_repository("acme/tools", {**BARE, "src/app.py": b""}, repository_id=900)
    values: Any = {"title": "Fix", "changes": {"src/app.py": b"2\n"}}
    town.github.open_pull_request("acme/tools", COPILOT, "copilot/1", **values)
    for without in (False, True):
        if without:
            town.script.on("POST", "/graphql", sends({"message": "Not Found"}, 404))
        town.github.commit("main", {".github/preview.yaml": None}, "Remove", ALICE, "acme/tools")
        listing = Listing(town)
        assert (await listing.run())["pokes"] == (await listing.run())["pokes"] == 0
        content = CONFIGURATION.encode()
        town.github.commit("main", {".github/preview.yaml": content}, "Add", ALICE, "acme/tools")
        assert (await listing.run())["pokes"] == 1


@pytest.mark.parametrize(
    ("path", "requests"),
    [(["object"], 5), (["pullRequests"], 5), (["pullRequests", "nodes", 0, "headRepository"], 2)],
)
async def test_a_repository_of_which_graphql_refuses_a_part_is_listed_by_itself(
    town: Town, path: list[str | int], requests: int
) -> None:
    """Else its file, say, would look as if it were not there, and nothing that it has were ever found."""
    town.github.open_pull_request(SHOP, COPILOT, "copilot/1", {"src/app.py": b"2\n"}, title="Fix")
    rows: dict[str, Any] = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []}
    shown = {"databaseId": 812, "isArchived": False, "object": None, "pullRequests": rows}
    error = {"type": "FORBIDDEN", "path": ["nodes", 0, *path], "message": "not accessible"}
    refused = sends({"data": {"nodes": [shown]}, "errors": [error]})
    town.script.on("POST", "/graphql", refused, sends({"message": "Not Found"}, 404))

    found = await Listing(town).run()
    assert (found["requests"], found["pokes"]) == (requests, 1 if requests > 2 else 0)


@pytest.mark.parametrize("nodes", [[], [None, None]])
async def test_an_answer_about_another_number_of_things_stops_nobody_elses_listing(
    town: Town, nodes: list[None]
) -> None:
    """An error of ours in one installation would end the listing of all."""
    town.pull_request()
    town.script.on("POST", "/graphql", {"data": {"nodes": nodes}})

    assert (await Listing(town).run())["requests"] > 0


async def test_a_restart_in_a_used_up_hour_lists_more_than_a_hundred_repositories(town: Town) -> None:
    """Without its repositories nothing of an installation is listed, not even what GraphQL still answers."""
    many_repositories(town, 150)
    town.github.open_pull_request(SHOP, COPILOT, "copilot/1", {"src/app.py": b"2\n"}, title="Fix")
    covered = [
        {
            "id": each.id,
            "node_id": node_id("Repository", each.id),
            "full_name": each.full_name,
            "default_branch": "main",
            "archived": False,
        }
        for each in town.github.store.state.repositories.values()
    ]
    paged = pages("repositories", covered[:100], covered[100:])

    def nearly_used_up(request: web.Request) -> web.StreamResponse:
        answer = paged(request)
        assert isinstance(answer, web.StreamResponse)
        limits = {"limit": "5000", "remaining": "900", "reset": "4102444800"}
        answer.headers.update({f"x-ratelimit-{name}": value for name, value in limits.items()})
        return answer

    town.script.on("GET", "/installation/repositories", nearly_used_up)

    assert (await Listing(town).run())["pokes"] == 1


async def test_what_is_closed_is_forgotten_and_what_is_open_is_not(town: Town) -> None:
    """Else those that were closed long ago would take the room of those that are asked about again."""
    numbers = people_open(town, 2)
    pulls = [town.github.store.state.pulls[812, number] for number in numbers]
    listing = Listing(town)
    await listing.run()

    def remembered() -> list[bool]:
        states = [(pull.number, pull.updated_at, pull.head_sha) for pull in pulls]
        return [listing.untriggered.remembers(812, *state, town.our_clock()) for state in states]

    assert remembered() == [True, True]
    town.github.close(numbers[0], SHOP)
    for _ in range(2):
        await listing.run()
    assert remembered() == [False, True]


async def test_a_command_in_a_review_whose_webhook_was_lost_is_found(town: Town) -> None:
    [number] = people_open(town, 1)
    listing = Listing(town)
    assert (await listing.run())["pokes"] == 0

    town.clock.ahead += timedelta(seconds=30)
    review = town.github.draft_review(number, ALICE, "/preview status")
    assert (await listing.run())["pokes"] == 0
    town.github.submit_review(review)
    assert (await listing.run())["pokes"] == 1


async def test_what_a_look_found_nothing_in_is_not_asked_about_by_the_next_listing(town: Town) -> None:
    listing = Listing(town)
    await listing.run()
    [number] = people_open(town, 1)
    pull, now = town.github.store.state.pulls[812, number], town.our_clock()
    listing.untriggered.remember(812, number, pull.updated_at, pull.head_sha, now)

    assert await listing.run() == {"requests": 2, "questions": 1, "points": 1}
