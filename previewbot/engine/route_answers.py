"""What a Gateway says of a preview's route: whether it takes it as it is now, and in its own words why not.

The rules are Gateway API's (https://gateway-api.sigs.k8s.io/reference/spec/#routeparentstatus). The API
server accepts a route whose Gateway refuses it, or does not exist; only `status.parents` tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from previewbot.config.server import GatewaySettings
from previewbot.engine.conditions import is_present, words_of
from previewbot.engine.routes import ROUTE_GROUP
from previewbot.rules.masking import one_line

Object = Mapping[str, Any]

_GATEWAY = (ROUTE_GROUP, "Gateway")
_MUST_BE_TRUE = ("Accepted", "ResolvedRefs", "Programmed", "Reconciled")
"""Conditions of a parent that say, where they are False, that requests do not get where the route leads.

The first two are Gateway API's; Kong adds `Programmed` and GKE `Reconciled`.
"""
_MUST_NOT_BE_TRUE = ("PartiallyInvalid",)


class Verdict(StrEnum):
    """What a Gateway says of a route in its present form."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    OUTDATED = "outdated"
    """It said something of an earlier form only."""
    SILENT = "silent"


@dataclass(frozen=True)
class RouteAnswer:
    """A verdict; `message` says why it is REFUSED, in one line without what looks like a secret: the
    condition's reason, a colon, and its message."""

    verdict: Verdict
    message: str = ""


def route_answer(route: Object, gateway: GatewaySettings, controller: str = "") -> RouteAnswer:
    """Return what the Gateway of the settings says of a route.

    `controller` is the name of the one that serves it, if that is known: what others left there then counts
    for nothing.
    """
    generation = route["metadata"].get("generation") or 0
    by_controller: dict[str, list[RouteAnswer]] = {}
    for parent in _counting(route, gateway):
        name = str(parent.get("controllerName") or "")
        if not controller or not name or name == controller:
            by_controller.setdefault(name, []).append(_of_parent(parent, generation))
    answers = [_of_listeners(said) for said in by_controller.values()]
    # A controller that was replaced leaves its entry behind, and nobody takes it away. One that follows the
    # route says something of its present form.
    present = [each for each in answers if each.verdict in (Verdict.ACCEPTED, Verdict.REFUSED)]
    return _worst(present or answers)


def gateway_acknowledged(route: Object, gateway: GatewaySettings) -> bool:
    """Return whether a route's status says that the gateway knows what the route says now.

    Each condition names the generation that it is about (https://gateway-api.sigs.k8s.io/geps/gep-1364/).
    """
    counting = _counting(route, gateway)
    # The least of them counts: while one condition is of an earlier generation, the gateway may still send
    # requests the old way.
    seen = [
        min((c.get("observedGeneration", 0) for c in parent.get("conditions") or []), default=0)
        for parent in counting
    ]
    return bool(seen) and min(seen) >= route["metadata"]["generation"]


def _counting(route: Object, gateway: GatewaySettings) -> Sequence[Object]:
    """Return the entries that are about the reference of the settings.

    A Gateway says it under the very reference of the `spec`, listener included. Of a `spec` that names no
    listener some say it for each of theirs: then all of these count.
    """
    here = route["metadata"].get("namespace", "")
    said: dict[str, list[Object]] = {}
    for parent in (route.get("status") or {}).get("parents") or []:
        of = parent.get("parentRef") or {}
        kind = (of.get("group", _GATEWAY[0]), of.get("kind", _GATEWAY[1]))
        name = (of.get("namespace") or here, of.get("name"))
        if kind == _GATEWAY and name == (gateway.namespace, gateway.name):
            said.setdefault(of.get("sectionName") or "", []).append(parent)
    # What another listener says is about the reference of an earlier setting, if this one has an entry.
    counting = said.get(gateway.section_name or "", [])
    if not counting and not gateway.section_name:
        counting = [parent for entries in said.values() for parent in entries]
    return counting


def _of_parent(parent: Object, generation: int) -> RouteAnswer:
    conditions = {str(c.get("type")): c for c in parent.get("conditions") or []}
    wrong = [
        condition
        for kinds, bad in ((_MUST_BE_TRUE, "False"), (_MUST_NOT_BE_TRUE, "True"))
        for condition in (conditions[kind] for kind in kinds if kind in conditions)
        if condition.get("status") == bad
    ]
    present = [condition for condition in wrong if is_present(condition, generation)]
    if present:
        return RouteAnswer(Verdict.REFUSED, one_line(words_of(present[0])))
    accepted = conditions.get("Accepted")
    decided = ("True", "False")
    undecided = [c for k, c in conditions.items() if k in _MUST_BE_TRUE and c.get("status") not in decided]
    if accepted is None or undecided:
        # What the API server puts there itself until a controller comes: `Unknown`, `Pending`.
        return RouteAnswer(Verdict.SILENT)
    known = [c for k, c in conditions.items() if k in (*_MUST_BE_TRUE, *_MUST_NOT_BE_TRUE)]
    current = all(is_present(condition, generation) for condition in known)
    return RouteAnswer(Verdict.ACCEPTED if current else Verdict.OUTDATED)


def _of_listeners(answers: Sequence[RouteAnswer]) -> RouteAnswer:
    """Return what one controller says.

    A route is attached to a Gateway if at least one of its listeners takes it
    (https://gateway-api.sigs.k8s.io/reference/spec/#parentreference, `sectionName`).
    """
    accepted = next((answer for answer in answers if answer.verdict is Verdict.ACCEPTED), None)
    return accepted or _worst(answers)


def _worst(answers: Sequence[RouteAnswer]) -> RouteAnswer:
    order = (Verdict.REFUSED, Verdict.OUTDATED, Verdict.SILENT, Verdict.ACCEPTED)
    return min(answers, key=lambda answer: order.index(answer.verdict), default=RouteAnswer(Verdict.SILENT))
