"""Whoever has web's token, before the real API server: the chart's account, role and policy, case by case."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from previewbot.api import LISTING_ASKED, PREVIEW_LABEL, Poke, Spec, annotations_of, new_object
from previewbot.clients.kubernetes.resources import poke_patch
from previewbot.rules.environment_keys import environment_key
from tests.chart.conftest import cluster as cluster
from tests.chart.helm import NAMESPACE, RELEASE, one, rendered
from tests.chart.release import Account, change, installed, place_of, put
from tests.support.admission import lease, lease_of_listings, upgrade, wait_until
from tests.support.api import MERGE_PATCH, Answer
from tests.support.control_plane import ControlPlane
from tests.support.previews import a_preview
from tests.unit.test_preview_crd import CRD

pytestmark = pytest.mark.cluster

Manifest = dict[str, Any]
Spoil = Callable[[Manifest], None]
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
FULL = Poke(
    "8f0c",
    NOW,
    NOW,
    2**53,
    2**53,
    label_id="8f0c",
    call_id="8f0c",
    called_by=667,
    closed_id="a",
    event_id="b",
    queued_id="c",
    review_id=2**53,
    review_comment_id=2**53,
    member_review_id=2**53,
    member_review_comment_id=2**53,
)
GUID = "previewbot.dev/delivery-id"


def spec(number: int = 42) -> Spec:
    return a_preview(name=f"gh-812-{number}").spec


def a_new_preview(poke: Poke = FULL, number: int = 42) -> Manifest:
    """Return a Preview as web makes it."""
    return new_object(spec(number), poke)


@pytest.fixture(scope="module")
def web(cluster: ControlPlane) -> Iterator[Account]:
    """web's account under the policy, once that is in force."""
    with installed(cluster, "gateway"):
        account = Account(cluster, "web")
        wrong = a_new_preview()
        wrong["metadata"]["finalizers"] = ["example.com/held"]
        wait_until(lambda: account.create(wrong).status == 422)
        yield account
        account.close()
        cluster.delete_previews("gh-812-")


@pytest.fixture(scope="module")
def stored(web: Account, cluster: ControlPlane) -> Manifest:
    """A Preview that is there, which a person has labelled and annotated."""
    obj = new_object(spec(7), Poke("before", NOW))
    obj["metadata"]["labels"] = {"team": "shop"}
    obj["metadata"]["annotations"]["example.com/note"] = "mine"
    put(cluster, obj)
    return obj


def metadata(**changes: Any) -> Spoil:
    return lambda manifest: manifest["metadata"].update(changes)


def annotated(name: str, value: str) -> Spoil:
    return lambda manifest: manifest["metadata"]["annotations"].update({name: value})


def of_spec(**changes: Any) -> Spoil:
    return lambda manifest: manifest["spec"].update(changes)


def refused_by_policy(answer: Answer, words: str) -> None:
    assert answer.status == 422, answer.text
    assert words in answer.body["message"]
    assert f"ValidatingAdmissionPolicy '{RELEASE}-web'" in answer.body["message"]


def refused_by_crd(answer: Answer, words: str) -> None:
    assert answer.reason == (422, "Invalid"), answer.text
    assert words in answer.body["message"]
    assert "ValidatingAdmissionPolicy" not in answer.body["message"]


def test_the_poke_here_says_all_that_a_poke_can_say() -> None:
    assert all(getattr(FULL, field.name) for field in fields(FULL))


@pytest.mark.parametrize("poke", [FULL, Poke("1", NOW), Poke("x" * 200, NOW)], ids=["full", "short", "long"])
def test_what_web_makes_is_admitted(web: Account, poke: Poke) -> None:
    answer = web.create(a_new_preview(poke))

    assert answer.status == 201, answer.text


@pytest.mark.parametrize("poke", [FULL, Poke("2", NOW)], ids=["full", "short"])
@pytest.mark.parametrize("repository", ["acme/shop", "acme/store"])
def test_every_poke_of_web_is_admitted_also_after_a_rename(
    web: Account, stored: Manifest, poke: Poke, repository: str
) -> None:
    answer = web.patch(stored, poke_patch(replace(spec(7), repository=repository), poke))

    assert answer.status == 200, answer.text
    kept = answer.body["metadata"]
    assert (kept["labels"], kept["annotations"]["example.com/note"]) == ({"team": "shop"}, "mine")


WRONG_CREATIONS: dict[str, tuple[Spoil, str]] = {
    "held by a finalizer": (metadata(finalizers=["example.com/held"]), "sets no finalizers"),
    "with an owner that is not there": (
        metadata(
            ownerReferences=[{"apiVersion": "v1", "kind": "Namespace", "name": "gone", "uid": "1"}],
        ),
        "gives a Preview no owner",
    ),
    "with a label": (metadata(labels={PREVIEW_LABEL: "gh-812-42"}), "sets no labels"),
    "with another annotation": (annotated("example.com/a", "b"), "web writes no annotation example.com/a"),
    "with an annotation of ours that is none": (
        annotated("previewbot.dev/approved", "1"),
        "web writes no annotation previewbot.dev/approved",
    ),
    "with a number that is none": (annotated("previewbot.dev/comment-id", "-1"), "does not say what a poke"),
    "with a number that the status cannot hold": (
        annotated("previewbot.dev/member-comment-id", "9" * 19),
        "does not say what a poke",
    ),
    "with a review's number that is none": (
        annotated("previewbot.dev/review-id", "x"),
        "does not say what a",
    ),
    "with a number of a comment on lines that the status cannot hold": (
        annotated("previewbot.dev/member-review-comment-id", "9" * 19),
        "does not say what a poke",
    ),
    "with a time that is none": (
        annotated("previewbot.dev/poked-at", "tomorrow"),
        "does not say what a poke",
    ),
    "with endless words": (annotated(GUID, "x" * 201), "does not say what a poke"),
    "with a line break": (annotated(GUID, "a\nb"), "does not say what a poke"),
    "that says it is the listing's": (annotated(GUID, "listing-2026"), "is not the listing's"),
    "for another App": (of_spec(appId=1), "for the App and the GitHub of the settings only"),
    "for another GitHub": (of_spec(githubHost="evil.example.com"), "for the App and the GitHub"),
}


@pytest.mark.parametrize(("spoil", "words"), WRONG_CREATIONS.values(), ids=WRONG_CREATIONS.keys())
@pytest.mark.parametrize("how", ["create", "apply"])
def test_a_preview_beyond_what_web_makes_is_refused(web: Account, how: str, spoil: Spoil, words: str) -> None:
    wrong = copy.deepcopy(a_new_preview())
    spoil(wrong)

    refused_by_policy(getattr(web, how)(wrong), words)


KEY = spec().environment_key
WRONG_IDENTITIES: dict[str, tuple[Spoil, str]] = {
    "a key that captures everything": (of_spec(environmentKey=".*"), "should match"),
    "a key with more behind it": (of_spec(environmentKey=f"{KEY}|.*"), "should match"),
    "a key that is the beginning of others": (of_spec(environmentKey=KEY[:11]), "should match"),
    "a key of another pull request": (
        of_spec(environmentKey=environment_key("github.com", 812, 43, "acme/shop")),
        "must end with the pull request's number",
    ),
    "another pull request's name": (metadata(name="gh-812-43"), "the name must be"),
    "another repository's number": (of_spec(repositoryId=7), "the name must be"),
    "any name": (metadata(name="evil"), "the name must be"),
}


@pytest.mark.parametrize(("spoil", "words"), WRONG_IDENTITIES.values(), ids=WRONG_IDENTITIES.keys())
def test_a_preview_that_is_not_what_its_name_says_is_refused_by_the_crd(
    web: Account, spoil: Spoil, words: str
) -> None:
    wrong = copy.deepcopy(a_new_preview())
    spoil(wrong)

    refused_by_crd(web.create(wrong), words)


WRONG_CHANGES: dict[str, tuple[Manifest, str]] = {
    "a finalizer": ({"metadata": {"finalizers": ["example.com/held"]}}, "sets no finalizers"),
    "an owner that is not there": (
        {
            "metadata": {
                "ownerReferences": [{"apiVersion": "v1", "kind": "Namespace", "name": "gone", "uid": "1"}]
            }
        },
        "gives a Preview no owner",
    ),
    "a label": ({"metadata": {"labels": {"team": "pay"}}}, "sets no labels"),
    "no labels": ({"metadata": {"labels": None}}, "sets no labels"),
    "somebody's annotation": ({"metadata": {"annotations": {"example.com/note": "x"}}}, "web writes no"),
    "somebody's annotation away": (
        {"metadata": {"annotations": {"example.com/note": None}}},
        "takes no annotation away",
    ),
    "the bounds of a poke away": ({"metadata": {"annotations": {GUID: None}}}, "takes no annotation away"),
    "another installation": ({"spec": {"installationId": 9}}, "changes nothing of a Preview's spec"),
}


@pytest.mark.parametrize(("patch", "words"), WRONG_CHANGES.values(), ids=WRONG_CHANGES.keys())
def test_a_change_beyond_a_poke_is_refused(
    web: Account, stored: Manifest, patch: Manifest, words: str
) -> None:
    refused_by_policy(web.patch(stored, patch), words)


@pytest.mark.parametrize(
    "changes",
    [
        {"appId": 1},
        {"githubHost": "evil.example.com"},
        {"repositoryId": 7},
        {"number": 8},
        {"environmentKey": ".*"},
        {"environmentKey": environment_key("github.com", 812, 7, "acme/else")},
    ],
)
def test_whose_a_preview_is_never_changes(
    web: Account, cluster: ControlPlane, stored: Manifest, changes: Manifest
) -> None:
    """Nor by the administrator: the rule is the CRD's, which comes before the policy."""
    path = f"{cluster.path_of(stored)}/{stored['metadata']['name']}?dryRun=All"

    refused_by_crd(web.patch(stored, {"spec": changes}), "is fixed when")
    refused_by_crd(cluster.call("PATCH", path, {"spec": changes}, MERGE_PATCH), "is fixed when")


def test_web_may_not_delete_replace_or_write_a_status(web: Account, stored: Manifest) -> None:
    with_status = {"status": {"slot": {"held": True}}}

    answers = [web.delete(stored), web.replace(stored), web.patch_status(stored, with_status)]

    assert [answer.status for answer in answers] == [403, 403, 403]


def test_with_a_role_that_somebody_gave_it_by_mistake_web_may_do_no_more(
    web: Account, cluster: ControlPlane, stored: Manifest
) -> None:
    group = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "wrong"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": f"{RELEASE}-web", "namespace": NAMESPACE}],
    }
    cluster.apply(binding)
    try:
        wait_until(lambda: web.delete(stored).status != 403)

        refused_by_policy(web.delete(stored), "does nothing else with them")
        refused_by_policy(web.patch_status(stored, {"status": {"phase": "Ready"}}), "does nothing else")
    finally:
        cluster.call("DELETE", f"/apis/{group}/v1/clusterrolebindings/wrong")


@pytest.fixture
def listings(web: Account, cluster: ControlPlane) -> Iterator[Manifest]:
    """The Lease in which web asks for a listing, as the controller makes it, and the policy in force."""
    obj = lease_of_listings()
    put(cluster, obj)
    wait_until(lambda: web.patch(obj, {"metadata": {"finalizers": ["example.com/held"]}}).status == 422)
    yield obj
    cluster.call("DELETE", place_of(cluster, obj))


@pytest.mark.parametrize("delivery", ["8f0c", "x" * 200])
def test_web_may_ask_for_a_listing(web: Account, listings: Manifest, delivery: str) -> None:
    answer = web.patch(listings, {"metadata": {"annotations": {LISTING_ASKED: delivery}}})

    assert answer.status == 200, answer.text


WRONG_QUESTIONS: dict[str, tuple[Manifest, str]] = {
    "a finalizer": ({"metadata": {"finalizers": ["example.com/held"]}}, "sets no finalizers"),
    "an owner that is not there": (
        {
            "metadata": {
                "ownerReferences": [{"apiVersion": "v1", "kind": "Namespace", "name": "gone", "uid": "1"}]
            }
        },
        "sets no ownerReferences",
    ),
    "a label": ({"metadata": {"labels": {"team": "pay"}}}, "sets no labels"),
    "another annotation": ({"metadata": {"annotations": {"example.com/a": "b"}}}, "by which delivery"),
    "endless words": ({"metadata": {"annotations": {LISTING_ASKED: "x" * 201}}}, "by which delivery"),
    "a line break": ({"metadata": {"annotations": {LISTING_ASKED: "a\nb"}}}, "by which delivery"),
    "a holder": ({"spec": {"holderIdentity": "web"}}, "web takes no Lease"),
}


@pytest.mark.parametrize(("patch", "words"), WRONG_QUESTIONS.values(), ids=WRONG_QUESTIONS.keys())
def test_of_the_lease_of_listings_web_changes_nothing_else(
    web: Account, listings: Manifest, patch: Manifest, words: str
) -> None:
    answer = web.patch(listings, patch)

    assert answer.status == 422, answer.text
    assert words in answer.body["message"]
    assert f"ValidatingAdmissionPolicy '{RELEASE}-web-listing'" in answer.body["message"]


def test_web_may_neither_read_make_nor_delete_leases_nor_touch_the_controllers_own(
    web: Account, cluster: ControlPlane, listings: Manifest
) -> None:
    answers = [
        web.create(listings),
        web.delete(listings),
        web.replace(listings),
        web.patch(lease(), {"metadata": {"annotations": {LISTING_ASKED: "8f0c"}}}),
    ]

    assert [answer.status for answer in answers] == [403] * 4


def test_what_a_mutating_webhook_adds_is_admitted_where_the_values_name_it(
    cluster: ControlPlane, web: Account, stored: Manifest
) -> None:
    """Without it a webhook that labels every kind would have each delivery refused, and the listing too."""
    wrong = a_new_preview(number=8)
    metadata(labels={"example.com/team": "platform"})(wrong)
    annotated("example.com/team", "platform")(wrong)
    poke = poke_patch(spec(7), FULL)
    poke["metadata"] |= {"labels": {"example.com/team": "platform"}}
    poke["metadata"]["annotations"] |= {"example.com/team": "platform"}
    advice = "if a mutating webhook adds it, name its key in admissionPolicy.otherMetadata of the chart"
    refused_by_policy(web.create(wrong), advice)
    refused_by_policy(web.patch(stored, poke), advice)

    upgrade(cluster, {"admissionPolicy.otherMetadata": ["example.com/team"]})
    try:
        wait_until(lambda: web.create(wrong).status == 201)
        assert web.patch(stored, poke).status == 200
        metadata(labels={"example.com/team": "platform", "example.com/other": "a"})(wrong)
        refused_by_policy(web.create(wrong), "sets no labels")
        refused_by_policy(web.patch(stored, {"metadata": {"labels": {"team": None}}}), "takes none away")
    finally:
        change(cluster, "upgrade", "gateway")
        metadata(labels={"example.com/team": "platform"})(wrong)
        wait_until(lambda: web.create(wrong).status == 422)


def test_everybody_else_may_label_and_annotate_previews(cluster: ControlPlane, stored: Manifest) -> None:
    path = f"{cluster.path_of(stored)}/{stored['metadata']['name']}?dryRun=All"
    patch = {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}, "finalizers": ["e.f/g"]}}

    assert cluster.call("PATCH", path, patch, MERGE_PATCH).status == 200


@pytest.mark.parametrize("name", ["gateway", "everything"])
def test_the_policy_knows_every_annotation_of_a_poke_and_no_other(name: str) -> None:
    policy = one(rendered(name), "ValidatingAdmissionPolicy", f"{RELEASE}-web")
    [shapes] = [v["expression"] for v in policy["spec"]["variables"] if v["name"] == "shapes"]

    assert yaml.safe_load(shapes).keys() == annotations_of(FULL).keys()


def test_the_policy_knows_the_github_and_the_app_of_the_settings() -> None:
    policy = one(rendered("everything"), "ValidatingAdmissionPolicy", f"{RELEASE}-web")
    expressions = " ".join(each["expression"] for each in policy["spec"]["validations"])

    assert "object.spec.appId == 4242" in expressions
    assert "object.spec.githubHost == 'ghe.internal'" in expressions


def test_a_large_number_of_an_app_stays_a_number() -> None:
    policy = one(
        rendered("gateway", "--set-json", "settings.github.app_id=123456789"),
        "ValidatingAdmissionPolicy",
        f"{RELEASE}-web",
    )

    assert "object.spec.appId == 123456789" in str(policy)


def test_with_the_new_crd_what_was_stored_before_it_can_be_poked_reported_and_ended(
    cluster: ControlPlane,
) -> None:
    """Helm leaves CRDs as they are: an upgrade of them meets objects that no rule has seen."""
    # Under a group of its own, so that nobody else's Previews meet an old schema.
    group = "before.example.com"
    crd, old = copy.deepcopy(CRD), copy.deepcopy(CRD)
    for each in (crd, old):
        each["metadata"] = {"name": f"previews.{group}"}
        each["spec"]["group"] = group
        each["spec"]["names"] = {"kind": "Preview", "plural": "previews", "singular": "preview"}
    schema = old["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    del schema["x-kubernetes-validations"], schema["properties"]["spec"]["x-kubernetes-validations"]
    for field in schema["properties"]["spec"]["properties"].values():
        for key in ("x-kubernetes-validations", "pattern", "minimum", "maxLength"):
            field.pop(key, None)
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    cluster.apply(old)
    try:
        wrong = a_new_preview() | {"apiVersion": f"{group}/v1alpha1"}
        wrong["metadata"] |= {"name": "evil", "finalizers": ["example.com/held"]}
        wrong["spec"]["environmentKey"] = ".*"
        place = f"/apis/{group}/v1alpha1/previews"
        wait_until(lambda: cluster.call("POST", place, wrong).status in (201, 409))
        assert cluster.call("PATCH", f"{definitions}/previews.{group}", crd, MERGE_PATCH).status == 200
        another = copy.deepcopy(wrong)
        another["metadata"]["name"] = "another"
        wait_until(lambda: cluster.call("POST", f"{place}?dryRun=All", another).status == 422)

        poke = poke_patch(spec(), Poke("d", NOW))
        poked = cluster.call("PATCH", f"{place}/evil", poke, MERGE_PATCH)
        said = cluster.call("PATCH", f"{place}/evil/status", {"status": {"lastError": "x"}}, MERGE_PATCH)
        ended = cluster.call("DELETE", f"{place}/evil")
        freed = cluster.call("PATCH", f"{place}/evil", {"metadata": {"finalizers": None}}, MERGE_PATCH)

        assert [answer.status for answer in (poked, said, ended, freed)] == [200] * 4
    finally:
        cluster.call("DELETE", f"{definitions}/previews.{group}")
