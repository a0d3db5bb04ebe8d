"""When a session sleeps: by what is written, and by default where mirrord can and something wakes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from previewbot.api import Uses
from previewbot.config.repository import TargetPath, parse
from previewbot.config.types import TargetKind
from previewbot.doctor.cluster_judged import operator
from previewbot.engine import mirrord
from previewbot.engine.idle import AFTER, knows_idle, with_default
from previewbot.engine.operator import Answer, Operator, OperatorSeen
from previewbot.engine.parts import Idle, IncomingRequests, QueueSplit, SessionParts, taking
from previewbot.engine.session_spec import parts_spec
from previewbot.engine.translation import parts_of
from previewbot.rules.environment_keys import environment_key
from tests.support.passes import A, World, ready
from tests.support.previews import NOW

KEY = environment_key("github.com", 812, 42, "acme/shop")
UNSAID = Uses()
CAN = OperatorSeen(Answer.FOUND, Operator("3.187.0"), knows_idle=True)
SLEEPS = Idle(sleep_after=AFTER, by_default=True)
QUEUE = QueueSplit("orders", "sqs", {"baggage": "x"})


# Where nobody says anything


@pytest.mark.parametrize(
    ("parts", "sleeps"),
    [
        (taking((8080,)), True),
        (taking(None), True),
        (taking(()), False),
        (SessionParts(incoming=None, queues=(QUEUE,)), True),
        (SessionParts(incoming=IncomingRequests(), queues=(QUEUE,)), True),
    ],
    ids=["ports", "the pod's ports", "a consumer of shared queues", "of a split queue", "both"],
)
def test_by_default_sleeps_what_something_wakes(parts: SessionParts, sleeps: bool) -> None:
    assert with_default(parts, "deployment", CAN, uses=UNSAID).idle == (SLEEPS if sleeps else None)


def test_what_may_take_no_requests_at_all_does_not_sleep() -> None:
    assert with_default(taking(None), "deployment", CAN, uses=UNSAID, without_ports=True).idle is None
    split = SessionParts(queues=(QUEUE,))
    assert with_default(split, "deployment", CAN, uses=UNSAID, without_ports=True).idle == SLEEPS


@pytest.mark.parametrize(
    ("queues", "sleeps"),
    [(None, True), ((), True), (("orders",), True), (("orders", "mails"), False), (("mails",), False)],
    ids=["unsaid", "none", "its own", "its own and a shared one", "a shared one"],
)
def test_a_consumer_of_a_shared_queue_never_sleeps_by_default(
    queues: tuple[str, ...] | None, sleeps: bool
) -> None:
    parts = SessionParts(queues=(QUEUE,))

    assert with_default(parts, "deployment", CAN, uses=Uses(queues=queues)).idle == (
        SLEEPS if sleeps else None
    )


@pytest.mark.parametrize(
    "seen",
    [
        OperatorSeen(),
        OperatorSeen(Answer.FOUND, Operator("3.187.0")),
        OperatorSeen(Answer.FOUND, Operator("3.184.9"), knows_idle=True),
        OperatorSeen(Answer.FOUND, Operator("3.185.0"), knows_idle=True),
    ],
    ids=["nothing known", "a CRD without it", "an older operator", "one that wakes wrongly"],
)
def test_nothing_sleeps_by_default_where_mirrord_cannot(seen: OperatorSeen) -> None:
    assert with_default(taking((8080,)), "deployment", seen, uses=UNSAID).idle is None


@pytest.mark.parametrize("answer", [Answer.FORBIDDEN, Answer.UNREADABLE], ids=str)
def test_the_crd_is_enough_where_the_operator_may_not_be_asked(answer: Answer) -> None:
    seen = OperatorSeen(answer, knows_idle=True)

    assert with_default(taking((8080,)), "deployment", seen, uses=UNSAID).idle == SLEEPS


# Where somebody does


@pytest.mark.parametrize(
    "said", [Idle(never=True), Idle(sleep_after=timedelta(hours=2)), Idle(start_idle=True)]
)
def test_what_somebody_says_stays(said: Idle) -> None:
    parts = replace(taking((8080,)), idle=said)

    assert with_default(parts, "deployment", CAN, uses=UNSAID) == parts


@pytest.mark.parametrize(
    ("idle", "written"),
    [
        (SLEEPS, {"startIdle": False, "sleepAfterSecs": 1800}),
        (Idle(sleep_after=timedelta(hours=2)), {"startIdle": False, "sleepAfterSecs": 7200}),
        (Idle(never=True), None),
        (None, None),
    ],
    ids=["by default", "two hours", "never", "nothing"],
)
def test_it_is_written_as_mirrords_cli_writes_it(idle: Idle | None, written: dict[str, Any] | None) -> None:
    assert parts_spec(KEY, "staging", SessionParts(idle=idle)).get("idle") == written


# What replaces a session


PLAIN = """\
version: 1
defaults:
  paths: ["services/{service}/**"]
  namespace: staging
  image: ghcr.io/acme/{service}:{head_sha}
services:
  web:
    target: deployment/web
    ports: [8080, 9090]
  orders:
    target: statefulset/orders/container/app
  worker:
    target: rollout/worker
    ports: []
"""


@pytest.mark.parametrize("seen", [OperatorSeen(), CAN], ids=["a CRD without sleep", "one with it"])
@pytest.mark.parametrize(
    ("name", "container", "as_it_was"),
    [
        ("web", "main", "cce2bea335965c50"),
        ("orders", "app", "f52324ac73462925"),
        ("worker", "main", "631f1c276500f1d1"),
    ],
)
def test_what_says_nothing_of_mirrord_is_not_replaced_by_a_newer_previewbot(
    name: str, container: str, as_it_was: str, seen: OperatorSeen
) -> None:
    config = parse(PLAIN)
    [service] = [service for service in config.services if service.name == name]
    session = mirrord.DesiredSession(
        service=name,
        namespace=service.namespace,
        target=service.target,
        container=container,
        image=f"ghcr.io/acme/{name}@sha256:{'a' * 64}",
        parts=with_default(parts_of(config, service), service.target.kind, seen, uses=service.uses),
        head_sha=A,
        ttl_seconds=3600,
    )

    # As previewbot computed them when a session had nothing of its own but its ports: with any other, an
    # upgrade would restart every preview there is.
    assert mirrord.spec_hash(KEY, session) == as_it_was


def hash_with(idle: Idle | None, kind: TargetKind = "deployment") -> str:
    """Return the spec hash of a session that sleeps so."""
    session = mirrord.DesiredSession(
        service="checkout",
        namespace="staging",
        target=TargetPath(kind, "checkout"),
        container="app",
        image=f"ghcr.io/acme/checkout@sha256:{'a' * 64}",
        parts=replace(taking((8080,)), idle=idle),
        head_sha=A,
        ttl_seconds=3600,
    )
    return mirrord.spec_hash(KEY, session)


def test_what_the_operator_can_do_replaces_no_session_and_what_somebody_writes_does() -> None:
    as_it_was = hash_with(None)

    assert hash_with(SLEEPS) == as_it_was
    # Else what sleeps by default would go on sleeping.
    assert hash_with(Idle(never=True)) != as_it_was
    assert hash_with(Idle(sleep_after=AFTER)) != as_it_was


async def test_a_session_sleeps_by_default_and_stays_when_the_operator_is_not_known_for_a_while() -> None:
    world = World()
    world.operator = CAN
    await ready(world)
    (session,) = world.cluster.sessions.values()
    assert session["spec"]["idle"] == {"startIdle": False, "sleepAfterSecs": 1800}

    world.operator = OperatorSeen()
    await world.settle(3)
    assert [each["metadata"]["uid"] for each in world.cluster.sessions.values()] == [
        session["metadata"]["uid"]
    ]


async def test_one_that_was_made_by_an_older_previewbot_stays_awake_until_the_next_commit() -> None:
    world = await ready()
    (session,) = world.cluster.sessions.values()
    assert "idle" not in session["spec"]

    world.operator = CAN
    await world.settle(3)
    (now,) = world.cluster.sessions.values()
    assert now["metadata"]["uid"] == session["metadata"]["uid"]


# What the API server publishes


@pytest.mark.parametrize(
    ("spec", "knows"),
    [
        ({"idle": {"type": "object"}, "image": {}}, True),
        ({"image": {}}, False),
        (None, False),
        ("idle", False),
    ],
)
def test_whether_the_crd_has_it_is_read_from_what_the_api_server_publishes(spec: Any, knows: bool) -> None:
    group, version = mirrord.SESSIONS.group, mirrord.SESSIONS.version
    schema = {
        "properties": {"spec": {"properties": spec}},
        "x-kubernetes-group-version-kind": [{"group": group, "version": version, "kind": mirrord.KIND}],
    }
    assert knows_idle({"components": {"schemas": {"any": schema}}}) is knows
    assert not knows_idle({})


def test_the_doctor_says_where_nothing_sleeps_by_itself() -> None:
    (can,) = operator(CAN, NOW)
    (cannot,) = operator(OperatorSeen(Answer.FOUND, Operator("3.187.0")), NOW)

    assert "sleeps" not in can.words
    assert "none of them sleeps by itself: its CRD of sessions has no `idle`" in cannot.words
