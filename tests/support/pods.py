"""Pods as a kubelet shows them, for what goes wrong with one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from previewbot.engine.mirrord import POD_SESSION

Object = dict[str, Any]

BACK_OFF = "back-off 10s restarting failed container=app pod=checkout_staging"


def moment(at: datetime) -> str:
    """Write a moment as Kubernetes does."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def a_pod(session_uid: str, status: Object, *, name: str = "checkout-1", **metadata: Any) -> Object:
    """Return the manifest of a session's pod with this status."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "staging", "labels": {POD_SESSION: session_uid}, **metadata},
        "spec": {"containers": [{"name": "app", "image": "ghcr.io/acme/checkout:1"}]},
        "status": status,
    }


def containers(*statuses: Object, **more: Any) -> Object:
    """Return the status of a pod with these containers."""
    return {"phase": "Running", "containerStatuses": list(statuses), **more}


def container(state: Object, last: Object | None = None, *, name: str = "app", restarts: int = 0) -> Object:
    """Return the status of a container."""
    return {"name": name, "state": state, "lastState": last or {}, "restartCount": restarts}


def waiting(reason: str, message: str = "") -> Object:
    """Return the state of a container that waits."""
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def ended(code: int, reason: str = "Error", **more: Any) -> Object:
    """Return the state of a container that ended."""
    return {"terminated": {"exitCode": code, "reason": reason, **more}}


def running(now: datetime, seconds: float) -> Object:
    """Return the state of a container that has been running for some seconds."""
    return {"running": {"startedAt": moment(now - timedelta(seconds=seconds))}}


def pull_failed(image: str) -> Object:
    """Return the status of a pod whose image is not there."""
    message = f'Back-off pulling image "{image}": ErrImagePull: {image}: not found'
    return containers(container(waiting("ImagePullBackOff", message)), phase="Pending")


def crash_loop(restarts: int = 3, code: int = 1) -> Object:
    """Return the status of a pod whose container ends again and again."""
    return containers(container(waiting("CrashLoopBackOff", BACK_OFF), ended(code), restarts=restarts))


def out_of_memory() -> Object:
    """Return the status of a pod whose container was killed for its memory."""
    return containers(container(waiting("CrashLoopBackOff", BACK_OFF), ended(137, "OOMKilled"), restarts=2))


def unschedulable(message: str) -> Object:
    """Return the status of a pod that no node has room for."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {"phase": "Pending", "conditions": [condition]}


def well(now: datetime, seconds: float = 300) -> Object:
    """Return the status of a pod that runs, never Ready as all of a preview's pods."""
    gate = {"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady"}
    return containers(container(running(now, seconds)), conditions=[gate])
