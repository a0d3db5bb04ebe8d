"""The fake GitHub as one thing: its API, its pages, its webhooks, and what people do there."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from aiohttp import web

from previewbot_demo.github import graphql
from previewbot_demo.github.auth import Doorkeeper
from previewbot_demo.github.charges import Charges
from previewbot_demo.github.endpoints import Endpoints
from previewbot_demo.github.model import App
from previewbot_demo.github.pages import Pages
from previewbot_demo.github.rest import PREFIX, Rest
from previewbot_demo.github.reviews import Reviews
from previewbot_demo.github.shapes_review import ReviewShapes
from previewbot_demo.github.signing_in import SigningIn
from previewbot_demo.github.store import Clock, Store
from previewbot_demo.github.webhooks import Webhooks

PERMISSIONS = {
    "actions": "read",
    "checks": "write",
    "contents": "read",
    "deployments": "write",
    "issues": "read",
    "metadata": "read",
    "pull_requests": "write",
}
EVENTS = (
    *("check_run", "check_suite", "issue_comment", "pull_request"),
    *("pull_request_review", "pull_request_review_comment", "repository", "workflow_run"),
)


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class FakeGitHub(Reviews):
    """A GitHub in memory, for one App; `base_url` is where a browser finds it, its API is below in `/api/v3`.

    What people do are its methods (see `Repositories`, `PullRequests`, `Conversations`, `Reviews`), to be
    called in the running loop. `pages` holds what its pages offer, `rest.limits`, `rest.sabotage` and
    `graphql.limits` what may go wrong, `store.lag` how many seconds reads are behind, `hooks` whom to call
    when a head or a branch moves. With a `client_secret` people can sign in with it, who are led back to
    `callback_url` (`signing_in`). With `charges` the API charges and refuses as GitHub documents it, and
    `limits` say nothing.
    """

    def __init__(
        self,
        app_id: int,
        public_key: str,
        webhook_url: str,
        webhook_secret: str,
        base_url: str,
        clock: Clock = utc_now,
        *,
        slug: str = "previewbot",
        permissions: Mapping[str, str] = PERMISSIONS,
        events: tuple[str, ...] = EVENTS,
        charges: Charges | None = None,
        client_secret: str = "",
        callback_url: str = "",
    ) -> None:
        app = App(app_id, slug, permissions, events)
        store, shapes = Store(clock), ReviewShapes(base_url, app)
        super().__init__(store, shapes, Webhooks(webhook_url, webhook_secret, app_id, clock), app)
        self.doorkeeper = Doorkeeper(store, app, public_key, clock, client_secret)
        endpoints = Endpoints(self, self.doorkeeper)
        self.graphql = graphql.GraphQL(store, self.doorkeeper, clock)
        self.rest = Rest(endpoints, store, self.doorkeeper, clock, shapes.api, app)
        self.pages = Pages(self)
        self.signing_in = SigningIn(app, self.doorkeeper.users, clock, self.know, callback_url)
        self.charges = charges
        if charges is not None:
            self.rest.limits.hourly = self.graphql.limits.hourly = sys.maxsize

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request for the API, or for a page."""
        if request.path == graphql.PATH:
            return await self._charged(request, self.graphql.handle)
        if request.path == PREFIX or request.path.startswith(PREFIX + "/"):
            return await self._charged(request, self.rest.handle)
        if self.signing_in.answers(request.path):
            return await self.signing_in.handle(request)
        return await self.pages.handle(request)

    async def _charged(
        self, request: web.BaseRequest, answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if self.charges is None:
            return await answer(request)
        return await self.charges.around(request, self.doorkeeper.identity(request), answer)

    async def shutdown(self) -> None:
        """Give up deliveries under way and close connections."""
        await self.webhooks.close()
