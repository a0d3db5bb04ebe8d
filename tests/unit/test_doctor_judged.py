"""What answers mean to the doctor: tables of answers, and what is said of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from previewbot.api.github import AppFacts, Delivery, Hook, Installation
from previewbot.api.reference import Reference, reference_from
from previewbot.clients.github.limits import Quota
from previewbot.config import repository
from previewbot.config.server import Settings
from previewbot.doctor import (
    cluster_judged,
    deliveries_judged,
    fields,
    github_judged,
    names_judged,
    probing_judged,
    repositories_judged,
    web_judged,
)
from previewbot.doctor.check import Check, State, Whose
from previewbot.engine.operator import Answer, OperatorSeen
from previewbot.errors import Conflict, Forbidden, Invalid, NotFound, RemoteError, TryLater, Unauthorized
from previewbot.pages.openapi import document
from previewbot.reconciler.gather.configuration import Configuration
from previewbot.reconciler.memory import ReadConfiguration
from previewbot.rules.app_rights import EVENTS, PERMISSIONS
from previewbot.runtime.bare_app import bare_app
from tests.support import passes

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SETTINGS = Settings.model_validate({**passes.SETTINGS, "owners": ["acme"]})
ALL = {name: need.level for name, need in PERMISSIONS.items()}
APP = AppFacts("previewbot", ALL, tuple(EVENTS))
OK, NOTE, WRONG, NOT_CHECKED = State.OK, State.NOTE, State.WRONG, State.NOT_CHECKED


def delivery(code: int, minutes: float = 1, status: str = "") -> Delivery:
    return Delivery(NOW - timedelta(minutes=minutes), "pull_request", status, code)


def told(check: Check, state: State, *words: str) -> None:
    assert check.state is state, check.line
    assert [each for each in words if each not in check.line] == [], check.line


@pytest.mark.parametrize(
    ("ours", "githubs", "state", "words"),
    [
        ("Iv1.0", "Iv1.0", OK, "this very App"),
        ("Iv1.0", "Iv1.1", WRONG, "sign_in.client_id is Iv1.0, and this App's is Iv1.1"),
    ],
)
def test_people_sign_in_with_this_app_and_no_other(ours: str, githubs: str, state: State, words: str) -> None:
    files = {"client_secret_file": "/s", "cookie_keys_file": "/k"}
    changed = {"sign_in": {"client_id": ours, **files}, "public_url": "https://previews.example.com"}
    signs_in = Settings.model_validate({**passes.SETTINGS, **changed})
    app = replace(APP, client_id=githubs)

    (check,) = github_judged.client_id(app, signs_in)

    told(check, state, words)
    assert github_judged.client_id(APP, signs_in) == [], "an Enterprise Server that does not say"
    assert github_judged.client_id(app, SETTINGS) == [], "nobody signs in"


DELIVERIES: dict[str, tuple[list[Delivery], datetime | None, State, str, Whose]] = {
    "all taken": ([delivery(202), delivery(204)], None, OK, "as were all of the last 2", Whose.NOBODY),
    "taken again": ([delivery(202), delivery(401)], None, NOTE, "401 1 times", Whose.NOBODY),
    "another secret": ([delivery(401)], None, WRONG, "different webhook secrets", Whose.APP_OWNER),
    "a firewall": ([delivery(403)], None, WRONG, "a firewall, a sign-in", Whose.PLATFORM_TEAM),
    "as a form": ([delivery(400)], None, WRONG, "application/json", Whose.APP_OWNER),
    "another server": ([delivery(404)], None, WRONG, "something else than", Whose.PLATFORM_TEAM),
    "a redirect": ([delivery(301)], None, WRONG, "something else than", Whose.PLATFORM_TEAM),
    "no web behind it": ([delivery(503)], None, WRONG, "does not reach web", Whose.PLATFORM_TEAM),
    "a time-out": ([delivery(0, status="timed out")], None, WRONG, "“timed out”", Whose.PLATFORM_TEAM),
    "none, and a change": ([], NOW - timedelta(hours=1), WRONG, "no webhook at all", Whose.APP_OWNER),
    "none, and no change": ([], None, NOTE, "none in three days", Whose.NOBODY),
}


@pytest.mark.parametrize(
    ("found", "changed", "state", "words", "whose"), DELIVERIES.values(), ids=DELIVERIES.keys()
)
def test_deliveries_tell_by_the_newest_answer_what_is_wrong_and_whose(
    found: list[Delivery], changed: datetime | None, state: State, words: str, whose: Whose
) -> None:
    check = deliveries_judged.deliveries(found, changed, NOW)

    told(check, state, words)
    assert check.whose is whose


def test_what_web_refuses_of_strangers_says_nothing_of_our_webhooks() -> None:
    """Anybody may install a public App, and have GitHub send webhooks that web refuses."""
    strangers = replace(delivery(403), installation_id=2)
    served = [Installation(1, False, "acme", ALL)]
    found = [strangers, replace(delivery(202), installation_id=1), strangers, delivery(200)]

    mixed = deliveries_judged.of_ours(found, served)
    told(deliveries_judged.deliveries(mixed, None, NOW, others=2), OK, "as were all of the last 2")
    alone = deliveries_judged.of_ours([strangers] * 100, served)
    told(deliveries_judged.deliveries(alone, None, NOW, others=100), NOT_CHECKED, "the newest 100 are all of")
    assert deliveries_judged.of_ours(found, []) == found


INSTALLATIONS: dict[str, tuple[list[Installation], State, str]] = {
    "nowhere": ([], WRONG, "installed nowhere"),
    "one that counts": ([Installation(1, False, "Acme", ALL)], OK, "Acme"),
    "a stranger's beside it": (
        [Installation(1, False, "acme", ALL), Installation(2, False, "globex", ALL)],
        NOTE,
        "those of globex get nothing",
    ),
    "a stranger's alone": ([Installation(2, False, "globex", ALL)], WRONG, "`owners` names acme only"),
    "a suspended one": (
        [Installation(1, True, "acme", ALL, url="https://g/1")],
        WRONG,
        "lifts that at https://g/1",
    ),
    "one that has not accepted": (
        [Installation(1, False, "acme", ALL | {"pull_requests": "read"}, url="https://g/1")],
        WRONG,
        "acme has not accepted `pull_requests: write`",
    ),
}


@pytest.mark.parametrize(("found", "state", "words"), INSTALLATIONS.values(), ids=INSTALLATIONS.keys())
def test_installations_tell_who_counts_and_what_was_not_accepted(
    found: list[Installation], state: State, words: str
) -> None:
    checks = github_judged.installations(found, APP, SETTINGS)

    told(checks[-1], state, words)


def test_what_the_app_itself_lacks_is_not_told_of_each_installation_again() -> None:
    granted = {name: level for name, level in ALL.items() if name != "checks"}
    app = AppFacts("previewbot", granted, tuple(EVENTS))

    [check] = github_judged.installations([Installation(1, False, "acme", granted)], app, SETTINGS)

    assert check.state is OK
    told(github_judged.permissions(app, SETTINGS), WRONG, "`checks: read`", "the App's owner")


def test_what_a_place_takes_that_is_turned_off_is_not_demanded() -> None:
    granted = {name: level for name, level in ALL.items() if name != "deployments"}
    app, installed = AppFacts("previewbot", granted, tuple(EVENTS)), Installation(1, False, "acme", granted)
    asked_for = replace(app, permissions=ALL)
    on = Settings.model_validate({**passes.SETTINGS, "owners": ["acme"], "deployments": {}})
    off = SETTINGS

    told(github_judged.permissions(app, on), WRONG, "without it there are no deployments")
    told(github_judged.permissions(app, off), OK, "the App asks for all that it needs")
    told(github_judged.installations([installed], asked_for, on)[-1], WRONG, "acme has not accepted `deploy")
    told(github_judged.installations([installed], asked_for, off)[-1], OK, "acme")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotFound("GET /app", status=404, message="Integration not found"), "github.app_id"),
        (
            Unauthorized("GET /app", status=401, message="A JSON web token could not be decoded"),
            "is not one of",
        ),
        (
            Unauthorized("GET /app", status=401, message="'Issued at' claim ('iat') must be in the past"),
            "set this machine's clock",
        ),
        (NotFound("GET /app", status=404, message="Not Found"), "see github.api_url"),
        (TryLater("GET /app", message="GitHub's answer cannot be read"), "see github.api_url"),
        (
            TryLater(
                "GET /app",
                message="GitHub cannot be reached (its certificate is not trusted: self-signed certificate)",
            ),
            "name its file as github.ca_file",
        ),
        (Forbidden("GET /app", status=403, message="suspended"), "is it suspended?"),
        (TryLater("GET /app", message="GitHub cannot be reached (ClientConnectorError)"), "HTTPS_PROXY"),
        (TryLater("GET /app", status=502, message="bad gateway"), "answers 502"),
    ],
)
def test_the_apps_refusal_names_its_cause(error: RemoteError, words: str) -> None:
    told(github_judged.app_refused(error, SETTINGS), WRONG, words)


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0, OK), (9, OK), (-30, NOTE), (30, NOTE), (56, WRONG), (-120, NOTE), (-470, WRONG), (-600, WRONG)],
)
def test_the_clock_may_differ_a_little(seconds: int, state: State) -> None:
    told(github_judged.clock(timedelta(seconds=seconds)), state)


@pytest.mark.parametrize(
    ("url", "state"),
    [
        (f"{SETTINGS.public_url}/webhook", OK),
        (f"{SETTINGS.public_url.upper().replace('HTTPS', 'https')}/webhook", OK),
        (f"{SETTINGS.public_url}/webhook/", WRONG),
        ("https://elsewhere.example.com/webhook", WRONG),
        ("", WRONG),
    ],
)
def test_the_webhooks_address_is_that_of_public_url(url: str, state: State) -> None:
    assert github_judged.hook(Hook(url, "json"), SETTINGS).state is state


@pytest.mark.parametrize(("ahead", "state"), [(300, NOT_CHECKED), (-600, NOT_CHECKED), (2, WRONG)])
def test_a_wrong_clock_is_told_once(ahead: int, state: State) -> None:
    error = Unauthorized("GET /app", status=401, message="'Issued at' claim ('iat') must be in the past")

    told(github_judged.app_refused(error, SETTINGS, timedelta(seconds=ahead)), state)


def test_of_the_hours_requests_a_fifth_is_kept() -> None:
    end = NOW.timestamp() + 600

    assert github_judged.quota(Quota(5_000, 1_001, end), NOW).state is OK
    assert github_judged.quota(Quota(5_000, 900, end), NOW).state is WRONG


ACCOUNT = "system:serviceaccount:previewbot:previewbot-controller"
DENIED = "ValidatingAdmissionPolicy '{}' with binding 'x' denied request: {}"
POLICY = DENIED.format("previewbot-sessions", "the key previewbot-doctor is not one of previewbot")
TRIED: dict[str, tuple[RemoteError | None, str, State, State]] = {
    "refused by the policy": (Invalid("try", status=422, message=POLICY), ACCOUNT, OK, OK),
    "refused by somebody else's policy": (
        Invalid("try", status=422, message=DENIED.format("corp-images", "images must be signed")),
        ACCOUNT,
        WRONG,
        NOT_CHECKED,
    ),
    "refused by a policy of other settings": (
        Invalid(
            "try",
            status=422,
            message=DENIED.format("previewbot-sessions", "previews may not be made in the namespace staging"),
        ),
        ACCOUNT,
        NOT_CHECKED,
        WRONG,
    ),
    "taken, so that no policy holds": (None, ACCOUNT, OK, NOTE),
    "taken from somebody else": (None, "kubernetes-admin", OK, NOT_CHECKED),
    "no such namespace": (
        NotFound("try", status=404, message='namespaces "staging" not found'),
        ACCOUNT,
        WRONG,
        NOT_CHECKED,
    ),
    "no right": (
        Forbidden("try", status=403, message="User x cannot create resource y"),
        ACCOUNT,
        NOT_CHECKED,
        NOT_CHECKED,
    ),
    "one that is going": (
        Forbidden("try", status=403, message="namespace x is being terminated"),
        ACCOUNT,
        WRONG,
        NOT_CHECKED,
    ),
    "another CRD": (
        Invalid("try", status=400, message='strict decoding error: unknown field "spec.ttlSecs"'),
        ACCOUNT,
        WRONG,
        NOT_CHECKED,
    ),
    "a webhook without dry runs": (
        Invalid("try", status=400, message="admission webhook x does not support dry run"),
        ACCOUNT,
        NOT_CHECKED,
        NOT_CHECKED,
    ),
    "a webhook that refuses": (
        Forbidden("try", status=403, message="admission webhook x denied the request"),
        ACCOUNT,
        WRONG,
        NOT_CHECKED,
    ),
}


@pytest.mark.parametrize(("error", "who", "namespace", "policy"), TRIED.values(), ids=TRIED.keys())
def test_a_tried_session_tells_of_namespace_and_policy(
    error: RemoteError | None, who: str, namespace: State, policy: State
) -> None:
    checks = cluster_judged.tried_session("staging", who, error)

    assert [check.state for check in checks] == [namespace, policy]


PRESSED: dict[str, tuple[RemoteError, State, str]] = {
    "no right": (
        Forbidden("try", status=403, message='cannot create resource "previewrequests"'),
        NOT_CHECKED,
        "see “rights” above",
    ),
    "a webhook without dry runs": (
        Invalid("try", status=400, message="admission webhook x does not support dry run"),
        NOT_CHECKED,
        "takes no dry runs",
    ),
    "not counted yet": (
        Forbidden("try", status=403, message="status unknown for quota: previewbot-requests"),
        NOTE,
        "must press it again",
    ),
    "full": (
        Forbidden("try", status=403, message="exceeded quota: previewbot-requests"),
        WRONG,
        "kubectl get previewrequests --namespace bot",
    ),
    "no namespace": (
        NotFound("try", status=404, message='namespaces "bot" not found'),
        WRONG,
        'namespaces "bot" not found',
    ),
    "a webhook that refuses": (
        Forbidden("try", status=403, message="admission webhook x denied the request"),
        WRONG,
        "would not store what people press",
    ),
}


@pytest.mark.parametrize(("error", "state", "words"), PRESSED.values(), ids=PRESSED.keys())
def test_what_people_press_is_tried(error: RemoteError, state: State, words: str) -> None:
    told(cluster_judged.request_refused("bot", error), state, words)


def test_an_operator_that_is_not_there_is_told_once() -> None:
    absent = OperatorSeen(Answer.MISSING)
    crd = "previewsessions.preview.mirrord.metalbear.co (v1alpha)"

    assert [check.state for check in cluster_judged.operator(absent, NOW)] == [WRONG]
    assert [check.state for check in cluster_judged.operator(absent, NOW, [crd])] == [NOT_CHECKED]
    assert [check.state for check in cluster_judged.operator(absent, NOW, ["previews.previewbot.dev"])] == [
        WRONG
    ]


LACKING_FILES: dict[str, tuple[Mapping[str, str], State]] = {
    "the permission is lacking": ({**ALL, "contents": ""}, NOT_CHECKED),
    "an IP allow list": (ALL, WRONG),
}


@pytest.mark.parametrize(("granted", "state"), LACKING_FILES.values(), ids=LACKING_FILES.keys())
def test_files_that_github_does_not_show_are_told_by_their_cause(
    granted: Mapping[str, str], state: State
) -> None:
    error = Forbidden("GET x", status=403, message="Resource not accessible by integration")

    told(repositories_judged.unreadable("acme/shop", error, granted), state)


NOTIFY: dict[str, tuple[str, Mapping[str, str], bool]] = {
    "in issues, and the App may not write there": ("{where: issue}", ALL, True),
    "in issues": ("{where: issue}", {**ALL, "issues": "write"}, False),
    "in the pull request": ("{}", ALL, False),
}


@pytest.mark.parametrize(("notify", "granted", "noted"), NOTIFY.values(), ids=NOTIFY.keys())
def test_a_file_that_wants_people_told_in_issues_needs_a_right_of_its_own(
    notify: str, granted: Mapping[str, str], noted: bool
) -> None:
    config = repository.parse(f"{passes.CONFIGURATION}notify: {notify}\n")
    found = {"acme/shop": Configuration("abc", ReadConfiguration(config))}

    checks = repositories_judged.repositories(["acme/shop"], 1, found, SETTINGS, {"acme/shop": granted})

    about = [check for check in checks if "issues: write" in check.line]
    assert len(about) == noted
    for check in about:
        told(check, NOTE, "people are told in the pull request and not in the issue")


def test_of_workloads_in_a_namespace_that_is_not_there_that_one_tells() -> None:
    [check] = repositories_judged.targets(0, {}, ["the namespace staging"])

    told(check, NOT_CHECKED, "because of what is wrong with the namespace staging")


@pytest.mark.parametrize(
    ("policy", "says", "state"),
    [
        ("previewbot-routes", "the name previewbot-doctor is not a key of previewbot", NOT_CHECKED),
        ("corp-routes", "routes need an owner", WRONG),
    ],
)
def test_a_policy_that_refuses_the_doctors_route_is_ours_or_refuses_all(
    policy: str, says: str, state: State
) -> None:
    error = Invalid("create httproutes", status=422, message=DENIED.format(policy, says))

    told(probing_judged.refused("staging", error), state, policy)


LEASES: dict[str, tuple[Mapping[str, Any] | None, State]] = {
    "none yet": (None, NOTE),
    "held": ({"spec": {"holderIdentity": "a", "renewTime": "2026-03-02T11:59:58.000000Z"}}, OK),
    "given back": ({"spec": {"holderIdentity": "", "renewTime": "2026-03-02T11:59:58.000000Z"}}, WRONG),
    "run out": ({"spec": {"holderIdentity": "a", "renewTime": "2026-03-02T11:00:00.000000Z"}}, WRONG),
    "without a time": ({"spec": {"holderIdentity": "a"}}, WRONG),
}


@pytest.mark.parametrize(("lease", "state"), LEASES.values(), ids=LEASES.keys())
def test_the_lease_tells_whether_a_controller_works(lease: Mapping[str, Any] | None, state: State) -> None:
    told(cluster_judged.lease(lease, "previewbot/previewbot-controller", NOW), state)


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (Unauthorized("who am I", status=401, message="Unauthorized"), WRONG, "does not accept the login"),
        (TryLater("who am I", message="ClientConnectorError"), WRONG, "does not answer"),
        (TryLater("who am I", message="the answer is not JSON"), WRONG, "something else than an API server"),
        (NotFound("who am I", status=404), NOT_CHECKED, "older than 1.28"),
        (Forbidden("who am I", status=403, message="no"), WRONG, "refuses even"),
        (Conflict("who am I", status=409, message="?"), WRONG, "refuses even"),
    ],
)
def test_a_login_that_fails_is_told_by_its_kind(error: RemoteError, state: State, words: str) -> None:
    told(cluster_judged.login_refused(error), state, words)


@pytest.mark.parametrize("name", ["", "system:anonymous"])
def test_nobody_is_no_login(name: str) -> None:
    told(cluster_judged.login(name), WRONG, "takes us for nobody")


def test_fields_are_missing_at_any_depth_but_not_below_what_takes_anything() -> None:
    wanted = fields.schema_like({"spec": {"a": 1, "b": [{"c": 1, "d": 2}], "open": {"x": 1}}})
    installed = {
        "properties": {
            "spec": {
                "properties": {
                    "b": {"items": {"properties": {"c": {}}}},
                    "open": {"x-kubernetes-preserve-unknown-fields": True},
                }
            }
        }
    }

    assert [*fields.missing(installed, wanted)] == ["spec.a", "spec.b[].d"]
    assert [*fields.missing(wanted, wanted)] == []


@pytest.mark.parametrize(
    ("status", "text", "signed", "state"),
    [
        (401, "X-Hub-Signature-256 is missing: set", False, OK),
        (200, "pong", True, OK),
        (401, "the signature does not match: the secret", True, WRONG),
        (200, "<html>Sign in</html>", False, WRONG),
        (302, "", False, WRONG),
        (503, "no healthy upstream", True, WRONG),
        (200, "pong", False, WRONG),
    ],
)
def test_only_previewbots_web_answers_like_previewbots_web(
    status: int, text: str, signed: bool, state: State
) -> None:
    assert web_judged.answered("https://p/webhook", status, text, signed=signed).state is state


def test_whether_pages_answer_is_told_by_what_they_tell_everybody_and_web_in_their_place_is_wrong() -> None:
    url, told = "https://p/openapi.json", json.dumps(document(), ensure_ascii=False)
    webs = bare_app().test_client().get("/openapi.json")

    assert web_judged.shown(url, 200, told, is_webs=False).state is OK
    found = web_judged.shown(url, webs.status_code, webs.text, is_webs=web_judged.is_webs(dict(webs.headers)))
    assert (found.state, "lead /, /p," in found.words, "/sign-out," in found.words) == (WRONG, True, True)
    # A gateway of which nothing but the webhook is known leads nobody there, or leads them another way.
    for status, text in ((404, "default backend - 404"), (200, "<html>Sign in</html>"), (302, "")):
        assert web_judged.shown(url, status, text, is_webs=web_judged.is_webs({})).state is NOTE
    assert web_judged.shown(url, 503, "no healthy upstream", is_webs=False).state is WRONG
    assert web_judged.no_pages(url, "refused").state is NOTE


@pytest.mark.parametrize(("days", "state"), [(90, OK), (13, NOTE), (0, NOTE)])
def test_a_certificate_that_ends_soon_is_told(days: int, state: State) -> None:
    found = names_judged.Certificate(NOW + timedelta(days=days, hours=1), "Let's Encrypt")

    assert names_judged.certificate("a.example.com", found, NOW).state is state


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("certificate has expired", "has expired"),
        ("Hostname mismatch, certificate is not valid for 'x'", "one for *.preview.example.com"),
        ("unable to get local issuer certificate", "is its chain complete"),
    ],
)
def test_a_certificate_that_does_not_count_is_told_by_its_kind(why: str, words: str) -> None:
    told(names_judged.untrusted("previewbot-doctor.preview.example.com", why), WRONG, words)


REFERENCES = {
    "acme/shop#42": Reference("acme/shop", 42),
    " acme/shop#42 ": Reference("acme/shop", 42),
    "https://github.com/acme/shop/pull/42": Reference("acme/shop", 42, "github.com"),
    "https://GitHub.com/acme/shop/pull/42/files#diff-1": Reference("acme/shop", 42, "github.com"),
    "https://ghe.example.com:8443/acme/shop/issues/42?x=1": Reference(
        "acme/shop", 42, "ghe.example.com:8443"
    ),
    "https://user:word@github.com/acme/shop/pull/42": Reference("acme/shop", 42, "github.com"),
}


@pytest.mark.parametrize(("text", "expected"), REFERENCES.items(), ids=REFERENCES.keys())
def test_a_pull_request_is_named_by_name_and_number_or_by_its_address(text: str, expected: Reference) -> None:
    assert reference_from(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42",
        "shop#42",
        "acme/shop",
        "acme/shop#0",
        "acme/shop#x",
        "https://github.com/acme/shop",
        "../x#1",
    ],
)
def test_what_names_no_pull_request_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="acme/shop#42"):
        reference_from(text)
