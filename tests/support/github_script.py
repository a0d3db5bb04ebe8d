"""Answers that a test puts in front of the stand-in for GitHub, and a record of what was asked."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

PREFIX = "/api/v3"
GRAPHQL = "/api/graphql"

Answer = Callable[[web.Request], web.StreamResponse | Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """A request that came in; `data` is its JSON body, None without one."""

    method: str
    path: str
    headers: dict[str, str]
    data: Any


class Script:
    """Answers by method and path (below `/api/v3`, or `/graphql`) what a test laid down; the stand-in answers
    the rest.

    `asked` has every request for the API, `tokens` every access token that the stand-in gave out.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.tokens: list[str] = []
        self._answers: dict[tuple[str, str], list[Answer]] = {}

    def on(self, method: str, path: str, *answers: Answer | object) -> None:
        """Lay down answers, given in order, the last one for good; anything not callable is sent as JSON."""
        at = GRAPHQL if path == "/graphql" else f"{PREFIX}{path}"
        self._answers[method, at] = [a if callable(a) else sends(a) for a in answers]

    async def handle(
        self, request: web.Request, stand_in: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer a request."""
        if request.path.startswith(f"{PREFIX}/") or request.path == GRAPHQL:
            body = await request.read()
            headers = {name.lower(): value for name, value in request.headers.items()}
            data = json.loads(body) if body else None
            self.asked.append(Asked(request.method, request.path_qs, headers, data))
        answers = self._answers.get((request.method, request.path))
        if answers is None:
            return self._noted(request, await stand_in(request))
        response = (answers.pop(0) if len(answers) > 1 else answers[0])(request)
        return response if isinstance(response, web.StreamResponse) else await response

    def paths(self) -> list[str]:
        """Return what was asked for, without the requests for tokens."""
        paths = [asked.path for asked in self.asked if not _is_for_tokens(asked.path)]
        return ["/graphql" if path == GRAPHQL else path.removeprefix(PREFIX) for path in paths]

    def _noted(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        if _is_for_tokens(request.path) and response.status == 201:
            assert isinstance(response, web.Response) and isinstance(response.body, bytes)
            self.tokens.append(json.loads(response.body)["token"])
        return response


def _is_for_tokens(path: str) -> bool:
    return path.endswith("/access_tokens")


def sends(data: object, status: int = 200, **headers: str) -> Answer:
    """Return an answer of JSON; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: web.json_response(data, status=status, headers=named)


def pages(key: str | None, *contents: list[Any]) -> Answer:
    """Return an answer that spreads items over pages, linked as GitHub links them."""

    def answer(request: web.Request) -> web.Response:
        page = int(request.query.get("page", "1"))
        items = contents[page - 1]
        data = items if key is None else {"total_count": sum(map(len, contents)), key: items}
        links = [f'<{request.url.update_query(page=1)}>; rel="first"']
        if page < len(contents):
            links.insert(0, f'<{request.url.update_query(page=page + 1)}>; rel="next"')
        return web.json_response(data, headers={"Link": ", ".join(links)})

    return answer


def in_turn(*statuses: int) -> tuple[Answer, ...]:
    """Return answers with nothing but a status."""
    return tuple(sends({"message": f"status {status}"}, status) for status in statuses)
