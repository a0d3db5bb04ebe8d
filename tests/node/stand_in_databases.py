"""How the stand-in for mirrord's operator branches databases: with PostgreSQL's own programs.

Each BranchDatabase becomes a database on staging's server, copied from the one that the target's variable
leads to: `empty`, its `schema`, or `all` of it, and of tables that are named the rows that their filter lets
through (https://metalbear.com/mirrord/docs/sharing-the-cluster/db-branching). The genuine operator starts a
server of its own for each.
"""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

Object = dict[str, Any]
Call = Callable[..., Any]
"""`call(method, path, body=None, kind=…)`: a request to the API server; None for what is not there."""

FINALIZER = "dbs.mirrord.metalbear.co/cleanup"
SECONDS = 60


class NoBranch(Exception):
    """There is no making this branch; the text says why."""


def step(call: Call, namespace: str, path: str, branch: Object, expires: str) -> str:
    """Move a branch one step nearer to what it should be; return its phase, empty for one that is gone."""
    metadata, phase = branch["metadata"], (branch.get("status") or {}).get("phase")
    merge = "application/merge-patch+json"

    def report(**status: str) -> str:
        call("PATCH", f"{path}/status", {"status": {"expireTime": expires, **status}}, merge)
        return status["phase"]

    if "deletionTimestamp" in metadata:
        if FINALIZER in (metadata.get("finalizers") or []):
            _drop(call, namespace, branch)
            kept = [each for each in metadata["finalizers"] if each != FINALIZER]
            call("PATCH", path, {"metadata": {"finalizers": kept}}, merge)
        return ""
    if FINALIZER not in (metadata.get("finalizers") or []):
        call("PATCH", path, {"metadata": {"finalizers": [FINALIZER]}}, merge)
        return report(phase="Init")
    if phase in (None, "Init", "Pending"):
        try:
            _make(call, namespace, branch)
        except NoBranch as error:
            return report(phase="Failed", error=str(error))
        return report(phase="Ready")
    return str(phase)


def variables(call: Call, namespace: str, branch: Object) -> dict[str, str]:
    """Return what leads a session to its branch: the variable, with the branch's database in its address."""
    name, url = source(call, namespace, branch["spec"])
    return {name: urlsplit(url)._replace(path=f"/{database(branch)}").geturl()}


def database(branch: Object) -> str:
    """Return the name of a branch's database; by its uid, since another may have its name later."""
    return "branch_" + str(branch["metadata"]["uid"]).replace("-", "")


def source(call: Call, namespace: str, spec: Mapping[str, Any]) -> tuple[str, str]:
    """Return the variable that leads to staging's database and its value; raises NoBranch."""
    url = (spec.get("connectionSource") or {}).get("url") or {}
    kind = next((kind for kind in ("env", "envFrom") if isinstance(url, Mapping) and kind in url), None)
    if kind is None:
        raise NoBranch("this stand-in finds a database only by one variable that holds its address")
    name, target = str(url[kind]["variable"]), spec["target"]["name"]
    found = call("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/{target}")
    if found is None:
        raise NoBranch(f"target Deployment {namespace}/{target}: not found")
    container = found["spec"]["template"]["spec"]["containers"][0]
    for variable in container.get("env") or []:
        if variable["name"] == name and "value" in variable:
            return name, str(variable["value"])
    for each in container.get("envFrom") or []:
        if "secretRef" in each:
            secret = call("GET", f"/api/v1/namespaces/{namespace}/secrets/{each['secretRef']['name']}") or {}
            if name in (secret.get("data") or {}):
                return name, base64.b64decode(secret["data"][name]).decode()
    raise NoBranch(f"target {target} has no variable {name}")


def copies(how: Mapping[str, Any], old: str, new: str) -> list[str]:
    """Return the commands, for a shell, that copy one database into another as mirrord's `copy` says."""
    mode, items = how.get("mode", "empty"), how.get("items") or {}
    into = f"psql --quiet --set ON_ERROR_STOP=1 --dbname {new} >/dev/null"
    named = " ".join(f"--table={quoted(name)}" for name in items)
    without = " ".join(f"--exclude-table-data={quoted(name)}" for name in items)
    found = []
    if mode == "all":
        found.append(f"pg_dump {without} {old} | {into}")
    elif mode == "schema" or items:
        found.append(f"pg_dump --schema-only {named if mode == 'empty' else ''} {old} | {into}")
    for name, item in items.items():
        condition = (item or {}).get("filter")
        rows = f"SELECT * FROM {name}" + (f" WHERE {condition}" if condition else "")
        out, back = quoted(f"COPY ({rows}) TO STDOUT"), quoted(f"COPY {name} FROM STDIN")
        found.append(
            f"psql --set ON_ERROR_STOP=1 --dbname {old} --command {out} | "
            f"psql --quiet --set ON_ERROR_STOP=1 --dbname {new} --command {back}"
        )
    return found


def quoted(text: str) -> str:
    """Return a word of a shell's."""
    return "'" + text.replace("'", "'\\''") + "'"


def _make(call: Call, namespace: str, branch: Object) -> None:
    spec, new = branch["spec"], database(branch)
    if not spec.get("postgresOptions"):
        raise NoBranch("this stand-in branches PostgreSQL only")
    if spec.get("migrations"):
        raise NoBranch("this stand-in runs no migrations")
    _, url = source(call, namespace, spec)
    # What a step before this one began, and did not end, is begun again.
    _run(url, ["dropdb", "--if-exists", "--force", new])
    _run(url, ["createdb", new])
    for command in copies(spec["postgresOptions"].get("copy") or {}, urlsplit(url).path.lstrip("/"), new):
        _run(url, ["bash", "-o", "pipefail", "-c", command])


def _drop(call: Call, namespace: str, branch: Object) -> None:
    try:
        _, url = source(call, namespace, branch["spec"])
    except NoBranch:
        # Without a way there it was never made.
        return
    _run(url, ["dropdb", "--if-exists", "--force", database(branch)])


def _run(url: str, command: Sequence[str]) -> None:
    parts = urlsplit(url)
    # In the environment: arguments can be read by whoever lists processes.
    environment = os.environ | {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": parts.username or "",
        "PGPASSWORD": parts.password or "",
    }
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NoBranch(f"{command[0]} did not end within {SECONDS} s") from None
    if done.returncode != 0:
        raise NoBranch(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else command[0])
