"""Where a reviewer goes, by what changed and what there is to go through, and a pull request's HTTPRoute."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import PREVIEW_LABEL, AgentSeen, Link, LinkKind, Observed, Service, owner_reference
from previewbot.clients.kubernetes.resources import contains, without_nulls
from previewbot.config.repository import Entry, RepositoryConfig, ServiceConfig, TargetPath, parse_target
from previewbot.config.server import GatewaySettings
from previewbot.config.server.routes import FilterSettings
from previewbot.engine.annotations import HEAD_SHA, IDENTITY, SPEC_HASH
from previewbot.engine.links import extension_link, link, page_url
from previewbot.engine.route_answers import gateway_acknowledged
from previewbot.engine.routes import (
    ROUTE_GROUP,
    ROUTE_PLURAL,
    ROUTE_VERSION,
    backends,
    gateway_switched,
    leads_to_staging,
    route,
)
from previewbot.rules.environment_keys import environment_key
from previewbot_demo.kube.schema import mistakes, unknown_fields
from tests.support.previews import HEAD, a_preview

KEY = environment_key("github.com", 812, 42, "acme/shop")
PAGE = "https://previews.example.com/p/812/42"
GATEWAY = GatewaySettings(name="public", namespace="gateways", domain="preview.example.com")
SIGN_IN = {
    "type": "ExtensionRef",
    "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "sign-in"},
}
NO_INDEX = {
    "type": "ResponseHeaderModifier",
    "responseHeaderModifier": {"set": [{"name": "x-robots-tag", "value": "noindex"}]},
}
# With what the API server would add by its defaults, so that tools that compare see no difference.
PARENT = {
    "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public", "namespace": "gateways",
}  # fmt: skip
BACKEND = {"group": "", "kind": "Service", "name": "web", "port": 80, "weight": 1}
WEB = TargetPath("deployment", "web")
ENTRY = Entry(url="https://staging.example.com", namespace="staging", service="web", port=80, target=WEB)
CRD = yaml.safe_load(
    (Path(str(files("previewbot_demo"))) / "schemas/httproutes.yaml").read_text(encoding="utf-8")
)


def a_configuration(entry: Entry | None = ENTRY, **opens: str) -> RepositoryConfig:
    """Return a configuration of web, checkout and pricing, which open where `opens` says."""
    services = tuple(
        ServiceConfig(
            name=name,
            paths=(f"{name}/**",),
            target=TargetPath("deployment", name),
            namespace="staging",
            image=f"ghcr.io/acme/{name}:{{head_sha}}",
            ports=(8080,),
            open=opens.get(name, "/"),
        )
        for name in ("web", "checkout", "pricing")
    )
    return RepositoryConfig(version=1, entry=entry, services=services)


def serving(name: str, share_host: str = "", **changes: Any) -> Service:
    base: dict[str, Any] = {"name": name, "namespace": "staging", "target": f"deployment/{name}"}
    return Service(**(base | {"serving_sha": HEAD, "share_host": share_host} | changes))


def waiting(name: str, share_host: str = "") -> Service:
    return serving(name, share_host, serving_sha="")


def of_extension(url: str) -> dict[str, Any]:
    prefix, _, config = url.partition("#config=")
    assert prefix == "https://metalbear.com/mirrord/extension"
    decoded: dict[str, Any] = json.loads(base64.b64decode(config, validate=True))
    return decoded


# Whether a gateway follows a route


def answered_route(generation: int, *parents: tuple[str, str, tuple[int, ...]]) -> dict[str, Any]:
    """Return a route with what gateways (namespace, name or name/listener) say of it: the generations of
    their conditions."""
    said = [
        {
            "parentRef": {
                "name": name.split("/")[0],
                **({"namespace": namespace} if namespace else {}),
                **({"sectionName": name.split("/")[1]} if "/" in name else {}),
            },
            "conditions": [{"type": "Accepted", "observedGeneration": seen} for seen in generations],
        }
        for namespace, name, generations in parents
    ]
    return {"metadata": {"namespace": "gateways", "generation": generation}, "status": {"parents": said}}


@pytest.mark.parametrize(
    ("route", "is_acknowledged"),
    [
        ({"metadata": {"namespace": "gateways", "generation": 1}}, False),
        (answered_route(1), False),
        (answered_route(2, ("gateways", "public", (2, 2))), True),
        (answered_route(2, ("gateways", "public", (2, 1))), False),
        (answered_route(2, ("gateways", "public", ())), False),
        (answered_route(2, ("gateways", "other", (2,))), False),
        (answered_route(2, ("elsewhere", "public", (2,))), False),
        (answered_route(2, ("", "public", (2,))), True),
        (answered_route(2, ("gateways", "other", (1,)), ("gateways", "public", (3,))), True),
    ],
)
def test_a_gateway_has_acknowledged_a_route_if_all_it_says_is_about_the_routes_present_form(
    route: dict[str, Any], is_acknowledged: bool
) -> None:
    assert gateway_acknowledged(route, GATEWAY) is is_acknowledged


@pytest.mark.parametrize(
    ("listener", "route", "is_acknowledged"),
    [
        ("https", answered_route(2, ("gateways", "public/https", (2,))), True),
        ("https", answered_route(2, ("gateways", "public/http", (2,))), False),
        ("https", answered_route(2, ("gateways", "public", (2,))), False),
        # A gateway may say it for each listener of a Gateway that the settings name as a whole.
        (None, answered_route(2, ("gateways", "public/https", (2,))), True),
        (None, answered_route(2, ("gateways", "public/https", (1,))), False),
        (None, answered_route(2, ("gateways", "public/https", ())), False),
        (None, answered_route(2, ("gateways", "other/https", (2,))), False),
        (
            None,
            answered_route(2, ("gateways", "public/http", (2,)), ("gateways", "public/https", (2, 2))),
            True,
        ),
        (
            None,
            answered_route(2, ("gateways", "public/http", (2,)), ("gateways", "public/https", (2, 1))),
            False,
        ),
        (
            None,
            answered_route(2, ("gateways", "public", (1,)), ("gateways", "public/https", (2,))),
            False,
        ),
        # Two controllers, or one that was replaced: while either may send the old way, it is waited for.
        (None, answered_route(2, ("gateways", "public", (2,)), ("gateways", "public", (1,))), False),
        # Of the setting before, whose entry a gateway may leave there.
        (
            "https",
            answered_route(2, ("gateways", "public", (1,)), ("gateways", "public/https", (2,))),
            True,
        ),
        (None, answered_route(2, ("gateways", "public/https", (1,)), ("gateways", "public", (2,))), True),
    ],
)
def test_what_is_said_of_the_very_reference_of_the_settings_acknowledges_a_route_or_else_of_all_listeners(
    listener: str | None, route: dict[str, Any], is_acknowledged: bool
) -> None:
    assert gateway_acknowledged(route, a_gateway(sectionName=listener)) is is_acknowledged


@pytest.mark.parametrize(
    ("acknowledged_after", "now_after", "is_switched"),
    [(0, 2.9, False), (0, 3, True), (5, 7.9, False), (5, 8, True), (None, 12.9, False), (None, 13, True)],
)
def test_a_route_has_switched_some_time_after_the_gateway_acknowledged_it_or_should_have(
    acknowledged_after: float | None, now_after: float, is_switched: bool
) -> None:
    at = datetime(2026, 11, 25, tzinfo=UTC)
    acknowledged_at = None if acknowledged_after is None else at + timedelta(seconds=acknowledged_after)

    assert gateway_switched(GATEWAY, at, acknowledged_at, at + timedelta(seconds=now_after)) is is_switched


# Nothing serves


@pytest.mark.parametrize("gateway", [GATEWAY, None])
@pytest.mark.parametrize("services", [(), (waiting("web", "abc.share.example.com"),)])
def test_there_is_no_link_while_no_service_serves(
    gateway: GatewaySettings | None, services: tuple[Service, ...]
) -> None:
    assert link(gateway, a_configuration(), services, KEY) == Link()


# A Gateway and an entry


@pytest.mark.parametrize("name", ["web", "checkout"])
def test_through_a_gateway_the_link_is_the_pull_requests_own_host_whichever_service_changed(
    name: str,
) -> None:
    found = link(GATEWAY, a_configuration(), (serving(name, "abc.share.example.com"),), KEY)

    assert found == Link(
        kind=LinkKind.GATEWAY,
        url=f"https://{KEY}.preview.example.com/",
        staging_url="https://staging.example.com/",
    )


def test_the_gateways_scheme_and_port_are_those_of_the_settings() -> None:
    gateway = GatewaySettings(
        name="public", namespace="gateways", domain="localhost", scheme="http", port=8470
    )

    found = link(gateway, a_configuration(), (serving("checkout"),), KEY)

    assert found.url == f"http://{KEY}.localhost:8470/"


def test_the_link_lands_where_the_changed_service_opens() -> None:
    config = a_configuration(checkout="/cart?step=2", pricing="/prices")

    found = link(GATEWAY, config, (serving("checkout"), serving("pricing")), KEY)

    assert found.url == f"https://{KEY}.preview.example.com/cart?step=2"


def test_a_service_that_opens_nowhere_special_leaves_the_place_to_another() -> None:
    found = link(GATEWAY, a_configuration(pricing="/prices"), (serving("web"), serving("pricing")), KEY)

    assert found.url.endswith("/prices")


def test_a_service_that_does_not_serve_yet_does_not_say_where_the_link_lands() -> None:
    config = a_configuration(checkout="/cart")

    assert link(GATEWAY, config, (waiting("checkout"), serving("web")), KEY).url.endswith(".example.com/")


def test_a_service_that_was_taken_out_of_the_configuration_does_not_break_the_link() -> None:
    assert link(GATEWAY, a_configuration(), (serving("gone"),), KEY).kind is LinkKind.GATEWAY


# A Gateway alone leads nowhere


def test_a_gateway_without_an_entry_leaves_the_share_host() -> None:
    found = link(GATEWAY, a_configuration(None), (serving("checkout", "abc.share.example.com"),), KEY)

    assert found == Link(kind=LinkKind.SHARE_HOST, url="https://abc.share.example.com/")


def test_a_gateway_without_an_entry_and_a_share_host_leaves_the_header_alone() -> None:
    assert link(GATEWAY, a_configuration(None), (serving("checkout"),), KEY) == Link(kind=LinkKind.HEADER)


# No Gateway


@pytest.mark.parametrize("target", ["deployment/web", "deployment/web/container/app"])
def test_without_a_gateway_the_share_host_of_a_changed_entry_is_the_link(target: str) -> None:
    services = (
        serving("checkout", "one.share.example.com"),
        serving("web", "two.share.example.com", target=target),
    )

    found = link(None, a_configuration(checkout="/cart"), services, KEY)

    assert found == Link(
        kind=LinkKind.SHARE_HOST,
        url="https://two.share.example.com/cart",
        staging_url="https://staging.example.com/cart",
    )


def test_an_entry_that_names_a_container_is_the_workload_all_the_same() -> None:
    entry = Entry(
        url=ENTRY.url,
        namespace="staging",
        service="web",
        port=80,
        target=parse_target("deployment/web/container/app"),
    )

    found = link(None, a_configuration(entry), (serving("web", "x.share.example.com"),), KEY)

    assert found.kind is LinkKind.SHARE_HOST


@pytest.mark.parametrize(
    "service",
    [
        serving("checkout", "abc.share.example.com"),
        serving("web", "abc.share.example.com", namespace="payments"),
        serving("web", "abc.share.example.com", target="statefulset/web"),
        serving("web", ""),
    ],
    ids=["another service", "another namespace", "another kind", "no share host yet"],
)
def test_a_share_host_that_does_not_show_the_front_end_is_no_link(service: Service) -> None:
    found = link(None, a_configuration(checkout="/cart"), (service,), KEY)

    assert found.kind is LinkKind.HEADER
    assert found.url.startswith("https://staging.example.com/")
    assert "share" not in found.url


def test_without_an_entry_any_share_host_is_the_link_and_lands_where_that_service_opens() -> None:
    services = (serving("web"), serving("checkout", "abc.share.example.com"), serving("pricing"))

    found = link(None, a_configuration(None, pricing="/prices", checkout="/cart"), services, KEY)

    assert found == Link(kind=LinkKind.SHARE_HOST, url="https://abc.share.example.com/cart")


def test_without_an_entry_another_services_path_is_not_asked_of_the_share_host() -> None:
    services = (serving("checkout", "abc.share.example.com"), serving("pricing"))

    found = link(None, a_configuration(None, pricing="/prices"), services, KEY)

    assert found.url == "https://abc.share.example.com/"


def test_else_the_link_is_staging_with_the_header_by_the_extension() -> None:
    found = link(None, a_configuration(checkout="/cart"), (serving("checkout"),), KEY)

    assert (found.kind, found.url) == (LinkKind.HEADER, "https://staging.example.com/cart")
    assert of_extension(found.extension_url) == {
        "header_filter": f"baggage: mirrord-session={KEY}",
        "inject_scope": "||staging.example.com",
    }


@pytest.mark.parametrize(
    "url", ["https://staging.example.com:8443/shop", "https://staging.example.com:8443/shop/"]
)
def test_stagings_own_path_and_port_stay_in_the_link_but_the_header_goes_to_the_host(url: str) -> None:
    entry = Entry(url=url, namespace="staging", service="web", port=80, target=WEB)

    found = link(None, a_configuration(entry, checkout="/cart"), (serving("checkout"),), KEY)

    assert found.url == "https://staging.example.com:8443/shop/cart"
    assert of_extension(found.extension_url)["inject_scope"] == "||staging.example.com"


def test_with_neither_entry_nor_share_host_only_the_header_is_left() -> None:
    assert link(None, a_configuration(None), (serving("checkout"),), KEY) == Link(kind=LinkKind.HEADER)


# mirrord's browser extension


@given(st.from_regex(r"p[a-z0-9-]{1,39}", fullmatch=True), st.none() | st.text(max_size=40))
def test_the_extensions_configuration_is_read_back_and_needs_no_padding(key: str, scope: str | None) -> None:
    url = extension_link(key, scope)

    expected = {"header_filter": f"baggage: mirrord-session={key}"}
    assert of_extension(url) == expected | ({"inject_scope": scope} if scope else {})
    assert not url.endswith("=")


# The page


@pytest.mark.parametrize("public_url", ["https://previews.example.com", "https://previews.example.com/"])
def test_the_pages_address_has_the_repositorys_id_so_that_it_never_changes(public_url: str) -> None:
    assert page_url(public_url, "gh-812-42") == PAGE


# The HTTPRoute


def a_gateway(**options: Any) -> GatewaySettings:
    given = {key: value for key, value in options.items() if value is not None}
    return GatewaySettings.model_validate(GATEWAY.model_dump(exclude_defaults=True) | given)


def a_route(
    entry: Entry | None, page: str = PAGE, gateway: GatewaySettings = GATEWAY, **status: Any
) -> dict[str, Any]:
    return without_nulls(route(a_preview(**status), gateway, "staging", entry, page=page))


@pytest.mark.parametrize("entry", [ENTRY, None], ids=["forward", "redirect"])
def test_a_route_keeps_the_gateway_apis_schema(entry: Entry | None) -> None:
    schema = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]

    assert unknown_fields(schema, a_route(entry)) == []
    assert mistakes(schema, a_route(entry)) == []


def test_a_route_is_of_the_resource_that_the_gateway_api_has() -> None:
    spec = CRD["spec"]

    assert (
        spec["group"],
        spec["versions"][0]["name"],
        spec["names"]["plural"],
    ) == (ROUTE_GROUP, ROUTE_VERSION, ROUTE_PLURAL)
    assert a_route(ENTRY)["apiVersion"] == f"{spec['group']}/{spec['versions'][0]['name']}"
    assert a_route(ENTRY)["kind"] == spec["names"]["kind"]


def test_a_route_forwards_to_the_entry_with_the_header_set() -> None:
    (rule,) = a_route(ENTRY)["spec"]["rules"]

    assert rule == {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "filters": [
            {
                "type": "RequestHeaderModifier",
                "requestHeaderModifier": {"set": [{"name": "baggage", "value": f"mirrord-session={KEY}"}]},
            }
        ],
        "backendRefs": [BACKEND],
    }


def test_without_an_entry_a_route_leads_to_the_page_and_forwards_nothing() -> None:
    (rule,) = a_route(None)["spec"]["rules"]

    assert rule == {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "filters": [
            {
                "type": "RequestRedirect",
                "requestRedirect": {
                    "scheme": "https",
                    "hostname": "previews.example.com",
                    "path": {"type": "ReplaceFullPath", "replaceFullPath": "/p/812/42"},
                    "statusCode": 302,
                },
            }
        ],
    }


def test_a_route_leads_to_staging_only_where_it_forwards() -> None:
    assert leads_to_staging(a_route(ENTRY))
    assert not leads_to_staging(a_route(None))


def test_a_page_on_a_port_of_its_own_is_redirected_to_there() -> None:
    (rule,) = a_route(None, "http://127.0.0.1:8470/p/812/42")["spec"]["rules"]

    redirect = rule["filters"][0]["requestRedirect"]
    assert (redirect["scheme"], redirect["hostname"], redirect["port"]) == ("http", "127.0.0.1", 8470)


def test_whatever_a_route_does_its_host_gateway_and_owner_stay() -> None:
    preview = a_preview()
    forward, redirect = a_route(ENTRY), a_route(None)

    assert len({made["metadata"].pop("annotations")[SPEC_HASH] for made in (forward, redirect)}) == 2
    assert forward["metadata"] == redirect["metadata"]
    assert forward["metadata"] == {
        "name": KEY,
        "namespace": "staging",
        "labels": {PREVIEW_LABEL: "gh-812-42"},
        "ownerReferences": [owner_reference(preview)],
    }
    for made in (forward, redirect):
        assert made["spec"]["hostnames"] == [f"{KEY}.preview.example.com"]
        assert made["spec"]["parentRefs"] == [PARENT]


# What the settings add to it


@pytest.mark.parametrize("entry", [ENTRY, None], ids=["forward", "redirect"])
def test_a_route_with_all_that_the_settings_may_add_keeps_the_gateway_apis_schema(
    entry: Entry | None,
) -> None:
    schema = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    gateway = a_gateway(
        sectionName="https",
        filters=[SIGN_IN, NO_INDEX],
        labels={"example.com/team": "shop"},
        annotations={"external-dns.alpha.kubernetes.io/ttl": "60"},
    )

    made = a_route(entry, gateway=gateway)

    assert unknown_fields(schema, made) == []
    assert mistakes(schema, made) == []


def test_the_settings_filters_stand_before_ours_as_they_are_written() -> None:
    (rule,) = a_route(ENTRY, gateway=a_gateway(filters=[SIGN_IN, NO_INDEX]))["spec"]["rules"]
    (ours,) = a_route(ENTRY)["spec"]["rules"][0]["filters"]

    assert rule["filters"] == [SIGN_IN, NO_INDEX, ours]
    assert rule["backendRefs"] == [BACKEND]


def test_the_way_to_the_page_is_the_same_with_filters_and_without() -> None:
    assert a_route(None, gateway=a_gateway(filters=[SIGN_IN]))["spec"] == a_route(None)["spec"]


def test_a_route_is_attached_to_the_listener_that_the_settings_name() -> None:
    made = a_route(ENTRY, gateway=a_gateway(sectionName="https"))

    assert made["spec"]["parentRefs"] == [{**PARENT, "sectionName": "https"}]


def test_labels_and_annotations_of_the_settings_stand_beside_ours() -> None:
    gateway = a_gateway(labels={"team": "shop"}, annotations={"example.com/dns": "yes, please"})

    metadata = a_route(ENTRY, gateway=gateway)["metadata"]

    assert metadata["labels"] == {"team": "shop", PREVIEW_LABEL: "gh-812-42"}
    assert metadata["annotations"].items() > {"example.com/dns": "yes, please"}.items()
    assert metadata["annotations"].keys() >= {SPEC_HASH}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"sectionName": "https"}, {}),
        (
            {"filters": [{"type": "CORS", "cors": {"allowOrigins": ["*"], "maxAge": 60}}]},
            {"filters": [{"type": "CORS", "cors": {"allowOrigins": ["*"]}}]},
        ),
        ({"filters": [SIGN_IN]}, {}),
    ],
    ids=["the listener", "a field of a filter", "a filter"],
)
def test_what_the_settings_do_not_say_any_more_is_a_difference(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    """What a stored route has beyond what is desired counts as the API server's doing."""
    stored = a_route(ENTRY, gateway=a_gateway(**before))

    assert contains(stored, stored)
    assert not contains(stored, a_route(ENTRY, gateway=a_gateway(**after)))


def test_what_the_api_server_adds_to_a_route_is_no_difference() -> None:
    auth = {"type": "ExternalAuth", "externalAuth": {"protocol": "HTTP", "backendRef": {"name": "a"}}}
    wanted = a_route(ENTRY, gateway=a_gateway(sectionName="https", filters=[SIGN_IN, auth]))
    stored = a_route(ENTRY, gateway=a_gateway(sectionName="https", filters=[SIGN_IN, auth]))
    (rule,) = stored["spec"]["rules"]
    stored["spec"]["parentRefs"][0] |= {"group": "gateway.networking.k8s.io", "kind": "Gateway"}
    rule["matches"] = [{"path": {"type": "PathPrefix", "value": "/"}}]
    rule["backendRefs"][0] |= {"group": "", "kind": "Service", "weight": 1}
    rule["filters"][1]["externalAuth"]["backendRef"] |= {"group": "", "kind": "Service"}

    assert contains(stored, wanted)


# For whom it is


def test_a_push_alone_changes_no_route_that_leads_to_an_older_commit() -> None:
    before = a_route(ENTRY, services=(serving("web"),), observed=Observed(head_sha=HEAD))
    pushed = a_route(ENTRY, services=(serving("web"),), observed=Observed(head_sha="e" * 40))

    assert before == pushed
    assert before["metadata"]["annotations"][HEAD_SHA] == HEAD


def test_a_route_says_the_newest_commit_while_it_leads_to_the_page_and_where_that_serves() -> None:
    newest = Observed(head_sha="e" * 40)
    page = a_route(None, observed=newest)
    both = (serving("web"), serving("checkout", serving_sha="e" * 40))

    assert page["metadata"]["annotations"][HEAD_SHA] == "e" * 40
    assert a_route(ENTRY, services=both, observed=newest)["metadata"]["annotations"][HEAD_SHA] == "e" * 40


def test_what_is_not_known_any_more_is_taken_away_from_a_route_that_is_there() -> None:
    of_an_agent = a_route(ENTRY, observed=Observed(agent=AgentSeen("Copilot", "its account")))
    wanted = route(a_preview(), GATEWAY, "staging", ENTRY, page=PAGE)

    assert set(IDENTITY) <= wanted["metadata"]["annotations"].keys()
    assert not contains(of_an_agent, wanted)
    assert contains(a_route(ENTRY), wanted)


def test_the_link_leads_to_the_host_of_the_route() -> None:
    found = link(GATEWAY, a_configuration(), (serving("checkout"),), KEY)

    (host,) = a_route(ENTRY)["spec"]["hostnames"]
    assert found.url == f"https://{host}/"


BY_PATHS = Entry.model_validate(
    {
        **ENTRY.model_dump(),
        "target": str(ENTRY.target),
        "routes": [
            {"path": "/api", "service": "api", "port": 8080, "timeouts": {"request": "0s"}},
            {"path": "/api/health", "type": "Exact", "service": "health", "port": 80},
        ],
    }
)


def test_a_route_has_a_rule_for_each_path_and_each_of_them_sets_the_header_after_the_settings_filters() -> (
    None
):
    gateway = GATEWAY.model_copy(update={"filters": (FilterSettings.model_validate(SIGN_IN),)})

    rules = route(a_preview(), gateway, "staging", BY_PATHS, page=PAGE)["spec"]["rules"]

    matches = [rule["matches"][0]["path"] for rule in rules]
    assert [(match["type"], match["value"]) for match in matches] == [
        ("Exact", "/api/health"),
        ("PathPrefix", "/api"),
        ("PathPrefix", "/"),
    ]
    assert [rule["backendRefs"][0]["name"] for rule in rules] == ["health", "api", "web"]
    assert [rule.get("timeouts") for rule in rules] == [None, {"request": "0s"}, None]
    for rule in rules:
        assert rule["filters"] == [
            SIGN_IN,
            {
                "type": "RequestHeaderModifier",
                "requestHeaderModifier": {"set": [{"name": "baggage", "value": f"mirrord-session={KEY}"}]},
            },
        ]


def test_a_route_by_paths_is_turned_to_the_page_as_a_whole() -> None:
    rules = route(a_preview(), GATEWAY, "staging", None, page=PAGE)["spec"]["rules"]

    assert [("matches" in rule, "backendRefs" in rule) for rule in rules] == [(True, False)]


def test_every_service_that_a_route_leads_to_counts() -> None:
    made = route(a_preview(), GATEWAY, "staging", BY_PATHS, page=PAGE)

    assert {service for _, service, _ in backends(made)} == {"web", "api", "health"}
    assert leads_to_staging(made)


def test_a_share_host_shows_no_front_end_whose_paths_others_answer() -> None:
    """It leads to its own target alone, which would answer each call of the page with the page."""
    found = link(None, a_configuration(BY_PATHS), [serving("web", "k-1.share.example.com")], KEY)

    assert found.kind is LinkKind.HEADER
