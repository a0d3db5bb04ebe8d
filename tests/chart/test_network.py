"""Who reaches the pods, through what, and whom they may reach."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.helm import ALL_VALUES, Object, of_kind, one, pod, rendered, template


def policy(name: str, component: str, *options: str) -> Object:
    spec: Object = one(rendered(name, *options), "NetworkPolicy", f"previewbot-{component}")["spec"]
    return spec


def ports(rule: Object) -> set[tuple[str, Any]]:
    return {(port.get("protocol", "TCP"), port["port"]) for port in rule["ports"]}


def egress(name: str, component: str, *options: str) -> set[tuple[str, Any]]:
    """Return where a pod may go, DNS left out."""
    dns, *others = policy(name, component, *options)["egress"]
    assert ports(dns) == {("UDP", 53), ("TCP", 53)}
    return {port for rule in others for port in ports(rule)}


@pytest.mark.parametrize("name", ALL_VALUES)
def test_the_services_ports_lead_to_the_pods(name: str) -> None:
    objects = rendered(name)

    for service in of_kind(objects, "Service"):
        component = service["metadata"]["labels"]["app.kubernetes.io/component"]
        names = {port["name"] for port in pod(objects, component)["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names


def test_every_one_may_reach_web_and_nobody_the_controller_unless_said() -> None:
    assert policy("minimal", "web")["ingress"] == [{"ports": [{"port": "http"}]}]
    assert policy("minimal", "controller")["ingress"] == []


def test_only_the_peers_that_are_named_reach_the_pods() -> None:
    [public, metrics], [controller] = (policy("everything", who)["ingress"] for who in ("web", "controller"))

    for rule, port, namespace in (
        (public, "http", "gateways"),
        (metrics, "metrics", "monitoring"),
        (controller, "metrics", "monitoring"),
    ):
        assert rule["ports"] == [{"port": port}]
        assert [peer["namespaceSelector"]["matchLabels"] for peer in rule["from"]] == [
            {"kubernetes.io/metadata.name": namespace}
        ]


def test_web_goes_to_the_api_server_and_nowhere_else() -> None:
    assert egress("minimal", "web") == {("TCP", 443), ("TCP", 6443)}
    assert egress("everything", "web") == {("TCP", 8443)}


def test_the_controller_also_goes_to_github_and_to_the_registries_of_the_settings() -> None:
    assert egress("minimal", "controller") == {("TCP", 443), ("TCP", 6443)}
    assert egress("everything", "controller") == {
        ("TCP", 443),
        ("TCP", 8443),  # the API server, and GitHub as it happens
        ("TCP", 5000),  # a registry's own port
        ("TCP", 80),  # a registry of plain HTTP
        ("TCP", 3128),  # extraEgress
    }
    assert ("TCP", 8444) in egress(
        "minimal", "controller", "--set", "settings.github.api_url=https://g.io:8444"
    )
    token_server = r"settings.images.registries.r\.io.token_server=https://g.io:8445/jwt/auth"
    assert ("TCP", 8445) in egress("minimal", "controller", "--set", token_server)


@pytest.mark.parametrize("name", ALL_VALUES)
def test_both_directions_are_closed_but_for_the_rules(name: str) -> None:
    policies = of_kind(rendered(name), "NetworkPolicy")

    assert len(policies) == (0 if name == "bare" else 2)
    for found in policies:
        assert found["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_an_ingress_shows_the_webhook_and_the_pages_but_no_metrics_and_no_probes() -> None:
    [rule] = ingress("minimal", "--set", "ingress.enabled=true")["rules"]

    assert [(path["path"], path["pathType"]) for path in rule["http"]["paths"]] == [
        ("/webhook", "Exact"),
        ("/p", "Prefix"),
    ]


def test_an_ingress_is_for_the_host_of_the_public_url() -> None:
    found = ingress("ingress")

    assert found["ingressClassName"] == "nginx"
    assert [rule["host"] for rule in found["rules"]] == ["previews.example.com"]
    assert found["tls"] == [{"hosts": ["previews.example.com"], "secretName": "previews-tls"}]
    assert [path["path"] for path in found["rules"][0]["http"]["paths"]] == ["/webhook"]


def ingress(name: str, *options: str) -> Object:
    spec: Object = one(rendered(name, *options), "Ingress", "previewbot-web")["spec"]
    return spec


def test_an_http_route_does_the_same_behind_a_gateway() -> None:
    objects = rendered("http-route")
    spec = one(objects, "HTTPRoute", "previewbot-web")["spec"]
    [rule] = spec["rules"]

    assert spec["hostnames"] == ["previews.example.com"]
    assert spec["parentRefs"] == [{"name": "public", "namespace": "gateways", "sectionName": "https"}]
    assert [match["path"] for match in rule["matches"]] == [
        {"type": "Exact", "value": "/webhook"},
        {"type": "PathPrefix", "value": "/p"},
    ]
    [service] = of_kind(objects, "Service")
    assert rule["backendRefs"] == [
        {"name": service["metadata"]["name"], "port": service["spec"]["ports"][0]["port"]}
    ]


def test_pages_and_webhook_can_be_reached_by_different_ways() -> None:
    objects = rendered("everything")
    pages = one(objects, "Ingress", "previewbot-web")["spec"]["rules"][0]["http"]["paths"]
    webhook = one(objects, "HTTPRoute", "previewbot-web")["spec"]["rules"][0]

    assert [path["path"] for path in pages] == ["/p"]
    assert [match["path"]["value"] for match in webhook["matches"]] == ["/webhook"]
    assert webhook["backendRefs"][0]["port"] == 8080


def test_prometheus_finds_both_by_one_service_monitor() -> None:
    objects = rendered("everything")
    monitor = one(objects, "ServiceMonitor", "previewbot")
    wanted = monitor["spec"]["selector"]["matchLabels"]

    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["endpoints"] == [{"port": "metrics", "path": "/metrics", "interval": "1m"}]
    selected = [
        service["spec"]["selector"]["app.kubernetes.io/component"]
        for service in of_kind(objects, "Service")
        if wanted.items() <= service["metadata"]["labels"].items()
        and [port["name"] for port in service["spec"]["ports"]] == ["metrics"]
    ]
    assert selected == ["controller", "web"]


@pytest.mark.parametrize("name", ALL_VALUES)
def test_the_service_that_the_internet_may_reach_has_no_port_for_probes_and_metrics(name: str) -> None:
    service = one(rendered(name), "Service", "previewbot-web")

    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["http"]


def test_what_is_not_asked_for_is_not_there() -> None:
    kinds = {obj["kind"] for obj in rendered("minimal")}

    assert not kinds & {"Ingress", "HTTPRoute", "ServiceMonitor", "ValidatingAdmissionPolicy"}
    assert len(of_kind(rendered("minimal"), "Service")) == 1


def test_without_ingress_and_route_a_public_url_may_have_a_path() -> None:
    assert template("minimal", "--set", "settings.public_url=https://example.com/previews").returncode == 0
