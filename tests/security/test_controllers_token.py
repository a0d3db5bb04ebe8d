"""The controller's token in the wrong hands: it makes and removes what previewbot makes, and nothing beyond.

Each case is one step beyond an object that previewbot makes, sent by the chart's own service account with the
chart's roles to a real API server, which refuses it by the admission policy and says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from previewbot.api import GROUP
from previewbot.engine import mirrord
from previewbot.engine.annotations import HEAD_SHA
from previewbot.engine.session_spec import key_filter
from tests.chart.release import Account, place_of
from tests.chart.release import put as put_on
from tests.support.admission import (
    DIGEST,
    KEY,
    LONGEST,
    OTHER_KEY,
    Manifest,
    Spoil,
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
    theirs,
    with_filter,
    with_paths,
)
from tests.support.api import MERGE_PATCH
from tests.support.control_plane import ControlPlane
from tests.support.previews import a_preview

pytestmark = pytest.mark.cluster

FILTER = "does not filter requests by exactly its key"
NOT_ALLOWED = "does not come from settings.images.allowed"
NOT_PINNED = "is not pinned by its digest"
NO_KEY = "is not one of previewbot"
NOT_OF_THE_KEY = "does not belong to the key"
TTL = "is longer than settings.ttl.max and an hour"
TARGET = "previews do not stand in for"
REPLICAS = "1 to 3 replicas"
NOT_THE_PREVIEW = "is not the Preview of pull request 42"
OWNER = ("metadata", "ownerReferences")
LABELS = ("metadata", "labels")
ANNOTATIONS = ("metadata", "annotations")
INCOMING = ("spec", "incoming")
RULE = ("spec", "rules", 0)
FILTERS = (*RULE, "filters")
BACKEND = (*RULE, "backendRefs", 0)
PARENT = ("spec", "parentRefs", 0)

Case = tuple[Spoil, str]


@pytest.fixture(scope="module")
def account(control_plane: ControlPlane) -> Iterator[Account]:
    """The controller's account under the policies."""
    with controller(control_plane) as found:
        yield found


def assert_refused(account: Account, manifest: Manifest, words: str) -> None:
    answer = account.create(manifest)

    assert answer.status == 422, answer.text
    assert words in answer.body["message"]
    assert "resulted in error" not in answer.body["message"]
    assert "ValidatingAdmissionPolicy 'previewbot-" in answer.body["message"]


OTHERS_REQUESTS: dict[str, Case] = {
    "no filter": (drop(*INCOMING, "httpFilter"), FILTER),
    "an empty filter": (put(*INCOMING, "httpFilter", value=""), FILTER),
    "another preview's filter": (put(*INCOMING, "httpFilter", value=key_filter(OTHER_KEY)), FILTER),
    "the filter of an empty key": (put(*INCOMING, "httpFilter", value=key_filter("")), FILTER),
    "a path besides": (put(*INCOMING, "httpFilter", value=with_filter(path_filter=".*")), FILTER),
    "any header": (put(*INCOMING, "httpFilter", value=with_filter(header_filter=".*")), FILTER),
    "ports and ports to ignore": (put(*INCOMING, "ignorePorts", value=[1]), "ports and ignorePorts"),
    "a copy of all requests": (put(*INCOMING, value={"steal": False}), "steal"),
    "a copy of its requests": (put(*INCOMING, "steal", value=False), "steal"),
    "port 0": (put(*INCOMING, "ports", value=[0]), "spec.incoming.ports"),
    "no port": (put(*INCOMING, "ports", value=[]), "spec.incoming.ports"),
    "another preview's key": (put("spec", "key", value=OTHER_KEY), NOT_OF_THE_KEY),
    "somebody's key": (put("spec", "key", value="pr-42"), NO_KEY),
    "a pattern for a key": (put("spec", "key", value=".*"), NO_KEY),
    "a pattern in a key": (put("spec", "key", value="pabcdefghij-shop-42|.*"), NO_KEY),
    "a key without a hash": (put("spec", "key", value="pabcdefghi1-shop-42"), NO_KEY),
    "a key without a number": (put("spec", "key", value="pabcdefghij"), NO_KEY),
    "a long key": (put("spec", "key", value="pabcdefghij-" + "a" * 40 + "-1"), NO_KEY),
    "any name": (put("metadata", "name", value="anything"), NOT_OF_THE_KEY),
}

OTHER_CONTENT: dict[str, Case] = {
    "another registry": (put("spec", "image", value=f"docker.io/evil/miner@{DIGEST}"), NOT_ALLOWED),
    "a similar name": (put("spec", "image", value=f"ghcr.io/acme-evil/x@{DIGEST}"), NOT_ALLOWED),
    "a prefix within": (put("spec", "image", value=f"evil.io/ghcr.io/acme/x@{DIGEST}"), NOT_ALLOWED),
    "half a name": (put("spec", "image", value=f"registry.internal:5000/shopping@{DIGEST}"), NOT_ALLOWED),
    "another port": (put("spec", "image", value=f"registry.internal/shop@{DIGEST}"), NOT_ALLOWED),
    "a tag": (put("spec", "image", value="ghcr.io/acme/checkout:latest"), NOT_PINNED),
    "a tag and a digest": (put("spec", "image", value=f"ghcr.io/acme/checkout:v1@{DIGEST}"), NOT_PINNED),
    "half a digest": (put("spec", "image", value="ghcr.io/acme/checkout@sha256:abc"), NOT_PINNED),
    "a way up": (put("spec", "image", value=f"ghcr.io/acme/../evil@{DIGEST}"), NOT_PINNED),
    "two digests": (put("spec", "image", value=f"evil.io/x@ghcr.io/acme/x@{DIGEST}"), NOT_PINNED),
}

ANOTHER_WORKLOAD: dict[str, Case] = {
    f"{version} {kind}": (put("spec", "target", value=target | {"apiVersion": version, "kind": kind}), TARGET)
    for version, kind in [
        ("apps/v1", "Pod"),
        ("v1", "Deployment"),
        ("v1", "Secret"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "Rollout"),
        ("apps/v1beta1", "Deployment"),
        ("batch/v1beta1", "CronJob"),
        ("argoproj.io/v1alpha1", "Deployment"),
    ]
    for target in [{"name": "checkout", "container": "app"}]
} | {
    "no name": (put("spec", "target", "name", value=""), TARGET),
    "a pattern": (put("spec", "target", "name", value="*"), TARGET),
    "no container": (put("spec", "target", "container", value=""), TARGET),
    "another namespace": (put("metadata", "namespace", value="elsewhere"), "in the namespace elsewhere"),
}

FOR_EVER: dict[str, Case] = {
    "a longer life": (put("spec", "ttlSecs", value=LONGEST + 1), TTL),
    "a life without end": (put("spec", "ttlSecs", value=2**32), TTL),
    "no life": (put("spec", "ttlSecs", value=0), TTL),
    "a thousand replicas": (put("spec", "replicas", value=1000), REPLICAS),
    "one replica too many": (put("spec", "replicas", value=4), REPLICAS),
    "no replica": (put("spec", "replicas", value=0), REPLICAS),
    "a finalizer": (put("metadata", "finalizers", value=["example.com/never"]), "metadata.finalizers"),
}

ANOTHER_OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "u"}
NOT_ONES_OWN: dict[str, Case] = {
    "no owner": (drop(*OWNER), "has one owner"),
    "two owners": (
        put(*OWNER, value=[*session()["metadata"]["ownerReferences"], ANOTHER_OWNER]),
        "has one owner",
    ),
    "another kind of owner": (put(*OWNER, 0, "kind", value="Namespace"), NOT_THE_PREVIEW),
    "an owner of another group": (put(*OWNER, 0, "apiVersion", value="example.com/v1"), NOT_THE_PREVIEW),
    "another pull request": (put(*OWNER, 0, "name", value="gh-812-43"), NOT_THE_PREVIEW),
    "an owner by another name": (put(*OWNER, 0, "name", value="shop-42"), NOT_THE_PREVIEW),
    "an owner that need not be": (put(*OWNER, 0, "controller", value=False), NOT_THE_PREVIEW),
    "an owner that waits": (put(*OWNER, 0, "blockOwnerDeletion", value=True), "owner's blockOwnerDeletion"),
    "a name to be made up": (put("metadata", "generateName", value=f"{KEY}-"), "metadata.generateName"),
    "another label": (put(*LABELS, "app", value="checkout"), "the label app: checkout"),
    "another's label": (put(*LABELS, f"{GROUP}/preview", value="gh-813-42"), f"the label {GROUP}/preview"),
    "another annotation": (put(*ANNOTATIONS, "example.com/a", value="b"), "the annotation example.com/a: b"),
}

OF_SESSIONS: dict[str, Case] = {
    "no label of its Preview": (drop(*LABELS, f"{GROUP}/preview"), f"lacks the label {GROUP}/preview"),
    "no label of its key": (drop(*LABELS, mirrord.KEY_LABEL), f"lacks the label {mirrord.KEY_LABEL}"),
    "its key in a label": (put(*LABELS, mirrord.KEY_LABEL, value=KEY), f"the label {mirrord.KEY_LABEL}"),
    "a service that is none": (put(*LABELS, f"{GROUP}/service", value="A"), f"the label {GROUP}/service"),
    "a commit that is none": (
        put(*ANNOTATIONS, HEAD_SHA, value="HEAD"),
        f"the annotation {HEAD_SHA}: HEAD",
    ),
}

SESSIONS = OTHERS_REQUESTS | OTHER_CONTENT | ANOTHER_WORKLOAD | FOR_EVER | NOT_ONES_OWN | OF_SESSIONS


@pytest.mark.parametrize(("spoil", "words"), SESSIONS.values(), ids=SESSIONS.keys())
def test_a_session_that_previewbot_would_not_make_is_refused(
    account: Account, spoil: Spoil, words: str
) -> None:
    assert_refused(account, spoiled(session(), spoil), words)


def mirror_to(name: str) -> dict[str, Any]:
    return {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": name, "port": 80}}}


def setting(name: str, value: str, verb: str = "set") -> dict[str, Any]:
    header = {verb: [{"name": name, "value": value}]}
    return {"type": "RequestHeaderModifier", "requestHeaderModifier": header}


def answering(name: str, value: str, how: str = "set") -> dict[str, Any]:
    header = {how: [{"name": name, "value": value}]}
    return {"type": "ResponseHeaderModifier", "responseHeaderModifier": header}


OURS = setting("baggage", mirrord.header_value(KEY))
BAGGAGE = "does not set the baggage header of its key"
HOST = "is not for the host"
GATEWAY = "is not attached to the Gateway gateways/public alone"
ONE_SERVICE = "a rule leads to one Service"
ONE_PATH = "takes one path, by a prefix or exactly, and asks for nothing else"
WHOLE_SERVICE = "to the port of a Service, with all its weight"

OF_ROUTES: dict[str, Case] = NOT_ONES_OWN | {
    "another host": (put("spec", "hostnames", value=["shop.example.com"]), HOST),
    "every host": (put("spec", "hostnames", value=["*.preview.example.com"]), HOST),
    "another's host": (put("spec", "hostnames", value=[f"{OTHER_KEY}.preview.example.com"]), HOST),
    "two hosts": (put("spec", "hostnames", value=[f"{KEY}.preview.example.com", "b.example.com"]), HOST),
    "no host": (drop("spec", "hostnames"), HOST),
    "any name": (put("metadata", "name", value="shop"), "is not a key of previewbot"),
    "a Gateway beside it": (put("spec", "parentRefs", value=[{"name": "public"}]), GATEWAY),
    "another Gateway": (put(*PARENT, "name", value="inner"), GATEWAY),
    "two Gateways": (
        put("spec", "parentRefs", value=[*route()["spec"]["parentRefs"], {"name": "inner"}]),
        GATEWAY,
    ),
    "no Gateway": (drop("spec", "parentRefs"), GATEWAY),
    "a Service for a Gateway": (put(*PARENT, "kind", value="Service"), GATEWAY),
    "another group's Gateway": (put(*PARENT, "group", value="example.com"), GATEWAY),
    "another listener": (put(*PARENT, "sectionName", value="admin"), "spec.parentRefs.sectionName"),
    "another port": (put(*PARENT, "port", value=8443), "spec.parentRefs.port"),
    "another namespace": (put("metadata", "namespace", value="elsewhere"), "in the namespace elsewhere"),
    "a finalizer": (put("metadata", "finalizers", value=["example.com/never"]), "no finalizers"),
    "two rules": (put("spec", "rules", value=route()["spec"]["rules"] * 2), "one rule for each path"),
    "no rules": (drop("spec", "rules"), "leads neither to a Service nor to the page"),
    "a pattern of paths": (
        put(*RULE, "matches", value=[{"path": {"type": "RegularExpression", "value": "/.*"}}]), ONE_PATH,
    ),
    "two paths": (put(*RULE, "matches", value=[{"path": {"value": p}} for p in ("/a", "/b")]), ONE_PATH),
    "a header": (put(*RULE, "matches", value=[{"headers": [{"name": "a", "value": "b"}]}]), ONE_PATH),
    "a method": (put(*RULE, "matches", value=[{"path": {"value": "/a"}, "method": "POST"}]), ONE_PATH),
    "a parameter": (put(*RULE, "matches", value=[{"queryParams": [{"name": "a", "value": "b"}]}]), ONE_PATH),
    "a way to the page as well": (
        put("spec", "rules", value=[*route()["spec"]["rules"], {
            "matches": [{"path": {"value": "/b"}}], **route(to_page=True)["spec"]["rules"][0],
        }]),
        "to Services or to the page, and not to both",
    ),
    "a Service elsewhere": (put(*BACKEND, "namespace", value="payments"), "spec.rules.backendRefs.namespace"),
    "two Services": (put(*RULE, "backendRefs", value=[{"name": n, "port": 80} for n in "ab"]), ONE_SERVICE),
    "no Service": (put(*RULE, "backendRefs", value=[]), ONE_SERVICE),
    "something else than a Service": (put(*BACKEND, "kind", value="ServiceImport"), WHOLE_SERVICE),
    "another group's Service": (put(*BACKEND, "group", value="example.com"), WHOLE_SERVICE),
    "no weight": (put(*BACKEND, "weight", value=0), WHOLE_SERVICE),
    "a filter at the Service": (put(*BACKEND, "filters", value=[OURS]), "spec.rules.backendRefs.filters"),
    "another's baggage": (
        put(*FILTERS, value=[setting("baggage", mirrord.header_value(OTHER_KEY))]),
        BAGGAGE,
    ),
    "everybody's baggage": (put(*FILTERS, value=[setting("baggage", "mirrord-session=")]), BAGGAGE),
    "no baggage": (drop(*FILTERS), BAGGAGE),
    "baggage that is added": (
        put(*FILTERS, value=[setting("baggage", mirrord.header_value(KEY), "add")]),
        BAGGAGE,
    ),
    "a second header": (
        put(
            *FILTERS, 0, "requestHeaderModifier", "set", value=[
                {"name": "baggage", "value": mirrord.header_value(KEY)}, {"name": "x-user", "value": "admin"},
            ]
        ),
        BAGGAGE,
    ),
    "a header taken away": (
        put(*FILTERS, 0, "requestHeaderModifier", "remove", value=["authorization"]),
        BAGGAGE,
    ),
    "a copy of all requests": (put(*FILTERS, value=[mirror_to("evil"), OURS]), "RequestMirror"),
    "a copy after ours": (put(*FILTERS, value=[OURS, mirror_to("evil")]), BAGGAGE),
    "another address": (
        put(*FILTERS, value=[{"type": "URLRewrite", "urlRewrite": {"hostname": "b.example.com"}}, OURS]),
        "URLRewrite",
    ),
    "a header for the browser": (
        put(
            *FILTERS, value=[
                {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["a"]}}, OURS,
            ]
        ),
        "ResponseHeaderModifier",
    ),
    "another header for the browser": (
        put(*FILTERS, value=[answering("set-cookie", "a" * 40), OURS]), "ResponseHeaderModifier",
    ),
    "a word for a commit": (
        put(*FILTERS, value=[answering("x-preview-sha", "approved"), OURS]), "ResponseHeaderModifier",
    ),
    "a commit that is added": (
        put(*FILTERS, value=[answering("x-preview-sha", "a" * 40, "add"), OURS]), "ResponseHeaderModifier",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "words"), OF_ROUTES.values(), ids=OF_ROUTES.keys())
def test_a_route_that_previewbot_would_not_make_is_refused(
    account: Account, spoil: Spoil, words: str
) -> None:
    assert_refused(account, spoiled(route(), spoil), words)


PATHS = with_paths(
    {"path": "/api", "service": "api", "port": 8080}, {"path": "/docs", "service": "docs", "port": 80}
)
OF_A_RULE = {
    what: (spoil, words)
    for what, (spoil, words) in OF_ROUTES.items()
    if (spoiled(route(), spoil)["spec"].get("rules") or [{}])[1:] == []
    and spoiled(route(), spoil)["spec"].get("rules") != route()["spec"]["rules"]
}
"""What is wrong with the only rule of a route."""


@pytest.mark.parametrize(("spoil", "words"), OF_A_RULE.values(), ids=OF_A_RULE.keys())
def test_one_rule_among_several_that_previewbot_would_not_make_is_refused(
    account: Account, spoil: Spoil, words: str
) -> None:
    """What holds of the first rule must hold of each: a path of the host is as good as the host."""
    wrong = spoiled(route(entry=PATHS), spoil)
    if "rules" in wrong["spec"]:
        wrong["spec"]["rules"].reverse()

    assert_refused(account, wrong, words)


REDIRECT = (*FILTERS, 0, "requestRedirect")
TO_PAGE = "leads neither to a Service nor to the page /p/812/42 of previews.example.com alone"

OF_REDIRECTS: dict[str, Spoil] = {
    "to another host": put(*REDIRECT, "hostname", value="evil.example.com"),
    "to the same host": drop(*REDIRECT, "hostname"),
    "without TLS": put(*REDIRECT, "scheme", value="http"),
    "to another port": put(*REDIRECT, "port", value=8443),
    "to another pull request": put(*REDIRECT, "path", "replaceFullPath", value="/p/812/43"),
    "to another repository": put(*REDIRECT, "path", "replaceFullPath", value="/p/813/42"),
    "to another path": put(*REDIRECT, "path", "replaceFullPath", value="/p/812/42/../../webhook"),
    "to what was asked for": drop(*REDIRECT, "path"),
    "to a path below": put(
        *REDIRECT, "path", value={"type": "ReplacePrefixMatch", "replacePrefixMatch": "/p/812/42"}
    ),
    "for ever": put(*REDIRECT, "statusCode", value=301),
    "with a header": put(*FILTERS, value=[OURS, *route(to_page=True)["spec"]["rules"][0]["filters"]]),
    "to a copy": put(
        *FILTERS, value=[mirror_to("evil"), *route(to_page=True)["spec"]["rules"][0]["filters"]]
    ),
    "to nothing": drop(*FILTERS),
    "for a path": put(*RULE, "matches", value=[{"path": {"value": "/a"}}]),
    "in time": put(*RULE, "timeouts", value={"request": "1s"}),
}


@pytest.mark.parametrize("spoil", OF_REDIRECTS.values(), ids=OF_REDIRECTS.keys())
def test_a_redirect_to_anything_but_the_pull_requests_page_is_refused(account: Account, spoil: Spoil) -> None:
    answer = account.create(spoiled(route(to_page=True), spoil))

    # A path or a time is told of in other words: it does not lead elsewhere.
    told = (TO_PAGE, "a route to the page takes all requests", "spec.rules.timeouts")
    assert (answer.status, any(words in answer.text for words in told)) == (422, True), answer.text


FINALIZER = put("metadata", "finalizers", value=["example.com/never"])
ELSE: dict[str, tuple[Manifest, Spoil, str]] = {
    "a Preview that stays": (preview_object(), FINALIZER, "no finalizers on a Preview"),
    "a Preview that goes": (preview_object(), put(*OWNER, value=[ANOTHER_OWNER]), "no ownerReferences"),
    "a Preview with a label": (preview_object(), put(*LABELS, value={"a": "b"}), "no labels"),
    "somebody's Lease": (
        lease(),
        put("metadata", "name", value="previewbot-web"),
        "not the controllers' own",
    ),
    "a Lease of listings of a name of its own": (
        lease_of_listings(),
        put("metadata", "name", value="previewbot-web-listing"),
        "not the controllers' own",
    ),
    "a Lease of listings that stays": (lease_of_listings(), FINALIZER, "with an owner or a finalizer"),
    "a Lease that stays": (lease(), FINALIZER, "with an owner or a finalizer"),
    "a Lease that goes": (lease(), put(*OWNER, value=[ANOTHER_OWNER]), "with an owner or a finalizer"),
    "an Event about a node": (
        event(),
        put("regarding", value={"apiVersion": "v1", "kind": "Node", "name": "n", "namespace": ""}),
        "about Previews only",
    ),
    "an Event about a Preview and a pod": (
        event(),
        put("related", value={"apiVersion": "v1", "kind": "Pod", "name": "p", "namespace": "staging"}),
        "about Previews only",
    ),
    "an Event in another's name": (
        event(),
        put("reportingController", value="kubelet.example.com/kubelet"),
        "in its own name only",
    ),
    "an Event that stays": (event(), FINALIZER, "with an owner or a finalizer"),
}


@pytest.mark.parametrize(("manifest", "spoil", "words"), ELSE.values(), ids=ELSE.keys())
def test_what_else_previewbot_would_not_make_is_refused(
    account: Account, manifest: Manifest, spoil: Spoil, words: str
) -> None:
    assert_refused(account, spoiled(manifest, spoil), words)


@pytest.fixture
def there(control_plane: ControlPlane) -> Iterator[Any]:
    """Makes objects as the administrator; they are gone afterwards."""
    made: list[Manifest] = []

    def make(manifest: Manifest) -> Manifest:
        made.append(manifest)
        put_on(control_plane, manifest)
        return manifest

    yield make
    for manifest in made:
        control_plane.call("DELETE", place_of(control_plane, manifest))


@pytest.fixture
def preview(control_plane: ControlPlane, there: Any) -> Manifest:
    """The Preview that owns what the cases are about."""
    place = place_of(control_plane, there(preview_object()))
    found: Manifest = control_plane.call("GET", place).body
    return found


# Garbage collection would take an object whose owner is not there; the label alone says whose it is as well.
OWNERLESS = drop(*OWNER)


@pytest.mark.parametrize("make", [session, route])
def test_what_previewbot_made_it_can_remove(account: Account, there: Any, make: Any) -> None:
    answer = account.delete(there(spoiled(make(), OWNERLESS)))

    assert answer.status == 200, answer.text


SOMEBODY_CHANGED: dict[str, Spoil] = {
    "the label of its Preview": put(*LABELS, f"{GROUP}/preview", value="x"),
    "the label to another Preview's": put(*LABELS, f"{GROUP}/preview", value="gh-812-43"),
    "its owner to one of two": put(
        *OWNER,
        value=[
            *route()["metadata"]["ownerReferences"],
            {"apiVersion": f"{GROUP}/v1alpha1", "kind": "Preview", "name": "gh-1-1", "uid": "u"},
        ],
    ),
}


@pytest.mark.parametrize("spoil", SOMEBODY_CHANGED.values(), ids=SOMEBODY_CHANGED.keys())
def test_what_somebody_with_rights_in_the_namespace_changed_can_be_put_right_and_removed(
    account: Account, preview: Manifest, there: Any, spoil: Spoil
) -> None:
    """Else whoever may label a route could keep a preview from ending, and its link from its page."""
    owned = put(*OWNER, 0, "uid", value=preview["metadata"]["uid"])
    changed = there(spoiled(route(), spoil, owned))

    assert account.patch(changed, route()).status == 200
    assert account.delete(changed).status == 200
    assert account.delete(there(spoiled(session(), spoil, owned))).status == 200


def test_a_route_that_is_being_removed_is_still_turned_to_the_page(
    account: Account, there: Any, control_plane: ControlPlane
) -> None:
    """A gateway holds it by a finalizer until it follows; meanwhile the link must not show plain staging."""
    held = spoiled(route(), OWNERLESS, put("metadata", "finalizers", value=["gateway.example.com/route"]))
    place = place_of(control_plane, there(held))
    assert "deletionTimestamp" in control_plane.call("DELETE", place).body["metadata"]

    turned = account.patch(held, route(to_page=True))
    control_plane.call("PATCH", place, {"metadata": {"finalizers": None}}, MERGE_PATCH)

    assert turned.status == 200, turned.text


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({}, 200),
        ({"preconditions": {}}, 200),
        ({"propagationPolicy": "Background"}, 200),
        ({"propagationPolicy": "Foreground"}, 200),
        ({"propagationPolicy": "Orphan"}, 422),
        ({"orphanDependents": True}, 422),
    ],
)
def test_what_belongs_to_a_preview_is_not_left_behind_without_an_owner(
    account: Account, control_plane: ControlPlane, preview: Manifest, options: Manifest, status: int
) -> None:
    """Orphaned, a route would lead to staging for good, and nobody would look after a session."""
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"], **options}

    answer = account.api.call("DELETE", place_of(control_plane, preview), body)

    assert answer.status == status, answer.text
    assert status == 200 or "leaves nothing behind" in answer.text


NAME = "is none of previewbot by its name"
NOBODYS = "has neither label nor owner of its Preview"
OF_OTHERS: dict[str, tuple[Manifest, str]] = {
    "a session of mirrord's CLI": (theirs(), NAME),
    "a session by another name": (
        spoiled(session(), OWNERLESS, put("metadata", "name", value="checkout")),
        NAME,
    ),
    "a session with another key": (
        spoiled(
            session(), OWNERLESS, put("spec", "key", value="alice"), put("metadata", "name", value="alice-0")
        ),
        NAME,
    ),
    "a session without label and owner": (spoiled(session(), OWNERLESS, drop(*LABELS)), NOBODYS),
    "a session of another pull request's": (
        spoiled(session(), OWNERLESS, put(*LABELS, f"{GROUP}/preview", value="gh-812-43")),
        NOBODYS,
    ),
    "a route of the shop's": (
        spoiled(route(), OWNERLESS, put("metadata", "name", value="shop"), drop(*LABELS)),
        NAME,
    ),
    "a route of the shop's with our label": (
        spoiled(route(), OWNERLESS, put("metadata", "name", value="shop")),
        NAME,
    ),
    "a route without label and owner": (spoiled(route(), OWNERLESS, drop(*LABELS)), NOBODYS),
}


@pytest.mark.parametrize(("manifest", "words"), OF_OTHERS.values(), ids=OF_OTHERS.keys())
def test_what_belongs_to_others_is_not_removed(
    account: Account, there: Any, manifest: Manifest, words: str
) -> None:
    answer = account.delete(there(manifest))

    assert answer.status == 422, answer.text
    assert words in answer.body["message"]


@pytest.mark.parametrize("name", [name for name in OF_OTHERS if "route" in name])
def test_a_route_of_others_is_not_taken_over(account: Account, there: Any, name: str) -> None:
    """With all that a route of ours has; which of the two policies says no does not matter."""
    manifest, words = OF_OTHERS[name]
    made = there(manifest)

    answer = account.patch(made, spoiled(route(), put("metadata", "name", value=made["metadata"]["name"])))

    assert answer.status == 422, answer.text
    assert words in answer.text or (words == NAME and "is not a key of previewbot" in answer.text)


@pytest.mark.parametrize(
    "kind",
    ["previewsessions.preview.mirrord.metalbear.co/v1alpha", "httproutes.gateway.networking.k8s.io/v1"],
)
def test_not_everything_can_be_removed_at_once(account: Account, kind: str) -> None:
    plural, group = kind.split(".", 1)

    answer = account.api.call("DELETE", f"/apis/{group}/namespaces/staging/{plural}?dryRun=All")

    assert answer.reason == (403, "Forbidden")


def test_a_route_is_led_to_its_page_and_back_and_nowhere_else(account: Account, there: Any) -> None:
    made = there(spoiled(route(), OWNERLESS))
    whole = route(to_page=True)

    def changed(*spoils: Spoil) -> tuple[int, str]:
        answer = account.patch(made, spoiled(whole, *spoils))
        return answer.status, answer.body.get("message", "")

    assert changed()[0] == 200
    code, words = changed(put("spec", "hostnames", value=["shop.example.com"]))
    assert (code, HOST in words) == (422, True)
    other = [
        put(*REDIRECT, "path", "replaceFullPath", value="/p/813/42"),
        put(*OWNER, 0, "name", value="gh-813-42"),
    ]
    code, words = changed(*other, put(*LABELS, f"{GROUP}/preview", value="gh-813-42"))
    assert (code, "would no longer be that of gh-812-42" in words) == (422, True)


def test_a_gateways_own_marks_on_a_route_are_left_as_they_are(account: Account, there: Any) -> None:
    """Gateways write labels, annotations and finalizers of their own onto routes; a patch leaves them."""
    theirs_too = {
        "finalizers": ["gateway.example.com/route"],
        "annotations": {"gateway.example.com/ip": "10.0.0.1"},
    }
    marked = spoiled(route(), OWNERLESS)
    marked["metadata"] |= theirs_too
    made = there(marked)

    left = account.patch(made, route(to_page=True))
    changed = account.patch(
        made,
        {
            **route(to_page=True),
            "metadata": route()["metadata"] | {"annotations": {"gateway.example.com/ip": "6.6.6.6"}},
        },
    )
    freed = account.patch(
        made, {**route(to_page=True), "metadata": route()["metadata"] | {"finalizers": ["a.example.com/b"]}}
    )
    there(spoiled(marked, put("metadata", "finalizers", value=[])))

    assert left.status == 200, left.text
    assert (changed.status, freed.status) == (422, 422)
    assert "the annotation gateway.example.com/ip: 6.6.6.6" in changed.body["message"]
    assert "no finalizers" in freed.body["message"]


def test_everybody_elses_sessions_are_left_alone(account: Account, control_plane: ControlPlane) -> None:
    """mirrord's users make sessions of their own, with the CLI's keys and images."""
    made = spoiled(theirs(), put("metadata", "name", value="bob-checkout"))

    answer = control_plane.call("POST", f"{control_plane.path_of(made)}?dryRun=All", made)

    assert answer.status == 201, answer.body


def test_the_owner_of_all_this_is_the_preview_of_the_pull_request() -> None:
    """What the cases above spoil is as previewbot makes it: else they would be refused for another reason."""
    assert (a_preview().name, KEY.rsplit("-", 1)[1]) == ("gh-812-42", "42")
