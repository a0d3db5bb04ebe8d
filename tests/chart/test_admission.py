"""What the admission policies let the controller make: every shape that previewbot makes.

What they refuse is in tests/security/test_controllers_token.py; field by field, in test_admission_fields.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from previewbot.config.repository import parse_target
from previewbot.engine import links
from previewbot.rules.images import is_allowed, with_digest
from previewbot.text.durations import parse_duration
from tests.chart.helm import of_kind, one, rendered
from tests.chart.release import Account
from tests.support.admission import (
    DIGEST,
    GATEWAY,
    controller,
    put,
    route,
    session,
    spoiled,
    upgrade,
    wait_until,
)
from tests.support.control_plane import ControlPlane
from tests.support.previews import a_preview


@pytest.fixture(scope="module")
def account(cluster: ControlPlane) -> Iterator[Account]:
    """The controller's account under the policies."""
    with controller(cluster) as found:
        yield found


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
        {"ports": ()},
        {"ports": (1, 65_535)},
        {"ports": tuple(range(1, 200))},
        {"ttl_seconds": 60},
        {"target": parse_target("statefulset/ledger.v2")},
        {"target": parse_target("rollout/checkout")},
        {"target": parse_target("deployment/checkout/container/app"), "container": "app"},
        {"service": "x" * 63, "container": "x" * 63, "target": parse_target(f"deployment/{'x' * 253}")},
    ],
)
def test_the_sessions_that_previewbot_makes_are_admitted(account: Account, changes: dict[str, Any]) -> None:
    assert_admitted(account, session(**changes))


@pytest.mark.parametrize("to_page", [False, True])
def test_the_routes_that_previewbot_makes_are_admitted(account: Account, to_page: bool) -> None:
    assert_admitted(account, route(to_page=to_page))


@pytest.mark.parametrize(
    ("number", "public_url", "hostname"),
    [
        (1, "http://previews.internal", "previews.internal"),
        (2, "https://Previews.Example.com:8443/", "previews.example.com"),
        (3, "HTTPS://a.example.com:443/Previews/of-all/", "a.example.com"),
    ],
)
def test_a_route_leads_to_the_page_wherever_public_url_says_that_it_is(
    cluster: ControlPlane, account: Account, number: int, public_url: str, hostname: str
) -> None:
    gateway = GATEWAY.model_copy(update={"domain": f"d{number}.example.com"})
    made = route(gateway, to_page=True, page=links.page_url(public_url, a_preview().name))

    domain = f"D{number}.Example.com"
    upgrade(cluster, {"settings.public_url": public_url, "settings.links.gateway.domain": domain})

    # The domain is another one each time, so that only the new policy admits it.
    wait_until(lambda: account.create(made).status == 201)
    redirect = ("spec", "rules", 0, "filters", 0, "requestRedirect")
    for wrong in [
        put(*redirect, "hostname", value=f"{hostname}.evil.example"),
        put(*redirect, "port", value=1),
    ]:
        answer = account.create(spoiled(made, wrong))
        assert (answer.status, "leads neither to a Service nor to the page" in answer.text) == (422, True)


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


def test_without_a_gateway_there_is_no_policy_for_routes() -> None:
    policies = of_kind(rendered("minimal"), "ValidatingAdmissionPolicy")

    names = {policy["metadata"]["name"] for policy in policies}
    assert names == {"previewbot-sessions", "previewbot-removals", "previewbot-web"}


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
