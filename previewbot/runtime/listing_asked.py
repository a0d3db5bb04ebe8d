"""The pause between two listings, which web cuts short when GitHub tells of the App itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from previewbot.api import LISTING_ASKED
from previewbot.clients.kubernetes.api_client import Object
from previewbot.clients.kubernetes.client import Kube
from previewbot.config.server import LeaseSettings
from previewbot.errors import Conflict, RemoteError

LOOK_SECONDS = 10.0
"""How often it is looked whether a listing was asked for."""

LEAST_SECONDS = 60.0
"""The least pause between two listings: whoever renames a repository all day must not keep us listing."""

log = logging.getLogger(__name__)


class ListingAsked:
    """Waits until the next listing is due, or asked for.

    What is asked for stands in an annotation of a Lease (`settings.cluster.lease`, with `-listing` behind its
    name), which the controller makes and web may only patch. That it cannot be read shortens no pause.
    """

    def __init__(
        self, kube: Kube, lease: LeaseSettings, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._kube, self._lease, self._sleep = kube, lease, sleep
        self._answered = ""

    @staticmethod
    def manifest(lease: LeaseSettings) -> Object:
        """Return the Lease as it is made, which nobody holds."""
        metadata = {"name": lease.name, "namespace": lease.namespace}
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": {}}

    async def begin(self) -> None:
        """Make the Lease if there is none; what it asks for is answered by the listing that comes first."""
        try:
            self._answered = _asked_in(await self._lease_there())
        except Conflict:
            # Another controller made it at the same moment.
            return
        except RemoteError as error:
            log.warning("listings come at their interval alone", extra={"error": str(error)})

    async def wait(self, seconds: float) -> None:
        """Return after so many seconds, or when a listing is asked for, though not before `LEAST_SECONDS`."""
        await self._sleep(min(seconds, LEAST_SECONDS))
        left = seconds - LEAST_SECONDS
        while left > 0:
            asked = await self._asked()
            if asked not in ("", self._answered):
                # By which delivery it was asked is what differs, so nothing is lost that comes meanwhile.
                self._answered = asked
                log.info("a listing was asked for", extra={"delivery": asked})
                return
            await self._sleep(min(left, LOOK_SECONDS))
            left -= LOOK_SECONDS

    async def _asked(self) -> str:
        """Return by which delivery a listing was asked for last; empty if by none, or it cannot be read."""
        try:
            return _asked_in(await self._lease_there())
        except RemoteError:
            return ""

    async def _lease_there(self) -> Object:
        """Return the Lease, made if it is not there: it could not be at first, or somebody deleted it."""
        found = await self._kube.get_lease(self._lease.namespace, self._lease.name)
        return found if found is not None else await self._kube.create_lease(self.manifest(self._lease))


def _asked_in(lease: Object) -> str:
    return str((lease["metadata"].get("annotations") or {}).get(LISTING_ASKED, ""))
