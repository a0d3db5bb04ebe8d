"""The stand-in for mirrord's operator, over HTTP, with real processes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from previewbot_demo.branching import Branching
from previewbot_demo.broker import Broker
from previewbot_demo.hosts import listen
from previewbot_demo.kube import FakeKube
from previewbot_demo.kubeapi import ApiError, KubeApi
from previewbot_demo.operator import FINALIZER, Operator, Settings
from previewbot_demo.ports import free_port
from previewbot_demo.registry import FakeRegistry
from previewbot_demo.sleeping import Beds
from previewbot_demo.splitting import Splitting

SESSIONS = "/apis/preview.mirrord.metalbear.co/v1alpha/namespaces/staging/previewsessions"
APP = b"""
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["GREETING"].encode())
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "staging"},
    "spec": {
        "template": {
            "spec": {"containers": [{"name": "app", "env": [{"name": "GREETING", "value": "hello"}]}]}
        }
    },
}


class Cluster:
    """An API server, a registry and an operator."""

    def __init__(self, directory: Path, port: int) -> None:
        self.port = port
        self.kube = FakeKube()
        self.registry = FakeRegistry()
        self.pods: dict[str, str] = {}
        self.api = KubeApi(f"http://127.0.0.1:{port}", "test")
        settings = Settings(("staging",), directory, "share.localhost", cleanup_after=timedelta(seconds=0.3))
        self.broker = Broker()
        branching = Branching(self.api, ("staging",), directory / "branches", lambda: datetime.now(UTC))
        splitting = Splitting(self.broker, {"parcels": "PARCELS_QUEUE"})
        self.beds = Beds(self.pods)
        self.operator = Operator(
            self.api, settings, self.pods, lambda: datetime.now(UTC), branching, splitting, self.beds
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        fake = self.registry if request.path.startswith("/v2") else self.kube
        return await fake.handle(request)

    def image(self, app: bytes = APP) -> str:
        digest = self.registry.put_image("acme/web", "tag", {"app.py": app})
        return f"127.0.0.1:{self.port}/acme/web@{digest}"

    async def create(self, image: str, **changes: Any) -> dict[str, Any]:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "container": "app"}
        http_filter = {"header_filter": "^baggage: .*mirrord-session=k1.*$"}
        spec = {
            "image": image,
            "key": "k1",
            "target": target | changes.pop("target", {}),
            "ttlSecs": 3600,
            "incoming": {"steal": True, "httpFilter": json.dumps(http_filter)},
        }
        manifest = {
            "apiVersion": "preview.mirrord.metalbear.co/v1alpha",
            "kind": "PreviewSession",
            "metadata": {"name": "s1", "namespace": "staging"},
            "spec": spec | changes,
        }
        return await self.api.create(SESSIONS, manifest)

    async def until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(15):
            while True:
                found = await self.read()
                if fits(found):
                    return found
                await asyncio.sleep(0.02)

    async def read(self) -> dict[str, Any]:
        """Return the session; an empty one once it is gone."""
        try:
            return await self.api.get(SESSIONS + "/s1")
        except ApiError as error:
            assert error.status == 404
            return {}

    async def phase(self, phase: str) -> dict[str, Any]:
        session = await self.until(lambda s: s.get("status", {}).get("phase") == phase)
        status: dict[str, Any] = session["status"]
        return status


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[Cluster]:
    cluster = Cluster(directory, free_port())
    async with AsyncExitStack() as stack:
        runner = await listen(cluster.handle, cluster.port)
        stack.push_async_callback(runner.cleanup)
        stack.push_async_callback(cluster.api.close)
        task = asyncio.create_task(cluster.operator.run())
        try:
            yield cluster
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with running(tmp_path) as built:
        built.kube.seed(DEPLOYMENT)
        yield built


async def answer(url: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return await response.text()


async def test_a_session_runs_its_image_with_the_targets_environment(cluster: Cluster) -> None:
    created = await cluster.create(cluster.image())

    status = await cluster.phase("Ready")

    assert await answer(cluster.pods[created["metadata"]["uid"]]) == "hello"
    assert (await cluster.read())["metadata"]["finalizers"] == [FINALIZER]
    assert status["startedAt"] < status["expiresAt"]
    assert status["shareHost"].startswith("k1-")
    assert status["shareHost"].endswith(".share.localhost")


async def test_a_deleted_session_stops_before_it_is_gone(cluster: Cluster) -> None:
    created = await cluster.create(cluster.image())
    await cluster.phase("Ready")
    url = cluster.pods[created["metadata"]["uid"]]

    await cluster.api.delete(SESSIONS + "/s1", created["metadata"]["uid"])
    await cluster.until(lambda session: not session)

    assert cluster.pods == {}
    with pytest.raises(aiohttp.ClientConnectionError):
        await answer(url)


async def test_a_session_deleted_while_it_starts_leaves_nothing(cluster: Cluster, tmp_path: Path) -> None:
    created = await cluster.create(cluster.image(b"import time; time.sleep(60)"))
    await cluster.phase("Waiting")

    await cluster.api.delete(SESSIONS + "/s1", created["metadata"]["uid"])
    await cluster.until(lambda session: not session)

    assert cluster.pods == {}
    assert not list(tmp_path.iterdir())


async def test_a_session_that_goes_while_it_wakes_leaves_no_process(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = await cluster.create(cluster.image(), idle={"startIdle": False, "sleepAfterSecs": 30})
    uid = created["metadata"]["uid"]
    await cluster.phase("Ready")
    cluster.operator.switches.sleeps_sooner = timedelta(0)
    await cluster.phase("Idle")
    patch, woken = cluster.api.patch, asyncio.get_running_loop().create_future()

    async def too_late(path: str, change: Mapping[str, Any]) -> dict[str, Any]:
        if change.get("status", {}).get("phase") == "Ready":
            woken.set_result(cluster.pods[uid])
            raise ApiError(404, "there is no such session")
        return await patch(path, change)

    monkeypatch.setattr(cluster.api, "patch", too_late)
    request = asyncio.create_task(cluster.beds.address_of(uid, created["spec"]))
    async with asyncio.timeout(15):
        url = await woken
        with pytest.raises(aiohttp.ClientConnectionError):
            while True:
                await answer(url)
                await asyncio.sleep(0.02)
        await request


@pytest.mark.parametrize(
    ("target", "broken", "said"),
    [
        ({"name": "none"}, None, "target Deployment staging/none: not found"),
        ({"container": "none"}, None, "target Deployment staging/web has no container none"),
        ({}, "missing", "ErrImagePull"),
        ({}, "crash", "container app: CrashLoopBackOff: exited with code 1: DB_URL is not set"),
    ],
)
async def test_a_session_that_cannot_run_says_why_and_is_cleaned_up(
    cluster: Cluster, target: dict[str, str], broken: str | None, said: str
) -> None:
    image = cluster.image(b"raise SystemExit('DB_URL is not set')" if broken == "crash" else APP)
    if broken == "missing":
        image = image[:-8] + "00000000"
    await cluster.create(image, target=target)

    status = await cluster.phase("Failed")

    assert said in status["failureMessage"]
    assert status["failedAt"]
    await cluster.until(lambda session: not session)


async def test_a_session_whose_time_is_up_is_deleted(cluster: Cluster) -> None:
    await cluster.create(cluster.image(), ttlSecs=1)
    await cluster.phase("Ready")

    await cluster.until(lambda session: not session)

    assert cluster.pods == {}


async def test_an_operator_that_ignores_deletes_keeps_the_session_until_it_comes_round(
    cluster: Cluster,
) -> None:
    created = await cluster.create(cluster.image())
    await cluster.phase("Ready")
    cluster.operator.switches.ignore_deletes = True

    await cluster.api.delete(SESSIONS + "/s1", created["metadata"]["uid"])
    session = await cluster.until(lambda s: "deletionTimestamp" in s["metadata"])

    assert await answer(cluster.pods[session["metadata"]["uid"]]) == "hello"
    cluster.operator.switches.ignore_deletes = False
    await cluster.until(lambda s: not s)


async def test_an_operator_that_never_answers_leaves_the_session_without_a_status(cluster: Cluster) -> None:
    cluster.operator.switches.never_answer = True
    seen = asyncio.Event()
    waiting = asyncio.create_task(cluster.api.follow(SESSIONS, _note(seen)))

    await cluster.create(cluster.image())
    await asyncio.wait_for(seen.wait(), 5)

    assert "status" not in await cluster.read()
    waiting.cancel()
    cluster.operator.switches.never_answer = False
    await cluster.phase("Ready")


def _note(seen: asyncio.Event) -> Callable[[str, dict[str, Any]], Any]:
    async def see(event: str, obj: dict[str, Any]) -> None:
        seen.set()

    return see


async def test_a_custom_filter_gets_no_share_host(cluster: Cluster) -> None:
    await cluster.create(
        cluster.image(), incoming={"steal": True, "httpFilter": '{"header_filter":"^x: y$"}'}
    )

    assert "shareHost" not in await cluster.phase("Ready")


async def test_no_process_outlives_the_operator(tmp_path: Path) -> None:
    async with running(tmp_path) as cluster:
        cluster.kube.seed(DEPLOYMENT)
        created = await cluster.create(cluster.image())
        await cluster.phase("Ready")
        url = cluster.pods[created["metadata"]["uid"]]

    with pytest.raises(aiohttp.ClientConnectionError):
        await answer(url)
