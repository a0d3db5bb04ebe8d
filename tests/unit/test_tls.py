"""What is closed is closed, also when the peer of a TLS connection never says goodbye."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
import warnings
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.resources import PREVIEWS
from previewbot.clients.outgoing import client_session
from previewbot.clients.registry.transport import Limits, RegistryRequest, Transport
from previewbot.clients.tls import end_at_once
from previewbot_demo.kubeapi import KubeApi
from tests.support.clock import Clock
from tests.support.github_town import a_github
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.registry_tls import Tls, make_tls

_WATCH = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n"


@dataclass(frozen=True)
class Silent:
    """A server that answers the first bytes of a watch, or nothing, and then never says a word."""

    url: str
    tls: Tls
    asked: threading.Event

    def kubeconfig(self, directory: Path) -> Path:
        """Return a kubeconfig for this server."""
        return write_kubeconfig(directory / "kubeconfig", self.url, authority=self.tls.ca_file)


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Silent]:
    tls, asked, taken = make_tls(tmp_path / "tls"), threading.Event(), list[ssl.SSLSocket]()
    context = tls.server_context()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection = context.wrap_socket(listening.accept()[0], server_side=True)
            taken.append(connection)
            if b"watch=true" in connection.recv(65_536):
                connection.sendall(_WATCH)
            asked.set()

        thread = threading.Thread(target=serve)
        thread.start()
        yield Silent(f"https://127.0.0.1:{listening.getsockname()[1]}", tls, asked)
        thread.join()
        for connection in taken:
            connection.close()


async def _given_up(call: Awaitable[object], asked: threading.Event) -> None:
    """Give a call up once the server has read it."""
    task = asyncio.ensure_future(call)
    await asyncio.to_thread(asked.wait)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _watch(silent: Silent, directory: Path) -> None:
    kube = await Kube.connect(silent.kubeconfig(directory), user_agent="test")
    response = await kube.open_watch(PREVIEWS, None, "1", 60)
    await response.content.readany()
    response.close()
    await kube.close()


async def _request(silent: Silent, directory: Path) -> None:
    kube = await Kube.connect(silent.kubeconfig(directory), user_agent="test")
    await _given_up(kube.get_preview("pr-1-1"), silent.asked)
    await kube.close()


async def _request_of_the_demo(silent: Silent, directory: Path) -> None:
    kube = KubeApi(silent.url, "test", authority=silent.tls.ca_file)
    await _given_up(kube.get("/"), silent.asked)
    await kube.close()


async def _request_to_a_registry(silent: Silent, directory: Path) -> None:
    async with aiohttp.ClientSession() as session:
        request = RegistryRequest("registry", silent.url)
        await _given_up(Transport(session, Limits()).send(request, silent.tls.ca_file), silent.asked)


async def _request_to_a_registry_that_the_system_trusts(silent: Silent, directory: Path) -> None:
    async with client_session() as session:
        request = RegistryRequest("registry", silent.url)
        await _given_up(Transport(session, Limits()).send(request, None), silent.asked)


async def _request_to_github(silent: Silent, directory: Path) -> None:
    async with client_session() as session:
        await _given_up(a_github(session, silent.url, Clock()).installations(), silent.asked)


async def _any_client(silent: Silent, directory: Path) -> None:
    context = end_at_once(ssl.create_default_context(cafile=silent.tls.ca_file))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        await _given_up(session.get(silent.url), silent.asked)


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(_watch, id="a watch that is closed in the middle"),
        pytest.param(_request, id="a request that is given up"),
        pytest.param(_request_of_the_demo, id="a request of the demo that is given up"),
        pytest.param(_request_to_a_registry, id="a request to a registry that is given up"),
        pytest.param(
            _request_to_a_registry_that_the_system_trusts,
            id="a request to a public registry that is given up",
        ),
        pytest.param(_request_to_github, id="a request to GitHub that is given up"),
        pytest.param(_any_client, id="any client"),
    ],
)
def test_no_connection_outlives_its_loop(
    use: Callable[[Silent, Path], Awaitable[None]],
    silent: Silent,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Whom the system trusts, for those who trust nobody else.
    monkeypatch.setenv("SSL_CERT_FILE", str(silent.tls.ca_file))

    async def main() -> None:
        await use(silent, tmp_path)

    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(main())
        gc.collect()

    assert [str(warning.message) for warning in told if warning.category is ResourceWarning] == []
