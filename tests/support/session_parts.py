"""Parts of sessions, made up: everything that a session may have of its own, in every combination."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import get_args

from hypothesis import strategies as st

from previewbot.engine.parts import (
    KEY,
    Branch,
    Broker,
    Environment,
    Idle,
    IncomingRequests,
    Json,
    MountedFile,
    PodLabels,
    QueueSplit,
    SecretMount,
    SessionParts,
)

MOST_REPLICAS = 3
"""`limits.replicas` where the settings say nothing."""

DIALECTS = (
    *("pg", "mysql", "mariadb", "mongodb", "mssql"),
    *("redis", "dynamodb", "spanner", "clickhouse", "cockroachdb"),
)

TEXT = st.text(max_size=20)
NAMES = st.text(min_size=1, max_size=10)
VARIABLES = st.text("ABC_xyz019.-", min_size=1, max_size=10)
LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
PORTS = st.lists(st.integers(1, 65_535), min_size=1, max_size=4, unique=True).map(tuple)
PATTERN = f".*mirrord-session={KEY}.*"

CONDITIONS: st.SearchStrategy[Json] = st.one_of(
    st.sampled_from(("header", "path", "method", "query")).flatmap(
        lambda kind: st.fixed_dictionaries({kind: TEXT})
    ),
    # In mirrord's order, in which the admission policy reads them.
    st.tuples(TEXT, TEXT).map(lambda both: {"body": "json", "query": both[0], "matches": both[1]}),
)

INCOMING = st.one_of(
    st.builds(IncomingRequests, ports=st.none() | PORTS, by_tracestate=st.booleans()),
    st.builds(IncomingRequests, ignore_ports=PORTS, conditions=st.lists(CONDITIONS, max_size=4).map(tuple)),
)

GLOBS = st.none() | st.lists(NAMES, max_size=3).map(tuple)
ENVIRONMENTS = st.builds(
    Environment, include=GLOBS, exclude=GLOBS, overrides=st.dictionaries(VARIABLES, TEXT, max_size=3)
)
POD_LABELS = st.builds(PodLabels, include=GLOBS) | st.builds(PodLabels, exclude=GLOBS)

_BASE64 = st.binary(max_size=20).map(lambda data: base64.b64encode(data).decode())
CONFIG_MOUNTS = st.builds(MountedFile, path=NAMES, type=st.just("text"), data=TEXT) | st.builds(
    MountedFile, path=NAMES, type=st.just("binary"), data=_BASE64
)
SECRET_MOUNTS = st.builds(SecretMount, path=NAMES, data=_BASE64)

_WAKES = st.none() | st.integers(1, 600).map(lambda seconds: timedelta(seconds=seconds))
_SLEEPS = st.integers(30, 86_400).map(lambda seconds: timedelta(seconds=seconds))
IDLE = st.builds(
    Idle, start_idle=st.just(True), sleep_after=st.none() | _SLEEPS, wake_timeout=_WAKES
) | st.builds(Idle, sleep_after=_SLEEPS, wake_timeout=_WAKES)


def _with_filter(broker: Broker) -> st.SearchStrategy[QueueSplit]:
    by_attribute = st.dictionaries(NAMES, TEXT, max_size=2).map(lambda others: {**others, "baggage": PATTERN})
    if broker == "rmq":
        filters = by_attribute.map(lambda each: (each, None))
    else:
        by_jq = TEXT.map(lambda text: f"{text}{KEY}")
        filters = st.one_of(
            st.tuples(by_attribute, st.none() | TEXT),
            st.tuples(st.none(), by_jq),
            st.tuples(st.dictionaries(NAMES, TEXT, min_size=1, max_size=2), by_jq),
        )

    def split(identity: str, both: tuple[dict[str, str] | None, str | None], mirror: bool) -> QueueSplit:
        return QueueSplit(identity, broker, both[0], both[1], mirror)

    return st.builds(split, st.just("*") | NAMES, filters, st.booleans())


QUEUES = st.sampled_from(get_args(Broker)).flatmap(_with_filter)
BRANCHES = st.builds(
    Branch,
    name=LABELS,
    dialect=st.sampled_from((*DIALECTS, "generic")),
    spec=st.just({}),
)


@st.composite
def session_parts(draw: st.DrawFn, *, secrets: bool = False) -> SessionParts:
    """Draw what a session may have of its own; with `secrets` also files that only the operator sees."""
    incoming = draw(st.none() | INCOMING)
    queues = tuple(draw(st.lists(QUEUES, max_size=3, unique_by=lambda queue: (queue.broker, queue.id))))
    wakes = incoming is not None or bool(queues)
    return SessionParts(
        incoming=incoming,
        replicas=draw(st.integers(1, MOST_REPLICAS)),
        environment=draw(st.none() | ENVIRONMENTS),
        labels=draw(st.none() | POD_LABELS),
        config_mounts=tuple(draw(st.lists(CONFIG_MOUNTS, max_size=3))),
        secret_mounts=tuple(draw(st.lists(SECRET_MOUNTS, max_size=12))) if secrets else (),
        idle=draw(st.none() | IDLE) if wakes else None,
        queues=queues,
        branches=tuple(draw(st.lists(BRANCHES, max_size=3, unique_by=lambda branch: branch.name))),
    )


EVERYTHING = SessionParts(
    incoming=IncomingRequests(ports=(8080, 9090), conditions=({"path": "^/api/"}, {"method": "GET"})),
    replicas=2,
    environment=Environment(("A_*",), ("B",), {"PR": KEY}),
    labels=PodLabels(exclude=("team",)),
    config_mounts=(MountedFile("/etc/a", "text", "a"), MountedFile("/etc/b", "binary", "AAEC")),
    idle=Idle(True, timedelta(minutes=30), timedelta(minutes=2)),
    queues=(
        QueueSplit("orders", "sqs", {"baggage": PATTERN}, ".a", mirror=True),
        QueueSplit("views", "kafka", {"baggage": PATTERN}, ".a"),
    ),
    branches=(Branch("orders", "pg", {}), Branch("users", "mysql", {})),
)
"""All that a session may have of its own without a rule that opens secrets to it."""
