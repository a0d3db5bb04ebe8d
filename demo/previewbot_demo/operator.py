"""A stand-in for mirrord's operator, which is closed source: it does what is documented of PreviewSessions.

It adds its finalizer, takes the environment from the target's Deployment, pulls the image, runs it, reports
`Initializing`, `Waiting`, `Ready`, `Idle` or `Failed`; it stops what is deleted and deletes what has expired
(https://metalbear.com/mirrord/docs/use-cases/preview-environments, and the CRD's own descriptions).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import shutil
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from previewbot_demo.branching import Branching, NoBranch
from previewbot_demo.cluster import SESSIONS
from previewbot_demo.kubeapi import ApiError, KubeApi, Object, micro_time
from previewbot_demo.processes import Process, StartError, start_service
from previewbot_demo.pulling import Puller, PullError
from previewbot_demo.sleeping import Beds, sleeps_after
from previewbot_demo.splitting import NoSplit, Splitting
from previewbot_demo.targets import TargetMissing, environment_of

FINALIZER = "preview.mirrord.metalbear.co/cleanup"

_FILTERS = (
    "header_filter",
    "path_filter",
    "method_filter",
    "body_filter",
    "header_filter_jq",
    "all_of",
    "any_of",
    "ports",
)
_INFINITE = 4294967295


class SessionFailed(Exception):
    """The session cannot run; the text becomes its `failureMessage`."""


@dataclass
class Switches:
    """Faults: with `ignore_deletes` nothing is ever stopped, with `never_answer` nothing is ever started.

    After `sleeps_sooner` everything sleeps that would sleep at all; with `never_wakes` it stays so.
    """

    ignore_deletes: bool = False
    never_answer: bool = False
    sleeps_sooner: timedelta | None = None
    never_wakes: bool = False


@dataclass(frozen=True)
class Settings:
    """Where it works; `cleanup_after` is how long a failed session is kept (15 min in mirrord's chart).

    `waits` is how long a session stays in `Waiting` at least: a real cluster takes its time too.
    """

    namespaces: tuple[str, ...]
    work_dir: Path
    share_domain: str
    cleanup_after: timedelta = timedelta(minutes=15)
    waits: timedelta = timedelta(0)


@dataclass
class _Life:
    """One session's tasks."""

    up: asyncio.Task[None]
    down: asyncio.Task[None] | None = None


class Operator:
    """Runs the sessions stored in `api`; `pods` receives the address of each one's process, by its uid.

    `branching` and `splitting` give sessions databases and messages of their own; in `beds` they sleep.
    """

    def __init__(
        self,
        api: KubeApi,
        settings: Settings,
        pods: MutableMapping[str, str],
        now: Callable[[], datetime],
        branching: Branching,
        splitting: Splitting,
        beds: Beds,
    ) -> None:
        self._api = api
        self._settings = settings
        self._pods = pods
        self._beds = beds
        self._again: dict[str, Callable[[], Awaitable[Process]]] = {}
        self._now = now
        self._branching = branching
        self._splitting = splitting
        self._lives: dict[str, _Life] = {}
        self.switches = Switches()

    async def run(self) -> None:
        """Follow the sessions until cancelled; then every process is stopped."""
        try:
            async with asyncio.TaskGroup() as followers:
                followers.create_task(self._branching.run())
                for namespace in self._settings.namespaces:
                    path = f"{SESSIONS}/namespaces/{namespace}/previewsessions"
                    followers.create_task(self._api.follow(path, self._see))
        finally:
            tasks = [t for life in self._lives.values() for t in (life.up, life.down) if t is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _see(self, event: str, session: Object) -> None:
        uid = session["metadata"]["uid"]
        life = self._lives.get(uid)
        if event == "DELETED":
            if life is not None:
                life.up.cancel()
                del self._lives[uid]
            return
        if life is None:
            life = self._lives[uid] = _Life(asyncio.create_task(self._live(session)))
        if "deletionTimestamp" in session["metadata"] and life.down is None:
            life.down = asyncio.create_task(self._end(session, life))

    async def _live(self, session: Object) -> None:
        """Bring a session up and keep it until its time is up; the process ends with this task."""
        if "deletionTimestamp" in session["metadata"]:
            return
        while self.switches.never_answer:
            await asyncio.sleep(0.1)
        uid = session["metadata"]["uid"]
        process: Process | None = None
        try:
            process, keep = await self._bring_up(session)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(keep):
                    while process is not None:
                        await self._until_it_sleeps(session)
                        await process.stop()
                        process = None
                        process = await self._wake(session)
                    await asyncio.Event().wait()
            await self._api.delete(_path(session), uid)
            await asyncio.Event().wait()
        except ApiError as error:
            if error.status not in (404, 409):
                raise
        finally:
            self._beds.forget(uid)
            self._again.pop(uid, None)
            if process is not None:
                await process.stop()
            self._splitting.end(session)
            shutil.rmtree(self._settings.work_dir / uid, ignore_errors=True)

    async def _until_it_sleeps(self, session: Object) -> None:
        """Wait until nobody has used a session for as long as it says, and say that it sleeps."""
        uid = session["metadata"]["uid"]
        await self._beds.until_unused(uid, lambda: sleeps_after(session["spec"], self.switches.sleeps_sooner))
        await self._report(session, {"phase": "Idle", "idleSince": micro_time(self._now())})

    async def _wake(self, session: Object) -> Process:
        """Start one that sleeps again, once somebody asks for it; they wait meanwhile."""
        uid = session["metadata"]["uid"]
        await self._beds.until_wanted(uid)
        await self._report(session, {"phase": "Waiting"})
        while self.switches.never_wakes:
            await asyncio.sleep(0.1)
        try:
            process = await self._again[uid]()
        except StartError as error:
            await self._report_failure(session, error)
            return await asyncio.Future()
        await self._let_in(session, process, {"phase": "Ready", "idleSince": None})
        return process

    async def _bring_up(self, session: Object) -> tuple[Process | None, float | None]:
        """Return the process, if it runs, and after how many seconds the session is to be deleted."""
        await self._add_finalizer(session)
        started = micro_time(self._now())
        await self._report(session, {"phase": "Initializing", "startedAt": started})
        try:
            process = await self._start(session)
        except SessionFailed as failure:
            await self._report_failure(session, failure)
            return None, self._settings.cleanup_after.total_seconds()
        seconds = session["spec"]["ttlSecs"]
        ready: Object = {"phase": "Ready"}
        if seconds < _INFINITE:
            ready["expiresAt"] = micro_time(self._now() + timedelta(seconds=seconds))
        if gets_share_host(session["spec"]):
            slug = f"{session['spec']['key']}-{secrets.token_hex(3)}"
            ready["shareHost"] = f"{slug}.{self._settings.share_domain}"
        await self._let_in(session, process, ready)
        return process, seconds if seconds < _INFINITE else None

    async def _let_in(self, session: Object, process: Process, ready: Object) -> None:
        """Send requests to a process and say so; the session may go meanwhile, and then the process does."""
        self._pods[session["metadata"]["uid"]] = process.url
        try:
            await self._report(session, ready)
        except BaseException:
            await process.stop()
            raise

    async def _start(self, session: Object) -> Process:
        namespace, target = session["metadata"]["namespace"], session["spec"]["target"]
        try:
            environment = await environment_of(self._api, namespace, target)
        except TargetMissing as error:
            raise SessionFailed(str(error)) from error
        directory = self._settings.work_dir / session["metadata"]["uid"]
        image = directory / "image"
        image.mkdir(parents=True, exist_ok=True)
        try:
            async with aiohttp.ClientSession() as http:
                await Puller(http).pull(session["spec"]["image"], image)
            await self._report(session, {"phase": "Waiting"})
            await asyncio.sleep(self._settings.waits.total_seconds())
            own = environment | self._own(session, environment)
            start = partial(start_service, image, own, directory / "log")
            self._again[session["metadata"]["uid"]] = start
            return await start()
        except PullError as error:
            raise SessionFailed(str(error)) from error
        except StartError as error:
            raise SessionFailed(f"container {target['container']}: CrashLoopBackOff: {error}") from error

    def _own(self, session: Object, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that a session has otherwise than its target; may raise SessionFailed."""
        overrides = (session["spec"].get("env") or {}).get("overrides") or {}
        try:
            databases = self._branching.variables(session)
            return {**overrides, **databases, **self._splitting.begin(session, environment)}
        except (NoBranch, NoSplit) as error:
            raise SessionFailed(str(error)) from error

    async def _end(self, session: Object, life: _Life) -> None:
        """Stop a deleted session's process, then let go of the object."""
        while self.switches.ignore_deletes:
            await asyncio.sleep(0.1)
        life.up.cancel()
        await asyncio.gather(life.up, return_exceptions=True)
        with contextlib.suppress(ApiError):
            current = await self._api.get(_path(session))
            kept = [f for f in current["metadata"].get("finalizers") or [] if f != FINALIZER]
            await self._api.patch(_path(session), {"metadata": {"finalizers": kept}})

    async def _add_finalizer(self, session: Object) -> None:
        present = session["metadata"].get("finalizers") or []
        if FINALIZER not in present:
            await self._api.patch(_path(session), {"metadata": {"finalizers": [*present, FINALIZER]}})

    async def _report_failure(self, session: Object, why: Exception) -> None:
        failed = {"phase": "Failed", "failedAt": micro_time(self._now()), "failureMessage": str(why)}
        await self._report(session, failed)

    async def _report(self, session: Object, status: Mapping[str, Any]) -> None:
        await self._api.patch(_path(session) + "/status", {"status": status})


def gets_share_host(spec: Mapping[str, Any]) -> bool:
    """Say whether mirrord mints a share host: it steals, with exactly the default filter of its key."""
    incoming = spec.get("incoming") or {}
    try:
        filters = json.loads(incoming.get("httpFilter") or "")
    except ValueError:
        return False
    default = dict.fromkeys(_FILTERS) | {"header_filter": f"^baggage: .*mirrord-session={spec['key']}.*$"}
    return bool(incoming.get("steal")) and dict.fromkeys(_FILTERS) | filters == default


def _path(session: Mapping[str, Any]) -> str:
    metadata = session["metadata"]
    return f"{SESSIONS}/namespaces/{metadata['namespace']}/previewsessions/{metadata['name']}"
