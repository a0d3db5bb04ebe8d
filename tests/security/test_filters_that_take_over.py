"""A filter in the settings stands before ours, and takes neither the preview nor its reviewers away.

Settings are the platform team's. But a filter is copied from somewhere and passed on as it is, so what would
quietly lead reviewers elsewhere, hand what they send to somebody else, or show them plain staging as if it
were the preview, is refused at the start. So is a label by which previewbot or mirrord knows its own.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import PREVIEW_LABEL
from previewbot.config.repository import Entry, TargetPath
from previewbot.config.server import GatewaySettings, Settings, parse
from previewbot.engine.annotations import IDENTITY, SPEC_HASH
from previewbot.engine.mirrord import KEY_LABEL, header_value
from previewbot.engine.routes import route
from previewbot.errors import SettingsError
from tests.support.passes import SETTINGS
from tests.support.previews import a_preview

SIGN_IN = {
    "type": "ExtensionRef",
    "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "sign-in"},
}
ENTRY = Entry(
    url="https://staging.example.com",
    namespace="staging",
    service="web",
    port=80,
    target=TargetPath("deployment", "web"),
)


def settings_with(**options: Any) -> Settings:
    gateway = SETTINGS["links"]["gateway"] | options
    return parse({**SETTINGS, "links": {"gateway": gateway}}, {})


def gateway_with(**options: Any) -> GatewaySettings:
    links = settings_with(**options).links
    assert links is not None
    assert links.gateway is not None
    return links.gateway


def forward_rule(gateway: GatewaySettings) -> dict[str, Any]:
    made = route(a_preview(), gateway, "staging", ENTRY, page="https://previews.example.com/p/812/42")
    (rule,) = made["spec"]["rules"]
    found: dict[str, Any] = rule
    return found


def refusal_of(**options: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        settings_with(**options)
    return "\n".join(caught.value.problems)


TAKES_OVER = {
    "another's baggage": (
        {
            "type": "RequestHeaderModifier",
            "requestHeaderModifier": {"set": [{"name": "baggage", "value": "mirrord-session=other"}]},
        },
        "filters.type cannot be RequestHeaderModifier: a rule may have one, and that is the one that sets",
    ),
    "a header, harmless as it looks": (
        {
            "type": "RequestHeaderModifier",
            "requestHeaderModifier": {"add": [{"name": "x-preview", "value": "1"}]},
        },
        "filters.type cannot be RequestHeaderModifier",
    ),
    "a redirect": (
        {"type": "RequestRedirect", "requestRedirect": {"hostname": "evil.example.com"}},
        "filters.type cannot be RequestRedirect: nobody would get to the preview",
    ),
    "a copy to somebody else": (
        {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "spy", "port": 80}}},
        "filters.type cannot be RequestMirror: what reviewers send would go somewhere else too",
    ),
    "a redirect within another filter": (
        SIGN_IN | {"requestRedirect": {"hostname": "evil.example.com"}},
        "filters.requestRedirect is unknown",
    ),
    "two filters in one": (
        SIGN_IN | {"cors": {"allowOrigins": ["*"]}},
        "filters.cors is of another type; this filter needs extensionRef and nothing else",
    ),
    "one page for all": (
        {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/"}}},
        "filters.urlRewrite must not have a path of type ReplaceFullPath; every page would be the same one",
    ),
    "a type of another spelling": (
        SIGN_IN | {"type": "extensionref"},
        "filters.type must be ExtensionRef or",
    ),
    "a filter of nothing": ({"type": "ExtensionRef"}, "filters.extensionRef is missing; a filter of type"),
    "an empty filter": ({"type": "ExtensionRef", "extensionRef": {}}, "filters.extensionRef says nothing"),
    "what is no value of JSON": (
        {"type": "ExtensionRef", "extensionRef": {"name": None}},
        "filters.extensionRef holds a value that is no text, whole number, true or false",
    ),
    "what nobody sees": (
        {"type": "ExtensionRef", "extensionRef": {"name": "sign-in\u202e"}},
        "filters.extensionRef holds a value that is no text",
    ),
}


@pytest.mark.parametrize(("filter_", "told"), TAKES_OVER.values(), ids=TAKES_OVER.keys())
def test_a_filter_that_takes_over_or_breaks_the_preview_is_refused_at_the_start(
    filter_: dict[str, Any], told: str
) -> None:
    assert told in refusal_of(filters=[filter_])
    assert told in refusal_of(filters=[SIGN_IN, filter_])


def test_more_filters_than_a_rule_takes_are_refused_before_every_route_is() -> None:
    assert "filters has more filters than a rule may; at most 15" in refusal_of(filters=[SIGN_IN] * 16)
    assert len(forward_rule(gateway_with(filters=[SIGN_IN] * 15))["filters"]) == 16


@pytest.mark.parametrize(
    "filter_",
    [
        {"type": "CORS", "cors": {"allowOrigins": ["https://example.com"]}},
        {"type": "URLRewrite", "urlRewrite": {"hostname": "staging.example.com"}},
        {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["server"]}},
    ],
)
def test_a_type_that_a_rule_may_have_once_is_taken_once(filter_: dict[str, Any]) -> None:
    assert forward_rule(gateway_with(filters=[filter_]))["filters"][0] == filter_
    assert f"filters has two filters of type {filter_['type']}" in refusal_of(filters=[filter_, filter_])


OURS = [
    PREVIEW_LABEL,
    KEY_LABEL,
    *IDENTITY,
    SPEC_HASH,
    "previewbot.dev/new",
    "preview.metalbear.co/session-uid",
]


@pytest.mark.parametrize("where", ["labels", "annotations"])
@pytest.mark.parametrize("key", OURS)
def test_no_label_or_annotation_of_the_settings_is_one_that_is_believed(where: str, key: str) -> None:
    assert f"links.gateway.{where}.{key} must not begin with what is previewbot's or mirrord's own" in (
        refusal_of(**{where: {key: "gh-812-7"}})
    )


@pytest.mark.parametrize("key", ["evil-previewbot.dev/x", "previewbot.dev.example.com/x", "metalbear.com/x"])
def test_a_key_that_only_looks_like_one_of_ours_is_anybodys(key: str) -> None:
    assert gateway_with(labels={key: "x"}).labels == {key: "x"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"labels": {"a/b/c": "x"}}, "links.gateway.labels.a/b/c must be a key as Kubernetes has them"),
        ({"labels": {"-a": "x"}}, "links.gateway.labels.-a must be a key as Kubernetes has them"),
        ({"labels": {"A_b/c": "x"}}, "links.gateway.labels.A_b/c must be a key as Kubernetes has them"),
        ({"labels": {"a" * 64: "x"}}, "must be a key as Kubernetes has them"),
        ({"labels": {".".join(["a" * 60] * 5) + "/x": "x"}}, "must be a key as Kubernetes has them"),
        ({"labels": {"a": "b c"}}, "links.gateway.labels.a must be at most 63 letters, digits, - _ and ."),
        ({"labels": {"a": "b" * 64}}, "links.gateway.labels.a must be at most 63 letters"),
        ({"labels": {"a": "b-"}}, "links.gateway.labels.a must be at most 63 letters"),
        ({"labels": {"a": 5}}, "links.gateway.labels.a must be a text, not 5"),
        ({"annotations": {"a": "b\nc"}}, "links.gateway.annotations.a must be a text on one line"),
        ({"annotations": {"a b": "c"}}, "must be a key as Kubernetes has them"),
        ({"annotations": {"a": "b" * 260_000}}, "annotations are larger together than Kubernetes takes"),
        ({"sectionName": "HTTPS"}, "links.gateway.sectionName must be the name of one of the Gateway's"),
        ({"sectionName": "a" * 64}, "links.gateway.sectionName must be the name of one of the Gateway's"),
        ({"section_name": "https"}, "links.gateway.section_name is unknown; did you mean sectionName?"),
    ],
)
def test_what_kubernetes_would_refuse_of_every_route_is_refused_at_the_start(
    options: dict[str, Any], told: str
) -> None:
    assert told in refusal_of(**options)


VALUES = st.recursive(
    st.booleans() | st.integers(-(2**31), 2**31) | st.from_regex(r"[A-Za-z0-9 ./:*-]{0,20}", fullmatch=True),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdef"), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.sampled_from(["group", "kind", "name", "backendRef"]), VALUES, min_size=1)
TYPES = {"ExtensionRef": "extensionRef", "ExternalAuth": "externalAuth"}
FILTERS = st.lists(
    st.sampled_from(sorted(TYPES)).flatmap(
        lambda type_: FIELDS.map(lambda value: {"type": type_, TYPES[type_]: value})
    ),
    max_size=15,
)


@given(FILTERS)
def test_whatever_filters_are_taken_stand_as_they_are_before_ours_which_comes_last(
    filters: list[dict[str, Any]],
) -> None:
    written = copy.deepcopy(filters)

    rule = forward_rule(gateway_with(filters=filters))

    assert rule["filters"][:-1] == written
    assert rule["filters"][-1] == {
        "type": "RequestHeaderModifier",
        "requestHeaderModifier": {
            "set": [{"name": "baggage", "value": header_value(a_preview().spec.environment_key)}]
        },
    }
    assert json.dumps(rule) == json.dumps(forward_rule(gateway_with(filters=filters)))


def test_a_variable_says_the_same_as_the_file() -> None:
    variables = {
        "PREVIEWBOT_LINKS__GATEWAY__FILTERS": json.dumps([SIGN_IN]),
        "PREVIEWBOT_LINKS__GATEWAY__SECTIONNAME": "https",
        "PREVIEWBOT_LINKS__GATEWAY__LABELS": '{"team": "shop"}',
    }

    found = parse(SETTINGS, variables)

    assert found == settings_with(filters=[SIGN_IN], sectionName="https", labels={"team": "shop"})
