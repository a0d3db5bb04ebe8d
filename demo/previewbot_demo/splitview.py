"""The page that the demo opens with: the pull request beside staging and the preview, and what to try next.

It looks at the same world as everybody: GitHub's pull requests and comments, the sessions in the cluster, and
which pages of the shop a browser opened. previewbot knows nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import jinja2
from aiohttp import web

from previewbot_demo import guide
from previewbot_demo.agents import Agents
from previewbot_demo.github import Comment, FakeGitHub, PullRequest
from previewbot_demo.guide import PullSeen, Seen
from previewbot_demo.hosts import PREVIEW_DOMAIN, SHOP_HOST, SPLIT_VIEW
from previewbot_demo.reviewer import VERDICT

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "frame-src 'self' http://*.localhost:{port}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGES = (("/cart", "Basket"), ("/", "Front page"), ("/product/teapot", "A product"), ("/orders", "Orders"))
"""What the page offers to look at in the shop: the path, and its name."""

_ASSETS = {"split.css": "text/css", "split.js": "text/javascript"}
_SERVES = ("Ready", "Idle")
_LABEL = "previewbot.dev/preview"
_LINK = re.compile(rf"\((http://[a-z0-9.-]+\.{re.escape(PREVIEW_DOMAIN)}(?::\d+)?[^)\s]*)\)")
_STOP, _RESET = (re.compile(rf"(?m)^\s*/preview {name}\b") for name in ("stop", "reset"))
_MARKUP = re.compile(r"<!--.*?-->|[#*`]|\[([^\]]*)\]\([^)]*\)", re.DOTALL)
_NAVIGATIONS = ("document", "iframe")
_MOST_VISITS = 500


@dataclass(frozen=True)
class Parts:
    """What the page looks at: `sessions` returns the stored PreviewSessions, `staged` counts deployments.

    `real_cluster` is whether a cluster of its own stands in place of the API server in memory.
    """

    github: FakeGitHub
    agents: Agents
    repository: str
    port: int
    sessions: Callable[[], Iterable[Mapping[str, Any]]]
    staged: Callable[[], int]
    real_cluster: bool = False


class SplitView:
    """Serves the page; `saw` is told of each request of a browser, `look` says what is done by now.

    Until it is given its `parts` the world is being built: it asks for a moment's patience.
    """

    def __init__(self) -> None:
        self._parts: Parts | None = None
        loader = jinja2.PackageLoader("previewbot_demo", "pages")
        self._templates = jinja2.Environment(
            loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        self._visits: dict[tuple[str, str], int] = {}
        self._ordered: set[str] = set()
        self._numbers = count(1)
        self._links: dict[int, str] = {}
        self.done: frozenset[str] = frozenset()

    def open(self, parts: Parts) -> None:
        """Begin to show a world that is built now."""
        self._parts = parts

    @property
    def parts(self) -> Parts:
        """What the page looks at; raises RuntimeError before that is built."""
        if self._parts is None:
            raise RuntimeError("the world is not built yet")
        return self._parts

    def saw(self, request: web.BaseRequest) -> None:
        """Remember that somebody's browser opened a page of the shop; previewbot's own looking is no visit.

        A browser says itself that it loads a page (https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header).
        """
        host = request.host.partition(":")[0].lower()
        opened = request.method == "GET" and request.headers.get("Sec-Fetch-Dest") in _NAVIGATIONS
        if opened and (host == SHOP_HOST or host.endswith(f".{PREVIEW_DOMAIN}")):
            # The newest are last, and the oldest go: a page may be opened any number of times.
            self._visits.pop((host, request.path_qs), None)
            self._visits[(host, request.path_qs)] = next(self._numbers)
            if len(self._visits) > _MOST_VISITS:
                del self._visits[next(iter(self._visits))]
        if (request.method, request.path) == ("POST", "/orders") and len(self._ordered) < _MOST_VISITS:
            self._ordered.add(host)

    def look(self) -> frozenset[str]:
        """Return the names of the steps that are done by now."""
        return self._ticked(self._seen())

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer a request for the page or a part of it."""
        if self._parts is None:
            wait = {"Retry-After": "1", "Refresh": "1"}
            return self._answer(web.Response(status=503, text="The demo is still starting.\n", headers=wait))
        name = request.path.removeprefix(f"{SPLIT_VIEW}/")
        if request.path == "/":
            return self._page()
        if name == "state":
            return self._answer(web.json_response(self.state()))
        if name in _ASSETS:
            text = (files("previewbot_demo") / "pages" / name).read_text(encoding="utf-8")
            return self._answer(web.Response(text=text, content_type=_ASSETS[name]))
        return self._answer(web.Response(status=404, text="There is nothing at this address.\n"))

    def state(self) -> dict[str, Any]:
        """Return what changes on the page, for its script."""
        seen = self._seen()
        done = self._ticked(seen)
        visits: dict[str, tuple[int, str]] = {}
        for (host, path), number in self._visits.items():
            visits[host] = max(visits.get(host, (0, "")), (number, path))
        staging = {"host": SHOP_HOST, "version": self.parts.staged()}
        told = {str(number): _told(pull) for number, pull in seen.items()}
        return {"done": sorted(done), "pulls": told, "visits": visits, "staging": staging}

    def _page(self) -> web.Response:
        done, parts = self.look(), self.parts
        html = self._templates.get_template("split.html").render(
            steps=guide.STEPS,
            done=done,
            next=next((step.name for step in guide.STEPS if step.name not in done), ""),
            pulls=f"/{parts.repository}/pulls",
            repository=parts.repository,
            staging=f"http://{SHOP_HOST}:{parts.port}",
            domain=PREVIEW_DOMAIN,
            pages=PAGES,
            real_cluster=parts.real_cluster,
        )
        return self._answer(web.Response(text=html, content_type="text/html"))

    def _answer(self, answer: web.Response) -> web.Response:
        answer.headers["Content-Security-Policy"] = POLICY.format(port=self._parts.port if self._parts else 0)
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    def _seen(self) -> dict[int, PullSeen]:
        """Look at each pull request, oldest first; return what is seen of it, by its number."""
        parts = self.parts
        pulls = parts.github.store.state.pulls_of(parts.github.find(parts.repository).id)
        return {pull.number: self._pull_seen(pull) for pull in reversed(pulls)}

    def _ticked(self, pulls: Mapping[int, PullSeen]) -> frozenset[str]:
        """Note what is done by now; return it."""
        previews = {path for host, path in self._visits if host != SHOP_HOST}
        staging = {path for host, path in self._visits if host == SHOP_HOST}
        seen = Seen(tuple(pulls.values()), frozenset(previews & staging))
        self.done = guide.progress(seen, self.done)
        return self.done

    def _pull_seen(self, pull: PullRequest) -> PullSeen:
        comments = self.parts.github.comments(pull.number, self.parts.repository)
        status = next((comment.body for comment in comments if comment.by_app), "")
        found = _LINK.search(status)
        if found:
            self._links[pull.number] = found[1]
        link = self._links.get(pull.number, "")
        return PullSeen(
            task=self.parts.agents.task(pull.number),
            state="merged" if pull.merged_at else pull.state,
            pushes=self.parts.agents.pushes(pull.number),
            link=link,
            linked=found is not None,
            shown=_opens(status, pull.head_sha),
            serving=self._serving(pull.number),
            opened=any(host == urlsplit(link).hostname for host, _ in self._visits),
            says=_says(status),
            stopped=any(_took_up(_STOP, comment) for comment in comments),
            reset=any(_took_up(_RESET, comment) for comment in comments),
            judged=any(comment.body.startswith(VERDICT) for comment in comments),
            ordered=urlsplit(link).hostname in self._ordered,
            failed=self._failed(pull),
        )

    def _serving(self, number: int) -> tuple[str, ...]:
        """Return the uids of the sessions that answer for a pull request."""
        return tuple(
            sorted(
                session["metadata"]["uid"]
                for session in self.parts.sessions()
                if str((session["metadata"].get("labels") or {}).get(_LABEL, "")).endswith(f"-{number}")
                and (session.get("status") or {}).get("phase") in _SERVES
            )
        )

    def _failed(self, pull: PullRequest) -> bool:
        runs = self.parts.github.store.state.workflow_runs.values()
        return any(run.sha == pull.head_sha and run.conclusion == "failure" for run in runs)


def _told(seen: PullSeen) -> dict[str, Any]:
    """Return what the page's script is told of a pull request."""
    return {
        "task": seen.task,
        "state": seen.state,
        "link": seen.link,
        "linked": seen.linked,
        "opened": seen.opened,
        "serving": list(seen.serving),
        "says": seen.says,
    }


def _says(status: str) -> str:
    """Return how a comment begins, as plain words."""
    lines = (line.strip() for line in _MARKUP.sub(r"\1", status).splitlines())
    said = [line for line in lines if line]
    # What ends with a colon says nothing without the command or the mistakes below it.
    return " ".join(said[: 2 if said and said[0].endswith(":") else 1])


def _opens(body: str, sha: str) -> bool:
    """Whether a comment's link opens this commit: while it waits, an older one may be linked."""
    heading = re.compile(rf"{_LINK.pattern} of `{re.escape(sha[:7])}`")
    return "[Open the preview](" in body and heading.search(body) is not None


def _took_up(command: re.Pattern[str], comment: Comment) -> bool:
    understood = any(reaction.content == "rocket" for reaction in comment.reactions)
    return not comment.by_app and understood and command.search(comment.body) is not None
