"""From a pod with a problem to the status: who is woken, what is read, what services and preview say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from previewbot.api import PREVIEW_LABEL, ChildState, Phase, PodProblem, Reason, Service, Status, Waiting
from previewbot.config.server import Settings, parse
from previewbot.errors import Forbidden, TryLater
from previewbot.reconciler.children import KINDS, ROUTE
from previewbot.reconciler.context import Context
from previewbot.reconciler.gather.pods import pod_problems
from previewbot.reconciler.memory import Memory
from previewbot.reconciler.observation import Found, Prepared
from previewbot.reconciler.plan.conditions import phase_of
from previewbot.reconciler.plan.decision import Run
from previewbot.reconciler.plan.requeue import requeue_after
from previewbot.reconciler.plan.services import service_status, with_pod_problem
from previewbot.runtime.health import Health
from previewbot.runtime.pods import Pods
from previewbot.runtime.workers import Workers
from tests.support import passes
from tests.support.observations import CONFIG, a_child, a_session
from tests.support.pods import a_pod, container, containers, crash_loop, unschedulable, waiting, well
from tests.support.previews import HEAD, NOW, a_preview

SETTINGS = parse(passes.SETTINGS, {})
CRASHING = PodProblem(Reason.CRASHING, container="app", exit_code=1, restarts=3, since=NOW)
CHILD = a_child(ChildState.CREATING, reason=Reason.CREATING, uid="s-1")
SESSION = a_session(ChildState.CREATING, uid="s-1", name=CHILD.name)
PREVIEW = a_preview(children=(CHILD,))


def a_service(
    phase: Phase = Phase.DEPLOYING, reason: Reason | None = Reason.CREATING, **more: Any
) -> Service:
    service = Service("checkout", "staging", "deployment/checkout", phase=phase, reason=reason)
    return replace(service, container="app", head_sha=HEAD, **more)


# Who is woken


class Woken:
    """The pods of a controller, and whom they woke."""

    def __init__(self) -> None:
        self.sessions: list[str] = []
        self.now = NOW
        self.pods = Pods(lambda session: self.sessions.append(session[1]), lambda: self.now)


def seen(status: dict[str, Any], session: str = "s-1", uid: str = "pod-1") -> dict[str, Any]:
    return a_pod(session, status, uid=uid)


@pytest.mark.parametrize(
    ("before", "after", "woken"),
    [
        (None, well(NOW), []),
        (well(NOW), well(NOW, 400), []),
        (None, {"phase": "Pending"}, ["s-1"]),
        ({"phase": "Pending"}, well(NOW), ["s-1"]),
        (well(NOW), None, ["s-1"]),
        (None, crash_loop(), ["s-1"]),
        (well(NOW), crash_loop(), ["s-1"]),
        (crash_loop(2), crash_loop(3), ["s-1"]),
        (crash_loop(), well(NOW), ["s-1"]),
        (crash_loop(), None, ["s-1"]),
    ],
)
def test_only_a_pod_with_a_problem_or_one_that_is_not_up_or_the_end_of_the_last_wakes_anybody(
    before: Any, after: Any, woken: list[str]
) -> None:
    world = Woken()
    world.pods.changed(before and seen(before), after and seen(after))

    assert world.sessions == woken


def test_the_pods_of_a_session_are_those_last_seen() -> None:
    pods = Woken().pods
    first, changed, other = seen({}), seen(well(NOW)), seen({}, "s-2", "pod-2")
    pods.changed(None, first)
    pods.changed(first, changed)
    pods.changed(None, other)

    assert [pods("staging", uid) for uid in ("s-1", "s-2", "s-3")] == [[changed], [other], []]
    pods.changed(changed, None)
    assert [pods("staging", uid) for uid in ("s-1", "s-2")] == [[], [other]]


def test_of_pods_that_fail_without_end_only_the_last_are_kept() -> None:
    pods = Woken().pods
    failed = {"phase": "Failed", "reason": "Evicted"}
    pods.changed(None, seen(well(NOW), uid="alive"))
    for number in range(100):
        pods.changed(None, seen(failed, uid=f"{number:03}"))
    kept = {pod["metadata"]["uid"] for pod in pods("staging", "s-1")}

    assert kept == {"alive", *(f"{number:03}" for number in range(71, 100))}


def a_session_object(uid: str, preview: str) -> dict[str, Any]:
    labels = {PREVIEW_LABEL: preview}
    return {"metadata": {"name": uid, "namespace": "staging", "uid": uid, "labels": labels}}


async def queued(loop: Workers) -> list[str]:
    names: list[str] = []
    loop.queue.add("the end")
    while (name := await loop.queue.get()) != "the end":
        names.append(name)
        loop.queue.done(name)
    loop.queue.done(name)
    return names


async def test_a_pod_leads_to_the_preview_of_its_session_as_long_as_that_is_there() -> None:
    loop = Workers(CollectorRegistry(), Health())
    loop.pods_changed(("staging", "s-1"))
    assert await queued(loop) == []

    loop.child_changed(None, a_session_object("s-1", "gh-1-1"))
    await queued(loop)
    loop.pods_changed(("staging", "s-1"))
    assert await queued(loop) == ["gh-1-1"]

    loop.child_changed(a_session_object("s-1", "gh-1-1"), None)
    await queued(loop)
    loop.pods_changed(("staging", "s-1"))
    assert await queued(loop) == []


# What is read


class Cluster:
    """The reads of pods, counted; an error in place of an answer is raised."""

    def __init__(
        self, log: str | Exception = "KeyError", events: list[Any] | Exception | None = None
    ) -> None:
        self.log, self.events = log, events or []
        self.reads: list[tuple[Any, ...]] = []

    async def pod_log(self, namespace: str, pod: str, container: str, *, previous: bool) -> str:
        self.reads.append(("log", namespace, pod, container, previous))
        if isinstance(self.log, Exception):
            raise self.log
        return self.log

    async def pod_events(self, namespace: str, pod_uid: str) -> list[Any]:
        self.reads.append(("events", namespace, pod_uid))
        if isinstance(self.events, Exception):
            raise self.events
        return self.events


async def read_at(
    service: Service,
    status: dict[str, Any],
    cluster: Cluster,
    now: datetime = NOW,
    child_uid: str = "s-1",
    settings: Settings = SETTINGS,
    **session: Any,
) -> Service:
    """Return a service after a look at its session's only pod, and the plan that takes it in."""
    nothing = cast(Any, None)
    context = Context(
        kube=cast(Any, cluster), github=nothing, registry=nothing, links=nothing, renderer=nothing,
        settings=settings,
        now=lambda: now, previews=list, pods=lambda _, uid: [seen(status)] if uid == "s-1" else [],
        wrote=lambda _: None, kinds=KINDS, route=ROUTE, memory=Memory(),
    )  # fmt: skip
    found: Found = replace(SESSION, **session)
    problems = await pod_problems(context, PREVIEW, [service], [found])
    child = replace(CHILD, uid=child_uid)
    return service_status(Prepared(CONFIG, service, HEAD), [child], [found], PREVIEW.uid, problems, now)


async def test_a_crash_is_told_with_its_last_words_masked() -> None:
    cluster = Cluster("starting\nPASSWORD=hunter2\n")
    service = await read_at(a_service(), crash_loop(), cluster)

    expected = replace(CRASHING, log=("starting", "PASSWORD=***"))
    assert (service.pod_problem, service.reason) == (expected, Reason.CRASHING)
    assert cluster.reads == [("log", "staging", "checkout-1", "app", True)]


async def test_the_last_words_are_read_once() -> None:
    cluster = Cluster()
    service = await read_at(a_service(), crash_loop(), cluster)
    again = await read_at(service, crash_loop(restarts=9), cluster, NOW + timedelta(hours=1))

    assert len(cluster.reads) == 1
    assert again.pod_problem is not None and service.pod_problem is not None
    assert again.pod_problem == replace(service.pod_problem, restarts=9)


@pytest.mark.parametrize("log", ["", Forbidden("x", status=403), TryLater("x", status=500)])
async def test_without_last_words_it_is_told_all_the_same_and_they_are_asked_for_again(log: Any) -> None:
    service = await read_at(a_service(), crash_loop(), Cluster(log))
    assert service.pod_problem == CRASHING

    later = await read_at(service, crash_loop(), Cluster("KeyError"))
    assert later.pod_problem is not None
    assert later.pod_problem.log == ("KeyError",)


async def test_where_comments_have_no_logs_none_is_read_and_what_is_stored_goes() -> None:
    cluster, silent = Cluster(), parse({**passes.SETTINGS, "comment": {"logs": False}}, {})
    service = await read_at(a_service(), crash_loop(), cluster, settings=silent)
    before = await read_at(a_service(), crash_loop(), Cluster("KeyError"))
    later = await read_at(before, crash_loop(), cluster, settings=silent)

    assert [service.pod_problem, later.pod_problem] == [CRASHING, CRASHING]
    assert cluster.reads == []


async def test_what_explains_itself_is_not_read_about() -> None:
    cluster = Cluster()
    service = await read_at(a_service(), unschedulable("no room"), cluster)

    assert service.reason == Reason.UNSCHEDULABLE
    assert cluster.reads == []


async def test_a_pull_that_fails_without_a_cause_is_explained_by_the_events() -> None:
    message = 'Failed to pull image "x": rpc error: code = NotFound desc = no such tag'
    cluster = Cluster(events=[{"reason": "Failed", "message": message, "metadata": {}}])
    status = containers(container(waiting("ImagePullBackOff", 'Back-off pulling image "x"')))
    service = await read_at(a_service(), status, cluster)
    again = await read_at(service, status, cluster)

    assert service.pod_problem is not None
    assert (service.reason, service.pod_problem.detail) == (Reason.PULL_FAILED, "no such tag")
    assert again == service
    assert cluster.reads == [("events", "staging", "pod-1")]


async def test_when_the_pod_is_well_the_words_go() -> None:
    service = await read_at(a_service(pod_problem=CRASHING, reason=Reason.CRASHING), well(NOW), Cluster())

    assert service.pod_problem is None


async def test_of_another_session_than_the_services_nothing_is_told_and_nothing_read() -> None:
    before, cluster = a_service(pod_problem=CRASHING, reason=Reason.CRASHING), Cluster()

    another = await read_at(before, crash_loop(), cluster, uid="s-0")
    foreign = await read_at(before, crash_loop(), cluster, owner_uid="somebody else")
    going = await read_at(before, crash_loop(), cluster, deleting_since=NOW)

    assert [another.pod_problem, foreign.pod_problem, going.pod_problem] == [None, None, None]
    assert cluster.reads == []


async def test_of_a_session_that_is_about_to_be_replaced_nothing_is_told() -> None:
    found = await read_at(a_service(pod_problem=CRASHING), crash_loop(), Cluster(), child_uid="")

    assert found.pod_problem is None


def test_while_its_image_is_awaited_or_it_queues_nothing_is_told_of_a_pod() -> None:
    waiting = Waiting(reason=Reason.BUILD_RUNNING)
    awaiting = replace(a_service(pod_problem=CRASHING, waiting=waiting), head_sha="")
    queued = replace(CHILD, state=ChildState.PENDING, reason=Reason.LIMIT_REACHED)

    def told(service: Service, child: Any) -> Service:
        problems = {"s-1": CRASHING}
        return service_status(Prepared(CONFIG, service, HEAD), [child], [], PREVIEW.uid, problems, NOW)

    assert told(awaiting, CHILD).pod_problem is None
    assert told(a_service(pod_problem=CRASHING), queued).phase is Phase.QUEUED
    assert told(a_service(pod_problem=CRASHING), queued).pod_problem is None


# What it makes of the service and of the whole


def test_while_it_deploys_the_problem_is_the_reason_and_its_phase_and_since_stay() -> None:
    service = a_service(since=NOW)

    assert with_pod_problem(service, CRASHING) == replace(
        service, reason=Reason.CRASHING, pod_problem=CRASHING
    )


@pytest.mark.parametrize("reason", [Reason.REPLACING, Reason.OPERATOR_SILENT])
def test_what_else_keeps_it_from_deploying_stays_the_reason(reason: Reason) -> None:
    assert with_pod_problem(a_service(reason=reason), CRASHING).reason == reason


def test_a_failed_service_keeps_what_was_wrong_before() -> None:
    failed = a_service(Phase.FAILED, Reason.SESSION_FAILED, pod_problem=CRASHING)

    assert with_pod_problem(failed, None) == failed


READY, UNWELL = a_service(Phase.READY, None), a_service(Phase.READY, None, pod_problem=CRASHING)
DEPLOYING = with_pod_problem(a_service(), CRASHING)


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ((READY,), (Phase.READY, Reason.ALL_READY)),
        ((UNWELL,), (Phase.READY, Reason.PARTIAL)),
        ((READY, UNWELL), (Phase.READY, Reason.PARTIAL)),
        ((a_service(), DEPLOYING), (Phase.DEPLOYING, Reason.CRASHING)),
        ((DEPLOYING, a_service()), (Phase.DEPLOYING, Reason.CRASHING)),
        ((READY, DEPLOYING), (Phase.READY, Reason.PARTIAL)),
    ],
)
def test_one_with_a_problem_shows_in_the_whole(
    services: tuple[Service, ...], expected: tuple[Phase, Reason]
) -> None:
    assert phase_of(services) == expected


@pytest.mark.parametrize(
    ("service", "seconds"),
    [
        (DEPLOYING, 10),
        (UNWELL, 10),
        (a_service(Phase.READY, None, pod_problem=replace(CRASHING, since=NOW - timedelta(hours=1))), 60),
        (READY, None),
        (a_service(Phase.FAILED, Reason.SESSION_FAILED, pod_problem=CRASHING), None),
    ],
)
def test_one_with_a_problem_is_looked_at_again_soon_to_see_it_heal(
    service: Service, seconds: float | None
) -> None:
    status = Status(services=(service,))

    assert requeue_after(status, Run(), None, deadline=timedelta(hours=1), now=NOW) == seconds
