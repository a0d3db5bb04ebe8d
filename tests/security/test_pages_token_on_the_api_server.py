"""Whoever has pages' token, before the real API server: the chart's account, role and policies."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from previewbot.api import (
    SAY,
    Actor,
    Ask,
    Asked,
    AskedIn,
    Poke,
    Saying,
    Says,
    Source,
    new_object,
    new_request,
)
from previewbot.clients.kubernetes.resources import PREVIEWS, poke_patch
from previewbot.config.server import ProxySettings
from previewbot.doctor import samples
from tests.chart.conftest import cluster as cluster
from tests.chart.helm import NAMESPACE, RELEASE
from tests.chart.release import Account, change, installed, place_of, put
from tests.security.test_webs_requests_on_the_api_server import make_room
from tests.support.admission import lease, wait_until
from tests.support.control_plane import ControlPlane
from tests.support.previews import a_preview

pytestmark = pytest.mark.cluster

Manifest = dict[str, Any]
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HEAD = "a" * 40
OF_REQUESTS = f"ValidatingAdmissionPolicy '{RELEASE}-requests'"
OF_PREVIEWS = f"ValidatingAdmissionPolicy '{RELEASE}-pages'"


def a_request(form: str = "a-forms-own-id", asked: str = "stop", kind: str = "Page", id: int = 0) -> Manifest:
    """Return a request as pages makes it for a button that somebody pressed."""
    source = Source(kind, id, form, HEAD)
    return new_request(Ask(812, 42, asked, Actor("alice", 501), source, NOW), NAMESPACE)


@pytest.fixture(scope="module")
def release(cluster: ControlPlane) -> Iterator[ControlPlane]:
    """The chart as people sign in with it, once its policies are in force."""
    with installed(cluster, "everything"):
        make_room(cluster)
        wrong, account = a_request("probe"), Account(cluster, "pages")
        wrong["metadata"]["finalizers"] = ["example.com/held"]
        wait_until(lambda: account.create(wrong).status == 422)
        account.close()
        yield cluster
        cluster.delete_previews("gh-812-")


@pytest.fixture(scope="module")
def pages(release: ControlPlane) -> Iterator[Account]:
    account = Account(release, "pages")
    yield account
    account.close()


@pytest.fixture(scope="module")
def stored(release: ControlPlane) -> Manifest:
    """A Preview that is there."""
    obj = new_object(a_preview(name="gh-812-7").spec, Poke("before", NOW))
    put(release, obj)
    return obj


def status_of(account: Account, method: str, path: str) -> int:
    return account.api.call(method, path).status


@pytest.mark.parametrize("asked", Asked)
def test_pages_makes_a_request_for_each_of_its_buttons_once(
    pages: Account, release: ControlPlane, asked: Asked
) -> None:
    obj = a_request(f"once-{asked}", asked)

    assert pages.create(obj).status == 201
    put(release, obj)
    again = pages.create(obj)
    assert (again.status, "already exists" in again.body["message"]) == (409, True)
    assert pages.delete(obj).status == 403
    assert pages.patch(obj, {"metadata": {"labels": {"a": "b"}}}).status == 403
    assert status_of(pages, "GET", place_of(release, obj)) == 403


def test_what_the_doctor_tries_is_what_pages_makes(pages: Account) -> None:
    assert pages.create(samples.request(NAMESPACE, NOW, AskedIn.PAGE)).status == 201


def spoiled(change: Callable[[Manifest], Any]) -> Manifest:
    obj = copy.deepcopy(a_request("spoiled"))
    change(obj)
    return obj


OWNER = {"apiVersion": "previewbot.dev/v1alpha1", "kind": "Preview", "name": "gh-812-42", "uid": "u"}
WRONG: dict[str, tuple[Manifest, str]] = {
    "a finalizer": (spoiled(lambda o: o["metadata"].update(finalizers=["example.com/held"])), OF_REQUESTS),
    "an owner": (spoiled(lambda o: o["metadata"].update(ownerReferences=[OWNER])), OF_REQUESTS),
    "a label": (spoiled(lambda o: o["metadata"].update(labels={"team": "pay"})), OF_REQUESTS),
    "an annotation": (spoiled(lambda o: o["metadata"].update(annotations={"a.b/c": "d"})), OF_REQUESTS),
    "something else": (a_request(asked="merge"), OF_REQUESTS),
    "in the name of a check": (a_request(kind="CheckRun", id=9001), OF_REQUESTS),
    "in the name of all checks": (a_request(kind="CheckSuite", id=77), OF_REQUESTS),
    "on a page with a number": (a_request(id=9001), OF_REQUESTS),
    "another's name": (spoiled(lambda o: o["spec"].update(number=43)), "the name must be"),
    "no commit": (spoiled(lambda o: o["spec"]["from"].update(headSha="main")), "headSha"),
    "no account": (
        spoiled(lambda o: o["spec"]["actor"].update(id=0)),
        "whoever came by a proxy (id 0) a name",
    ),
    "an account with two names": (spoiled(lambda o: o["spec"]["actor"].update(name="Pia")), "has a login"),
    "a login of its own": (spoiled(lambda o: o["spec"]["actor"].update(login="../x")), "actor.login"),
}


@pytest.mark.parametrize(("obj", "words"), WRONG.values(), ids=WRONG.keys())
def test_of_any_other_shape_it_makes_none(pages: Account, obj: Manifest, words: str) -> None:
    answer = pages.create(obj)

    assert answer.status == 422, answer.text
    assert words in answer.body["message"]


def test_it_reads_previews_and_changes_none(pages: Account, stored: Manifest, release: ControlPlane) -> None:
    place, all_of_them = (
        place_of(release, stored),
        f"/apis/{PREVIEWS.group}/{PREVIEWS.version}/{PREVIEWS.plural}",
    )
    poke = poke_patch(a_preview(name="gh-812-7").spec, Poke("1", NOW))

    assert status_of(pages, "GET", place) == 200
    # For the list of what runs. It follows none of them.
    assert status_of(pages, "GET", all_of_them) == 200
    assert status_of(pages, "GET", f"{all_of_them}?watch=true&timeoutSeconds=1") == 403
    assert pages.patch(stored, poke).status == 403
    assert pages.create(new_object(a_preview(name="gh-812-8").spec, Poke("1", NOW))).status == 403
    assert pages.patch_status(stored, {"status": {"phase": "Ready"}}).status == 403
    assert pages.delete(stored).status == 403


def test_with_a_role_that_somebody_gave_it_by_mistake_it_changes_none_either(
    pages: Account, stored: Manifest, release: ControlPlane
) -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "by-mistake-of-pages"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        },
        "subjects": [{"kind": "ServiceAccount", "name": f"{RELEASE}-pages", "namespace": NAMESPACE}],
    }
    put(release, binding)
    poke = poke_patch(a_preview(name="gh-812-7").spec, Poke("1", NOW))
    try:
        wait_until(lambda: pages.patch(stored, poke).status != 403)
        answers = [
            pages.patch(stored, poke),
            pages.create(new_object(a_preview(name="gh-812-8").spec, Poke("1", NOW))),
            pages.patch_status(stored, {"status": {"phase": "Ready"}}),
            pages.delete(stored),
        ]
        other = pages.create(a_request("by-mistake", kind="CheckRun", id=9001))
    finally:
        release.call("DELETE", place_of(release, binding))

    assert [answer.status for answer in answers] == [422] * 4
    assert all(OF_PREVIEWS in answer.body["message"] for answer in answers)
    assert OF_REQUESTS in other.body["message"]


def test_it_reaches_no_lease_secret_session_or_route(pages: Account, release: ControlPlane) -> None:
    for path in (
        place_of(release, lease()),
        f"/api/v1/namespaces/{NAMESPACE}/secrets",
        f"/api/v1/namespaces/{NAMESPACE}/pods",
        "/apis/preview.mirrord.metalbear.co/v1alpha/namespaces/staging/previewsessions",
        "/apis/gateway.networking.k8s.io/v1/namespaces/staging/httproutes",
    ):
        assert status_of(pages, "GET", path) == 403, path


def test_where_people_sign_in_nobody_comes_by_proxy(pages: Account) -> None:
    for obj in (by_proxy("say"), by_proxy("extend")):
        answer = pages.create(obj)
        assert (answer.status, OF_REQUESTS in answer.body["message"]) == (422, True)


def test_by_proxy_it_claims_what_the_settings_open_to_such_people_and_nothing_else(
    pages: Account, release: ControlPlane
) -> None:
    proxy = {"header": "X-Email", "from": ["10.0.0.7/32"], "repositories": ["acme/*"], "may_extend": True}
    access = ("--set", "settings.access=proxy", "--set-json", f"settings.proxy={json.dumps(proxy)}")
    change(release, "upgrade", "everything", *access)
    wait_until(lambda: pages.create(by_proxy("say")).status == 201)

    assert pages.create(by_proxy("extend")).status == 201
    for asked in ("start", "stop", "restart", "reset", "merge"):
        answer = pages.create(by_proxy(asked))
        assert (answer.status, OF_REQUESTS in answer.body["message"]) == (422, True)
    # Pages know nobody's account here.
    saying = by_proxy("say")
    saying["spec"]["actor"] = {"id": 501, "login": "alice"}
    for obj in (saying, a_request()):
        answer = pages.create(obj)
        assert (answer.status, OF_REQUESTS in answer.body["message"]) == (422, True)
    known = ProxySettings.model_validate(proxy)
    for tried in (known, known.model_copy(update={"may_say": False})):
        assert pages.create(samples.request(NAMESPACE, NOW, AskedIn.PAGE, tried)).status == 201
    wrong: tuple[tuple[str, Any], ...] = (
        ("name", "x" * 101),
        ("name", "Pia\n/preview stop"),
        ("words", "é" * 4001),
        ("path", "https://evil.example.com/"),
        ("sha", "main"),
        ("says", "approve"),
    )
    for key, value in wrong:
        obj = by_proxy("say")
        obj["spec"]["actor" if key == "name" else "saying"][key] = value
        assert pages.create(obj).status == 422, (key, value)
    longest = by_proxy("say")
    longest["spec"]["saying"]["words"] = "é" * 4000
    assert pages.create(longest).status == 201
    # Web has nobody by proxy: GitHub tells of accounts.
    web = Account(release, "web")
    try:
        check = by_proxy("extend", AskedIn.CHECK_RUN)
        answer = web.create(check)
    finally:
        web.close()
    assert (answer.status, OF_REQUESTS in answer.body["message"]) == (422, True)


def by_proxy(asked: str, kind: AskedIn = AskedIn.PAGE) -> Manifest:
    """Return a request as pages makes it for somebody who came by a proxy."""
    saying = Saying(Says.WORK, HEAD, "/cart", "The sum is wrong.") if asked == SAY else None
    source = Source(kind, 0 if kind is AskedIn.PAGE else 9001, f"by-proxy-{asked}", HEAD)
    return new_request(
        Ask(812, 42, asked, Actor(name="pia@acme.example", mark="0" * 12), source, NOW, saying), NAMESPACE
    )


def test_where_nobody_signs_in_it_may_make_none(pages: Account, release: ControlPlane) -> None:
    change(release, "upgrade", "everything", "--set", "settings.access=none")

    wait_until(lambda: pages.create(a_request("nobody")).status == 403)
