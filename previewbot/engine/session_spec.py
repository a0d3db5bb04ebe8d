"""The `spec` of mirrord's PreviewSession as the CLI 3.250 writes it, and the filter of its requests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from previewbot.config.keys import header_pattern
from previewbot.config.target_paths import TargetPath
from previewbot.config.types import TargetKind
from previewbot.engine.branches import branch_id, branch_name, is_carried
from previewbot.engine.manifest_parts import mapping
from previewbot.engine.parts import (
    Branch,
    Environment,
    Idle,
    IncomingRequests,
    PodLabels,
    QueueSplit,
    SessionParts,
    with_key,
)

TARGET_KINDS: Mapping[TargetKind, tuple[str, str]] = {
    "deployment": ("apps/v1", "Deployment"),
    "statefulset": ("apps/v1", "StatefulSet"),
    "rollout": ("argoproj.io/v1alpha1", "Rollout"),
    "replicaset": ("apps/v1", "ReplicaSet"),
    "pod": ("v1", "Pod"),
    "service": ("v1", "Service"),
    "job": ("batch/v1", "Job"),
    "cronjob": ("batch/v1", "CronJob"),
}
"""The API version and the kind of each target that a session may stand in for."""


def workload(target: TargetPath) -> dict[str, str]:
    """Return how mirrord's objects name a workload, but for its container."""
    api_version, kind = TARGET_KINDS[target.kind]
    return {"apiVersion": api_version, "kind": kind, "name": target.name}


_FILTER_KINDS = (
    "header_filter",
    "path_filter",
    "method_filter",
    "body_filter",
    "header_filter_jq",
    "all_of",
    "any_of",
    "ports",
)


def key_filter(key: str) -> str:
    """Return the default HTTP filter of a key, byte for byte as the CLI writes it.

    A share host is minted only for a filter equal to this one.
    """
    return _filter(header_filter=header_pattern("baggage", key))


def http_filter(key: str, incoming: IncomingRequests) -> str:
    """Return the filter of a session: the key's own, or that and more conditions, which only narrow it."""
    if incoming.by_tracestate:
        return _filter(any_of=[{"header": header_pattern(each, key)} for each in ("baggage", "tracestate")])
    if incoming.conditions:
        # The key's own is the first, so that whoever reads the object, and the admission policy, sees it.
        own = {"header": header_pattern("baggage", key)}
        return _filter(all_of=[own, *with_key(incoming.conditions, key)])
    return key_filter(key)


def _filter(**kinds: str | Sequence[Mapping[str, str]]) -> str:
    # All kinds are written out, with null, and in this order: the operator compares the text and not its
    # meaning.
    filters: dict[str, Any] = dict.fromkeys(_FILTER_KINDS)
    return json.dumps(filters | kinds, separators=(",", ":"), ensure_ascii=False)


def parts_spec(key: str, namespace: str, parts: SessionParts) -> dict[str, Any]:
    """Return what a session's `spec` has of its parts; what is not said is left out."""
    spec: dict[str, Any] = {"replicas": parts.replicas}
    # Without `incoming` the operator intercepts nothing, as for the CLI's `incoming: off`.
    if parts.incoming is not None:
        spec["incoming"] = _incoming(key, parts.incoming)
    if parts.queues:
        spec["queueSplitting"] = with_key(_queues(parts.queues), key)
    if parts.branches:
        spec["dbBranching"] = _branches(key, namespace, parts.branches)
    if parts.environment is not None:
        spec["env"] = with_key(_environment(parts.environment), key)
    if parts.labels is not None:
        spec["labels"] = with_key(_globs(parts.labels), key)
    if parts.config_mounts:
        mounts = [{"path": m.path, "type": m.type, "data": m.data} for m in parts.config_mounts]
        spec["configMounts"] = with_key(mounts, key)
    if parts.secret_mounts:
        # Which of the operator's Secret: the CLI numbers them.
        spec["secretMounts"] = [
            {"path": with_key(mount.path, key), "secretKey": f"k{number}"}
            for number, mount in enumerate(parts.secret_mounts)
        ]
    if parts.idle is not None and not parts.idle.never:
        spec["idle"] = _idle(parts.idle)
    return spec


def _incoming(key: str, incoming: IncomingRequests) -> dict[str, Any]:
    # Without a filter a session would steal every request of staging, of everybody.
    found: dict[str, Any] = {"steal": True, "httpFilter": http_filter(key, incoming)}
    # An empty list of ports is nothing that the operator says anything of: it must never come to mean all.
    if incoming.ports:
        found["ports"] = list(incoming.ports)
    if incoming.ignore_ports:
        found["ignorePorts"] = list(incoming.ignore_ports)
    return found


def _queues(queues: Sequence[QueueSplit]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for queue in queues:
        if queue.broker == "kafka":
            if queue.message_filter is not None:
                found.setdefault("kafkaQueueFilters", {})[queue.id] = dict(queue.message_filter)
            if queue.jq_filter is not None:
                found.setdefault("kafkaQueueJqFilters", {})[queue.id] = queue.jq_filter
        else:
            filters: dict[str, Any] = {}
            if queue.message_filter is not None:
                filters["messageFilter"] = dict(queue.message_filter)
            if queue.jq_filter is not None:
                filters["jqFilter"] = queue.jq_filter
            found.setdefault(f"{queue.broker}QueueFilters", {})[queue.id] = filters
    mirrored = {queue.id: "mirror" for queue in queues if queue.mirror}
    return found | ({"queueModes": mirrored} if mirrored else {})


def _branches(key: str, namespace: str, branches: Sequence[Branch]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    # Sorted, so that another order in a file is not another session.
    for branch in sorted(branches, key=lambda each: (each.dialect, each.name)):
        if is_carried(branch.dialect):
            name = branch_name(branch.dialect, namespace, branch_id(key, branch.name))
            found.setdefault(f"{branch.dialect}BranchNames", []).append(name)
    return found


def branches_in(spec: object) -> tuple[str, ...]:
    """Return the names of the database branches in the `spec` of a session, whoever wrote it."""
    lists = [
        names
        for field, names in sorted(mapping(spec, "dbBranching").items())
        if field.endswith("BranchNames") and isinstance(names, list)
    ]
    return tuple(name for names in lists for name in names if isinstance(name, str))


def _environment(environment: Environment) -> dict[str, Any]:
    overrides = dict(sorted(environment.overrides.items()))
    return _globs(environment) | ({"overrides": overrides} if overrides else {})


def _globs(said: Environment | PodLabels) -> dict[str, Any]:
    globs = {"include": said.include, "exclude": said.exclude}
    return {name: list(each) for name, each in globs.items() if each is not None}


def _idle(idle: Idle) -> dict[str, Any]:
    found: dict[str, Any] = {"startIdle": idle.start_idle}
    if idle.sleep_after is not None:
        found["sleepAfterSecs"] = int(idle.sleep_after.total_seconds())
    if idle.wake_timeout is not None:
        found["wakeTimeoutSecs"] = int(idle.wake_timeout.total_seconds())
    return found
