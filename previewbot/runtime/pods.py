"""The pods of each session, as watches tell of them, and whom to wake when one is in trouble."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from previewbot.engine.mirrord import PodSession, session_of_pod
from previewbot.rules.pod_problems import is_noteworthy

Object = Mapping[str, Any]

_MOST = 30
"""So many pods of a session are kept; of more, those that failed first are not."""


class Pods:
    """Call it with a session's namespace and uid for its pods.

    `wake` is called with both when a pod has a problem or is not up yet, changes while that is so, or is well
    again, and when the last pod of a session goes; one that is up and changes wakes nobody. A pod that is no
    session's is as good as not there.
    """

    def __init__(self, wake: Callable[[PodSession], None], now: Callable[[], datetime]) -> None:
        self._wake = wake
        self._now = now
        self._pods: dict[PodSession, dict[str, Object]] = {}

    def __call__(self, namespace: str, session_uid: str) -> Sequence[Object]:
        """Return the pods of a session, in no order."""
        return list(self._pods.get((namespace, session_uid), {}).values())

    def changed(self, before: Object | None, after: Object | None) -> None:
        """Take a change of a pod."""
        for session, obj in _with_sessions(before, after):
            self._forget(session, obj)
        for session, obj in _with_sessions(after):
            pods = self._pods.setdefault(session, {})
            pods[obj["metadata"]["uid"]] = obj
            if len(pods) > _MOST:
                # Those that nodes turn away stay, by the thousand, until Kubernetes collects them.
                over = (
                    uid for uid, pod in pods.items() if (pod.get("status") or {}).get("phase") == "Failed"
                )
                pods.pop(next(over, ""), None)
        # Before and after, so that a pod that recovers or is replaced wakes the pass too: the words about it
        # must go.
        both = _with_sessions(before, after)
        # Without any pod nobody else tells that no other can be made.
        left = [] if after is not None else [session for session, _ in both if session not in self._pods]
        for session in {*left, *(session for session, obj in both if is_noteworthy(obj, self._now()))}:
            self._wake(session)

    def _forget(self, session: PodSession, obj: Object) -> None:
        pods = self._pods.get(session, {})
        pods.pop(obj["metadata"]["uid"], None)
        if not pods:
            self._pods.pop(session, None)


def _with_sessions(*objects: Object | None) -> list[tuple[PodSession, Object]]:
    """Return the pods that are of sessions, with these."""
    found = ((session_of_pod(obj), obj) for obj in objects if obj is not None)
    return [(session, obj) for session, obj in found if session is not None]
