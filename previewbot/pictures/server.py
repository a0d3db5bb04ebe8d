"""What the controller and pages ask of the worker, over HTTP, with the secret that they share.

GET    /                                   how the worker stands, for `previewbot doctor`
PUT    /previews/<name>                    a wish; answered by how each of its pictures stands
DELETE /previews/<name>                    nobody wants to see it any more
GET    /previews/<name>/<sha>/<file>.png   one picture
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.metadata import version

from aiohttp import web

from previewbot.api.pictures import NoPicture, Picture
from previewbot.pictures.album import Album, Job
from previewbot.pictures.bounded import Takes
from previewbot.rules.pictures import (
    FILE,
    MOST_OF_A_WISH,
    NAME,
    SHA,
    NoWish,
    Seen,
    judged,
    standing_object,
    wish_from,
)
from previewbot.rules.pictures_health import Health, health_object

_SCHEME = "Bearer "
_NOT_LET_IN = "This is for previewbot's controller and pages: they send what pictures.token_file holds.\n"
_NOTHING_IS_TAKEN = "No pictures are taken any more: the log says why. Start this process anew.\n"
_MOST_SECONDS = 120.0
"""For one picture, beside the bounds of the camera's own: nothing that hangs may hold up all others."""

log = logging.getLogger(__name__)


class Worker:
    """Answers for an album, and takes what is due, one after the other."""

    def __init__(self, album: Album, camera: Takes, tokens: Callable[[], tuple[bytes, ...]]) -> None:
        """Make a worker; `tokens` returns the secrets that count now, and may raise SettingsError."""
        self._album, self._camera, self._tokens = album, camera, tokens
        self._wished = asyncio.Event()
        self._failed = 0
        self._taking: asyncio.Task[None] | None = None

    def application(self) -> web.Application:
        """Return what answers, and takes pictures while it runs."""
        app = web.Application(client_max_size=MOST_OF_A_WISH, middlewares=[self._let_in])
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/", self._stands)
        app.router.add_put(f"/previews/{{name:{NAME}}}", self._wish)
        app.router.add_delete(f"/previews/{{name:{NAME}}}", self._forget)
        app.router.add_get(f"/previews/{{name:{NAME}}}/{{sha:{SHA}}}/{{file:{FILE}}}.png", self._picture)
        app.cleanup_ctx.append(self._runs)
        return app

    @web.middleware
    async def _let_in(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.path == "/healthz":
            return await handler(request)
        given = request.headers.get("Authorization", "").removeprefix(_SCHEME).encode(errors="replace")
        # All of them, so that time tells nothing of which one it was.
        if not any([hmac.compare_digest(given, token) for token in self._tokens()]):
            return web.Response(status=401, text=_NOT_LET_IN, headers={"WWW-Authenticate": "Bearer"})
        return await handler(request)

    async def _alive(self, request: web.Request) -> web.Response:
        if self._taking is None or self._taking.done():
            return web.Response(status=503, text=_NOTHING_IS_TAKEN)
        return web.Response(text="ok\n")

    async def _stands(self, request: web.Request) -> web.Response:
        album, camera = self._album, self._camera
        size, most = album.kept
        health = Health(
            version("previewbot"),
            camera.browser,
            camera.why,
            previews=album.previews,
            waiting=album.waiting,
            failed=self._failed,
            size=size,
            most=most,
        )
        return web.json_response(health_object(health))

    async def _wish(self, request: web.Request) -> web.Response:
        try:
            wish = wish_from(await request.read())
        except NoWish as error:
            return web.Response(status=400, text=f"{error}\n")
        standing = self._album.wish(request.match_info["name"], wish)
        self._wished.set()
        return web.json_response(standing_object(standing))

    async def _forget(self, request: web.Request) -> web.Response:
        self._album.forget(request.match_info["name"])
        return web.Response(status=204)

    async def _picture(self, request: web.Request) -> web.Response:
        found = request.match_info
        content = self._album.content(found["name"], found["sha"], found["file"])
        if content is None:
            return web.Response(status=404, text="There is no such picture.\n")
        return web.Response(body=content, content_type="image/png")

    async def _runs(self, app: web.Application):  # type: ignore[no-untyped-def]
        self._taking = taking = asyncio.create_task(self._take_for_ever())
        yield
        taking.cancel()
        await asyncio.wait({taking})

    async def _take_for_ever(self) -> None:
        try:
            # Before anybody wishes: the doctor is asked after an installation, and not after the first
            # preview.
            await self._camera.try_browser()
            while True:
                job = self._album.next()
                if job is None:
                    self._wished.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._wished.wait(), self._album.seconds_until_next())
                    continue
                self._album.done(job, *await self._taken(job))
        except Exception:
            # From now on /healthz says so, for whoever can start the process anew.
            log.exception("no pictures are taken any more")

    async def _taken(self, job: Job) -> tuple[Picture, bytes]:
        """Return what became of a picture: whatever goes wrong with one, the next is taken."""
        try:
            async with asyncio.timeout(_MOST_SECONDS):
                seen, content = await self._camera.take(job)
        except Exception as error:
            # Its words may have an address in them, with the bearer.
            log.error("no picture", extra={"preview": job.name, "error": type(error).__name__})
            seen, content = Seen(failure=NoPicture.OTHER), b""
        picture = judged(job.picture, seen, job.url, job.wish.sha)
        self._failed = self._failed + 1 if picture.why is NoPicture.OTHER else 0
        log.info("took a picture", extra={"preview": job.name, "state": picture.state, "why": picture.why})
        return picture, content
