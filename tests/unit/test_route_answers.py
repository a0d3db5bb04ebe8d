"""What a Gateway's words about a route mean, by Gateway API's rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.config.server import GatewaySettings
from previewbot.engine.route_answers import RouteAnswer, Verdict, route_answer
from tests.support.gateways import ACCEPTED, CONTROLLER, NOT_ALLOWED, PENDING, RESOLVED, Said, a_parent

GATEWAY = GatewaySettings(name="public", namespace="gateways", domain="preview.example.com")
AT_HTTPS = GATEWAY.model_copy(update={"section_name": "https"})
OTHER = "traefik.io/gateway-controller"


def a_route(*parents: dict[str, Any], generation: int = 1) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "staging", "generation": generation},
        "status": {"parents": list(parents)},
    }


def no(kind: str, reason: str, message: str = "no") -> Said:
    return (kind, "False", reason, message)


ACCEPTS, SILENT, OUTDATED = (RouteAnswer(v) for v in (Verdict.ACCEPTED, Verdict.SILENT, Verdict.OUTDATED))


def refuses(message: str) -> RouteAnswer:
    return RouteAnswer(Verdict.REFUSED, message)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ((ACCEPTED, RESOLVED), ACCEPTS),
        ((ACCEPTED,), ACCEPTS),
        ((NOT_ALLOWED, RESOLVED), refuses(f"NotAllowedByListeners: {NOT_ALLOWED[3]}")),
        ((no("Accepted", "NoMatchingListenerHostname"),), refuses("NoMatchingListenerHostname: no")),
        ((no("Accepted", "NoMatchingParent"), RESOLVED), refuses("NoMatchingParent: no")),
        ((no("Accepted", "UnsupportedValue"),), refuses("UnsupportedValue: no")),
        ((ACCEPTED, no("ResolvedRefs", "BackendNotFound")), refuses("BackendNotFound: no")),
        ((ACCEPTED, no("ResolvedRefs", "RefNotPermitted")), refuses("RefNotPermitted: no")),
        ((ACCEPTED, no("ResolvedRefs", "InvalidKind")), refuses("InvalidKind: no")),
        (
            (no("ResolvedRefs", "InvalidKind"), NOT_ALLOWED),
            refuses(f"NotAllowedByListeners: {NOT_ALLOWED[3]}"),
        ),
        (
            (ACCEPTED, RESOLVED, ("PartiallyInvalid", "True", "UnsupportedValue", "a rule is dropped")),
            refuses("UnsupportedValue: a rule is dropped"),
        ),
        ((ACCEPTED, RESOLVED, ("PartiallyInvalid", "False", "Valid", "")), ACCEPTS),
        # Conditions of implementations: GKE's, Kong's; and one that nobody knows says nothing.
        ((ACCEPTED, RESOLVED, no("Reconciled", "ReconciliationFailed")), refuses("ReconciliationFailed: no")),
        ((ACCEPTED, RESOLVED, no("Programmed", "Pending")), refuses("Pending: no")),
        ((ACCEPTED, RESOLVED, no("example.com/Shiny", "Dull")), ACCEPTS),
        ((no("Accepted", "NotAllowedByListeners", ""),), refuses("NotAllowedByListeners")),
        # Nobody has decided yet.
        ((PENDING,), SILENT),
        ((ACCEPTED, ("ResolvedRefs", "Unknown", "Pending", "")), SILENT),
        ((RESOLVED,), SILENT),
        ((), SILENT),
    ],
)
def test_the_conditions_of_a_parent_say_whether_the_route_works(
    said: tuple[Said, ...], answer: RouteAnswer
) -> None:
    assert route_answer(a_route(a_parent(*said)), GATEWAY) == answer


@pytest.mark.parametrize(
    ("said", "of", "answer"),
    [
        ((ACCEPTED, RESOLVED), 1, OUTDATED),
        ((NOT_ALLOWED,), 1, OUTDATED),
        ((ACCEPTED, RESOLVED), 2, ACCEPTS),
        ((ACCEPTED, RESOLVED), 3, ACCEPTS),
        # One that names no generation cannot be told to be old.
        ((ACCEPTED, RESOLVED), 0, ACCEPTS),
        ((NOT_ALLOWED,), 0, refuses(f"NotAllowedByListeners: {NOT_ALLOWED[3]}")),
    ],
)
def test_what_is_said_of_an_earlier_form_of_a_route_is_no_answer(
    said: tuple[Said, ...], of: int, answer: RouteAnswer
) -> None:
    assert route_answer(a_route(a_parent(*said, generation=of), generation=2), GATEWAY) == answer


def test_an_entry_of_which_one_condition_is_old_is_no_yes() -> None:
    parent = a_parent(ACCEPTED, RESOLVED, generation=2)
    parent["conditions"][1]["observedGeneration"] = 1

    assert route_answer(a_route(parent, generation=2), GATEWAY) == OUTDATED
    parent["conditions"][0] |= {"status": "False", "reason": "NoMatchingParent", "message": "no"}
    assert route_answer(a_route(parent, generation=2), GATEWAY) == refuses("NoMatchingParent: no")


YES, NO = (ACCEPTED, RESOLVED), (no("Accepted", "NotAllowedByListeners"),)
REFUSED = refuses("NotAllowedByListeners: no")


@pytest.mark.parametrize(
    ("parents", "answer"),
    [
        # At least one listener takes it: then it is attached.
        ([a_parent(*NO, listener="http"), a_parent(*YES, listener="https")], ACCEPTS),
        ([a_parent(*NO, listener="http"), a_parent(*NO, listener="https")], REFUSED),
        ([a_parent(*NO, listener="http"), a_parent(listener="https")], REFUSED),
        # The entry of the very reference of the settings counts before those of listeners.
        ([a_parent(*NO), a_parent(*YES, listener="https")], REFUSED),
        # Another Gateway, of another name, namespace or kind, is not asked.
        ([a_parent(*YES, name="other"), a_parent(*NO)], REFUSED),
        ([a_parent(*NO, namespace="elsewhere"), a_parent(*YES)], ACCEPTS),
        ([a_parent(*YES, name="other")], SILENT),
        ([], SILENT),
        # Two controllers, each of which serves a Gateway of this name: both must take it.
        ([a_parent(*YES), a_parent(*NO, controller=OTHER)], REFUSED),
        ([a_parent(*YES), a_parent(*YES, controller=OTHER)], ACCEPTS),
        # The one before, whose entry nobody took away, has not seen the route as it is.
        ([a_parent(*NO, controller=OTHER, generation=1), a_parent(*YES, generation=2)], ACCEPTS),
        ([a_parent(*YES, controller=OTHER, generation=1), a_parent(*NO, generation=2)], REFUSED),
    ],
)
def test_of_several_listeners_one_is_enough_and_of_several_controllers_all_must_take_a_route(
    parents: list[dict[str, Any]], answer: RouteAnswer
) -> None:
    old = any(p["conditions"] and p["conditions"][0]["observedGeneration"] == 2 for p in parents)

    assert route_answer(a_route(*parents, generation=2 if old else 1), GATEWAY) == answer


def test_where_it_is_known_who_serves_the_gateway_nobody_else_is_asked() -> None:
    route = a_route(a_parent(*NO, controller=OTHER), a_parent(*YES))

    assert route_answer(route, GATEWAY, CONTROLLER) == ACCEPTS
    assert route_answer(route, GATEWAY, OTHER) == REFUSED
    assert route_answer(route, GATEWAY, "example.com/a-third") == SILENT


@pytest.mark.parametrize(
    ("parents", "answer"),
    [
        ([a_parent(*NO, listener="http"), a_parent(*YES, listener="https")], ACCEPTS),
        ([a_parent(*YES, listener="http"), a_parent(*NO, listener="https")], REFUSED),
        ([a_parent(*YES, listener="http")], SILENT),
        # Of the settings before they named a listener.
        ([a_parent(*YES)], SILENT),
    ],
)
def test_with_a_listener_in_the_settings_what_is_said_of_this_one_counts(
    parents: list[dict[str, Any]], answer: RouteAnswer
) -> None:
    assert route_answer(a_route(*parents), AT_HTTPS) == answer


def test_a_reference_without_what_has_a_default_is_to_a_gateway_beside_the_route() -> None:
    route = a_route({"parentRef": {"name": "public"}, "conditions": a_parent(*YES)["conditions"]})

    assert route_answer(route, GATEWAY.model_copy(update={"namespace": "staging"})) == ACCEPTS
    assert route_answer(route, GATEWAY) == SILENT
    route["status"]["parents"][0]["parentRef"] |= {"namespace": "gateways", "kind": "Service", "group": ""}
    assert route_answer(route, GATEWAY) == SILENT


def test_the_words_of_a_gateway_are_one_line_without_secrets() -> None:
    said = no("Accepted", "Invalid", "cannot read\nhttps://robot:hunter22hunter22@registry.example.com")
    answer = route_answer(a_route(a_parent(said)), GATEWAY)

    assert "\n" not in answer.message
    assert "hunter22" not in answer.message
    assert answer.message.startswith("Invalid: cannot read")


CONDITION = st.tuples(
    st.sampled_from(["Accepted", "ResolvedRefs", "PartiallyInvalid", "Programmed", "Other"]),
    st.sampled_from(["True", "False", "Unknown", ""]),
    st.sampled_from(["", "Accepted", "Pending"]),
    st.text(max_size=5),
)
PARENT = st.builds(
    lambda said, generation, controller, listener: a_parent(
        *said, generation=generation, controller=controller, listener=listener
    ),
    st.lists(CONDITION, max_size=4),
    st.integers(0, 3),
    st.sampled_from([CONTROLLER, OTHER]),
    st.sampled_from(["", "http", "https"]),
)


@given(st.lists(PARENT, max_size=4), st.sampled_from([GATEWAY, AT_HTTPS]))
def test_a_route_is_never_taken_of_which_nobody_says_that_it_is_accepted(
    parents: list[dict[str, Any]], gateway: GatewaySettings
) -> None:
    answer = route_answer(a_route(*parents, generation=2), gateway)
    accepting = [
        parent
        for parent in parents
        if any(c["type"] == "Accepted" and c["status"] == "True" for c in parent["conditions"])
    ]

    assert accepting or answer.verdict is not Verdict.ACCEPTED
    assert bool(answer.message) <= (answer.verdict is Verdict.REFUSED)
