"""What a kind of child has to say: which resource, what is desired, how to read one, and how it fares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from previewbot.api import PREVIEW_LABEL, Child, ChildState, Preview, Reason, Resource
from previewbot.engine.operator import NOTHING_KNOWN, Operator, OperatorSeen
from previewbot.engine.route_answers import RouteAnswer
from previewbot.reconciler.limits import Limits
from previewbot.reconciler.observation import Found, Prepared, PullRequestFacts

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Inputs:
    """What a kind may go by. `preview` has the status of this pass so far; `services` are those that
    should run; `operator` is what the last poll knew of mirrord's."""

    preview: Preview
    facts: PullRequestFacts
    limits: Limits
    services: Sequence[Prepared]
    operator: OperatorSeen = NOTHING_KNOWN


class Mode(Enum):
    """What to do about a child: make it as desired, leave it as it is, or remove it."""

    MAKE = "make"
    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True)
class Desired:
    """A child that should be there. With mode KEEP, which may lack a manifest, nothing is made or replaced.

    `failure` is the reason of its service if it fails; `what` is its kind in a person's words, `removed_by`
    a command with which people remove one.
    """

    kind: str
    namespace: str
    name: str
    service: str = ""
    head_sha: str = ""
    spec_hash: str = ""
    mode: Mode = Mode.MAKE
    manifest: Mapping[str, Any] = field(default_factory=dict)
    failure: Reason = Reason.SERVICE_FAILED
    what: str = "object"
    removed_by: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """What tells it from every other object of its time: kind, namespace, name."""
        return self.kind, self.namespace, self.name

    @property
    def attempt(self) -> str:
        """The key of an attempt to run it; a failure holds until the commit or what would run changes."""
        return f"{self.head_sha}:{self.spec_hash}"


@dataclass(frozen=True)
class ChildHealth:
    """How a child fares that is as desired; a FAILED one has the words of it, and the reason for its
    service."""

    state: ChildState
    reason: Reason | None = None
    message: str = ""


class ChildKind(Protocol):
    """A kind of child that is created, replaced when its spec changes, and deleted."""

    @property
    def name(self) -> str:
        """Kubernetes' name of the kind, which its entries in `status.children` have."""

    @property
    def resource(self) -> Resource:
        """What to list, create and delete."""

    def desired(self, inputs: Inputs) -> Sequence[Desired]:
        """Return the children that should be there."""

    def read(self, obj: Object) -> Found:
        """Read one as the cluster shows it."""

    def in_the_way(self, desired: Desired, others: Sequence[Object], operator: Operator) -> str:
        """Return what of somebody else's keeps one from being made, in one line; empty if nothing does.

        `others` are all objects of the kind in its namespace.
        """

    def health(self, found: Found, was: Child, limits: Limits, now: datetime) -> ChildHealth:
        """Return how one fares that is as desired."""


class Route(Protocol):
    """The child that leads people to the sessions: it is patched in place, and its gateway follows later."""

    @property
    def name(self) -> str:
        """Kubernetes' name of the kind."""

    @property
    def resource(self) -> Resource:
        """What to create, patch and delete."""

    def desired(
        self, preview: Preview, facts: PullRequestFacts | None, limits: Limits, *, begins: bool
    ) -> Desired | None:
        """Return the route that should be there; None if none is wanted, or an old one is to be left
        alone."""

    def leads_to_sessions(self, desired: Desired) -> bool:
        """Return whether it leads to the sessions, and not to the page."""

    def gateway_acknowledged(self, obj: Object, limits: Limits) -> bool:
        """Return whether whoever serves the route says that it knows what the route says now."""

    def answer(self, obj: Object, limits: Limits, controller: str) -> RouteAnswer:
        """Return what whoever serves the route (`controller`, if it is known) says of it as it is now."""

    def gateway_switched(
        self, redirected_at: datetime, acknowledged_at: datetime | None, limits: Limits, now: datetime
    ) -> bool:
        """Return whether requests follow by now a route that was redirected and acknowledged then."""


def selector(preview: Preview) -> str:
    """Return the label selector that finds every child of a Preview, an older namesake's included."""
    return f"{PREVIEW_LABEL}={preview.name}"
