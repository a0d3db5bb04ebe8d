"""`/preview start <sha>` written in a writer's name by some other App: an assistant that read a fork's text.

Who could want it: whoever opens a pull request whose text talks an assistant into approving it. GitHub shows
the writer as the author of what the assistant writes with that writer's token, and names the App beside it.
"""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api.github import Account
from previewbot.config.server import parse
from tests.support.passes import ANN, SETTINGS, A, World

ASSISTANT, OTHER = 1236702, 4711
MALLORY = Account(666, "mallory")
TRUSTING: dict[str, Any] = {"github": {**SETTINGS["github"], "trusted_apps": [ASSISTANT]}}
COMMANDS = ("/preview start", "/preview restart")


def a_fork(**settings: Any) -> World:
    world = World(**settings)
    world.github.fork, world.github.author = True, MALLORY
    world.poke()
    return world


async def ready(**settings: Any) -> World:
    world = await World(**settings).settle()
    assert world.serving == [A]
    return world


def answers(world: World) -> list[str]:
    return [body for body in world.github.own_comments() if "reply-to=" in body]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("settings", [{}, TRUSTING], ids=["no App is trusted", "this App is trusted"])
async def test_no_app_approves_a_fork(command: str, settings: dict[str, Any]) -> None:
    world = a_fork(**settings)
    await world.settle(2)
    world.say(f"{command} {A}", ANN, ASSISTANT)
    await world.settle()

    assert world.serving == []
    assert world.status.lifecycle.approved_sha == ""
    assert (world.status.phase, world.status.reason) == ("AwaitingApproval", "Fork")


async def test_a_trusted_app_is_told_why_and_what_the_person_can_do() -> None:
    world = a_fork(**TRUSTING)
    await world.settle(2)
    world.say(f"/preview start {A}", ANN, ASSISTANT)
    await world.settle(3)

    [words] = answers(world)
    assert "an App wrote that command in your name" in words
    assert f"```\n/preview start {A}\n```" in words


async def test_the_same_command_by_the_persons_own_hand_approves_it() -> None:
    world = a_fork()
    await world.settle(2)
    world.say(f"/preview start {A}", ANN, ASSISTANT)
    await world.settle(3)
    world.say(f"/preview start {A}", ANN)
    await world.settle(3)

    assert world.serving == [A]


@pytest.mark.parametrize("command", [*COMMANDS, "/preview stop", "/preview extend 2h"])
async def test_what_an_untrusted_app_writes_has_no_effect_and_gets_a_reaction_only(command: str) -> None:
    world = await ready()
    before = world.status.lifecycle
    world.say(command, ANN, OTHER)
    await world.run()

    assert "react" in world.calls.made
    assert "permission" not in world.calls.made
    await world.settle(3)
    assert world.serving == [A]
    assert (world.status.lifecycle, answers(world), world.status.replies) == (before, [], ())


async def test_the_log_names_the_app_whose_commands_do_not_count(caplog: pytest.LogCaptureFixture) -> None:
    world = await ready(**TRUSTING)
    world.say("/preview stop", ANN, OTHER)
    world.say("/preview status", ANN, ASSISTANT)
    world.say("/preview status", Account(7, "assistant[bot]", "Bot"), OTHER + 1)
    await world.settle(3)

    told = [record for record in caplog.records if "github.trusted_apps" in record.message]
    assert [record.__dict__["apps"] for record in told] == [[str(OTHER)]]


async def test_what_a_trusted_app_writes_in_a_writers_name_counts_as_the_writers() -> None:
    world = await ready(**TRUSTING)
    world.say("/preview stop", ANN, ASSISTANT)
    await world.settle(10)

    assert world.serving == []


async def test_a_trusted_app_may_do_no_more_than_the_person_in_whose_name_it_writes() -> None:
    world = await ready(**TRUSTING)
    world.say("/preview stop", MALLORY, ASSISTANT)
    await world.settle(5)

    assert world.serving == [A]
    assert ["needs write access" in words for words in answers(world)] == [True]


async def test_what_a_trusted_app_writes_in_its_own_name_is_a_bots() -> None:
    world = await ready(**TRUSTING)
    world.say("/preview stop", Account(7, "assistant[bot]", "Bot"), ASSISTANT)
    await world.settle(5)

    assert world.serving == [A]
    assert answers(world) == []


async def test_an_app_starts_what_comes_from_the_repository_itself_only_if_it_is_trusted() -> None:
    cases: list[tuple[dict[str, Any], list[str]]] = [({}, []), (TRUSTING, [A])]
    for settings, serving in cases:
        world = World(**settings)
        world.github.labels = ()
        world.say("/preview start", ANN, ASSISTANT)
        await world.settle(4)

        assert (world.serving if world.cluster.preview else []) == serving


def test_no_app_is_trusted_unless_the_settings_say_so() -> None:
    assert parse(SETTINGS, {}).github.trusted_apps == ()
    assert parse({**SETTINGS, **TRUSTING}, {}).github.trusted_apps == (ASSISTANT,)
