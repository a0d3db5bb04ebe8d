"""What is tried: a workload of staging with its own image, and the objects that are made for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from previewbot.config.repository import TargetPath
from previewbot.config.server import GatewaySettings
from previewbot.engine import links, mirrord, routes
from previewbot.engine.gateway_state import UNREAD, GatewayState
from previewbot.engine.parts import SessionParts
from previewbot.engine.targets import template_of
from previewbot.rules.environment_keys import hashed_label

MANAGED_BY = {"app.kubernetes.io/managed-by": "previewbot-conformance"}
"""By this label whoever finds such an object knows where it comes from. It is none that the controller goes
by, so a previewbot at work in the same cluster leaves it alone."""

TTL_SECONDS = 1800
"""How long a session may live that nobody removes."""


class NotToBeTried(Exception):
    """The workload cannot be tried; the text says why, and what to do."""


@dataclass(frozen=True)
class Backend:
    """The Service that the entry's URL leads to, for the route behind the Gateway."""

    service: str
    port: int


@dataclass(frozen=True)
class Subject:
    """One session to be tried: of `container` of `target`, with the `image` that it runs already.

    `key` is an environment key that no preview has. `entry_url` is where this workload answers in staging.
    With `gateway` and `backend` requests go through a route of their own, else they carry the header
    themselves; `gateway_state` is how that Gateway stands. `sha` is what the route has answers name as their
    commit, which is none; "" where routes name none here.
    """

    namespace: str
    target: TargetPath
    container: str
    image: str
    key: str
    entry_url: str
    gateway: GatewaySettings | None = None
    backend: Backend | None = None
    gateway_state: GatewayState = UNREAD
    sha: str = ""

    @property
    def session_name(self) -> str:
        """The name of its session."""
        return mirrord.session_name(self.key, self.namespace, self.target)

    @property
    def through_gateway(self) -> bool:
        """Whether the header is set by a route, as it is for a reviewer."""
        return self.gateway is not None and self.backend is not None

    @property
    def link(self) -> str:
        """The address that is asked for the preview."""
        if self.gateway is None or self.backend is None:
            return self.entry_url
        return links.gateway_url(self.gateway, self.key)


def own_image(target: TargetPath, container: str, workload: Mapping[str, Any]) -> str:
    """Return the image that a container of a workload runs; raises NotToBeTried if it has none."""
    pod = template_of(workload).get("spec") or {}
    containers: Sequence[Mapping[str, Any]] = pod.get("containers") or ()
    image = next((each.get("image") for each in containers if each.get("name") == container), None)
    if not image:
        raise NotToBeTried(f"{target.kind}/{target.name} says no image for its container {container}")
    return str(image)


def session_manifest(subject: Subject) -> dict[str, Any]:
    """Return the session: what previewbot makes for a pull request, but without a Preview that owns it."""
    desired = mirrord.DesiredSession(
        service=subject.target.name,
        namespace=subject.namespace,
        target=subject.target,
        container=subject.container,
        image=subject.image,
        parts=SessionParts(),
        head_sha="",
        ttl_seconds=TTL_SECONDS,
    )
    return {
        "apiVersion": f"{mirrord.API_GROUP}/{mirrord.API_VERSION}",
        "kind": mirrord.KIND,
        "metadata": {
            "name": subject.session_name,
            "namespace": subject.namespace,
            "labels": {mirrord.KEY_LABEL: hashed_label(subject.key), **MANAGED_BY},
        },
        "spec": mirrord.spec_of(subject.key, desired),
    }


def route_manifest(subject: Subject) -> dict[str, Any]:
    """Return the route, with the very spec that a preview's has; only for what goes through the Gateway."""
    assert subject.gateway is not None and subject.backend is not None
    gateway, backend = subject.gateway, subject.backend
    return {
        "apiVersion": f"{routes.ROUTE_GROUP}/{routes.ROUTE_VERSION}",
        "kind": "HTTPRoute",
        "metadata": {
            "name": subject.key,
            "namespace": subject.namespace,
            "labels": {**gateway.labels, **MANAGED_BY},
            "annotations": dict(gateway.annotations),
        },
        "spec": routes.route_to_service(gateway, subject.key, backend.service, backend.port, subject.sha),
    }
