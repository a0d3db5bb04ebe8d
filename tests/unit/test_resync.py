"""The listing pokes what webhooks missed, deletes nothing, and no failure of one part stops the others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from previewbot.api import Observed, Poke, Preview, Reason, Requests, Spec
from previewbot.api.github import (
    Details,
    FileContent,
    Installation,
    ListedRepository,
    OpenPullRequest,
    Repository,
)
from previewbot.clients.github.spending import Hours
from previewbot.config.server import ListingSettings, Settings, parse
from previewbot.errors import Forbidden, NotFound, RemoteError, TryLater
from previewbot.reconciler import Untriggered
from previewbot.runtime.pace import Pace
from previewbot.runtime.resync import Resync
from tests.support.passes import ANN, SETTINGS
from tests.support.previews import HEAD, NOW, OLDER, a_preview

SHOP = Repository(812, "acme/shop", "main", node_id="R_812")
TOOLS = Repository(900, "acme/tools", "main", node_id="R_900")
WANTED = Details("", ("preview",), (), asks=False, complete=True, configuration=None)


def listed(**settings: Any) -> Settings:
    """Settings with which a listing follows the one before at once."""
    at_once = ListingSettings(interval=timedelta(seconds=0.05))
    return parse({**SETTINGS, **settings}, {}).model_copy(update={"listing": at_once})


EVERYBODY = listed()


def a_row(number: int = 42, *, head: str = HEAD, updated_at: datetime = NOW) -> OpenPullRequest:
    return OpenPullRequest(number, head, updated_at, f"PR_{number}", ANN, False, "fix/checkout", 812, "main")


def seen(
    name: str = "gh-812-42",
    *,
    head: str = HEAD,
    updated_at: datetime = NOW,
    configuration: str = "blob-1",
    settled: bool = True,
    reviews_as_of: datetime = NOW,
    public: bool = False,
) -> Preview:
    observed = Observed(
        head_sha=head,
        updated_at=updated_at,
        configuration_sha=configuration,
        settled=settled,
        public=public,
    )
    return a_preview(name=name, observed=observed, requests=Requests(reviews_as_of=reviews_as_of))


def answer(found: Any) -> Any:
    if isinstance(found, RemoteError):
        raise found
    return found


class Hub:
    """GitHub, as far as a listing reads it: rows per repository, or the error that reading them raises."""

    def __init__(self, *rows: OpenPullRequest) -> None:
        self.found: list[Installation] | RemoteError = [Installation(7, suspended=False)]
        self.covered: dict[int, list[Repository] | RemoteError] = {7: [SHOP]}
        self.rows: dict[str, list[OpenPullRequest] | RemoteError] = {"acme/shop": list(rows)}
        self.configuration = "blob-1"
        self.at_once = self.most_at_once = 0
        self.asked: list[str] = []
        self.questions: list[int] = []
        self.detailed: list[str] = []
        self.by_one: list[str] = []
        self.of: dict[str, Details | RemoteError] = {}
        self.hours = Hours()
        self.behind = timedelta(0)  # how much GitHub's clock is behind ours

    async def installations(self) -> list[Installation]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        found: list[Installation] = answer(self.found)
        return found

    async def repositories(self, installation_id: int, *, first: bool = False) -> list[Repository]:
        covered: list[Repository] = answer(self.covered[installation_id])
        return covered

    def installation(self, _: int) -> Hub:
        return self

    def sparing(self) -> Hub:
        return self

    def time_at(self, moment: datetime) -> datetime:
        return moment - self.behind

    async def listed(self, repositories: Sequence[Repository]) -> dict[int, ListedRepository]:
        self.questions.append(len(repositories))
        rows = {each.id: answer(self.rows.get(each.full_name, [])) for each in repositories}
        self.asked += [each.full_name for each in repositories]
        return {each: ListedRepository(self.configuration, tuple(found)) for each, found in rows.items()}

    async def details(self, node_ids: Sequence[str]) -> dict[str, Details]:
        self.detailed += node_ids
        return {each: answer(self.of.get(each, WANTED)) for each in node_ids}

    async def tip(self, repository: str, branch: str) -> str:
        self.by_one.append(f"tip {repository}")
        answer(self.rows.get(repository, []))
        return HEAD

    async def open_pull_requests(self, repository: str) -> list[OpenPullRequest]:
        self.by_one.append(f"list {repository}")
        self.asked.append(repository)
        rows: list[OpenPullRequest] = answer(self.rows.get(repository, []))
        return rows

    async def file(self, repository: str, path: str, ref: str) -> FileContent | None:
        assert (path, ref) == (".github/preview.yaml", "main")
        self.by_one.append(f"file {repository}")
        return FileContent(self.configuration, b"") if self.configuration else None


class Cluster:
    """Notes pokes; refuses those of the names in `refuses`."""

    def __init__(self) -> None:
        self.pokes: list[tuple[Spec, Poke, bool]] = []
        self.moved: list[tuple[str, dict[str, Any]]] = []
        self.refuses: Mapping[int, RemoteError] = {}

    async def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        if spec.number in self.refuses:
            raise self.refuses[spec.number]
        self.pokes.append((spec, poke, create))
        return True

    async def patch_preview_spec(self, name: str, patch: Mapping[str, Any]) -> None:
        self.moved.append((name, dict(patch)))

    def poked(self) -> list[tuple[int, int, bool]]:
        return [(spec.repository_id, spec.number, create) for spec, _, create in self.pokes]


class World:
    """A listing and what is around it."""

    def __init__(
        self, *rows: OpenPullRequest, previews: tuple[Preview, ...] = (), settings: Settings = EVERYBODY
    ) -> None:
        self.hub, self.cluster, self.untriggered = Hub(*rows), Cluster(), Untriggered()
        hub: Any = self.hub
        cluster: Any = self.cluster
        self.listing = Resync(
            github=hub,
            kube=cluster,
            previews=lambda: previews,
            untriggered=self.untriggered,
            now=lambda: NOW,
            settings=settings,
        )

    async def poked(self) -> list[tuple[int, int, bool]]:
        await self.listing.list_once()
        return self.cluster.poked()


async def test_a_pull_request_without_a_preview_gets_one() -> None:
    world = World(a_row())

    assert await world.poked() == [(812, 42, True)]
    spec, poke, _ = world.cluster.pokes[0]
    assert spec == a_preview().spec
    assert poke == Poke(delivery_id="listing-20261124T090000.000000", poked_at=NOW, updated_at=NOW)


async def test_a_required_check_has_each_pull_request_looked_at_once_that_changed_lately() -> None:
    required = EVERYBODY.model_copy(update={"check": "required"})
    world = World(a_row(), settings=required)

    assert await world.poked() == [(812, 42, True)]
    # A look has found that nothing asks for a preview, and said so by the check.
    world.cluster.pokes.clear()
    world.untriggered.remember(812, 42, NOW, HEAD, NOW)
    assert await world.poked() == []


async def test_what_was_found_to_trigger_nothing_costs_nothing_until_it_changes() -> None:
    world = World(a_row())
    world.untriggered.remember(812, 42, NOW, HEAD, NOW)
    assert await world.poked() == []

    world.hub.rows["acme/shop"] = [a_row(updated_at=NOW + timedelta(seconds=1))]
    assert await world.poked() == [(812, 42, True)]


@pytest.mark.parametrize(
    ("preview", "poked"),
    [
        (seen(), False),
        (seen(head=OLDER), True),
        (seen(updated_at=NOW - timedelta(seconds=1)), True),
        (a_preview(), True),
        (seen(settled=False), True),
        (seen(reviews_as_of=NOW - timedelta(seconds=1)), True),
    ],
    ids=[
        "is as it was seen",
        "has another head",
        "was updated",
        "was never looked at",
        "was looked at in the very second of its last change",
        "was looked at since, and its reviews were not",
    ],
)
async def test_a_known_pull_request_is_poked_when_it(preview: Preview, poked: bool) -> None:
    assert await World(a_row(), previews=(preview,)).poked() == ([(812, 42, True)] if poked else [])


@pytest.mark.parametrize(
    ("public", "private", "poked"),
    [
        (True, True, True),
        (False, False, True),
        (True, False, False),
        (False, True, False),
        (True, None, False),
        (False, None, False),
    ],
)
async def test_what_others_may_read_by_now_is_looked_at_again(
    public: bool, private: bool | None, poked: bool
) -> None:
    world = World(a_row(), previews=(seen(public=public),))
    world.hub.covered = {7: [replace(SHOP, private=private)]}

    assert await world.poked() == ([(812, 42, True)] if poked else [])


async def test_a_preview_whose_pull_request_is_not_listed_is_poked_but_never_made() -> None:
    world = World(a_row(), previews=(seen(), seen("gh-812-41")))

    assert await world.poked() == [(812, 41, False)]


async def test_a_changed_configuration_is_news_for_all_pull_requests_of_its_repository() -> None:
    world = World(a_row(), a_row(43), previews=(seen(),))
    world.untriggered.remember(812, 43, NOW, HEAD, NOW)
    assert await world.poked() == []

    world.hub.configuration = "blob-2"
    assert await world.poked() == [(812, 42, True), (812, 43, True)]
    world.untriggered.remember(812, 43, NOW, HEAD, NOW)
    assert len(await world.poked()) == 2


async def test_where_the_configuration_is_gone_only_what_has_a_preview_is_looked_at() -> None:
    world = World(a_row(), a_row(43), previews=(seen(),))
    world.hub.configuration = ""

    assert await world.poked() == [(812, 42, True)]
    assert world.hub.detailed == []


async def test_a_new_configuration_is_found_by_the_next_listing() -> None:
    world = World(a_row())
    world.hub.configuration = ""
    assert await world.poked() == []

    world.hub.configuration = "blob-1"
    assert await world.poked() == [(812, 42, True)]


async def test_a_preview_that_saw_a_configuration_between_two_listings_is_told_once_that_it_is_gone() -> None:
    world = World(a_row(), previews=(seen(configuration="blob-0"),))

    assert await world.poked() == [(812, 42, True)]
    assert len(await world.poked()) == 1


async def test_news_of_the_configuration_is_not_lost_by_a_poke_that_fails() -> None:
    world = World(a_row(), previews=(seen(),))
    await world.poked()
    world.hub.configuration = "blob-2"
    world.cluster.refuses = {42: TryLater("poke")}
    assert await world.poked() == []

    world.cluster.refuses = {}
    assert await world.poked() == [(812, 42, True)]


@pytest.mark.parametrize("error", [NotFound("list"), Forbidden("list"), TryLater("list", status=502)])
async def test_a_repository_that_fails_does_not_stop_the_others(error: RemoteError) -> None:
    world = World(previews=(seen("gh-812-41"),))
    world.hub.covered = {7: [SHOP, TOOLS]}
    world.hub.rows = {"acme/shop": error, "acme/tools": [a_row(5)]}

    assert await world.poked() == [(900, 5, True)]


async def test_a_limit_stops_one_installation_and_not_the_next() -> None:
    world = World()
    world.hub.found = [Installation(7, suspended=False), Installation(8, suspended=False)]
    world.hub.covered = {7: [SHOP, Repository(901, "acme/never", "main")], 8: [TOOLS]}
    world.hub.rows = {
        "acme/shop": TryLater("list", status=429, after=90),
        "acme/tools": [a_row(5)],
    }

    await world.listing.list_once()
    assert world.hub.asked == ["acme/tools"]
    assert world.cluster.poked() == [(900, 5, True)]


def many(number: int) -> list[Repository]:
    return [Repository(1_000 + each, f"acme/r{each}", "main", node_id=f"R_{each}") for each in range(number)]


async def test_the_next_listing_goes_on_where_a_limit_stopped_this_one() -> None:
    world = World()
    world.hub.covered = {7: list(many(250))}
    world.hub.rows["acme/r120"] = TryLater("list", status=429, after=90)
    await world.listing.list_once()
    assert world.hub.asked[0] == "acme/r0"
    assert "acme/r100" not in world.hub.asked

    world.hub.rows["acme/r120"], world.hub.asked = [a_row(5)], []
    await world.listing.list_once()
    assert world.hub.asked[0] == "acme/r100"
    assert sorted(world.hub.asked) == sorted(each.full_name for each in many(250))
    world.hub.asked = []
    await world.listing.list_once()
    assert world.hub.asked[0] == "acme/r0"


async def test_a_listing_whose_place_to_go_on_was_removed_begins_anew() -> None:
    world = World()
    world.hub.covered = {7: list(many(150))}
    world.hub.rows["acme/r120"] = TryLater("list", status=429, after=90)
    await world.listing.list_once()

    world.hub.covered, world.hub.asked = {7: [SHOP]}, []
    await world.listing.list_once()
    assert world.hub.asked == ["acme/shop"]


async def test_an_installation_that_fails_leaves_its_previews_alone() -> None:
    world = World(a_row(), previews=(seen("gh-900-1"),))
    world.hub.found, world.hub.covered = [Installation(7, suspended=False)], {7: TryLater("repositories")}

    assert await world.poked() == []


def ended_by_suspension(name: str) -> Preview:
    preview = seen(name)
    return replace(preview, status=replace(preview.status, reason=Reason.INSTALLATION_SUSPENDED))


@pytest.mark.parametrize(
    ("suspended", "poked"),
    [(True, [(812, 41, False)]), (False, [(812, 43, False)])],
    ids=["suspended", "let in again"],
)
async def test_previews_follow_an_installation_that_is_suspended_or_let_in_again(
    suspended: bool, poked: list[tuple[int, int, bool]]
) -> None:
    world = World(previews=(seen("gh-812-41"), ended_by_suspension("gh-812-43")))
    world.hub.found = [Installation(7, suspended=suspended)]
    world.hub.rows = {"acme/shop": [replace(a_row(), number=41), replace(a_row(), number=43)]}

    assert await world.poked() == poked


async def test_an_archived_repository_is_not_listed_and_what_it_has_is_looked_at() -> None:
    world = World(a_row(), previews=(seen("gh-812-41"),))
    world.hub.covered = {7: [replace(SHOP, archived=True)]}

    assert await world.poked() == [(812, 41, False)]
    assert world.hub.asked == []


async def test_a_listing_that_is_asked_for_is_made_at_once() -> None:
    world = World(a_row())
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0 if len(pauses) == 1 else 3600)

    world.listing._pause = pause
    task = asyncio.create_task(world.listing.run())
    async with asyncio.timeout(10):
        while len(pauses) < 2:
            await asyncio.sleep(0.01)
    task.cancel()

    assert world.hub.asked == ["acme/shop", "acme/shop"]


async def test_a_preview_that_no_installation_covers_any_more_is_poked_unless_it_is_another_apps() -> None:
    foreign = a_preview(name="gh-901-1")
    foreign = Preview(**{**vars(foreign), "spec": replace(foreign.spec, app_id=1)})
    world = World(previews=(seen("gh-900-1"), foreign))

    assert await world.poked() == [(900, 1, False)]


@pytest.mark.parametrize("error", [TryLater("app"), Forbidden("app"), KeyError("a bug")])
async def test_no_error_ends_the_listing_and_never_do_two_run_at_once(error: Exception) -> None:
    world = World(a_row())
    installations = world.hub.installations
    errors = [error]

    async def fails_once() -> list[Installation]:
        if errors:
            raise errors.pop()
        return await installations()

    world.hub.installations = fails_once  # type: ignore[method-assign]
    task = asyncio.create_task(world.listing.run())
    async with asyncio.timeout(10):
        while len(world.cluster.pokes) < 3:
            await asyncio.sleep(0.01)
    task.cancel()

    assert world.hub.most_at_once == 1


async def test_the_next_listing_waits_as_long_as_github_asks() -> None:
    world = World()
    world.hub.found = TryLater("app", after=60)
    task = asyncio.create_task(world.listing.run())
    while world.hub.most_at_once == 0 or world.hub.at_once:
        await asyncio.sleep(0)
    world.hub.found = [Installation(7, suspended=False)]
    await asyncio.sleep(0.2)
    task.cancel()

    assert world.hub.asked == []


NOTHING_ASKS = replace(WANTED, labels=(), configuration=FileContent("blob-1", b""))


async def test_a_clock_of_ours_that_is_ahead_makes_no_second_of_githubs_settled() -> None:
    """GitHub's times have whole seconds: what happens later in that one is told with the same time."""
    world = World(a_row(updated_at=NOW - timedelta(minutes=5)))
    world.hub.behind = timedelta(minutes=5)
    world.hub.of["PR_42"] = NOTHING_ASKS
    assert await world.poked() == []

    world.hub.of["PR_42"] = WANTED
    assert await world.poked() == [(812, 42, True)]


async def test_what_another_configuration_than_the_listed_one_triggers_not_is_asked_about_again() -> None:
    """One of GitHub's answers may be some seconds older than another."""
    world = World(a_row(updated_at=NOW - timedelta(minutes=5)))
    world.hub.of["PR_42"] = replace(NOTHING_ASKS, configuration=FileContent("blob-0", b""))
    assert await world.poked() == []

    world.hub.of["PR_42"] = WANTED
    assert await world.poked() == [(812, 42, True)]


async def test_a_look_that_began_before_the_configuration_was_found_changed_says_nothing_of_the_new_one() -> (
    None
):
    world = World(a_row(updated_at=NOW - timedelta(minutes=5)))
    world.hub.of["PR_42"] = NOTHING_ASKS
    await world.poked()
    world.hub.configuration = "blob-2"
    world.hub.of["PR_42"] = replace(WANTED, configuration=FileContent("blob-2", b""))
    assert await world.poked() == [(812, 42, True)]
    world.untriggered.remember(812, 42, NOW - timedelta(minutes=5), HEAD, NOW - timedelta(seconds=1))

    assert await world.poked() == [(812, 42, True)] * 2


async def test_what_a_file_of_its_base_did_not_trigger_is_looked_at_again_after_an_hour() -> None:
    world = World(replace(a_row(), base_ref="release/1"), settings=listed(config_branches=["release/*"]))
    world.untriggered.remember(812, 42, NOW, HEAD, NOW - timedelta(minutes=59), for_now=True)
    assert await world.poked() == []

    world.untriggered.remember(812, 42, NOW, HEAD, NOW - timedelta(minutes=60), for_now=True)
    assert await world.poked() == [(812, 42, True)]


async def test_an_author_without_a_number_may_be_an_agent() -> None:
    world = World(replace(a_row(), author=None))
    world.hub.of["PR_42"] = NOTHING_ASKS

    assert await world.poked() == [(812, 42, True)]


async def test_a_preview_follows_its_repository_to_another_installation() -> None:
    """A public repository goes on to answer the installation that it was of, where nothing can be written."""
    world = World(a_row(), previews=(seen(),))
    world.hub.found = [Installation(7, suspended=False), Installation(8, suspended=False)]
    world.hub.covered = {7: [], 8: [replace(SHOP, full_name="beta/shop")]}
    world.hub.rows = {"beta/shop": [a_row()]}
    await world.listing.list_once()

    assert world.cluster.moved == [("gh-812-42", {"repository": "beta/shop", "installationId": 8})]


async def test_that_an_hour_is_used_up_is_told_also_where_graphql_still_finds_what_is_opened() -> None:
    told: list[str] = []
    world = World(a_row())
    world.listing._pace = Pace(180, note=told.append, metrics=CollectorRegistry())
    await world.listing.list_once()
    world.hub.covered = {7: TryLater("GitHub", message="used up", after=1800)}

    assert await world.poked() == [(812, 42, True)] * 2
    assert "stopped the listing of installation 7 until 09:30 UTC (used up)" in told[-1]
