"""A stand-in for how mirrord's operator branches databases: each BranchDatabase gets a copy of the target's.

Declared as PostgreSQL, what is copied here is a file of SQLite's, since a demo has no PostgreSQL. The rest is
as documented: `Init`, `Ready` with when it would expire, or `Failed` with why; a session that names a branch
gets its address in the variable that led to staging's; one that no session names goes after `ttlSecs`
(https://metalbear.com/mirrord/docs/sharing-the-cluster/db-branching).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from previewbot_demo import sqlite_copies
from previewbot_demo.cluster import BRANCHES, SESSIONS
from previewbot_demo.kubeapi import ApiError, KubeApi, Object, micro_time
from previewbot_demo.sqlite_copies import CopyError
from previewbot_demo.targets import TargetMissing, environment_of

_OPTIONS = "Options"


class NoBranch(Exception):
    """A session names a branch that cannot be had; the text says which."""


@dataclass(frozen=True)
class Copy:
    """A branch that is ready: where its copy is, and the variable that leads there."""

    variable: str
    url: str


class Branching:
    """Makes a copy for each BranchDatabase of `namespaces`, in `directory`, and removes it with it."""

    def __init__(
        self, api: KubeApi, namespaces: tuple[str, ...], directory: Path, now: Callable[[], datetime]
    ) -> None:
        self._api = api
        self._namespaces = namespaces
        self._directory = directory
        self._now = now
        self._copies: dict[tuple[str, str], Copy] = {}
        self._lives: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Follow the branches until cancelled."""
        try:
            async with asyncio.TaskGroup() as followers:
                for namespace in self._namespaces:
                    path = f"{BRANCHES}/namespaces/{namespace}/branchdatabases"
                    followers.create_task(self._api.follow(path, self._see))
        finally:
            for life in self._lives.values():
                life.cancel()
            await asyncio.gather(*self._lives.values(), return_exceptions=True)

    def variables(self, session: Mapping[str, Any]) -> dict[str, str]:
        """Return the variables that lead a session to its branches; NoBranch for one that is not ready."""
        found = {}
        for name in _named_by(session):
            copy = self._copies.get((session["metadata"]["namespace"], name))
            if copy is None:
                raise NoBranch(f"database branch {name} is not ready")
            found[copy.variable] = copy.url
        return found

    async def _see(self, event: str, branch: Object) -> None:
        metadata = branch["metadata"]
        if event == "DELETED" or "deletionTimestamp" in metadata:
            life = self._lives.pop(metadata["uid"], None)
            if life is not None:
                life.cancel()
                self._copies.pop((metadata["namespace"], metadata["name"]), None)
                self._file(branch).unlink(missing_ok=True)
        elif metadata["uid"] not in self._lives:
            self._lives[metadata["uid"]] = asyncio.create_task(self._live(branch))

    async def _live(self, branch: Object) -> None:
        """Make a copy, and keep the branch as long as a session uses it, or its time to live lasts."""
        try:
            await self._report(branch, {"phase": "Init", "expireTime": self._end(branch)})
            try:
                copy = await self._copy(branch)
            except (CopyError, TargetMissing) as error:
                failed = {"phase": "Failed", "expireTime": self._end(branch), "error": str(error)}
                await self._report(branch, failed)
            else:
                self._copies[(branch["metadata"]["namespace"], branch["metadata"]["name"])] = copy
                await self._report(branch, {"phase": "Ready", "expireTime": self._end(branch)})
            await asyncio.sleep(branch["spec"]["ttlSecs"])
            while await self._is_used(branch):
                await asyncio.sleep(branch["spec"]["ttlSecs"])
            await self._api.delete(_path(branch), branch["metadata"]["uid"])
        except ApiError as error:
            # It was deleted meanwhile.
            if error.status not in (404, 409):
                raise

    async def _copy(self, branch: Object) -> Copy:
        spec = branch["spec"]
        variable = _variable(spec["connectionSource"])
        environment = await environment_of(self._api, branch["metadata"]["namespace"], spec["target"])
        if variable not in environment:
            raise CopyError(f"target {spec['target']['name']} has no variable {variable}")
        if spec.get("migrations"):
            raise CopyError("this stand-in runs no migrations")
        options = [each for name, each in spec.items() if name.endswith(_OPTIONS) and each is not None]
        how = (options[0].get("copy") if options else None) or {}
        source, into = sqlite_copies.path_of(environment[variable]), self._file(branch)
        await asyncio.to_thread(sqlite_copies.copy, source, into, how)
        return Copy(variable, f"{sqlite_copies.FILE}{into}")

    async def _is_used(self, branch: Object) -> bool:
        namespace, name = branch["metadata"]["namespace"], branch["metadata"]["name"]
        sessions = await self._api.get(f"{SESSIONS}/namespaces/{namespace}/previewsessions")
        return any(name in _named_by(session) for session in sessions["items"])

    def _file(self, branch: Object) -> Path:
        # By its uid: a branch that is made anew under its name must not find what the one before wrote.
        return self._directory / f"{branch['metadata']['uid']}.db"

    def _end(self, branch: Object) -> str:
        return micro_time(self._now() + timedelta(seconds=branch["spec"]["ttlSecs"]))

    async def _report(self, branch: Object, status: Mapping[str, Any]) -> None:
        await self._api.patch(_path(branch) + "/status", {"status": status})


def _named_by(session: Mapping[str, Any]) -> list[str]:
    """Return the branches that a session names, of every engine."""
    named = (session["spec"].get("dbBranching") or {}).values()
    return [name for names in named for name in names or ()]


def _variable(source: Mapping[str, Any]) -> str:
    """Return the variable that leads to a database, where one does by itself."""
    url = source.get("url")
    kind = url[0] if isinstance(url, list) and url else url
    for name in ("env", "envFrom"):
        if isinstance(kind, Mapping) and name in kind:
            return str(kind[name]["variable"])
    raise CopyError("this stand-in finds a database only by one variable that holds its address")


def _path(branch: Mapping[str, Any]) -> str:
    metadata = branch["metadata"]
    return f"{BRANCHES}/namespaces/{metadata['namespace']}/branchdatabases/{metadata['name']}"
