"""The controller's token in the wrong hands, and what a session has of its own: filters, queues, files.

Each case is a step beyond what previewbot makes (tests/chart/test_admission_parts.py), sent by the chart's
own service account to a real API server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from previewbot.config.keys import header_pattern
from previewbot.engine.parts import IncomingRequests, QueueSplit, SessionParts
from previewbot.engine.session_spec import http_filter, key_filter
from tests.chart.release import Account
from tests.support.admission import KEY, OTHER_KEY, Spoil, controller, drop, put, session, spoiled
from tests.support.control_plane import ControlPlane
from tests.support.session_parts import EVERYTHING, PATTERN

pytestmark = pytest.mark.cluster

FILTER = "does not filter requests by exactly its key"
CONDITIONS = "behind its key something else than a list of conditions"
Case = tuple[Spoil, str]

WHOLE = session(parts=EVERYTHING)
OURS = {"header": header_pattern("baggage", KEY)}
ANY = {"path": ".*"}


@pytest.fixture(scope="module")
def account(control_plane: ControlPlane) -> Iterator[Account]:
    """The controller's account under the policies."""
    with controller(control_plane) as found:
        yield found


def a_filter(text: str) -> Spoil:
    return put("spec", "incoming", "httpFilter", value=text)


def of_kinds(**kinds: Any) -> Spoil:
    """Write a filter with all fields in mirrord's order."""
    empty = dict.fromkeys(json.loads(key_filter(KEY)))
    return a_filter(json.dumps({**empty, **kinds}, separators=(",", ":")))


def behind_the_key(text: str) -> Spoil:
    """Write raw text where the conditions behind the key's own stand."""
    narrowed = http_filter(KEY, IncomingRequests(conditions=({"path": "HERE"},)))
    return a_filter(narrowed.replace('{"path":"HERE"}', text))


FILTERS: dict[str, Case] = {
    "conditions without the key": (of_kinds(all_of=[ANY]), FILTER),
    "the key as the second": (of_kinds(all_of=[ANY, OURS]), FILTER),
    "the key alone in a list": (of_kinds(all_of=[OURS]), FILTER),
    "another's key": (
        of_kinds(all_of=[{"header": header_pattern("baggage", OTHER_KEY)}, ANY]), FILTER
    ),
    "the key or anything": (of_kinds(any_of=[OURS, ANY]), FILTER),
    "the key or its tracestate, or anything": (
        of_kinds(any_of=[OURS, {"header": header_pattern("tracestate", KEY)}, ANY]), FILTER
    ),
    "tracestate first": (of_kinds(any_of=[{"header": header_pattern("tracestate", KEY)}, OURS]), FILTER),
    "tracestate alone": (of_kinds(header_filter=header_pattern("tracestate", KEY)), FILTER),
    "tracestate of another": (
        of_kinds(any_of=[OURS, {"header": header_pattern("tracestate", OTHER_KEY)}]), FILTER
    ),
    "all of, and any of": (of_kinds(all_of=[OURS, ANY], any_of=[ANY]), FILTER),
    "all of, and a path": (of_kinds(all_of=[OURS, ANY], path_filter=".*"), FILTER),
    "all of, and ports": (of_kinds(all_of=[OURS, ANY], ports=[80]), FILTER),
    "spaces": (a_filter(json.dumps(json.loads(key_filter(KEY)))), FILTER),
    "the fields in another order": (
        a_filter(json.dumps(dict(reversed(json.loads(key_filter(KEY)).items())), separators=(",", ":"))),
        FILTER,
    ),
    "a second all_of": (behind_the_key('{"path":"a"}],"all_of":[{"path":".*"}'), CONDITIONS),
    "an any_of before the last": (
        behind_the_key('{"path":"a"}],"any_of":[{"path":".*"}],"ports":null,"all_of":[{"path":"a"}'),
        CONDITIONS,
    ),
    "the end of the object": (behind_the_key('{"path":"a"}]},{"x":[{"path":"a"}'), CONDITIONS),
    "a second object": (
        behind_the_key('{"path":"a"}],"any_of":null,"ports":null}{"all_of":[{"path":"a"}'), CONDITIONS
    ),
    "a text that ends early": (behind_the_key('{"path":"\\\\"}],"any_of":[{"path":".*"}'), CONDITIONS),
    "a quote that nothing escapes": (behind_the_key('{"path":"a"b"}'), CONDITIONS),
    "an escape that JSON does not know": (behind_the_key('{"path":"\\x"}'), CONDITIONS),
    "a letter that need not be escaped": (behind_the_key('{"path":"\\u0022}],\\u0022any_of"}'), CONDITIONS),
    "a line break": (behind_the_key('{"path":"a\nb"}'), CONDITIONS),
    "no condition": (behind_the_key(""), FILTER),
    "a comma": (behind_the_key('{"path":"a"},'), CONDITIONS),
    "an empty condition": (behind_the_key("{}"), CONDITIONS),
    "two kinds in one condition": (behind_the_key('{"path":"a","header":"b"}'), CONDITIONS),
    "a condition twice": (behind_the_key('{"path":"a","path":"b"}'), CONDITIONS),
    "a kind that is none": (behind_the_key('{"any_of":[{"path":".*"}]}'), CONDITIONS),
    "a condition within": (behind_the_key('{"path":{"any_of":[{"path":".*"}]}}'), CONDITIONS),
    "a list": (behind_the_key('[{"path":"a"}]'), CONDITIONS),
    "nothing for a condition": (behind_the_key("null"), CONDITIONS),
    "a body that is no JSON": (behind_the_key('{"body":"xml","query":"a","matches":"b"}'), CONDITIONS),
    "a body with a kind beside it": (
        behind_the_key('{"body":"json","query":"a","matches":"b","path":"c"}'), CONDITIONS
    ),
    "the beginning and the end in one": (
        a_filter(
            http_filter(KEY, IncomingRequests(conditions=({"path": "a"},))).replace(',{"path":"a"}', "", 1)
        ),
        FILTER,
    ),
}  # fmt: skip

QUEUES = ("spec", "queueSplitting")
SQS = (*QUEUES, "sqsQueueFilters")
NOT_BY_KEY = "is not filtered by its key"
FORM = "is filtered by patterns of attributes, by jq, or by both"

MESSAGES: dict[str, Case] = {
    "no queue": (put(*QUEUES, value={}), "splits no queue"),
    "modes alone": (put(*QUEUES, value={"queueModes": {"orders": "mirror"}}), "splits no queue"),
    "no queue of a broker": (put(*SQS, value={}), "is empty, or has a queue without an id"),
    "a queue without an id": (put(*SQS, "", value={"messageFilter": {"baggage": KEY}}), "without an id"),
    "no filter": (put(*SQS, "orders", value={}), NOT_BY_KEY),
    "an empty filter": (put(*SQS, "orders", value={"messageFilter": {}}), FORM),
    "a filter without the key": (put(*SQS, "orders", value={"messageFilter": {"a": ".*"}}), NOT_BY_KEY),
    "a filter by another's key": (
        put(*SQS, "orders", "messageFilter", value={"baggage": f".*mirrord-session={OTHER_KEY}.*"}),
        NOT_BY_KEY,
    ),
    "jq without the key": (put(*SQS, "orders", value={"jqFilter": "true"}), NOT_BY_KEY),
    "an attribute by the key's name": (put(*SQS, "orders", value={"messageFilter": {KEY: ".*"}}), NOT_BY_KEY),
    "another queue beside it": (put(*SQS, "users", value={"messageFilter": {"a": ".*"}}), NOT_BY_KEY),
    "a topic without a filter": (put(*QUEUES, "kafkaQueueFilters", "views", value={}), FORM),
    "a topic without the key": (put(*QUEUES, "kafkaQueueFilters", "views", value={"a": ".*"}), NOT_BY_KEY),
    "a topic by jq without the key": (
        put(*QUEUES, "kafkaQueueJqFilters", "clicks", value="true"), NOT_BY_KEY
    ),
    "a mode of another queue": (put(*QUEUES, "queueModes", "users", value="mirror"), "queueModes"),
    "a mode that is none": (put(*QUEUES, "queueModes", "orders", value="steal"), "queueModes"),
    "all of it null": (put(*QUEUES, value=None), "says nothing: spec.queueSplitting"),
}  # fmt: skip

OTHER_CONTENT: dict[str, Case] = {
    "a variable without a name": (put("spec", "env", "overrides", "", value="a"), "spec.env.overrides"),
    "a variable with a value in its name": (
        put("spec", "env", "overrides", "A=B", value="c"), "spec.env.overrides"
    ),
    "a name that is empty": (put("spec", "env", "include", value=[""]), "spec.env.include"),
    "labels to keep and to leave": (
        put("spec", "labels", value={"include": [], "exclude": []}), "spec.labels"
    ),
    "no file": (put("spec", "configMounts", value=[]), "have a file each"),
    "a file without a place": (put("spec", "configMounts", 0, "path", value=""), "each of spec.configMounts"),
    "secrets that no rule opens": (
        put("spec", "secretMounts", value=[{"path": "/a", "secretKey": "k0"}]), "has secrets: true"
    ),
    "a Secret by its name": (
        put("spec", "secretMounts", value=[{"path": "/a", "secretKey": "password"}]), "its own key of k0"
    ),
    "a secret twice": (
        put("spec", "secretMounts", value=[{"path": p, "secretKey": "k0"} for p in "ab"]), "its own key of k0"
    ),
    "a secret that is not among them": (
        put("spec", "secretMounts", value=[{"path": "/a", "secretKey": "k1"}]), "its own key of k0"
    ),
    "a branch of none": (
        put("spec", "dbBranching", "pgBranchNames", value=["production"]), "names what is no branch"
    ),
    "a branch of another engine's": (
        put("spec", "dbBranching", value={"mysqlBranchNames": WHOLE["spec"]["dbBranching"]["pgBranchNames"]}),
        "names what is no branch",
    ),
    "no branch": (put("spec", "dbBranching", "pgBranchNames", value=[]), "names what is no branch"),
}  # fmt: skip

SLEEP = "spec.idle says when a session sleeps"
IDLE = ("spec", "idle")

ASLEEP: dict[str, Case] = {
    "no time": (put(*IDLE, value={"startIdle": False}), SLEEP),
    "a short time": (put(*IDLE, "sleepAfterSecs", value=29), SLEEP),
    "no time to wake": (put(*IDLE, "wakeTimeoutSecs", value=0), SLEEP),
    "all of it null": (put(*IDLE, value=None), "says nothing: spec.idle"),
}

CASES = FILTERS | MESSAGES | OTHER_CONTENT | {f"sleep: {name}": case for name, case in ASLEEP.items()}


@pytest.mark.parametrize(("spoil", "words"), CASES.values(), ids=CASES.keys())
def test_what_previewbot_would_not_give_a_session_is_refused(
    account: Account, spoil: Spoil, words: str
) -> None:
    assert_refused(account, spoiled(WHOLE, spoil), words)


def test_nothing_would_wake_a_session_that_takes_neither_requests_nor_messages(account: Account) -> None:
    for_ever = spoiled(WHOLE, drop("spec", "incoming"), drop("spec", "queueSplitting"))

    assert_refused(account, for_ever, "nothing would wake the session")


def test_rabbitmq_takes_no_jq_and_previewbot_sends_none() -> None:
    """The operator would refuse it; the configuration does so before."""
    queue = QueueSplit("orders", "rmq", {"baggage": PATTERN})
    spec = session(parts=SessionParts(queues=(queue,)))["spec"]

    assert list(spec["queueSplitting"]["rmqQueueFilters"]["orders"]) == ["messageFilter"]


def assert_refused(account: Account, manifest: dict[str, Any], words: str) -> None:
    answer = account.create(manifest)

    assert answer.status == 422, answer.text
    assert words in answer.body["message"]
    assert "resulted in error" not in answer.body["message"]
    assert "ValidatingAdmissionPolicy 'previewbot-" in answer.body["message"]


def test_what_the_cases_spoil_is_admitted(account: Account) -> None:
    answer = account.create(WHOLE)

    assert answer.status == 201, answer.text
