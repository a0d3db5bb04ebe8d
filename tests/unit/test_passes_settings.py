"""Other settings of the gateway: a route that is there follows, and what serves goes on serving."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.config.server import parse
from tests.support.passes import SETTINGS, A, World, ready

SIGN_IN = {
    "type": "ExtensionRef",
    "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "sign-in"},
}


def restarted(world: World, **options: Any) -> None:
    """Start the controller anew with these settings of the gateway."""
    gateway = SETTINGS["links"]["gateway"] | options
    world.settings = parse({**SETTINGS, "links": {"gateway": gateway}}, {})
    world.restart()


def rule(world: World) -> dict[str, Any]:
    (route,) = world.cluster.routes.values()
    (found,) = route["spec"]["rules"]
    return dict(found)


async def test_a_sign_in_comes_before_what_serves_without_a_word_to_anybody() -> None:
    world = await ready()
    before = [session["metadata"]["uid"] for session in world.cluster.sessions.values()]
    said = world.comment
    restarted(world, filters=[SIGN_IN], labels={"team": "shop"})
    await world.settle(3)

    assert rule(world)["filters"][0] == SIGN_IN
    (route,) = world.cluster.routes.values()
    assert route["metadata"]["labels"]["team"] == "shop"
    assert [session["metadata"]["uid"] for session in world.cluster.sessions.values()] == before
    assert (world.serving, world.comment) == ([A], said)

    restarted(world)
    await world.settle(3)
    assert [each["type"] for each in rule(world)["filters"]] == ["RequestHeaderModifier"]


@pytest.mark.parametrize("listener", ["https", None])
async def test_a_session_is_removed_when_the_gateway_acknowledged_at_the_listener_of_the_settings(
    listener: str | None,
) -> None:
    """One that says nothing there is waited for, as one that says nothing at all."""
    world = await ready()
    restarted(world, **({"sectionName": listener} if listener else {}))
    world.say("/preview stop")
    await world.settle(2, seconds=2)
    await world.settle(1, seconds=2)

    assert (len(world.cluster.sessions) == 1) is (listener is not None)
    await world.settle(6)
    assert world.cluster.sessions == {}
