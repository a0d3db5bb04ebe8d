"""The camera of `previewbot pictures`, a real Chromium: what it shows of pages, and what it says in words."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from previewbot.api.pictures import SIZES, Device, NoPicture, Picture, PictureState, Side
from previewbot.clients.pictures import PicturesClient
from previewbot.engine import guarded
from previewbot.engine.routes import COMMIT_HEADER
from previewbot.errors import TryLater
from previewbot.people.passes import COOKIE
from previewbot.pictures.album import Job
from previewbot.pictures.camera import Camera, chromium_here
from previewbot.pictures.look import Patience
from previewbot.rules.pictures import Place, Wish, judged
from previewbot.rules.pictures_health import BrowserState

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Browsers keep `__Host-` cookies without TLS at this machine alone.
OURS, STAGING, ELSEWHERE = "key.preview.localhost", "staging.test", "elsewhere.test"
NAME, SHA, BEARER = "gh-812-42", "a" * 40, "pvb1.key.1.x"
RAINBOW = (
    "<body style='margin:0;height:100vh;background:linear-gradient(red,orange,yellow,green,blue,violet)'>"
)
# A page that sends to a port of this machine, and asks a server there for its own address.
BY_UDP = """<script>(async () => {
  const one = new RTCPeerConnection({iceServers: [{urls: 'stun:127.0.0.1:PORT'}]})
  const two = new RTCPeerConnection()
  one.createDataChannel('x')
  await one.setLocalDescription(await one.createOffer())
  await two.setRemoteDescription(one.localDescription)
  await two.setLocalDescription(await two.createAnswer())
  await one.setRemoteDescription(two.localDescription)
  const candidate = 'candidate:1 1 udp 2122260223 127.0.0.1 PORT typ host'
  await one.addIceCandidate({candidate, sdpMid: '0', sdpMLineIndex: 0})
  const sent = new Image()
  sent.src = '/sent'
  document.body.append(sent)
})()</script><img src='/slow'>"""
_PATIENCE = Patience(load=30.0, poll=15.0, still=0.3, rest=30.0)
_IMPATIENT = replace(_PATIENCE, load=3.0, poll=2.0)
"""For pages that never have all that they ask for: a busy machine must not make others look like them."""
LOOPBACK = dict.fromkeys((OURS, STAGING), "127.0.0.1")


@dataclass
class Site:
    """Answers for all hosts at one port, and keeps who was asked for what with which cookie.

    Before OURS there is what the guard does, whose own answers tests/unit/test_guard.py has.
    """

    port: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    methods: list[tuple[str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    broken: bool = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        host = request.host.partition(":")[0]
        within = request.path_qs
        if host == OURS and guarded.values_in(within, guarded.BEARER) == [BEARER]:
            response = web.HTTPFound(f"http://{request.host}{guarded.without(within)}")
            response.set_cookie(COOKIE, "sealed", secure=True, httponly=True, samesite="Lax", path="/")
            raise response
        self.asked.append((host, request.path, request.headers.get("Cookie", "")))
        self.methods.append((request.method, request.path))
        self.told += [*request.query.values(), request.headers.get("Referer", "")]
        if host == OURS and COOKIE not in request.cookies:
            return web.Response(status=401, text=RAINBOW, content_type="text/html")
        there = f"{ELSEWHERE}:{self.port}"
        pages = {
            "/": RAINBOW,
            "/blank": "<body style='background:white'>",
            "/huge": f"{RAINBOW}<div style='height:200000px;width:9000px'>",
            "/by-script": f"{RAINBOW}<script>location = 'http://{there}/'</script>",
            "/assets": f"{RAINBOW}<img src='http://{there}/a'><img src='http://127.0.0.1:{self.port}/b'>"
            f"<img src='/away'><img src='http://{STAGING}:{self.port}/c'><img src='/to-staging'>"
            f"<script>new WebSocket('ws://127.0.0.1:{self.port}/d');"
            "new WebSocket('ws://' + location.host + '/e');"
            f"fetch('http://{STAGING}:{self.port}/f', {{method: 'DELETE'}}); alert(1);"
            "navigator.sendBeacon('/g?' + new URLSearchParams({seen: [...performance.getEntries()]"
            ".map((each) => each.name).join(' ')}))</script>",
            "/500-and-none": f"{RAINBOW}<script>location = '/none'</script>",
            "/to-nothing": "<body><script>location = 'about:blank'</script>",
            "/by-others": f"<body style='background:white'><script src='http://{there}/app.js'></script>",
            "/late": f"<body><script>fetch('/slow').then(() => document.write(`{RAINBOW}`));"
            "new EventSource('/endless')</script>",
            "/loops": f"{RAINBOW}<script>while (true) {{}}</script>",
        }
        if request.path == "/udp":
            pages["/udp"] = RAINBOW + BY_UDP.replace("PORT", request.query["port"])
        match request.path:
            case "/slow":
                await asyncio.sleep(1)
            case "/500" | "/500-and-none":
                return web.Response(
                    status=500, text=pages.get(request.path, RAINBOW), content_type="text/html"
                )
            case "/none":
                return web.Response(status=204)
            case "/silent":
                await asyncio.sleep(60)
            case "/next-commit":
                return web.Response(text=RAINBOW, content_type="text/html", headers={COMMIT_HEADER: "b" * 40})
            case "/away" | "/away-and-back":
                raise web.HTTPFound(f"http://{there}/")
            case "/to-staging":
                raise web.HTTPFound(f"http://{STAGING}:{self.port}/landed")
            case "/download":
                return web.Response(body=b"x", headers={"Content-Disposition": "attachment; filename=x.zip"})
            case "/endless":
                return await self._drops(request)
        if request.path not in pages:
            return web.Response(status=404)
        return web.Response(text=pages[request.path], content_type="text/html")

    async def _drops(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        # Until the browser has had enough of it.
        with suppress(ConnectionResetError):
            for _ in itertools.count():
                await response.write(RAINBOW.encode())
                await asyncio.sleep(0.1)
        return response

    def wish(self, *paths: str, sha: str = SHA, bearer: str = BEARER) -> Wish:
        urls = [(path, *(f"http://{host}:{self.port}{path}" for host in (OURS, STAGING))) for path in paths]
        until = datetime.now(UTC) + timedelta(hours=1)
        return Wish(sha, until, tuple(Place(*each) for each in urls), bearer)


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[int]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncIterator[Site]:
    found, app = Site(), web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    async with served(app) as port:
        found.port = port
        yield found


def size_of(png: bytes) -> tuple[int, ...]:
    return struct.unpack(">II", png[16:24])


def with_patience(patience: Patience) -> Camera:
    chromium = chromium_here()
    assert chromium is not None, "there is no Chromium: apt-get install chromium"
    return Camera(chromium, patience, LOOPBACK)


@pytest.fixture(scope="module")
def camera() -> Camera:
    return with_patience(_PATIENCE)


@pytest.fixture(scope="module")
def impatient() -> Camera:
    return with_patience(_IMPATIENT)


async def look(
    camera: Camera, site: Site, path: str, device: Device = Device.PHONE, side: Side = Side.AFTER
) -> tuple[Picture, bytes]:
    """Take one picture; return how it stands then."""
    job = Job(NAME, site.wish(path), Picture(path, device, side))
    seen, content = await camera.take(job)
    return judged(job.picture, seen, job.url, SHA), content


NO_EVIDENCE = {
    "/500": (NoPicture.STATUS, 500),
    "/500-and-none": (NoPicture.STATUS, 500),
    "/404": (NoPicture.STATUS, 404),
    "/away": (NoPicture.OTHER_HOST, 0),
    "/by-script": (NoPicture.OTHER_HOST, 0),
    "/next-commit": (NoPicture.OTHER_COMMIT, 0),
    "/blank": (NoPicture.BLANK, 0),
    "/by-others": (NoPicture.LEFT_OUT, 0),
    "/to-nothing": (NoPicture.NO_ANSWER, 0),
    "/silent": (NoPicture.NO_ANSWER, 0),
    "/endless": (NoPicture.TOO_LATE, 0),
    "/loops": (NoPicture.TOO_LATE, 0),
    "/download": (NoPicture.NO_PAGE, 0),
}
NEVER_DONE = ("/silent", "/endless", "/loops", "/500-and-none")


@pytest.mark.parametrize("path", NO_EVIDENCE)
async def test_what_is_no_evidence_is_said_in_words(
    camera: Camera, impatient: Camera, site: Site, path: str
) -> None:
    picture, _ = await look(impatient if path in NEVER_DONE else camera, site, path)

    assert (picture.state, picture.why, picture.answered) == (PictureState.REFUSED, *NO_EVIDENCE[path])


@pytest.mark.parametrize(("path", "device"), [("/huge", Device.PHONE), ("/late", Device.DESKTOP)])
async def test_a_page_is_pictured_as_far_as_it_is_seen_first_with_what_it_asked_for(
    camera: Camera, site: Site, path: str, device: Device
) -> None:
    picture, content = await look(camera, site, path, device)

    assert (picture.state, size_of(content)) == (PictureState.TAKEN, SIZES[device])


async def test_nothing_but_the_two_hosts_is_reached_and_staging_never_gets_the_bearer(
    camera: Camera, site: Site
) -> None:
    site.asked.clear()

    after, _ = await look(camera, site, "/assets")
    before, _ = await look(camera, site, "/", side=Side.BEFORE)

    assert (after.state, before.state) == (PictureState.TAKEN, PictureState.TAKEN)
    asked = {each for each in site.asked if each[1] != "/favicon.ico"}
    # Of a redirect to staging, too; and what would change something there is asked for first (`OPTIONS`).
    assert asked == {
        (OURS, path, f"{COOKIE}=sealed") for path in ("/assets", "/away", "/to-staging", "/e", "/g")
    } | {(STAGING, path, "") for path in ("/c", "/landed", "/f", "/")}
    assert ("DELETE", "/f") not in site.methods
    assert not any(BEARER in told for told in site.told)


class Heard(asyncio.DatagramProtocol):
    """Keeps what is sent to a port of this machine."""

    def __init__(self) -> None:
        self.datagrams: list[bytes] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.datagrams.append(data)


async def test_a_page_sends_nothing_by_udp_to_a_number(camera: Camera, site: Site) -> None:
    transport, heard = await asyncio.get_running_loop().create_datagram_endpoint(
        Heard, local_addr=("127.0.0.1", 0)
    )
    site.asked.clear()
    try:
        picture, _ = await look(camera, site, f"/udp?port={transport.get_extra_info('sockname')[1]}")
    finally:
        transport.close()

    assert (picture.state, heard.datagrams) == (PictureState.TAKEN, [])
    # It had begun to send, and had time to.
    assert "/sent" in {path for _, path, _ in site.asked}


@pytest.mark.parametrize("host", [ELSEWHERE, "localhost", "127.0.0.1", "0.0.0.0", "169.254.169.254"])
async def test_a_host_that_nobody_knows_or_that_is_this_machine_is_no_picture(
    camera: Camera, site: Site, host: str
) -> None:
    elsewhere = Place("/", f"http://{host}:{site.port}/", f"http://{STAGING}:{site.port}/")
    job = Job(NAME, replace(site.wish("/"), places=(elsewhere,)), Picture("/", Device.PHONE, Side.AFTER))

    seen, content = await camera.take(job)

    assert (seen.failure, content) == (NoPicture.NO_ANSWER, b"")


async def test_whether_the_browser_starts_is_known_and_why_not(camera: Camera, tmp_path: Path) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho libnss3.so: cannot open shared object file >&2\nkill -9 $$\n")
    broken.chmod(0o700)
    other = Camera(str(broken), _PATIENCE, LOOPBACK)

    for each in (camera, other, Camera(str(tmp_path / "nowhere"))):
        await each.try_browser()
        wanted = BrowserState.OK if each is camera else BrowserState.CANNOT_START
        assert each.browser is wanted
    assert other.why == "libnss3.so: cannot open shared object file; exitCode=null, signal=SIGKILL"
    seen, _ = await other.take(Job(NAME, Site(port=9).wish("/"), Picture("/", Device.PHONE, Side.AFTER)))
    assert seen.failure is NoPicture.OTHER


async def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0123456789abcdef0123456789abcdef\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ("--bind", f"127.0.0.1:{port}", "--token-file", "token", "--folder", "kept")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "previewbot", "pictures", *arguments), cwd=tmp_path
    )
    try:
        client = PicturesClient(
            f"http://127.0.0.1:{port}", lambda: b"0123456789abcdef0123456789abcdef", user_agent="tests"
        )
        async with asyncio.timeout(30):
            while True:
                with suppress(TryLater):
                    await client.forget(NAME)
                    break
                await asyncio.sleep(0.1)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        with suppress(ProcessLookupError):
            process.kill()
