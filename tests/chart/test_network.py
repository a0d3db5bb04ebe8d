"""Who reaches the pods, through what, and whom they may reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot.config.server import Settings, document, parse
from tests.chart.helm import ALL_VALUES, CHART, Object, of_kind, one, pod, rendered, template, values_file
from tests.support import perimeter


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


def test_every_one_may_reach_web_and_pages_and_nobody_the_controller_unless_said() -> None:
    for who in ("web", "pages"):
        assert policy("minimal", who)["ingress"] == [{"ports": [{"port": "http"}]}]
    assert policy("minimal", "controller")["ingress"] == []


def test_only_the_peers_that_are_named_reach_the_pods() -> None:
    [public, metrics], [pages, of_pages], [controller] = (
        policy("everything", who)["ingress"] for who in ("web", "pages", "controller")
    )

    for rule, port, namespace in (
        (public, "http", "gateways"),
        (metrics, "metrics", "monitoring"),
        (pages, "http", "gateways"),
        (of_pages, "metrics", "monitoring"),
        (controller, "metrics", "monitoring"),
    ):
        assert rule["ports"] == [{"port": port}]
        assert [peer["namespaceSelector"]["matchLabels"] for peer in rule["from"]] == [
            {"kubernetes.io/metadata.name": namespace}
        ]


def test_web_goes_to_the_api_server_and_nowhere_else() -> None:
    assert egress("minimal", "web") == {("TCP", 443), ("TCP", 6443)}
    assert egress("everything", "web") == {("TCP", 8443)}


def test_pages_goes_to_the_api_server_and_only_where_people_sign_in_to_github_too() -> None:
    assert egress("minimal", "pages") == {("TCP", 443), ("TCP", 6443)}
    api_server, github, proxies = {("TCP", 8443)}, {("TCP", 8443), ("TCP", 443)}, {3126, 3127, 3129}
    worker = {("TCP", 8080)}
    assert egress("everything", "pages") == api_server | github | worker | {("TCP", port) for port in proxies}
    nobody = ("--set", "settings.access=none")
    assert egress("everything", "pages", *nobody) == api_server | worker
    assert egress("everything", "pages", *nobody, "--set", "pictures.enabled=false") == api_server


def test_the_controller_also_goes_to_github_and_to_the_registries_of_the_settings() -> None:
    unasked = ("--set", "settings.links.check=false")
    assert egress("minimal", "controller", *unasked) == {("TCP", 443), ("TCP", 6443)}
    assert egress("everything", "controller", *unasked) == {
        ("TCP", 443),
        ("TCP", 8443),  # the API server, and GitHub as it happens
        ("TCP", 5000),  # a registry's own port
        ("TCP", 3126),  # proxyPorts
        ("TCP", 3127),  # extraEnv
        ("TCP", 3129),
        ("TCP", 3128),  # extraEgress
        ("TCP", 8080),  # the worker of pictures
    }


PROXIES = {
    "with its port": ("http://proxy.internal:3130", 3130),
    "with TLS": ("https://proxy.internal", 443),
    "without a scheme": ("proxy.internal:3131", 3131),
    "with neither": ("proxy.internal", 80),
}


@pytest.mark.parametrize(("address", "port"), PROXIES.values(), ids=PROXIES)
def test_a_proxy_that_the_values_name_is_reached_by_the_controller_alone(address: str, port: int) -> None:
    named = ("--set-json", f'extraEnv=[{{"name": "HTTPS_PROXY", "value": "{address}"}}]')

    assert egress("minimal", "controller", *named) == egress("minimal", "controller") | {("TCP", port)}
    for who in ("web", "pages"):
        assert egress("minimal", who, *named) == egress("minimal", who)


def test_other_variables_open_nothing() -> None:
    named = ("--set-json", 'extraEnv=[{"name": "NO_PROXY", "value": "a:1"}, {"name": "HTTPS_PROXY"}]')

    assert egress("minimal", "controller", *named) == egress("minimal", "controller")


def test_the_controller_also_goes_where_links_lead_and_where_their_gateway_s_pods_listen() -> None:
    links = {("TCP", port) for port in (8000, 8080, 8443, 10080, 10443)}

    assert egress("minimal", "controller") == {("TCP", 443), ("TCP", 6443), *links}
    assert egress("everything", "controller") >= {("TCP", 8080), ("TCP", 9443)}
    assert ("TCP", 10443) not in egress("everything", "controller")
    assert not links & egress("minimal", "web")


ELSEWHERE = {
    "a GitHub at another port": ("settings.github.api_url=https://g.io:8444", 8444),
    "a GitHub without TLS": ("settings.github.api_url=http://g.io", 80),
    "a token server": (r"settings.images.registries.ghcr\.io.token_server=https://g.io:8445/jwt/auth", 8445),
    "a registry without TLS": (r"settings.images.registries.ghcr\.io.plain_http=true", 80),
    "a registry at another port": ("settings.images.allowed={r.io:5443/acme/}", 5443),
    "a registry at another address": (
        r"settings.images.registries.ghcr\.io.address=mirror.internal:5444",
        5444,
    ),
}


@pytest.mark.parametrize(("setting", "port"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_port_that_a_setting_names_is_open_to_the_controller_alone(setting: str, port: int) -> None:
    assert ("TCP", port) in egress("minimal", "controller", "--set", setting)
    for who in ("web", "pages"):
        assert ("TCP", port) not in egress("minimal", who, "--set", setting)


ROWS = [
    (name, process) for name in ALL_VALUES for process in ("web", "pages", "controller") if name != "bare"
]


@pytest.mark.parametrize(("name", "process"), ROWS)
@pytest.mark.parametrize("setting", ["", *(setting for setting, _ in ELSEWHERE.values())])
def test_what_may_leave_is_what_the_security_page_says_and_no_more(
    name: str, process: str, setting: str
) -> None:
    options = ("--set", setting) if setting else ()
    objects = rendered(name, *options)
    settings = parse(document(one(objects, "ConfigMap", "previewbot")["data"]["settings.yaml"]), {})
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))["networkPolicy"]
    values |= yaml.safe_load(Path(values_file(name)).read_text("utf-8")).get("networkPolicy", {})
    own = {port["port"] for rule in values["extraEgress"] for port in rule["ports"]}

    # What extraEnv and proxyPorts of these values name.
    proxies = {3126, 3127, 3129} if name == "everything" else set[int]()

    expected = own if process == "controller" else set[int]()
    for row in perimeter.rows():
        if process in row.who and row.whom != perimeter.DNS:
            named_by_environment = row.named_by == perimeter.BY_ENVIRONMENT
            expected |= proxies if named_by_environment else _ports_of(row, settings, values)

    assert {port for _, port in egress(name, process, *options)} == expected


def _ports_of(row: perimeter.Row, settings: Settings, values: dict[str, Any]) -> set[int]:
    """Return the ports of a row; one that no link needs opens none."""
    if row.port == "`networkPolicy.apiServerPorts`":
        return set(values["apiServerPorts"])
    if row.port == f"{perimeter.ITS_OWN}, and `networkPolicy.linkPorts`":
        asks = settings.links is None or settings.links.check
        return {a.port for a in perimeter.named(row, settings, {})} | set(values["linkPorts"] if asks else [])
    if row.port != perimeter.ITS_OWN:
        return {int(row.port)}
    return {address.port for address in perimeter.named(row, settings, {})}


def test_a_registry_that_no_image_may_come_from_opens_no_port() -> None:
    access = r"settings.images.registries.r\.io:5443.token_server=https://g.io:8445/jwt/auth"

    assert egress("minimal", "controller", "--set", access) == egress("minimal", "controller")


def test_the_peers_that_bound_a_destination_stand_beside_its_ports() -> None:
    rules = policy("everything", "controller")["egress"]
    dns, api_server, github, registries, proxy, links, worker, extra = rules

    assert [peer["namespaceSelector"]["matchLabels"] for peer in dns["to"]] == [
        {"kubernetes.io/metadata.name": "kube-system"}
    ]
    assert (ports(api_server), cidrs(api_server)) == ({("TCP", 8443)}, ["10.0.0.1/32"])
    assert (ports(github), cidrs(github)) == ({("TCP", 8443)}, ["192.0.2.0/24"])
    assert ports(registries) == {("TCP", 443), ("TCP", 5000)}
    assert cidrs(registries) == ["198.51.100.0/24", "203.0.113.0/24"]
    assert (ports(links), cidrs(links)) == ({("TCP", 8080), ("TCP", 9443)}, ["203.0.113.7/32"])
    assert (ports(proxy), cidrs(proxy)) == ({("TCP", 3126), ("TCP", 3127), ("TCP", 3129)}, ["10.0.0.9/32"])
    assert ports(extra) == {("TCP", 3128)}
    assert policy("everything", "web")["egress"] == [dns, api_server]
    *same, of_pages, proxy_of_pages, worker_of_pages = policy("everything", "pages")["egress"]
    assert same == [dns, api_server]
    assert (cidrs(of_pages), proxy_of_pages) == (cidrs(github), proxy)
    assert worker_of_pages == worker
    [peer] = worker["to"]
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "pictures"


def cidrs(rule: Object) -> list[str]:
    return [peer["ipBlock"]["cidr"] for peer in rule["to"]]


def test_nothing_bounds_a_destination_unless_it_is_said() -> None:
    rules = [rule for who in ("web", "pages", "controller") for rule in policy("minimal", who)["egress"]]

    assert all("to" not in rule for rule in rules)


@pytest.mark.parametrize("name", ALL_VALUES)
def test_both_directions_are_closed_but_for_the_rules(name: str) -> None:
    policies = of_kind(rendered(name), "NetworkPolicy")

    assert len(policies) == {"bare": 0, "everything": 7}.get(name, 6)
    for found in policies:
        assert found["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_the_worker_of_pictures_reaches_the_gateway_alone_and_is_reached_by_those_who_ask_it() -> None:
    found = policy("everything", "pictures")
    [ingress_rule] = found["ingress"]
    dns, gateway = found["egress"]

    assert ingress_rule["ports"] == [{"port": "http"}]
    assert [
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in ingress_rule["from"]
    ] == ["controller", "pages", "doctor-controller", "doctor-pages"]
    assert ports(dns) == {("UDP", 53), ("TCP", 53)}
    assert ports(gateway) == {("TCP", 8000)}
    assert [peer["namespaceSelector"]["matchLabels"] for peer in gateway["to"]] == [
        {"kubernetes.io/metadata.name": "gateways"}
    ]


def test_the_worker_of_pictures_asks_the_clusters_own_dns_unless_another_is_named() -> None:
    enabled = (
        "pictures.image.repository=a",
        "pictures.existingSecret=b",
        "pictures.reaches.peers[0].ipBlock.cidr=192.0.2.1/32",
    )
    values = ("--set", ",".join(("pictures.enabled=true", *enabled)))
    named = ("--set", "networkPolicy.egressTo.dns[0].ipBlock.cidr=169.254.20.10/32")

    dns, _ = policy("minimal", "pictures", *values)["egress"]
    other, _ = policy("minimal", "pictures", *values, *named)["egress"]

    assert dns["to"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ]
    assert other["to"] == [{"ipBlock": {"cidr": "169.254.20.10/32"}}]


FOR_PROGRAMS = ("/p.json", "/previews", "/previews.json", "/openapi.json")


def test_an_ingress_shows_the_webhook_and_the_pages_but_no_metrics_and_no_probes() -> None:
    [rule] = ingress("minimal", "--set", "ingress.enabled=true")["rules"]

    assert [(path["path"], path["pathType"]) for path in rule["http"]["paths"]] == [
        ("/webhook", "Exact"),
        ("/", "Exact"),
        ("/p", "Prefix"),
        *((path, "Exact") for path in FOR_PROGRAMS),
    ]


def test_an_ingress_is_for_the_host_of_the_public_url() -> None:
    found = ingress("ingress")

    assert found["ingressClassName"] == "nginx"
    assert [rule["host"] for rule in found["rules"]] == ["previews.example.com"]
    assert found["tls"] == [{"hosts": ["previews.example.com"], "secretName": "previews-tls"}]
    assert [path["path"] for path in found["rules"][0]["http"]["paths"]] == ["/webhook"]


def test_where_people_sign_in_the_pages_for_that_are_shown_too() -> None:
    paths = ingress("everything")["rules"][0]["http"]["paths"]
    shown = [(path["path"], path["pathType"]) for path in paths]

    assert shown[-2:] == [("/sign-in", "Prefix"), ("/sign-out", "Exact")]
    unsigned = ingress("everything", "--set", "settings.access=none")["rules"][0]["http"]["paths"]
    assert unsigned == paths[:-2]


def leads(paths: list[Object]) -> dict[str, str]:
    """Return to which Service each path of an Ingress leads."""
    return {path["path"]: path["backend"]["service"]["name"] for path in paths}


def test_an_ingress_leads_each_to_the_process_that_answers_it() -> None:
    led = leads(ingress("minimal", "--set", "ingress.enabled=true")["rules"][0]["http"]["paths"])

    assert led.pop("/webhook") == "previewbot-web"
    assert set(led.values()) == {"previewbot-pages"}


def ingress(name: str, *options: str) -> Object:
    spec: Object = one(rendered(name, *options), "Ingress", "previewbot-web")["spec"]
    return spec


def test_an_http_route_does_the_same_behind_a_gateway() -> None:
    objects = rendered("http-route")
    spec = one(objects, "HTTPRoute", "previewbot-web")["spec"]
    to_web, to_pages = spec["rules"]

    assert spec["hostnames"] == ["previews.example.com"]
    # With what the API server would add by its defaults, so that tools that compare see no difference.
    defaults = {"group": "gateway.networking.k8s.io", "kind": "Gateway"}
    at = {"name": "public", "namespace": "gateways", "sectionName": "https"}
    assert spec["parentRefs"] == [{**defaults, **at}]
    assert [match["path"] for match in to_web["matches"]] == [{"type": "Exact", "value": "/webhook"}]
    assert [match["path"] for match in to_pages["matches"]] == [
        {"type": "Exact", "value": "/"},
        {"type": "PathPrefix", "value": "/p"},
        *({"type": "Exact", "value": path} for path in FOR_PROGRAMS),
    ]
    for rule, name in ((to_web, "previewbot-web"), (to_pages, "previewbot-pages")):
        service = one(objects, "Service", name)
        assert rule["backendRefs"] == [
            {
                **{"group": "", "kind": "Service", "weight": 1},
                **{"name": name, "port": service["spec"]["ports"][0]["port"]},
            }
        ]


def test_pages_and_webhook_can_be_reached_by_different_ways() -> None:
    objects = rendered("everything")
    pages = one(objects, "Ingress", "previewbot-web")["spec"]["rules"][0]["http"]["paths"]
    webhook = one(objects, "HTTPRoute", "previewbot-web")["spec"]["rules"][0]

    assert [path["path"] for path in pages] == ["/", "/p", *FOR_PROGRAMS, "/sign-in", "/sign-out"]
    assert [match["path"]["value"] for match in webhook["matches"]] == ["/webhook"]
    assert webhook["backendRefs"][0]["port"] == 8080


def test_prometheus_finds_all_by_one_service_monitor() -> None:
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
    assert selected == ["controller", "pages", "web"]


@pytest.mark.parametrize("component", ["web", "pages"])
@pytest.mark.parametrize("name", ALL_VALUES)
def test_a_service_that_the_internet_may_reach_has_no_port_for_probes_and_metrics(
    name: str, component: str
) -> None:
    service = one(rendered(name), "Service", f"previewbot-{component}")

    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["http"]


def test_what_is_not_asked_for_is_not_there() -> None:
    kinds = {obj["kind"] for obj in rendered("minimal")}

    assert not kinds & {"Ingress", "HTTPRoute", "ServiceMonitor"}
    assert len(of_kind(rendered("minimal"), "Service")) == 2


def test_without_ingress_and_route_a_public_url_may_have_a_path() -> None:
    assert template("minimal", "--set", "settings.public_url=https://example.com/previews").returncode == 0
