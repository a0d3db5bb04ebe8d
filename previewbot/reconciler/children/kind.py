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
from previewbot.reconciler.found import Found, Identity
from previewbot.reconciler.limits import Limits
from previewbot.reconciler.observation import Prepared, PullRequestFacts

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Inputs:
    """What a kind may go by. `preview` has the status of this pass so far; `services` are those that
    should run, `found` what the cluster shows of all kinds; `operator` is what the last poll knew of
    mirrord's. `before` is what the kinds before it want."""

    preview: Preview
    facts: PullRequestFacts
    limits: Limits
    services: Sequence[Prepared]
    found: Sequence[Found] = ()
    operator: OperatorSeen = NOTHING_KNOWN
    before: Sequence[Desired] = ()


class Mode(Enum):
    """What to do about a child: make it as desired, leave it as it is, or remove it."""

    MAKE = "make"
    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True)
class Desired:
    """A child that should be there. With mode KEEP, which may lack a manifest, nothing is made or replaced.

    `service` is whose it is; empty if it is for several, which are `services`, or (none) for all. `title` is
    its own name for people. `needs` are the children that must be ready before it is made, and are removed
    after it. `features` are those that mirrord's operator must offer for it, each with its words. `in_place`
    is the part of its spec that is patched where it differs, by `in_place_hash`, and which `spec_hash` leaves
    out. `holds_data`: once it was ready, no failure of what is patched removes it. `secrets` are files that
    the operator gets beside the object, which must not have them. `failure` is the reason of its services if
    it fails, `taken` if something of somebody else's is in its way; `what` is its kind in a person's words,
    `removed_by` a command with which people remove one.
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
    taken: Reason = Reason.TARGET_TAKEN
    what: str = "object"
    removed_by: str = ""
    services: tuple[str, ...] = ()
    title: str = ""
    needs: tuple[Identity, ...] = ()
    features: Mapping[str, str] = field(default_factory=dict)
    in_place: Mapping[str, Any] = field(default_factory=dict)
    in_place_hash: str = ""
    holds_data: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def identity(self) -> Identity:
        """What tells it from every other object of its time: kind, namespace, name."""
        return self.kind, self.namespace, self.name

    @property
    def attempt(self) -> str:
        """The key of an attempt to run it; a failure holds until the commit or what would run changes."""
        return f"{self.head_sha}:{self.spec_hash}"

    def is_of(self, service: str) -> bool:
        """Return whether a service depends on it."""
        return service in self.services if self.services else self.service in ("", service)


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

    @property
    def optional(self) -> bool:
        """Whether a cluster may be without it as long as no preview wants one.

        Then it is listed only where the status knows of one, which is stored before any is created.
        """

    @property
    def patched(self) -> bool:
        """Whether a part of its objects is patched in place where it is to be another."""

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
