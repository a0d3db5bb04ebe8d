"""Whoever has web's token, or the controller's, before the real API server: what requests they may make."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from previewbot.api import Actor, Ask, AskedIn, Source, new_request
from previewbot.clients.kubernetes.resources import error_of
from previewbot.doctor import samples
from previewbot.doctor.check import Check, State
from previewbot.doctor.cluster_judged import request_refused
from tests.chart.conftest import cluster as cluster
from tests.chart.helm import NAMESPACE, RELEASE
from tests.chart.release import Account, installed, place_of, put
from tests.support.admission import wait_until
from tests.support.api import Answer
from tests.support.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

Manifest = dict[str, Any]
POLICY = f"ValidatingAdmissionPolicy '{RELEASE}-requests'"
HEAD = "a" * 40


def a_request(delivery: str = "8f0c", number: int = 42, asked: str = "stop") -> Manifest:
    """Return a request as web makes it."""
    source, now = Source("CheckRun", 9001, delivery, HEAD), datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    return new_request(Ask(812, number, asked, Actor("alice", 501), source, now), NAMESPACE)


def make_room(cluster: ControlPlane, used: int | None = 0) -> None:
    """Say of the chart's quota that so many are there, as kube-controller-manager does; None: not counted."""
    name = {"name": f"{RELEASE}-requests", "namespace": NAMESPACE}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": name}
    hard = cluster.call("GET", place_of(cluster, quota)).body["spec"]["hard"]
    status = {"hard": hard, "used": dict.fromkeys(hard, None if used is None else str(used))}
    place = f"{place_of(cluster, quota)}/status"
    answer = cluster.call("PATCH", place, {"status": status}, "application/merge-patch+json")
    assert answer.status == 200, answer.text


@pytest.fixture(scope="module")
def release(cluster: ControlPlane) -> Iterator[ControlPlane]:
    """The chart's accounts and roles under the policy, once that is in force."""
    with installed(cluster, "gateway"):
        # Here no controller says what there is room for, and before that the API server lets nothing in.
        make_room(cluster)
        wrong, account = a_request("probe"), Account(cluster, "web")
        wrong["metadata"]["finalizers"] = ["example.com/held"]
        wait_until(lambda: account.create(wrong).status == 422)
        account.close()
        yield cluster


@pytest.fixture(scope="module")
def web(release: ControlPlane) -> Iterator[Account]:
    account = Account(release, "web")
    yield account
    account.close()


@pytest.fixture(scope="module")
def controller(release: ControlPlane) -> Iterator[Account]:
    account = Account(release, "controller")
    yield account
    account.close()


def test_web_makes_each_request_once_and_neither_reads_changes_nor_removes_it(
    web: Account, release: ControlPlane
) -> None:
    obj = a_request("once")

    assert web.create(obj).status == 201
    put(release, obj)
    again = web.create(obj)
    assert again.status == 409
    assert "already exists" in again.body["message"]
    assert web.delete(obj).status == 403
    assert web.patch(obj, {"metadata": {"labels": {"a": "b"}}}).status == 403


def spoiled(change: Callable[[Manifest], Any]) -> Manifest:
    obj = copy.deepcopy(a_request("spoiled"))
    change(obj)
    return obj


OWNER = {"apiVersion": "previewbot.dev/v1alpha1", "kind": "Preview", "name": "gh-812-42", "uid": "u"}
WRONG: dict[str, tuple[Manifest, str]] = {
    "a finalizer": (spoiled(lambda o: o["metadata"].update(finalizers=["example.com/held"])), POLICY),
    "an owner": (spoiled(lambda o: o["metadata"].update(ownerReferences=[OWNER])), POLICY),
    "a label": (spoiled(lambda o: o["metadata"].update(labels={"team": "pay"})), POLICY),
    "an annotation": (spoiled(lambda o: o["metadata"].update(annotations={"a.b/c": "d"})), POLICY),
    "something else": (spoiled(lambda o: o["spec"].update(asked="merge")), POLICY),
    "from elsewhere": (spoiled(lambda o: o["spec"]["from"].update(kind="Page")), POLICY),
    "another's name": (spoiled(lambda o: o["spec"].update(number=43)), "the name must be"),
    "a name of its own": (spoiled(lambda o: o["metadata"].update(name="gh-812-42")), "the name must be"),
    "no commit": (spoiled(lambda o: o["spec"]["from"].update(headSha="main")), "headSha"),
    "no account": (
        spoiled(lambda o: o["spec"]["actor"].update(id=0)),
        "whoever came by a proxy (id 0) a name",
    ),
    "a login of its own": (spoiled(lambda o: o["spec"]["actor"].update(login="../x")), "actor.login"),
}


@pytest.mark.parametrize(("obj", "words"), WRONG.values(), ids=WRONG.keys())
def test_of_any_other_shape_it_makes_none(web: Account, obj: Manifest, words: str) -> None:
    answer = web.create(obj)

    assert answer.status == 422, answer.text
    assert words in answer.body["message"]


def test_the_controller_gives_a_request_to_its_own_preview_and_removes_it(
    controller: Account, release: ControlPlane
) -> None:
    obj = a_request("given")
    uid = put(release, obj).body["metadata"]["uid"]

    def give(**owner: Any) -> int:
        patch = {"metadata": {"uid": uid, "ownerReferences": [OWNER | {"controller": True} | owner]}}
        return controller.patch(obj, patch).status

    assert give(name="gh-812-4") == 422
    assert give(kind="Namespace", apiVersion="v1") == 422
    assert give() == 200
    assert controller.patch(obj, {"metadata": {"finalizers": ["example.com/held"]}}).status == 422
    assert controller.patch(obj, {"metadata": {"labels": {"a": "b"}}}).status == 422
    assert controller.create(a_request("own")).status == 403
    assert controller.delete(obj).status == 200


def test_nobody_changes_what_was_asked_for(release: ControlPlane) -> None:
    obj = a_request("fixed")
    put(release, obj)
    changed = copy.deepcopy(obj)
    changed["spec"]["asked"] = "start"
    answer = release.call(
        "PATCH", place_of(release, obj), {"spec": changed["spec"]}, "application/merge-patch+json"
    )

    assert answer.status == 422
    assert "a request is fixed when it is made" in answer.body["message"]


def judged(refused: Answer) -> Check:
    """Return what the doctor says to such an answer."""
    return request_refused(NAMESPACE, error_of("try previewrequests", refused.status, refused.text, {}))


def test_the_doctor_tries_one_and_says_what_keeps_it_from_being_stored(
    web: Account, controller: Account, release: ControlPlane
) -> None:
    obj = samples.request(NAMESPACE, datetime(2026, 11, 24, 9, 0, tzinfo=UTC), AskedIn.CHECK_RUN)
    wait_until(lambda: web.create(obj).status == 201)

    assert judged(controller.create(obj)).state is State.NOT_CHECKED
    make_room(release, used=None)
    wait_until(lambda: web.create(obj).status == 403)
    early = judged(web.create(obj))
    make_room(release, used=1000)
    wait_until(lambda: "exceeded" in web.create(obj).text)
    full = judged(web.create(obj))
    make_room(release)

    assert (early.state, full.state) == (State.NOTE, State.WRONG)
    assert "five minutes after previewbot was installed" in early.line
    assert "see whether a controller runs" in full.line


def test_no_more_than_a_thousand_are_kept_at_once(web: Account, release: ControlPlane) -> None:
    obj = a_request("one more")
    make_room(release, used=999)
    wait_until(lambda: web.create(obj).status == 201)

    # The API server hears of it a moment later.
    make_room(release, used=1000)
    wait_until(lambda: web.create(obj).status == 403)
    refused = web.create(obj)
    make_room(release)

    assert "exceeded quota: previewbot-requests" in refused.body["message"]
    assert "limited: count/previewrequests.previewbot.dev=1k" in refused.body["message"]
