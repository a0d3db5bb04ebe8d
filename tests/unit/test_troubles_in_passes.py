"""From a pod in trouble to the status: who is woken, what is read, what the services and the whole say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from previewbot.controller.health import Health
from previewbot.controller.loop import Loop
from previewbot.controller.pods import Pods
from previewbot.errors import Forbidden, TryLater
from previewbot.mirrord import Session
from previewbot.plan import Decision, look_again, overall
from previewbot.preview import PREVIEW_LABEL, Phase, Service, Status, Trouble
from previewbot.reconcile.context import Context
from previewbot.reconcile.memory import Memory, Untriggered
from previewbot.reconcile.troubles_of import with_troubles
from previewbot.troubles import with_trouble
from tests.support.pods import a_pod, container, containers, crash_loop, unschedulable, waiting, well
from tests.support.previews import HEAD, NOW, a_preview

CRASHING = Trouble(kind="Crashing", container="app", exit_code=1, restarts=3, since=NOW)
PREVIEW = a_preview()
SESSION = Session(
    name="checkout-1", namespace="staging", uid="s-1", owner_uid=PREVIEW.uid, service="checkout",
    head_sha=HEAD, noticeable="", phase="InProgress", failure="", share_host="", deleting_since=None,
    created_at=NOW,
)  # fmt: skip


def a_service(phase: Phase = Phase.DEPLOYING, reason: str = "Creating", **more: Any) -> Service:
    fields = {"session_name": "checkout-1", "session_uid": "s-1", "container": "app", **more}
    target = "deployment/checkout"
    return Service(name="checkout", namespace="staging", target=target, phase=phase, reason=reason, **fields)


# Who is woken


class Woken:
    """The pods of a controller, and whom they woke."""

    def __init__(self) -> None:
        self.sessions: list[str] = []
        self.now = NOW
        self.pods = Pods(self.sessions.append, lambda: self.now)


def seen(status: dict[str, Any], session: str = "s-1", uid: str = "pod-1") -> dict[str, Any]:
    return a_pod(session, status, uid=uid)


@pytest.mark.parametrize(
    ("before", "after", "woken"),
    [
        (None, well(NOW), []),
        (well(NOW), None, []),
        (well(NOW), well(NOW, 400), []),
        (None, crash_loop(), ["s-1"]),
        (well(NOW), crash_loop(), ["s-1"]),
        (crash_loop(2), crash_loop(3), ["s-1"]),
        (crash_loop(), well(NOW), ["s-1"]),
        (crash_loop(), None, ["s-1"]),
    ],
)
def test_only_a_pod_in_trouble_wakes_anybody(before: Any, after: Any, woken: list[str]) -> None:
    world = Woken()
    world.pods.changed(before and seen(before), after and seen(after))

    assert world.sessions == woken


def test_the_pods_of_a_session_are_those_last_seen() -> None:
    pods = Woken().pods
    first, changed, other = seen({}), seen(well(NOW)), seen({}, "s-2", "pod-2")
    pods.changed(None, first)
    pods.changed(first, changed)
    pods.changed(None, other)

    assert (pods("s-1"), pods("s-2"), pods("s-3")) == ([changed], [other], [])
    pods.changed(changed, None)
    assert (pods("s-1"), pods("s-2")) == ([], [other])


def a_session(uid: str, preview: str) -> dict[str, Any]:
    labels = {PREVIEW_LABEL: preview}
    return {"metadata": {"name": uid, "namespace": "staging", "uid": uid, "labels": labels}}


async def queued(loop: Loop) -> list[str]:
    names: list[str] = []
    loop.queue.add("the end")
    while (name := await loop.queue.get()) != "the end":
        names.append(name)
        loop.queue.done(name)
    loop.queue.done(name)
    return names


async def test_a_pod_leads_to_the_preview_of_its_session_as_long_as_that_is_there() -> None:
    loop = Loop(CollectorRegistry(), Health())
    loop.pods_changed("s-1")
    assert await queued(loop) == []

    loop.session_changed(None, a_session("s-1", "gh-1-1"))
    await queued(loop)
    loop.pods_changed("s-1")
    assert await queued(loop) == ["gh-1-1"]

    loop.session_changed(a_session("s-1", "gh-1-1"), None)
    await queued(loop)
    loop.pods_changed("s-1")
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


async def looked_at(
    service: Service, status: dict[str, Any], cluster: Cluster, now: datetime = NOW, **session: Any
) -> Service:
    """Return a service after a look at its session's only pod."""
    nothing = cast(Any, None)
    context = Context(
        kube=cast(Any, cluster), github=nothing, registry=nothing, renderer=nothing, settings=nothing,
        now=lambda: now, previews=list, pods={"s-1": [seen(status)]}.__getitem__, wrote=lambda _: None,
        memory=Memory(), untriggered=Untriggered(),
    )  # fmt: skip
    (found,) = await with_troubles(context, PREVIEW, [service], [replace(SESSION, **session)])
    return found


async def test_a_crash_is_told_with_its_last_words_masked() -> None:
    cluster = Cluster("starting\nPASSWORD=hunter2\n")
    service = await looked_at(a_service(), crash_loop(), cluster)

    expected = replace(CRASHING, log=("starting", "PASSWORD=***"))
    assert (service.trouble, service.reason) == (expected, "Crashing")
    assert cluster.reads == [("log", "staging", "checkout-1", "app", True)]


async def test_the_last_words_are_read_once() -> None:
    cluster = Cluster()
    service = await looked_at(a_service(), crash_loop(), cluster)
    again = await looked_at(service, crash_loop(restarts=9), cluster, NOW + timedelta(hours=1))

    assert len(cluster.reads) == 1
    assert again.trouble is not None and service.trouble is not None
    assert again.trouble == replace(service.trouble, restarts=9)


@pytest.mark.parametrize("log", ["", Forbidden("x", status=403), TryLater("x", status=500)])
async def test_without_last_words_it_is_told_all_the_same_and_they_are_asked_for_again(log: Any) -> None:
    service = await looked_at(a_service(), crash_loop(), Cluster(log))
    assert service.trouble == CRASHING

    later = await looked_at(service, crash_loop(), Cluster("KeyError"))
    assert later.trouble is not None
    assert later.trouble.log == ("KeyError",)


async def test_what_explains_itself_is_not_read_about() -> None:
    cluster = Cluster()
    service = await looked_at(a_service(), unschedulable("no room"), cluster)

    assert service.reason == "Unschedulable"
    assert cluster.reads == []


async def test_a_pull_that_fails_without_a_cause_is_explained_by_the_events() -> None:
    message = 'Failed to pull image "x": rpc error: code = NotFound desc = no such tag'
    cluster = Cluster(events=[{"reason": "Failed", "message": message, "metadata": {}}])
    status = containers(container(waiting("ImagePullBackOff", 'Back-off pulling image "x"')))
    service = await looked_at(a_service(), status, cluster)
    again = await looked_at(service, status, cluster)

    assert service.trouble is not None
    assert (service.reason, service.trouble.detail) == ("PullFailed", "no such tag")
    assert again == service
    assert cluster.reads == [("events", "staging", "pod-1")]


async def test_when_the_pod_is_well_the_words_go() -> None:
    service = await looked_at(a_service(trouble=CRASHING, reason="Crashing"), well(NOW), Cluster())

    assert service.trouble is None


@pytest.mark.parametrize(
    ("service", "session"),
    [
        (a_service(), {"uid": "s-0"}),
        (a_service(session_uid=""), {}),
        (a_service(Phase.AWAITING_IMAGE), {}),
        (a_service(Phase.QUEUED), {}),
    ],
)
async def test_of_a_session_that_is_not_the_services_nothing_is_told(service: Service, session: Any) -> None:
    found = await looked_at(replace(service, trouble=CRASHING), crash_loop(), Cluster(), **session)

    assert found.trouble is None


# What it makes of the service and of the whole


def test_while_it_deploys_the_trouble_is_the_reason_and_its_phase_and_since_stay() -> None:
    service = a_service(since=NOW)

    assert with_trouble(service, CRASHING) == replace(service, reason="Crashing", trouble=CRASHING)


@pytest.mark.parametrize("reason", ["Replacing", "OperatorSilent"])
def test_what_else_keeps_it_from_deploying_stays_the_reason(reason: str) -> None:
    assert with_trouble(a_service(reason=reason), CRASHING).reason == reason


def test_a_failed_service_keeps_what_was_wrong_before() -> None:
    failed = a_service(Phase.FAILED, "SessionFailed", trouble=CRASHING)

    assert with_trouble(failed, None) == failed


def whole(*services: Service) -> tuple[Phase | None, str]:
    status = overall(
        Status(), Decision(runs=True), services, [SESSION],
        ttl=timedelta(hours=8), ttl_max=timedelta(hours=72), now=NOW,
    )  # fmt: skip
    return status.phase, status.reason


READY, IN_TROUBLE = a_service(Phase.READY, ""), a_service(Phase.READY, "", trouble=CRASHING)
DEPLOYING = with_trouble(a_service(), CRASHING)


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ((READY,), (Phase.READY, "AllReady")),
        ((IN_TROUBLE,), (Phase.READY, "Partial")),
        ((READY, IN_TROUBLE), (Phase.READY, "Partial")),
        ((a_service(), DEPLOYING), (Phase.DEPLOYING, "Crashing")),
        ((DEPLOYING, a_service()), (Phase.DEPLOYING, "Crashing")),
        ((READY, DEPLOYING), (Phase.READY, "Partial")),
    ],
)
def test_one_in_trouble_shows_in_the_whole(
    services: tuple[Service, ...], expected: tuple[Phase, str]
) -> None:
    assert whole(*services) == expected


@pytest.mark.parametrize(
    ("service", "seconds"),
    [
        (DEPLOYING, 10),
        (IN_TROUBLE, 10),
        (READY, None),
        (a_service(Phase.FAILED, "SessionFailed", trouble=CRASHING), None),
    ],
)
def test_one_in_trouble_is_looked_at_again_soon_to_see_it_heal(
    service: Service, seconds: float | None
) -> None:
    status = Status(services=(service,))

    assert look_again(status, Decision(runs=True), None, deadline=timedelta(hours=1), now=NOW) == seconds
