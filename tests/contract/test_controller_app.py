"""The controller as a whole, up to where GitHub begins: it starts, says what it lacks, and ends in time."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from previewbot.config.server import ClusterSettings, GitHubSettings, ImageSettings, ListingSettings, Settings
from previewbot.errors import SettingsError
from previewbot.runtime.controller import run
from previewbot_demo.faults import Call
from previewbot_demo.kube import FakeKube
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.servers import served


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode()


class World:
    """A fake API server, a GitHub that is away, and the settings that lead there."""

    def __init__(self, fake: FakeKube, settings: Settings) -> None:
        self.fake, self.settings = fake, settings
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.bind = f"127.0.0.1:{free.getsockname()[1]}"

    async def probe(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.get(f"http://{self.bind}{path}") as response:
                    return response.status, await response.text()
            except aiohttp.ClientError:
                return 0, ""

    async def until(self, path: str, status: int, words: str) -> None:
        async with asyncio.timeout(15):
            while True:
                found, text = await self.probe(path)
                if found == status and words in text:
                    return
                await asyncio.sleep(0.02)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    fake = FakeKube()
    with served(fake.handle) as (url, _):
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", url)
        github = GitHubSettings(
            api_url="http://127.0.0.1:1",
            web_url="https://github.com",
            app_id=4242,
            private_key_file=None,
            webhook_secret_file=None,
        )
        settings = Settings(
            github=github,
            public_url="https://previews.example.com",
            cluster=ClusterSettings(kubeconfig=kubeconfig, namespaces=("staging", "payments")),
            images=ImageSettings(allowed=("ghcr.io/acme/",), registries={}),
            listing=ListingSettings(interval=timedelta(seconds=30)),
        )
        yield World(fake, settings)


async def test_it_waits_for_what_the_cluster_lacks_and_says_it_and_then_follows(
    world: World, private_key: str
) -> None:
    lacking = True

    async def lack_sessions(call: Call) -> web.StreamResponse | None:
        ours = "/apis/preview.mirrord.metalbear.co/" in call.path
        return web.json_response({"message": "no"}, status=404) if lacking and ours else None

    world.fake.faults.before = lack_sessions
    stop = asyncio.Event()
    running = asyncio.create_task(run(world.settings, private_key, world.bind, identity="tests", stop=stop))
    await world.until("/readyz", 503, "previewsessions.preview.mirrord.metalbear.co (v1alpha)")
    assert (await world.probe("/healthz"))[0] == 200
    lacking = False
    await world.until("/readyz", 200, "ok")
    await world.until("/metrics", 200, "previewbot_queue_depth")

    began = time.monotonic()
    stop.set()
    assert await asyncio.wait_for(running, 15) == 0
    assert time.monotonic() - began < 10
    assert (await world.probe("/healthz"))[0] == 0


class Denied:
    """Refuses what the account may not do in some namespaces, or altogether."""

    def __init__(self, world: World) -> None:
        self.namespaces: set[str] = set()
        self.status = 403
        world.fake.faults.before = self.answer

    async def answer(self, call: Call) -> web.StreamResponse | None:
        path = f"{call.path}/"
        if any(f"/namespaces/{namespace}/" in path for namespace in self.namespaces):
            return web.json_response({"message": "forbidden: no role"}, status=self.status)
        return None


@asynccontextmanager
async def running(world: World, private_key: str) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(run(world.settings, private_key, world.bind, identity="tests", stop=stop))
    try:
        yield
    finally:
        stop.set()
        assert await asyncio.wait_for(task, 15) == 0


async def test_a_namespace_that_refuses_is_named_and_keeps_no_other_from_being_followed(
    world: World, private_key: str, caplog: pytest.LogCaptureFixture
) -> None:
    denied = Denied(world)
    denied.namespaces = {"payments"}
    async with running(world, private_key):
        # It leads: the Lease is in the other namespace.
        await world.until("/metrics", 200, "previewbot_leading 1.0")
        _, words = await world.probe("/readyz")
        assert words.startswith("ok; watching ")
        assert "watching previewsessions in payments" in words and "403 forbidden: no role" in words
        assert "staging" not in words

        denied.namespaces = set()
        async with asyncio.timeout(40):
            while (await world.probe("/readyz")) != (200, "ok"):
                await asyncio.sleep(0.05)
    said = [record for record in caplog.records if getattr(record, "namespace", "") == "payments"]
    followed = ["branchdatabases", "pods", "previewsessions"]
    assert sorted({getattr(record, "resource", "") for record in said}) == followed
    assert len(said) == len(followed)


async def test_where_every_namespace_refuses_it_is_not_ready(world: World, private_key: str) -> None:
    denied = Denied(world)
    # The Lease stays.
    world.settings = world.settings.model_copy(
        update={"cluster": world.settings.cluster.model_copy(update={"namespaces": ("payments", "money")})}
    )
    denied.namespaces = {"payments/pods", "money/pods", "payments/previewsessions", "money/previewsessions"}
    async with running(world, private_key):
        await world.until("/readyz", 503, "watching previewsessions in money")


async def test_an_api_server_that_hangs_does_not_keep_it_from_ending(world: World, private_key: str) -> None:
    async def hang(_: Call) -> None:
        await asyncio.sleep(60)

    stop = asyncio.Event()
    running = asyncio.create_task(run(world.settings, private_key, world.bind, identity="tests", stop=stop))
    await world.until("/readyz", 200, "ok")
    world.fake.faults.before = hang
    began = time.monotonic()
    stop.set()

    assert await asyncio.wait_for(running, 15) == 0
    assert time.monotonic() - began < 10


async def test_a_private_key_that_is_none_stops_the_start(world: World) -> None:
    with pytest.raises(SettingsError, match="private"):
        await run(world.settings, "not a key", world.bind, identity="tests", stop=asyncio.Event())
