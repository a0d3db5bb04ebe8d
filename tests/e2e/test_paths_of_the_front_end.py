"""A front end some of whose paths other Services answer: its link follows staging's own route."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from previewbot_demo.world import Options
from tests.support.worlds import Scene, scene

pytestmark = pytest.mark.timeout(120)

ENTRY = "  port: 80\n"
BY_PATHS = f"""{ENTRY}  routes:
  - {{path: /, service: web, port: 80}}
  - {{path: /prices, service: pricing, port: 80, timeouts: {{request: 0s}}}}
  - {{path: /healthz, type: Exact, service: catalog, port: 80, timeouts: {{request: 1ms}}}}
"""


@pytest.fixture
async def town() -> AsyncIterator[Scene]:
    async with scene(Options(build_seconds=0.3)) as opened:
        yield opened


@asynccontextmanager
async def silence() -> AsyncIterator[str]:
    """Yield the URL of a server that takes requests and answers none."""
    told = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await told.wait()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        told.set()
        server.close()
        await server.wait_closed()


async def test_a_path_of_the_link_shows_the_change_of_the_service_that_answers_it(town: Scene) -> None:
    repository = town.repository("acme/by-paths", (ENTRY, BY_PATHS))
    dear = b'{"teapot": 123456, "sencha": 1, "honey": 1, "mug": 1, "scones": 1, "candle": 1}'
    pull = town.open(repository, files={"services/pricing/prices.json": dear})

    link = await pull.ready()

    prices = await town.browse(f"{link.rstrip('/')}/prices")
    assert (prices.status, "123456" in prices.text) == (200, True)
    front = await town.browse(link)
    assert (front.status, "<html" in front.text) == (200, True)
    # As real gateways do where a service does not answer in its time.
    async with silence() as nobody:
        town.world.router.staging["staging/catalog"] = nobody
        assert (await town.browse(f"{link.rstrip('/')}/healthz")).status == 504

    pull.close()
    await pull.says("closed")
