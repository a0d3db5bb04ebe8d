"""A route by paths, as links have it, through a real Gateway: it decides as the demo's stand-in does."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from previewbot.clients.kubernetes.resources import without_nulls
from previewbot.config.repository import Entry
from previewbot.config.server import GatewaySettings
from previewbot.engine import links, routes
from previewbot.engine.route_answers import Verdict, route_answer
from tests.node.conftest import Place
from tests.node.node import GATEWAY_PORT, wait_for
from tests.support.previews import a_preview

pytestmark = pytest.mark.timeout(600)

GATEWAY = GatewaySettings(name="public", namespace="gateways", domain="preview.example.com")
ENTRY = Entry.model_validate(
    {
        "url": "http://shop.example.com",
        "namespace": "staging",
        "service": "web",
        "port": 80,
        "routes": [
            {"path": "/prices", "service": "pricing", "port": 80, "timeouts": {"request": "0s"}},
            {"path": "/products", "type": "Exact", "service": "catalog", "port": 80},
        ],
    }
)
PREVIEW = a_preview(name="gh-77-7")
HOST = links.host(GATEWAY, PREVIEW.spec.environment_key)


def asked(place: Place, path: str) -> str:
    """Return what the Gateway answers for a path of the link."""
    address = f"http://{place.node.address}:{GATEWAY_PORT}{path}"
    request = urllib.request.Request(address, headers={"Host": f"{HOST}:{GATEWAY_PORT}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read(100_000).decode())
    except urllib.error.HTTPError as error:
        return error.read(100_000).decode()


def test_a_real_gateway_takes_each_path_to_the_service_that_answers_it(place: Place) -> None:
    route = without_nulls(routes.route(PREVIEW, GATEWAY, "staging", ENTRY, page="http://a.example.com/p/1/2"))
    # Its Preview is not there: Kubernetes would take it away.
    del route["metadata"]["ownerReferences"]
    name = route["metadata"]["name"]
    place.node.apply(route)

    def accepted() -> bool:
        found = place.node.get("httproute", name, "--namespace", "staging")
        return route_answer(found, GATEWAY).verdict is Verdict.ACCEPTED

    wait_for("the Gateway to take the route", accepted)
    wait_for("the Gateway to follow it", lambda: '"currency"' in asked(place, "/prices"))
    assert "no such path: /prices/of/mug" in asked(place, "/prices/of/mug")
    assert "<html" in asked(place, "/pricesless")
    assert asked(place, "/products").startswith(("{", "["))
    assert "<html" in asked(place, "/products/")
    assert "<html" in asked(place, "/")
    place.node.kubectl("--namespace", "staging", "delete", "httproute", name)
