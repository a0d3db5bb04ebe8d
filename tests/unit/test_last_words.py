"""What a session that failed said last is read before it is deleted: after that nobody can read it."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api import Phase, Reason
from previewbot.engine.mirrord import session_from
from previewbot.errors import Forbidden, TryLater
from tests.support.passes import B, World
from tests.support.passes_over_pods import Session
from tests.support.pods import a_pod, container, containers, crash_loop, ended, running, well
from tests.support.previews import NOW

FAILED = "Pod checkout-1 failed"
LOG = "starting\nDB_PASSWORD=hunter2\nKeyError: 'DB_URL'"


async def fails(session: Session, status: dict[str, Any] | None, **said: Any) -> World:
    """Let mirrord call the session failed, with its pod as this, in the moment before the next pass."""
    world = session.world
    world.cluster.log = LOG
    session.shows(*([a_pod(session.uid, status, uid="pod")] if status else []))
    world.cluster.session_becomes("Failed", failureMessage=FAILED, **said)
    await world.settle(4, seconds=1)
    return world


async def test_a_container_that_ended_once_is_heard_although_it_was_in_no_loop_yet() -> None:
    world = await fails(await Session.starting(), containers(container(ended(3))))

    assert world.cluster.sessions == {}
    assert (world.status.phase, world.service.reason) == (Phase.FAILED, Reason.SESSION_FAILED)
    assert all(words in world.comment for words in (FAILED, "exit code 3", "KeyError: 'DB_URL'"))
    assert "hunter2" not in world.comment


async def test_it_is_stored_before_the_session_is_deleted() -> None:
    session = await Session.starting()
    stored: list[str] = []
    session.world.calls.watch("delete session", lambda: stored.append(str(session.world.cluster.preview)))
    await fails(session, containers(container(ended(3))))

    assert len(stored) == 1
    assert "KeyError" in stored[0]


async def test_a_crash_while_it_is_deleted_loses_no_word() -> None:
    session = await Session.starting()
    session.world.fail("delete session", by=TryLater("x", status=500))
    world = await fails(session, containers(container(ended(3))))
    world.restart()
    world.mend()
    session.shows()
    await world.settle(4, seconds=1)

    assert world.cluster.sessions == {}
    assert "KeyError: 'DB_URL'" in world.comment


@pytest.mark.parametrize(
    "kept",
    [
        LOG,
        LOG.splitlines(),
        {"app": LOG},
        [{"pod": "checkout-1", "container": "app", "logs": LOG}],
        [{"podName": "checkout-1", "containers": [{"name": "app", "lines": LOG.splitlines()}]}],
    ],
)
async def test_where_the_pods_are_gone_what_mirrord_kept_of_them_is_told(kept: Any) -> None:
    world = await fails(await Session.starting(), None, failureLogs=kept)

    assert all(words in world.comment for words in (FAILED, "KeyError: 'DB_URL'", "DB_PASSWORD=***"))
    assert "is in trouble" not in world.comment
    assert "hunter2" not in str(world.cluster.preview)


@pytest.mark.parametrize("kept", [None, 7, True, [], {}, [None], {"pod": "checkout-1"}, [[[[[[["deep"]]]]]]]])
def test_whatever_else_an_operator_keeps_is_no_last_word(kept: Any) -> None:
    metadata = {"name": "k", "namespace": "staging", "uid": "s", "creationTimestamp": "2026-11-24T09:00:00Z"}

    assert session_from({"metadata": metadata, "status": {"failureLogs": kept}}).last_words == ()


async def test_where_comments_have_no_logs_neither_is_read_nor_stored() -> None:
    session = await Session.starting(comment={"logs": False})
    read: list[str] = []
    session.world.calls.watch("read log", lambda: read.append("a log"))
    world = await fails(session, containers(container(ended(3))), failureLogs=LOG)

    assert read == []
    assert "KeyError" not in world.comment + str(world.cluster.preview)
    assert "exit code 3" in world.comment


async def test_a_pod_that_crashed_and_went_before_its_session_failed_is_why() -> None:
    session = await Session.starting()
    session.world.cluster.log = LOG
    session.shows(a_pod(session.uid, crash_loop(restarts=2), uid="pod"))
    await session.lives(10)
    session.shows()
    await session.lives(10)
    world = await fails(session, None)

    assert all(words in world.comment for words in (FAILED, "crashes again and again", "KeyError: 'DB_URL'"))


async def test_what_was_wrong_with_a_pod_that_went_is_over_when_its_successor_is_well() -> None:
    session = await Session.starting()
    session.shows(a_pod(session.uid, crash_loop(restarts=2), uid="pod"))
    await session.lives(10)
    session.shows()
    await session.lives(10)
    assert "crashes" in session.comment
    session.shows(a_pod(session.uid, well(session.now, 1), name="checkout-2", uid="another"))
    await session.lives(10)

    assert "crashes" not in session.comment


async def test_without_a_log_the_containers_own_message_is_told() -> None:
    """https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/"""
    session = await Session.starting()
    session.shows(a_pod(session.uid, containers(container(ended(3, message=LOG))), uid="pod"))
    session.world.cluster.session_becomes("Failed", failureMessage=FAILED)
    await session.world.settle(4, seconds=1)

    assert "KeyError: 'DB_URL'" in session.comment
    assert "hunter2" not in session.comment


async def test_one_end_is_no_end_again_and_again() -> None:
    world = await fails(await Session.starting(), containers(container(ended(3))))

    assert "checkout crashed" in world.comment and "again and again" not in world.comment


async def test_what_was_told_before_it_failed_stays() -> None:
    session = await Session.starting()
    trouble = session.in_trouble("a Secret that a volume needs")
    await session.lives(60)
    world = await fails(session, None, failureLogs=LOG)

    assert all(words in world.comment for words in trouble.says)


@pytest.mark.parametrize("error", [Forbidden("x", status=403), TryLater("x", status=500)])
async def test_a_log_that_cannot_be_read_holds_nothing_up(error: Exception) -> None:
    session = await Session.starting()
    session.world.fail("read log", by=error)
    world = await fails(session, containers(container(ended(3))))

    assert world.cluster.sessions == {}
    assert "exit code 3" in world.comment


async def test_a_pod_that_runs_when_mirrord_gives_it_up_has_no_last_words() -> None:
    world = await fails(await Session.starting(), containers({**container(running(NOW, 5)), "ready": True}))

    assert FAILED in world.comment
    assert "last words" not in world.comment


async def test_the_next_commit_begins_without_them() -> None:
    world = await fails(await Session.starting(), containers(container(ended(3))))
    world.pods.clear()
    world.cluster.session_status = {"phase": "Ready"}
    world.push(B)
    await world.settle(6)

    assert world.status.phase is Phase.READY
    assert "KeyError" not in world.comment


async def test_the_next_commit_is_not_told_of_with_the_crash_of_the_one_before() -> None:
    session = await Session.starting()
    session.shows(a_pod(session.uid, crash_loop(restarts=2), uid="pod"))
    await session.lives(10)
    session.world.pods.clear()
    session.world.push(B)
    await session.world.settle(6, seconds=1)

    assert session.world.service.serving_sha == "" and B[:7] in session.comment
    assert "crashes" not in session.comment
