"""What a person does with a browser, over plain HTTP: open pages, press buttons, read the conversation."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from previewbot_demo.hosts import SHOP_HOST

_READ = ("Location", "Content-Security-Policy", "x-preview-sha")
_TIMEOUT = aiohttp.ClientTimeout(total=20)


@dataclass(frozen=True)
class Glass:
    """How to look into the cluster: with the world's token, at staging's namespace and one repository."""

    token: str = ""
    namespace: str = "staging"
    repository_id: int = 812


@dataclass(frozen=True)
class Page:
    """An answer: its status, its text, where it leads if it redirects, its content security policy, and the
    commit that it names."""

    status: int
    text: str
    location: str
    policy: str = ""
    commit: str = ""


@dataclass
class Remark:
    """A comment as the page shows it: by the App or a person, its text, links (by their words), reactions."""

    id: int
    by_app: bool
    text: str = ""
    links: dict[str, str] = field(default_factory=dict)
    reactions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Check:
    """The check `preview` as a pull request's page shows it: its state, where it leads, its buttons."""

    id: int
    state: str
    title: str
    link: str
    buttons: tuple[str, ...]
    text: str


class Browser:
    """Sees the world at `port` of 127.0.0.1; `*.localhost` needs no resolver here.

    With a `glass` it may look into the cluster, too.
    """

    def __init__(
        self, session: aiohttp.ClientSession, port: int, repository: str, glass: Glass | None = None
    ) -> None:
        self._session = session
        self._glass = glass or Glass()
        self.world = f"http://127.0.0.1:{port}"
        self._repository = repository
        self.shop = f"http://{SHOP_HOST}:{port}"

    async def open(self, url: str) -> Page:
        """Open an address as a browser opens a page; redirects are not followed."""
        return await self._ask("GET", url, headers={"Sec-Fetch-Dest": "document"})

    async def submit(self, url: str, form: dict[str, str]) -> Page:
        """Send a form to an address; redirects are not followed."""
        return await self._ask("POST", url, data=form)

    async def start_task(self, name: str) -> int:
        """Press a button over the list of pull requests; return the number of the one that it opened."""
        location = await self._post(f"/tasks/{name}")
        return int(location.rpartition("/")[2])

    async def press(self, number: int, button: str) -> None:
        """Press `push`, `close`, `merge` or `reopen` on a pull request's page."""
        await self._post(f"/pull/{number}/{button}")

    async def comment(self, number: int, words: str) -> int:
        """Write a comment; return its id."""
        await self._post(f"/pull/{number}/comment", {"body": words})
        mine = [remark for remark in await self.conversation(number) if not remark.by_app]
        return mine[-1].id

    async def conversation(self, number: int) -> list[Remark]:
        """Read a pull request's comments, oldest first."""
        reader = _Conversation()
        reader.feed(await self.pull(number))
        return reader.remarks

    async def pull(self, number: int) -> str:
        """Read a pull request's page."""
        return (await self.open(f"{self.world}/{self._repository}/pull/{number}")).text

    async def check(self, number: int) -> Check | None:
        """Read what the check of a pull request's newest commit says; None while it has none."""
        found = _CHECK.search(await self.pull(number))
        if found is None:
            return None
        buttons = re.findall(r'name="identifier" value="([^"]+)"', found["more"])
        words = unescape(found["title"]), found["link"], tuple(buttons), found["more"]
        return Check(int(found["id"]), found["state"], *words)

    async def deployments(self, number: int) -> list[tuple[str, str]]:
        """Read how a pull request's deployments stand, newest first, and where each leads ("": nowhere)."""
        found = []
        for each in _DEPLOYMENT.finditer(await self.pull(number)):
            link = re.search(r'href="([^"]*)">View deployment', each["more"])
            found.append((each["state"].strip(), unescape(link[1]) if link else ""))
        return found

    async def press_check(self, number: int, check: Check, identifier: str) -> None:
        """Press a button of a check."""
        await self._post(f"/pull/{number}/check", {"run": str(check.id), "identifier": identifier})

    async def previews(self) -> list[dict[str, Any]]:
        """List the repository's Previews, as `kubectl get` does."""
        found = await self._stored("previewbot.dev/v1alpha1/previews")
        return [preview for preview in found if preview["spec"]["repositoryId"] == self._glass.repository_id]

    async def sessions(self) -> list[dict[str, Any]]:
        """List staging's preview sessions."""
        namespace = self._glass.namespace
        return await self._stored(
            f"preview.mirrord.metalbear.co/v1alpha/namespaces/{namespace}/previewsessions"
        )

    async def routes(self) -> list[dict[str, Any]]:
        """List the HTTPRoutes that Previews own; another is for hosts without one, and stays."""
        found = await self._stored(
            f"gateway.networking.k8s.io/v1/namespaces/{self._glass.namespace}/httproutes"
        )
        return [route for route in found if "ownerReferences" in route["metadata"]]

    async def branches(self) -> list[dict[str, Any]]:
        """List staging's database branches."""
        namespace = self._glass.namespace
        return await self._stored(f"dbs.mirrord.metalbear.co/v1alpha1/namespaces/{namespace}/branchdatabases")

    def kinds(self) -> tuple[tuple[str, Callable[[], Awaitable[list[dict[str, Any]]]]], ...]:
        """Return what a preview leaves in the cluster, by its name, and how to list it."""
        mirrords = (("session", self.sessions), ("database branch", self.branches))
        return (("Preview", self.previews), *mirrords, ("route", self.routes))

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, data: Any = None
    ) -> Page:
        parts = urlsplit(url)
        sent, address = dict(headers or {}), url
        if (parts.hostname or "").endswith(".localhost"):
            sent["Host"] = parts.netloc
            address = f"http://127.0.0.1:{parts.port}{parts.path or '/'}"
        async with self._session.request(
            method, address, data=data, headers=sent, allow_redirects=False, timeout=_TIMEOUT
        ) as answer:
            return Page(answer.status, await answer.text(), *(answer.headers.get(n, "") for n in _READ))

    async def _stored(self, path: str) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._glass.token}"}
        async with self._session.get(
            f"{self.world}/apis/{path}", headers=headers, timeout=_TIMEOUT
        ) as answer:
            answer.raise_for_status()
            items: list[dict[str, Any]] = (await answer.json())["items"]
            return items

    async def _post(self, path: str, form: dict[str, str] | None = None) -> str:
        url = f"{self.world}/{self._repository}{path}"
        async with self._session.post(
            url, data=form or {}, allow_redirects=False, timeout=_TIMEOUT
        ) as answer:
            answer.raise_for_status()
            return answer.headers.get("Location", "")


_DEPLOYMENT = re.compile(
    r'<li id="deployment-\d+"[^>]*><span [^>]*></span>[^<]*<code>[^<]*</code>: (?P<state>[a-z ]+)'
    r"(?P<more>.*?)</li>",
    re.DOTALL,
)
_CHECK = re.compile(
    r'<li id="check-(?P<id>\d+)"><span [^>]*></span>preview: (?P<state>[a-z ]+)\s+'
    r'· <strong>(?P<title>[^<]*)</strong> · <a href="(?P<link>[^"]*)">(?P<more>.*?)</li>',
    re.DOTALL,
)


class _Conversation(HTMLParser):
    """Picks the comments out of a pull request's page."""

    def __init__(self) -> None:
        super().__init__()
        self.remarks: list[Remark] = []
        self._current: Remark | None = None
        self._in_header = False
        self._link: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "article":
            number = int(given.get("id", "").rpartition("-")[2])
            self._current = Remark(number, by_app="app" in given.get("class", "").split())
            self.remarks.append(self._current)
        elif self._current is None:
            return
        elif tag == "header":
            self._in_header = True
        elif tag == "a":
            self._link = (given.get("href", ""), [])
        elif tag == "li" and given.get("title"):
            self._current.reactions.append(given["title"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._current = None
        elif tag == "header":
            self._in_header = False
        elif tag == "a" and self._link is not None and self._current is not None:
            self._current.links["".join(self._link[1])] = self._link[0]
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._current is None or self._in_header:
            return
        self._current.text += data
        if self._link is not None:
            self._link[1].append(data)
