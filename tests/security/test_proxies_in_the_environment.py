"""Attack: to have a variable set in the pods (an injector that gives each container HTTPS_PROXY), and listen.

What is said to the API server would go to a host that is meant for what lies outside. A proxy for the API
server is named in the kubeconfig. GitHub and registries do go through HTTPS_PROXY, encrypted from end to end
(`tests/contract/test_forward_proxy.py`), and by no other variable.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web

from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.pages_client import PagesClient
from previewbot.clients.outgoing import client_session
from previewbot.errors import RemoteError
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.servers import served

NAMED = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


class Listener:
    """A proxy that notes what it is asked for."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.heard.append(f"{request.method} {request.url.path}")
        return web.json_response({"metadata": {"name": "gh-812-42"}})


@pytest.fixture
def proxy() -> Iterator[tuple[str, Listener]]:
    listener = Listener()
    with served(listener.handle) as (url, _):
        yield url, listener


@pytest.fixture
def listener(proxy: tuple[str, Listener], monkeypatch: pytest.MonkeyPatch) -> Listener:
    """A proxy that the environment names in every way there is."""
    for name in NAMED:
        monkeypatch.setenv(name, proxy[0])
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return proxy[1]


@pytest.fixture
def server() -> Iterator[str]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({"metadata": {"name": "the server's own"}})

    with served(answer) as (url, _):
        yield url


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with client_session(aiohttp.ClientTimeout(total=10)) as session:
        yield session


def test_pages_asks_the_api_server_itself(listener: Listener, server: str, tmp_path: Path) -> None:
    client = PagesClient(write_kubeconfig(tmp_path / "kubeconfig", server), user_agent="test")

    assert client.get_preview("gh-812-42") == {"metadata": {"name": "the server's own"}}
    assert listener.heard == []


async def test_the_controller_asks_the_api_server_itself(
    listener: Listener, server: str, tmp_path: Path
) -> None:
    kube = await Kube.connect(write_kubeconfig(tmp_path / "kubeconfig", server), user_agent="test")
    try:
        assert await kube.get_preview("gh-812-42") == {"metadata": {"name": "the server's own"}}
    finally:
        await kube.close()

    assert listener.heard == []


async def test_nothing_but_what_the_start_has_read_leads_github_and_registries_elsewhere(
    listener: Listener, server: str, session: aiohttp.ClientSession
) -> None:
    async with session.get(server) as answer:
        assert (await answer.json())["metadata"]["name"] == "the server's own"

    assert listener.heard == []


async def test_a_proxy_that_the_kubeconfig_names_is_asked(
    proxy: tuple[str, Listener], tmp_path: Path
) -> None:
    path = write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:9")
    document = yaml.safe_load(path.read_text("utf-8"))
    document["clusters"][0]["cluster"]["proxy-url"] = proxy[0]
    path.write_text(yaml.safe_dump(document), "utf-8")

    PagesClient(path, user_agent="test").get_preview("gh-812-42")
    kube = await Kube.connect(path, user_agent="test")
    try:
        await kube.get_preview("gh-812-42")
    finally:
        await kube.close()

    assert len(proxy[1].heard) == 2


async def test_a_password_that_lies_about_for_the_api_server_is_not_sent(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization", ""))
        return web.json_response({})

    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with served(answer) as (url, _):
        path = write_kubeconfig(tmp_path / "kubeconfig", url, {"username": ""})
        kube = await Kube.connect(path, user_agent="test")
        try:
            await kube.get_preview("gh-812-42")
        except RemoteError:
            pass
        finally:
            await kube.close()

    assert seen == [""]
