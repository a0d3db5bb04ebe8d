"""What is sent to a link, and what is read of its answer: over real connections, with real TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from previewbot.api import Why
from previewbot.clients.link_names import Addresses, LookUp
from previewbot.clients.links import Limits, Links, Question
from previewbot.rules.hosts import where_to
from previewbot.rules.link_answers import Answer
from previewbot.rules.proxies import read_proxies
from tests.support.forward_proxy import ForwardProxy, forward_proxy
from tests.support.registry_tls import make_tls

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
HOST = "key.preview.example.com"
SOON = Limits(connect_seconds=0.3, whole_seconds=0.6)


@asynccontextmanager
async def behind(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve a handler on this machine; yields the port."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def known(*names: str) -> LookUp:
    """A name service that knows these names, all on this machine."""

    def look_up(name: str, port: int) -> Addresses:
        if name not in names:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, "127.0.0.1")]

    return look_up


def links(
    *names: str, limits: Limits = SOON, tls: ssl.SSLContext | None = None, proxy: ForwardProxy | None = None
) -> Links:
    proxies = read_proxies({"HTTP_PROXY": proxy.url} if proxy else {})
    return Links("previewbot-test", limits=limits, look_up=known(*names), tls=tls, proxies=proxies)


async def marked(_: web.BaseRequest) -> web.Response:
    response = web.Response(text="words that nobody reads", headers={"Mirrord-Agent": "Passed-Through"})
    response.headers.add("mirrord-key", "a, b")
    response.headers.add("Mirrord-Key", "c")
    return response


async def test_status_and_mirrord_s_headers_are_read_and_no_more() -> None:
    async with behind(marked) as port:
        found = await links(HOST).ask(Question(f"http://{HOST}:{port}/"))

    assert found == Answer(200, agents=("passed-through",), keys=("a", "b", "c"))


async def test_a_link_is_asked_as_it_is_written_and_with_nothing_of_ours() -> None:
    seen: list[web.BaseRequest] = []

    async def note(request: web.BaseRequest) -> web.Response:
        seen.append(request)
        response = web.Response()
        response.set_cookie("session", "1")
        return response

    async with behind(note) as port:
        asking = links(HOST)
        for _ in range(2):
            await asking.ask(Question(f"http://{HOST}:{port}/a%2Fb/../c?d=%20&e#f"))

    for request in seen:
        assert (request.method, request.raw_path) == ("GET", "/a%2Fb/../c?d=%20&e")
        assert request.headers["Host"] == f"{HOST}:{port}"
        assert request.headers["User-Agent"] == "previewbot-test (asks whether a link works)"
        assert set(request.headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
    assert len(seen) == 2


async def test_what_lets_a_question_past_the_guard_is_sent_and_the_guards_mark_is_read() -> None:
    seen: list[web.BaseRequest] = []

    async def refuse(request: web.BaseRequest) -> web.Response:
        seen.append(request)
        return web.Response(status=401, headers={"X-Previewbot-Guard": "refused Pr00f"})

    async with behind(refuse) as port:
        question = Question(f"http://{HOST}:{port}/", bearer="pvb1.x", pretends="another.example")
        found = await links(HOST).ask(question)

    assert found == Answer(401, from_guard=True, proof="Pr00f")
    assert seen[0].headers["x-previewbot-bearer"] == "pvb1.x"
    assert (seen[0].headers["Host"], seen[0].headers["X-Forwarded-Host"]) == (
        f"{HOST}:{port}",
        "another.example",
    )
    assert "pvb1" not in repr(question)


async def test_a_name_that_is_not_known_here_is_looked_for_where_the_gateway_is() -> None:
    hosts: list[str] = []

    async def note(request: web.BaseRequest) -> web.Response:
        hosts.append(request.host)
        return web.Response()

    async with behind(note) as port:
        for address in ("127.0.0.1", "gateway.example.net"):
            asking = links("127.0.0.1", "gateway.example.net")
            found = await asking.ask(Question(f"http://{HOST}:{port}/", ("nobody.example.net", address)))
            assert found.status == 200

    assert hosts == [f"{HOST}:{port}"] * 2


async def test_a_name_that_is_known_leads_where_it_leads_whatever_the_gateway_says() -> None:
    async with behind(marked) as port:
        found = await links(HOST).ask(Question(f"http://{HOST}:{port}/", ("192.0.2.1",)))

    assert found.status == 200


async def test_staging_is_asked_at_the_very_place_of_the_link() -> None:
    hosts: list[str] = []

    async def note(request: web.BaseRequest) -> web.Response:
        hosts.append(request.host)
        return web.Response()

    async with behind(note) as port:
        question = Question(f"http://{HOST}:{port}/cart", host="staging.example.com")
        assert (await links(HOST).ask(question)).status == 200

    assert hosts == ["staging.example.com"]


async def test_names_below_localhost_are_this_machine_as_for_every_browser() -> None:
    async with behind(marked) as port:
        found = await Links("previewbot-test").ask(Question(f"http://key.preview.localhost:{port}/"))

    assert found.status == 200


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    asked: list[str] = []

    async def away(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "https://login.example.com/?next=x"})

    async def within(request: web.BaseRequest) -> web.Response:
        return web.Response(status=302, headers={"Location": "/cart"})

    async with behind(away) as port:
        found = await links(HOST, "login.example.com").ask(Question(f"http://{HOST}:{port}/"))
    async with behind(within) as port:
        here = await links(HOST).ask(Question(f"http://{HOST}:{port}/"))

    assert (found, asked) == (Answer(302, leads_to="login.example.com", leads_to_path="/"), ["/"])
    assert here == Answer(302)


async def test_the_beginning_of_a_check_s_answer_is_read() -> None:
    async def long(_: web.BaseRequest) -> web.Response:
        return web.Response(body=b"\xff" + b"x" * 100_000)

    async with behind(long) as port:
        found = await links(HOST, limits=Limits(body=1000)).ask(
            Question(f"http://{HOST}:{port}/baggage", reads_body=True)
        )

    assert found.body == "�" + "x" * 999


@pytest.mark.parametrize(
    ("location", "leads_to", "comes_back"),
    [
        ("/login", "", False),
        ("https://key.preview.example.com/cart", "", False),
        ("https://KEY.preview.example.com:443/cart", "", False),
        ("http://key.preview.example.com:80/", "", False),
        ("https://previews.example.com:443/p/812/42", "previews.example.com", False),
        ("http://previews.example.com:80/p/812/42", "previews.example.com", False),
        ("https://previews.example.com:8443/p/812/42", "previews.example.com:8443", False),
        ("//Staging.example.com/", "staging.example.com", False),
        ("https://somebody@staging.example.com./", "staging.example.com", False),
        ("https://[2001:DB8::1]:443/", "[2001:db8::1]", False),
        ("https://staging.example.com/?r=https%3A%2F%2Fkey.preview.example.com", "staging.example.com", True),
        ("https://staging.example.com/?rd=//key.preview.example.com/", "staging.example.com", True),
        ("https://staging.example.com/key.preview.example.com", "staging.example.com", False),
        ("javascript:alert(1)", "", False),
        ("https://[::1", "", False),
        ("https://staging.example.com:99999/", "", False),
    ],
)  # fmt: skip
def test_where_a_redirect_leads_is_a_host_and_the_port_that_is_not_the_scheme_s_own(
    location: str, leads_to: str, comes_back: bool
) -> None:
    """Of gateways some write `:443` into a redirect, and others do not."""
    told = where_to(location, f"https://{HOST}/")

    assert told == (leads_to, comes_back)


async def test_more_are_looked_up_than_can_be_at_once_and_each_has_its_turn() -> None:
    """The checks of one preview alone may be more than there are threads for names."""
    async with behind(marked) as port:
        asking = links(HOST, limits=Limits(look_ups=2))
        found = await asyncio.gather(*(asking.ask(Question(f"http://{HOST}:{port}/{n}")) for n in range(12)))

    assert [each.status for each in found] == [200] * 12


async def test_a_certificate_of_an_authority_that_is_known_is_taken(tmp_path: Path) -> None:
    found = await _over_tls(tmp_path, "localhost", trusted=True)

    assert found.status == 200


async def test_a_certificate_of_an_authority_that_is_not_known_here_is_told_apart(tmp_path: Path) -> None:
    assert await _over_tls(tmp_path, "localhost", trusted=False) == Answer(failure=Why.UNKNOWN_AUTHORITY)


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    assert await _over_tls(tmp_path, HOST, trusted=True) == Answer(failure=Why.CERTIFICATE)


async def test_for_staging_the_certificate_has_to_be_staging_s(tmp_path: Path) -> None:
    refused = await _over_tls(tmp_path, HOST, trusted=True, host="staging.example.com")
    taken = await _over_tls(tmp_path, HOST, trusted=True, host="localhost")

    assert refused == Answer(failure=Why.CERTIFICATE)
    assert taken.status == 200


async def _over_tls(directory: Path, name: str, *, trusted: bool, host: str = "") -> Answer:
    tls = make_tls(directory)
    client = ssl.create_default_context(cafile=tls.ca_file if trusted else None)
    async with behind(marked, tls.server_context()) as port:
        return await links(name, tls=client).ask(Question(f"https://{name}:{port}/", host=host))


async def test_that_nobody_answers_is_told_by_kind() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        refusing = nobody.getsockname()[1]
        assert await links().ask(Question(f"http://{HOST}/")) == Answer(failure=Why.NO_NAME)
        assert await links(HOST).ask(Question(f"http://{HOST}:{refusing}/")) == Answer(
            failure=Why.NO_CONNECTION
        )
        nobody.listen()
        assert await links(HOST).ask(Question(f"http://{HOST}:{refusing}/")) == Answer(failure=Why.TOO_LATE)
    async with behind(marked) as port:
        assert await links(HOST).ask(Question(f"https://{HOST}:{port}/")) == Answer(failure=Why.NO_HTTP)


async def test_a_name_that_is_looked_up_without_end_holds_nobody_up() -> None:
    waits = threading.Event()

    def look_up(name: str, port: int) -> Addresses:
        if name != HOST:
            waits.wait(30)
        return [(socket.AF_INET, "127.0.0.1")]

    try:
        async with behind(marked) as port:
            asking = Links("previewbot-test", limits=Limits(0.1, 0.2, look_ups=2), look_up=look_up)
            for number in range(4):
                silent = await asking.ask(Question(f"http://silent-{number}.example.com:{port}/"))
                assert silent == Answer(failure=Why.TOO_LATE)
            others = Links("previewbot-test", limits=SOON, look_up=look_up)
            assert (await others.ask(Question(f"http://{HOST}:{port}/"))).status == 200
    finally:
        waits.set()


# Through a proxy, without TLS: its own error looks like the link's


@pytest.mark.parametrize("status", [403, 502, 503, 504])
async def test_an_error_of_the_proxy_is_not_taken_for_the_link_s(status: int) -> None:
    with forward_proxy(refuses=status) as proxy:
        async with behind(marked) as port:
            found = await links(HOST, limits=Limits(), proxy=proxy).ask(Question(f"http://{HOST}:{port}/"))

    assert proxy.asked == [f"GET http://{HOST}:{port}/"]
    assert (found.status, found.failure) == (200, None)


async def test_an_error_that_came_through_the_proxy_counts_where_there_is_no_other_way() -> None:
    with forward_proxy(refuses=503) as proxy:
        found = await links(limits=Limits(), proxy=proxy).ask(Question(f"http://{HOST}:8080/"))

    assert (found.status, found.failure) == (503, None)


async def test_an_error_that_mirrord_marked_came_from_the_link() -> None:
    asked = 0

    async def failing(_: web.BaseRequest) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=502, headers={"Mirrord-Agent": "forwarded-to-client"})

    async with behind(failing) as port:
        with forward_proxy(hosts={HOST: port}) as proxy:
            found = await links(HOST, limits=Limits(), proxy=proxy).ask(Question(f"http://{HOST}:{port}/"))

    assert (found.status, found.agents, asked) == (502, ("forwarded-to-client",), 1)


async def test_another_host_at_the_link_s_place_is_not_asked_of_a_proxy() -> None:
    hosts: list[str] = []

    async def note(request: web.BaseRequest) -> web.Response:
        hosts.append(request.headers["Host"])
        return web.Response()

    with forward_proxy(refuses=502) as proxy:
        async with behind(note) as port:
            question = Question(f"http://{HOST}:{port}/", host="staging.example.com")
            await links(HOST, limits=Limits(), proxy=proxy).ask(question)

    assert (proxy.asked, hosts) == ([], ["staging.example.com"])
