"""Whom each process speaks to in the demo's tour, held to docs/security.md: seen, not configured.

The demo has everything at one port. Here GitHub, the API server, the registry, its token server and where it
keeps its contents each have an address of their own, so that it shows who was spoken to. What is left at that
port is links for the controller, and for pages GitHub's own address.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web

from previewbot.cli.serve import load
from previewbot.config.server import Settings
from previewbot_demo import demo_tour, shop
from previewbot_demo.github.signing_in import AUTHORIZE
from previewbot_demo.ports import free_port
from previewbot_demo.processes import Child, spawn
from previewbot_demo.tasks import ALICE
from previewbot_demo.world import REPOSITORY, Options, World
from tests.e2e.test_signing_in import Browser
from tests.support import perimeter
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.observer import sitecustomize
from tests.support.perimeter import Address
from tests.support.proxies import Wire
from tests.support.servers import served

PROCESSES = ("web", "pages", "controller")
_OBSERVER = str(Path(sitecustomize.__file__).parent)
_CONFIGURATION = ".github/preview.yaml"
_LINKS = "*.preview.localhost"


@dataclass(frozen=True)
class Seen:
    """What one process did."""

    names: frozenset[str]
    addresses: frozenset[Address]
    programs: tuple[str, ...]


@dataclass(frozen=True)
class Toured:
    """What a tour came to, the settings of each process, and the destinations that no setting names."""

    code: int
    lines: tuple[str, ...]
    settings: Mapping[str, Settings]
    others: Mapping[str, set[Address]]
    seen: Mapping[str, Seen]

    def expected(self, process: str) -> set[Address]:
        """Return where the table says that a process goes."""
        settings = self.settings[process]
        rows = [row for row in perimeter.rows() if process in row.who and row.whom != perimeter.DNS]
        return {address for row in rows for address in perimeter.named(row, settings, self.others)}


@dataclass(frozen=True)
class Places:
    """Where everything is; each is 127.0.0.1, and `localhost` where a name is to be looked up."""

    world: int
    github: int
    api_server: int
    storage: int
    registry: str
    token_server: str

    @property
    def images(self) -> dict[str, object]:
        """The part of the settings that is about registries."""
        access = {"plain_http": True, "token_server": self.token_server}
        return {"allowed": [f"{self.registry}/acme/"], "registries": {self.registry: access}}


@dataclass
class Watched:
    """Starts the processes with the observer in them, and shows them to the places."""

    directory: Path
    places: Places
    settings: dict[str, Settings] = field(default_factory=dict)

    async def spawn(
        self, command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path
    ) -> Child:
        _, _, _, name, *_ = command
        kubeconfig = self.directory / f"{name}.kubeconfig"
        write_kubeconfig(kubeconfig, f"http://127.0.0.1:{self.places.api_server}")
        used = dict(environment) | {
            "PREVIEWBOT_GITHUB__API_URL": f"http://localhost:{self.places.github}/api/v3",
            "PREVIEWBOT_CLUSTER__KUBECONFIG": str(kubeconfig),
            "PYTHONPATH": os.pathsep.join([_OBSERVER, environment["PYTHONPATH"]]),
            sitecustomize.VARIABLE: str(self.directory / name),
        }
        self.settings[name] = load(directory / "settings.yaml", used)
        return await spawn(command, used, directory, log)

    def seen(self, name: str) -> Seen:
        """Return what a process did, each address under the name that was looked up for it."""
        lines = [json.loads(line) for line in (self.directory / name).read_text("utf-8").splitlines()]
        asked = {port: host for kind, host, port in lines if kind == "name" and not _is_number(host)}
        if name != "pages":
            # Only links lead straight to the world; names below `localhost` are looked up nowhere.
            asked.setdefault(str(self.places.world), _LINKS)
        spoken = [(asked.get(port, host), port) for kind, host, port in lines if kind == "address"]
        return Seen(
            names=frozenset(asked.values()) - {_LINKS},
            addresses=frozenset(Address(host, int(port or 0)) for host, port in spoken),
            programs=tuple(host for kind, host, _ in lines if kind == "program"),
        )


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Toured:
    return asyncio.run(_take(tmp_path_factory.mktemp("perimeter")))


async def _take(directory: Path) -> Toured:
    async with _places() as places:
        watched = Watched(directory, places)
        options = Options(
            port=places.world, build_seconds=0.5, settings={"images": places.images}, spawn=watched.spawn
        )
        lines: list[str] = []
        async with World(options) as world:
            _move_images(world, places.registry)
            code = await demo_tour.check(world, say=lines.append)
            await _sign_in(world)
        others = {
            "the cluster, or `cluster.kubeconfig`": {Address("127.0.0.1", places.api_server)},
            "the registry's answer": {Address("localhost", places.storage)},
            "the session's status": set[Address](),
        }
        seen = {name: watched.seen(name) for name in PROCESSES}
        return Toured(code, tuple(lines), watched.settings, others, seen)


async def _sign_in(world: World) -> None:
    """Have somebody sign in on the pages, and look at one of a preview, so that it is asked what they may."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        browser, url = Browser(http), world.bot.url
        _, github, _ = await browser.ask("GET", f"{url}/sign-in")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(github).query).items()}
        _, back, _ = await browser.ask("POST", f"{world.url}{AUTHORIZE}", asked | {"as": "maria"})
        assert (await browser.ask("GET", back))[0] == 303
        await browser.ask("GET", f"{url}/p/{world.options.repository_id}/1")


@asynccontextmanager
async def _places() -> AsyncIterator[Places]:
    world = free_port()
    async with AsyncExitStack() as stack:
        wires = [Wire(world) for _ in range(3)]
        github, api_server, storage = [await wire.open() for wire in wires]
        for wire in wires:
            stack.push_async_callback(wire.close)
        tokens = stack.enter_context(served(_give_token))[0].replace("127.0.0.1", "localhost") + "/token"
        registry, _ = stack.enter_context(served(_Front(tokens, storage).handle))
        yield Places(world, github, api_server, storage, urlsplit(registry).netloc, tokens)


async def _give_token(_: web.Request) -> web.StreamResponse:
    return web.json_response({"token": "a-token"})


@dataclass(frozen=True)
class _Front:
    """A registry that wants a token, and keeps all it has at another address."""

    token_server: str
    storage: int

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ours = request.headers.get("User-Agent") == "previewbot"
        if ours and request.headers.get("Authorization") != "Bearer a-token":
            challenge = f'Bearer realm="{self.token_server}",service="the registry"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        return web.Response(
            status=307, headers={"Location": f"http://localhost:{self.storage}{request.path}"}
        )


def _move_images(world: World, registry: str) -> None:
    """Have the repository name its images by the address of `registry`."""
    text = shop.repository_files(world.port)[_CONFIGURATION].decode()
    moved = text.replace(f"image: 127.0.0.1:{world.port}/", f"image: {registry}/")
    world.github.commit("main", {_CONFIGURATION: moved.encode()}, "Move the images", ALICE, REPOSITORY)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@pytest.mark.timeout(180)
def test_the_tour_is_as_described(toured: Toured) -> None:
    assert toured.code == 0, "\n".join(toured.lines)


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_speaks_to_whom_the_table_names_and_to_nobody_else(toured: Toured, process: str) -> None:
    assert toured.seen[process].addresses == toured.expected(process)


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_looks_up_the_names_of_those_and_no_other(toured: Toured, process: str) -> None:
    names = {address.host for address in toured.expected(process) if not _is_number(address.host)}

    assert toured.seen[process].names == names - {_LINKS}


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_starts_no_program_that_could_speak_in_its_place(toured: Toured, process: str) -> None:
    assert toured.seen[process].programs == ()
