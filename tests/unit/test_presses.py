"""Buttons of our own check: which press is stored as a request, which is not, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot.api import (
    SAY,
    Actor,
    Ask,
    Asked,
    AskedIn,
    Saying,
    Says,
    Source,
    name_of,
    new_request,
    preview_of_request,
    request_from,
)
from previewbot.webhook.events import Ignored, Trigger, parse_event
from previewbot.webhook.payload import Malformed
from previewbot.webhook.presses import Press
from previewbot_demo.kube.rules import broken
from previewbot_demo.kube.schema import mistakes, unknown_fields
from tests.support.previews import NOW
from tests.support.structural import structural_schema
from tests.unit.test_web_webhook import Cluster, client, cluster, deliver

__all__ = ["client", "cluster"]

APP_ID, HEAD = 4242, "a" * 40
CRD = yaml.safe_load(
    (Path(__file__).parents[2] / "charts/previewbot/crds/previewrequests.yaml").read_text(encoding="utf-8")
)
SCHEMA: dict[str, Any] = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
ASK = Ask(812, 42, "stop", Actor("alice", 501), Source("CheckRun", 9001, "d-1", HEAD), NOW)


def a_press(identifier: str = "stop", action: str = "requested_action", **check_run: Any) -> dict[str, Any]:
    return {
        "action": action,
        "requested_action": {"identifier": identifier},
        "check_run": {
            "id": 9001,
            "app": {"id": APP_ID},
            "external_id": "gh-812-42",
            "head_sha": HEAD,
            "pull_requests": [],
            **check_run,
        },
        "repository": {"id": 812, "full_name": "acme/shop"},
        "installation": {"id": 7},
        "sender": {"id": 501, "login": "alice", "type": "User"},
    }


def about(payload: object, event: str = "check_run") -> Trigger | str:
    found = parse_event(event, payload, app_id=APP_ID)
    assert isinstance(found, Trigger | Ignored)
    return found if isinstance(found, Trigger) else found.reason


@pytest.mark.parametrize("asked", ["start", "stop", "extend"])
def test_a_button_of_our_own_check_is_a_press_by_whoever_sent_it(asked: str) -> None:
    found = about(a_press(asked))

    assert isinstance(found, Trigger)
    assert found.presses == (Press(42, Asked(asked), "alice", 501, AskedIn.CHECK_RUN, 9001, HEAD),)
    assert (found.numbers, found.create, found.urgent, found.by) == ((42,), True, True, 501)


def test_githubs_own_re_run_asks_for_a_start() -> None:
    payload = a_press(action="rerequested")
    del payload["requested_action"]
    found = about(payload)

    assert isinstance(found, Trigger)
    assert [press.asked for press in found.presses] == ["start"]


def a_suite(action: str = "rerequested", **suite: Any) -> dict[str, Any]:
    named = [{"number": number, "base": {"repo": {"id": 812}}} for number in (42, 43)]
    values = {"id": 77, "app": {"id": APP_ID}, "head_sha": HEAD, "head_branch": "x", "pull_requests": named}
    payload = {key: value for key, value in a_press().items() if key not in ("check_run", "requested_action")}
    return payload | {"action": action, "check_suite": values | suite}


def test_to_run_all_checks_again_asks_for_a_start_of_each_pull_request_of_the_commit() -> None:
    found = about(a_suite(), "check_suite")

    assert isinstance(found, Trigger)
    assert [(press.number, press.asked, press.place) for press in found.presses] == [
        (42, Asked.START, AskedIn.CHECK_SUITE),
        (43, Asked.START, AskedIn.CHECK_SUITE),
    ]
    assert (found.numbers, found.create, found.queued) == ((42, 43), True, False)


QUEUE = f"gh-readonly-queue/release/1.0/pr-42-{HEAD}"


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("check_suite", a_suite("requested", head_branch=QUEUE, pull_requests=[])),
        ("check_suite", a_suite("rerequested", head_branch=QUEUE, pull_requests=[])),
        ("check_run", a_press(action="rerequested", check_suite={"head_branch": QUEUE})),
        (
            "merge_group",
            {
                **{key: value for key, value in a_press().items() if key != "check_run"},
                "action": "checks_requested",
                "merge_group": {"head_ref": f"refs/heads/{QUEUE}", "head_sha": "b" * 40},
            },
        ),
    ],
)
def test_a_merge_queue_that_waits_for_checks_has_its_pull_request_looked_at(
    event: str, payload: dict[str, Any]
) -> None:
    found = about(payload, event)

    assert isinstance(found, Trigger)
    assert (found.numbers, found.create, found.queued, found.presses) == ((42,), True, True, ())


@pytest.mark.parametrize(
    "payload",
    [
        a_suite("requested"),
        a_suite("completed"),
        a_suite(pull_requests=[]),
        a_suite(pull_requests=None),
        a_suite(pull_requests=[{"number": 5, "base": {"repo": {"id": 813}}}]),
        a_suite("requested", head_branch=None),
        a_suite("requested", head_branch="gh-readonly-queue/main/pr-0-" + HEAD),
        a_suite("requested", head_branch="mine/gh-readonly-queue/main/pr-42-" + HEAD),
        a_suite() | {"sender": {"id": 3, "login": "x[bot]", "type": "Bot"}},
    ],
)
def test_any_other_word_of_our_own_suite_is_ignored(payload: dict[str, Any]) -> None:
    assert isinstance(about(payload, "check_suite"), str)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (a_press(action="created"), "our own check"),
        (a_press(action="completed"), "our own check"),
        (a_press("deploy-to-production"), "a button of another version"),
        (a_press("restart"), "a button of another version"),
        (a_press("reset"), "a button of another version"),
        (a_press(external_id="gh-813-42"), "names no pull request of this repository"),
        (a_press(external_id="gh-812-42-1"), "names no pull request of this repository"),
        (a_press(external_id=None), "names no pull request of this repository"),
        (a_press() | {"sender": {"id": 3, "login": "x[bot]", "type": "Bot"}}, "not pressed by a person"),
        (a_press(app={"id": 15368}), "names no pull request"),
        (a_press("start", name="preview verdict"), "the check of verdicts"),
        (a_press(action="rerequested", name="preview verdict"), "the check of verdicts"),
    ],
)
def test_anything_else_is_no_press(payload: dict[str, Any], why: str) -> None:
    found = about(payload)

    assert isinstance(found, str)
    assert why in found


@pytest.mark.parametrize(
    "payload",
    [
        a_press(head_sha="main"),
        a_press() | {"sender": {"id": 0, "login": "alice", "type": "User"}},
        a_press() | {"sender": {"id": 501, "login": "../alice", "type": "User"}},
        a_press() | {"requested_action": None},
    ],
)
def test_what_is_not_of_githubs_shape_is_malformed(payload: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        about(payload)


def test_a_press_is_stored_before_the_look_is_asked_for(client: Any, cluster: Cluster) -> None:
    answer = deliver(client, "check_run", a_press())

    assert (answer.status_code, len(cluster.pokes)) == (202, 1)
    assert cluster.asks == [ASK]
    [(spec, poke, create)] = cluster.pokes
    assert (spec.number, poke.called_by, create) == (42, 501, True)


def test_a_press_that_the_cluster_does_not_take_is_answered_503(client: Any, cluster: Cluster) -> None:
    cluster.down = True

    answer = deliver(client, "check_run", a_press())

    assert answer.status_code == 503
    assert "press the button again" in answer.text
    assert cluster.pokes == []


def stored(ask: Ask = ASK, **metadata: Any) -> dict[str, Any]:
    obj = new_request(ask, "previewbot")
    obj["metadata"] |= {"uid": "u", "resourceVersion": "7", "creationTimestamp": NOW.isoformat()} | metadata
    return dict(json.loads(json.dumps(obj)))


def test_a_request_is_read_back_as_it_was_written_and_named_after_its_delivery() -> None:
    found = request_from(stored())

    assert found is not None
    assert found.ask == ASK
    assert found.name.startswith("gh-812-42-")
    assert preview_of_request(found.name) == name_of(812, 42)
    assert new_request(ASK, "x")["metadata"]["name"] == found.name
    later = Ask(812, 42, "stop", ASK.actor, ASK.source, NOW + timedelta(hours=1))
    assert later.name == found.name


def test_the_schema_of_the_crd_is_the_models_with_everything_required() -> None:
    spec = SCHEMA["properties"]["spec"]
    wanted = structural_schema(Ask)["properties"]

    assert set(wanted) == set(spec["properties"])
    assert set(spec["required"]) == set(wanted) - {"saying"}
    # An actor has a login, or a name and a mark; words are not always needed.
    for part, optional in (("actor", {"login", "name", "mark"}), ("from", set()), ("saying", {"words"})):
        properties = spec["properties"][part]["properties"]
        assert set(properties) == set(wanted[part]["properties"])
        assert set(spec["properties"][part]["required"]) == set(properties) - optional


@pytest.mark.parametrize("asked", Asked)
def test_what_is_asked_on_a_page_is_read_back_too(asked: Asked) -> None:
    ask = Ask(812, 42, asked.value, ASK.actor, Source(AskedIn.PAGE.value, 0, "a form's own", HEAD), NOW)
    found = request_from(stored(ask))

    assert found is not None
    assert found.ask == ask
    assert mistakes(SCHEMA, stored(ask)) == []


BY_PROXY = replace(
    ASK,
    asked=SAY,
    actor=Actor(name="Pia Müller <pia@acme.example>", mark="0123456789ab"),
    source=Source(AskedIn.PAGE, 0, "page-say-1", HEAD),
    saying=Saying(Says.WORK, HEAD, "/cart?a=1", "The sum\nis @wrong. <!-- x -->"),
)


@pytest.mark.parametrize("ask", [BY_PROXY, replace(BY_PROXY, asked="extend", saying=None)])
def test_what_somebody_asks_for_by_proxy_is_read_back_and_has_no_login(ask: Ask) -> None:
    obj = stored(ask)
    found = request_from(obj)

    assert found is not None
    assert found.ask == ask
    assert obj["spec"]["actor"] == {
        "id": 0,
        "name": "Pia Müller <pia@acme.example>",
        "mark": "0123456789ab",
    }
    assert ("saying" in obj["spec"]) is (ask.asked == SAY)
    assert (mistakes(SCHEMA, obj), broken(SCHEMA, obj, None, ())) == ([], [])
    assert unknown_fields(SCHEMA["properties"]["spec"], obj["spec"]) == []


_MARK = "0123456789ab"
SPOILED: dict[str, tuple[Ask, dict[str, Any]]] = {
    "an account without a login": (ASK, {"actor": {"id": 501}}),
    "an account with a name": (ASK, {"actor": {"id": 501, "login": "alice", "name": "Pia"}}),
    "an account with a mark": (ASK, {"actor": {"id": 501, "login": "alice", "mark": _MARK}}),
    "a name without a mark": (BY_PROXY, {"actor": {"id": 0, "name": "Pia"}}),
    "a mark that is an address": (BY_PROXY, {"actor": {"id": 0, "name": "Pia", "mark": "pia@acme.exa"}}),
    "nobody": (BY_PROXY, {"actor": {"id": 0}}),
    "a login without an account": (BY_PROXY, {"actor": {"id": 0, "login": "alice"}}),
    "both": (BY_PROXY, {"actor": {"id": 0, "login": "alice", "name": "Pia", "mark": _MARK}}),
    "a name of two lines": (BY_PROXY, {"actor": {"id": 0, "name": "Pia\n/preview stop", "mark": _MARK}}),
    "a long name": (BY_PROXY, {"actor": {"id": 0, "name": "x" * 101, "mark": _MARK}}),
    "words with a button": (BY_PROXY, {"asked": "extend"}),
    "nothing said": (replace(BY_PROXY, saying=None), {}),
    "long words": (BY_PROXY, {"saying": {"says": "good", "sha": HEAD, "path": "/", "words": "é" * 4001}}),
    "a long path": (BY_PROXY, {"saying": {"says": "good", "sha": HEAD, "path": "/" + "x" * 300}}),
    "another host": (BY_PROXY, {"saying": {"says": "good", "sha": HEAD, "path": "https://x.example.com"}}),
    "no commit": (BY_PROXY, {"saying": {"says": "good", "sha": "main", "path": "/"}}),
    "something else": (BY_PROXY, {"saying": {"says": "approve", "sha": HEAD, "path": "/"}}),
}


@pytest.mark.parametrize(("ask", "change"), SPOILED.values(), ids=SPOILED.keys())
def test_the_crd_bounds_what_is_asked_for_by_proxy(ask: Ask, change: dict[str, Any]) -> None:
    obj = stored(ask)
    obj["spec"] |= change

    assert mistakes(SCHEMA, obj) or broken(SCHEMA, obj, None, ())


def test_what_web_makes_keeps_the_rules_of_the_crd_and_no_other_name_does() -> None:
    obj = stored()

    assert unknown_fields(SCHEMA["properties"]["spec"], obj["spec"]) == []
    assert mistakes(SCHEMA, obj) == []
    assert broken(SCHEMA, obj, None, ()) == []
    for name in ("gh-812-43-" + "0" * 15, "gh-812-42", "x"):
        assert broken(SCHEMA, stored(name=name), None, ())


@pytest.mark.parametrize(
    "change",
    [
        {"asked": "merge"},
        {"number": 43},
        {"from": {"kind": "Mail", "id": 1, "deliveryId": "d-1", "headSha": HEAD}},
        {"from": {"kind": "CheckRun", "id": 1, "deliveryId": "another", "headSha": HEAD}},
        {"actor": None},
    ],
)
def test_what_this_version_does_not_know_is_no_request(change: dict[str, Any]) -> None:
    obj = stored()

    assert request_from({**obj, "spec": {**obj["spec"], **change}}) is None
