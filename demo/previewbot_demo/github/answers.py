"""How GitHub's REST API answers: errors, pages with links, entity tags."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from previewbot_demo.github.model import Account, Installation, Repository, State

DOCS = "https://docs.github.com/rest"
MAX_PAGE = 100

_DEFAULT_PAGE = 30


class ApiError(Exception):
    """An answer that is an error: status, message, and what else the body or the headers say."""

    def __init__(
        self, status: int, message: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body = {"message": message, "documentation_url": DOCS, "status": str(status)} | more


@dataclass(frozen=True)
class Call:
    """A request that may be served; `state` is the world as reads show it, `args` come from the path.

    `person` is whose token it was sent with, None of the App's own.
    """

    state: State
    now: datetime
    repository: Repository | None
    installation: Installation | None
    args: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    person: Account | None = None

    @property
    def repo(self) -> Repository:
        """The repository that the path names, as reads show it; raises the 404."""
        if self.repository is None or self.repository.id not in self.state.repositories:
            raise not_found()
        return self.state.repositories[self.repository.id]


@dataclass(frozen=True)
class Answer:
    """A status and a body, which is sent as JSON; `link` is the Link header."""

    body: Any
    status: int = 200
    link: str = ""


@dataclass(frozen=True)
class Listing:
    """All items of a listing, of which the answer has one page; `key` names them inside an object."""

    items: Sequence[Any]
    key: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


def not_found() -> ApiError:
    """Return the 404 that GitHub gives for what is not there and for what one may not know of."""
    return ApiError(404, "Not Found")


def not_granted(accepted: str) -> ApiError:
    """Return the 403 for what the App has no permission for; `accepted` are those of which one is enough."""
    headers = {"X-Accepted-GitHub-Permissions": accepted}
    return ApiError(403, "Resource not accessible by integration", headers=headers)


def invalid(message: str, *errors: Mapping[str, str]) -> ApiError:
    """Return a 422."""
    return ApiError(422, message, errors=list(errors)) if errors else ApiError(422, message)


def since_of(text: str | None) -> datetime | None:
    """Read a `since`; raises the 422 for what is no time."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise invalid("Invalid request.\n\n'since' is not a time.") from error


def page(listing: Listing, query: Mapping[str, str], url: str) -> Answer:
    """Return the page that the query asks for, with links to the others (30 items, 100 at most)."""
    size = min(max(_number(query.get("per_page"), _DEFAULT_PAGE), 1), MAX_PAGE)
    number = max(_number(query.get("page"), 1), 1)
    last = max(-(-len(listing.items) // size), 1)
    items = list(listing.items[(number - 1) * size : number * size])
    targets: dict[str, int] = {}
    if number > 1:
        targets |= {"prev": min(number - 1, last)}
    if number < last:
        targets |= {"next": number + 1, "last": last}
    if number > 1:
        targets |= {"first": 1}
    links = [
        f'<{url}?{urlencode({**query, "page": str(target)})}>; rel="{name}"'
        for name, target in targets.items()
    ]
    body: Any = items
    if listing.key:
        body = {"total_count": len(listing.items), **listing.more, listing.key: items}
    return Answer(body, link=", ".join(links))


def response(request: web.BaseRequest, answer: Answer, headers: Mapping[str, str]) -> web.Response:
    """Return the HTTP response: 304 if the client has just this already."""
    data = b"" if answer.status == HTTPStatus.NO_CONTENT else json.dumps(answer.body).encode()
    sent = dict(headers)
    if answer.link:
        sent["Link"] = answer.link
    if request.method == "GET" and answer.status == HTTPStatus.OK:
        # Of the body alone: that another page follows does not change it.
        etag = f'W/"{hashlib.sha256(data).hexdigest()}"'
        sent |= {
            "ETag": etag,
            "Cache-Control": "private, max-age=60, s-maxage=60",
            "Vary": "Accept, Authorization",
        }
        known = {
            tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")
        }
        if etag.removeprefix("W/") in known:
            return web.Response(status=304, headers=sent)
    if answer.status == HTTPStatus.NO_CONTENT:
        return web.Response(status=204, headers=sent)
    sent["Content-Type"] = "application/json; charset=utf-8"
    return web.Response(status=answer.status, body=data, headers=sent)


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else default
