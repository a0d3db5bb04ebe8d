"""Whatever a team's filter says, a session takes requests with its own key, and of these at most all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from previewbot.config.mirrord import MirrordConfig, read_mirrord
from previewbot.config.mirrord.files import Files
from previewbot.engine.session_spec import parts_spec
from previewbot.engine.translation.preview import parts_of_mirrord
from previewbot.errors import ConfigurationError
from tests.support.mirrord_vectors import Vector, read_table

KEY = "p0123456789-shop-42"
OWN = f"^baggage: .*mirrord-session={KEY}.*$"
PATTERNS = st.sampled_from(
    (
        "^baggage: .*mirrord-session={{ key }}.*$",
        "^baggage: .*mirrord-session={{ key }}.*",
        "^baggage: .*mirrord-session=.*$",
        "^tracestate: .*mirrord-session={{ key }}.*$",
        "^tracestate: .*",
        'x"},{"any_of":[{"path":".*"}]}',
        ".*",
        "",
        "(",
    )
)
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "header": PATTERNS,
        "path": PATTERNS,
        "method": PATTERNS,
        "body": st.just("json"),
        "query": st.sampled_from(("$.a", ".a", "true", "")),
        "matches": PATTERNS,
    },
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "header_filter": PATTERNS,
        "path_filter": PATTERNS,
        "method_filter": PATTERNS,
        "header_filter_jq": st.sampled_from(("true", ".a", "")),
        "body_filter": ITEMS,
        "all_of": st.lists(ITEMS, max_size=3),
        "any_of": st.lists(ITEMS, max_size=3),
        "ports": st.lists(st.integers(0, 70_000), max_size=2),
    },
)
INCOMING = st.one_of(
    st.sampled_from((None, True, False, "steal", "mirror", "off", "", 1)),
    st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(("steal", "mirror", "off", None)),
            "http_filter": st.booleans() | FILTERS,
            "ports": st.lists(st.integers(0, 70_000), max_size=2),
            "ignore_ports": st.lists(st.integers(0, 70_000), max_size=2),
        },
    ),
)
TWO_HEADERS = {
    "any_of": [
        {"header": "^baggage: .*mirrord-session={{ key }}.*$"},
        {"header": "^tracestate: .*mirrord-session={{ key }}.*$"},
    ]
}


def read(text: str, end: str = "json") -> MirrordConfig:
    return read_mirrord(text.encode(), f"mirrord.{end}", Files())


@given(INCOMING)
@example({"http_filter": TWO_HEADERS})
@example({"http_filter": {"all_of": [{"header": "^baggage: .*mirrord-session={{ key }}.*$"}]}})
def test_no_session_takes_requests_without_its_key(incoming: object) -> None:
    try:
        config = read(json.dumps({"feature": {"network": {"incoming": incoming}}}))
    except ConfigurationError:
        return
    sent = parts_spec(KEY, "staging", parts_of_mirrord(config)).get("incoming")
    if sent is not None:
        assert sent["steal"] is True
        assert not (sent.get("ports") and sent.get("ignorePorts"))
        assert takes_its_own_alone(json.loads(sent["httpFilter"]))


def takes_its_own_alone(http_filter: Mapping[str, Any]) -> bool:
    """Return whether a filter is one of the two forms that the admission policy knows."""
    said = {kind: value for kind, value in http_filter.items() if value is not None}
    if said == {"header_filter": OWN}:
        return True
    if said.keys() == {"any_of"}:
        return bool(said["any_of"] == [{"header": OWN}, {"header": OWN.replace("baggage", "tracestate")}])
    return said.keys() == {"all_of"} and said["all_of"][0] == {"header": OWN} and len(said["all_of"]) > 1


JSON_CASES = [case for case in read_table()[1] if not case.refused and case.file.endswith(".json")]


@pytest.mark.parametrize("case", JSON_CASES, ids=lambda case: case.name)
def test_yaml_says_the_same_as_json(case: Vector) -> None:
    as_yaml = yaml.safe_dump(json.loads(case.text), sort_keys=False)
    try:
        config = read(case.text)
    except ConfigurationError:
        with pytest.raises(ConfigurationError):
            read(as_yaml, "yaml")
    else:
        assert parts_of_mirrord(read(as_yaml, "yaml")) == parts_of_mirrord(config)
