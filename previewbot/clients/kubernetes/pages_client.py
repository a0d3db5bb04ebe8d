"""What pages does to the cluster: it reads Previews, and stores what somebody asks for on a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from previewbot.api import Ask
from previewbot.clients.kubernetes.resources import PREVIEWS
from previewbot.clients.kubernetes.web_calls import BUDGET_SECONDS, PROBES, Turns, WebCalls
from previewbot.config.server import LeaseSettings
from previewbot.errors import NotFound

_READS, _ASKS = 6, 4
"""How many requests of each kind are sent at once; the others wait for their turn.

They are counted apart because anybody may look at pages: however many do, whoever presses a button, and
probes, have their own.
"""
_READ_WAITS_SECONDS = 0.5
"""A page waits for no longer, since whoever asks for many would fill pages with those that wait."""
_PORTION = 25
"""So many Previews are listed at once: an object may have 1.5 MiB, and few have more than some kilobytes."""


class PagesClient:
    """Reads Previews, and stores requests; safe to use from several threads.

    Raises RemoteError if the API server does not do it. Requests are made in the namespace of `lease`.
    `budget` is the time in seconds that each of the methods may take in all. To make one raises SettingsError
    for a kubeconfig that cannot be used, or gives no login.
    """

    def __init__(
        self,
        kubeconfig: Path | None,
        *,
        user_agent: str,
        lease: LeaseSettings | None = None,
        budget: float = BUDGET_SECONDS,
    ) -> None:
        self._lease = lease
        self._calls = WebCalls(
            kubeconfig,
            user_agent=user_agent,
            budget=budget,
            connections=_READS + _ASKS + PROBES,
        )
        self._reads, self._asks = Turns(_READS, _READ_WAITS_SECONDS), Turns(_ASKS, budget)

    def close(self) -> None:
        """Close the connections that nobody uses at this moment."""
        self._calls.close()

    def refused_for(self) -> float:
        """Return for how many seconds the API server has known us no more (401); 0 while it does."""
        return self._calls.refused_for()

    def ready(self) -> bool:
        """Return whether the API server answers us and has our resource."""
        return self._calls.ready()

    def ask(self, ask: Ask) -> None:
        """Store what somebody asks for on a page; one that is there already is there.

        Returns only when the API server has it.
        """
        self._calls.store_request(self._asks, self._lease, ask)

    def get_preview(self, name: str) -> dict[str, Any] | None:
        """Return a Preview, or None."""
        deadline = self._calls.deadline()
        method = self._calls.api.get_cluster_custom_object
        try:
            return self._calls.call(self._reads, deadline, "get preview", method, *PREVIEWS, name)
        except NotFound:
            return None

    def list_previews(self) -> Iterator[dict[str, Any]]:
        """Return all Previews, in portions."""
        deadline = self._calls.deadline()
        following: dict[str, Any] = {}
        while True:
            page = self._calls.call(
                self._reads, deadline, "list previews", self._calls.api.list_cluster_custom_object, *PREVIEWS,
                limit=_PORTION, **following,
            )  # fmt: skip
            yield from page.get("items") or ()
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return
            following = {"_continue": token}
