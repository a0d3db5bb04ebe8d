"""What a preview session has of its own, as values, whether `.github/preview.yaml` or a mirrord file says it.

`engine/session_spec.py` makes a session's JSON of them, `engine/branches.py` that of its database branches.
Field names of mirrord's own JSON that no word of ours depends on pass through as they are (`Json`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from previewbot.config.keys import KEY as KEY
from previewbot.config.mirrord.configuration import Environment as Environment
from previewbot.config.mirrord.configuration import MountedFile as MountedFile
from previewbot.config.mirrord.configuration import PodLabels as PodLabels

Json = Mapping[str, Any]
"""A part of an object in mirrord's own form (camelCase, as in the CRD), with `KEY` where the key belongs."""


def with_key(value: Any, key: str) -> Any:
    """Return JSON with the environment key wherever `KEY` stands, in names of fields as well."""
    if isinstance(value, str):
        return value.replace(KEY, key)
    if isinstance(value, Mapping):
        return {with_key(name, key): with_key(each, key) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [with_key(each, key) for each in value]
    return value


@dataclass(frozen=True)
class IncomingRequests:
    """Which requests a session takes: those with the key's header, of these what fits `conditions`.

    `ports` None: the operator finds them, in what the pod's containers declare; `ignore_ports` are not among
    them. `conditions` are items of mirrord's `all_of` (`{"path": "^/api/"}`), behind the key's own.
    `by_tracestate`: the key counts in `tracestate` as well as in `baggage` (mirrord's `any_of`); then there
    are no conditions.
    """

    ports: tuple[int, ...] | None = None
    ignore_ports: tuple[int, ...] = ()
    conditions: tuple[Json, ...] = ()
    by_tracestate: bool = False


@dataclass(frozen=True)
class SecretMount:
    """A file in the session's container of which the session's object has no more than the path; `data` is
    base64, and goes to the operator alone."""

    path: str
    data: str = field(repr=False)


@dataclass(frozen=True)
class Idle:
    """When a session goes to sleep; of `sleep_after` None it does not by itself. Whole seconds.

    `never`: its configuration says so (`idle: off`), so that no default puts it to sleep. `by_default`: its
    configuration says nothing of it (`engine/idle.py`).
    """

    start_idle: bool = False
    sleep_after: timedelta | None = None
    wake_timeout: timedelta | None = None
    never: bool = False
    by_default: bool = False


Broker = Literal["sqs", "kafka", "rmq", "gcpPubsub", "azureServiceBus", "redisPubsub", "temporal", "bullmq"]
"""mirrord's word for a broker, as in the names of a session's fields (`sqsQueueFilters`)."""


@dataclass(frozen=True)
class QueueSplit:
    """A queue of which a session gets the messages that match all that is said here.

    `id` is that of mirrord's split configuration, not the broker's name; `*` is every queue of the target.
    `message_filter`: patterns by attribute (Kafka: header). `mirror`: staging gets these messages too.
    """

    id: str
    broker: Broker
    message_filter: Mapping[str, str] | None = None
    jq_filter: str | None = None
    mirror: bool = False


@dataclass(frozen=True)
class Branch:
    """A database of its own: `<key>-<name>` is the id of mirrord's branch.

    `dialect` is the word in the object's name (`pg`). `spec` is the object's, without id, target, time to
    live and migrations; `container` is the target's whose variables are read, empty where it is not named.
    `copy` is mirrord's word for what is copied, empty where the engine has none. `variables` are those that
    lead the service to the database. `kept`: pushes do not replace it.
    """

    name: str
    dialect: str
    spec: Json
    container: str = ""
    database: str = ""
    copy: str = ""
    variables: tuple[str, ...] = ()
    migrations: Json | None = None
    kept: bool = True


@dataclass(frozen=True)
class SessionParts:
    """All that a session has beyond its image, key, target and time to live.

    `incoming` None: it takes no requests.
    """

    incoming: IncomingRequests | None = IncomingRequests()
    replicas: int = 1
    environment: Environment | None = None
    labels: PodLabels | None = None
    config_mounts: tuple[MountedFile, ...] = ()
    secret_mounts: tuple[SecretMount, ...] = ()
    idle: Idle | None = None
    queues: tuple[QueueSplit, ...] = ()
    branches: tuple[Branch, ...] = ()


def taking(ports: tuple[int, ...] | None) -> SessionParts:
    """Return the parts of a session that has nothing of its own but where it takes requests.

    None: the operator finds the ports. None at all (an empty tuple) is a workload that takes no requests.
    """
    return SessionParts(IncomingRequests(ports) if ports is None or ports else None)
