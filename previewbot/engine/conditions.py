"""The conditions of a Gateway or a route: whether one is about the object as it is now, and what it says.

Each names the generation that it is about (https://gateway-api.sigs.k8s.io/geps/gep-1364/).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Condition = Mapping[str, Any]


def is_present(condition: Condition, generation: int) -> bool:
    """Return whether a condition is about the present form; one that names no generation is believed."""
    return (condition.get("observedGeneration") or generation) >= generation


def words_of(condition: Condition) -> str:
    """Return its reason, a colon, and its message, as they are: neither short nor masked."""
    reason, message = condition.get("reason") or condition.get("type") or "", condition.get("message") or ""
    return f"{reason}: {message}" if message else str(reason)
