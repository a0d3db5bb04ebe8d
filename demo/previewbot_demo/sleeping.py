"""Sessions that sleep, as mirrord documents it: without a request for a while one has no process, and the
next request is held while it wakes (https://metalbear.com/mirrord/docs/use-cases/preview-environments).

Messages of a split queue wake nobody here: the stand-in for the broker hands them over by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, MutableMapping
from datetime import timedelta
from typing import Any

WAKE_TIMEOUT = 90.0
"""Seconds for which mirrord holds a request at most, unless a session says otherwise."""

_LOOK_AGAIN = 0.1


def sleeps_after(spec: Mapping[str, Any], sooner: timedelta | None = None) -> float | None:
    """Return after how many seconds without a request a session sleeps, None if it does not by itself.

    With `sooner` all of those sleep after that: nobody looks at a demo for half an hour.
    """
    seconds = (spec.get("idle") or {}).get("sleepAfterSecs")
    if seconds is None or not spec.get("incoming"):
        return None
    return sooner.total_seconds() if sooner is not None else float(seconds)


def is_waking(status: Mapping[str, Any]) -> bool:
    """Say whether a session that slept is being started again."""
    return status.get("phase") in ("Initializing", "Waiting") and bool(status.get("idleSince"))


class Beds:
    """When each session was asked last, and for whom a request waits; by the session's uid.

    `pods` has the address of each one's process, empty of one that sleeps.
    """

    def __init__(self, pods: MutableMapping[str, str]) -> None:
        self._pods = pods
        self._asked: dict[str, float] = {}
        self._wanted: dict[str, asyncio.Event] = {}

    async def until_unused(self, uid: str, seconds: Callable[[], float | None]) -> None:
        """Wait until nobody has asked a session for so long, and let it sleep; of None it never does."""
        self._note(uid)
        while (after := seconds()) is None or asyncio.get_running_loop().time() - self._asked[uid] < after:
            await asyncio.sleep(_LOOK_AGAIN)
        self._wanted[uid] = asyncio.Event()
        self._pods[uid] = ""

    async def until_wanted(self, uid: str) -> None:
        """Wait until a request comes for one that sleeps."""
        await self._wanted[uid].wait()

    async def address_of(self, uid: str, spec: Mapping[str, Any]) -> str | None:
        """Return where a session's process is; wakes one that sleeps. None if it does not come up in time."""
        self._note(uid)
        timeout = float((spec.get("idle") or {}).get("wakeTimeoutSecs") or WAKE_TIMEOUT)
        try:
            async with asyncio.timeout(timeout):
                while not self._pods.get(uid, ""):
                    if uid not in self._pods:
                        return None
                    self._wanted[uid].set()
                    await asyncio.sleep(_LOOK_AGAIN)
        except TimeoutError:
            return None
        self._note(uid)
        return self._pods.get(uid)

    def forget(self, uid: str) -> None:
        """Forget a session that is gone."""
        self._pods.pop(uid, None)
        self._asked.pop(uid, None)
        self._wanted.pop(uid, None)

    def _note(self, uid: str) -> None:
        self._asked[uid] = asyncio.get_running_loop().time()
