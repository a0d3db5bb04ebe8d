"""List, then watch, for ever: what the API server has, and every change to it.

Measured on kubernetes 37: its informer has no backoff and no timeout, and its watch waits for ever on a
silent peer. So the stream is read here, line by line, under a limit that each line renews; bookmarks, which
come about once a minute, make silence a fault.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import aiohttp

from previewbot.errors import NotFound, RemoteError, TryLater
from previewbot.kube.client import Kube

_SERVER_SECONDS = 290
_SILENCE_SECONDS = 70.0
_BACKOFF_FIRST, _BACKOFF_LAST = 0.5, 30.0
_LINE_LIMIT = 4 * 1024 * 1024

Object = Mapping[str, Any]
log = logging.getLogger(__name__)


class Store:
    """The objects of a resource as last seen, by (namespace, name)."""

    def __init__(self, changed: Callable[[Object | None, Object | None], None]) -> None:
        self._objects: dict[tuple[str, str], Object] = {}
        self._changed = changed

    def __iter__(self) -> Iterator[Object]:
        return iter(list(self._objects.values()))

    def put(self, obj: Object) -> None:
        """Take an object, unless a newer one is here: our own writes race with the watch."""
        key = _key(obj)
        before = self._objects.get(key)
        if before is not None and _version(before) >= _version(obj) and _uid(before) == _uid(obj):
            return
        self._objects[key] = obj
        self._changed(before, obj)

    def remove(self, obj: Object) -> None:
        """Forget an object that was deleted."""
        before = self._objects.pop(_key(obj), None)
        self._changed(before or obj, None)

    def replace(self, objects: list[dict[str, Any]]) -> None:
        """Take a complete list; what is in it no more has vanished while nobody watched."""
        vanished = self._objects.keys() - {_key(obj) for obj in objects}
        for key in vanished:
            self.remove(self._objects[key])
        for obj in objects:
            self.put(obj)


class Follower:
    """Keeps a store in step with a resource; `synced` once, and `progressed()` at every sign of life."""

    def __init__(
        self,
        kube: Kube,
        resource: tuple[str, str, str],
        namespace: str | None,
        store: Store,
        *,
        progressed: Callable[[], None],
        silence: float = _SILENCE_SECONDS,
        backoff: tuple[float, float] = (_BACKOFF_FIRST, _BACKOFF_LAST),
    ) -> None:
        self._kube = kube
        self._resource = resource
        self._namespace = namespace
        self._store = store
        self._progressed = progressed
        self._silence = silence
        self._backoff = backoff
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled. Errors are met with a jittered backoff, which a good list resets."""
        delay = self._backoff[0]
        version: str | None = None
        while True:
            try:
                if version is None:
                    version = await self._list()
                    delay = self._backoff[0]
                version = await self._watch(version)
            except NotFound:
                # 410: what we know is too old to go on from. (404: the CRD is gone; listing says so.)
                version = None
                await asyncio.sleep(random.uniform(0, self._backoff[0]))
            except RemoteError as error:
                log.warning("following %s: %s; again in %.1f s", self._resource[2], error, delay)
                version = None
                await asyncio.sleep(delay * random.uniform(0.5, 1.0))
                delay = min(delay * 2, self._backoff[1])

    async def _list(self) -> str:
        objects, version = await self._kube.list_for_watch(*self._resource, self._namespace)
        self._store.replace(objects)
        self.synced.set()
        self._progressed()
        return version

    async def _watch(self, version: str) -> str:
        """Read one watch to its end; return the version to go on from."""
        response = await self._kube.open_watch(*self._resource, self._namespace, version, _SERVER_SECONDS)
        try:
            async with asyncio.timeout(self._silence) as limit:
                async for line in _lines(response):
                    limit.reschedule(asyncio.get_running_loop().time() + self._silence)
                    version = self._take(json.loads(line), version)
                    self._progressed()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise TryLater(f"watch {self._resource[2]}", message=type(error).__name__) from error
        finally:
            response.close()
        return version

    def _take(self, event: Mapping[str, Any], version: str) -> str:
        kind, obj = event["type"], event["object"]
        if kind == "ERROR":
            code = obj.get("code")
            error = NotFound if code == 410 else TryLater
            raise error(f"watch {self._resource[2]}", status=code or 0, message=obj.get("message", ""))
        if kind == "DELETED":
            self._store.remove(obj)
        elif kind != "BOOKMARK":
            self._store.put(obj)
        return str(obj["metadata"]["resourceVersion"])


async def _lines(response: aiohttp.ClientResponse) -> Any:
    """Yield the lines of a stream, each of any length up to a limit (aiohttp's own stops at 128 KiB)."""
    pending = b""
    async for chunk in response.content.iter_any():
        pending += chunk
        if len(pending) > _LINE_LIMIT:
            raise ValueError("a line of the watch is too long")
        *lines, pending = pending.split(b"\n")
        for line in lines:
            if line.strip():
                yield line


def _key(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _uid(obj: Object) -> str:
    return str(obj["metadata"].get("uid", ""))


def _version(obj: Object) -> int:
    """Resource versions compare as numbers within one resource (KEP-5504, Kubernetes 1.35)."""
    text = str(obj["metadata"].get("resourceVersion", "0"))
    return int(text) if text.isdigit() else 0
