"""What the controller reads of pods: what their containers said last, and what Kubernetes said of them."""

from __future__ import annotations

from previewbot.clients.kubernetes.api_client import ApiClient, ApiRequest, Object
from previewbot.clients.kubernetes.resources import POD_EVENTS, PODS, collection_path, object_path
from previewbot.errors import Invalid, NotFound

_TAIL_LINES = 60
_LIMIT_BYTES = 65_536
"""The server counts its limit from the first of those lines, so it must have room for the last."""

_EVENTS = (100, 20, 1)
"""How many events a page has: Kubernetes keeps some ten different ones of a pod, and counts the same."""

_MOST_EVENTS = 300
"""So many are read: whoever may write events in the namespace must not keep us reading."""


class PodReads(ApiClient):
    """Logs and events of pods."""

    async def pod_log(self, namespace: str, pod: str, container: str, *, previous: bool) -> str:
        """Return the end of a container's log, of the run before if `previous`; empty if there is none.

        The run before is asked for first and may be gone right after a restart: then the present one it is.
        """
        # Right after a crash kubelet may have removed the old container's log. What the present run says is
        # better than nothing.
        for before in (True, False) if previous else (False,):
            text = await self._log(namespace, pod, container, before)
            if text.strip():
                return text
        return ""

    async def pod_events(self, namespace: str, pod_uid: str) -> list[Object]:
        """Return the events about a pod, or about what makes it; of very many only the first."""
        path = collection_path(POD_EVENTS, namespace)
        query = {"fieldSelector": f"involvedObject.uid={pod_uid}"}
        found, _ = await self._list("list events", path, query, pages=_EVENTS, most=_MOST_EVENTS)
        return found

    async def _log(self, namespace: str, pod: str, container: str, previous: bool) -> str:
        query = {
            "container": container,
            "previous": "true" if previous else "false",
            "tailLines": _TAIL_LINES,
            "limitBytes": _LIMIT_BYTES,
        }
        try:
            path = f"{object_path(PODS, namespace, pod)}/log"
            text = await self._text("read log", ApiRequest("GET", path, query))
        except (NotFound, Invalid):
            # No such pod any more, or no such run of the container (400): nobody has anything to say.
            return ""
        return text[:_LIMIT_BYTES]
