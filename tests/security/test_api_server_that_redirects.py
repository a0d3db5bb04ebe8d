"""Attack: to answer in the API server's place, or from behind it, with "that is over there".

Whoever follows would bring its requests, and with a redirect that keeps them what they say, to an address
that no setting names: from inside the perimeter to outside of it, or to one that only we can reach.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from previewbot.api import Poke, Preview
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.pages_client import PagesClient
from previewbot.clients.kubernetes.resources import PREVIEWS
from previewbot.clients.kubernetes.web_client import WebClient
from previewbot.errors import RemoteError
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.previews import a_preview
from tests.support.servers import served

NAME = "gh-812-42"
POKE = Poke(delivery_id="d-1")


class Elsewhere:
    """Notes who comes, and answers all of them with what they may have asked for."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(f"{request.method} {request.path}")
        return web.json_response({"metadata": {"name": NAME}, "items": []})


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, Elsewhere]]:
    there = Elsewhere()
    with served(there.handle) as (url, _):
        # As another host, as far as a client can tell.
        yield url.replace("127.0.0.1", "localhost"), there


@pytest.fixture(params=[301, 302, 303, 307, 308])
def kubeconfig(
    request: pytest.FixtureRequest, elsewhere: tuple[str, Elsewhere], tmp_path: Path
) -> Iterator[Path]:
    async def redirect(asked: web.Request) -> web.StreamResponse:
        return web.Response(status=request.param, headers={"Location": elsewhere[0] + asked.raw_path})

    with served(redirect) as (url, _):
        yield write_kubeconfig(tmp_path / "kubeconfig", url)


@pytest.fixture
async def kube(kubeconfig: Path) -> AsyncIterator[Kube]:
    client = await Kube.connect(kubeconfig, user_agent="test")
    yield client
    await client.close()


def preview() -> Preview:
    return a_preview(name=NAME)


CONTROLLER: dict[str, Callable[[Kube], Awaitable[object]]] = {
    "reads": lambda kube: kube.get_preview(NAME),
    "lists": lambda kube: kube.list_children(PREVIEWS, "staging", "a=b"),
    "writes": lambda kube: kube.poke(preview().spec, POKE, create=True),
    "deletes": lambda kube: kube.delete_preview(NAME, "uid-1", "1"),
    "reads a log": lambda kube: kube.pod_log("staging", "web-1", "web", previous=False),
}

WEB: dict[str, Callable[[Path], object]] = {
    "pages reads": lambda path: PagesClient(path, user_agent="test").get_preview(NAME),
    "web writes": lambda path: WebClient(path, user_agent="test").poke(preview().spec, POKE, create=True),
}


@pytest.mark.parametrize("what", CONTROLLER)
async def test_the_controller_goes_nowhere_else(
    what: str, kube: Kube, elsewhere: tuple[str, Elsewhere]
) -> None:
    with pytest.raises(RemoteError):
        await CONTROLLER[what](kube)

    assert elsewhere[1].seen == []


@pytest.mark.parametrize("what", WEB)
def test_web_and_pages_go_nowhere_else(what: str, kubeconfig: Path, elsewhere: tuple[str, Elsewhere]) -> None:
    with pytest.raises(RemoteError):
        WEB[what](kubeconfig)

    assert elsewhere[1].seen == []
