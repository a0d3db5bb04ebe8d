"""The Gateway is looked at now and then: what has changed wakes whom it concerns, and is said once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from previewbot.api import Link, LinkKind, Preview, Reason
from previewbot.engine.gateway_state import GatewayState, Stands
from previewbot.reconciler.memory import GatewayMemory
from previewbot.reconciler.observation import GatewaySeen
from previewbot.runtime.gateway import GatewayWatch
from previewbot.runtime.health import Health, application
from tests.support.previews import NOW, a_preview

WELL = GatewaySeen(GatewayState(Stands.SERVED), NOW)
GONE = GatewaySeen(GatewayState(Stands.MISSING, "there is no Gateway gateways/public"), NOW)


def a_preview_with(name: str, link: Link) -> Preview:
    preview = a_preview(name=name)
    return replace(preview, status=replace(preview.status, link=link))


PREVIEWS = (
    a_preview_with("gh-812-1", Link(kind=LinkKind.GATEWAY, url="https://a.example.com/")),
    a_preview_with("gh-812-2", Link(reason=Reason.ROUTE_UNANSWERED)),
    a_preview_with("gh-812-3", Link()),
)


class Looks:
    """A Gateway as it is found, one look after the other, and after these never again."""

    def __init__(self, *seen: GatewaySeen) -> None:
        self._seen, self.over = list(seen), asyncio.Event()

    async def __call__(self, memory: GatewayMemory) -> GatewaySeen:
        if not self._seen:
            self.over.set()
            await asyncio.Event().wait()
        return self._seen.pop(0)


@pytest.mark.parametrize(
    ("looks", "woken"),
    [
        ((WELL, WELL), []),
        ((GONE,), []),
        ((WELL, GONE), ["gh-812-1", "gh-812-2"]),
        ((GONE, WELL, WELL), ["gh-812-1", "gh-812-2"]),
    ],
)
async def test_previews_with_a_link_or_in_want_of_one_are_looked_at_when_the_gateway_has_changed(
    looks: tuple[GatewaySeen, ...], woken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def no_time(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", no_time)
    names: list[str] = []
    found = Looks(*looks)
    watch = GatewayWatch(found, CollectorRegistry(), Health())
    running = asyncio.create_task(watch.run(GatewayMemory(), lambda: PREVIEWS, names.append))
    await found.over.wait()
    running.cancel()

    assert names == woken
    assert pauses == [15 if seen.state.trouble else 60 for seen in looks]


async def test_trouble_of_the_gateway_is_in_the_metrics_and_told_by_a_probe_that_stays_ready() -> None:
    metrics, health = CollectorRegistry(), Health(missing="")
    watch = GatewayWatch(Looks(GONE, WELL), metrics, health)
    [readyz] = [
        route.handler
        for route in application(health, metrics).router.routes()
        if route.resource and route.resource.canonical == "/readyz" and route.method == "GET"
    ]

    await watch.once(GatewayMemory())
    answer = cast(web.Response, await readyz(cast(Any, None)))
    assert metrics.get_sample_value("previewbot_gateway_trouble") == 1
    assert (answer.status, answer.text) == (200, "ok; links do not work: there is no Gateway gateways/public")

    await watch.once(GatewayMemory())
    answer = cast(web.Response, await readyz(cast(Any, None)))
    assert metrics.get_sample_value("previewbot_gateway_trouble") == 0
    assert (answer.status, answer.text) == (200, "ok")


async def test_whoever_stands_by_says_nothing_of_a_gateway_that_was_in_trouble() -> None:
    health, metrics = Health(), CollectorRegistry()
    watch = GatewayWatch(Looks(GONE), metrics, health)
    await watch.once(GatewayMemory())
    before = health.notes, metrics.get_sample_value("previewbot_gateway_trouble")

    watch.forget()

    assert before == ("links do not work: there is no Gateway gateways/public", 1.0)
    assert (health.notes, metrics.get_sample_value("previewbot_gateway_trouble")) == ("", 0.0)
