"""What a Gateway shows of itself: whether a controller serves it, and whether its listeners take our routes.

A route says nothing where nobody serves its Gateway, or where its name is misspelt; the Gateway does. The
conditions are Gateway API's (https://gateway-api.sigs.k8s.io/reference/spec/#gatewaystatus).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeGuard

from previewbot.api import Resource
from previewbot.config.server import GatewaySettings
from previewbot.engine.conditions import is_present, words_of
from previewbot.engine.routes import ROUTE_GROUP, ROUTE_VERSION
from previewbot.rules.hosts import is_host_name
from previewbot.rules.masking import one_line

Object = Mapping[str, Any]

GATEWAYS = Resource(ROUTE_GROUP, ROUTE_VERSION, "gateways")
GATEWAY_CLASSES = Resource(ROUTE_GROUP, ROUTE_VERSION, "gatewayclasses")

_SETS_ANSWERS = "HTTPRouteResponseHeaderModification"
_MOST_ADDRESSES = 4
_BROKEN_REFERENCES = ("InvalidCertificateRef", "RefNotPermitted")
"""Why a listener has no certificate; other reasons of `ResolvedRefs` may concern a part of it only."""
_OF_SOME_LISTENERS = "ListenersNotValid"
"""Why some do not accept a whole Gateway of which one listener is wrong, which may be another team's."""


class Stands(StrEnum):
    """How a Gateway stands; UNKNOWN is one that could not be read."""

    UNKNOWN = "unknown"
    MISSING = "missing"
    WAITING = "waiting"
    """No controller has taken it, or none says so."""
    REFUSED = "refused"
    SERVED = "served"


@dataclass(frozen=True)
class GatewayState:
    """How the Gateway of the settings stands, and why, in one line without what looks like a secret.

    `controller` is the name of who serves it, where that is known. `refuses` says why its listeners, by what
    they are made of, take no route of ours; `own_namespace_only`: only routes that lie where the Gateway
    does. `silent`: it is served by a controller that writes nothing of routes. `untaken`: no controller has
    ever said anything of it, so that what routes say is about another of the same name. `addresses` are where
    it is reached, IP addresses or names, as it says itself. `sets_answers`: its class says that routes may
    set headers of answers.
    """

    stands: Stands = Stands.UNKNOWN
    message: str = ""
    controller: str = ""
    namespace: str = ""
    refuses: str = ""
    own_namespace_only: bool = False
    silent: bool = False
    untaken: bool = False
    addresses: tuple[str, ...] = ()
    sets_answers: bool = False

    @property
    def trouble(self) -> str:
        """What the platform team should know of it, in one line; empty while it is served or unknown."""
        return self.message or self.refuses


UNREAD = GatewayState()
"""Nothing is known of the Gateway: then only what is said of the route counts."""


def gateway_state(
    gateway: Object | None, gateway_class: Object | None, settings: GatewaySettings
) -> GatewayState:
    """Return how a Gateway stands. It is None where there is none of this name; a class that is None is one
    that is not there, or could not be read."""
    name = f"{settings.namespace}/{settings.name}"
    if gateway is None:
        return GatewayState(Stands.MISSING, f"there is no Gateway {name}")
    spec = gateway.get("spec") or {}
    controller = str(((gateway_class or {}).get("spec") or {}).get("controllerName") or "")
    generation = gateway["metadata"].get("generation") or 0
    status = gateway.get("status") or {}
    conditions = _present(status.get("conditions"), generation)
    listeners = _ours(spec.get("listeners") or [], settings)
    refuses, own_namespace_only = _by_spec(spec.get("listeners") or [], listeners, settings)
    works = _one_works(listeners, status.get("listeners") or [], generation)
    stands, message = _by_status(name, conditions, gateway_class, spec, one_works=works)
    if stands is Stands.SERVED:
        message = _of_listeners(name, listeners, status.get("listeners") or [], generation)
        stands = Stands.REFUSED if message else stands
    # Whoever counts the routes of its listeners writes into these routes too. A Gateway that is served and
    # counts none is one whose controller does neither (Traefik before 3.1, say).
    counts = any(each.get("attachedRoutes") for each in status.get("listeners") or [])
    silent = stands is Stands.SERVED and not counts and not refuses
    return GatewayState(
        stands,
        one_line(message),
        controller,
        settings.namespace,
        one_line(refuses),
        own_namespace_only,
        silent,
        stands is Stands.WAITING and not _is_decided(status),
        _addresses(status),
        _SETS_ANSWERS in _features(gateway_class),
    )


def _features(gateway_class: Object | None) -> set[str]:
    """Return what a class says that it can.

    Until Gateway API 1.1 these were texts, since then objects with a name
    (https://gateway-api.sigs.k8s.io/reference/spec/#gatewayclassstatus).
    """
    said = ((gateway_class or {}).get("status") or {}).get("supportedFeatures") or []
    return {str(each.get("name")) if isinstance(each, Mapping) else str(each) for each in said}


def _is_decided(status: Object) -> bool:
    """Return whether a controller has said anything of it, in whichever form; the API server itself writes
    `Unknown` until then."""
    return any(each.get("status") in ("True", "False") for each in status.get("conditions") or [])


def _addresses(status: Object) -> tuple[str, ...]:
    """Return the addresses of a Gateway that one can connect to; others, of kinds of its own, are left out.

    https://gateway-api.sigs.k8s.io/reference/spec/#gatewaystatusaddress
    """
    found = [
        str(each.get("value") or "")
        for each in status.get("addresses") or []
        if each.get("type", "IPAddress") in ("IPAddress", "Hostname")
    ]
    return tuple(address for address in found if _is_ip(address) or is_host_name(address))[:_MOST_ADDRESSES]


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _by_status(
    name: str,
    conditions: Mapping[str, Object],
    gateway_class: Object | None,
    spec: Object,
    *,
    one_works: bool,
) -> tuple[Stands, str]:
    of_others = False
    for kind in ("Accepted", "Programmed"):
        condition = conditions.get(kind)
        if _is(condition, "False"):
            # Traefik said so for long of a Gateway that serves its other listeners all the same.
            of_others = one_works and kind == "Accepted" and condition.get("reason") == _OF_SOME_LISTENERS
            if not of_others:
                return Stands.REFUSED, f"the Gateway {name} is not {kind.lower()}: {words_of(condition)}"
    if of_others:
        return Stands.SERVED, ""
    # `Scheduled` and `Ready` were the names of these before Gateway API 0.8, and some write them still.
    served = any(
        _is(conditions.get(kind), "True") for kind in ("Programmed", "Accepted", "Ready", "Scheduled")
    )
    if served:
        return Stands.SERVED, ""
    wanted = spec.get("gatewayClassName") or ""
    accepted = _present((((gateway_class or {}).get("status")) or {}).get("conditions"), 0).get("Accepted")
    why = f": its class {wanted} is not accepted: {words_of(accepted)}" if _is(accepted, "False") else ""
    return Stands.WAITING, f"no controller has taken the Gateway {name} (class {wanted}){why}"


def _present(conditions: Sequence[Object] | None, generation: int) -> dict[str, Object]:
    """Return the conditions by type that are about the present form of an object."""
    return {
        str(condition.get("type")): condition
        for condition in conditions or []
        if is_present(condition, generation)
    }


def _ours(listeners: Sequence[Object], settings: GatewaySettings) -> list[Object]:
    """Return the listeners that a route of ours can be attached to, by their names, protocols and hosts.

    https://gateway-api.sigs.k8s.io/reference/spec/#listener
    """
    named = [each for each in listeners if settings.section_name in (None, each.get("name"))]
    found = [
        each
        for each in named
        if each.get("protocol") in ("HTTP", "HTTPS") and _covers(each.get("hostname") or "", settings.domain)
    ]
    secure = [each for each in found if each.get("protocol") == "HTTPS"]
    # Where people open https:// links and the Gateway has a listener for these, no other helps them.
    return secure if secure and settings.scheme == "https" else found


def _covers(hostname: str, domain: str) -> bool:
    """Return whether a listener's host name fits those of links; a wildcard is for any number of labels."""
    if not hostname:
        return True
    hostname = hostname.lower()
    return hostname.startswith("*.") and f".{domain.lower()}".endswith(hostname[1:])


def _by_spec(
    listeners: Sequence[Object], ours: Sequence[Object], settings: GatewaySettings
) -> tuple[str, bool]:
    """Return why no listener takes a route of ours, and whether they take those of their namespace alone."""
    name = f"{settings.namespace}/{settings.name}"
    if settings.section_name and settings.section_name not in [each.get("name") for each in listeners]:
        return f"the Gateway {name} has no listener {settings.section_name}", False
    if not ours:
        return f"no listener of the Gateway {name} is for HTTP at *.{settings.domain}", False
    allowed = [each.get("allowedRoutes") or {} for each in ours]
    if not any(_takes_http_routes(each) for each in allowed):
        return f"the listeners of the Gateway {name} take no HTTPRoute (allowedRoutes.kinds)", False
    where = {(each.get("namespaces") or {}).get("from") or "Same" for each in allowed}
    if where == {"None"}:
        return f"the listeners of the Gateway {name} take no route (allowedRoutes.namespaces)", False
    return "", where <= {"Same", "None"}


def _takes_http_routes(allowed: Object) -> bool:
    kinds = allowed.get("kinds") or []
    return not kinds or any(each.get("kind") == "HTTPRoute" for each in kinds)


def _one_works(ours: Sequence[Object], said: Sequence[Object], generation: int) -> bool:
    """Return whether one of the listeners that are for us is said to work."""
    names = {str(each.get("name")) for each in ours}
    return any(
        _is(_present(each.get("conditions"), generation).get("Programmed"), "True")
        and not _of_listener(each, generation)
        for each in said
        if str(each.get("name")) in names
    )


def _of_listeners(name: str, ours: Sequence[Object], said: Sequence[Object], generation: int) -> str:
    """Return what is wrong with all listeners that are for us; empty while one of them works."""
    names = {str(each.get("name")) for each in ours}
    wrong = [_of_listener(each, generation) for each in said if str(each.get("name")) in names]
    if not wrong or not all(wrong):
        return ""
    return f"the Gateway {name}, listener {wrong[0]}"


def _of_listener(said: Object, generation: int) -> str:
    conditions = _present(said.get("conditions"), generation)
    for kind in ("Accepted", "Programmed", "ResolvedRefs"):
        condition = conditions.get(kind)
        if not _is(condition, "False"):
            continue
        if kind != "ResolvedRefs" or condition.get("reason") in _BROKEN_REFERENCES:
            return f"{said.get('name')}: {words_of(condition)}"
    conflicted = conditions.get("Conflicted")
    if _is(conflicted, "True"):
        return f"{said.get('name')}: {words_of(conflicted)}"
    return ""


def _is(condition: Object | None, status: str) -> TypeGuard[Object]:
    return condition is not None and condition.get("status") == status
