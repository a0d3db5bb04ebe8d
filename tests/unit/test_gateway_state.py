"""What a Gateway shows of itself: who serves it, and whether a route of ours can be attached to it."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.config.server import GatewaySettings
from previewbot.engine.gateway_state import GatewayState, Stands, gateway_state
from tests.support.gateways import (
    A_CLASS,
    ACCEPTED,
    CONTROLLER,
    PENDING,
    Said,
    a_gateway_object,
    a_listener,
    conditions,
)

SETTINGS: dict[str, Any] = {"name": "public", "namespace": "gateways", "domain": "preview.example.com"}
PROGRAMMED = ("Programmed", "True", "Programmed", "")


def state(gateway: dict[str, Any] | None, **settings: Any) -> GatewayState:
    return gateway_state(gateway, A_CLASS, GatewaySettings(**(SETTINGS | settings)))


def test_a_gateway_that_is_not_there_is_missing() -> None:
    found = state(None)

    assert (found.stands, found.message) == (Stands.MISSING, "there is no Gateway gateways/public")


def test_one_that_is_served_is_in_no_trouble_and_says_by_whom() -> None:
    found = state(a_gateway_object())

    assert (found.stands, found.trouble, found.controller) == (Stands.SERVED, "", CONTROLLER)
    assert not found.silent


@pytest.mark.parametrize(
    ("said", "stands", "words"),
    [
        ((ACCEPTED, PROGRAMMED), Stands.SERVED, ""),
        ((ACCEPTED,), Stands.SERVED, ""),
        ((PROGRAMMED,), Stands.SERVED, ""),
        # Before Gateway API 0.8.
        ((("Scheduled", "True", "Scheduled", ""), ("Ready", "True", "Ready", "")), Stands.SERVED, ""),
        (
            (PENDING, ("Programmed", "Unknown", "Pending", "Waiting for controller")),
            Stands.WAITING,
            "no controller has taken the Gateway gateways/public (class shared)",
        ),
        (
            (ACCEPTED, ("Programmed", "False", "AddressNotAssigned", "no address")),
            Stands.REFUSED,
            "the Gateway gateways/public is not programmed: AddressNotAssigned: no address",
        ),
        (
            (("Accepted", "False", "InvalidParameters", "no such parameters"), PROGRAMMED),
            Stands.REFUSED,
            "the Gateway gateways/public is not accepted: InvalidParameters: no such parameters",
        ),
    ],
)
def test_its_conditions_say_whether_a_controller_serves_it(
    said: tuple[Said, ...], stands: Stands, words: str
) -> None:
    found = state(a_gateway_object(*said))

    assert (found.stands, found.message) == (stands, words)


def test_what_is_said_of_an_earlier_form_of_a_gateway_does_not_count_against_it() -> None:
    refused = ("Programmed", "False", "Invalid", "no")
    found = state(a_gateway_object(refused, generation=3, of=2))

    assert found.stands is Stands.WAITING
    assert not found.untaken


@pytest.mark.parametrize("status", [{}, {"conditions": []}, {"conditions": conditions([PENDING], 0)}])
def test_one_of_which_no_controller_ever_said_anything_is_untaken(status: dict[str, Any]) -> None:
    found = state(a_gateway_object() | {"status": status})

    assert (found.stands, found.untaken) == (Stands.WAITING, True)
    assert not state(a_gateway_object()).untaken


def test_one_without_any_status_has_been_taken_by_nobody() -> None:
    gateway = a_gateway_object()
    del gateway["status"]

    assert state(gateway).stands is Stands.WAITING


def test_where_its_class_is_refused_the_words_say_why() -> None:
    refused = ("Accepted", "False", "InvalidParameters", "no such ConfigMap")
    its_class = {**A_CLASS, "status": {"conditions": conditions([refused])}}
    found = gateway_state(a_gateway_object(PENDING), its_class, GatewaySettings(**SETTINGS))

    assert found.message.endswith("its class shared is not accepted: InvalidParameters: no such ConfigMap")


def test_without_its_class_nobody_knows_who_serves_it() -> None:
    found = gateway_state(a_gateway_object(), None, GatewaySettings(**SETTINGS))

    assert (found.stands, found.controller) == (Stands.SERVED, "")


BROKEN: tuple[Said, ...] = (
    ACCEPTED,
    ("Programmed", "False", "Invalid", "no certificate"),
)
UNREADABLE: tuple[Said, ...] = (
    ACCEPTED,
    PROGRAMMED,
    ("ResolvedRefs", "False", "InvalidCertificateRef", "no Secret wildcard"),
)
BOTH = [a_listener("http", port=80, hostname="*.example.com"), a_listener("https")]


@pytest.mark.parametrize(
    ("listeners", "says", "settings", "trouble"),
    [
        ([a_listener()], {"https": BROKEN}, {}, "listener https: Invalid: no certificate"),
        (
            [a_listener()],
            {"https": UNREADABLE},
            {},
            "listener https: InvalidCertificateRef: no Secret wildcard",
        ),
        # People open https://, and the Gateway ends TLS itself: the other listener is of no use to them.
        (BOTH, {"https": BROKEN}, {}, "listener https: Invalid: no certificate"),
        (BOTH, {"http": BROKEN}, {}, ""),
        (BOTH, {"https": BROKEN}, {"scheme": "http"}, ""),
        (BOTH, {"https": BROKEN}, {"sectionName": "http"}, ""),
        (
            [a_listener()],
            {"https": (("Conflicted", "True", "HostnameConflict", "taken"),)},
            {},
            "listener https: HostnameConflict: taken",
        ),
        # Kinds of routes that it does not know are no trouble of ours.
        ([a_listener()], {"https": (PROGRAMMED, ("ResolvedRefs", "False", "InvalidRouteKinds", ""))}, {}, ""),
    ],
)
def test_a_listener_for_our_links_that_does_not_work_is_the_gateways_trouble(
    listeners: list[dict[str, Any]], says: dict[str, tuple[Said, ...]], settings: dict[str, Any], trouble: str
) -> None:
    found = state(a_gateway_object(listeners=listeners, listener_says=says), **settings)

    assert found.trouble == (f"the Gateway gateways/public, {trouble}" if trouble else "")
    assert found.stands is (Stands.REFUSED if trouble else Stands.SERVED)


NOT_ALL = ("Accepted", "False", "ListenersNotValid", "All Listeners must be valid")


@pytest.mark.parametrize(
    ("says", "said", "stands"),
    [
        ({"http": BROKEN}, (NOT_ALL,), Stands.SERVED),
        ({"http": BROKEN}, (NOT_ALL, PROGRAMMED), Stands.SERVED),
        ({"https": BROKEN}, (NOT_ALL,), Stands.REFUSED),
        ({"https": ()}, (NOT_ALL,), Stands.REFUSED),
        ({"http": BROKEN}, (NOT_ALL, ("Programmed", "False", "AddressNotAssigned", "none")), Stands.REFUSED),
        ({"http": BROKEN}, (NOT_ALL, ("Programmed", "False", "ListenersNotValid", "no")), Stands.REFUSED),
        ({"http": BROKEN}, (("Accepted", "False", "InvalidParameters", "none"),), Stands.REFUSED),
    ],
)
def test_another_teams_broken_listener_is_no_trouble_of_ours(
    says: dict[str, tuple[Said, ...]], said: tuple[Said, ...], stands: Stands
) -> None:
    found = state(a_gateway_object(*said, listeners=BOTH, listener_says=says))

    assert found.stands is stands
    assert bool(found.trouble) is (stands is Stands.REFUSED)


def allowing(**allowed: Any) -> dict[str, Any]:
    return a_listener(allowedRoutes=allowed)


@pytest.mark.parametrize(
    ("listeners", "settings", "words"),
    [
        ([a_listener()], {"sectionName": "htps"}, "has no listener htps"),
        ([a_listener(hostname="*.other.example.com")], {}, "is for HTTP at *.preview.example.com"),
        ([a_listener(protocol="TCP")], {}, "is for HTTP at *.preview.example.com"),
        ([allowing(kinds=[{"kind": "GRPCRoute"}])], {}, "take no HTTPRoute (allowedRoutes.kinds)"),
        ([allowing(namespaces={"from": "None"})], {}, "take no route (allowedRoutes.namespaces)"),
        ([a_listener(hostname="")], {}, ""),
        ([a_listener(hostname="*.EXAMPLE.com")], {}, ""),
        ([allowing(namespaces={"from": "Selector", "selector": {}})], {}, ""),
    ],
)
def test_its_listeners_say_why_no_route_of_ours_is_attached(
    listeners: list[dict[str, Any]], settings: dict[str, Any], words: str
) -> None:
    found = state(a_gateway_object(listeners=listeners), **settings)

    assert found.refuses.endswith(words)
    assert bool(found.refuses) is bool(words)


@pytest.mark.parametrize(
    ("listeners", "own_only"),
    [
        ([allowing()], True),
        ([allowing(namespaces={"from": "Same"})], True),
        ([allowing(namespaces={"from": "All"})], False),
        ([allowing(namespaces={"from": "Selector"})], False),
        ([allowing(), a_listener("http", hostname="")], True),
        ([a_listener("other", protocol="HTTPS"), allowing()], False),
    ],
)
def test_by_default_a_listener_takes_routes_of_its_own_namespace_alone(
    listeners: list[dict[str, Any]], own_only: bool
) -> None:
    assert state(a_gateway_object(listeners=listeners)).own_namespace_only is own_only


def test_a_gateway_that_is_served_and_counts_no_route_writes_nothing_of_routes() -> None:
    assert state(a_gateway_object(attached=0)).silent
    assert not state(a_gateway_object(attached=1)).silent
    assert not state(a_gateway_object(PENDING, attached=0)).silent
    assert not state(a_gateway_object(attached=0), sectionName="htps").silent


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ([{"type": "IPAddress", "value": "192.0.2.7"}], ("192.0.2.7",)),
        ([{"value": "2001:db8::7"}], ("2001:db8::7",)),
        ([{"type": "Hostname", "value": "a1.elb.example.com"}], ("a1.elb.example.com",)),
        ([{"type": "example.com/NamedAddress", "value": "shared"}], ()),
        ([{"type": "Hostname", "value": "http://a/?"}, {"type": "IPAddress", "value": ""}], ()),
        (None, ()),
    ],
)
def test_where_it_is_reached_is_what_it_says_itself(written: Any, found: tuple[str, ...]) -> None:
    gateway = a_gateway_object()
    gateway["status"]["addresses"] = written

    assert state(gateway).addresses == found
