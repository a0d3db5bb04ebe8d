"""`/preview logs`: what services print is shown to whom it is meant for, masked, and little of it."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.errors import Forbidden
from tests.support.passes import BOTH, World, ready
from tests.support.pods import a_pod, well

PRINTED = "listening on 8080\npassword=hunter2-of-the-database\nGET /cart 200"


async def a_world(log: str = PRINTED, *, private: bool = True, both: bool = False, **settings: Any) -> World:
    """Return a world in which a preview runs whose pods have printed this."""
    world = World(**settings)
    world.cluster.log, world.github.private = log, private
    if both:
        world.github.paths = BOTH
    reads, read_log = list[str](), world.cluster.pod_log

    async def counted(namespace: str, pod: str, container: str, *, previous: bool) -> str:
        reads.append(pod)
        return await read_log(namespace, pod, container, previous=previous)

    cluster: Any = world.cluster
    cluster.pod_log, cluster.reads = counted, reads
    await ready(world)
    for session in world.cluster.sessions.values():
        uid = session["metadata"]["uid"]
        world.pods[uid] = (a_pod(uid, well(world.clock.now), uid=f"pod of {uid}"),)
    return world


async def asked(world: World, command: str = "/preview logs", who: str = "") -> list[str]:
    """Let somebody ask; return the answers."""
    if who:
        world.github.permissions[who] = "read"
        world.poke(comment_id=world.github.say(command, who))
    else:
        world.say(command)
    await world.settle(6)
    return [body for body in world.github.own_comments() if "reply-to=" in body]


def logs_read(world: World) -> int:
    """Return how many logs were read."""
    cluster: Any = world.cluster
    return len(cluster.reads)


async def test_the_last_lines_are_shown_folded_and_without_secrets() -> None:
    world = await a_world()
    (answer,) = await asked(world)

    assert "<details><summary>The last lines of checkout</summary>" in answer
    assert "listening on 8080" in answer and "GET /cart 200" in answer
    assert "hunter2" not in answer and "hunter2" not in str(world.cluster.preview)
    assert [reaction for _, reaction in world.github.reacted] == ["rocket"]


@pytest.mark.parametrize(
    "command", ["/preview logs", "/preview logs checkout", "/preview status\n/preview logs"]
)
async def test_in_a_public_repository_none_is_read_or_shown(command: str) -> None:
    world = await a_world(private=False)
    (answer,) = await asked(world, command)

    assert "This repository is public" in answer and "logs_in_public_repositories: true" in answer
    assert "listening" not in answer
    assert logs_read(world) == 0
    assert [reaction for _, reaction in world.github.reacted] == ["confused"]


async def test_in_a_public_repository_they_are_shown_where_the_platform_team_allows_it() -> None:
    world = await a_world(private=False, commands={"logs_in_public_repositories": True})
    (answer,) = await asked(world)

    assert "listening on 8080" in answer


async def test_where_comments_may_quote_no_logs_the_command_does_not_either() -> None:
    world = await a_world(comment={"logs": False}, commands={"logs_in_public_repositories": True})
    (answer,) = await asked(world)

    assert "does not let comments quote" in answer and "listening" not in answer
    assert logs_read(world) == 0


async def test_who_may_only_read_gets_none_and_costs_no_request() -> None:
    world = await a_world()
    (answer,) = await asked(world, who="mallory")

    assert "needs write access" in answer and "listening" not in answer
    assert logs_read(world) == 0


async def test_a_log_without_end_is_cut_and_cannot_leave_its_block() -> None:
    world = await a_world("</details>\n```\n@everyone <img src=x>\n" * 5_000)
    (answer,) = await asked(world)

    assert len(answer) < 10_000
    block = answer.partition("````")[2].rpartition("````")[0]
    assert "@everyone" in block and "@everyone" not in answer.replace(block, "")


async def test_of_several_services_each_is_shown_and_of_a_named_one_only_that() -> None:
    world = await a_world(both=True)
    (answer,) = await asked(world)
    assert answer.count("<details>") == 2

    answers = await asked(world, "/preview logs pricing")
    assert "The last lines of pricing" in answers[-1] and "checkout" not in answers[-1]


async def test_the_same_command_is_answered_once_and_read_once() -> None:
    world = await a_world()
    await asked(world)
    world.restart()
    await world.settle(6)

    assert logs_read(world) == 1


async def test_where_nothing_runs_it_says_so() -> None:
    world = await a_world()
    world.say("/preview stop")
    await world.settle(8)
    answers = await asked(world)

    assert "Nothing of it runs here now" in answers[-1]
    assert logs_read(world) == 0


async def test_a_log_that_cannot_be_read_stops_no_pass() -> None:
    world = await a_world()
    world.fail("read log", by=Forbidden("Kubernetes", status=403, message="no logs"))
    answers = await asked(world)

    assert "**checkout** runs, but its last lines cannot be read now" in answers[-1]
    assert "This is for your platform team" in answers[-1]


@pytest.mark.parametrize(
    ("settings", "private", "offered"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"commands": {"logs_in_public_repositories": True}}, False, True),
        ({"comment": {"logs": False}}, True, False),
    ],
)
async def test_what_would_be_refused_to_everybody_is_neither_explained_nor_meant(
    settings: dict[str, Any], private: bool, offered: bool
) -> None:
    world = await a_world(private=private, **settings)
    (status_comment,) = world.github.own_comments()
    explained = (await asked(world, "/preview help"))[-1]
    suggested = (await asked(world, "/preview lgos"))[-1]

    for text in (status_comment, explained):
        assert ("`/preview logs`" in text) is offered
    assert ("`logs`" in explained) is offered
    assert ("did you mean `/preview logs`?" in suggested) is offered
