"""Pods, their logs and events, on both API servers: what the controller reads of them, and how it follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from previewbot.clients.kubernetes.cache import ObjectCache
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.informer import Informer, status_only
from previewbot.clients.kubernetes.resources import PODS
from previewbot.engine.mirrord import POD_SESSION, REPLICA_SETS, pods_selector
from previewbot.errors import Forbidden, RemoteError, TryLater
from previewbot.rules.pod_problems.events import newest_first
from previewbot_demo.kube import FakeKube
from tests.contract.conftest import ApiServer
from tests.support.api import MERGE_PATCH
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.pods import a_pod, crash_loop
from tests.support.servers import served

Object = dict[str, Any]


def manifest(server: ApiServer, session_uid: str, name: str) -> Object:
    """Return a pod's manifest as an API server without nodes takes it."""
    pod = a_pod(session_uid, {}, name=name)
    pod["metadata"]["namespace"] = server.namespace
    pod["spec"]["serviceAccountName"] = "default"
    return pod


def path(server: ApiServer, name: str = "") -> str:
    return f"/api/v1/namespaces/{server.namespace}/pods/{name}".rstrip("/")


async def make(server: ApiServer, session_uid: str = "s-1", name: str = "checkout-1") -> Object:
    """Create a pod, as soon as the namespace has the account that it runs as."""
    async with asyncio.timeout(20):
        while True:
            answer = server.call("POST", path(server), manifest(server, session_uid, name))
            if answer.status == 201:
                return answer.body
            assert "serviceaccount" in answer.text, answer.text
            await asyncio.sleep(0.05)


def show(server: ApiServer, name: str, status: Object) -> Object:
    """Write a pod's status, as its kubelet does."""
    answer = server.call("PATCH", path(server, name) + "/status", {"status": status}, MERGE_PATCH)
    assert answer.status == 200, answer.text
    return answer.body


def event(server: ApiServer, pod: Object, name: str, message: str) -> Object:
    about = {"kind": "Pod", "namespace": server.namespace, "name": pod["metadata"]["name"]}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": server.namespace},
        "involvedObject": {**about, "uid": pod["metadata"]["uid"]},
        "reason": "Failed",
        "message": message,
        "type": "Warning",
    }


async def test_a_pods_status_has_an_endpoint_of_its_own(server: ApiServer) -> None:
    body = {**manifest(server, "s-1", "other"), "status": crash_loop()}
    await make(server)
    created = server.call("POST", path(server), body).body

    assert "containerStatuses" not in created.get("status", {})
    shown = show(server, "other", crash_loop())
    state = shown["status"]["containerStatuses"][0]["state"]
    assert state["waiting"]["reason"] == "CrashLoopBackOff"


async def test_the_controller_follows_the_pods_of_sessions_and_no_others(
    server: ApiServer, kube: Kube
) -> None:
    seen: list[tuple[str, str]] = []
    store = ObjectCache(lambda before, after: seen.append(of_change(before, after)))
    await make(server, name="listed")
    other = manifest(server, "", "other")
    del other["metadata"]["labels"]
    assert server.call("POST", path(server), other).status == 201
    follower = Informer(
        kube, PODS, server.namespace, store,
        progressed=lambda: None, keep=status_only, selector=POD_SESSION,
    )  # fmt: skip
    following = asyncio.create_task(follower.run())

    await follower.synced.wait()
    await make(server, name="watched")
    show(server, "watched", crash_loop())
    server.call("DELETE", path(server, "listed"), {"gracePeriodSeconds": 0})
    async with asyncio.timeout(10):
        while not {("gone", "listed"), ("CrashLoopBackOff", "watched")} <= set(seen):
            await asyncio.sleep(0.02)
    following.cancel()

    assert {name for _, name in seen} == {"listed", "watched"}
    (left,) = store
    assert set(left) == {"metadata", "status"}
    assert left["metadata"]["labels"] == {POD_SESSION: "s-1"}
    assert "managedFields" not in left["metadata"]


def of_change(before: Any, after: Any) -> tuple[str, str]:
    if after is None:
        return "gone", before["metadata"]["name"]
    statuses = after["status"].get("containerStatuses") or [{"state": {"waiting": {"reason": "new"}}}]
    return statuses[0]["state"]["waiting"]["reason"], after["metadata"]["name"]


async def test_the_events_about_a_pod_are_listed_and_no_others(server: ApiServer, kube: Kube) -> None:
    one, other = await make(server), await make(server, name="other")
    events = f"/api/v1/namespaces/{server.namespace}/events"
    for pod, name in ((one, "one"), (other, "other")):
        assert server.call("POST", events, event(server, pod, name, f"about {name}")).status == 201

    found = await kube.pod_events(server.namespace, one["metadata"]["uid"])

    assert [each["message"] for each in found] == ["about one"]


async def test_events_cannot_be_asked_for_by_every_field(server: ApiServer) -> None:
    answer = server.call("GET", f"/api/v1/namespaces/{server.namespace}/events?fieldSelector=message%3Dx")

    assert (answer.status, "field label not supported: message" in answer.text) == (400, True)


@pytest.mark.parametrize("previous", [False, True])
async def test_a_container_that_never_ran_has_an_empty_log(
    server: ApiServer, kube: Kube, previous: bool
) -> None:
    await make(server)

    assert await kube.pod_log(server.namespace, "checkout-1", "app", previous=previous) == ""


@pytest.mark.parametrize(("pod", "container", "status"), [("none", "app", 404), ("checkout-1", "none", 400)])
async def test_where_there_is_no_such_container_there_is_no_log(
    server: ApiServer, kube: Kube, pod: str, container: str, status: int
) -> None:
    await make(server)

    assert server.call("GET", f"{path(server, pod)}/log?container={container}").status == status
    assert await kube.pod_log(server.namespace, pod, container, previous=True) == ""


@asynccontextmanager
async def a_cluster(directory: Path, fake: FakeKube, seconds: float = 30.0) -> AsyncIterator[Kube]:
    with served(fake.handle) as (url, _):
        kubeconfig = write_kubeconfig(directory / "kubeconfig", url)
        kube = await Kube.connect(kubeconfig, user_agent="tests", request_timeout=seconds)
        yield kube
        await kube.close()


LOGS = {
    "the run that crashed": ({True: "crashed", False: "starts"}, True, "crashed"),
    "the present run, right after a restart": ({False: "starts"}, True, "starts"),
    "the present run, if the one before said nothing": ({True: "\n", False: "starts"}, True, "starts"),
    "the present run alone": ({True: "crashed", False: "starts"}, False, "starts"),
    "only the end of it": ({False: "x\n" * 100 + "last"}, False, "x\n" * 59 + "last"),
}


@pytest.mark.parametrize(("said", "previous", "expected"), LOGS.values(), ids=LOGS.keys())
async def test_the_log_is_of(tmp_path: Path, said: dict[bool, str], previous: bool, expected: str) -> None:
    fake = FakeKube()
    fake.seed(a_pod("s-1", {}))
    fake.logs = {("checkout-1", "app", before): text for before, text in said.items()}
    async with a_cluster(tmp_path, fake) as kube:
        assert await kube.pod_log("staging", "checkout-1", "app", previous=previous) == expected


BAD_ANSWERS: dict[str, tuple[web.Response | None, type[RemoteError]]] = {
    "no permission": (web.Response(status=403, text="{}"), Forbidden),
    "a kubelet that is away": (web.Response(status=500, text="dial tcp: connection refused"), TryLater),
    "silence": (None, TryLater),
}


@pytest.mark.parametrize(("answer", "error"), BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
async def test_a_bad_answer_is_an_error_of_ours(
    tmp_path: Path, answer: web.Response | None, error: type[RemoteError]
) -> None:
    fake = FakeKube()

    async def before(_: object) -> web.Response:
        if answer is None:
            await asyncio.sleep(600)
            raise AssertionError
        return web.Response(status=answer.status, text=answer.text)

    fake.faults.before = before
    # Only silence is waited for: of a machine that does much else an answer may take seconds.
    async with a_cluster(tmp_path, fake, 0.5 if answer is None else 30.0) as kube:
        with pytest.raises(error):
            await kube.pod_log("staging", "checkout-1", "app", previous=True)
        with pytest.raises(error):
            await kube.pod_events("staging", "uid-1")
        with pytest.raises(error):
            await kube.list_for_watch(PODS, "staging", selector=POD_SESSION)


@pytest.mark.parametrize("text", ["<html>", "null", '{"items":', "{}"])
async def test_a_list_that_is_none_is_an_error_of_ours(tmp_path: Path, text: str) -> None:
    fake = FakeKube()

    async def before(_: object) -> web.Response:
        return web.Response(text=text)

    fake.faults.before = before
    async with a_cluster(tmp_path, fake) as kube:
        with pytest.raises(TryLater):
            await kube.pod_events("staging", "uid-1")
        with pytest.raises(TryLater):
            await kube.list_for_watch(PODS, "staging")


async def test_what_makes_a_sessions_pods_is_found_by_the_label_of_its_pods(
    server: ApiServer, kube: Kube
) -> None:
    template = manifest(server, "s-1", "x")
    template["metadata"] = {"labels": {POD_SESSION: "s-1"}}
    for name, uid in (("ours", "s-1"), ("anothers", "s-2")):
        labels = {POD_SESSION: uid}
        made = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": name, "namespace": server.namespace, "labels": labels},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
            },
        }
        answer = server.call("POST", f"/apis/apps/v1/namespaces/{server.namespace}/replicasets", made)
        assert answer.status == 201, answer.text

    [found] = await kube.list_children(REPLICA_SETS, server.namespace, pods_selector("s-1"))

    assert found["metadata"]["name"] == "ours"


async def test_of_an_events_series_the_last_moment_is_kept(server: ApiServer, kube: Kube) -> None:
    """Two kinds of components write events, in two shapes; both come in one list."""
    pod = await make(server)
    events = f"/api/v1/namespaces/{server.namespace}/events"
    first, last = "2026-11-24T09:00:00.000000Z", "2026-11-24T09:05:00.000000Z"
    old = event(server, pod, "old", "by kubelet") | {"lastTimestamp": "2026-11-24T09:03:00Z"}
    series = {"count": 3, "lastObservedTime": last}
    new = event(server, pod, "new", "by the scheduler") | {
        **{"eventTime": first, "series": series, "action": "Scheduling"},
        **{"reportingComponent": "default-scheduler", "reportingInstance": "default-scheduler-1"},
    }
    for each in (old, new):
        assert server.call("POST", events, each).status == 201

    found = await kube.pod_events(server.namespace, pod["metadata"]["uid"])

    assert [each["message"] for each in newest_first(found)] == ["by the scheduler", "by kubelet"]


async def test_of_events_without_end_only_so_many_are_read(tmp_path: Path) -> None:
    fake, asked = FakeKube(), list[str]()
    pod = a_pod("s-1", {}, uid="pod-1")
    for number in range(1_000):
        about = {"kind": "Pod", "name": "checkout-1", "uid": "pod-1"}
        metadata = {"name": f"e-{number:04}", "namespace": "staging"}
        fake.seed({"apiVersion": "v1", "kind": "Event", "metadata": metadata, "involvedObject": about})
    fake.seed(pod)

    async def before(call: Any) -> None:
        asked.append(call.path)

    fake.faults.before = before
    async with a_cluster(tmp_path, fake) as kube:
        found = await kube.pod_events("staging", "pod-1")

    assert len(found) == 300
    assert len(asked) == 3


def test_of_what_a_pod_is_to_run_only_that_is_kept_which_tells_how_its_status_is_meant() -> None:
    pod = a_pod("s-1", {})
    pod["spec"] |= {
        "initContainers": [
            {"name": "proxy", "image": "x", "restartPolicy": "Always"},
            {"name": "migrate", "image": "x", "env": [{"name": "A", "value": "B"}]},
        ],
        "schedulingGates": [{"name": "gate"}],
    }

    assert status_only(pod)["spec"] == {
        "initContainers": [{"name": "proxy", "restartPolicy": "Always"}],
        "schedulingGates": [{"name": "gate"}],
    }
    assert "spec" not in status_only(a_pod("s-1", {}))
