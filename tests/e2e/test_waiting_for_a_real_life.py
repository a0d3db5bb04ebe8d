"""Whoever waits, while previewbot works behind a slow gateway: "ready" is said once the link shows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from previewbot.api.reference import Reference
from previewbot.asking import Access, Patience, Standing, State, wait
from previewbot.asking.github import GitHubSource
from previewbot_demo.ports import free_port
from previewbot_demo.tour import NEW_BANNER, PUSHED_BANNER, browser_of
from previewbot_demo.world import REPOSITORY, Options
from tests.support.worlds import Pull, Scene, scene

pytestmark = pytest.mark.timeout(120)

OFTEN = Patience(timeout=60.0, grace=30.0, first=0.1, longest=0.1)


@asynccontextmanager
async def town() -> AsyncIterator[Scene]:
    """A world whose gateway follows its routes a second late."""
    port = free_port()
    gateway: dict[str, Any] = {"name": "public", "namespace": "staging", "domain": "preview.localhost"}
    gateway |= {"scheme": "http", "port": port, "settle": "2s"}
    async with scene(
        Options(port=port, build_seconds=0.3, settings={"links": {"gateway": gateway}})
    ) as built:
        built.world.gateway.sabotage.slow = 1.0
        yield built


async def test_what_is_ready_is_there_and_what_is_over_is_said() -> None:
    async with town() as built:
        github = built.world.github
        installation = next(iter(github.store.state.installations.values()))
        token = github.doorkeeper.new_token(installation).value
        source = GitHubSource(built.http, Access(api_url=github.shapes.api, token=token))
        browser = browser_of(built.world, built.http)
        pull = Pull(built.world, await browser.start_task("web"), REPOSITORY)
        reference, first = Reference(REPOSITORY, pull.number), pull.head

        async def waited(sha: str) -> tuple[Standing, str]:
            """Return how it came out, and what stands behind the link at that moment."""
            end = await wait(source, reference, sha, OFTEN)
            return end, (await browser.open(end.url)).text if end.url else ""

        ready, shown = await waited(first)
        assert (ready.state, NEW_BANNER in shown) == (State.READY, True), ready
        assert ready.header.startswith("baggage: mirrord-session=p")

        older = asyncio.create_task(wait(source, reference, "f" * 40, OFTEN))
        await browser.press(pull.number, "push")
        assert (await wait(source, reference, first, OFTEN)).state is State.ENDED
        ready, shown = await waited(pull.head)
        assert (ready.state, PUSHED_BANNER in shown) == (State.READY, True), ready

        pull.close()
        assert (await waited(pull.head))[0].words == "the pull request was closed"
        assert (await older).state is State.ENDED
