"""Another kind of child and another place to report to are a class each: nothing else knows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from previewbot.api import (
    PREVIEW_LABEL,
    Child,
    ChildState,
    Phase,
    Preview,
    Reason,
    Report,
    Resource,
    Status,
    owner_reference,
)
from previewbot.engine.operator import Operator
from previewbot.errors import Forbidden, TryLater
from previewbot.reconciler.children import KINDS, Inputs
from previewbot.reconciler.children.kind import ChildHealth, Desired
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.limits import Limits
from previewbot.reconciler.observation import Found
from previewbot.reconciler.reporters import GITHUB_REPORTERS, KeptReporter
from previewbot.reconciler.reporters.reporter import Due, PublishResult, ReportContext, Reporter
from previewbot.text.markers import comment_hash
from tests.support.passes import A, B, World


class Databases:
    """A database per service, which a session needs: made before it, removed after it."""

    name = "Database"
    resource = Resource("example.com", "v1", "databases")
    optional = patched = False
    size = "small"

    def desired(self, inputs: Inputs) -> Sequence[Desired]:
        return [self._desired(inputs.preview, each.service.name) for each in inputs.services]

    def read(self, obj: Mapping[str, Any]) -> Found:
        metadata = obj["metadata"]
        return Found(
            kind=self.name,
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            owner_uid=metadata["ownerReferences"][0]["uid"],
            created_at=datetime.fromisoformat(metadata["creationTimestamp"].replace("Z", "+00:00")),
            state=ChildState(obj["status"].get("phase", "Creating")),
            service=metadata["labels"]["service"],
            spec_hash=obj["spec"]["size"],
        )

    def health(self, found: Found, was: Child, limits: Limits, now: datetime) -> ChildHealth:
        message = "no disk" if found.state is ChildState.FAILED else ""
        return ChildHealth(found.state, Reason.CREATING, message)

    def _desired(self, preview: Preview, service: str) -> Desired:
        name = f"{preview.spec.environment_key}-{service}"
        metadata = {
            "name": name,
            "namespace": "staging",
            "labels": {PREVIEW_LABEL: preview.name, "service": service},
            "ownerReferences": [owner_reference(preview)],
        }
        manifest = {"kind": self.name, "metadata": metadata, "spec": {"size": self.size}}
        return Desired(
            self.name, "staging", name, service, spec_hash=self.size, manifest=manifest, what="database"
        )

    def in_the_way(self, desired: Desired, others: Sequence[Mapping[str, Any]], operator: Operator) -> str:
        return ""


class Dashboard(Databases):
    """One for the whole preview, which shows its sessions: made after all of them, removed before."""

    def desired(self, inputs: Inputs) -> Sequence[Desired]:
        return [self._desired(inputs.preview, "")] if inputs.services else []


@dataclass(frozen=True)
class Line:
    """What the board says of a preview."""

    text: str
    begins: bool = True
    matters: str = ""

    @property
    def hash(self) -> str:
        return comment_hash(self.text)


class Board(KeptReporter[Line]):
    """A board that shows one line about each preview."""

    name = "board"

    def __init__(self) -> None:
        self.shown: dict[int, str] = {}
        self.fails: Exception | None = None
        self.is_lost: Exception | None = None
        self.looks = 0
        self.asked = 0

    def wanted(self, context: ReportContext, status: Status) -> Mapping[str, Line]:
        return {"board": Line(str(status.phase), begins=context.may_begin)}

    async def find(self, context: ReportContext, key: str, own: OwnComments) -> Report | None:
        self.looks += 1
        return next((Report(id=number, hash=comment_hash(text)) for number, text in self.shown.items()), None)

    async def write(self, context: ReportContext, key: str, report: Report, content: Line) -> Report:
        self.asked += 1
        if self.fails is not None:
            raise self.fails
        number = report.id or len(self.shown) + 1
        self.shown[number] = content.text
        if self.is_lost is not None:
            raise self.is_lost
        return replace(report, id=number, hash=content.hash)


class Bells(Reporter):
    """A bell that rings once for each head that begins to serve; it has nothing to find, edit or announce."""

    name = "bells"

    def __init__(self) -> None:
        self.rung: list[str] = []

    def due(self, context: ReportContext, status: Status) -> tuple[Status, Sequence[Due]]:
        serving = {service.serving_sha for service in status.services}
        new = serving - {service.serving_sha for service in context.before.services}
        return status, [Due(text=sha) for sha in new if sha]

    async def publish(self, context: ReportContext, status: Status, due: Due) -> PublishResult:
        self.rung.append(due.text)
        return PublishResult(status)


class DatabaseWorld(World):
    """A world with databases."""

    def __init__(self) -> None:
        self.databases = Databases()
        super().__init__(kinds=(self.databases, *KINDS))

    @property
    def there(self) -> dict[str, dict[str, Any]]:
        """The databases that exist."""
        return self.cluster.others.get("databases", {})

    def database_becomes(self, phase: str) -> None:
        """Let whoever makes databases say this of all."""
        for database in self.there.values():
            database["status"] = {"phase": phase}


async def test_a_session_waits_until_its_database_is_ready() -> None:
    world = DatabaseWorld()
    world.cluster.session_status = {"phase": "Creating"}
    await world.settle()

    assert len(world.there) == 1
    assert world.cluster.sessions == {}
    assert (world.status.phase, world.status.reason) == (Phase.DEPLOYING, Reason.CREATING)

    world.database_becomes("Ready")
    world.cluster.session_status = {"phase": "Ready"}
    await world.settle()

    assert world.serving == [A]
    assert {child.kind for child in world.status.children} == {"Database", "PreviewSession", "HTTPRoute"}


async def test_a_database_that_fails_is_told_of_and_not_made_again() -> None:
    world = DatabaseWorld()
    world.cluster.session_status = {"phase": "Creating"}
    await world.settle(3)
    world.database_becomes("Failed")
    await world.settle(3)

    assert (world.status.phase, world.service.failure_message) == (Phase.FAILED, "no disk")
    assert world.there == {}
    assert "no disk" in world.comment


async def test_another_size_replaces_the_database_but_not_the_session() -> None:
    world = DatabaseWorld()
    await world.settle()
    (before,) = world.cluster.sessions
    world.databases.size = "large"
    world.poke()
    await world.settle()

    assert [database["spec"]["size"] for database in world.there.values()] == ["large"]
    assert list(world.cluster.sessions) == [before]


async def test_a_database_goes_only_after_the_session_that_uses_it() -> None:
    world = DatabaseWorld()
    await world.settle()
    world.cluster.operator_removes = False
    world.say("/preview stop")
    await world.settle(5)

    assert all("deletionTimestamp" in s["metadata"] for s in world.cluster.sessions.values())
    assert not any("deletionTimestamp" in d["metadata"] for d in world.there.values())

    world.cluster.sessions.clear()
    world.cluster.operator_removes = True
    await world.settle(5)

    assert world.there == {}
    assert world.status.phase is Phase.STOPPED


async def test_what_belongs_to_all_services_is_made_after_those_before_it_and_removed_first() -> None:
    world = World(kinds=(*KINDS, Dashboard()))
    world.cluster.session_status = {"phase": "Creating"}
    await world.settle()
    assert world.cluster.others.get("databases", {}) == {}

    world.cluster.session_status = {"phase": "Ready"}
    for session in world.cluster.sessions.values():
        session["status"] = {"phase": "Ready"}
    await world.settle()
    (dashboard,) = world.cluster.others["databases"].values()
    dashboard["status"] = {"phase": "Ready"}
    await world.settle()
    world.cluster.operator_removes = False
    world.say("/preview stop")
    await world.settle(5)

    assert "deletionTimestamp" in dashboard["metadata"]
    assert not any("deletionTimestamp" in s["metadata"] for s in world.cluster.sessions.values())


async def test_what_no_status_knows_is_kept_under_a_broken_configuration_if_it_belongs_to_all() -> None:
    world = World(kinds=(*KINDS, Dashboard()))
    await world.settle()
    (dashboard,) = world.cluster.others["databases"].values()
    dashboard["status"] = {"phase": "Ready"}
    await world.settle()
    assert world.cluster.preview is not None
    status = world.cluster.preview["status"]
    status["children"] = [child for child in status["children"] if child["kind"] != "Database"]
    world.configure("version: 2")
    await world.settle()

    assert world.serving == [A]
    assert list(world.cluster.others["databases"].values()) == [dashboard]


async def test_the_preview_itself_goes_only_after_its_database() -> None:
    world = DatabaseWorld()
    await world.settle()
    world.close()
    await world.settle()

    assert (world.there, world.cluster.sessions, world.cluster.preview) == ({}, {}, None)


async def test_a_place_that_keeps_no_text_is_a_class_too() -> None:
    bells = Bells()
    world = World(reporters=(*GITHUB_REPORTERS, bells))
    await world.settle()
    world.push(B)
    await world.settle()

    assert bells.rung == [A, B]


async def test_another_place_is_told_of_every_change_once() -> None:
    board = Board()
    world = World(reporters=(*GITHUB_REPORTERS, board))
    await world.settle()
    world.push(B, built=False)
    await world.settle()

    assert board.shown == {1: "AwaitingImage"}
    assert world.status.reports["board"].id == 1


async def test_what_was_written_and_whose_answer_was_lost_is_found_there_and_not_written_twice() -> None:
    board = Board()
    board.is_lost = TryLater("the board", message="no answer in time")
    world = World(reporters=(*GITHUB_REPORTERS, board))
    await world.settle()
    board.is_lost = None
    world.clock.forward(seconds=31)
    world.poke()
    await world.settle()

    assert board.shown == {1: "Ready"}


async def test_a_place_that_fails_keeps_no_other_from_being_told_and_nothing_from_being_removed() -> None:
    board = Board()
    board.fails = TryLater("the board", status=502)
    world = World(reporters=(board, *GITHUB_REPORTERS))
    await world.settle()
    # Whether it took the text is not known: it is asked again once it would show it.
    world.clock.forward(seconds=31)
    await world.run()

    assert "Open the preview" in world.comment
    assert "the board" in world.status.last_error

    world.close()
    await world.settle()
    assert world.cluster.sessions == {}


async def test_a_place_that_refuses_a_text_is_not_asked_again_at_once_and_says_so_in_a_condition() -> None:
    board = Board()
    board.fails = Forbidden("the board", status=403, message="locked")
    world = World(reporters=(*GITHUB_REPORTERS, board))
    await world.settle()

    reported = {c.type: c for c in world.status.conditions}["Reported"]
    assert (reported.status, reported.reason) == ("False", "Refused")
    assert world.status.reports["board"].refusal is not None
    assert "locked" in world.status.last_error
