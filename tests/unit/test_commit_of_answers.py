"""Answers name the commit that is announced to serve, where the Gateway can have them do so."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.config.server import GatewaySettings
from previewbot.engine.gateway_state import gateway_state
from previewbot.engine.routes import COMMIT_HEADER
from previewbot.errors import Forbidden, TryLater
from tests.support.gateways import A_CLASS, a_gateway_object
from tests.support.passes import World, ready
from tests.support.previews import HEAD, OLDER

SETTINGS: dict[str, Any] = {"name": "public", "namespace": "gateways", "domain": "preview.example.com"}
FEATURE = "HTTPRouteResponseHeaderModification"
ADDS_A_HEADER = {
    "type": "ResponseHeaderModifier",
    "responseHeaderModifier": {"set": [{"name": "a", "value": "b"}]},
}


def a_class(*features: Any) -> dict[str, Any]:
    return {**A_CLASS, "status": {"supportedFeatures": list(features)}}


def named(world: World) -> list[str]:
    """Return what the rules of the route have answers say."""
    (route,) = world.cluster.routes.values()
    return [
        header["value"]
        for rule in route["spec"]["rules"]
        for given in rule["filters"]
        if given["type"] == "ResponseHeaderModifier"
        for header in given["responseHeaderModifier"]["set"]
        if header["name"] == COMMIT_HEADER
    ]


@pytest.mark.parametrize(
    ("features", "can"),
    [
        ([{"name": FEATURE}], True),
        # As text, until Gateway API 1.1.
        ([FEATURE], True),
        ([{"name": "HTTPRoute"}], False),
        ([], False),
    ],
)
def test_whether_a_gateway_can_its_class_says(features: list[Any], can: bool) -> None:
    gateway = GatewaySettings(**SETTINGS)

    assert gateway_state(a_gateway_object(), a_class(*features), gateway).sets_answers is can
    assert gateway_state(a_gateway_object(), None, gateway).sets_answers is False


@pytest.mark.parametrize(
    ("setting", "supported", "filters", "names"),
    [
        ("auto", True, (), True),
        ("auto", False, (), False),
        ("always", False, (), True),
        ("never", True, (), False),
        # A rule may have one filter of this kind, and with a second the API server refuses the route.
        ("always", True, (ADDS_A_HEADER,), False),
    ],
)
def test_a_gateway_that_may_not_know_the_filter_gets_none(
    setting: str, supported: bool, filters: tuple[Any, ...], names: bool
) -> None:
    gateway = GatewaySettings(**SETTINGS, commit_header=setting, filters=filters)

    assert gateway.names_commit(supported=supported) is names


async def test_the_commit_that_serves_is_named_and_none_while_the_route_leads_to_the_page() -> None:
    world = World()
    world.cluster.gateway.gateway_class = a_class({"name": FEATURE})
    await ready(world)
    assert named(world) == [HEAD]

    world.github.head_sha = OLDER
    world.poke()
    await world.run()
    await world.run()
    # The old one is not there any more, nor is the new one yet.
    assert named(world) == []
    await world.settle()
    assert named(world) == [OLDER]


async def test_a_class_that_nobody_answers_for_once_takes_no_commit_from_the_answers() -> None:
    world = World()
    world.cluster.gateway.gateway_class = a_class({"name": FEATURE})
    await ready(world)

    for failure in (TryLater("Kubernetes", status=503), Forbidden("Kubernetes", status=403)):
        world.fail("get gatewayclasses", by=failure)
        world.clock.forward(seconds=90)
        world.poke()
        await world.run()
        assert "get gatewayclasses" in world.calls.made
        assert named(world) == ([HEAD] if isinstance(failure, TryLater) else [])


async def test_where_the_gateway_does_not_say_that_it_can_routes_are_as_ever() -> None:
    assert named(await ready(World())) == []
