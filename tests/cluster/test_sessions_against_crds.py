"""Everything that we store is stored as we meant it: by the operator's, the Gateway API's and our own CRD.

Strict validation refuses a field that a CRD does not know; nothing comes back changed, nothing is warned of.
With `PREVIEWBOT_MIRRORD_CRDS` the operator's own CRD judges, else our restatement of it. What a session may
have of its own, in every combination, is in tests/chart/test_admission_parts.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from previewbot.api import Poke, new_object, status_object
from previewbot.clients.kubernetes.resources import contains, without_nulls
from previewbot.config.repository import TARGET_KINDS, Entry, parse_target
from previewbot.config.server import GatewaySettings
from previewbot.engine.mirrord import DesiredSession, manifest
from previewbot.engine.parts import taking
from previewbot.engine.routes import route
from previewbot.rules.environment_keys import environment_key
from tests.chart.test_admission_branches import ADMITTED as BRANCHES
from tests.support.admission import branch, put, spoiled
from tests.support.api import Answer, Object
from tests.support.control_plane import ControlPlane
from tests.support.previews import HEAD, NOW, a_preview
from tests.support.states import STATES

NAMESPACE = "n" * 63
LONG = "x" * 63
PREVIEW = a_preview(name="gh-9999999999-99999999")
LONGEST_KEY = environment_key("github.com", 812, 99_999_999, "acme/" + "very-long-" * 10)

SESSIONS: dict[str, DesiredSession] = {
    f"{target} with ports {ports}": DesiredSession(
        "checkout", NAMESPACE, parse_target(target), "app", "i@sha256:0", taking(ports), HEAD, 60
    )
    for target in (*(f"{kind}/x" for kind in TARGET_KINDS), "deployment/x/container/y")
    for ports in (None, (), (8080,), (1, 65_535))
}
SESSIONS["the longest names"] = DesiredSession(
    LONG,
    NAMESPACE,
    parse_target(f"deployment/{LONG}/container/{LONG}"),
    LONG,
    "registry.example.com:5000/" + "a/" * 60 + "b@sha256:" + "0" * 64,
    taking(tuple(range(1, 200))),
    HEAD,
    int(timedelta(days=366).total_seconds()),
)

GATEWAYS = {
    "with the usual port": GatewaySettings(name="public", namespace="gateways", domain="preview.example.com"),
    "with a port": GatewaySettings(
        name="public", namespace="gateways", domain="localhost", scheme="http", port=8470
    ),
    "with the longest names": GatewaySettings(
        name="g" * 63, namespace="n" * 63, domain=".".join(["d" * 50] * 3 + ["d" * 47])
    ),
}
ENTRIES = {
    "to staging": Entry(url="https://staging.example.com", namespace=NAMESPACE, service="web", port=80),
    "to the longest Service": Entry(
        url="https://a.example.com",
        namespace=NAMESPACE,
        service=LONG,
        port=65_535,
        target=parse_target("deployment/w"),
    ),
    "by paths": Entry.model_validate(
        {
            "url": "https://a.example.com",
            "namespace": NAMESPACE,
            "service": "web",
            "port": 80,
            "routes": [
                {"path": "/api", "service": "api", "port": 8080, "timeouts": {"request": "0s"}},
                {"path": "/", "service": "web", "port": 80, "timeouts": {"backendRequest": "1h30m"}},
                {"path": "/a%20b/(c)~!$&'*+,;=:@", "type": "Exact", "service": "api", "port": 8080},
                *({"path": f"/{n}{'x' * 1000}", "service": f"s{n}", "port": 80} for n in range(12)),
            ],
        }
    ),
    "to the page": None,
}
PAGES = ("https://previews.example.com/p/812/42", "http://localhost:8470/base/p/812/42")


@pytest.fixture(scope="module")
def plane(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with the namespace of all that is made here."""
    control_plane.make_namespace(NAMESPACE)
    return control_plane


def stored(plane: ControlPlane, obj: Mapping[str, Any], kind: str) -> Answer:
    """Create an object with strict validation, without keeping it; returns what would have been stored."""
    path = plane.path_of({**obj, "kind": kind})
    return plane.call("POST", f"{path}?fieldValidation=Strict&dryRun=All", obj)


def assert_stored_as_sent(answer: Answer, sent: Mapping[str, Any]) -> None:
    assert (answer.status, answer.warnings) == (201, ()), answer.text
    assert contains(answer.body, sent), answer.text


@pytest.mark.parametrize("desired", SESSIONS.values(), ids=SESSIONS.keys())
@pytest.mark.parametrize("key", [PREVIEW.spec.environment_key, LONGEST_KEY], ids=["usual", "longest"])
def test_every_kind_of_session_is_stored_as_it_is_meant(
    plane: ControlPlane, desired: DesiredSession, key: str
) -> None:
    preview = replace(PREVIEW, spec=replace(PREVIEW.spec, environment_key=key))
    session = manifest(preview, desired)

    assert_stored_as_sent(stored(plane, session, "PreviewSession"), session)


@pytest.mark.parametrize("name", BRANCHES)
@pytest.mark.parametrize("key", [PREVIEW.spec.environment_key, LONGEST_KEY], ids=["usual", "longest"])
def test_every_kind_of_branch_is_stored_as_it_is_meant(plane: ControlPlane, name: str, key: str) -> None:
    preview = replace(PREVIEW, spec=replace(PREVIEW.spec, environment_key=key))
    made = branch(BRANCHES[name], preview=preview, namespace=NAMESPACE)

    answer = stored(plane, made, "BranchDatabase")

    assert (answer.status, answer.warnings) == (201, ()), answer.text
    # A field that is null is as good as none; mirrord's own command sends these too.
    assert contains(without_nulls(answer.body), without_nulls(made)), answer.text


@pytest.mark.parametrize("gateway", GATEWAYS.values(), ids=GATEWAYS.keys())
@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES.keys())
@pytest.mark.parametrize("page", PAGES)
def test_every_kind_of_route_is_stored_as_it_is_meant(
    plane: ControlPlane, gateway: GatewaySettings, entry: Entry | None, page: str
) -> None:
    wanted = route(PREVIEW, gateway, NAMESPACE, entry, page=page)

    assert_stored_as_sent(stored(plane, without_nulls(wanted), "HTTPRoute"), wanted)


@pytest.mark.parametrize("state", sorted(STATES))
def test_every_state_of_a_preview_is_stored_as_it_is_meant(plane: ControlPlane, state: str) -> None:
    preview = STATES[state]
    made = new_preview(plane, f"gh-77-{sorted(STATES).index(state) + 1}")
    sent = {**made, "status": status_object(preview.status)}
    path = f"{plane.path_of(made)}/{made['metadata']['name']}/status?fieldValidation=Strict"

    answer = plane.call("PUT", path, sent)

    plane.delete_previews(made["metadata"]["name"])
    assert (answer.status, answer.warnings) == (200, ()), answer.text
    assert answer.body.get("status", {}) == sent["status"]


def new_preview(plane: ControlPlane, name: str) -> Object:
    """Create a Preview under a name of its own."""
    poke = Poke(delivery_id="d", poked_at=NOW, updated_at=NOW, comment_id=2**53)
    obj: Object = new_object(a_preview(name=name).spec, poke)
    answer = plane.call("POST", f"{plane.path_of(obj)}?fieldValidation=Strict", obj)
    assert_stored_as_sent(answer, obj)
    return answer.body


def test_a_field_that_the_operator_does_not_know_would_be_noticed(plane: ControlPlane) -> None:
    session = manifest(PREVIEW, SESSIONS["deployment/x with ports (8080,)"])
    session["spec"]["incoming"]["filter"] = {}

    assert stored(plane, session, "PreviewSession").reason == (400, "BadRequest")
    made = spoiled(branch(namespace=NAMESPACE), put("spec", "postgresOptions", "owner", value="a"))
    assert stored(plane, made, "BranchDatabase").reason == (400, "BadRequest")
