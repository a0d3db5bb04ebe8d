"""List, then watch, for ever: what the API server has, and every change to it.

Measured on kubernetes 37: its informer has no backoff and no timeout (5,053 requests in 3 s against a server
that answers 500), and its watch waits for ever on a silent peer. So the stream is read here, line by line,
under a limit that each line renews.

Where nothing happens nothing need be said: the API server sends bookmarks about once a minute, but none of a
resource of which it has seen no event since it began
(https://kubernetes.io/docs/reference/using-api/api-concepts/#watch-bookmarks promises nothing either). So it
is asked to end each watch within a minute. That end is a sign of life; only silence beyond it is a fault.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp

from previewbot.api import Resource
from previewbot.clients.kubernetes.api_client import Object
from previewbot.clients.kubernetes.cache import ObjectCache
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.resources import MOST_BYTES
from previewbot.clients.outgoing import reason
from previewbot.errors import Forbidden, NoAnswer, NotFound, RemoteError, TooLarge, TryLater
from previewbot.text.json import read_json

_SERVER_SECONDS = 60
"""Within `deadlines.progress`, whose least is 90 s, also where nothing happens."""
_GRACE_SECONDS = 15.0
"""What is beyond the end that the server was asked for, until its silence is a fault."""
_BACKOFF_SECONDS = (0.5, 30.0)
_EXPIRED = 410
_LOOK_FOR_RESOURCE = 60.0

log = logging.getLogger(__name__)


def without_managed_fields(obj: Object) -> Object:
    """Return an object without what only server-side apply needs, often half of it."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


def labels_only(obj: Object) -> Object:
    """Return who an object is and whose, for those who only need to know that it changed."""
    kept = ("name", "namespace", "uid", "resourceVersion", "labels")
    return {"metadata": {key: obj["metadata"][key] for key in kept if key in obj["metadata"]}}


def spec_and_parents(obj: Object) -> Object:
    """Return who an object is, whose, what it asks for and what its parents say of that.

    For those who only need to know that one of these changed: when a parent said it last is no change.
    """
    said = [
        {
            **{key: parent.get(key) for key in ("controllerName", "parentRef")},
            "conditions": [
                {key: value for key, value in condition.items() if key != "lastTransitionTime"}
                for condition in parent.get("conditions") or ()
            ],
        }
        for parent in (obj.get("status") or {}).get("parents") or ()
    ]
    return {**labels_only(obj), "spec": obj.get("spec") or {}, "parents": said}


def status_only(obj: Object) -> Object:
    """Return who an object is, whose, and how it stands.

    Of what a pod is to run only what tells how its status is meant: which init containers stay beside the
    others, and which gates hold it back.
    """
    kept = (
        *("name", "namespace", "uid", "resourceVersion", "labels", "ownerReferences"),
        *("creationTimestamp", "deletionTimestamp"),
    )
    metadata = {key: obj["metadata"][key] for key in kept if key in obj["metadata"]}
    spec = obj.get("spec") or {}
    stays = [
        {"name": init.get("name"), "restartPolicy": init["restartPolicy"]}
        for init in spec.get("initContainers") or []
        if "restartPolicy" in init
    ]
    meant = {"initContainers": stays, "schedulingGates": spec.get("schedulingGates")}
    needed = {key: value for key, value in meant.items() if value}
    return {"metadata": metadata, **({"spec": needed} if needed else {}), "status": obj.get("status") or {}}


class Informer:
    """Keeps a store in step with a resource.

    `keep` says what of an object is worth its memory, `selector` which labels an object must have.
    `progressed` is called at every sign of life, `failed` with every fault; `synced` is set with the
    first list, `settled` also where the first list is refused (403): others need not wait for that.
    `silence` and `backoff` (first, last) are in seconds. `optional`: the API server may not know the resource
    (404), which is looked for about once a minute then, and is no fault.
    """

    def __init__(
        self,
        kube: Kube,
        resource: Resource,
        namespace: str | None,
        store: ObjectCache,
        *,
        progressed: Callable[[], None],
        failed: Callable[[Exception], None] = lambda error: None,
        keep: Callable[[Object], Object] = without_managed_fields,
        selector: str = "",
        silence: float | None = None,
        backoff: tuple[float, float] = _BACKOFF_SECONDS,
        server_seconds: int = _SERVER_SECONDS,
        optional: bool = False,
    ) -> None:
        self._kube = kube
        self._resource = resource
        self._namespace = namespace
        self._store = store
        self._progressed = progressed
        self._failed = failed
        self._keep = keep
        self._selector = selector
        self._silence = server_seconds + _GRACE_SECONDS if silence is None else silence
        self._backoff = backoff
        self._server_seconds = server_seconds
        self._optional = optional
        self._delay = backoff[0]
        self._refused = ""
        self.synced = asyncio.Event()
        self.settled = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled; errors are met with a new list after a jittered backoff.

        Only a watch that works resets the backoff: a server may well answer lists and fail every watch.
        """
        version: str | None = None
        while True:
            try:
                if version is None:
                    version = await self._list()
                version = await self._watch(version)
                # A server that ends each watch at once must not be asked without a pause.
                await asyncio.sleep(random.uniform(0, self._backoff[0]))
            # Also an error of whoever listens to the store (a bug): it must not end the following in silence,
            # for then nothing would wake the controller any more.
            except Exception as error:
                version = None
                if self._optional and isinstance(error, NotFound):
                    await self._wait_for_resource()
                    continue
                self._say(error)
                # The server knows better than we when it can bear us again.
                asked = (error.after or 0.0) if isinstance(error, RemoteError) else 0.0
                await asyncio.sleep(max(asked, self._delay * random.uniform(0.5, 1.0)))
                self._delay = min(self._delay * 2, self._backoff[1])

    async def _wait_for_resource(self) -> None:
        """Wait a while for a resource that the API server does not know: whoever needs one says so."""
        self.synced.set()
        self.settled.set()
        self._progressed()
        await asyncio.sleep(_LOOK_FOR_RESOURCE * random.uniform(0.5, 1.0))

    def _say(self, error: Exception) -> None:
        extra = {"resource": self._resource.plural, "namespace": self._namespace or "", "error": str(error)}
        # 410 is normal after a long silence of the resource: the server has thrown the old versions away. A
        # new list makes it good, and nobody is unready because of it.
        if not isinstance(error, RemoteError) or error.status != _EXPIRED:
            self._failed(error)
        if not isinstance(error, RemoteError):
            log.exception("following failed", extra=extra)
        elif error.status == _EXPIRED:
            log.info("the watch is too old to go on; listing again", extra=extra)
        # A role that is missing stays so for days, and is tried twice a minute: it is said once.
        elif not isinstance(error, Forbidden) or str(error) != self._refused:
            log.warning("following failed", extra=extra)
        if isinstance(error, Forbidden):
            self._refused = str(error)
            self.settled.set()

    async def _list(self) -> str:
        objects, version = await self._kube.list_for_watch(
            self._resource, self._namespace, self._keep, self._selector
        )
        self._store.replace(objects, version)
        self._refused = ""
        self.synced.set()
        self.settled.set()
        self._progressed()
        return version

    async def _watch(self, version: str) -> str:
        """Read one watch to its end; return the version to go on from."""
        what = f"Kubernetes: watch {self._resource.plural}"
        loop = asyncio.get_running_loop()
        began, heard = loop.time(), False
        try:
            # A peer that vanished without closing (a node that lost power) sends nothing, not even an end.
            # Each line moves the limit; a healthy but idle watch is ended by the server before it is reached.
            async with asyncio.timeout(self._silence) as limit:
                response = await self._kube.open_watch(
                    self._resource, self._namespace, version, self._server_seconds, self._selector
                )
                try:
                    async for line in _lines(what, response):
                        limit.reschedule(loop.time() + self._silence)
                        version, heard = self._take(line, version), True
                finally:
                    # Closed and not released: the stream is not read to its end, so the connection cannot be
                    # used again.
                    response.close()
        except TimeoutError as error:
            raise NoAnswer(what, message="silent for too long") from error
        except (aiohttp.ClientError, OSError) as error:
            # Load balancers cut what has been idle for a while, in the middle of the answer. Nothing is lost:
            # the next watch goes on from the same version, and fails if the server is gone.
            if loop.time() - began < self._backoff[1]:
                raise TryLater(what, message=reason(error)) from error
            log.info("a watch was cut off; it goes on", extra={"resource": self._resource.plural})
        except ValueError as error:
            raise TryLater(what, message=type(error).__name__) from error
        # Some servers accept each watch and end it at once. Without this the loop would count that as a
        # success, and ask again with no backoff.
        if not heard and loop.time() - began < self._backoff[1]:
            raise TryLater(what, message="ended at once, without a word")
        if not heard:
            self._delay = self._backoff[0]
            self._progressed()
        return version

    def _take(self, line: bytes, version: str) -> str:
        """Take an event into the store; return the version to go on from."""
        kind, obj, known = _event(line)
        if kind == "ERROR":
            # Too old a version is told with status 200 and one such line.
            code, message = obj.get("code"), str(obj.get("message", ""))
            raise TryLater(f"Kubernetes: watch {self._resource.plural}", status=code or 0, message=message)
        self._delay = self._backoff[0]
        self._progressed()
        if kind == "DELETED":
            self._store.remove(obj)
        # A bookmark has a version only: go on from there, so that a watch that broke need not list everything
        # again.
        elif kind in ("ADDED", "MODIFIED"):
            self._store.put(self._keep(obj))
        return known or version


def _event(line: bytes) -> tuple[str, dict[str, Any], str]:
    """Return the type, object and resource version of a line; raises ValueError if it is no event."""
    event = read_json(line)
    try:
        kind, obj = event["type"], event["object"]
        return str(kind), obj, str(obj.get("metadata", {}).get("resourceVersion", ""))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("a line of the watch is no event") from error


async def _lines(what: str, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield the whole lines of a stream; raises TooLarge for one past MOST_BYTES (aiohttp's limit is too
    small)."""
    pending = bytearray()
    async for chunk in response.content.iter_any():
        pending += chunk
        *lines, rest = pending.split(b"\n")
        if len(rest) > MOST_BYTES:
            raise TooLarge(what, message=f"an event has more than {MOST_BYTES // 2**20} MiB")
        pending = rest
        for line in lines:
            if line.strip():
                yield bytes(line)
