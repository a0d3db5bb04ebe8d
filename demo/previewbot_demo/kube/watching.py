"""A watch: a stream of events, one JSON object a line, until its time is up
(https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from previewbot_demo.kube.resources import Resource
from previewbot_demo.kube.status import KubeError
from previewbot_demo.kube.store import Event, Store

_BOOKMARK_SECONDS = 20.0
_SECONDS = 300.0
_YES = ("true", "True", "1")


@dataclass(frozen=True)
class Watch:
    """What somebody wants to see: a resource, perhaps of one namespace only, and of that what `matches`.

    `version` is what they know already; without one they are shown what is there first.
    """

    resource: Resource
    namespace: str | None
    matches: Callable[[Mapping[str, Any]], bool]
    version: int
    seconds: float
    bookmarks: bool

    @classmethod
    def of(
        cls,
        query: Mapping[str, str],
        resource: Resource,
        namespace: str | None,
        matches: Callable[[Mapping[str, Any]], bool],
    ) -> Watch:
        """Return the watch that a request's query asks for; raises KubeError."""
        version = query.get("resourceVersion") or "0"
        if not version.isdecimal():
            text = f'strconv.ParseUint: parsing "{version}": invalid syntax'
            raise KubeError(500, "", f'resourceVersion: Invalid value: "{version}": {text}')
        seconds = float(query.get("timeoutSeconds") or _SECONDS)
        bookmarks = query.get("allowWatchBookmarks") in _YES
        return cls(resource, namespace, matches, int(version), seconds, bookmarks)

    @staticmethod
    def wanted(query: Mapping[str, str]) -> bool:
        """Whether a request to a collection asks for a watch."""
        return query.get("watch") in _YES

    async def answer(
        self, request: web.Request, store: Store, news: set[asyncio.Event]
    ) -> web.StreamResponse:
        """Stream to whoever asked; an event in `news` is set whenever the store changed."""
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        woken = asyncio.Event()
        news.add(woken)
        with contextlib.suppress(ConnectionError):
            try:
                await self._stream(response, store, woken)
            except KubeError as error:
                await _line(response, "ERROR", error.body)
            finally:
                news.discard(woken)
            await response.write_eof()
        return response

    async def _stream(self, response: web.StreamResponse, store: Store, woken: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        ends = loop.time() + self.seconds
        version = self.version
        if not version:
            version = store.version
            for obj in filter(self.matches, store.items(self.resource, self.namespace)):
                await _line(response, "ADDED", obj)
        while True:
            woken.clear()
            for event in store.since(version):
                version = event.version
                told = self._told(event)
                if told is not None:
                    await _line(response, *told)
            left = ends - loop.time()
            if left <= 0:
                break
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`, which may swallow a cancellation before Python 3.12: nobody could end this.
                async with asyncio.timeout(min(left, _BOOKMARK_SECONDS)):
                    await woken.wait()
                continue
            if self.bookmarks:
                await _line(response, "BOOKMARK", self._bookmark(version := store.version))
        if self.bookmarks:
            await _line(response, "BOOKMARK", self._bookmark(version))

    def _told(self, event: Event) -> tuple[str, Mapping[str, Any]] | None:
        """Return what this watch tells of an event: what begins or ceases to match comes or goes, for it."""
        obj, before = event.object, event.before
        if event.resource is not self.resource:
            return None
        if self.namespace not in (None, obj["metadata"].get("namespace")):
            return None
        was = before is not None and self.matches(before)
        if event.kind == "DELETED":
            return ("DELETED", obj) if was else None
        if self.matches(obj):
            return ("MODIFIED" if was else "ADDED", obj)
        if before is None or not was:
            return None
        # As it was when it last matched, with the version of the change that took it away.
        version = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        return "DELETED", {**before, "metadata": before["metadata"] | version}

    def _bookmark(self, version: int) -> dict[str, Any]:
        metadata = {"resourceVersion": str(version)}
        return {"kind": self.resource.kind, "apiVersion": self.resource.api_version, "metadata": metadata}


async def _line(response: web.StreamResponse, kind: str, obj: Mapping[str, Any]) -> None:
    await response.write(json.dumps({"type": kind, "object": obj}).encode() + b"\n")
