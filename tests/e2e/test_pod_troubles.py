"""What only real pods have: the comment and the page say it in time, and the words go when it heals."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from previewbot_demo.kube import FakeKube
from previewbot_demo.world import Options
from tests.support.api import MERGE_PATCH
from tests.support.pods import (
    a_pod,
    container,
    containers,
    crash_loop,
    out_of_memory,
    pull_failed,
    unschedulable,
    waiting,
    well,
)
from tests.support.worlds import OPEN, Pull, Scene, failing, scene, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

SECONDS = 15.0
"""In which what Kubernetes shows must be said."""

IMAGE = "ghcr.io/acme/web:1"
NO_ROOM = "0/1 nodes are available: 1 Insufficient memory."
LOG = "starting\nconnecting to postgres://shop:hunter2@db/shop\nKeyError: 'DB_URL'\n"
PODS = "/api/v1/namespaces/staging/pods"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Scene]:
    """A world whose sessions stay in the phase Waiting for long."""
    async with scene(Options(build_seconds=0.2, start_seconds=3600)) as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ready_town() -> AsyncIterator[Scene]:
    async with scene(Options(build_seconds=0.2)) as built:
        yield built


class Pod:
    """A pod of a pull request's session, as its kubelet shows it."""

    def __init__(self, town: Scene, pull: Pull) -> None:
        self._town, self._pull = town, pull
        self.name = f"web-{pull.number}"

    async def make(self, status: dict[str, Any]) -> None:
        """Let the operator's Deployment have made it."""
        session = await until("a session", lambda: next(iter(self._pull.sessions), None))
        await self._send("POST", PODS, a_pod(session["metadata"]["uid"], {}, name=self.name))
        await self.shows(status)

    async def shows(self, status: dict[str, Any]) -> None:
        """Let it have this status from now on."""
        await self._send("PATCH", f"{PODS}/{self.name}/status", {"status": status})

    def says(self, log: str) -> None:
        """Let the run before have said this."""
        kube = self._town.world.kube
        assert isinstance(kube, FakeKube)
        kube.logs[self.name, "app", True] = log

    async def event(self, reason: str, message: str) -> None:
        """Record an Event about it."""
        found = await self._send("GET", f"{PODS}/{self.name}")
        about = {"kind": "Pod", "name": self.name, "uid": found["metadata"]["uid"]}
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{self.name}.1"},
            "involvedObject": about,
            "reason": reason,
            "message": message,
        }
        await self._send("POST", "/api/v1/namespaces/staging/events", event)

    async def _send(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        headers = {"Content-Type": MERGE_PATCH if method == "PATCH" else "application/json"}
        url = self._town.world.url + path
        async with self._town.http.request(method, url, json=body, headers=headers) as answer:
            assert answer.status in (200, 201), await answer.text()
            found: dict[str, Any] = await answer.json()
            return found


async def told(pull: Pull, *words: str) -> str:
    """Return the comment once it says this; it must in the time that is promised."""
    began = time.monotonic()
    text = await pull.says(*words)
    assert time.monotonic() - began < SECONDS
    return text


async def unsaid(pull: Pull, words: str) -> str:
    """Return the comment once it does not say this any more."""
    return await until(
        f"a comment without {words!r}", lambda: pull.comment if words not in pull.comment else None
    )


def page_of(pull: Pull) -> str:
    return f"{pull.world.bot.url}/p/{pull.name.removeprefix('gh-').replace('-', '/')}"


TROUBLES = {
    "PullFailed": (pull_failed(IMAGE), ("web's image cannot be pulled", "not found")),
    "Crashing": (crash_loop(code=3), ("web crashes again and again", "exit code 3")),
    "OutOfMemory": (out_of_memory(), ("web ran out of memory",)),
    "Unschedulable": (unschedulable(NO_ROOM), ("web finds no room in the cluster", "Insufficient memory")),
}


@pytest.mark.parametrize("reason", TROUBLES)
async def test_while_it_starts_it_is_told_why_it_does_not_and_the_words_go_when_it_heals(
    town: Scene, reason: str
) -> None:
    status, words = TROUBLES[reason]
    pull = town.open()
    pod = Pod(town, pull)
    pod.says(LOG)

    await pod.make(status)
    text = await told(pull, "is not starting", *words)
    assert (pull.phase, pull.status["reason"]) == ("Deploying", reason)
    assert ("KeyError: 'DB_URL'" in text) == (reason in ("Crashing", "OutOfMemory"))
    assert "hunter2" not in text

    page = await town.browse(page_of(pull))
    assert words[0] in page.text
    assert "hunter2" not in page.text

    await pod.shows(well(datetime.now(UTC)))
    text = await unsaid(pull, words[0])
    assert "is starting" in text
    assert pull.status["reason"] == "Creating"


async def test_a_crash_loop_after_ready_is_told_once_and_the_link_stays(ready_town: Scene) -> None:
    pull = ready_town.open()
    pod = Pod(ready_town, pull)
    await pod.make(well(datetime.now(UTC), seconds=5))
    link = await pull.ready()
    pod.says(LOG)

    await pod.shows(crash_loop(restarts=2))
    text = await told(pull, OPEN, "web crashes again and again", "KeyError: 'DB_URL'")
    assert link in text
    assert (pull.phase, pull.status["reason"]) == ("Ready", "Partial")

    pod.says("other words\n")
    await pod.shows(crash_loop(restarts=7))
    await until("the count", lambda: pull.status["services"][0]["podProblem"]["restarts"] == 7)
    assert pull.comment == text

    await pod.shows(well(datetime.now(UTC)))
    text = await unsaid(pull, "crashes")
    assert "Only **web** runs from this pull request" in text
    assert pull.status["reason"] == "AllReady"


async def test_a_pull_that_only_the_events_explain_is_explained(town: Scene) -> None:
    pull = town.open()
    pod = Pod(town, pull)
    await pod.make({})
    await pod.event("Failed", f'Failed to pull image "{IMAGE}": https://robot:hunter2@ghcr.io answers 401')

    await pod.shows(containers(container(waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'))))
    text = await told(pull, "web's image cannot be pulled", "answers 401")
    assert "hunter2" not in text


async def test_the_next_commit_begins_without_the_words_about_the_one_before(ready_town: Scene) -> None:
    pull = ready_town.open()
    pod = Pod(ready_town, pull)
    await pull.ready()
    await pod.make(out_of_memory())
    await told(pull, "ran out of memory")

    pull.push({"services/web/NOTE": b"less memory"})
    await pull.ready()
    assert "memory" not in pull.comment
    assert pull.status["reason"] == "AllReady"


async def test_a_log_that_cannot_be_read_keeps_nobody_from_saying_what_happened(ready_town: Scene) -> None:
    pull = ready_town.open()
    pod = Pod(ready_town, pull)
    pod.says(LOG)
    await pull.ready()
    with failing(ready_town.world, lambda call: call.path.endswith("/log"), 500) as met:
        await pod.make(crash_loop())
        text = await told(pull, "web crashes again and again")
        assert met
        assert "KeyError" not in text

    await told(pull, "KeyError: 'DB_URL'")
