"""Takes away what an earlier trial left that was killed: nobody else would."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from previewbot.api import Resource
from previewbot.clients.kubernetes.client import Kube
from previewbot.doctor.conformance.subject import MANAGED_BY, TTL_SECONDS, Subject
from previewbot.engine.mirrord import SESSIONS
from previewbot.engine.routes import ROUTES
from previewbot.errors import RemoteError
from previewbot.rules.masking import one_line

_SELECTOR = ",".join(f"{key}={value}" for key, value in MANAGED_BY.items())


async def take_away_leftovers(
    kube: Kube, subject: Subject, now: datetime, say: Callable[[str], None]
) -> None:
    """Remove the sessions and routes of trials in this namespace that are over.

    Raises nothing of the network's. A trial takes less time than its session may live: what is older is
    nobody's that is still at work.
    """
    for resource in (SESSIONS, ROUTES) if subject.through_gateway else (SESSIONS,):
        try:
            await _take_away(kube, resource, subject.namespace, now - timedelta(seconds=TTL_SECONDS), say)
        except RemoteError as error:
            say(f"what an earlier trial may have left stays: {one_line(str(error))}")


async def _take_away(
    kube: Kube, resource: Resource, namespace: str, before: datetime, say: Callable[[str], None]
) -> None:
    for found in await kube.list_children(resource, namespace, _SELECTOR):
        metadata = found["metadata"]
        if datetime.fromisoformat(metadata["creationTimestamp"]) >= before:
            continue
        say(f"removing {metadata['name']}, which an earlier trial left")
        await kube.delete_child(resource, namespace, metadata["name"], metadata["uid"])
