"""What is said where a look takes longer than people wait for an echo."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

from previewbot.doctor.running import SAY_SOMETHING_AFTER

T = TypeVar("T")


async def patiently(looking: Coroutine[Any, Any, T], whom: str) -> T:
    """Return what a look finds, and say that we wait for `whom` as soon as that may seem long."""
    task = asyncio.ensure_future(looking)
    done, _ = await asyncio.wait({task}, timeout=SAY_SOMETHING_AFTER)
    if not done:
        still_waiting(whom)
    return await task


def still_waiting(whom: str) -> None:
    """Say that a look is under way."""
    print(f"… still waiting: {whom}", file=sys.stderr, flush=True)
