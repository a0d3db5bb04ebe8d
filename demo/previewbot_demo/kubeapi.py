"""A plain HTTP client of a Kubernetes API server, for the demo's own controllers.

The package's client is not used on purpose: the demo must not share an error with what it demonstrates.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from previewbot_demo.tls import end_at_once

Object = dict[str, Any]

_MERGE_PATCH = "application/merge-patch+json"
_CALL = aiohttp.ClientTimeout(total=10)
_WATCH_SECONDS = 60
_WATCH = aiohttp.ClientTimeout(total=_WATCH_SECONDS + 10)
_AFTER_ERROR = 0.2


def micro_time(moment: datetime) -> str:
    """Write a moment as Kubernetes' MicroTime."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


class ApiError(Exception):
    """The API server refused; `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(f"{status} {message}")


class KubeApi:
    """Calls to the API server at `url`, under the name `agent` and with the credentials of a `token`.

    `authority` is the certificate that the server is trusted by, if it is not one of the system's.
    """

    def __init__(self, url: str, agent: str, token: str = "", authority: Path | None = None) -> None:
        self._url = url
        credentials = {"Authorization": f"Bearer {token}"} if token else {}
        tls = end_at_once(ssl.create_default_context(cafile=authority)) if authority else True
        connector = aiohttp.TCPConnector(ssl=tls)
        self._session = aiohttp.ClientSession(
            connector=connector, headers={"User-Agent": agent, **credentials}
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def get(self, path: str) -> Object:
        """Return what is at `path`; raises `ApiError`."""
        return await self._call("GET", path)

    async def create(self, path: str, body: Mapping[str, Any]) -> Object:
        """Create an object in the collection at `path`; raises `ApiError`."""
        return await self._call("POST", path, body)

    async def patch(self, path: str, body: Mapping[str, Any]) -> Object:
        """Apply a JSON merge patch; raises `ApiError`."""
        return await self._call("PATCH", path, body, _MERGE_PATCH)

    async def delete(self, path: str, uid: str) -> None:
        """Delete an object if it still has this uid; raises `ApiError`."""
        await self._call("DELETE", path, {"preconditions": {"uid": uid}})

    async def follow(self, path: str, see: Callable[[str, Object], Awaitable[None]]) -> None:
        """Tell `see` of everything at `path`, now and later, as (`SEEN` or `DELETED`, object); never returns.

        What vanished between two watches is told as `DELETED` too.
        """
        known: dict[str, Object] = {}
        while True:
            try:
                listed = await self.get(path)
                now = {item["metadata"]["uid"]: item for item in listed["items"]}
                for uid in known.keys() - now.keys():
                    await see("DELETED", known.pop(uid))
                for uid, item in now.items():
                    known[uid] = item
                    await see("SEEN", item)
                await self._watch(path, listed["metadata"]["resourceVersion"], known, see)
            except (ApiError, aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(_AFTER_ERROR)

    async def _watch(
        self,
        path: str,
        version: str,
        known: dict[str, Object],
        see: Callable[[str, Object], Awaitable[None]],
    ) -> None:
        async for event in self._events(path, version):
            item = event["object"]
            if event["type"] == "ERROR":
                return
            if event["type"] == "BOOKMARK":
                continue
            if event["type"] == "DELETED":
                known.pop(item["metadata"]["uid"], None)
                await see("DELETED", item)
            else:
                known[item["metadata"]["uid"]] = item
                await see("SEEN", item)

    async def _events(self, path: str, version: str) -> AsyncIterator[Object]:
        query = {"watch": "true", "resourceVersion": version, "timeoutSeconds": str(_WATCH_SECONDS)}
        async with self._session.get(self._url + path, params=query, timeout=_WATCH) as response:
            if response.status != 200:
                raise ApiError(response.status, await response.text())
            async for line in response.content:
                yield json.loads(line)

    async def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        kind: str = "application/json",
    ) -> Object:
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": kind} if body is not None else {}
        async with self._session.request(
            method, self._url + path, data=data, headers=headers, timeout=_CALL
        ) as response:
            text = await response.text()
            if response.status >= 400:
                raise ApiError(response.status, text)
            answer: Object = json.loads(text)
            return answer
