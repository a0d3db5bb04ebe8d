"""A world with people in it: they open pull requests, write comments, and read what comes of it."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import aiohttp
from aiohttp import web

from previewbot.engine.no_preview import PATH as NO_PREVIEW
from previewbot_demo import shop
from previewbot_demo.browser import Browser, Page
from previewbot_demo.faults import Call
from previewbot_demo.github import server
from previewbot_demo.github.model import Person
from previewbot_demo.github.repositories import Changes
from previewbot_demo.tasks import ALICE, COPILOT
from previewbot_demo.world import REPOSITORY, Options, World
from tests.support.forked import spawn_forked

T = TypeVar("T")
Edit = tuple[str, str]
"""Words, and what stands in their place."""

CONFIGURATION = ".github/preview.yaml"
OPEN = "[Open the preview]"
PATIENCE_SECONDS = 60.0
"""Only a failure takes as long: every wait ends with what it waits for."""

_LOOK_AGAIN = 0.05
_MARKER = re.compile(r"^<!-- previewbot (?P<kind>\w+).*?-->\n")
_LINK = re.compile(r"\[Open the preview\]\((?P<url>[^)]+)\)")


async def until(
    what: str,
    look: Callable[[], T | None],
    seen: Callable[[], object] = lambda: "",
    seconds: float | None = None,
) -> T:
    """Wait until `look` returns something true, and return it; a failure says what was `seen` instead."""
    patience = seconds or PATIENCE_SECONDS
    deadline = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"no sign of {what} in {patience:.0f} s; instead: {seen()}")
        await asyncio.sleep(_LOOK_AGAIN)


@dataclass(frozen=True)
class Answer:
    """What `previewbot web` answered."""

    status: int
    text: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Pull:
    """A pull request, as the people around it see it."""

    world: World
    number: int
    repository: str = REPOSITORY

    @property
    def name(self) -> str:
        """The name of its Preview."""
        return f"gh-{self.world.github.find(self.repository).id}-{self.number}"

    @property
    def head(self) -> str:
        """The SHA of its newest commit."""
        return self.world.github.pull_request(self.number, self.repository).head_sha

    @property
    def comments(self) -> list[str]:
        """The App's status comments, without their hidden marker: there should be one, or none."""
        return [text for _, kind, text in self._remarks() if kind == "status"]

    @property
    def comment(self) -> str:
        """The text of the status comment, empty while there is none."""
        return next(iter(self.comments), "")

    @property
    def comment_id(self) -> int:
        """The number of the status comment."""
        return next(number for number, kind, _ in self._remarks() if kind == "status")

    @property
    def answers(self) -> list[str]:
        """The App's answers to commands, oldest first."""
        return [text for _, kind, text in self._remarks() if kind == "reply"]

    @property
    def notices(self) -> list[str]:
        """What told people once, oldest first."""
        return [text for _, kind, text in self._remarks() if kind == "notice"]

    @property
    def preview(self) -> dict[str, Any] | None:
        """Its Preview in the cluster, if it has one."""
        return next(
            (p for p in self.world.kube.objects("previews") if p["metadata"]["name"] == self.name), None
        )

    @property
    def status(self) -> dict[str, Any]:
        """The status of its Preview, empty if it has none."""
        status: dict[str, Any] = (self.preview or {}).get("status") or {}
        return status

    @property
    def phase(self) -> str:
        """The phase of its Preview, empty if it has none."""
        return str(self.status.get("phase", ""))

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """Its preview sessions in the cluster."""
        sessions = self.world.kube.objects("previewsessions")
        return [s for s in sessions if s["metadata"]["labels"]["previewbot.dev/preview"] == self.name]

    def reactions(self, comment_id: int) -> list[str]:
        """The reactions to a comment."""
        return self.world.github.reactions(comment_id)

    def write(self, words: str, author: Person = ALICE) -> int:
        """Write a comment; return its number."""
        return self.world.github.comment(self.number, author, words, self.repository)

    def push(self, files: Changes, message: str = "Go on") -> str:
        """Push a commit; return its SHA."""
        return self.world.github.push(self.number, files, message, self.repository)

    def close(self) -> None:
        """Close it."""
        self.world.github.close(self.number, self.repository)

    async def says(self, *words: str) -> str:
        """Wait until the status comment says all of this; return its text."""
        return await until(
            f"{words} in the comment",
            lambda: self.comment if all(w in self.comment for w in words) else None,
            lambda: self.comment or "no comment",
        )

    async def answered(self, words: str) -> str:
        """Wait for an answer that says this; return it."""
        return await until(
            f"the answer {words!r}",
            lambda: next((answer for answer in self.answers if words in answer), None),
            lambda: self.answers,
        )

    async def reacted(self, comment_id: int, reaction: str) -> None:
        """Wait for a reaction to a comment."""
        await until(
            f"the reaction {reaction}",
            lambda: reaction in self.reactions(comment_id),
            lambda: (self.reactions(comment_id), self.comment),
        )

    async def ready(self) -> str:
        """Wait until the comment has a link for the newest commit; return the link."""
        text = await self.says(OPEN, f"of `{self.head[:7]}`")
        found = _LINK.search(text)
        assert found is not None
        return found["url"]

    async def ended(self) -> None:
        """Wait until nothing of it is left in the cluster."""
        await until(
            f"the end of {self.name}",
            lambda: self.preview is None and not self.sessions,
            lambda: (self.preview, self.sessions),
        )

    def _remarks(self) -> list[tuple[int, str, str]]:
        found = self.world.github.comments(self.number, self.repository)
        ours = ((c.id, c.body, _MARKER.match(c.body)) for c in found if c.by_app)
        return [(number, marker["kind"], body[marker.end() :]) for number, body, marker in ours if marker]


@dataclass
class Scene:
    """A world, a way to talk HTTP to it, and what people begin with."""

    world: World
    http: aiohttp.ClientSession
    _opened: int = field(default=0, init=False)

    def repository(self, full_name: str, *edits: Edit) -> str:
        """Create a repository like the shop's, with these edits in its configuration."""
        files = shop.repository_files(self.world.port)
        files[CONFIGURATION] = self._configuration(edits)
        people = {ALICE.login: "admin", COPILOT.login: "write"}
        self.world.github.create_repository(full_name, files, private=False, collaborators=people)
        return full_name

    def configure(self, repository: str, *edits: Edit) -> None:
        """Commit the shop's configuration with these edits to the default branch."""
        files = {CONFIGURATION: self._configuration(edits)}
        self.world.github.commit("main", files, "Change the preview", ALICE, repository)

    def open(
        self,
        repository: str = REPOSITORY,
        *,
        service: str = "web",
        files: Changes | None = None,
        body: str = "",
        author: Person = COPILOT,
        branch: str = "copilot/change",
        fork: str = "",
        conflict: bool = False,
    ) -> Pull:
        """Open a pull request that changes a service a little, or just these files."""
        self._opened += 1
        changes = files or {f"services/{service}/NOTE": f"change {self._opened}".encode()}
        number = self.world.github.open_pull_request(
            repository, author, f"{branch}-{self._opened}", changes, "A change", fork=fork, body=body
        )
        if conflict:
            self.world.github.set_conflict(number, True, repository)
        return Pull(self.world, number, repository)

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post to the webhook's address."""
        async with self.http.post(
            self.world.bot.webhook_url, data=io.BytesIO(body), headers=headers
        ) as answer:
            return Answer(answer.status, await answer.text(), dict(answer.headers))

    async def browse(self, url: str) -> Page:
        """Open an address as a browser does."""
        return await Browser(self.http, self.world.port, REPOSITORY).open(url)

    async def leads_nowhere(self, url: str) -> None:
        """Wait until an address has no preview: a gateway notes a moment later that a route is gone."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not leads_to_no_preview(page := await self.browse(url)):
            assert time.monotonic() < deadline, f"{url} still leads somewhere: {page}"
            await asyncio.sleep(_LOOK_AGAIN)

    def log(self, process: str) -> list[dict[str, Any]]:
        """Return the lines that `web`, `pages` or `controller` logged."""
        text = (self.world.bot.directory / f"{process}.log").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def _configuration(self, edits: Sequence[Edit]) -> bytes:
        text = shop.repository_files(self.world.port)[CONFIGURATION].decode()
        for words, successor in edits:
            assert words in text
            text = text.replace(words, successor)
        return text.encode()


def leads_to_no_preview(page: Page) -> bool:
    """Return whether an address has no preview: nobody answers, or it leads to the page that says so."""
    return page.status == 404 or (page.status == 302 and page.location.endswith(NO_PREVIEW))


@asynccontextmanager
async def scene(options: Options) -> AsyncIterator[Scene]:
    """Bring up a world with previewbot's processes in it."""
    async with (
        World(replace(options, spawn=spawn_forked)) as world,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        yield Scene(world, http)


@contextmanager
def failing(
    world: World, matches: Callable[[Call], bool], status: int, **headers: str
) -> Iterator[list[Call]]:
    """Answer the requests that match with an error; yields the list of those that were."""
    met: list[Call] = []
    before = world.faults.before

    async def instead(call: Call) -> web.StreamResponse | None:
        if not matches(call):
            return None
        met.append(call)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"message": "out of order"}, status=status, headers=named)

    world.faults.before = instead
    try:
        yield met
    finally:
        world.faults.before = before


@contextmanager
def switched(switches: object, **values: object) -> Iterator[None]:
    """Set switches, and set them back."""
    before = {name: getattr(switches, name) for name in values}
    for name, value in values.items():
        setattr(switches, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(switches, name, value)


@contextmanager
def granted(name: str, level: str | None) -> Iterator[None]:
    """Grant the App of every fake GitHub another level of a permission, or none, for a while."""
    before = dict(server.PERMISSIONS)
    if level is None:
        del server.PERMISSIONS[name]
    else:
        server.PERMISSIONS[name] = level
    try:
        yield
    finally:
        server.PERMISSIONS.clear()
        server.PERMISSIONS.update(before)


@asynccontextmanager
async def gateway_at(town: Scene, address: str) -> AsyncIterator[None]:
    """Have the Gateway say in its status that it is reached at an address."""
    gateway = "/apis/gateway.networking.k8s.io/v1/namespaces/staging/gateways/public/status"
    headers = {
        "Authorization": f"Bearer {town.world.token}",
        "Content-Type": "application/merge-patch+json",
    }

    async def tell(addresses: list[dict[str, str]] | None) -> None:
        body = json.dumps({"status": {"addresses": addresses}})
        async with town.http.patch(f"{town.world.url}{gateway}", data=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()

    await tell([{"type": "IPAddress", "value": address}])
    try:
        yield
    finally:
        await tell(None)
