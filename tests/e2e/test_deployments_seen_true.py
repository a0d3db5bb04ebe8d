"""Whenever GitHub says of a commit that it succeeded, or `previewbot wait` that it is ready, the shop itself
answers from that commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from previewbot.api.reference import Reference
from previewbot.asking import Access, Patience, Standing, State, wait
from previewbot.asking.github import GitHubSource
from previewbot_demo.browser import Browser
from previewbot_demo.demo_tour import browser_of
from previewbot_demo.ports import free_port
from previewbot_demo.tour import NEW_BANNER, PUSHED_BANNER
from previewbot_demo.world import REPOSITORY, Options
from tests.support.worlds import Pull, Scene, scene, switched, until

pytestmark = pytest.mark.timeout(180)

SLOW_SECONDS = 2.0
OFTEN = Patience(timeout=150.0, grace=150.0, first=0.1, longest=0.1)


@dataclass
class Witness:
    """Asks the shop behind a link again and again, and GitHub before and after."""

    town: Scene
    browser: Browser
    number: int
    link: str = ""
    banners: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, str]] = field(default_factory=list)

    def states(self) -> dict[str, str]:
        """What GitHub says now, by commit."""
        state = self.town.world.github.store.state
        commits = state.pulls[self.town.world.github.find(REPOSITORY).id, self.number].commits
        return {d.sha: d.state for d in state.deployments.values() if d.sha in commits}

    def succeeded(self) -> set[str]:
        return {sha for sha, state in self.states().items() if state == "success"}

    async def look(self) -> None:
        """Ask for ever."""
        while True:
            before = self.succeeded()
            if before and self.link:
                page = await self.browser.open(self.link)
                # What was taken back meanwhile is no promise any more; and where the link leads to no
                # preview, its session is just going.
                if page.status == 200:
                    self.seen += [(self.banners[sha], page.text) for sha in before & self.succeeded()]
            await asyncio.sleep(0.05)

    def lies(self) -> list[str]:
        """What answered in place of a commit that succeeded."""
        return [text[:300] for banner, text in self.seen if banner not in text]


class Waiter:
    """Waits for commits of a pull request, as `previewbot wait` does with a token."""

    def __init__(self, town: Scene, browser: Browser, number: int) -> None:
        github = town.world.github
        installation = next(iter(github.store.state.installations.values()))
        token = github.doorkeeper.new_token(installation).value
        self._source = GitHubSource(town.http, Access(api_url=github.shapes.api, token=token))
        self._browser, self._reference = browser, Reference(REPOSITORY, number)

    async def over(self, sha: str) -> Standing:
        """Return how it came out."""
        return await wait(self._source, self._reference, sha, OFTEN)

    async def ready(self, sha: str, banner: str) -> Standing:
        """Return how it came out; the shop shows this behind the link at that moment."""
        end = await self.over(sha)
        assert end.state is State.READY, end
        assert banner in (await self._browser.open(end.url)).text
        return end


@asynccontextmanager
async def watched(town: Scene) -> AsyncIterator[tuple[Witness, Pull]]:
    browser = browser_of(town.world, town.http)
    number = await browser.start_task("web")
    pull = Pull(town.world, number, REPOSITORY)
    witness = Witness(town, browser, number)
    witness.banners[town.world.github.pull_request(number, REPOSITORY).head_sha] = NEW_BANNER
    looking = asyncio.create_task(witness.look())
    yield witness, pull
    looking.cancel()


async def a_life(town: Scene) -> Witness:
    async with watched(town) as (witness, pull):
        waiter, first = Waiter(town, witness.browser, witness.number), pull.head
        waiting = asyncio.create_task(waiter.ready(first, NEW_BANNER))
        witness.link = await pull.ready()
        await until("a success", lambda: len(witness.succeeded()) == 1)
        await until("the shop with it", lambda: any(NEW_BANNER in text for _, text in witness.seen))
        assert (await waiting).header.startswith("baggage: mirrord-session=p")

        never_was = asyncio.create_task(waiter.over("f" * 40))
        await witness.browser.press(witness.number, "push")
        witness.banners[pull.head] = PUSHED_BANNER
        assert (await waiter.over(first)).state is State.ENDED
        await waiter.ready(pull.head, PUSHED_BANNER)
        await until("the next success", lambda: witness.succeeded() == {pull.head})
        await until("the shop with it", lambda: any(PUSHED_BANNER in text for _, text in witness.seen))

        pull.close()
        assert (await waiter.over(pull.head)).words == "the pull request was closed"
        assert (await never_was).state is State.ENDED
        await until("that none is active", lambda: set(witness.states().values()) == {"inactive"})
        await pull.ended()
    return witness


async def test_behind_a_gateway_that_is_two_seconds_late_nothing_succeeds_too_early_or_too_long() -> None:
    port = free_port()
    gateway = {"name": "public", "namespace": "staging", "domain": "preview.localhost"}
    links = {"gateway": gateway | {"scheme": "http", "port": port, "settle": "3s"}}
    async with scene(Options(port=port, build_seconds=0.3, settings={"links": links})) as town:
        town.world.gateway.sabotage.slow = SLOW_SECONDS
        witness = await a_life(town)

    assert len(witness.states()) == 2
    assert witness.lies() == []


async def test_in_a_world_that_ignores_the_filter_nothing_succeeds_until_it_does_not() -> None:
    deadlines = {"image": "10m", "session": "4s"}
    async with scene(Options(build_seconds=0.3, settings={"deadlines": deadlines})) as town:
        with switched(town.world.router.sabotage, take_nothing=True):
            async with watched(town) as (witness, pull):
                await pull.says("runs, but has no link:")
                await until("the words", lambda: "in_progress" in witness.states().values())
                assert witness.succeeded() == set()
        async with watched(town) as (other, pull):
            other.link = await pull.ready()
            await until("a success", lambda: len(other.succeeded()) == 1)
            await until("the shop with it", lambda: len(other.seen) > 2)

    assert (witness.succeeded(), other.lies()) == (set(), [])
