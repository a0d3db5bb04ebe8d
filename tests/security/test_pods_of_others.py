"""A pod counts as a session's only in the session's namespace, and not if it names another as its owner.

Sessions' uids are no secret: whoever may make pods in another namespace of the cluster can give them the
label that a session's pods carry. Neither such a pod's words nor its log may come into a comment.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from previewbot.api import PREVIEW_LABEL, PodProblem
from previewbot.clients.kubernetes.informer import status_only
from previewbot.config.server import parse
from previewbot.engine import mirrord
from previewbot.reconciler.children import KINDS, ROUTE
from previewbot.reconciler.context import Context
from previewbot.reconciler.gather.pods import pod_problems
from previewbot.reconciler.memory import Memory
from previewbot.runtime.health import Health
from previewbot.runtime.pods import Pods
from previewbot.runtime.workers import Workers
from tests.support.observations import a_service, a_session
from tests.support.passes import SETTINGS
from tests.support.pods import a_pod, container, containers, crash_loop, pull_failed, waiting, well
from tests.support.previews import NOW, a_preview

SESSION = a_session(uid="s-1")
LURE = "see https://evil.example to get your preview back"
STRANGERS = {
    "crash": crash_loop(),
    "pull": pull_failed(LURE),
    "start": containers(container(waiting("CreateContainerConfigError", LURE))),
    "unscheduled": {
        "phase": "Pending",
        "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": LURE}
        ],
    },
}


class Controller:
    """What a controller makes of pods: whom they wake, and what of them is read and told."""

    def __init__(self) -> None:
        self.reads: list[str] = []
        self.workers = Workers(CollectorRegistry(), Health())
        self.pods = Pods(self.workers.pods_changed, lambda: NOW)
        labels = {PREVIEW_LABEL: "gh-812-42"}
        session = {"metadata": {"name": "k1", "namespace": "staging", "uid": "s-1", "labels": labels}}
        self.workers.child_changed(None, session)

    def shows(self, status: dict[str, Any], **metadata: Any) -> None:
        """Let a watch tell of a pod that carries the session's uid."""
        self.pods.changed(None, status_only(a_pod("s-1", status, **metadata)))

    async def woken(self) -> list[str]:
        """Return whom the pods woke, after the session itself."""
        names: list[str] = []
        self.workers.queue.add("the end")
        while (name := await self.workers.queue.get()) != "the end":
            names.append(name)
            self.workers.queue.done(name)
        self.workers.queue.done("the end")
        return names

    async def told(self) -> dict[str, PodProblem]:
        """Return what is told of the session's pods."""
        nothing = cast(Any, None)
        context = Context(
            kube=cast(Any, self), github=nothing, registry=nothing, links=nothing, renderer=nothing,
            settings=parse(SETTINGS, {}),
            now=lambda: NOW, previews=list, pods=self.pods, wrote=lambda _: None, kinds=KINDS, route=ROUTE,
            memory=Memory(),
        )  # fmt: skip
        service = replace(a_service(), container="app")
        return await pod_problems(context, a_preview(), [service], [SESSION])

    async def pod_log(self, namespace: str, pod: str, container: str, *, previous: bool) -> str:
        self.reads.append(f"log of {namespace}/{pod}")
        return f"{LURE}\n"

    async def pod_events(self, namespace: str, pod_uid: str) -> list[Any]:
        self.reads.append(f"events of {namespace}/{pod_uid}")
        return []


OTHERS: dict[str, dict[str, Any]] = {
    "another namespace": {"namespace": "team-b"},
    "another session": {
        "ownerReferences": [
            {"apiVersion": f"{mirrord.API_GROUP}/v1alpha", "kind": mirrord.KIND, "name": "k2", "uid": "s-2"}
        ]
    },
}


@pytest.mark.parametrize("whose", OTHERS)
@pytest.mark.parametrize("status", STRANGERS)
async def test_a_pod_of_another_is_neither_read_nor_told_of_and_wakes_nobody(status: str, whose: str) -> None:
    controller = Controller()
    await controller.woken()
    controller.shows(STRANGERS[status], name="lure", uid="pod-9", **OTHERS[whose])

    assert await controller.woken() == []
    assert await controller.told() == {}
    assert controller.reads == []


async def test_a_newer_pod_of_another_hides_no_problem() -> None:
    controller = Controller()
    controller.shows(crash_loop(), uid="pod-1", creationTimestamp="2026-11-24T08:00:00Z")
    controller.shows(well(NOW), uid="pod-9", creationTimestamp="2026-11-24T08:59:00Z", namespace="team-b")

    assert list(await controller.told()) == ["s-1"]
    assert controller.reads == ["log of staging/checkout-1"]


async def test_the_end_of_a_strangers_pod_takes_none_of_the_sessions_away() -> None:
    controller = Controller()
    controller.shows(crash_loop(), uid="pod-1")
    stranger = status_only(a_pod("s-1", well(NOW), uid="pod-1", namespace="team-b"))
    controller.pods.changed(None, stranger)
    controller.pods.changed(stranger, None)

    assert list(await controller.told()) == ["s-1"]


@pytest.mark.parametrize(
    "owner",
    [
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "checkout-6d5f7c9b8", "uid": "rs-1"},
        {"apiVersion": f"{mirrord.API_GROUP}/v1beta1", "kind": mirrord.KIND, "name": "k1", "uid": "s-1"},
        None,
    ],
)
async def test_a_pod_of_the_session_is_believed_however_the_operator_owns_it(owner: Any) -> None:
    controller = Controller()
    await controller.woken()
    controller.shows(crash_loop(), uid="pod-1", **({"ownerReferences": [owner]} if owner else {}))

    assert await controller.woken() == ["gh-812-42"]
    assert list(await controller.told()) == ["s-1"]
