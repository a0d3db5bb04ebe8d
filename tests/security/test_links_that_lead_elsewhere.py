"""What answers at a link wants previewbot to ask somebody else, from inside of the cluster."""

from __future__ import annotations

import socket

import pytest
from aiohttp import web

from previewbot.clients.link_names import Addresses
from previewbot.clients.links import Limits, Links, Question
from previewbot.config.repository import parsing
from previewbot.errors import ConfigurationError
from tests.support.passes import CONFIGURATION
from tests.support.servers import served

HOST = "key.preview.example.com"
METADATA = "169.254.169.254"


class Names:
    """A name service by which everything is on this machine, and which notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, name: str, port: int) -> Addresses:
        self.asked.append(name)
        return [(socket.AF_INET, "127.0.0.1")]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("reads_body", [False, True])
async def test_a_redirect_leads_previewbot_nowhere(status: int, reads_body: bool) -> None:
    paths: list[str] = []

    async def away(request: web.Request) -> web.StreamResponse:
        paths.append(request.path)
        return web.Response(status=status, headers={"Location": f"http://{METADATA}/latest/meta-data"})

    names = Names()
    with served(away) as (url, _):
        port = url.rpartition(":")[2]
        question = Question(f"http://{HOST}:{port}/", reads_body=reads_body)
        found = await Links("previewbot-test", look_up=names).ask(question)

    assert (found.status, found.leads_to) == (status, METADATA)
    assert (names.asked, paths) == ([HOST], ["/"])


async def test_the_host_of_staging_s_url_is_asked_for_and_never_gone_to() -> None:
    hosts: list[str] = []

    async def note(request: web.Request) -> web.StreamResponse:
        hosts.append(request.host)
        return web.Response()

    names = Names()
    with served(note) as (url, _):
        port = url.rpartition(":")[2]
        question = Question(f"http://{HOST}:{port}/", host=f"{METADATA}:80")
        found = await Links("previewbot-test", look_up=names).ask(question)

    assert found.status == 200
    assert (names.asked, hosts) == ([HOST], [f"{METADATA}:80"])


async def test_a_cookie_of_one_link_goes_to_no_other() -> None:
    cookies: list[str | None] = []

    async def baked(request: web.Request) -> web.StreamResponse:
        cookies.append(request.headers.get("Cookie"))
        response = web.Response(headers={"WWW-Authenticate": "Basic"})
        response.set_cookie("taken", "along", domain=".preview.example.com")
        return response

    with served(baked) as (url, _):
        port = url.rpartition(":")[2]
        links = Links("previewbot-test", look_up=Names())
        for name in ("one", "other"):
            await links.ask(Question(f"http://{name}.preview.example.com:{port}/"))

    assert cookies == [None, None]


async def test_a_proxy_of_the_environment_sees_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fine(_: web.Request) -> web.StreamResponse:
        return web.Response()

    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with served(fine) as (url, _):
        port = url.rpartition(":")[2]
        links = Links("previewbot-test", limits=Limits(1, 2), look_up=Names())
        assert (await links.ask(Question(f"http://{HOST}:{port}/"))).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "https://169.254.169.254/",
        "//169.254.169.254/",
        "@169.254.169.254/",
        ".internal/",
        "/\\\\169.254.169.254/",
    ],
)
@pytest.mark.parametrize("key", ["open", "check"])
def test_a_path_of_the_file_stays_a_path_of_the_link(key: str, path: str) -> None:
    text = CONFIGURATION.replace("    ports: [8080]\n", f"    ports: [8080]\n    {key}: '{path}'\n", 1)

    with pytest.raises(ConfigurationError, match=f"`{key}` must"):
        parsing.parse(text)
