"""The chart's route for hosts at which no preview is: when it is made, and that it takes nothing else's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from previewbot.config.server import Settings, document, parse
from tests.chart import helm
from tests.chart.helm import Object, of_kind, one, rendered
from tests.support.no_preview_route import no_preview_spec

NAME = "previewbot-no-preview"
BELOW = ("--set", "settings.public_url=https://previews.Preview.example.com")
LED = (
    "--set-json",
    'httpRoute={"enabled": true, "parentRefs": [{"name": "public", "namespace": "gateways"}]}',
)


def exposing(*what: str) -> tuple[str, str]:
    return "--set-json", f"httpRoute.expose={json.dumps(what)}"


def found(name: str, *options: str) -> list[Object]:
    routes = of_kind(rendered(name, *options), "HTTPRoute")
    return [route for route in routes if route["metadata"]["name"] == NAME]


def settings_of(name: str, *options: str) -> Settings:
    text = one(rendered(name, *options), "ConfigMap", "previewbot")["data"]["settings.yaml"]
    return parse(document(text), {})


@pytest.mark.parametrize("options", [(), ("--set", "settings.public_url=http://previews.example.com:8443/")])
@pytest.mark.parametrize("name", ["gateway", "everything"])
def test_it_is_the_route_that_the_code_has(name: str, options: tuple[str, ...]) -> None:
    if name == "everything" and options:
        # Nobody signs in without TLS.
        options = ("--set", "settings.public_url=http://previews.example.com:8443,settings.access=none")
    settings = settings_of(name, *options)
    assert settings.links is not None and settings.links.gateway is not None

    [route] = found(name, *options)

    assert route["spec"] == no_preview_spec(settings.links.gateway, settings.public_url)
    assert route["metadata"]["namespace"] == helm.NAMESPACE


def test_it_has_the_labels_and_annotations_that_other_controllers_want_to_see_on_routes() -> None:
    [route] = found("everything")

    assert route["metadata"]["labels"]["example.com/team"] == "shop"
    assert route["metadata"]["labels"]["app.kubernetes.io/component"] == "no-preview"
    assert route["metadata"]["annotations"] == {"external-dns.alpha.kubernetes.io/ttl": "60"}


@pytest.mark.parametrize("name", ["minimal", "bare", "http-route", "ingress"])
def test_without_a_gateway_for_links_there_is_none(name: str) -> None:
    assert found(name) == []


def test_it_can_be_switched_off() -> None:
    assert found("gateway", "--set", "noPreviewRoute.enabled=false") == []


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ((), False),
        (("--set", "ingress.enabled=true"), False),
        (LED, True),
        ((*LED, *exposing("webhook")), False),
        ((*LED, *exposing("pages")), False),
        ((*LED, *exposing("pages", "webhook")), True),
    ],
)
def test_webs_own_host_below_the_domain_is_never_led_in_a_circle(
    options: tuple[str, ...], made: bool
) -> None:
    """Only where a route names that host in full, which comes first, for webhooks and the page alike."""
    routes = found("gateway", *BELOW, *options)

    assert bool(routes) is made
    if made:
        web = one(rendered("gateway", *BELOW, *options), "HTTPRoute", "previewbot-web")["spec"]
        leads: dict[str, Any] = routes[0]["spec"]["rules"][0]["filters"][0]["requestRedirect"]
        assert web["hostnames"] == [leads["hostname"]]
        page = leads["path"]["replaceFullPath"]
        assert any(page.startswith(match["path"]["value"]) for match in web["rules"][1]["matches"][1:])
        assert web["rules"][1]["backendRefs"][0]["name"] == "previewbot-pages"


@pytest.mark.parametrize(
    ("public_url", "takes"),
    [
        ("https://previews.preview.example.com", True),
        ("https://a.b.preview.example.com:8443", True),
        ("https://PREVIEWS.Preview.Example.com", True),
        ("https://preview.example.com", False),
        ("https://previews.example.com", False),
        ("https://notpreview.example.com", False),
    ],
)
def test_without_such_a_route_it_is_made_only_where_webs_own_host_is_none_of_its_hosts(
    public_url: str, takes: bool
) -> None:
    routes = found("gateway", "--set", f"settings.public_url={public_url}")

    hosts = [route["spec"]["hostnames"] for route in routes]
    assert hosts == ([] if takes else [["*.preview.example.com"]])
