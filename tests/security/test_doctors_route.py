"""The exception that the doctor has in the admission policy, in the wrong hands: it lets its one route by.

Each case is one step beyond that route, sent by the chart's own service account to a real API server.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from previewbot.api import GROUP
from previewbot.config.server import Settings
from previewbot.doctor import samples
from previewbot.doctor.check import State
from previewbot.doctor.cluster_judged import tried_session
from previewbot.doctor.probing_judged import refused
from previewbot.engine import probe
from previewbot.errors import Invalid
from tests.chart.release import Account, place_of
from tests.chart.release import put as put_on
from tests.support import passes
from tests.support.admission import (
    GATEWAY,
    Manifest,
    Spoil,
    controller,
    drop,
    put,
    route,
    spoiled,
    upgrade,
    wait_until,
)
from tests.support.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

CONTROLLER = "system:serviceaccount:previewbot:previewbot-controller"
PUBLIC_URL = "https://previews.example.com"
RULE = ("spec", "rules", 0)
REDIRECT = (*RULE, "filters", 0, "requestRedirect")
SET_HEADER = {
    "type": "RequestHeaderModifier",
    "requestHeaderModifier": {"set": [{"name": "authorization", "value": "x"}]},
}

STEPS_BEYOND: dict[str, Spoil] = {
    "another name": put("metadata", "name", value="previewbot-doctor-2"),
    "another namespace": put("metadata", "namespace", value="elsewhere"),
    "the host of a preview": put("spec", "hostnames", value=["pabcdefghij-shop-42.preview.example.com"]),
    "the host of staging": put("spec", "hostnames", value=["staging.example.com"]),
    "one host more": put(
        "spec", "hostnames", value=["previewbot-doctor.preview.example.com", "staging.example.com"]
    ),
    "every host": drop("spec", "hostnames"),
    "another Gateway": put("spec", "parentRefs", 0, "name", value="internal"),
    "a Gateway of another namespace": put("spec", "parentRefs", 0, "namespace", value="staging"),
    "one listener": put("spec", "parentRefs", 0, "sectionName", value="https"),
    "one parent more": put(
        "spec", "parentRefs", value=[*({"name": n, "namespace": "gateways"} for n in ("public", "internal"))]
    ),
    "to a Service": put(*RULE, value={"backendRefs": [{"name": "web", "port": 80}]}),
    "to another host": put(*REDIRECT, "hostname", value="evil.example.com"),
    "to another path": put(*REDIRECT, "path", "replaceFullPath", value="/webhook"),
    "for ever": put(*REDIRECT, "statusCode", value=301),
    "to another port": put(*REDIRECT, "port", value=8443),
    "with a header": put(*RULE, "filters", value=[SET_HEADER]),
    "one rule more": put("spec", "rules", value=[{}, {}]),
    "some requests only": put(*RULE, "matches", value=[{"path": {"type": "PathPrefix", "value": "/x"}}]),
    "a label": put("metadata", "labels", value={f"{GROUP}/preview": "gh-812-42"}),
    "an annotation": put("metadata", "annotations", value={"external-dns.alpha.kubernetes.io/target": "x"}),
    "a finalizer": put("metadata", "finalizers", value=["example.com/never"]),
    "an owner": put(
        "metadata",
        "ownerReferences",
        value=[{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "b"}],
    ),
}


@pytest.fixture(scope="module")
def account(control_plane: ControlPlane) -> Iterator[Account]:
    """The controller's account under the policies."""
    with controller(control_plane) as found:
        yield found


def doctors(**changes: Any) -> Manifest:
    return probe.probe(GATEWAY, changes.get("namespace", "staging"), changes.get("public_url", PUBLIC_URL))


@pytest.mark.parametrize("namespace", ["staging", "payments"])
def test_the_doctors_own_route_is_admitted_where_previews_may_be(account: Account, namespace: str) -> None:
    answer = account.create(doctors(namespace=namespace))

    assert answer.status == 201, answer.body.get("message")


def test_the_doctors_session_is_refused_in_the_words_by_which_it_knows_the_policy(account: Account) -> None:
    settings = Settings.model_validate(passes.SETTINGS)
    answer = account.create(samples.session(settings, "staging"))

    message = answer.body["message"]
    [namespace, policy] = tried_session("staging", CONTROLLER, Invalid("try", status=422, message=message))
    assert (namespace.state, policy.state) == (State.OK, State.OK), message


def test_a_policy_that_does_not_know_the_doctors_route_is_known_by_its_words(account: Account) -> None:
    answer = account.create(spoiled(doctors(), STEPS_BEYOND["to another path"]))

    error = Invalid("create httproutes", status=answer.status, message=answer.body["message"])
    check = refused("staging", error)
    assert check.state is State.NOT_CHECKED, check.line
    assert "of another version of the chart" in check.words


@pytest.mark.parametrize("spoil", STEPS_BEYOND.values(), ids=STEPS_BEYOND.keys())
def test_a_route_one_step_beyond_the_doctors_is_refused(account: Account, spoil: Spoil) -> None:
    answer = account.create(spoiled(doctors(), spoil))

    assert answer.status == 422, answer.text
    assert "ValidatingAdmissionPolicy 'previewbot-routes'" in answer.body["message"]


def test_the_doctors_route_is_never_changed_into_another_one_and_no_other_into_it(
    account: Account, control_plane: ControlPlane
) -> None:
    made = doctors()
    put_on(control_plane, made)
    try:
        turned = account.patch(made, {"spec": {"hostnames": ["staging.example.com"]}})
        same = account.patch(made, {"metadata": {"labels": {"a": "b"}}})
    finally:
        control_plane.call("DELETE", place_of(control_plane, made))

    assert (turned.status, same.status) == (422, 422)


def test_the_doctors_route_can_be_taken_away_and_one_that_only_has_its_name_cannot(
    account: Account, control_plane: ControlPlane
) -> None:
    put_on(control_plane, doctors())
    taken = account.delete(doctors())
    control_plane.call("DELETE", place_of(control_plane, doctors()))
    somebodys = spoiled(doctors(), put("spec", "hostnames", value=["staging.example.com"]))
    put_on(control_plane, somebodys)
    left = account.delete(somebodys)
    control_plane.call("DELETE", place_of(control_plane, somebodys))

    assert taken.status == 200, taken.text
    assert left.status == 422


def test_what_is_stored_of_it_is_what_was_sent(control_plane: ControlPlane, account: Account) -> None:
    sent = doctors()

    answer = account.create(sent)

    assert answer.body["spec"] == sent["spec"]


def test_it_goes_by_the_settings_listener_port_and_path(
    account: Account, control_plane: ControlPlane
) -> None:
    gateway = GATEWAY.model_copy(update={"section_name": "https"})
    public_url = "https://Previews.Example.com:8443/bot/"
    before = {"settings.links.gateway.sectionName": "https", "settings.public_url": public_url}
    upgrade(control_plane, before)
    made = probe.probe(gateway, "staging", public_url)
    try:
        wait_until(lambda: account.create(made).status == 201)
        assert account.create(doctors()).status == 422
    finally:
        upgrade(control_plane, {"settings.public_url": PUBLIC_URL})
        wait_until(lambda: account.create(route()).status == 201)
