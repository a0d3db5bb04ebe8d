"""A Gateway in memory: what it shows of itself, and what it says of routes, as Gateway API has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from previewbot_demo.kube.json_copy import json_copy

Object = dict[str, Any]

CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"
ACCEPTED = ("Accepted", "True", "Accepted", "")
RESOLVED = ("ResolvedRefs", "True", "ResolvedRefs", "")
NOT_ALLOWED = (
    "Accepted",
    "False",
    "NotAllowedByListeners",
    "No listeners included by this parent ref allowed this attachment.",
)
PENDING = ("Accepted", "Unknown", "Pending", "Waiting for controller")

Said = tuple[str, str, str, str]
"""A condition: its type, status, reason and message."""


def conditions(said: Sequence[Said], generation: int = 1) -> list[Object]:
    """Return conditions as they stand in a status."""
    return [
        {
            **{"type": kind, "status": status, "reason": reason, "message": message},
            **({"observedGeneration": generation} if generation else {}),
        }
        for kind, status, reason, message in said
    ]


def a_parent(
    *said: Said,
    generation: int = 1,
    controller: str = CONTROLLER,
    listener: str = "",
    namespace: str = "gateways",
    name: str = "public",
) -> Object:
    """Return what a controller says of a route at one of its references."""
    of = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": namespace, "name": name}
    of |= {"sectionName": listener} if listener else {}
    return {"controllerName": controller, "parentRef": of, "conditions": conditions(said, generation)}


def a_listener(name: str = "https", **changes: Any) -> Object:
    """Return a listener of a Gateway that takes the routes of every namespace."""
    protocol = "HTTPS" if name == "https" else "HTTP"
    allowed = {"namespaces": {"from": "All"}}
    base = {"name": name, "protocol": protocol, "port": 443, "hostname": "*.preview.example.com"}
    return {**base, "allowedRoutes": allowed, **changes}


def a_gateway_object(
    *said: Said,
    listeners: Sequence[Object] = (),
    listener_says: Mapping[str, Sequence[Said]] | None = None,
    attached: int = 1,
    generation: int = 1,
    of: int | None = None,
) -> Object:
    """Return a Gateway whose status says this, of its form `of`; one that is served if nothing is given."""
    listeners = listeners or [a_listener()]
    seen = generation if of is None else of
    good: Sequence[Said] = (ACCEPTED, ("Programmed", "True", "Programmed", ""))
    return {
        "metadata": {"name": "public", "namespace": "gateways", "generation": generation},
        "spec": {"gatewayClassName": "shared", "listeners": list(listeners)},
        "status": {
            "conditions": conditions(said or good, seen),
            "listeners": [
                {
                    "name": each["name"],
                    "attachedRoutes": attached,
                    "conditions": conditions((listener_says or {}).get(each["name"], good), seen),
                }
                for each in listeners
            ],
        },
    }


A_CLASS: Object = {"metadata": {"name": "shared"}, "spec": {"controllerName": CONTROLLER}}


class GatewayInMemory:
    """One Gateway and its class: what of it is there, and what it says of every route.

    `says` are the conditions that it writes into a route, None for nothing at all; with `follows` it does so
    as soon as a route changes, otherwise when a test lets it.
    """

    def __init__(self) -> None:
        self.object: Object | None = a_gateway_object()
        self.gateway_class: Object | None = A_CLASS
        self.says: Sequence[Said] | None = (ACCEPTED, RESOLVED)
        self.parents: list[Object] | None = None
        self.follows = True

    def find(self, plural: str) -> Object | None:
        """Return the Gateway or its class."""
        found: Object | None = json_copy(self.object if plural == "gateways" else self.gateway_class)
        return found

    def take_up(self, route: Object) -> None:
        """Write into a route what is to be said of it."""
        generation = route["metadata"]["generation"]
        if self.parents is not None:
            said = json_copy(self.parents)
        elif self.says is None:
            said = []
        else:
            said = [a_parent(*self.says, generation=generation)]
        route["status"] = {"parents": said}
