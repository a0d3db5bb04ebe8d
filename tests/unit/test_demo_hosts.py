"""Who answers a request in the demo's world, where GitHub and Kubernetes share an address."""

from __future__ import annotations

import pytest
from aiohttp import web

from previewbot_demo.hosts import Hosts


async def _github(_: web.Request) -> web.StreamResponse:
    return web.Response()


async def _kube(_: web.Request) -> web.StreamResponse:
    return web.Response()


async def _other(_: web.Request) -> web.StreamResponse:
    return web.Response()


async def _split_view(_: web.Request) -> web.StreamResponse:
    return web.Response()


async def _broker(_: web.Request) -> web.StreamResponse:
    return web.Response()


HOSTS = Hosts(
    github=_github,
    kube=_kube,
    registry=_other,
    preview=_other,
    share=_other,
    shop=_other,
    split_view=_split_view,
    broker=_broker,
)


@pytest.mark.parametrize(
    "path", ["/acme/shop/pull/1", "/demonstrations/shop/pulls", "/api/v3/repos/acme/shop", "/api/graphql"]
)
def test_github_answers_for_its_pages_and_both_of_its_apis(path: str) -> None:
    assert HOSTS.choose("127.0.0.1", path) is _github


@pytest.mark.parametrize("path", ["/api", "/api/v1/namespaces", "/apis/apps/v1", "/version", "/api/graphqls"])
def test_kubernetes_answers_for_its_own(path: str) -> None:
    assert HOSTS.choose("127.0.0.1", path) is _kube


@pytest.mark.parametrize("path", ["/", "/demo", "/demo/state", "/demo/split.js"])
def test_the_demo_opens_with_its_split_view(path: str) -> None:
    assert HOSTS.choose("127.0.0.1", path) is _split_view


@pytest.mark.parametrize("path", ["/queues/parcels", "/queues/parcels/4"])
def test_the_shops_messages_go_through_its_broker(path: str) -> None:
    assert HOSTS.choose("127.0.0.1", path) is _broker
