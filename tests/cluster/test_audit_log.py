"""The operations page's audit policy and query tell what an agent ran, from a real API server's audit log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from previewbot.api import AgentSeen, Lifecycle, Observed, Poke, Preview, new_object, status_object
from previewbot.config.repository import parse_target
from previewbot.engine.mirrord import DesiredSession, manifest
from previewbot.engine.parts import taking
from tests.cluster.test_kubectl import kubectl
from tests.support import audit
from tests.support.api import Api
from tests.support.control_plane import SYSTEM, ControlPlane
from tests.support.installed import Installed, install, uninstall
from tests.support.previews import HEAD, a_preview

NAMESPACE = "audited"
LONG_AGO = "2020-01-01T00:00:00Z"
TRIGGER = "Copilot, recognised by its account"
COPILOT = Observed(author="Copilot", agent=AgentSeen("Copilot", "its account"), trigger=TRIGGER)
SESSION = DesiredSession(
    service="checkout",
    namespace=NAMESPACE,
    target=parse_target("deployment/checkout"),
    container="app",
    image="ghcr.io/acme/checkout@sha256:" + "a" * 64,
    parts=taking((8080,)),
    head_sha=HEAD,
    ttl_seconds=3600,
)


@pytest.fixture(scope="module")
def installed(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    found = install(control_plane, tmp_path_factory.mktemp("chart"), NAMESPACE)
    yield found
    uninstall(found)


@pytest.fixture
def controller(control_plane: ControlPlane, installed: Installed) -> Iterator[Api]:
    api = Api(control_plane.url, installed.tokens["controller"], control_plane.authority)
    yield api
    api.close()


@pytest.fixture(autouse=True)
def empty(control_plane: ControlPlane, installed: Installed) -> Iterator[None]:
    yield
    control_plane.call("DELETE", PATH)


PATH = f"/apis/preview.mirrord.metalbear.co/v1alpha/namespaces/{NAMESPACE}/previewsessions"


def make(api: Api, preview: Preview, session: DesiredSession = SESSION) -> str:
    """Make a session as previewbot does, and return its name; its owner is not there, so it names none."""
    obj = manifest(preview, session)
    del obj["metadata"]["ownerReferences"]
    answer = api.call("POST", f"{PATH}?fieldValidation=Strict", obj)
    assert answer.status == 201, answer.text
    return str(answer.body["metadata"]["name"])


def ran(plane: ControlPlane, agent: str, since: str = LONG_AGO) -> list[dict[str, Any]]:
    """Return what the query answers of this file's namespace."""
    found = audit.runs(plane.audit_log(), SYSTEM, agent, since)
    return [one for one in found if one["instead_of"].startswith(f"{NAMESPACE}/")]


def test_the_query_answers_what_the_page_says(control_plane: ControlPlane, controller: Api) -> None:
    make(controller, a_preview(observed=COPILOT))

    (found,) = ran(control_plane, "Copilot")

    at = found["at"]
    expected = {**audit.example(), "at": at, "instead_of": f"{NAMESPACE}/Deployment/checkout"}
    assert found == expected
    assert list(found) == list(expected)
    assert len(at) == len(audit.example()["at"])
    assert ran(control_plane, "Copilot", since=at) == [found]
    assert ran(control_plane, "Copilot", since="2100-01-01T00:00:00Z") == []
    assert ran(control_plane, "Claude") == []


def test_what_somebody_else_made_in_an_agents_name_is_not_in_the_answer(
    control_plane: ControlPlane, controller: Api
) -> None:
    """Also where a policy keeps what everybody sends: the record is that of the controller, by another."""
    make(controller, a_preview(observed=replace(COPILOT, agent=AgentSeen("Cursor", "its account"))))
    (mine,) = ran(control_plane, "Cursor")
    account = f"system:serviceaccount:{SYSTEM}:previewbot-controller"
    log = control_plane.audit_log()

    assert mine in audit.runs(log, SYSTEM, "Cursor", LONG_AGO)
    assert audit.runs(log.replace(account, "jane"), SYSTEM, "Cursor", LONG_AGO) == []


def test_what_was_refused_did_not_run(control_plane: ControlPlane, controller: Api) -> None:
    preview = a_preview(observed=replace(COPILOT, agent=AgentSeen("Devin", "its account")))
    make(controller, preview)
    answer = controller.call("POST", PATH, manifest(preview, SESSION))

    assert answer.status == 409
    assert len(ran(control_plane, "Devin")) == 1


def test_without_the_rule_of_the_page_the_log_has_the_name_and_nothing_of_for_whom(
    control_plane: ControlPlane,
) -> None:
    make(control_plane.api, a_preview(name="gh-812-98", observed=COPILOT))

    events = [e for e in map(json.loads, control_plane.audit_log().split("\n")[:-1]) if made_by_admin(e)]

    assert events
    assert [e for e in events if e["level"] != "Metadata" or "requestObject" in e] == []


def made_by_admin(event: dict[str, Any]) -> bool:
    """Return whether an event is a session that the administrator made in this file's namespace."""
    where = event.get("objectRef") or {}
    made = event["user"]["username"] == "admin" and event["verb"] == "create"
    return made and (where.get("namespace"), where.get("resource")) == (NAMESPACE, "previewsessions")


def test_what_other_people_send_is_not_in_the_log(control_plane: ControlPlane, installed: Installed) -> None:
    obj = manifest(a_preview(name="gh-812-99"), SESSION)
    del obj["metadata"]["ownerReferences"]
    obj["spec"]["env"] = {"overrides": {"TOKEN": "hunter2-in-an-environment"}}

    answer = control_plane.call("POST", PATH, obj)

    assert answer.status == 201, answer.text
    assert "hunter2-in-an-environment" not in control_plane.audit_log()


def test_kubectl_shows_for_whom_what_runs_is(
    control_plane: ControlPlane, controller: Api, tmp_path: Path
) -> None:
    preview = a_preview(name="gh-812-97", observed=COPILOT, lifecycle=Lifecycle(started_by="ann"))
    make(controller, preview)
    stored = control_plane.apply(new_object(preview.spec, Poke()))
    path = f"{control_plane.path_of(stored)}/{preview.name}"
    stored["status"] = status_object(preview.status)
    assert control_plane.call("PUT", f"{path}/status", stored).status == 200
    sessions, previews = audit.kubectl_commands()

    found = kubectl(control_plane, tmp_path, *sessions)
    owners = kubectl(control_plane, tmp_path, *previews)
    control_plane.call("DELETE", path)

    (line,) = [line for line in found.stdout.splitlines() if line.startswith(NAMESPACE)]
    assert cells(line)[:-1] == [NAMESPACE, "checkout", "Copilot", "Copilot", "acme/shop#97", TRIGGER]
    (line,) = [line for line in owners.stdout.splitlines() if " 97 " in line]
    assert cells(line) == ["acme/shop", "97", "Copilot", "Copilot", TRIGGER, "ann", "<none>"]


def cells(line: str) -> list[str]:
    """Return the columns of a line of kubectl's."""
    return re.split(r" {2,}", line.strip())
