"""A child as the cluster shows it, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from previewbot.api import Child, ChildState, Isolation, OwnDatabase, Reason

Identity = tuple[str, str, str]
"""What tells an object from every other of its time: kind, namespace, name."""


@dataclass(frozen=True)
class Found:
    """A child as the cluster shows it, whatever its kind.

    `answered`: whoever acts on it (an operator, a gateway) has reacted to it. `serving`: requests that carry
    the header reach it now. `stalled` and `removal_stalled` are the kind's reasons for a deletion that nobody
    carries out. `reason` is what its own status tells beyond its state. `message` says why it failed, or more
    of that reason, in one line without what looks like a secret, `last_words` what its containers said last,
    masked, if it keeps that itself; `disbelieved` what of its status cannot be and is left out, in one line
    for the log. `isolation` is what a session was sent, `database` what a branch is of. `needs` are the
    children without which it cannot be. `in_place` is what of its spec may be patched, `in_place_hash` the
    hash that we wrote beside it.
    """

    kind: str
    namespace: str
    name: str
    uid: str
    owner_uid: str
    created_at: datetime
    state: ChildState
    service: str = ""
    spec_hash: str = ""
    head_sha: str = ""
    answered: bool = True
    reason: Reason | None = None
    message: str = ""
    serving: bool = False
    share_host: str = ""
    disbelieved: str = ""
    deleting_since: datetime | None = None
    stalled: Reason = Reason.REPLACING
    removal_stalled: Reason | None = None
    last_words: tuple[str, ...] = ()
    isolation: Isolation | None = None
    database: OwnDatabase | None = None
    needs: tuple[Identity, ...] = ()
    in_place: Mapping[str, Any] = field(default_factory=dict)
    in_place_hash: str = ""

    @property
    def identity(self) -> Identity:
        """What tells it from every other object of its time: kind, namespace, name."""
        return self.kind, self.namespace, self.name


def waking(found: Iterable[Found], recorded: Iterable[Child]) -> tuple[Found, ...]:
    """Return children, of which one that slept when it was last looked at, and now starts, is one that wakes.

    mirrord's `idleSince` says so as well (`engine/mirrord.py`), and no version of it must lead people away
    from what they wait for because that is missing for a moment.
    """
    slept = {child.uid for child in recorded if child.uid and child.state is ChildState.IDLE}
    return tuple(_as_waking(each) if each.uid in slept and _starts(each) else each for each in found)


def _starts(found: Found) -> bool:
    starts = found.state is ChildState.CREATING and found.reason is None
    return starts and found.answered and found.deleting_since is None


def _as_waking(found: Found) -> Found:
    return replace(found, state=ChildState.IDLE, reason=Reason.WAKING, serving=True)
