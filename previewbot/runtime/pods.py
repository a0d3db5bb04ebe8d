"""The pods of each session, as watches tell of them, and whom to wake when one is in trouble."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from previewbot.engine.mirrord import POD_SESSION
from previewbot.rules.pod_problems import find_problem

Object = Mapping[str, Any]


class Pods:
    """Call it with a session's uid for its pods.

    `wake` is called with that uid when a pod has a problem, changes while it has one, or is well again; a pod
    that comes and goes without any problem wakes nobody.
    """

    def __init__(self, wake: Callable[[str], None], now: Callable[[], datetime]) -> None:
        self._wake = wake
        self._now = now
        self._pods: dict[str, dict[str, Object]] = {}

    def __call__(self, session_uid: str) -> Sequence[Object]:
        """Return the pods of a session, in no order."""
        return list(self._pods.get(session_uid, {}).values())

    def changed(self, before: Object | None, after: Object | None) -> None:
        """Take a change of a pod."""
        for obj in (before, after):
            if obj is not None:
                self._forget(obj)
        if after is not None:
            self._pods.setdefault(_session(after), {})[after["metadata"]["uid"]] = after
        # Before and after, so that a pod that recovers or is replaced wakes the pass too: the words about it
        # must go.
        troubled = [obj for obj in (before, after) if obj is not None and find_problem([obj], self._now())]
        for session_uid in {_session(obj) for obj in troubled}:
            self._wake(session_uid)

    def _forget(self, obj: Object) -> None:
        pods = self._pods.get(_session(obj), {})
        pods.pop(obj["metadata"]["uid"], None)
        if not pods:
            self._pods.pop(_session(obj), None)


def _session(obj: Object) -> str:
    return str((obj["metadata"].get("labels") or {}).get(POD_SESSION, ""))
