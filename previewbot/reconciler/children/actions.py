"""What can be done about a child: at most one of these in a pass."""

from __future__ import annotations

from dataclasses import dataclass

from previewbot.reconciler.children.kind import Desired
from previewbot.reconciler.found import Found


@dataclass(frozen=True)
class Create:
    """Create this child."""

    desired: Desired


@dataclass(frozen=True)
class Delete:
    """Delete this very object, and no other of its name."""

    found: Found


@dataclass(frozen=True)
class Patch:
    """Patch what may be patched of this very object, so that it is as desired."""

    desired: Desired
    found: Found


@dataclass(frozen=True)
class Give:
    """Give this very object its secret files."""

    desired: Desired
    uid: str


Action = Create | Delete | Patch | Give
