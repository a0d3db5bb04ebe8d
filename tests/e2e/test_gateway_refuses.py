"""A Gateway that does not take the route, or is not there: no link, and by itself once that is mended."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot_demo.demo_tour import browser_of
from previewbot_demo.kubeapi import KubeApi
from previewbot_demo.ports import free_port
from previewbot_demo.tour import NEW_BANNER
from previewbot_demo.world import REPOSITORY, Options
from tests.support.worlds import OPEN, Pull, scene, until

pytestmark = pytest.mark.timeout(120)

_GATEWAY = "/apis/gateway.networking.k8s.io/v1/namespaces/staging/gateways"


async def listen_at(api: KubeApi, hostname: str) -> None:
    """Change the host names that the Gateway's only listener is for."""
    gateway = await api.get(f"{_GATEWAY}/public")
    [listener] = gateway["spec"]["listeners"]
    await api.patch(f"{_GATEWAY}/public", {"spec": {"listeners": [{**listener, "hostname": hostname}]}})


async def test_a_route_that_the_gateway_stops_taking_loses_its_link_until_it_is_taken_again() -> None:
    async with scene(Options(build_seconds=0.3)) as town:
        world = town.world
        browser = browser_of(world, town.http)
        api = KubeApi(world.url, "an engineer", world.token)
        pull = Pull(world, await browser.start_task("web"), REPOSITORY)
        link = await pull.ready()

        await listen_at(api, "*.elsewhere.example.com")
        await pull.says("the Gateway does not take its route (`NoMatchingListenerHostname: no listener")
        assert OPEN not in pull.comment
        assert "This is for your platform team" in pull.comment
        assert (await browser.open(link)).status == 404

        await listen_at(api, "*.preview.localhost")
        assert await pull.ready() == link
        assert NEW_BANNER in (await browser.open(link)).text
        await api.close()


async def test_a_gateway_that_the_settings_misspell_gives_no_link_and_is_named() -> None:
    port = free_port()
    gateway: dict[str, Any] = {"name": "publik", "namespace": "staging", "domain": "preview.localhost"}
    settings = {"links": {"gateway": gateway | {"scheme": "http", "port": port, "settle": "0s"}}}
    async with scene(Options(port=port, build_seconds=0.3, settings=settings)) as town:
        world = town.world
        api = KubeApi(world.url, "an engineer", world.token)
        pull = Pull(world, await browser_of(world, town.http).start_task("web"), REPOSITORY)

        await pull.says("there is no Gateway staging/publik")
        assert OPEN not in pull.comment

        # Somebody makes it: the words change, and nobody serves it yet.
        spec = {"gatewayClassName": "nobody", "listeners": [{"name": "web", "protocol": "HTTP", "port": 80}]}
        metadata = {"name": "publik"}
        kind = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway"}
        await api.create(_GATEWAY, {**kind, "metadata": metadata, "spec": spec})
        await until("other words", lambda: "there is no Gateway" not in pull.comment, lambda: pull.comment)
        assert OPEN not in pull.comment
        await api.close()
