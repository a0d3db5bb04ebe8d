"""The two clients of the API server when it answers badly, late or not at all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from previewbot.api import Poke
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.pages_client import PagesClient
from previewbot.clients.kubernetes.resources import PREVIEWS, error_of, message_of
from previewbot.clients.kubernetes.web_client import WebClient
from previewbot.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RemoteError,
    SettingsError,
    TryLater,
    Unauthorized,
)
from previewbot_demo.faults import Call, Faults
from previewbot_demo.kube import FakeKube
from tests.contract.conftest import BOTH_API_SERVERS
from tests.support.control_plane import ControlPlane
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.previews import a_preview
from tests.support.servers import Handler, LoopThread, served

PREVIEW = a_preview()
NAME = PREVIEW.name
POKE = Poke(delivery_id="1", poked_at=datetime(2026, 11, 24, tzinfo=UTC))
Answer = Callable[[Call], Awaitable[web.StreamResponse | None]]


class Cluster:
    """An API server behind faults, how to reach it, and the requests it got."""

    def __init__(self, faults: Faults, kubeconfig: Path, headers: list[Any]) -> None:
        self.faults, self.kubeconfig, self.headers = faults, kubeconfig, headers
        self.calls: list[tuple[str, str]] = []

    def answers(self, answer: Answer) -> None:
        """Answer each request so (None: as ever) instead."""

        async def before(call: Call) -> web.StreamResponse | None:
            self.calls.append((call.method, call.path))
            return await answer(call)

        self.faults.before = before


@contextmanager
def behind_faults(handle: Handler, faults: Faults, directory: Path) -> Iterator[tuple[Cluster, LoopThread]]:
    headers: list[Any] = []

    async def seen(request: web.Request) -> web.StreamResponse:
        headers.append(request.headers)
        return await handle(request)

    with served(seen) as (url, thread):
        path = write_kubeconfig(directory / "kubeconfig", url)
        yield Cluster(faults, path, headers), thread


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """An API server whose answers a test makes up."""
    fake = FakeKube()
    with behind_faults(fake.handle, fake.faults, tmp_path) as (found, _):
        yield found


@pytest.fixture(params=BOTH_API_SERVERS)
def any_cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    """Both kinds of API server, for what they answer themselves."""
    if request.param == "in memory":
        yield request.getfixturevalue("cluster")
        return
    plane: ControlPlane = request.getfixturevalue("control_plane")
    forwarder = plane.forwarder()
    with behind_faults(forwarder.handle, forwarder.faults, tmp_path) as (found, thread):
        yield found
        thread.call(forwarder.close())
        plane.delete_previews("gh-812-")


@asynccontextmanager
async def connected(cluster: Cluster, **options: Any) -> AsyncIterator[Kube]:
    kube = await Kube.connect(cluster.kubeconfig, user_agent="previewbot/test", **options)
    try:
        yield kube
    finally:
        await kube.close()


def always(**answer: Any) -> Answer:
    async def respond(_: Call) -> web.StreamResponse:
        return web.Response(**answer)

    return respond


_ANSWERED_WITHIN = 30.0


async def hang(_: Call) -> web.StreamResponse | None:
    # Longer than the test may take: it ends only because the client gives up.
    await asyncio.sleep(600)
    return None


BAD_ANSWERS = {
    "401": (always(status=401, text='{"message":"Unauthorized"}'), Unauthorized),
    "403": (always(status=403, text='{"message":"previews is forbidden"}'), Forbidden),
    "409": (always(status=409, text="{}"), Conflict),
    "422": (always(status=422, text="{}"), Invalid),
    "429": (always(status=429, text="busy"), TryLater),
    "500": (always(status=500, text="[]"), TryLater),
    "a page of a proxy": (always(text="<html>sign in</html>", content_type="text/html"), TryLater),
    "half an object": (always(text='{"metadata":', content_type="application/json"), TryLater),
    "nothing": (always(text="null", content_type="application/json"), TryLater),
    "silence": (hang, TryLater),
}


@pytest.mark.parametrize(("answer", "error"), BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
async def test_a_bad_answer_is_an_error_of_ours_in_time_from_both_clients(
    cluster: Cluster, answer: Answer, error: type[RemoteError]
) -> None:
    cluster.answers(answer)
    # Only silence is waited for: of a machine that does much else an answer may take seconds.
    seconds = 0.5 if answer is hang else _ANSWERED_WITHIN
    async with connected(cluster, request_timeout=seconds) as kube:
        with pytest.raises(error):
            await kube.get_preview(NAME)
        with pytest.raises(error):
            await kube.list_for_watch(PREVIEWS, None)
        with pytest.raises(error):
            await kube.put_status({"metadata": {"name": NAME}})
    pages = PagesClient(cluster.kubeconfig, user_agent="previewbot/test", budget=seconds)
    with pytest.raises(error):
        await asyncio.to_thread(pages.get_preview, NAME)

    assert not await asyncio.to_thread(pages.ready)


async def test_a_server_that_is_away_is_an_error_of_ours_from_both_clients(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, "http://127.0.0.1:1")
    kube = await Kube.connect(path, user_agent="previewbot/test")
    for call in (
        kube.get_preview(NAME),
        kube.missing_resources([PREVIEWS]),
        kube.open_watch(PREVIEWS, None, "1", 290),
    ):
        with pytest.raises(TryLater):
            await call
    await kube.close()
    with pytest.raises(TryLater):
        WebClient(path, user_agent="previewbot/test").poke(PREVIEW.spec, POKE, create=True)


def test_a_poke_takes_no_longer_than_its_budget_even_if_each_of_its_calls_is_slow(cluster: Cluster) -> None:
    async def slow_no(call: Call) -> web.StreamResponse:
        await asyncio.sleep(0.4)
        missing = call.method == "PATCH"
        return web.json_response({"message": "no"}, status=404 if missing else 409)

    cluster.answers(slow_no)
    poker = WebClient(cluster.kubeconfig, user_agent="previewbot/test", budget=1.0)
    with pytest.raises(TryLater):
        poker.poke(PREVIEW.spec, POKE, create=True)

    # Without a budget it would try six times. How many of them begin in time depends on the machine.
    assert 1 <= len(cluster.calls) <= 3


@pytest.mark.parametrize("status", [500, 503, 429])
def test_the_sync_poke_is_one_attempt(cluster: Cluster, status: int) -> None:
    cluster.answers(always(status=status, headers={"Retry-After": "1"}))
    poker = WebClient(cluster.kubeconfig, user_agent="previewbot/test")
    with pytest.raises(TryLater) as raised:
        poker.poke(PREVIEW.spec, POKE, create=True)

    assert len(cluster.calls) == 1
    assert raised.value.after == 1


async def test_a_preview_that_comes_between_our_patch_and_our_create_is_patched(any_cluster: Cluster) -> None:
    """Whoever was first made it, and whatever it was about, our poke is on it."""
    cluster = any_cluster

    def made() -> None:
        other = replace(POKE, delivery_id="other")
        WebClient(cluster.kubeconfig, user_agent="other").poke(PREVIEW.spec, other, create=True)

    async def race(call: Call) -> None:
        if call.method == "POST" and len(cluster.calls) == 2:
            await asyncio.to_thread(made)

    for poke in (poke_async, poke_sync):
        cluster.calls.clear()
        cluster.answers(race)
        await poke(cluster)
        assert [method for method, _ in cluster.calls] == ["PATCH", "POST", "PATCH", "POST", "PATCH"]
        async with connected(cluster) as kube:
            preview = await kube.get_preview(NAME)
            assert preview is not None
            metadata = preview["metadata"]
            assert metadata["annotations"]["previewbot.dev/delivery-id"] == "1"
            await kube.delete_preview(NAME, metadata["uid"], metadata["resourceVersion"])


async def poke_async(cluster: Cluster) -> None:
    async with connected(cluster) as kube:
        assert await kube.poke(PREVIEW.spec, POKE, create=True)


async def poke_sync(cluster: Cluster) -> None:
    poker = WebClient(cluster.kubeconfig, user_agent="previewbot/test")
    assert await asyncio.to_thread(poker.poke, PREVIEW.spec, POKE, create=True)


@pytest.mark.parametrize("poke", [poke_async, poke_sync])
async def test_a_preview_that_keeps_coming_and_going_is_given_up_on(cluster: Cluster, poke: Any) -> None:
    async def never(call: Call) -> web.StreamResponse:
        return web.json_response({}, status=404 if call.method == "PATCH" else 409)

    cluster.answers(never)
    with pytest.raises(TryLater):
        await poke(cluster)
    assert len(cluster.calls) == 6


def test_many_threads_may_poke_at_once(any_cluster: Cluster) -> None:
    poker = WebClient(any_cluster.kubeconfig, user_agent="previewbot/test", budget=30)
    done: list[bool] = []

    def poke(number: int) -> None:
        spec = a_preview(name=f"gh-812-{100 + number % 3}").spec
        done.append(poker.poke(spec, POKE, create=True))

    threads = [threading.Thread(target=poke, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert done == [True] * 24
    pages = PagesClient(any_cluster.kubeconfig, user_agent="previewbot/test")
    assert all(pages.get_preview(f"gh-812-{100 + number}") for number in range(3))


async def test_more_watches_than_the_clients_default_of_connections_leave_room_for_calls(
    any_cluster: Cluster,
) -> None:
    async with connected(any_cluster, request_timeout=20) as kube:
        _, version = await kube.list_for_watch(PREVIEWS, None)
        watches = [await kube.open_watch(PREVIEWS, None, version, 60) for _ in range(110)]
        assert await kube.get_preview("gh-1-1") is None
        for watch in watches:
            watch.close()


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500])
async def test_a_watch_that_is_refused_says_so(cluster: Cluster, status: int) -> None:
    cluster.answers(always(status=status, text='{"message":"why"}'))
    async with connected(cluster) as kube:
        with pytest.raises(RemoteError) as raised:
            await kube.open_watch(PREVIEWS, None, "1", 290)

    assert (raised.value.status, raised.value.message) == (status, "why")


async def test_both_clients_say_who_they_are_and_send_their_token(cluster: Cluster) -> None:
    await poke_async(cluster)
    await poke_sync(cluster)

    assert {headers["User-Agent"] for headers in cluster.headers} == {"previewbot/test"}
    assert {headers["Authorization"] for headers in cluster.headers} == {"Bearer test"}


@pytest.mark.parametrize("content", [None, "", "{]", "clusters: 3"])
async def test_a_kubeconfig_that_cannot_be_used_is_an_error_of_the_settings(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"cluster\.kubeconfig"):
        await Kube.connect(path, user_agent="previewbot/test")
    with pytest.raises(SettingsError, match=r"cluster\.kubeconfig"):
        WebClient(path, user_agent="previewbot/test")


async def test_outside_a_pod_a_kubeconfig_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(SettingsError, match="no pod"):
        await Kube.connect(None, user_agent="previewbot/test")
    with pytest.raises(SettingsError, match="no pod"):
        WebClient(None, user_agent="previewbot/test")


@pytest.mark.parametrize(
    ("header", "after"),
    [("3", 3), ("0", 0), ("86400", 300), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("²", None)],
)
def test_how_long_to_wait_is_read_in_seconds_and_bounded(header: str, after: float | None) -> None:
    error = error_of("get", 429, "", {"Retry-After": header})

    assert isinstance(error, TryLater)
    assert error.after == after


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"kind":"Status","message":"no such thing"}', "no such thing"),
        (b'{"message":"bytes"}', "bytes"),
        ("[]", "[]"),
        (b"\xff", "\ufffd"),
        (None, ""),
        ("x" * 9999, "x" * 500),
    ],
)
def test_whatever_was_answered_becomes_one_short_message(body: Any, message: str) -> None:
    assert message_of(body) == message
    assert isinstance(error_of("get", None, body, None), TryLater)
    assert isinstance(error_of("get", 404, body, None), NotFound)
