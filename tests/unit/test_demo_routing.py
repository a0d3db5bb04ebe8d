"""The demo's traffic rules: which session a request reaches, and what the gateway does to it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from previewbot_demo import gateway_rules, operator, shop, tasks
from previewbot_demo.routing import Service, choose, takes, targets
from tests.node import stand_in

WEB = Service("staging", "web", "web", 8080)


def default_filter(key: str) -> str:
    return json.dumps({"header_filter": f"^baggage: .*mirrord-session={key}.*$", "path_filter": None})


def session(key: str = "k1", **changes: Any) -> dict[str, Any]:
    incoming = {"steal": True, "httpFilter": default_filter(key)} | changes.pop("incoming", {})
    return {
        "metadata": {
            "name": key,
            "namespace": changes.pop("namespace", "staging"),
            "uid": key,
            "creationTimestamp": changes.pop("created", "2026-11-23T10:00:00Z"),
        },
        "spec": {
            "key": key,
            "target": {"kind": changes.pop("kind", "Deployment"), "name": changes.pop("name", "web")},
            "incoming": incoming,
        },
        "status": {"phase": changes.pop("phase", "Ready")},
    }


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ([("baggage", "mirrord-session=k1")], True),
        ([("Baggage", "mirrord-session=k1")], True),
        ([("baggage", "MIRRORD-SESSION=K1")], True),
        ([("baggage", "tenant=a,mirrord-session=k1,other=b")], True),
        ([("baggage", "mirrord-session=k12")], True),
        ([("baggage", "mirrord-session=k2")], False),
        ([("x-baggage", "mirrord-session=k1")], False),
        ([("cookie", "mirrord-session=k1")], False),
        ([], False),
    ],
)
def test_a_filter_is_searched_case_insensitively_in_each_header_line(
    headers: list[tuple[str, str]], taken: bool
) -> None:
    assert takes(default_filter("k1"), headers) is taken


OWN, TENANT, TRACE = (
    {"header": "^baggage: .*mirrord-session=k1.*$"},
    {"header": "^x-tenant: acme$"},
    {"header": "^tracestate: .*mirrord-session=k1.*$"},
)


@pytest.mark.parametrize(
    ("filters", "headers", "taken"),
    [
        ({"all_of": [OWN, TENANT]}, [("baggage", "mirrord-session=k1"), ("x-tenant", "acme")], True),
        ({"all_of": [OWN, TENANT]}, [("baggage", "mirrord-session=k1")], False),
        ({"all_of": [OWN, {"path": "^/api"}]}, [("baggage", "mirrord-session=k1")], False),
        ({"any_of": [OWN, TRACE]}, [("tracestate", "mirrord-session=k1")], True),
        ({"any_of": [OWN, TRACE]}, [("tracestate", "mirrord-session=k2")], False),
    ],
)
def test_of_filters_together_all_or_any_must_be_found(
    filters: dict[str, Any], headers: list[tuple[str, str]], taken: bool
) -> None:
    whole = json.dumps({"header_filter": None, "all_of": None, "any_of": None} | filters)

    assert takes(whole, headers) is taken
    stored = {"spec": {"incoming": {"httpFilter": whole}}}
    assert stand_in.takes(stored, headers) is taken


@pytest.mark.parametrize(
    "broken", ["", "[]", "null", "{}", '{"header_filter": null}', '{"header_filter": "("}']
)
def test_a_filter_that_cannot_be_read_takes_nothing(broken: str) -> None:
    assert not takes(broken, [("baggage", "mirrord-session=k1")])


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({}, True),
        ({"phase": "Idle"}, True),
        ({"phase": "Waiting"}, False),
        ({"phase": "Failed"}, False),
        ({"namespace": "other"}, False),
        ({"name": "pricing"}, False),
        ({"kind": "StatefulSet"}, False),
        ({"incoming": {"steal": False}}, False),
        ({"incoming": {"ports": [8080]}}, True),
        ({"incoming": {"ports": [9090]}}, False),
    ],
)
def test_a_session_takes_traffic_of_its_own_target_only_while_it_serves(
    changes: dict[str, Any], taken: bool
) -> None:
    assert targets(session(**changes), WEB) is taken


def test_a_request_without_the_header_reaches_staging() -> None:
    assert choose([session("k1"), session("k2")], WEB, [("accept", "*/*")]) is None


@given(st.permutations(["kone", "ktwo", "kthree"]), st.sampled_from(["kone", "ktwo", "kthree"]))
def test_a_request_reaches_the_session_of_its_key_whatever_the_order(keys: list[str], wanted: str) -> None:
    chosen = choose([session(key) for key in keys], WEB, [("baggage", f"mirrord-session={wanted}")])

    assert chosen is not None
    assert chosen["metadata"]["uid"] == wanted


def test_of_two_sessions_that_take_a_request_the_older_gets_it() -> None:
    younger, older = session("k1", created="2026-11-23T11:00:00Z"), session("k12")

    chosen = choose([younger, older], WEB, [("baggage", "mirrord-session=k12")])

    assert chosen is older


def test_a_header_modifier_sets_adds_and_removes() -> None:
    headers = CIMultiDict([("Baggage", "theirs"), ("baggage", "again"), ("via", "a"), ("secret", "s")])

    gateway_rules.modify(
        headers,
        {
            "set": [{"name": "baggage", "value": "mirrord-session=k1"}],
            "add": [{"name": "Via", "value": "b"}, {"name": "new", "value": "n"}],
            "remove": ["SECRET"],
        },
    )

    assert headers.getall("baggage") == ["mirrord-session=k1"]
    assert headers["via"] == "a,b"
    assert headers["new"] == "n"
    assert "secret" not in headers


@pytest.mark.parametrize(
    ("redirect", "leads_to"),
    [
        ({}, "http://k1.preview.localhost:8470/cart?x=1"),
        ({"scheme": "https"}, "https://k1.preview.localhost/cart?x=1"),
        ({"hostname": "bot.example.com", "scheme": "https", "port": 443}, "https://bot.example.com/cart?x=1"),
        (
            {
                "scheme": "http",
                "hostname": "127.0.0.1",
                "port": 9000,
                "path": {"type": "ReplaceFullPath", "replaceFullPath": "/p/1/2"},
            },
            "http://127.0.0.1:9000/p/1/2",
        ),
    ],
)
def test_a_redirect_leads_where_the_route_says(redirect: dict[str, Any], leads_to: str) -> None:
    assert gateway_rules.location(redirect, "/cart?x=1", "k1.preview.localhost", 8470) == leads_to


@pytest.mark.parametrize(
    ("incoming", "minted"),
    [
        ({"steal": True, "httpFilter": default_filter("k1")}, True),
        ({"steal": True, "httpFilter": '{"header_filter":"^baggage: .*mirrord-session=k1.*"}'}, False),
        ({"steal": True, "httpFilter": default_filter("k2")}, False),
        ({"steal": False, "httpFilter": default_filter("k1")}, False),
        ({"steal": True, "httpFilter": "not json"}, False),
        ({"steal": True}, False),
        (None, False),
    ],
)
def test_a_share_host_is_minted_for_exactly_the_default_filter(incoming: Any, minted: bool) -> None:
    assert operator.gets_share_host({"key": "k1", "incoming": incoming}) is minted


@pytest.mark.parametrize("task", tasks.TASKS, ids=lambda task: task.name)
def test_every_task_applies_to_the_shop_in_every_step(task: tasks.Task) -> None:
    files = shop.repository_files(8470)

    for pushed in range(4):
        changed = tasks.apply(files, task.step(pushed))

        assert changed
        assert any(changed[path] != files[path] for path in changed)
        files |= changed


def test_an_edit_that_finds_no_line_is_an_error() -> None:
    step = tasks.Step("Nothing", (tasks.Edit("README.md", "no such line", "x"),))

    with pytest.raises(ValueError, match="no such line"):
        tasks.apply(shop.repository_files(8470), step)


def test_an_image_holds_the_files_of_its_service_only() -> None:
    files = shop.repository_files(8470)

    assert set(shop.service_files(files, "web")) == {"app.py", "page.html", "style.css"}
    assert set(shop.service_files(files, "pricing")) == {"app.py", "prices.json"}


def by_path(value: str, kind: str = "PathPrefix") -> dict[str, Any]:
    return {"matches": [{"path": {"type": kind, "value": value}}], "of": f"{kind} {value}"}


RULES = [
    by_path("/"),
    by_path("/api"),
    by_path("/api/v1/"),
    by_path("/api", "Exact"),
    by_path("/only", "Exact"),
]


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("/", "PathPrefix /"),
        ("/cart", "PathPrefix /"),
        ("/apiary", "PathPrefix /"),
        ("/api", "Exact /api"),
        ("/api/", "PathPrefix /api"),
        ("/api/v1", "PathPrefix /api/v1/"),
        ("/api/v1/x", "PathPrefix /api/v1/"),
        ("/api/v10", "PathPrefix /api"),
        ("/only", "Exact /only"),
        ("/only/", "PathPrefix /"),
    ],
)
def test_an_exact_path_comes_first_then_the_longest_prefix_of_whole_parts(path: str, taken: str) -> None:
    for rules in (RULES, RULES[::-1]):
        found = gateway_rules.rule_for(path, rules)

        assert found is not None
        assert found["of"] == taken


def test_a_path_that_no_rule_takes_has_no_way() -> None:
    assert gateway_rules.rule_for("/cart", [by_path("/api")]) is None
    assert gateway_rules.rule_for("/cart", [{}]) == {}


@pytest.mark.parametrize(
    ("timeouts", "seconds"),
    [
        (None, 30.0),
        ({}, 30.0),
        ({"request": "0s"}, None),
        ({"request": "500ms"}, 0.5),
        ({"request": "1m30s"}, 90.0),
        ({"request": "10s", "backendRequest": "2s"}, 2.0),
        ({"request": "0s", "backendRequest": "2s"}, 2.0),
    ],
)
def test_a_rule_says_how_long_a_request_may_take(timeouts: dict[str, str], seconds: float | None) -> None:
    rule = {} if timeouts is None else {"timeouts": timeouts}

    assert gateway_rules.limit(rule) == seconds
