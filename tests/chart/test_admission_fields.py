"""Field by field: what the three CRDs know, or may know one day, and previewbot does not send, is refused.

The CRDs are those that the cluster has (mirrord's own, where it is given), opened up for these tests to take
every field and every value: so the policies stand alone, as they do with the CRD of a later version.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from tests.chart.release import Account
from tests.support.admission import branch, controller, put, route, session, spoiled, wait_until, with_paths
from tests.support.api import Answer
from tests.support.binaries import gateway_api_crds
from tests.support.control_plane import ControlPlane, mirrord_crds
from tests.support.session_parts import EVERYTHING
from tests.support.yaml_texts import read_yaml

Path = tuple[str | int, ...]
Schema = Mapping[str, Any]

LATER_FIELDS: dict[str, list[Path]] = {
    "sessions": [
        ("spec", "specResources"),
        ("spec", "paused"),
        ("spec", "incoming", "tlsDelivery"),
        ("spec", "incoming", "mode"),
        ("spec", "queueSplitting", "natsQueueFilters"),
        ("spec", "dbBranching", "genericBranchNames"),
        ("spec", "target", "cronjob"),
        ("spec", "target", "labelSelector"),
        ("status",),
        ("anything",),
    ],
    "branches": [
        ("spec", "natsOptions"),
        ("spec", "postgresOptions2"),
        ("spec", "serviceAccount"),
        ("spec", "target", "labelSelector"),
        ("spec", "connectionSource", "literal"),
        ("spec", "migrations", "volumes"),
        ("status",),
        ("anything",),
    ],
    # Of the experimental channel: they may be in the standard one tomorrow.
    "routes": [
        ("spec", "useDefaultGateways"),
        ("spec", "rules", 0, "retry"),
        ("spec", "rules", 0, "sessionPersistence"),
        ("spec", "rules", 0, "filters", 0, "externalAuth"),
        ("spec", "rules", 0, "backendRefs", 0, "tls"),
        ("anything",),
    ],
}
MANIFESTS = {
    "a session": session(),
    "a session with all of its own": session(parts=EVERYTHING),
    "a route to staging": route(),
    "a route by paths": route(
        entry=with_paths({"path": "/api", "service": "api", "port": 8080, "timeouts": {"request": "0s"}})
    ),
    "a route to the page": route(to_page=True),
}
OF_ITS_OWN = ("env", "labels", "configMounts", "secretMounts", "idle", "queueSplitting", "dbBranching")
"""What a session may leave out, in many shapes: tests/chart/test_admission_parts.py has them."""

# Where any text, number or nothing at all may stand in what a session has of its own.
TEXTS = ("env", "labels", "configMounts")
FILTERS_OF_MESSAGES = ("jqFilter", "kafkaQueueJqFilters")
NUMBERS = ("sleepAfterSecs", "wakeTimeoutSecs")
ALLOWED: list[tuple[Path, Any]] = [
    *((("spec", *field), ["a"]) for field in (("env", "include"), ("env", "exclude"), ("labels", "exclude"))),
    (("spec", "env"), {}),
    (("spec", "env", "include"), []),
    (("spec", "env", "exclude"), []),
    (("spec", "env", "overrides"), {}),
    (("spec", "labels"), {}),
    (("spec", "labels", "exclude"), []),
    (("spec", "dbBranching"), {}),
    # As if it had not been sent; of replicas there is one then.
    (("spec", "replicas"), None),
    (("spec", "env", "exclude"), None),
    (("spec", "env", "overrides"), None),
    (("spec", "env", "overrides", "PR"), None),
    (("spec", "labels", "exclude"), None),
    (("spec", "queueSplitting", "kafkaQueueJqFilters"), None),
    (("spec", "queueSplitting", "queueModes"), None),
    (("spec", "dbBranching", "pgBranchNames"), None),
    (("spec", "dbBranching", "mysqlBranchNames"), None),
    (("spec", "configMounts"), None),
    (("spec", "idle", "startIdle"), None),
    (("spec", "idle", "startIdle"), False),
    (("spec", "idle", "sleepAfterSecs"), None),
    (("spec", "idle", "wakeTimeoutSecs"), None),
]


def the_crd(kind: str) -> dict[str, Any]:
    """Return the CRD of one of the three kinds, as the cluster has it."""
    if kind == "PreviewSession":
        [path] = mirrord_crds().glob("*previewsessions*.yaml")
    elif kind == "BranchDatabase":
        [path] = mirrord_crds().glob("*branchdatabases*.yaml")
    else:
        path = gateway_api_crds() / "gateway.networking.k8s.io_httproutes.yaml"
    found: dict[str, Any] = read_yaml(path.read_text("utf-8"))
    return found


def schema_of(manifest: Mapping[str, Any]) -> Schema:
    version = manifest["apiVersion"].partition("/")[2]
    versions = the_crd(manifest["kind"])["spec"]["versions"]
    found: Schema = next(v for v in versions if v["name"] == version)["schema"]["openAPIV3Schema"]
    return found


def unsent(schema: Schema, sent: Any, at: Path = ()) -> Iterator[tuple[Path, Schema]]:
    """Yield the fields that a schema knows beside those that are sent, with what may stand there."""
    if isinstance(sent, list):
        for index, item in enumerate(sent):
            yield from unsent(schema["items"], item, (*at, index))
    elif isinstance(sent, Mapping):
        for name, field in schema.get("properties", {}).items():
            if name in sent:
                yield from unsent(field, sent[name], (*at, name))
            else:
                yield (*at, name), field


def values_of(schema: Schema) -> Iterator[Any]:
    """Yield values that a field takes, none of which is its default; nothing and emptiness are values too."""
    kind = schema.get("type", "string")
    if kind == "object":
        yield {}
        yield {name: next(values_of(field)) for name, field in schema.get("properties", {}).items()} or {
            "a": "b"
        }
    elif kind == "array":
        yield []
        yield [next(values_of(schema["items"]))]
    else:
        default = schema.get("default")
        values: dict[str, list[Any]] = {"boolean": [True, False], "integer": [7, 0], "string": ["x", ""]}
        yield from (value for value in values[kind] if value != default)
    if schema.get("nullable"):
        yield None


def opened(schema: Any) -> Any:
    """Return a schema that takes every field and every value; its defaults stay."""
    if isinstance(schema, list):
        return [opened(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = (
        "type",
        "default",
        "properties",
        "items",
        "nullable",
        "format",
        "description",
    )
    found = {key: value for key, value in schema.items() if key in kept}
    if isinstance(found.get("properties"), dict):
        found["properties"] = {name: opened(field) for name, field in found["properties"].items()}
    if isinstance(found.get("items"), dict):
        found["items"] = opened(found["items"])
    # What has no type may be anything as it is.
    if found.get("type", "object") == "object":
        found["x-kubernetes-preserve-unknown-fields"] = True
    return found


@pytest.fixture(scope="module")
def account(control_plane: ControlPlane) -> Iterator[Account]:
    """The controller's account, with CRDs that take everything; the real ones are put back afterwards."""
    kinds = ("PreviewSession", "BranchDatabase", "HTTPRoute")
    with controller(control_plane) as found:
        for kind in kinds:
            crd = the_crd(kind)
            for version in crd["spec"]["versions"]:
                root = version["schema"]["openAPIV3Schema"] = opened(version["schema"]["openAPIV3Schema"])
                root["properties"]["metadata"] = {"type": "object"}
                # With it the API server itself would drop a status.
                version.pop("subresources", None)
            replace(control_plane, crd)
        manifests = (*MANIFESTS.values(), branch())
        wait_until(lambda: all(map(partial(takes_everything, control_plane), manifests)))
        yield found
        for kind in kinds:
            replace(control_plane, the_crd(kind))


def takes_everything(plane: ControlPlane, manifest: dict[str, Any]) -> bool:
    wide = spoiled(manifest, put("spec", "anything", value={}))
    path = f"{plane.path_of(wide)}?dryRun=All&fieldValidation=Strict"
    return plane.call("POST", path, wide).status == 201


def replace(plane: ControlPlane, crd: Mapping[str, Any]) -> None:
    """Put a CRD in the place of the one that is there."""
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd['metadata']['name']}"
    there = plane.call("GET", path).body
    answer = plane.call("PUT", path, {**there, "spec": copy.deepcopy(crd["spec"])})
    assert answer.status == 200, answer.text


@pytest.mark.parametrize("name", MANIFESTS)
def test_with_such_crds_what_previewbot_makes_is_still_admitted(account: Account, name: str) -> None:
    answer = account.create(MANIFESTS[name])

    assert answer.status == 201, answer.body.get("message")


def wrong_with_more(name: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield a manifest with each field that is not sent, with each value that may stand there."""
    manifest = MANIFESTS[name]
    for at, field in unsent(schema_of(manifest)["properties"]["spec"], manifest["spec"], ("spec",)):
        if name == "a session" and at[-1] in OF_ITS_OWN:
            continue
        for value in values_of(field):
            yield at, spoiled(manifest, put(*at, value=value))
    for at in LATER_FIELDS["sessions" if "session" in name else "routes"]:
        if ("backendRefs" in at and name == "a route to the page") or (
            at[1:2] and at[1] in OF_ITS_OWN and at[1] not in manifest["spec"]
        ):
            continue
        for value in ({}, {"a": "b"}):
            yield at, spoiled(manifest, put(*at, value=value))


def assert_refused_or_dropped(at: Path, right: Answer, answer: Answer) -> None:
    """What the API server takes for nothing (a null, a default) is stored as if it had not been sent."""
    if answer.status == 201:
        assert is_stored_as(right, answer), at
        return
    message = answer.body["message"]
    assert answer.status == 422, (at, answer.text)
    assert "ValidatingAdmissionPolicy 'previewbot-" in message, at
    assert "resulted in error" not in message, at


def is_stored_as(right: Answer, answer: Answer) -> bool:
    return answer.status == right.status == 201 and meant(answer.body) == meant(right.body)


def meant(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object as it is stored, without what the API server makes of every object."""
    metadata = {key: value for key, value in stored["metadata"].items() if key not in MADE}
    return {**stored, "metadata": metadata}


MADE = ("uid", "creationTimestamp", "generation", "managedFields")


# Only the CRDs tell which fields there are, and they are not needed to collect this.
@pytest.mark.parametrize("name", MANIFESTS)
def test_a_field_that_previewbot_does_not_send_is_refused(account: Account, name: str) -> None:
    more = list(wrong_with_more(name))

    assert len(more) > 15
    right, *answers = account.create_each([MANIFESTS[name], *(wrong for _, wrong in more)])
    for (at, _), answer in zip(more, answers, strict=True):
        assert_refused_or_dropped(at, right, answer)


def test_a_field_of_a_later_version_is_refused_of_a_branch(account: Account) -> None:
    """What a branch may have in many shapes, test_admission_branches.py has."""
    wrong = [(at, put(*at, value=value)) for at in LATER_FIELDS["branches"] for value in ({}, {"a": "b"})]

    right, *answers = account.create_each([branch(), *(spoiled(branch(), spoil) for _, spoil in wrong)])

    assert right.status == 201
    for (at, _), answer in zip(wrong, answers, strict=True):
        assert_refused_or_dropped(at, right, answer)


def sent(manifest: Any, at: Path = ()) -> Iterator[Path]:
    """Yield the places of all that is sent: of every field, and of every item of a list."""
    if len(at) > 1 and at[0] == "spec":
        yield at
    for key, value in manifest.items() if isinstance(manifest, dict) else enumerate(manifest):
        if isinstance(value, dict | list):
            yield from sent(value, (*at, key))
        elif at and at[0] == "spec":
            yield (*at, key)


def may_stand(at: Path, other: Any) -> bool:
    """Return whether a session of some repository's may have this there."""
    if (at, other) in ALLOWED or (at[-1] in NUMBERS and other == 2**40):
        return True
    if at[1] not in (*TEXTS, "queueSplitting") or not isinstance(other, str) or at[-1] == "type":
        return False
    if at[1] == "queueSplitting":
        return any(field in at for field in FILTERS_OF_MESSAGES)
    return bool(other) or at[-1] == "data" or "overrides" in at


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_field_that_it_sends_with_something_else_in_it_is_refused(account: Account, name: str) -> None:
    others: list[Any] = [{}, [], ["a"], None, False, "", "*", -1, 2**40]
    wrong = [
        (at, other)
        for at in sent(MANIFESTS[name])
        for other in others
        # No timeouts are as if they had not been sent, which a rule without timeouts does.
        if not (may_stand(at, other) or (at[-1] == "timeouts" and other is None))
    ]

    right, *answers = account.create_each(
        [MANIFESTS[name], *(spoiled(MANIFESTS[name], put(*at, value=other)) for at, other in wrong)]
    )

    # What is of another type than the CRD says, the API server refuses before it asks the policy.
    assert [
        at_and_other
        for at_and_other, answer in zip(wrong, answers, strict=True)
        if answer.status not in (400, 422) and not is_stored_as(right, answer)
    ] == []
