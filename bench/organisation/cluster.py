"""A cluster in memory with many Previews: the one of the tests for each, and watches that tell of them."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from bench.organisation.time import Clock
from previewbot.api import Poke, Spec, name_of, new_object
from previewbot.clients.kubernetes.resources import Resource
from tests.support.passes import Calls, Cluster

_READY_SECONDS = 20.0
"""What a session takes until it serves."""

Told = Callable[[str, Mapping[str, Any] | None, Mapping[str, Any] | None], None]


class _One(Cluster):
    """What there is of one pull request."""

    def __init__(self, name: str, calls: Calls, clock: Clock, numbers: Iterator[int]) -> None:
        super().__init__(calls, cast(Any, clock))
        self.name, self.preview = name, None
        # One API server never gives a uid twice.
        self._uids = self._previews = cast(Any, numbers)
        self.session_status = {"phase": "Waiting"}

    def create(self, spec: Spec, poke: Poke) -> None:
        """Make the Preview."""
        preview = self._new_preview()
        made = new_object(spec, poke)
        preview["metadata"] |= made["metadata"]
        self.preview = preview | {"spec": made["spec"]}


class Kubernetes:
    """What the controller and web call of an API server; `told` hears of every change, as a watch does.

    `told(kind, before, after)`: of a `preview` or a `session`; `seen` of each status that is written, and of
    a Preview that goes. `writes` counts what changes something, by what it is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._calls = clock, Calls()
        self._ones: dict[str, _One] = {}
        self._numbers = itertools.count(1)
        self.told: Told = lambda kind, before, after: None
        self.wrote: Callable[[str], None] = lambda what: None
        self.seen: Callable[[Mapping[str, Any]], None] = lambda preview: None
        self.writes: Counter[str] = Counter()

    @property
    def previews(self) -> list[dict[str, Any]]:
        """All Previews."""
        return [one.preview for one in self._ones.values() if one.preview is not None]

    @property
    def live(self) -> int:
        """How many Previews have a session."""
        return sum(bool(one.sessions) for one in self._ones.values())

    def sessions(self) -> list[dict[str, Any]]:
        """All sessions."""
        return [session for one in self._ones.values() for session in one.sessions.values()]

    def take(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        """Take a poke, as the API server does; return whether there is a Preview."""
        name = name_of(spec.repository_id, spec.number)
        one = self._ones.get(name)
        if one is None:
            one = self._ones[name] = _One(name, self._calls, self._clock, self._numbers)
        before = one.preview
        if before is None and not create:
            return False
        if before is None:
            one.create(spec, poke)
        else:
            one.poke(poke)
        self._changed("poke" if before is not None else "create preview", one, before)
        return True

    async def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        """Poke a Preview."""
        return self.take(spec, poke, create=create)

    async def get_preview(self, name: str) -> dict[str, Any] | None:
        """Return a Preview."""
        one = self._ones.get(name)
        return await one.get_preview(name) if one is not None else None

    async def put_status(self, obj: Mapping[str, Any]) -> dict[str, Any]:
        """Replace a status."""
        one = self._ones[obj["metadata"]["name"]]
        before = one.preview
        written = await one.put_status(obj)
        self.seen(written)
        self._changed("put status", one, before)
        return written

    async def patch_preview_spec(self, name: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Refresh a spec."""
        one = self._ones[name]
        before = one.preview
        written = await one.patch_preview_spec(name, patch)
        self._changed("patch preview", one, before)
        return written

    async def delete_preview(self, name: str, uid: str, resource_version: str) -> None:
        """Delete a Preview."""
        one = self._ones[name]
        before = one.preview
        await one.delete_preview(name, uid, resource_version)
        self.seen(before or {})
        self._changed("delete preview", one, before)

    async def list_children(self, resource: Resource, namespace: str, selector: str) -> list[dict[str, Any]]:
        """List what is of a Preview, or of all."""
        name = selector.partition("=")[2]
        ones = list(self._ones.values()) if not name else [self._ones[name]] if name in self._ones else []
        return [child for one in ones for child in await one.list_children(resource, namespace, selector)]

    async def create_child(
        self, resource: Resource, namespace: str, manifest: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Make a session, which serves a moment later."""
        one = self._of(manifest)
        made = await one.create_child(resource, namespace, manifest)
        self._count(f"create {resource.plural}")
        name = manifest["metadata"]["name"]
        asyncio.get_running_loop().call_later(_READY_SECONDS, self._ready, one, name, made["metadata"]["uid"])
        return made

    async def delete_child(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        """Delete a session or a route."""
        self._count(f"delete {resource.plural}")
        for one in self._ones.values():
            if name in one.sessions or any(r["metadata"]["name"] == name for r in one.routes.values()):
                gone = one.sessions.get(name)
                await one.delete_child(resource, namespace, name, uid)
                if gone is not None:
                    self._tell("session", gone, None)
                return

    async def apply_child(self, resource: Resource, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Put a route as it should be."""
        one = self._of(manifest)
        before = one.routes.get(manifest["metadata"]["namespace"])
        written = await one.apply_child(resource, manifest)
        if before is None or before["spec"] != written["spec"]:
            self._count(f"apply {resource.plural}")
        return written

    async def get_child(self, resource: Resource, namespace: str | None, name: str) -> dict[str, Any] | None:
        """Return the Gateway, or what it is of."""
        return await self._any.get_child(resource, namespace, name)

    async def get_target(self, namespace: str, kind: str, name: str) -> dict[str, Any] | None:
        """Return a workload."""
        return await self._any.get_target(namespace, kind, name)

    async def create_event(self, namespace: str, manifest: Mapping[str, Any]) -> None:
        """Record an Event."""
        self._count("create event")

    @property
    def _any(self) -> _One:
        return next(iter(self._ones.values()))

    def _of(self, manifest: Mapping[str, Any]) -> _One:
        return self._ones[manifest["metadata"]["labels"]["previewbot.dev/preview"]]

    def _ready(self, one: _One, name: str, uid: str) -> None:
        session = one.sessions.get(name)
        if session is not None and session["metadata"]["uid"] == uid:
            before = dict(session)
            session["status"] = {"phase": "Ready"}
            self._tell("session", before, session)

    def _changed(self, what: str, one: _One, before: Mapping[str, Any] | None) -> None:
        self._count(what)
        self._tell("preview", before, one.preview)

    def _tell(self, kind: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        # Whoever is told hears of it once the write was answered, as from a watch.
        asyncio.get_running_loop().call_soon(self.told, kind, before, after)

    def _count(self, what: str) -> None:
        self._calls.made.clear()
        self.writes[what] += 1
        self.wrote(what)
