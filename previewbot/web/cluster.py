"""What web needs of the cluster; `previewbot.kube.poker.Poker` is the real one."""

from __future__ import annotations

from typing import Any, Protocol

from previewbot.preview import Poke, Spec


class Cluster(Protocol):
    """One write per delivery, one read per page."""

    def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        """Poke a Preview; raises RemoteError unless the API server took it."""

    def get_preview(self, name: str) -> dict[str, Any] | None:
        """Return a Preview, or None."""

    def ready(self) -> bool:
        """Return whether the API server answers."""
