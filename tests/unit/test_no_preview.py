"""The route for hosts at which no preview is: what it leads to, and which routes come before it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.config.server import GatewaySettings
from previewbot.engine import links, no_preview, probe, routes
from previewbot_demo import gateway_rules
from previewbot_demo import no_preview as demo
from tests.support.no_preview_route import no_preview_spec
from tests.support.previews import a_preview

PAGES = "https://previews.example.com"
GATEWAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "a listener": {"sectionName": "https"},
    "another port": {"scheme": "http", "port": 8080},
}
SAFE_URLS = [PAGES, "http://previews.example.com:8443/", "https://previews.example.com/below"]


def a_gateway(**more: Any) -> GatewaySettings:
    given = {"name": "public", "namespace": "gateways", "domain": "preview.example.com", **more}
    return GatewaySettings.model_validate(given)


def redirect_of(route: dict[str, Any]) -> dict[str, Any]:
    (rule,) = route["rules"]
    (one,) = rule["filters"]
    found: dict[str, Any] = one["requestRedirect"]
    return found


def test_it_takes_every_path_of_every_host_below_the_domain_and_has_no_backend() -> None:
    spec = no_preview_spec(a_gateway(), PAGES)

    assert spec["hostnames"] == ["*.preview.example.com"]
    (rule,) = spec["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert "backendRefs" not in rule


def test_it_leads_to_a_page_of_web_and_never_for_good() -> None:
    redirect = redirect_of(no_preview_spec(a_gateway(), PAGES))

    # A browser remembers 301, and there may be a preview at this address later.
    assert redirect["statusCode"] == 302
    found = gateway_rules.location(redirect, "/cart?x=1", "old.preview.example.com", 443)
    assert found == "https://previews.example.com/p/none"


def test_its_page_is_no_previews_and_not_the_doctors() -> None:
    assert no_preview.page_of(PAGES) not in (probe.page_of(PAGES), links.page_url(PAGES, "gh-812-42"))


@pytest.mark.parametrize("public_url", SAFE_URLS)
@pytest.mark.parametrize("name", sorted(GATEWAYS))
def test_the_demo_has_the_same_route_as_an_installation(name: str, public_url: str) -> None:
    settings = a_gateway(**GATEWAYS[name])
    written = {"name": "public", "namespace": "gateways", "domain": "preview.example.com", **GATEWAYS[name]}

    assert demo.manifest(written, public_url)["spec"] == no_preview_spec(settings, public_url)


# Which route comes first, as the demo's gateway does it and the Gateway API has it


def route(name: str, *hosts: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"hostnames": list(hosts)}}


@given(st.permutations(["key", "any", "wide", "other"]))
def test_a_previews_own_route_comes_first_in_whatever_order_they_were_made(order: list[str]) -> None:
    routes = {
        "key": route("key", "key.preview.example.com"),
        "any": route("any", "*.preview.example.com"),
        "wide": route("wide", "*.example.com"),
        "other": route("other", "ke.preview.example.com"),
    }

    def taken_by(host: str) -> str | None:
        found = gateway_rules.route_for(host, [routes[name] for name in order])
        return found["metadata"]["name"] if found else None

    assert taken_by("key.preview.example.com") == "key"
    assert taken_by("gone.preview.example.com") == "any"
    assert taken_by("a.gone.preview.example.com") == "any"
    assert taken_by("shop.example.com") == "wide"
    assert taken_by("preview.example.com") == "wide"
    assert taken_by("example.com") is None


def test_a_previews_route_names_its_host_in_full_in_all_that_it_does() -> None:
    gateway, preview = a_gateway(), a_preview()
    made = routes.route(preview, gateway, "staging", None, page=f"{PAGES}/p/812/42")

    (host,) = made["spec"]["hostnames"]
    assert "*" not in host
    assert host.endswith(".preview.example.com")
