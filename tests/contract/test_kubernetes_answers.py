"""What an API server answers, request by request: codes, reasons, warnings, events.

previewbot's client is not used: the demo's stand-in for the operator, a person's kubectl and the chart's
tests meet the same server.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from previewbot.api import Poke, new_object
from tests.contract.conftest import ApiServer
from tests.support.api import MERGE_PATCH, Answer, Object

PREVIEWS = "/apis/previewbot.dev/v1alpha1/previews"
LONG = "x" * 64


def a_preview_of(server: ApiServer, **metadata: Any) -> Object:
    obj: Object = new_object(server.spec, Poke(delivery_id="1"))
    obj["metadata"] |= metadata
    return obj


def changed(obj: Object, *path: str, to: Any) -> Object:
    """Return a copy of an object with one field changed; None takes it away."""
    result = copy.deepcopy(obj)
    inner = result
    for key in path[:-1]:
        inner = inner.setdefault(key, {})
    if to is None:
        inner.pop(path[-1], None)
    else:
        inner[path[-1]] = to
    return result


def created(server: ApiServer, **metadata: Any) -> Object:
    answer = server.call("POST", PREVIEWS, a_preview_of(server, **metadata))
    assert answer.status == 201, answer.text
    return answer.body


def path_of(server: ApiServer) -> str:
    return f"{PREVIEWS}/{server.name}"


def causes(answer: Answer) -> set[tuple[str, str]]:
    return {(cause["field"], cause["reason"]) for cause in answer.body["details"]["causes"]}


NAME_RULE, KEY_RULE = ("<nil>", "FieldValueInvalid"), ("spec", "FieldValueInvalid")
NOT_CHECKED = NAME_RULE
"""Where a field is missing or of a wrong type, the API server says that it did not come to the rules."""

BAD_OBJECTS = {
    "a wrong type": (("spec", "number"), "x", {("spec.number", "FieldValueTypeInvalid"), NOT_CHECKED}),
    "a missing field": (
        ("spec", "repository"),
        None,
        {("spec.repository", "FieldValueRequired"), NOT_CHECKED},
    ),
    "no spec": (("spec",), None, {("spec", "FieldValueRequired"), NOT_CHECKED}),
    "a host that is too long": (
        ("spec", "githubHost"),
        "x" * 301,
        {("spec.githubHost", "FieldValueTooLong"), NOT_CHECKED},
    ),
    "a name with capitals": (
        ("metadata", "name"),
        "GH-1",
        {("metadata.name", "FieldValueInvalid"), NAME_RULE},
    ),
    "a name that is too long": (
        ("metadata", "name"),
        "x" * 254,
        {("metadata.name", "FieldValueInvalid"), NAME_RULE},
    ),
    "no name": (("metadata", "name"), "", {("metadata.name", "FieldValueRequired"), NOT_CHECKED}),
    "the name of another pull request": (("metadata", "name"), "gh-812-43", {NAME_RULE}),
    "a name with a zero before its number": (("metadata", "name"), "gh-0812-42", {NAME_RULE}),
    "the number of another pull request": (("spec", "number"), 43, {NAME_RULE, KEY_RULE}),
    "another repository's number": (("spec", "repositoryId"), 7, {NAME_RULE}),
    "no pull request": (
        ("spec", "number"),
        0,
        {("spec.number", "FieldValueInvalid"), NAME_RULE, KEY_RULE},
    ),
    "a key that captures everything": (
        ("spec", "environmentKey"),
        ".*",
        {("spec.environmentKey", "FieldValueInvalid"), KEY_RULE},
    ),
    "a key with something behind it": (
        ("spec", "environmentKey"),
        "paaaaaaaaaa-shop-42|",
        {("spec.environmentKey", "FieldValueInvalid"), KEY_RULE},
    ),
    "a key with a line break behind it": (
        ("spec", "environmentKey"),
        "paaaaaaaaaa-shop-42\n",
        {("spec.environmentKey", "FieldValueInvalid"), KEY_RULE},
    ),
    "a key that is the beginning of others": (
        ("spec", "environmentKey"),
        "p",
        {("spec.environmentKey", "FieldValueInvalid"), KEY_RULE},
    ),
    "a key of another number": (("spec", "environmentKey"), "paaaaaaaaaa-shop-421", {KEY_RULE}),
    "a key that is too long": (
        ("spec", "environmentKey"),
        f"paaaaaaaaaa-{'a' * 40}-42",
        {("spec.environmentKey", "FieldValueTooLong"), NOT_CHECKED},
    ),
    "a label with a blank": (
        ("metadata", "labels"),
        {"a": "b c"},
        {("metadata.labels", "FieldValueInvalid")},
    ),
    "a label that is too long": (
        ("metadata", "labels"),
        {"a": LONG},
        {("metadata.labels", "FieldValueInvalid")},
    ),
    "another kind": (("kind",), "Previewx", {("kind", "FieldValueInvalid")}),
}


@pytest.mark.parametrize(("path", "value", "wrong"), BAD_OBJECTS.values(), ids=BAD_OBJECTS.keys())
def test_an_object_that_breaks_a_rule_is_refused_with_the_field_and_why(
    server: ApiServer, path: tuple[str, ...], value: Any, wrong: set[tuple[str, str]]
) -> None:
    answer = server.call("POST", PREVIEWS, changed(a_preview_of(server), *path, to=value))

    assert answer.reason == (422, "Invalid")
    assert causes(answer) == wrong


def test_a_name_that_does_not_fit_is_told_in_the_rules_own_words(server: ApiServer) -> None:
    answer = server.call("POST", PREVIEWS, changed(a_preview_of(server), "metadata", "name", to="gh-1-2"))

    said = "<nil>: Invalid value: the name must be gh-<repositoryId>-<number>"
    assert answer.body["message"] == f'Preview.previewbot.dev "gh-1-2" is invalid: {said}'


FIXED = {"githubHost": "github.example.com", "repositoryId": 7, "number": 43, "appId": 1}


@pytest.mark.parametrize("field", [*FIXED, "environmentKey"])
def test_whose_pull_request_it_is_never_changes(server: ApiServer, field: str) -> None:
    obj = created(server)
    value = FIXED.get(field, str(obj["spec"]["environmentKey"]).replace("shop", "store"))

    answer = server.call("PATCH", path_of(server), {"spec": {field: value}}, MERGE_PATCH)

    assert (answer.reason, causes(answer)) == ((422, "Invalid"), {(f"spec.{field}", "FieldValueInvalid")})
    assert f": {field} is fixed when a Preview is made" in answer.body["message"]


def test_a_repository_may_be_renamed_and_transferred(server: ApiServer) -> None:
    created(server)
    hints = {"repository": "other/store", "installationId": 9}

    answer = server.call("PATCH", path_of(server), {"spec": hints}, MERGE_PATCH)

    assert answer.status == 200, answer.text
    assert answer.body["spec"] | hints == answer.body["spec"]


def test_two_mistakes_are_told_at_once_in_kubernetes_own_words(server: ApiServer) -> None:
    obj = changed(a_preview_of(server), "spec", "number", to="x")
    answer = server.call("POST", PREVIEWS, changed(obj, "spec", "repository", to=None))

    told = answer.body["message"]
    assert told.startswith(f'Preview.previewbot.dev "{server.name}" is invalid: [')
    assert 'spec.number: Invalid value: "string": spec.number in body must be of type integer' in told
    assert "spec.repository: Required value" in told
    details = answer.body["details"]
    assert (details["name"], details["group"], details["kind"]) == (server.name, "previewbot.dev", "Preview")


BAD_BODIES = {
    "nothing": None,
    "an empty object": {},
    "a list": [1],
    "another version": {"apiVersion": "previewbot.dev/v2", "kind": "Preview", "metadata": {"name": "x"}},
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_body_that_is_no_such_object_is_a_bad_request(server: ApiServer, body: Any) -> None:
    assert server.call("POST", PREVIEWS, body).reason == (400, "BadRequest")


@pytest.mark.parametrize(("method", "content"), [("POST", "text/plain"), ("PATCH", "application/json")])
def test_a_body_of_another_type_is_not_read(server: ApiServer, method: str, content: str) -> None:
    created(server)
    path = PREVIEWS if method == "POST" else path_of(server)

    answer = server.call(method, path, a_preview_of(server), content)

    assert answer.reason == (415, "UnsupportedMediaType")


def test_a_name_that_is_taken_is_told_with_what_it_names(server: ApiServer) -> None:
    created(server)
    answer = server.call("POST", PREVIEWS, a_preview_of(server))

    assert answer.reason == (409, "AlreadyExists")
    assert answer.body["message"] == f'previews.previewbot.dev "{server.name}" already exists'
    assert answer.body["details"] == {"name": server.name, "group": "previewbot.dev", "kind": "previews"}


def test_nobody_creates_an_object_in_a_version_of_their_own(server: ApiServer) -> None:
    assert server.call("POST", PREVIEWS, a_preview_of(server, resourceVersion="7")).status == 500


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_what_is_not_there_is_not_found(server: ApiServer, method: str) -> None:
    body = a_preview_of(server, resourceVersion="7") if method == "PUT" else {} if method == "PATCH" else None
    content = MERGE_PATCH if method == "PATCH" else "application/json"
    answer = server.call(method, path_of(server), body, content)

    assert answer.reason == (404, "NotFound")
    assert answer.body["details"] == {"name": server.name, "group": "previewbot.dev", "kind": "previews"}


def test_an_unknown_field_is_refused_left_out_with_a_warning_or_left_out(server: ApiServer) -> None:
    obj = changed(a_preview_of(server), "spec", "extra", to=1)

    strict = server.call("POST", f"{PREVIEWS}?fieldValidation=Strict", obj)
    warned = server.call("POST", PREVIEWS, obj)
    ignored = server.call("PUT", f"{path_of(server)}?fieldValidation=Ignore", {**warned.body, "x": 1})

    assert strict.reason == (400, "BadRequest")
    assert strict.body["message"].endswith('strict decoding error: unknown field "spec.extra"')
    assert (warned.status, warned.warnings) == (201, ('299 - "unknown field \\"spec.extra\\""',))
    assert (ignored.status, ignored.warnings) == (200, ())
    assert "extra" not in warned.body["spec"]
    assert "x" not in ignored.body


def test_a_null_where_none_is_allowed_counts_as_absent(server: ApiServer) -> None:
    obj = a_preview_of(server)
    obj["spec"]["repository"] = None
    answer = server.call("POST", PREVIEWS, obj)

    assert answer.reason == (422, "Invalid")
    assert causes(answer) == {("spec.repository", "FieldValueRequired"), NOT_CHECKED}


def test_a_field_that_may_be_null_must_name_null_among_its_values(server: ApiServer) -> None:
    obj = created(server)
    answer = server.call("PUT", f"{path_of(server)}/status", {**obj, "status": {"phase": None}})

    assert causes(answer) == {("status.phase", "FieldValueNotSupported"), NOT_CHECKED}


WRONG_UPDATES: dict[str, tuple[tuple[str, ...], Any, tuple[int, str]]] = {
    "without a version": (("metadata", "resourceVersion"), None, (422, "Invalid")),
    "of an old version": (("metadata", "resourceVersion"), "1", (409, "Conflict")),
    "of another object": (("metadata", "uid"), "another", (409, "Conflict")),
    "under another name": (("metadata", "name"), "another", (400, "BadRequest")),
    "that breaks the schema": (("spec", "number"), "x", (422, "Invalid")),
}


@pytest.mark.parametrize(("path", "value", "refused"), WRONG_UPDATES.values(), ids=WRONG_UPDATES.keys())
def test_a_wrong_update_is_refused_and_nothing_changes(
    server: ApiServer, path: tuple[str, ...], value: Any, refused: tuple[int, str]
) -> None:
    obj = created(server)

    answer = server.call("PUT", path_of(server), changed(obj, *path, to=value))

    assert answer.reason == refused
    assert server.call("GET", path_of(server)).body == obj


def test_an_update_of_nothing_is_no_update(server: ApiServer) -> None:
    obj = created(server)

    same = server.call("PUT", path_of(server), obj)
    patched = server.call("PATCH", path_of(server), {"spec": {"number": 42}}, MERGE_PATCH)

    versions = {answer.body["metadata"]["resourceVersion"] for answer in (same, patched)}
    assert versions == {obj["metadata"]["resourceVersion"]}


def test_what_belongs_to_the_server_is_not_ours_to_set(server: ApiServer) -> None:
    obj = created(server)
    theirs = {"generation": 77, "creationTimestamp": "2020-01-01T00:00:00Z", "deletionTimestamp": None}
    managed = {"managedFields": [{"manager": "somebody"}], "selfLink": "/x"}
    sent = {**obj, "metadata": obj["metadata"] | theirs | managed}

    answer = server.call("PUT", path_of(server), sent)

    kept = [answer.body["metadata"].get(field) for field in ("generation", "creationTimestamp", "selfLink")]
    assert kept == [1, obj["metadata"]["creationTimestamp"], None]


def test_the_generation_counts_changes_of_the_spec_only(server: ApiServer) -> None:
    created(server)

    def generation_after(path: str, patch: Object) -> int:
        answer = server.call("PATCH", path, patch, MERGE_PATCH)
        return int(answer.body["metadata"]["generation"])

    assert generation_after(path_of(server), {"metadata": {"labels": {"a": "b"}}}) == 1
    assert generation_after(f"{path_of(server)}/status", {"status": {"phase": "Ready"}}) == 1
    assert generation_after(path_of(server), {"spec": {"repository": "acme/renamed"}}) == 2


def test_a_patch_in_an_old_version_is_refused_and_one_without_is_not(server: ApiServer) -> None:
    created(server)
    spec = {"repository": "acme/renamed"}

    old = server.call(
        "PATCH", path_of(server), {"metadata": {"resourceVersion": "1"}, "spec": spec}, MERGE_PATCH
    )
    free = server.call("PATCH", path_of(server), {"spec": spec}, MERGE_PATCH)

    assert (old.reason, free.status) == ((409, "Conflict"), 200)


def test_an_object_goes_at_once_and_its_uid_is_the_answer(server: ApiServer) -> None:
    obj = created(server)
    answer = server.call("DELETE", path_of(server))

    assert (answer.body["kind"], answer.body["status"]) == ("Status", "Success")
    assert answer.body["details"] == {
        "name": server.name,
        "group": "previewbot.dev",
        "kind": "previews",
        "uid": obj["metadata"]["uid"],
    }


@pytest.mark.parametrize("field", ["uid", "resourceVersion"])
def test_a_delete_with_a_precondition_that_does_not_hold_deletes_nothing(
    server: ApiServer, field: str
) -> None:
    created(server)
    answer = server.call("DELETE", path_of(server), {"preconditions": {field: "1"}})

    assert answer.reason == (409, "Conflict")
    assert "in the precondition (1) does not match" in answer.body["message"]
    assert server.call("GET", path_of(server)).status == 200


def test_a_finalizer_keeps_a_deleted_object_until_it_is_taken_away(server: ApiServer) -> None:
    created(server, finalizers=["example.com/held"])

    marked = server.call("DELETE", path_of(server))
    again = server.call("DELETE", path_of(server))
    more = server.call(
        "PATCH", path_of(server), {"metadata": {"finalizers": ["example.com/held", "a.b/c"]}}, MERGE_PATCH
    )
    freed = server.call("PATCH", path_of(server), {"metadata": {"finalizers": None}}, MERGE_PATCH)

    assert marked.body["metadata"]["deletionTimestamp"]
    assert (marked.body["kind"], marked.body["metadata"]["generation"]) == ("Preview", 2)
    assert again.body == marked.body
    assert (more.reason, causes(more)) == (
        (422, "Invalid"),
        {("metadata.finalizers", "FieldValueForbidden")},
    )
    assert freed.status == 200
    assert server.call("GET", path_of(server)).status == 404


def test_the_status_can_be_read_but_not_deleted(server: ApiServer) -> None:
    obj = created(server)

    assert server.call("GET", f"{path_of(server)}/status").body == obj
    assert server.call("DELETE", f"{path_of(server)}/status").reason == (405, "MethodNotAllowed")


def sessions_path(server: ApiServer) -> str:
    return f"/apis/preview.mirrord.metalbear.co/v1alpha/namespaces/{server.namespace}/previewsessions"


def leases_path(server: ApiServer) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{server.namespace}/leases"


def a_lease(name: str, **labels: str) -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "labels": labels},
        "spec": {"holderIdentity": name},
    }


def test_an_object_belongs_to_the_namespace_in_the_address(server: ApiServer) -> None:
    stray = changed(a_lease("stray"), "metadata", "namespace", to="elsewhere")

    assert server.call("POST", leases_path(server), stray).reason == (400, "BadRequest")
    answer = server.call("POST", leases_path(server), a_lease("l"))
    assert answer.body["metadata"]["namespace"] == server.namespace


def test_a_list_comes_in_pages_of_the_size_that_is_asked_for(server: ApiServer) -> None:
    path = leases_path(server)
    for name in ("c", "a", "b"):
        server.call("POST", path, a_lease(name))

    first = server.call("GET", f"{path}?limit=2").body
    rest = server.call("GET", f"{path}?limit=2&continue={first['metadata']['continue']}").body

    assert [item["metadata"]["name"] for item in (*first["items"], *rest["items"])] == ["a", "b", "c"]
    assert first["metadata"]["remainingItemCount"] == 1
    assert not rest["metadata"].get("continue")
    assert first["kind"] == "LeaseList"


@pytest.mark.parametrize(
    "query", ["limit=x", "continue=abc", "fieldSelector=spec.x%3D1", "labelSelector=a%20b"]
)
def test_a_list_that_is_asked_for_badly_is_a_bad_request(server: ApiServer, query: str) -> None:
    assert server.call("GET", f"{PREVIEWS}?{query}").reason == (400, "BadRequest")


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("team=shop", "ab"),
        ("team!=shop", "cd"),
        ("team in (shop,pay)", "abc"),
        ("team notin (shop,pay)", "d"),
        ("team", "abc"),
        ("!team", "d"),
        ("team==shop,stage=1", "a"),
    ],
)
def test_labels_select_as_they_do_everywhere(server: ApiServer, selector: str, found: str) -> None:
    path = leases_path(server)
    labels: dict[str, dict[str, str]] = {
        "a": {"team": "shop", "stage": "1"},
        "b": {"team": "shop"},
        "c": {"team": "pay"},
        "d": {},
    }
    for name, own in labels.items():
        server.call("POST", path, a_lease(name, **own))

    answer = server.call("GET", f"{path}?labelSelector={selector.replace(' ', '%20').replace('=', '%3D')}")

    assert "".join(item["metadata"]["name"] for item in answer.body["items"]) == found


def watched(server: ApiServer, path: str, query: str) -> list[tuple[str, str]]:
    """Return type and name of what a watch of one second tells; bookmarks have no name."""
    answer = server.call("GET", f"{path}?watch=true&timeoutSeconds=1&{query}")
    assert answer.status == 200, answer.text
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in answer.events]


def version_of(server: ApiServer, path: str) -> str:
    return str(server.call("GET", path).body["metadata"]["resourceVersion"])


def test_a_watch_goes_on_from_the_version_that_is_known(server: ApiServer) -> None:
    path = leases_path(server)
    server.call("POST", path, a_lease("before"))
    version = version_of(server, path)
    server.call("POST", path, a_lease("after"))
    server.call("PATCH", f"{path}/after", {"spec": {"holderIdentity": "x"}}, MERGE_PATCH)
    server.call("DELETE", f"{path}/after")

    told = watched(server, path, f"resourceVersion={version}")

    assert told == [("ADDED", "after"), ("MODIFIED", "after"), ("DELETED", "after")]


@pytest.mark.parametrize("query", ["", "resourceVersion=0"])
def test_a_watch_without_a_version_shows_first_what_is_there(server: ApiServer, query: str) -> None:
    path = leases_path(server)
    server.call("POST", path, a_lease("a"))

    assert watched(server, path, query) == [("ADDED", "a")]


def test_a_watch_to_which_nothing_was_told_learns_the_version_from_a_bookmark(server: ApiServer) -> None:
    path = leases_path(server)
    version = version_of(server, path)
    server.call("POST", path, a_lease("a"))
    query = f"labelSelector=team&resourceVersion={version}"

    # Kubernetes promises no bookmark at any certain time; a watch of a few seconds may end before one.
    for seconds in (6, 15, 25):
        bookmarks = f"timeoutSeconds={seconds}&allowWatchBookmarks=true"
        events = server.call("GET", f"{path}?watch=true&{bookmarks}&{query}").events
        if events:
            break

    assert {(event["type"], event["object"]["kind"]) for event in events} == {("BOOKMARK", "Lease")}
    assert int(events[-1]["object"]["metadata"]["resourceVersion"]) > int(version)
    assert watched(server, path, query) == []


def test_for_a_watch_of_some_an_object_comes_when_it_matches_and_goes_when_it_ceases_to(
    server: ApiServer,
) -> None:
    path = leases_path(server)
    version = version_of(server, path)
    server.call("POST", path, a_lease("a", team="pay"))
    for team in ("shop", "pay"):
        server.call("PATCH", f"{path}/a", {"metadata": {"labels": {"team": team}}}, MERGE_PATCH)
    server.call("DELETE", f"{path}/a")

    answer = server.call(
        "GET", f"{path}?watch=true&timeoutSeconds=1&labelSelector=team%3Dshop&resourceVersion={version}"
    )

    assert [event["type"] for event in answer.events] == ["ADDED", "DELETED"]
    gone = answer.events[1]["object"]["metadata"]
    assert gone["labels"] == {"team": "shop"}
    assert int(gone["resourceVersion"]) > int(answer.events[0]["object"]["metadata"]["resourceVersion"])


def test_a_watch_from_a_version_that_is_forgotten_is_told_so_in_an_event(server: ApiServer) -> None:
    answer = server.call("GET", f"{PREVIEWS}?watch=true&timeoutSeconds=1&resourceVersion=1")

    (event,) = answer.events
    assert answer.status == 200
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert event["object"]["message"].startswith("too old resource version: 1 (")


def test_a_watch_from_no_version_at_all_is_refused(server: ApiServer) -> None:
    assert server.call("GET", f"{PREVIEWS}?watch=true&resourceVersion=x").status == 500


def test_what_was_never_there_is_no_resource(server: ApiServer) -> None:
    for path in ("/apis/previewbot.dev/v9", "/apis/nothing.dev/v1/things", "/apis/previewbot.dev/v1alpha1/x"):
        assert server.call("GET", path).status == 404


def test_discovery_names_the_resource_its_short_name_and_its_status(server: ApiServer) -> None:
    answer = server.call("GET", "/apis/previewbot.dev/v1alpha1").body
    named = {each["name"]: each for each in answer["resources"]}
    previews, status = named["previews"], named["previews/status"]

    assert (answer["kind"], answer["groupVersion"]) == ("APIResourceList", "previewbot.dev/v1alpha1")
    assert (previews["name"], previews["kind"], previews["namespaced"]) == ("previews", "Preview", False)
    assert (previews["singularName"], previews["shortNames"]) == ("preview", ["pvw"])
    assert {"create", "delete", "get", "list", "patch", "update", "watch"} <= set(previews["verbs"])
    assert status["verbs"] == ["get", "patch", "update"]
    requests = named["previewrequests"]
    assert (requests["kind"], requests["namespaced"]) == ("PreviewRequest", True)
    assert set(named) == {"previews", "previews/status", "previewrequests"}
