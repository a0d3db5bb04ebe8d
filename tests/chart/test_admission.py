"""What the admission policies let the controller make: every shape that previewbot makes.

What they refuse is in tests/security/test_controllers_token.py; field by field, in test_admission_fields.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.config.repository import TARGET_KINDS, parse_target
from previewbot.config.server import GatewaySettings
from previewbot.config.server.repositories import matches
from previewbot.engine import links
from previewbot.engine.annotations import HEAD_SHA, PULL_REQUEST, SPEC_HASH
from previewbot.engine.parts import taking
from previewbot.rules.images import is_allowed, with_digest
from previewbot.text.durations import parse_duration
from tests.chart.helm import of_kind, one, rendered
from tests.chart.release import Account, change, place_of
from tests.support.admission import (
    DIGEST,
    ENTRY,
    GATEWAY,
    controller,
    drop,
    event,
    lease,
    lease_of_listings,
    preview_object,
    put,
    route,
    session,
    spoiled,
    upgrade,
    wait_until,
    with_paths,
)
from tests.support.control_plane import ControlPlane
from tests.support.previews import a_preview

Upgrade = Callable[[Mapping[str, Any]], None]


@pytest.fixture(scope="module")
def account(cluster: ControlPlane) -> Iterator[Account]:
    """The controller's account under the policies."""
    with controller(cluster) as found:
        yield found


@pytest.fixture
def upgraded(cluster: ControlPlane, account: Account) -> Iterator[Upgrade]:
    """Upgrades to other values, for one test."""
    yield partial(upgrade, cluster)
    change(cluster, "upgrade", "gateway")
    wait_until(lambda: account.create(route()).status == 201)


def assert_admitted(account: Account, manifest: dict[str, Any]) -> None:
    answer = account.create(manifest)

    assert answer.status == 201, answer.body.get("message")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"namespace": "payments"},
        {"image": f"registry.internal:5000/shop@{DIGEST}"},
        {"image": f"registry.internal:5000/shop/checkout@{DIGEST}"},
        {"image": f"docker.io/acme/checkout@{DIGEST}"},
        {"image": f"ghcr.io/acme/team_a/check-out.v2@sha512:{'b' * 128}"},
        {"parts": taking(None)},
        {"parts": taking(())},
        {"parts": taking((1, 65_535))},
        {"parts": taking(tuple(range(1, 200)))},
        {"ttl_seconds": 60},
        {"target": parse_target("statefulset/ledger.v2")},
        *({"target": parse_target(f"{kind}/checkout")} for kind in TARGET_KINDS),
        {"target": parse_target("deployment/checkout/container/app"), "container": "app"},
        {"service": "x" * 63, "container": "x" * 63, "target": parse_target(f"deployment/{'x' * 253}")},
    ],
)
def test_the_sessions_that_previewbot_makes_are_admitted(account: Account, changes: dict[str, Any]) -> None:
    assert_admitted(account, session(**changes))


@pytest.mark.parametrize("make", [preview_object, lease, lease_of_listings, event])
def test_what_else_previewbot_makes_is_admitted(account: Account, make: Callable[[], dict[str, Any]]) -> None:
    assert_admitted(account, make())


@pytest.mark.parametrize("to_page", [False, True])
def test_the_routes_that_previewbot_makes_are_admitted(account: Account, to_page: bool) -> None:
    assert_admitted(account, route(to_page=to_page))


def test_a_route_that_has_answers_name_a_commit_is_admitted(account: Account) -> None:
    made = route()
    filters = made["spec"]["rules"][0]["filters"]
    names = {"set": [{"name": "x-preview-sha", "value": "3f2c1ab" + "0" * 33}]}
    filters.insert(len(filters) - 1, {"type": "ResponseHeaderModifier", "responseHeaderModifier": names})

    assert_admitted(account, made)


@pytest.mark.parametrize(
    "routes",
    [
        # As a staging's own route may have it.
        [
            {"path": "/api", "service": "api", "port": 8080, "timeouts": {"request": "0s"}},
            {"path": "/", "service": "web", "port": 80},
        ],
        [{"path": "/", "service": "web", "port": 80, "timeouts": {"request": "1m"}}],
        [{"path": "/api/v1/health", "type": "Exact", "service": "api", "port": 8080}],
        [
            {
                "path": "/a",
                "service": "web",
                "port": 8081,
                "timeouts": {"request": "1h30m", "backendRequest": "500ms"},
            }
        ],
        [{"path": f"/{'x' * 1000}{number}", "service": f"s{number}", "port": 65_535} for number in range(15)],
    ],
    ids=["two", "one, and time", "exactly", "both times", "as many as there can be"],
)
def test_a_route_to_a_service_for_each_path_is_admitted(
    account: Account, routes: list[dict[str, Any]]
) -> None:
    assert_admitted(account, route(entry=with_paths(*routes)))


@pytest.mark.parametrize(
    ("number", "public_url", "hostname"),
    [
        (1, "http://previews.internal", "previews.internal"),
        (2, "https://Previews.Example.com:8443/", "previews.example.com"),
        (3, "HTTPS://a.example.com:443/Previews/of-all/", "a.example.com"),
        (4, "https://a.example.com/pre%20views//", "a.example.com"),
    ],
)
def test_a_route_leads_to_the_page_wherever_public_url_says_that_it_is(
    upgraded: Upgrade, account: Account, number: int, public_url: str, hostname: str
) -> None:
    gateway = GATEWAY.model_copy(update={"domain": f"d{number}.example.com"})
    made = route(gateway, to_page=True, page=links.page_url(public_url, a_preview().name))

    domain = f"D{number}.Example.com"
    upgraded({"settings.public_url": public_url, "settings.links.gateway.domain": domain})

    # The domain is another one each time, so that only the new policy admits it.
    wait_until(lambda: account.create(made).status == 201)
    redirect = ("spec", "rules", 0, "filters", 0, "requestRedirect")
    for wrong in [
        put(*redirect, "hostname", value=f"{hostname}.evil.example"),
        put(*redirect, "port", value=1),
    ]:
        answer = account.create(spoiled(made, wrong))
        assert (answer.status, "leads neither to a Service nor to the page" in answer.text) == (422, True)


def test_what_the_outgoing_controller_of_an_upgrade_makes_is_admitted(account: Account) -> None:
    """Earlier builds do not say on a session for whom it is, and write no annotations on routes."""
    before = a_preview()
    bare = spoiled(session(before), drop("metadata", "annotations", PULL_REQUEST))

    assert set(bare["metadata"]["annotations"]) == {HEAD_SHA, SPEC_HASH}
    assert_admitted(account, bare)
    assert_admitted(account, spoiled(route(preview=before), drop("metadata", "annotations")))


def test_what_a_mutating_webhook_adds_is_admitted_where_the_values_name_it(
    upgraded: Upgrade, account: Account
) -> None:
    theirs = put("metadata", "labels", "example.com/team", value="platform")
    note = put("metadata", "annotations", "example.com/team", value="platform")
    made = [spoiled(each, theirs, note) for each in (session(), route())]
    # A webhook for every kind, such as a Kyverno policy with `kinds: ["*"]`, does not leave Previews out.
    a_new_preview = spoiled(
        preview_object(), put("metadata", "labels", value={"example.com/team": "platform"})
    )
    for each in (*made, a_new_preview):
        message = account.create(each).body["message"]
        assert each is a_new_preview or "with the label example.com/team: platform" in message
        assert message.endswith(
            "; if a mutating webhook adds it, name its key in admissionPolicy.otherMetadata of the chart"
        )
    made.append(a_new_preview)

    upgraded({"admissionPolicy.otherMetadata": ["example.com/team"]})

    wait_until(lambda: all(account.create(each).status == 201 for each in made))
    other = put("metadata", "labels", "example.com/other", value="b")
    assert "example.com/other" in account.create(spoiled(made[0], other)).body["message"]


FILTERS: list[dict[str, Any]] = [
    {
        "type": "ExtensionRef",
        "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "sign-in"},
    },
    # With fields that the API server adds to by its defaults.
    {"type": "CORS", "cors": {"allowOrigins": ["https://a.example.com"], "allowCredentials": True}},
    {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "x-a", "value": "it's"}]}},
    {"type": "URLRewrite", "urlRewrite": {"hostname": "staging.example.com"}},
]
OPTIONS: dict[str, Any] = {
    "sectionName": "https",
    "labels": {"example.com/team": "shop"},
    "annotations": {"example.com/note": 'it\'s "ours"; <b>\\n'},
    "filters": FILTERS,
    "guard": {"host_in": "Host"},
}


def test_what_the_settings_add_to_routes_is_admitted_as_they_say_it(
    upgraded: Upgrade, account: Account
) -> None:
    written = GATEWAY.model_dump(by_alias=True, exclude={"settle", "port"}) | OPTIONS
    gateway = GatewaySettings.model_validate(written | {"domain": "options.example.com"})
    as_written = gateway.model_dump(by_alias=True, exclude_none=True, exclude={"settle", "guard"})
    guarded = {**as_written, "guard": OPTIONS["guard"]}
    upgraded({"settings.links.gateway": guarded, "guard.existingSecret": "guard"})

    to_staging, to_page = route(gateway), route(gateway, to_page=True)
    wait_until(lambda: account.create(to_staging).status == 201)

    assert_admitted(account, to_page)
    of_rule = ("spec", "rules", 0, "filters")
    filters = to_staging["spec"]["rules"][0]["filters"]
    first, parent = (*of_rule, 0, "extensionRef"), ("spec", "parentRefs", 0)
    begins = "does not begin with the filters of settings.links.gateway.filters"
    for wrong, words in [
        (put(*of_rule, value=filters[1:]), begins),
        (put(*of_rule, value=filters[-1:]), begins),
        (put(*of_rule, value=[filters[-1], *filters[:-1]]), begins),
        (put(*first, "name", value="none"), begins),
        (put(*of_rule, 1, "cors", "allowOrigins", value=["*"]), begins),
        (put(*of_rule, 1, "cors", "allowMethods", value=["*"]), begins),
        (put(*of_rule, 1, "cors", "maxAge", value=6), begins),
        (put(*of_rule, value=[*filters[:-1], filters[0], filters[-1]]), "with the filters ExtensionRef"),
        # With a guard, what lets a program in is taken away before anybody sees it.
        (
            drop(*of_rule, len(filters) - 1, "requestHeaderModifier", "remove"),
            "does not set the baggage header",
        ),
        (
            put(*of_rule, len(filters) - 1, "requestHeaderModifier", "remove", value=["cookie"]),
            "does not set the baggage header",
        ),
        (put(*parent, "sectionName", value="admin"), "is not attached to the listener https"),
        (drop(*parent, "sectionName"), "is not attached to the listener https"),
        (put("metadata", "labels", "example.com/team", value="b"), "the label example.com/team: b"),
        (put("metadata", "annotations", "example.com/note", value="b"), "the annotation example.com/note: b"),
    ]:
        answer = account.create(spoiled(to_staging, wrong))
        assert (answer.status, words in answer.body["message"]) == (422, True), answer.text


RULES = [
    {"match": ["acme/nothing"], "targets": [], "entries": ["*/*"]},
    {"match": ["acme/shop"], "namespaces": ["staging"], "targets": ["deployment/web-*", "*/checkout"]},
    {
        "match": ["acme/pay"],
        "namespaces": ["payments"],
        "images": ["ghcr.io/acme/pay/"],
        "entries": ["staging/w*b:80"],
    },
    {"match": ["acme/dots"], "targets": ["statefulset/a.b*"], "entries": []},
    {"match": ["acme/ends"], "targets": ["rollout/ends"], "entries": ["payments/*0", "payments/a:80"]},
]


def a_session(namespace: str, target: str, image: str = "ghcr.io/acme/x") -> dict[str, Any]:
    return session(namespace=namespace, target=parse_target(target), image=f"{image}@{DIGEST}")


def an_entry(namespace: str, service: str, port: int = 80) -> dict[str, Any]:
    entry = ENTRY.model_copy(update={"namespace": namespace, "service": service, "port": port})
    return route(RULED, entry=entry)


def a_path(namespace: str, service: str, port: int = 80) -> dict[str, Any]:
    """Return a route whose front end any rule opens, and one of whose paths leads there."""
    own = ENTRY.model_copy(update={"namespace": namespace, "service": "web0", "port": 80})
    return route(RULED, entry=with_paths({"path": "/api", "service": service, "port": port}, entry=own))


RULED = GATEWAY.model_copy(update={"domain": "rules.example.com"})
OPENED = [
    a_session("staging", "deployment/web-eu"),
    a_session("staging", "rollout/checkout"),
    a_session("payments", "deployment/any", "ghcr.io/acme/pay/ledger"),
    a_session("staging", "statefulset/a.b"),
    an_entry("staging", "any", 8080),  # acme/shop names no entries
    a_session("payments", "rollout/ends"),
    an_entry("payments", "web0", 8080),
    an_entry("payments", "a"),
    a_path("payments", "web0", 8080),
    a_path("payments", "a"),  # another rule opens it than opens `web0`
    route(RULED, to_page=True),
]
CLOSED = [
    a_session("staging", "deployment/web"),
    a_session("staging", "statefulset/web-eu"),
    a_session("staging", "deployment/any", "ghcr.io/acme/pay/ledger"),
    a_session("payments", "deployment/any"),
    a_session("payments", "deployment/web-eu"),
    a_session("payments", "deployment/any", "ghcr.io/acme/pays/ledger"),
    a_session("staging", "statefulset/axb"),
    an_entry("payments", "web"),  # at port 80, and `*0` is about names
    an_entry("payments", "a", 8080),
    a_path("payments", "web"),
    a_path("payments", "a", 8080),
]


def test_what_no_rule_for_repositories_opens_to_anybody_is_refused(
    upgraded: Upgrade, account: Account
) -> None:
    upgraded({"settings.repositories": RULES, "settings.links.gateway.domain": RULED.domain})
    wait_until(lambda: account.create(OPENED[-1]).status == 201 and account.create(CLOSED[0]).status == 422)

    for manifest in OPENED:
        assert_admitted(account, manifest)
    for manifest in CLOSED:
        answer = account.create(manifest)
        assert (answer.status, "no rule of settings.repositories opens" in answer.text) == (422, True)


@pytest.mark.parametrize("rules", [[], [{"match": ["acme/*"], "namespaces": []}]])
def test_where_the_rules_open_nothing_nothing_is_admitted(rules: list[dict[str, Any]]) -> None:
    options = ("--set-json", f"settings.repositories={json.dumps(rules)}")
    for name in ("sessions", "routes"):
        policy = one(rendered("gateway", *options), "ValidatingAdmissionPolicy", f"previewbot-{name}")
        [opened] = [
            v for v in policy["spec"]["validations"] if "no rule of settings.repositories opens" in str(v)
        ]
        of_rules = "variables.openedByRule0" if rules else "false"
        of_entries = "e in variables.openedByRule0" if rules else "false"
        assert opened["expression"] in (of_rules, f"variables.entries.all(e, {of_entries})")
        nothing = {"sessions": "false", "routes": "variables.entries.filter(e, false)"}[name]
        assert by_rule(policy) == [nothing] * len(rules)


def by_rule(policy: Any) -> list[str]:
    return [v["expression"] for v in policy["spec"]["variables"] if v["name"].startswith("openedByRule")]


@pytest.mark.parametrize("end", ["z", "*"])
def test_as_many_rules_as_a_large_company_has_are_taken_and_evaluated(
    cluster: ControlPlane, upgraded: Upgrade, account: Account, tmp_path: Path, end: str
) -> None:
    """The API server takes no expression beyond a size, and gives up one beyond a cost."""

    def named(rule: int, number: int) -> str:
        return f"r{rule}-{number}-".ljust(40, "x")

    rules = [
        {
            "match": [f"acme/r{rule}"],
            "targets": [f"deployment/{named(rule, number)}{end}" for number in range(50)],
            "entries": [f"staging/{named(rule, number)}{end}" for number in range(50)],
        }
        for rule in range(100)
    ]
    domain = f"many-{ord(end)}.example.com"
    gateway = GATEWAY.model_copy(update={"domain": domain})
    written = tmp_path / "values.json"
    written.write_text(
        json.dumps({"settings": {"repositories": rules, "links": {"gateway": {"domain": domain}}}}), "utf-8"
    )

    change(cluster, "upgrade", "gateway", "--values", str(written))

    wait_until(lambda: account.create(route(gateway, to_page=True)).status == 201)
    wait_until(lambda: account.create(a_session("staging", "deployment/none")).status == 422)
    last = f"{named(99, 49)}z"
    assert_admitted(account, a_session("staging", f"deployment/{last}"))
    assert_admitted(account, route(gateway, entry=ENTRY.model_copy(update={"service": last})))
    paths = [{"path": f"/{n}", "service": f"{named(99 - n, 49)}z", "port": 80} for n in range(15)]
    own = ENTRY.model_copy(update={"service": last})
    assert_admitted(account, route(gateway, entry=with_paths(*paths, entry=own)))
    for other in [
        a_session("staging", f"deployment/{'x' * 253}"),
        route(gateway, entry=ENTRY.model_copy(update={"service": "x" * 63})),
    ]:
        answer = account.create(other)
        assert (answer.status, "no rule of settings.repositories opens" in answer.text) == (422, True)


def test_the_name_of_the_gateway_means_the_same_in_capitals(upgraded: Upgrade, account: Account) -> None:
    gateway = GATEWAY.model_copy(update={"domain": "capitals.example.com"})
    written = {"name": "Public", "namespace": gateway.namespace, "domain": gateway.domain}
    assert GatewaySettings.model_validate(written).name == gateway.name

    upgraded({"settings.links.gateway": written})

    wait_until(lambda: account.create(route(gateway)).status == 201)


PARTS = st.text("ab.-*", min_size=1, max_size=6)


@given(pattern=st.tuples(PARTS, PARTS), text=st.tuples(PARTS, PARTS))
def test_patterns_mean_what_they_mean_to_previewbot(pattern: tuple[str, str], text: tuple[str, str]) -> None:
    """As the chart writes them: what is special is quoted, and `*` stands for anything but `/`."""
    written = "^(" + re.sub(r"\\\*", "[^/]*", re.escape("/".join(pattern))) + ")$"

    found = re.fullmatch(written, "/".join(text).replace("*", "x")) is not None

    assert found == matches("/".join(pattern), "/".join(text).replace("*", "x"))
    if re.fullmatch(r"[^*]*/[^*]*\*", "/".join(pattern)):
        # A part that only begins so is compared without an expression.
        assert found == "/".join(text).replace("*", "x").startswith("/".join(pattern)[:-1])


def test_the_chart_writes_patterns_so() -> None:
    targets, entries = ["deployment/a.b-*", "*/c", "deployment/a.b"], ["staging/w*:80", "staging/x"]
    rules = [{"match": ["acme/*"], "targets": targets, "entries": entries}]
    options = ("--set-json", f"settings.repositories={json.dumps(rules)}")
    policies = [
        one(rendered("gateway", *options), "ValidatingAdmissionPolicy", f"previewbot-{name}")
        for name in ("sessions", "routes")
    ]

    [[of_targets], [of_entries]] = [by_rule(policy) for policy in policies]
    assert of_targets == (
        '(variables.workload in ["deployment/a.b"]'
        ' || ["deployment/a.b-"].exists(p, variables.workload.startsWith(p))'
        r' || variables.workload.matches("^([^/]*/c)$"))'
    )
    of_ports, of_names = 'e.matches("^(staging/w[^/]*:80)$")', """e.split(':')[0] in ["staging/x"]"""
    assert of_entries == f"variables.entries.filter(e, ({of_ports} || {of_names}))"


@pytest.mark.parametrize("duration", ["72h", "90s", "1d2h30m", "3D", "7h59m59s", "365d"])
def test_the_longest_life_of_a_session_is_that_of_the_settings_and_an_hour(duration: str) -> None:
    options = ("--set", f"settings.ttl.max={duration}", "--set", "settings.ttl.default=1s")
    policy = one(rendered("gateway", *options), "ValidatingAdmissionPolicy", "previewbot-sessions")

    longest = int((parse_duration(duration) + timedelta(hours=1)).total_seconds())
    assert f"dyn(object.spec.ttlSecs) <= {longest}" in [
        expression.split(" && ")[-1] for expression in expressions(policy)
    ]


def expressions(policy: Any) -> list[str]:
    return [validation["expression"] for validation in policy["spec"]["validations"]]


@pytest.mark.parametrize(
    ("prefix", "reference"),
    [
        ("ghcr.io", "ghcr.io/acme/x:1"),
        ("ghcr.io/acme", "ghcr.io/acme/x:1"),
        ("ghcr.io/acme/", "ghcr.io/acme/x:1"),
        ("GHCR.io/acme/", "ghcr.io/acme/x:1"),
        ("ghcr.io/acme/x", "ghcr.io/acme/x:1"),
        ("index.docker.io/acme", "acme/x:1"),
        ("docker.io", "nginx"),
        ("registry.internal:5000", "registry.internal:5000/x:1"),
        ("ghcr.io/acm", "ghcr.io/acme/x:1"),
    ],
)
def test_prefixes_of_images_mean_what_they_mean_to_previewbot(prefix: str, reference: str) -> None:
    options = ("--set-json", f"settings.images.allowed={json.dumps([prefix])}")
    policy = one(rendered("gateway", *options), "ValidatingAdmissionPolicy", "previewbot-sessions")
    [written] = [v["expression"] for v in policy["spec"]["variables"] if v["name"] == "prefixes"]

    repository = with_digest(reference, DIGEST).split("@")[0] + "/"
    assert any(map(repository.startswith, json.loads(written))) == is_allowed(reference, [prefix])


@pytest.mark.parametrize("name", ["minimal", "gateway"])
def test_there_is_a_policy_for_each_kind_of_object(name: str) -> None:
    policies = of_kind(rendered(name), "ValidatingAdmissionPolicy")

    names = {policy["metadata"]["name"] for policy in policies}
    assert names == {
        f"previewbot-{each}"
        for each in (
            "sessions",
            "branches",
            "removals",
            "routes",
            "previews",
            "lease",
            "events",
            "web",
            "pages",
            "web-listing",
            "requests",
        )
    }


def test_they_can_be_switched_off() -> None:
    kinds = {obj["kind"] for obj in rendered("minimal", "--set", "admissionPolicy.enabled=false")}

    assert not kinds & {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}


@pytest.mark.parametrize("name", ["minimal", "gateway", "everything"])
def test_every_policy_is_bound_to_refuse_and_fails_closed(name: str) -> None:
    objects = rendered(name)
    policies = of_kind(objects, "ValidatingAdmissionPolicy")
    bindings = of_kind(objects, "ValidatingAdmissionPolicyBinding")

    assert {b["spec"]["policyName"] for b in bindings} == {p["metadata"]["name"] for p in policies}
    assert all(binding["spec"]["validationActions"] == ["Deny"] for binding in bindings)
    assert all(policy["spec"]["failurePolicy"] == "Fail" for policy in policies)


VERSIONS = {
    "preview.mirrord.metalbear.co": "v1alpha",
    "dbs.mirrord.metalbear.co": "v1alpha1",
    "gateway.networking.k8s.io": "v1",
    "previewbot.dev": "v1alpha1",
}


def test_the_api_server_finds_no_mistake_of_types_in_a_policy(cluster: ControlPlane) -> None:
    policies = of_kind(rendered("everything"), "ValidatingAdmissionPolicy")

    assert policies
    for policy in policies:
        assert checked_types(cluster, policy) == {}, policy["metadata"]["name"]


def checked_types(cluster: ControlPlane, of: Mapping[str, Any]) -> Any:
    """Return what the API server says of a policy's types; here none is bound.

    It looks only where a policy names the versions and the resources that it is for, so here it does.
    """
    policy = json.loads(json.dumps(of))
    policy["metadata"]["name"] += "-with-types"
    for rule in policy["spec"]["matchConstraints"]["resourceRules"]:
        rule["apiVersions"] = [VERSIONS.get(group, "v1") for group in rule["apiGroups"]]
        named = {"*": "branchdatabases", "*/*": "branchdatabases"}
        resources = {named.get(resource, resource) for resource in rule["resources"]}
        rule["resources"] = [resource for resource in sorted(resources) if "/" not in resource]
    there = cluster.apply(policy)
    path = place_of(cluster, there)

    def status() -> dict[str, Any]:
        found: dict[str, Any] = cluster.call("GET", path).body.get("status", {})
        return found

    wait_until(lambda: status().get("observedGeneration") == there["metadata"]["generation"])
    found = status()
    cluster.call("DELETE", path)
    return found["typeChecking"]
