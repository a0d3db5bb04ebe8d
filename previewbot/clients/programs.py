"""Programs that give logins: a kubeconfig names some, docker's config files others.

What one of them may know of previewbot, how much of what it prints is read, and that nothing of it stays.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping

MOST_BYTES = 64 * 1024
"""Bytes that are read of what a program prints: a login with its certificates has a few thousand."""

_OWN = "PREVIEWBOT_"


def without_ours(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a program is told of an environment: all but previewbot's own variables."""
    # The App's key may be in one of them: no program needs it to log in elsewhere.
    return {name: value for name, value in environment.items() if not name.startswith(_OWN)}


def kill_with_all(pid: int) -> None:
    """Kill a program and whatever it has started; it must have been started as the first of a session.

    Else what it started would live on, and hold its output open.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
