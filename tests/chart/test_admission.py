"""What the admission policy lets the controller create: what previewbot makes, and nothing beyond."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from previewbot.config.server import GatewaySettings
from previewbot.engine import links, mirrord
from previewbot.rules.environment_keys import environment_key
from previewbot.rules.images import is_allowed, with_digest
from previewbot.text.durations import parse_duration
from tests.chart.helm import NAMESPACE, of_kind, one, rendered
from tests.chart.release import Account, installed, place_of
from tests.chart.release import put as put_on
from tests.support.control_plane import ControlPlane
from tests.support.previews import a_preview
from tests.unit.test_links import ENTRY
from tests.unit.test_mirrord import DESIRED

Manifest = dict[str, Any]
Spoil = Callable[[Manifest], None]

# As values/gateway.yaml has it.
GATEWAY = GatewaySettings(name="public", namespace="gateways", domain="preview.example.com")
LONGEST = 26 * 3600 + 30 * 60 + 3600
DIGEST = "sha256:" + "a" * 64
OTHER_KEY = environment_key("github.com", 813, 1, "acme/shop")
_SECONDS = 30.0


def session(**changes: Any) -> Manifest:
    """Return a session as previewbot makes it."""
    desired = replace(
        DESIRED, **{"image": f"ghcr.io/acme/checkout@{DIGEST}", "ttl_seconds": LONGEST, **changes}
    )
    return mirrord.manifest(a_preview(), desired)


def route(*, to_page: bool = False) -> Manifest:
    """Return a route as previewbot makes it."""
    entry = None if to_page else ENTRY
    page = "https://previews.example.com/p/812/42"
    return links.route(a_preview(), GATEWAY, "staging", entry, page=page)


@pytest.fixture(scope="module")
def controller(cluster: ControlPlane) -> Iterator[Account]:
    """The controller's account under the policy, once that is in force."""
    with installed(cluster, "gateway"):
        account = Account(cluster, "controller")
        give_it_roles_elsewhere(cluster)
        wait_until_in_force(account)
        yield account
        account.close()
        cluster.call("DELETE", "/apis/rbac.authorization.k8s.io/v1/namespaces/elsewhere/rolebindings/wrong")


def give_it_roles_elsewhere(cluster: ControlPlane) -> None:
    """Bind the account in a namespace that the settings do not name, as somebody might by mistake."""
    group = "rbac.authorization.k8s.io"
    cluster.apply(
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "wrong", "namespace": "elsewhere"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "previewbot-controller", "namespace": NAMESPACE}],
        }
    )


def wait_until_in_force(account: Account) -> None:
    """The API server learns of a policy and of its binding a little after they are stored."""
    deadline = time.monotonic() + _SECONDS
    wrong_session, wrong_route = session(image="x"), route()
    wrong_route["spec"]["hostnames"] = ["x"]
    while not all(account.create(wrong).status == 422 for wrong in (wrong_session, wrong_route)):
        assert time.monotonic() < deadline, "the policies never came into force"
        time.sleep(0.1)


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
        {"ttl_seconds": 60},
    ],
)
def test_the_sessions_that_previewbot_makes_are_admitted(
    controller: Account, changes: dict[str, Any]
) -> None:
    answer = controller.create(session(**changes))

    assert answer.status == 201, answer.body.get("message")


@pytest.mark.parametrize("to_page", [False, True])
def test_the_routes_that_previewbot_makes_are_admitted(controller: Account, to_page: bool) -> None:
    answer = controller.create(route(to_page=to_page))

    assert answer.status == 201, answer.body.get("message")


def put(*path: str, value: Any) -> Spoil:
    def spoil(manifest: Manifest) -> None:
        for key in path[:-1]:
            manifest = manifest[key]
        manifest[path[-1]] = value

    return spoil


def drop(*path: str) -> Spoil:
    def spoil(manifest: Manifest) -> None:
        for key in path[:-1]:
            manifest = manifest[key]
        del manifest[path[-1]]

    return spoil


def with_filter(key: str = a_preview().spec.environment_key, **changes: Any) -> str:
    return json.dumps({**json.loads(mirrord.key_filter(key)), **changes}, separators=(",", ":"))


FILTER = "does not filter requests by exactly its key"
NOT_ALLOWED = "does not come from settings.images.allowed"
NOT_PINNED = "is not pinned by its digest"
NO_KEY = "is not one of previewbot"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (put("spec", "image", value=f"docker.io/evil/miner@{DIGEST}"), NOT_ALLOWED),
        (put("spec", "image", value=f"ghcr.io/acme-evil/x@{DIGEST}"), NOT_ALLOWED),
        (put("spec", "image", value=f"evil.io/ghcr.io/acme/x@{DIGEST}"), NOT_ALLOWED),
        (put("spec", "image", value=f"registry.internal:5000/shopping@{DIGEST}"), NOT_ALLOWED),
        (put("spec", "image", value=f"registry.internal/shop@{DIGEST}"), NOT_ALLOWED),
        (put("spec", "image", value="ghcr.io/acme/checkout:latest"), NOT_PINNED),
        (put("spec", "image", value=f"ghcr.io/acme/checkout:v1@{DIGEST}"), NOT_PINNED),
        (put("spec", "image", value="ghcr.io/acme/checkout@sha256:abc"), NOT_PINNED),
        (put("spec", "image", value=f"ghcr.io/acme/../evil@{DIGEST}"), NOT_PINNED),
        (put("spec", "image", value=f"evil.io/x@ghcr.io/acme/x@{DIGEST}"), NOT_PINNED),
        (put("spec", "key", value="pr-42"), NO_KEY),
        (put("spec", "key", value=".*"), NO_KEY),
        (put("spec", "key", value="pabcdefghij-shop-42|.*"), NO_KEY),
        (put("spec", "key", value="pabcdefghi1-shop-42"), NO_KEY),
        (put("spec", "key", value="pabcdefghij"), NO_KEY),
        (put("spec", "key", value="pabcdefghij-" + "a" * 40 + "-1"), NO_KEY),
        (put("spec", "key", value=OTHER_KEY), "does not belong to the key"),
        (put("metadata", "name", value="anything"), "does not belong to the key"),
        (drop("spec", "incoming", "httpFilter"), FILTER),
        (put("spec", "incoming", value={"steal": False}), FILTER),
        (put("spec", "incoming", "httpFilter", value=""), FILTER),
        (put("spec", "incoming", "httpFilter", value=mirrord.key_filter(OTHER_KEY)), FILTER),
        (put("spec", "incoming", "httpFilter", value=mirrord.key_filter("")), FILTER),
        (put("spec", "incoming", "httpFilter", value=with_filter(path_filter=".*")), FILTER),
        (put("spec", "incoming", "httpFilter", value=with_filter(header_filter=".*")), FILTER),
        (put("spec", "ttlSecs", value=LONGEST + 1), "is longer than settings.ttl.max and an hour"),
        (put("spec", "ttlSecs", value=2**32), "is longer than settings.ttl.max and an hour"),
        (put("spec", "ttlSecs", value=0), "is longer than settings.ttl.max and an hour"),
        (put("metadata", "namespace", value="elsewhere"), "may not be made in the namespace elsewhere"),
        (put("spec", "secretMounts", value=[]), "mounts no Secrets"),
        (put("spec", "configMounts", value=[]), "mounts no Secrets"),
    ],
)
def test_a_session_beyond_the_bounds_is_refused(controller: Account, spoil: Spoil, words: str) -> None:
    wrong = copy.deepcopy(session())
    spoil(wrong)

    answer = controller.create(wrong)

    assert answer.status == 422, answer.text
    assert words in answer.body["message"]
    assert "ValidatingAdmissionPolicy 'previewbot-sessions'" in answer.body["message"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (put("spec", "hostnames", value=["shop.example.com"]), "is not for the host"),
        (put("spec", "hostnames", value=["*.preview.example.com"]), "is not for the host"),
        (put("spec", "hostnames", value=[f"{OTHER_KEY}.preview.example.com"]), "is not for the host"),
        (put("spec", "hostnames", value=[]), "is not for the host"),
        (drop("spec", "hostnames"), "is not for the host"),
        (put("metadata", "name", value="shop"), "is not a key of previewbot"),
        (put("spec", "parentRefs", value=[{"name": "public"}]), "attached to the Gateway gateways/public"),
        (
            put("spec", "parentRefs", value=[{"name": "inner", "namespace": "gateways"}]),
            "attached to the Gateway gateways/public",
        ),
        (drop("spec", "parentRefs"), "attached to the Gateway gateways/public"),
        (put("metadata", "namespace", value="elsewhere"), "may not be made in the namespace elsewhere"),
    ],
)
def test_a_route_beyond_the_bounds_is_refused(controller: Account, spoil: Spoil, words: str) -> None:
    wrong = copy.deepcopy(route())
    spoil(wrong)

    answer = controller.create(wrong)

    assert answer.status == 422, answer.text
    assert words in answer.body["message"]


def test_a_route_cannot_be_led_beyond_the_bounds_later(controller: Account, cluster: ControlPlane) -> None:
    there = route()
    # Without its owner, who is not there, garbage collection would take it.
    there["metadata"].pop("ownerReferences")
    put_on(cluster, there)

    taken = controller.patch(there, {"spec": {"hostnames": ["shop.example.com"]}})
    changed = controller.patch(there, {"spec": {"rules": route(to_page=True)["spec"]["rules"]}})

    cluster.call("DELETE", place_of(cluster, there))
    assert (taken.status, changed.status) == (422, 200)
    assert "is not for the host" in taken.body["message"]


def test_everybody_elses_sessions_are_left_alone(controller: Account, cluster: ControlPlane) -> None:
    """mirrord's users make sessions of their own, with the CLI's keys and images."""
    theirs = session()
    theirs["spec"] |= {"key": "alice", "image": "alice/checkout:dev"}

    answer = cluster.call("POST", f"{cluster.path_of(theirs)}?dryRun=All", theirs)

    assert answer.status == 201, answer.body


@pytest.mark.parametrize("duration", ["72h", "90s", "1d2h30m", "3D", "7h59m59s", "365d"])
def test_the_longest_life_of_a_session_is_that_of_the_settings_and_an_hour(duration: str) -> None:
    options = ("--set", f"settings.ttl.max={duration}", "--set", "settings.ttl.default=1s")
    policy = one(rendered("gateway", *options), "ValidatingAdmissionPolicy", "previewbot-sessions")

    longest = int((parse_duration(duration) + timedelta(hours=1)).total_seconds())
    assert f"object.spec.ttlSecs <= {longest}" in [
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
    policies = of_kind(
        rendered("minimal", "--set", "admissionPolicy.enabled=true"), "ValidatingAdmissionPolicy"
    )

    names = sorted(policy["metadata"]["name"] for policy in policies)
    assert names == ["previewbot-sessions", "previewbot-web"]


@pytest.mark.parametrize("name", ["gateway", "everything"])
def test_every_policy_is_bound_to_refuse_and_fails_closed(name: str) -> None:
    objects = rendered(name)
    policies = of_kind(objects, "ValidatingAdmissionPolicy")
    bindings = of_kind(objects, "ValidatingAdmissionPolicyBinding")

    assert {b["spec"]["policyName"] for b in bindings} == {p["metadata"]["name"] for p in policies}
    assert all(binding["spec"]["validationActions"] == ["Deny"] for binding in bindings)
    assert all(policy["spec"]["failurePolicy"] == "Fail" for policy in policies)
