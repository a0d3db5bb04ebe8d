"""Which of several controllers works: the one that holds the Lease.

Every replica times the Lease by its own monotonic clock, never by another's wall clock: a holder may act
until a margin before the Lease's end, counted from before its last renewal was sent; others wait a whole
duration from when they last saw it change (https://kubernetes.io/docs/concepts/architecture/leases/).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from previewbot.api import timestamp
from previewbot.errors import Conflict, LeaseLost, RemoteError

DURATION_SECONDS = 10
"""When a holder dies, another takes over after this time and one look (a second): we promise fifteen."""

_MARGIN_SECONDS = 2.0
_RENEW_SECONDS = 2.0
_LOOK_SECONDS = 1.0
_RETRY_SECONDS = 0.5
_RELEASE_SECONDS = 2.0

log = logging.getLogger(__name__)
Object = Mapping[str, Any]


class Leases(Protocol):
    """What is needed of the API server; see `previewbot.clients.kubernetes.client.Kube`."""

    async def get_lease(self, namespace: str, name: str) -> dict[str, Any] | None:
        """Return a Lease, or None."""

    async def create_lease(self, manifest: Object) -> dict[str, Any]:
        """Create a Lease; raises Conflict if there is one."""

    async def replace_lease(self, manifest: Object) -> dict[str, Any]:
        """Replace a Lease; raises Conflict if it changed."""


class LeaseTaken(LeaseLost):
    """Somebody else holds the Lease by now: what we believe about the world may be old."""


@dataclass(frozen=True)
class Clock:
    """Time as it is told to others (`now`), and as it is measured (`monotonic`, seconds)."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic


class Leadership:
    """One replica's part in the election, as `identity`, which no two running replicas may share."""

    def __init__(
        self,
        leases: Leases,
        namespace: str,
        name: str,
        identity: str,
        *,
        looked: Callable[[], None] = lambda: None,
        failed: Callable[[Exception], None] = lambda error: None,
        clock: Clock | None = None,
    ) -> None:
        self._leases = leases
        self._namespace, self._name, self._identity = namespace, name, identity
        self._looked, self._failed = looked, failed
        self._clock = clock or Clock()
        self._lease: dict[str, Any] | None = None
        self._seen: tuple[str, float] = ("", 0.0)
        self._deadline = float("-inf")

    @property
    def leading(self) -> bool:
        """Whether we may act at this moment."""
        return self._clock.monotonic() < self._deadline

    def check(self) -> None:
        """Raise LeaseLost unless we may act now; called just before each request that changes something.

        This is what stops a process that was frozen in the middle of an action and wakes up as a past holder.
        """
        if not self.leading:
            raise LeaseLost(f"{self._identity} does not hold the Lease {self._namespace}/{self._name}")

    async def acquire(self) -> None:
        """Return when we hold the Lease; errors of the API server are waited out."""
        while True:
            try:
                # An answer that comes later than this would give us a Lease that is over already.
                async with asyncio.timeout(DURATION_SECONDS - _MARGIN_SECONDS):
                    held = await self._try()
                self._looked()
                # Both, since the process may have been frozen between the question and the answer: the Lease
                # is ours then, but its time, counted from the question, is over.
                if held and self.leading:
                    return
            except (RemoteError, TimeoutError) as error:
                self._say("the Lease cannot be read or written", error)
            await asyncio.sleep(_LOOK_SECONDS * random.uniform(0.5, 1.0))

    async def hold(self) -> None:
        """Renew the Lease for as long as possible; always ends by raising LeaseLost."""
        pause = _RENEW_SECONDS
        while True:
            await asyncio.sleep(pause)
            self.check()
            try:
                # A renewal may take as long as we may act, and no longer. When the time is up, `check` above
                # raises.
                async with asyncio.timeout(self._deadline - self._clock.monotonic()):
                    await self._renew()
                self._looked()
                pause = _RENEW_SECONDS
            except (RemoteError, TimeoutError) as error:
                self._say("the Lease is not renewed", error)
                pause = _RETRY_SECONDS * random.uniform(0.5, 1.0)

    async def release(self) -> None:
        """Give the Lease back, so that another replica need not wait; call it when nothing acts any more."""
        if self._lease is None or not self.leading:
            return
        self._deadline = float("-inf")
        # If it cannot be given back, it runs out: the others only wait ten seconds longer.
        with suppress(RemoteError, TimeoutError):
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._give_back(self._lease)
        self._lease = None

    async def _give_back(self, lease: Object) -> None:
        try:
            await self._leases.replace_lease(self._manifest(lease, holder=""))
        except Conflict:
            # We may have been told to stop in the middle of a renewal: it was stored, and its answer, with
            # the version that counts now, came to nobody. Without this the others would wait until it runs
            # out.
            found = await self._leases.get_lease(self._namespace, self._name)
            if found is not None and (found.get("spec") or {}).get("holderIdentity") == self._identity:
                await self._leases.replace_lease(self._manifest(found, holder=""))

    def _say(self, what: str, error: Exception) -> None:
        self._failed(error)
        why = str(error) or "no answer in time"
        log.warning(what, extra={"lease": f"{self._namespace}/{self._name}", "error": why})

    async def _try(self) -> bool:
        began = self._clock.monotonic()
        found = await self._leases.get_lease(self._namespace, self._name)
        try:
            if found is None:
                written = await self._leases.create_lease(self._manifest(None, holder=self._identity))
            elif self._free(found):
                written = await self._leases.replace_lease(self._manifest(found, holder=self._identity))
            else:
                return False
        except Conflict:
            return False
        self._took(written, began)
        return True

    def _free(self, lease: Object) -> bool:
        """Return whether nobody can be acting under this Lease any more."""
        spec, version = lease.get("spec") or {}, str(lease["metadata"]["resourceVersion"])
        # Our own name means that we are a container that was restarted in its pod: the process that held it
        # is dead.
        if spec.get("holderIdentity") in (None, "", self._identity):
            return True
        now = self._clock.monotonic()
        # Each renewal changes the resourceVersion. We wait a whole duration of our own clock since the last
        # change that we saw, so it does not matter whether the holder's clock is right.
        if self._seen[0] != version:
            self._seen = (version, now)
        return now - self._seen[1] >= float(spec.get("leaseDurationSeconds") or DURATION_SECONDS)

    async def _renew(self) -> None:
        assert self._lease is not None
        began = self._clock.monotonic()
        try:
            written = await self._leases.replace_lease(self._manifest(self._lease, holder=self._identity))
        except Conflict:
            # Either our own renewal was stored and its answer lost, or somebody changed the Lease. Read who
            # holds it.
            found = await self._leases.get_lease(self._namespace, self._name)
            holder = ((found or {}).get("spec") or {}).get("holderIdentity")
            if found is None or holder != self._identity:
                self._deadline = float("-inf")
                raise LeaseTaken(f"the Lease is held by {holder or 'nobody'} now") from None
            # It is still ours, but the deadline is not moved: when it was renewed is not known. The next
            # renewal moves it.
            self._lease = found
            return
        self._took(written, began)

    def _took(self, lease: dict[str, Any], began: float) -> None:
        self._lease = lease
        # Counted from before the request was sent. The others count from when they see it, which is later, so
        # we stop before anybody may begin. The margin is for requests that are under way when the time is up.
        self._deadline = began + DURATION_SECONDS - _MARGIN_SECONDS

    def _manifest(self, found: Object | None, *, holder: str) -> dict[str, Any]:
        now = timestamp(self._clock.now())
        before: Object = (found or {}).get("spec") or {}
        same = holder == before.get("holderIdentity")
        metadata: Object = found["metadata"] if found else {"name": self._name, "namespace": self._namespace}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": dict(metadata),
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": DURATION_SECONDS,
                "acquireTime": before.get("acquireTime", now) if same else now,
                "renewTime": now,
                "leaseTransitions": int(before.get("leaseTransitions") or 0) + (not same and bool(holder)),
            },
        }
