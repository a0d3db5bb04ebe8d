"""What a session may have of its own is admitted in every combination that previewbot makes, and stored so.

The CRD is mirrord's own where `PREVIEWBOT_MIRRORD_CRDS` names it, and is asked strictly. What is refused is
in tests/security/test_controllers_token_on_parts.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given, settings

from previewbot.clients.kubernetes.resources import contains
from previewbot.config.repository import parse_target
from previewbot.engine.parts import (
    KEY,
    Branch,
    Environment,
    Idle,
    IncomingRequests,
    MountedFile,
    PodLabels,
    QueueSplit,
    SecretMount,
    SessionParts,
)
from tests.chart.release import Account
from tests.support.admission import controller, session, upgrade, wait_until
from tests.support.control_plane import ControlPlane
from tests.support.session_parts import PATTERN, session_parts

pytestmark = pytest.mark.cluster

ODD = 'a"b\\c\n\r\t\f\b\x00\x1f\x7f{}[],:/é\u2028😀'
"""What JSON escapes, and what looks like it."""


SECRETS = tuple(SecretMount(f"/etc/{number}", "AAEC") for number in range(12))
RULES = [
    {"match": ["acme/shop"], "targets": ["deployment/*"]},
    {"match": ["acme/pay"], "targets": ["deployment/checkout"], "secrets": True},
]


@pytest.fixture(scope="module")
def account(control_plane: ControlPlane) -> Iterator[Account]:
    """The controller's account under the policies, with a rule that opens secrets to one of two targets."""
    with controller(control_plane) as found:
        upgrade(control_plane, {"settings.repositories": RULES, "settings.limits.replicas": 5})
        opened = session(parts=SessionParts(replicas=5, secret_mounts=SECRETS))
        wait_until(lambda: found.create(opened).status == 201)
        yield found


def assert_admitted(account: Account, parts: SessionParts) -> None:
    made = session(parts=parts)

    answer = account.create(made)

    assert (answer.status, answer.warnings) == (201, ()), answer.body.get("message")
    assert contains(answer.body, made), answer.text


ADMITTED: dict[str, SessionParts] = {
    "the key in tracestate": SessionParts(IncomingRequests(by_tracestate=True)),
    "a path": SessionParts(IncomingRequests(conditions=({"path": "^/api/"},))),
    "conditions of each kind": SessionParts(
        IncomingRequests(
            conditions=(
                {"header": "^x-tenant: a$"},
                {"path": "^/api/"},
                {"method": "GET"},
                {"query": 'test("x")'},
                {"body": "json", "query": "$.a", "matches": "b"},
            )
        )
    ),
    "what JSON escapes": SessionParts(IncomingRequests(conditions=({"path": ODD}, {"header": ODD}))),
    "ports that it leaves": SessionParts(IncomingRequests(ignore_ports=(9090, 1))),
    "three replicas": SessionParts(replicas=3),
    "variables": SessionParts(
        environment=Environment(("A_*",), ("B",), {"PR": KEY, "a.b-c": ODD, "EMPTY": ""})
    ),
    "none of the variables": SessionParts(environment=Environment(exclude=("*",))),
    "labels of its pods": SessionParts(labels=PodLabels(include=("app",))),
    "files": SessionParts(
        config_mounts=(MountedFile("/etc/a", "text", ODD), MountedFile("/etc/b", "binary", "AAEC"))
    ),
    "sleep": SessionParts(idle=Idle(sleep_after=timedelta(minutes=30))),
    "sleep from the start": SessionParts(idle=Idle(True, None, timedelta(seconds=1))),
    "sleep of what messages wake": SessionParts(
        None,
        idle=Idle(sleep_after=timedelta(seconds=30)),
        queues=(QueueSplit("a", "sqs", {"baggage": PATTERN}),),
    ),
    "queues of each form": SessionParts(
        queues=(
            QueueSplit("orders", "sqs", {"baggage": PATTERN}, "true"),
            QueueSplit("views", "kafka", {"baggage": PATTERN, "tenant": "^a|b$"}, ".payload == 1"),
            QueueSplit("clicks", "kafka", None, f'.key == "{KEY}"'),
            QueueSplit("invoices", "rmq", {"baggage": PATTERN}, mirror=True),
            QueueSplit("chan", "redisPubsub", None, f'.key == "{KEY}"'),
            QueueSplit("*", "temporal", {"baggage": PATTERN}),
        )
    ),
    "branches": SessionParts(
        branches=tuple(Branch(f"{dialect}1", dialect, {}) for dialect in ("pg", "pg", "mysql", "cockroachdb"))
    ),
    "a branch for which sessions have no field": SessionParts(branches=(Branch("a", "generic", {}),)),
    # So that the API server's budget for an expression is known to be enough.
    "conditions without end": SessionParts(
        IncomingRequests(conditions=tuple({"path": f"^/api/{number}/{'x' * 100}"} for number in range(1000)))
    ),
    "files as large as there can be": SessionParts(
        config_mounts=tuple(MountedFile(f"/etc/{number}", "text", "x" * 60_000) for number in range(17))
    ),
    "files as many as there can be": SessionParts(
        config_mounts=tuple(MountedFile(f"/etc/{number}", "text", "x" * 100) for number in range(4000))
    ),
    "variables without end": SessionParts(
        environment=Environment(
            tuple(f"I{number}" for number in range(2000)),
            tuple(f"E{number}" for number in range(2000)),
            {f"VARIABLE_{number}": "x" * 200 for number in range(4000)},
        )
    ),
    "queues without end": SessionParts(
        queues=tuple(
            QueueSplit(f"queue-{number}", "sqs", {"baggage": PATTERN}, None, True) for number in range(500)
        )
        + tuple(
            QueueSplit(f"topic-{number}", "kafka", {"baggage": PATTERN}, ".a", True) for number in range(500)
        )
    ),
    "branches without end": SessionParts(
        branches=tuple(Branch(f"b{number}", "pg", {}) for number in range(500))
    ),
}


@pytest.mark.parametrize("parts", ADMITTED.values(), ids=ADMITTED.keys())
def test_what_a_session_has_of_its_own_is_admitted(account: Account, parts: SessionParts) -> None:
    assert_admitted(account, parts)


@settings(max_examples=80)
@given(parts=session_parts(secrets=True))
def test_whatever_it_has_of_its_own_is_admitted(account: Account, parts: SessionParts) -> None:
    assert_admitted(account, parts)


def test_secrets_are_admitted_where_a_rule_opens_them_and_replicas_as_many_as_the_settings_say(
    account: Account,
) -> None:
    elsewhere = session(target=parse_target("deployment/web"), parts=SessionParts(secret_mounts=SECRETS))
    refused = [
        (elsewhere, "no rule of settings.repositories that opens deployment/web has secrets: true"),
        (session(parts=SessionParts(replicas=6)), "1 to 5 replicas"),
    ]

    assert_admitted(account, SessionParts(replicas=5, secret_mounts=SECRETS))
    for made, words in refused:
        answer = account.create(made)
        assert (answer.status, words in answer.text) == (422, True), answer.text
