"""mirrord's PreviewSession: the only module that knows what its JSON looks like.

Field names, the default key filter and the key label follow mirrord's CLI 3.250 and the CRD of operator
chart 3.187 (`preview.mirrord.metalbear.co/v1alpha`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from previewbot.api import GROUP, PREVIEW_LABEL, Preview, Resource, owner_reference
from previewbot.config.repository import TargetPath
from previewbot.engine.annotations import HEAD_SHA, SPEC_HASH, hash_of, who_and_why
from previewbot.engine.parts import SessionParts
from previewbot.engine.session_spec import branches_in, parts_spec, workload
from previewbot.rules.environment_keys import hashed_label
from previewbot.rules.hosts import is_host_name
from previewbot.rules.masking import excerpt, one_line

API_GROUP = "preview.mirrord.metalbear.co"
API_VERSION = "v1alpha"
PLURAL = "previewsessions"
KIND = "PreviewSession"
SESSIONS = Resource(API_GROUP, API_VERSION, PLURAL)
KEY_LABEL = f"{API_GROUP}/key"
SERVICE_LABEL = f"{GROUP}/service"

POD_SESSION = "preview.metalbear.co/session-uid"
"""On each of a session's pods: the session's uid."""

REPLICA_SETS = Resource("apps", "v1", "replicasets")
"""What makes a session's pods: of the operator's Deployment, with the labels of the pods."""

SECRET_MOUNTS = Resource("operator.metalbear.co", "v1", "previewsecretmounts")
"""Takes the secret files of a session, which its object must not have."""

_QUEUE_FEATURES: Mapping[str, tuple[str, str]] = {
    "sqs": ("SqsQueueSplitting", "SQS"),
    "kafka": ("KafkaQueueSplitting", "Kafka"),
    "rmq": ("RmqQueueSplitting", "RabbitMQ"),
    "gcpPubsub": ("GcpPubSubQueueSplitting", "Pub/Sub"),
    "redisPubsub": ("RedisPubSubQueueSplitting", "Redis"),
    "temporal": ("TemporalQueueSplitting", "Temporal"),
    "bullmq": ("BullMqQueueSplitting", "BullMQ"),
}
"""The feature that an operator with splitting of a broker's queues has, and the broker's name."""

_LINES_KEPT = 60
_NAMES_OF_LOGS = frozenset({"container", "containername", "name", "pod", "podname", "namespace", "cluster"})
"""Keys beside a log that say whose it is."""
_STARTING = ("Initializing", "Waiting")
_PHASE_SHOWN = 40

PodSession = tuple[str, str]
"""The session that a pod belongs to: the namespace of both, and the session's uid."""

SessionPhase = Literal["Pending", "InProgress", "Ready", "Idle", "Waking", "Paused", "Failed"]


@dataclass(frozen=True)
class DesiredSession:
    """A session that should exist; `stands_on` are its database branches, each with all by which one is told
    from another: the uid, and what it was made of."""

    service: str
    namespace: str
    target: TargetPath
    container: str
    image: str
    parts: SessionParts
    head_sha: str
    ttl_seconds: int
    stands_on: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Session:
    """A session as the cluster shows it; `failure` is one line without what looks like a secret, and so are
    the `last_words` of one that failed, which newer operators keep.

    `unknown_phase` is the operator's word for a phase that is not known here, which counts as in progress.
    `disbelieved` says what its status claims and cannot be, in one line for the log. `branches` are the names
    of the database branches that its spec has.
    """

    name: str
    namespace: str
    uid: str
    owner_uid: str
    service: str
    head_sha: str
    spec_hash: str
    phase: SessionPhase
    failure: str
    share_host: str
    deleting_since: datetime | None
    created_at: datetime
    disbelieved: str = ""
    last_words: tuple[str, ...] = ()
    unknown_phase: str = ""
    branches: tuple[str, ...] = ()

    @property
    def serving(self) -> bool:
        """Whether requests that carry the header reach it now, or who answers instead while it is paused.

        While it wakes mirrord holds them. Somebody is waiting for their answer: no link may lead elsewhere.
        """
        return self.phase in ("Ready", "Idle", "Waking", "Paused") and self.deleting_since is None


def header(key: str) -> str:
    """Return the header that leads a request to the sessions of a key."""
    return f"baggage: {header_value(key)}"


def header_value(key: str) -> str:
    """Return the value of the `baggage` header for a key."""
    return f"mirrord-session={key}"


def session_name(key: str, namespace: str, target: TargetPath) -> str:
    """Return the name of a session: a DNS label that depends on key, namespace and configured target only.

    So the API server's uniqueness is the fence: two controllers cannot make two of them.
    """
    # The configured target and not the container that it resolves to: that may change with the workload, and
    # two sessions of one target would take each other's requests.
    digest = hashlib.sha256(f"{key}\n{namespace}\n{target}".encode()).hexdigest()[:8]
    return f"{key}-{digest}"


def manifest(preview: Preview, desired: DesiredSession) -> dict[str, Any]:
    """Return the manifest of a session; if it steals, then with the key's filter, never without one."""
    key = preview.spec.environment_key
    spec = spec_of(key, desired)
    return {
        "apiVersion": f"{API_GROUP}/{API_VERSION}",
        "kind": KIND,
        "metadata": {
            "name": session_name(key, desired.namespace, desired.target),
            "namespace": desired.namespace,
            "labels": {
                KEY_LABEL: hashed_label(key),
                PREVIEW_LABEL: preview.name,
                SERVICE_LABEL: desired.service,
            },
            "annotations": {
                **who_and_why(preview),
                HEAD_SHA: desired.head_sha,
                SPEC_HASH: spec_hash(key, desired),
            },
            "ownerReferences": [owner_reference(preview)],
        },
        "spec": spec,
    }


def spec_hash(key: str, desired: DesiredSession) -> str:
    """Return a hash of the session's spec without its time to live, and without when it goes to sleep if
    nobody said so: if it differs, the session is replaced.

    Its annotations are not in it: another name of the repository, or somebody else who starts what runs, must
    not take away what serves.
    """
    spec = spec_of(key, desired)
    # The platform team may change the longest life in the settings. That must not replace every session there
    # is.
    del spec["ttlSecs"]
    idle = desired.parts.idle
    if idle is not None and idle.by_default:
        # Nor must what the operator can do: it is asked once a minute, and may be upgraded, or not answer.
        del spec["idle"]
    if idle is not None and idle.never:
        # Else one that the default puts to sleep would go on sleeping.
        spec["idle"] = None
    if desired.stands_on:
        # mirrord tells a session where its databases are when it begins: with another branch of the same
        # name, made anew or migrated, it must begin again.
        return hash_of({"spec": spec, "branches": dict(desired.stands_on)})
    return hash_of(spec)


def session_from(obj: Mapping[str, Any]) -> Session:
    """Read a session; whatever phase we do not know is in progress, and a missing status is pending."""
    metadata = obj["metadata"]
    status = obj.get("status") or {}
    # A session whose owner somebody took away has no owner: it counts as another's, and makes way for one
    # that has.
    owners = metadata.get("ownerReferences") or [{}]
    annotations = metadata.get("annotations") or {}
    deleting = metadata.get("deletionTimestamp")
    # People click on it, and it stands in Markdown and HTML: whoever may write a session's status must not
    # write a link that leads elsewhere.
    shared = status.get("shareHost") or ""
    is_host = is_host_name(shared)
    phase = _phase(status.get("phase"))
    if phase == "InProgress" and status["phase"] in _STARTING and status.get("idleSince"):
        # mirrord clears the time only when the session is ready again.
        phase = "Waking"
    known = phase != "InProgress" or status["phase"] in _STARTING
    return Session(
        name=metadata["name"],
        namespace=metadata["namespace"],
        uid=metadata["uid"],
        owner_uid=owners[0].get("uid", ""),
        service=(metadata.get("labels") or {}).get(SERVICE_LABEL, ""),
        head_sha=annotations.get(HEAD_SHA, ""),
        spec_hash=annotations.get(SPEC_HASH, ""),
        phase=phase,
        failure=one_line(status.get("failureMessage") or ""),
        share_host=shared if is_host else "",
        deleting_since=datetime.fromisoformat(deleting) if deleting else None,
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
        unknown_phase="" if known else one_line(str(status["phase"]))[:_PHASE_SHOWN].strip(),
        disbelieved="" if is_host or not shared else f"its share host is no host name: {shared[:100]!a}",
        last_words=excerpt("\n".join(_lines_of(status.get("failureLogs")))),
        branches=branches_in(obj.get("spec")),
    )


def features_of(parts: SessionParts) -> Mapping[str, str]:
    """Return the features that mirrord's operator must offer for a session, each in words; of a broker whose
    feature is not known none."""
    features = dict[str, str]()
    for queue in parts.queues:
        name, broker = _QUEUE_FEATURES.get(queue.broker, ("", ""))
        if name:
            features[name] = f"splitting of {broker} queues"
        if name and queue.jq_filter is not None and queue.broker in ("sqs", "kafka"):
            features[f"{name}WithJqFilter"] = f"splitting of {broker} queues by jq"
    return features


def secrets_of(parts: SessionParts) -> Mapping[str, str]:
    """Return the secret files of a session, in base64, by the keys that its spec names."""
    return {f"k{number}": mount.data for number, mount in enumerate(parts.secret_mounts)}


def secret_mounts(session: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return what mirrord's operator is sent for a session's secret files, as the CLI 3.250 sends it."""
    metadata = session["metadata"]
    named = {"apiVersion": session["apiVersion"], "kind": session["kind"]}
    owner = {**named, "name": metadata["name"], "uid": metadata["uid"]}
    return {"namespace": metadata["namespace"], "owner_ref": owner, "values": dict(values)}


def pods_selector(session_uid: str) -> str:
    """Return the label selector of a session's pods, and of what makes them."""
    return f"{POD_SESSION}={session_uid}"


def _lines_of(logs: object, depth: int = 6) -> list[str]:
    """Return the lines of what an operator keeps of a failed session's logs.

    Which form they have no CRD says that was seen: a text, or several, each with its container's name beside
    it.
    """
    if isinstance(logs, str):
        return logs.splitlines()[-_LINES_KEPT:]
    if isinstance(logs, Mapping):
        said = [value for key, value in logs.items() if key.lower() not in _NAMES_OF_LOGS]
    else:
        said = list(logs) if isinstance(logs, Sequence) and not isinstance(logs, bytes) else []
    return [line for each in said if depth for line in _lines_of(each, depth - 1)][-_LINES_KEPT:]


def session_of_pod(obj: Mapping[str, Any]) -> PodSession | None:
    """Return which session a pod belongs to; None if it is no session's, or contradicts itself.

    The operator makes a session's pods in the session's namespace, by a Deployment: then the pod's owner is a
    ReplicaSet, which says nothing of the session. Where a pod names a session as its owner, that one counts.
    """
    # A label is anybody's who may make pods somewhere in the cluster, and a session's uid is no secret. Only
    # together with the namespace it names a session: there the platform team decides who makes pods.
    metadata = obj["metadata"]
    uid = str((metadata.get("labels") or {}).get(POD_SESSION, ""))
    for owner in metadata.get("ownerReferences") or []:
        of_mirrord = str(owner.get("apiVersion", "")).startswith(f"{API_GROUP}/")
        if of_mirrord and owner.get("kind") == KIND and owner.get("uid") != uid:
            return None
    return (metadata["namespace"], uid) if uid else None


def spec_of(key: str, desired: DesiredSession) -> dict[str, Any]:
    """Return the `spec` of a session of a key."""
    return {
        "image": desired.image,
        "key": key,
        "target": {**workload(desired.target), "container": desired.container},
        "ttlSecs": desired.ttl_seconds,
        **parts_spec(key, desired.namespace, desired.parts),
    }


def _phase(phase: object) -> SessionPhase:
    # No status yet: the operator has not reacted, or does not run at all.
    if phase is None:
        return "Pending"
    if phase == "Ready" or phase == "Idle" or phase == "Failed":
        return phase
    # Since operator 3.165: a `mirrord exec` with the same key and target takes the requests meanwhile.
    if phase == "Paused":
        return "Paused"
    # A phase of a newer operator. It is not over and does not serve as far as we know; the deadline ends it.
    return "InProgress"
