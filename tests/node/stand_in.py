"""A stand-in for mirrord's operator and agent, as pods: only Python's own library, and nothing of previewbot.

    python3 -m tests.node.stand_in operator           makes a real preview of each PreviewSession in
                                                      $NAMESPACE, and a copy for each BranchDatabase
    python3 -m tests.node.stand_in proxy web=8081 …   before each Deployment named: a request goes to the
                                                      preview whose stored filter takes it, else to the
                                                      Service NAME-staging

mirrord's operator is closed source. This does what is documented of it and was seen of it: a preview is a
Deployment of the target's own pod template with the session's image, named like the session, labelled with
the session's uid, and never Ready, by a readiness gate that nobody ever opens
(https://metalbear.com/mirrord/docs/use-cases/preview-environments).
"""

from __future__ import annotations

import copy
import http.client
import json
import os
import re
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.node import stand_in_databases as databases

Object = dict[str, Any]

FINALIZER = "preview.mirrord.metalbear.co/cleanup"
UID_LABEL = "preview.metalbear.co/session-uid"
GATE = "preview.metalbear.co/never-ready"
AGENT, KEY = "Mirrord-Agent", "mirrord-key"
INFINITE = 4294967295
LOOK_AGAIN = 0.3
REMEMBERED = 0.2
NOT_PASSED = ("connection", "transfer-encoding", "content-length", "date", "server")

_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_NAMESPACE = os.environ.get("NAMESPACE", "staging")
_SESSIONS = f"/apis/preview.mirrord.metalbear.co/v1alpha/namespaces/{_NAMESPACE}/previewsessions"
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{_NAMESPACE}/deployments"
_BRANCHES = f"/apis/dbs.mirrord.metalbear.co/v1alpha1/namespaces/{_NAMESPACE}/branchdatabases"
_PODS = f"/api/v1/namespaces/{_NAMESPACE}/pods"


class Api:
    """The API server, as this pod's service account."""

    def __init__(self) -> None:
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        self._url = f"https://{host}:{port}"
        self._tls = ssl.create_default_context(cafile=f"{_ACCOUNT}/ca.crt")

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Object | None:
        """Send a request; None for what is not there, or is there already."""
        with open(f"{_ACCOUNT}/token", encoding="utf-8") as file:
            headers = {"Authorization": f"Bearer {file.read()}", "Content-Type": kind}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=5, context=self._tls) as answer:
                found: Object = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            if error.code in (404, 409):
                return None
            raise OSError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def items(self, path: str) -> list[Object]:
        """List a collection."""
        found = self.call("GET", path)
        items: list[Object] = found["items"] if found else []
        return items

    def patch(self, path: str, change: Object) -> None:
        """Change an object."""
        self.call("PATCH", path, change, "application/merge-patch+json")


class Operator:
    """Moves every session one step nearer to what it should be, again and again."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def run(self) -> None:
        """Work for ever; an API server that is away is waited for."""
        while True:
            try:
                for branch in self._api.items(_BRANCHES):
                    self._branch(branch)
                for session in self._api.items(_SESSIONS):
                    self._step(session)
            except (OSError, http.client.HTTPException, ValueError, databases.NoBranch) as error:
                print(f"again soon: {error}", flush=True)
            time.sleep(LOOK_AGAIN)

    def _branch(self, branch: Object) -> None:
        name, before = branch["metadata"]["name"], (branch.get("status") or {}).get("phase")
        ends = moment(branch["spec"]["ttlSecs"])
        phase = databases.step(self._api.call, _NAMESPACE, f"{_BRANCHES}/{name}", branch, ends)
        if phase != before:
            print(f"{name}: {phase or 'gone'}", flush=True)

    def _step(self, session: Object) -> None:
        metadata, status = session["metadata"], session.get("status") or {}
        path = f"{_SESSIONS}/{metadata['name']}"
        if "deletionTimestamp" in metadata:
            self._end(session, path)
        elif FINALIZER not in (metadata.get("finalizers") or []):
            self._api.patch(path, {"metadata": {"finalizers": [FINALIZER]}})
            self._api.patch(f"{path}/status", {"status": {"phase": "Initializing", "startedAt": moment()}})
        elif status.get("phase") in (None, "Initializing"):
            self._begin(session, path)
        elif status.get("phase") == "Waiting" and any(map(runs, self._pods(session))):
            self._ready(session, path)
        elif status.get("phase") == "Ready" and status.get("expiresAt", "9") < moment():
            self._api.call("DELETE", path)

    def _begin(self, session: Object, path: str) -> None:
        target = session["spec"]["target"]
        found = self._api.call("GET", f"{_DEPLOYMENTS}/{target['name']}")
        try:
            if found is None:
                raise databases.NoBranch(f"target Deployment {_NAMESPACE}/{target['name']}: not found")
            own = self._own_databases(session)
        except databases.NoBranch as error:
            failed = {"phase": "Failed", "failedAt": moment(), "failureMessage": str(error)}
            self._api.patch(f"{path}/status", {"status": failed})
            return
        self._api.call("POST", _DEPLOYMENTS, preview_of(session, found, own))
        self._api.patch(f"{path}/status", {"status": {"phase": "Waiting"}})
        print(f"{session['metadata']['name']}: begun", flush=True)

    def _own_databases(self, session: Object) -> dict[str, str]:
        """Return the variables that lead a session to its branches; raises NoBranch."""
        found: dict[str, str] = {}
        named = (session["spec"].get("dbBranching") or {}).values()
        for name in (name for names in named for name in names or ()):
            branch = self._api.call("GET", f"{_BRANCHES}/{name}")
            if branch is None or (branch.get("status") or {}).get("phase") != "Ready":
                raise databases.NoBranch(f"database branch {name} is not ready")
            found |= databases.variables(self._api.call, _NAMESPACE, branch)
        return found

    def _ready(self, session: Object, path: str) -> None:
        ready: Object = {"phase": "Ready"}
        if session["spec"]["ttlSecs"] < INFINITE:
            ready["expiresAt"] = moment(session["spec"]["ttlSecs"])
        self._api.patch(f"{path}/status", {"status": ready})
        print(f"{session['metadata']['name']}: ready", flush=True)

    def _end(self, session: Object, path: str) -> None:
        name = session["metadata"]["name"]
        self._api.call("DELETE", f"{_DEPLOYMENTS}/{name}", {"propagationPolicy": "Background"})
        if not self._pods(session) and self._api.call("GET", f"{_DEPLOYMENTS}/{name}") is None:
            kept = [f for f in session["metadata"].get("finalizers") or [] if f != FINALIZER]
            self._api.patch(path, {"metadata": {"finalizers": kept}})
            print(f"{name}: ended", flush=True)

    def _pods(self, session: Object) -> list[Object]:
        return self._api.items(f"{_PODS}?labelSelector={UID_LABEL}%3D{session['metadata']['uid']}")


def preview_of(session: Object, target: Object, own: dict[str, str] | None = None) -> Object:
    """Return the Deployment of a session: the target's pods with another image and its `own` variables, never
    Ready."""
    spec, metadata = session["spec"], session["metadata"]
    template = copy.deepcopy(target["spec"]["template"])
    uid = {UID_LABEL: metadata["uid"]}
    template["metadata"] = {"labels": {**(template["metadata"].get("labels") or {}), **uid}}
    template["spec"]["readinessGates"] = [{"conditionType": GATE}]
    for container in template["spec"]["containers"]:
        if container["name"] == spec["target"]["container"]:
            container["image"] = spec["image"]
            overrides = ((spec.get("env") or {}).get("overrides") or {}) | (own or {})
            kept = [v for v in container.get("env") or [] if v["name"] not in overrides]
            container["env"] = kept + [{"name": name, "value": value} for name, value in overrides.items()]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": metadata["name"], "labels": uid},
        "spec": {
            "replicas": spec.get("replicas") or 1,
            "selector": {"matchLabels": uid},
            "template": template,
        },
    }


class Traffic:
    """Who takes a request, by what is stored; the last answer counts while the API server is away."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._seen = 0.0
        self._sessions: list[Object] = []
        self._addresses: dict[str, str] = {}

    def address(self, target: str, headers: list[tuple[str, str]]) -> tuple[str | None, dict[str, str]]:
        """Return the pod of the preview that takes a request to a target, None is staging's own; and what an
        agent writes into the answer, where one is: at a target that some session takes traffic of."""
        self._look()
        mark: dict[str, str] = {}
        for session in sorted(self._sessions, key=lambda s: str(s["metadata"]["creationTimestamp"])):
            address = self._addresses.get(session["metadata"]["uid"])
            if address and serves(session, target):
                if takes(session, headers):
                    return address, {AGENT: "forwarded-to-client", KEY: str(session["spec"]["key"])}
                mark = {AGENT: "passed-through"}
        return None, mark

    def _look(self) -> None:
        with self._lock:
            if time.monotonic() - self._seen < REMEMBERED:
                return
            try:
                sessions, pods = (
                    self._api.items(_SESSIONS),
                    self._api.items(f"{_PODS}?labelSelector={UID_LABEL}"),
                )
            except (OSError, http.client.HTTPException, ValueError) as error:
                print(f"as before: {error}", flush=True)
                return
            self._sessions = sessions
            self._addresses = {
                p["metadata"]["labels"][UID_LABEL]: p["status"]["podIP"] for p in pods if runs(p)
            }
            self._seen = time.monotonic()


def serves(session: Object, target: str) -> bool:
    """Say whether a session takes any traffic of a target."""
    phase = (session.get("status") or {}).get("phase")
    steals = (session["spec"].get("incoming") or {}).get("steal")
    return session["spec"]["target"].get("name") == target and phase in ("Ready", "Idle") and bool(steals)


def takes(session: Object, headers: list[tuple[str, str]]) -> bool:
    """Say whether a session's filter takes a request: searched in each `name: value`, whatever its case.

    With $BLIND none does, as if the header were lost on the way.
    """
    if os.environ.get("BLIND"):
        return False
    stored = session["spec"]["incoming"].get("httpFilter")
    if stored is None:
        return True
    filters = json.loads(stored)
    every, some = filters.get("all_of"), filters.get("any_of")
    if every or some:
        found = [searched(item.get("header"), headers) for item in every or some]
        return all(found) if every else any(found)
    return searched(filters.get("header_filter"), headers)


def searched(pattern: str | None, headers: list[tuple[str, str]]) -> bool:
    """Say whether a pattern is found in one of the headers; one that is none is found nowhere."""
    return bool(pattern) and any(
        re.search(str(pattern), f"{name}: {value}", re.IGNORECASE) for name, value in headers
    )


def runs(pod: Object) -> bool:
    """Say whether all containers of a pod are ready, whatever its gate says."""
    conditions = pod["status"].get("conditions") or []
    going = "deletionTimestamp" in pod["metadata"]
    return not going and any((c["type"], c["status"]) == ("ContainersReady", "True") for c in conditions)


def handler(target: str, traffic: Traffic) -> type[BaseHTTPRequestHandler]:
    """Return what answers requests before one target."""

    class Handler(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            chosen, mark = traffic.address(target, list(self.headers.items()))
            address = chosen or f"{target}-staging"
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
            connection = http.client.HTTPConnection(address, 8080, timeout=30)
            try:
                connection.request(self.command, self.path, body or None, headers)
                answer = connection.getresponse()
                status, passed, content = answer.status, answer.getheaders(), answer.read()
            except OSError as error:
                status, passed, content = 502, [], f"{address}: {error}".encode()
            connection.close()
            self.send_response(status)
            for name, value in passed:
                if name.lower() not in NOT_PASSED:
                    self.send_header(name, value)
            for name, value in mark.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_HEAD = _pass_on

    return Handler


def moment(seconds: float = 0) -> str:
    """Write a moment, so many seconds from now, as Kubernetes does."""
    then = datetime.now(UTC) + timedelta(seconds=seconds)
    return then.isoformat(timespec="microseconds").replace("+00:00", "Z")


def main(mode: str, *pairs: str) -> None:
    """Run as the operator, or as the proxy before the targets given."""
    if mode == "operator":
        Operator(Api()).run()
        return
    traffic = Traffic(Api())
    work: list[Callable[[], None]] = []
    for target, _, port in (pair.partition("=") for pair in pairs):
        server = ThreadingHTTPServer(("0.0.0.0", int(port)), handler(target, traffic))
        work.append(server.serve_forever)
    threads = [threading.Thread(target=serve) for serve in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
