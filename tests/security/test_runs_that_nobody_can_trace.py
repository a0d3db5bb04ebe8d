"""Whatever previewbot makes in the cluster says for whom, and who or what started it.

Who could want it not to: whoever lets an agent run something in staging, and wants the audit log to show a
bot's account and nothing else. It must not be true of an object alone while it is there: the API server's
audit log keeps it as it was created.
"""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api.github import Account
from tests.support.passes import ANN, A, B, World, ready

COPILOT = Account(198982749, "Copilot", "Bot")
DAN = Account(77, "dan")


def said_by(objects: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return what the only one of some objects says of itself, without its hash."""
    (one,) = objects.values()
    found: dict[str, str] = dict(one["metadata"]["annotations"])
    assert found.pop("previewbot.dev/spec-hash")
    return {key.removeprefix("previewbot.dev/"): value for key, value in found.items()}


BOBS = {"author": "bob", "pull-request": "acme/shop#42", "head-sha": A}


async def started_by_a_label() -> World:
    return await ready()


async def started_by_an_agent() -> World:
    world = World()
    world.github.author, world.github.labels = COPILOT, ()
    return await ready(world)


async def started_by_a_command() -> World:
    world = World()
    world.github.labels = ()
    world.say("/preview start")
    return await ready(world)


async def approved_by_somebody() -> World:
    world = World()
    world.github.fork = True
    world.poke()
    await world.settle(3)
    world.say(f"/preview start {A}")
    return await ready(world)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (started_by_a_label, BOBS | {"trigger": "the label preview"}),
        (
            started_by_an_agent,
            BOBS | {"author": "Copilot", "agent": "Copilot", "trigger": "Copilot, recognised by its account"},
        ),
        (started_by_a_command, BOBS | {"trigger": "@ann's command", "started-by": "ann"}),
        (approved_by_somebody, BOBS | {"trigger": "@ann's command", "started-by": "ann"}),
    ],
)
async def test_sessions_and_routes_say_for_whom_they_are_and_what_started_them(
    start: Any, said: dict[str, str]
) -> None:
    world = await start()

    assert said_by(world.cluster.sessions) == said
    assert said_by(world.cluster.routes) == said


async def test_no_object_is_ever_made_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    made: list[dict[str, Any]] = []
    create, apply = world.cluster.create_child, world.cluster.apply_child

    async def creates(*of: Any) -> dict[str, Any]:
        made.append(of[-1])
        return await create(*of)

    async def applies(*of: Any) -> dict[str, Any]:
        made.append(of[-1])
        return await apply(*of)

    monkeypatch.setattr(world.cluster, "create_child", creates)
    monkeypatch.setattr(world.cluster, "apply_child", applies)
    await ready(world)
    world.push(B)
    await world.settle()
    world.say("/preview stop")
    await world.settle()
    world.say("/preview start")
    await world.settle()
    world.close()
    await world.settle()

    assert {one["kind"] for one in made} == {"PreviewSession", "HTTPRoute"}
    told = [one["metadata"].get("annotations", {}) for one in made]
    needed = {f"previewbot.dev/{key}" for key in ("author", "pull-request", "head-sha", "trigger")}
    assert [each for each in told if not all(each.get(key) for key in needed)] == []


async def test_a_session_is_by_whom_it_was_started_and_the_next_by_who_starts_it_again() -> None:
    world = await started_by_a_command()
    world.say("/preview stop")
    await world.settle()
    world.github.permissions[DAN.login] = "write"
    world.say("/preview start", DAN)
    await world.settle()

    assert said_by(world.cluster.sessions)["started-by"] == "dan"
    assert said_by(world.cluster.routes)["started-by"] == "dan"


async def test_another_name_and_another_starter_leave_alone_what_serves_and_the_route_says_so() -> None:
    world = await ready()
    before = dict(world.cluster.sessions)
    assert world.cluster.preview is not None
    world.cluster.preview["spec"]["repository"] = "acme/store"
    world.github.covering = {"acme/store": 812}
    world.github.installations = {"acme/store": 7}
    world.say("/preview start")
    await world.settle()

    assert [s["metadata"]["uid"] for s in world.cluster.sessions.values()] == [
        s["metadata"]["uid"] for s in before.values()
    ]
    assert world.serving == [A]
    assert said_by(world.cluster.routes)["pull-request"] == "acme/store#42"


async def test_a_route_follows_the_commit_that_it_leads_to_without_a_write_for_each_push() -> None:
    world = await ready()
    written: list[str] = []

    async def passes(count: int) -> None:
        for _ in range(count):
            await world.settle(1)
            (route,) = world.cluster.routes.values()
            led = f"{world.cluster.leads_to()} {said_by(world.cluster.routes)['head-sha'][:3]}"
            # What is applied once more as it was is no write: the adapter compares first.
            written.extend([led] if led not in written[-1:] else [])
            assert set(route["metadata"]["annotations"]) >= {"previewbot.dev/author"}

    await passes(2)
    world.push(B, built=False)
    await passes(4)
    world.push(B, built=True)
    await passes(8)

    assert written == [f"staging {A[:3]}", f"page {B[:3]}", f"staging {B[:3]}"]


async def test_who_opened_it_stays_known_in_the_status_after_the_pull_request_is_closed() -> None:
    world = await started_by_an_agent()
    world.say("/preview stop", ANN)
    await world.settle()

    assert world.status.observed.author == "Copilot"
    assert world.status.lifecycle.ended is not None
    assert world.status.lifecycle.ended.by == "ann"
