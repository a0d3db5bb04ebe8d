"""Passes over pull requests of agents: what the repository wants of each, and Apps that are on no list."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api import Phase, Reason
from previewbot.api.github import Account
from tests.support.passes import ANN, BOTH, CONFIGURATION, A, World

COPILOT = Account(198982749, "Copilot", "Bot")
GHOSTWRITER = Account(777_001, "ghostwriter[bot]", "Bot")
"""An App's account that is on no list."""

MACHINES = (
    Account(49699333, "dependabot[bot]", "Bot"),
    Account(29139614, "renovate[bot]", "Bot"),
    Account(41898282, "github-actions[bot]", "Bot"),
    Account(136622811, "coderabbitai[bot]", "Bot"),
)


def a_world(author: Account, policies: str = "", **settings: Any) -> World:
    """A pull request of this author, without labels, in a repository with these policies."""
    world = World(**settings)
    world.github.author, world.github.labels = author, ()
    world.github.configuration = CONFIGURATION + (f"agents:\n  {policies}\n" if policies else "")
    world.poke()
    return world


def apps(setting: str) -> dict[str, Any]:
    return {"agents": {"unknown_apps": setting}}


# An App on no list


@pytest.mark.parametrize("settings", [{}, apps("label"), apps("off")], ids=["nothing", "label", "off"])
async def test_an_unknown_apps_pull_request_does_not_start_by_itself(settings: dict[str, Any]) -> None:
    world = await a_world(GHOSTWRITER, **settings).settle()

    assert (world.cluster.preview, world.serving, world.github.own_comments()) == (None, [], [])


async def test_one_starts_by_itself_where_the_settings_say_so_and_is_called_by_its_login() -> None:
    world = await a_world(GHOSTWRITER, **apps("preview")).settle()

    assert world.serving == [A]
    seen = world.status.observed.agent
    assert seen is not None
    assert (seen.name, seen.signal) == ("ghostwriter[bot]", "an App on no list")
    assert "Opened by **ghostwriter\\[bot\\]**, an App that previewbot does not know" in world.comment
    assert "recognised by" not in world.comment
    assert world.status.observed.trigger == "ghostwriter[bot], an App on no list"


@pytest.mark.parametrize(("setting", "serving"), [("label", [A]), ("preview", [A]), ("off", [])])
async def test_a_label_starts_an_unknown_apps_unless_it_is_off(setting: str, serving: list[str]) -> None:
    world = a_world(GHOSTWRITER, **apps(setting))
    world.github.labels = ("preview",)
    await world.settle()

    assert world.serving == serving


@pytest.mark.parametrize("setting", ["label", "preview", "off"])
async def test_a_writers_command_starts_an_unknown_apps_in_any_case(setting: str) -> None:
    world = a_world(GHOSTWRITER, **apps(setting))
    await world.settle(2)
    world.say("/preview start", ANN)
    await world.settle()

    assert world.serving == [A]


@pytest.mark.parametrize("setting", ["label", "preview", "off"])
async def test_an_unknown_apps_fork_gets_nothing_by_itself_whatever_the_settings_say(setting: str) -> None:
    world = a_world(GHOSTWRITER, **apps(setting))
    world.github.fork = True
    world.poke()
    await world.settle()

    assert (world.cluster.preview, world.github.own_comments()) == (None, [])


@pytest.mark.parametrize("machine", MACHINES, ids=lambda account: account.login)
async def test_a_machine_of_another_trade_is_no_unknown_app(machine: Account) -> None:
    world = await a_world(machine, **apps("preview")).settle()

    assert world.cluster.preview is None


@pytest.mark.parametrize("setting", ["label", "preview", "off"])
async def test_a_person_is_no_unknown_app(setting: str) -> None:
    world = a_world(Account(1, "bob"), **apps(setting))
    await world.settle(2)
    assert world.cluster.preview is None

    world.github.labels = ("preview",)
    world.poke()
    await world.settle()
    assert world.serving == [A]


async def test_an_agent_that_the_settings_add_is_no_unknown_app() -> None:
    table = {"ghostwriter": {"name": "Ghostwriter", "accounts": [GHOSTWRITER.id]}}
    world = await a_world(GHOSTWRITER, agents={"unknown_apps": "off", "table": table}).settle()

    assert world.serving == [A]


async def test_a_repository_may_turn_unknown_apps_off_that_the_settings_let_start() -> None:
    world = await a_world(GHOSTWRITER, "unknown-apps: {preview: false}", **apps("preview")).settle()

    assert world.cluster.preview is None


# What the repository wants of an agent


async def test_an_agent_that_is_turned_off_gets_no_preview_and_no_word() -> None:
    world = await a_world(COPILOT, "copilot: {preview: false}").settle()

    assert (world.cluster.preview, world.serving, world.github.own_comments()) == (None, [], [])


async def test_a_command_starts_one_that_is_turned_off() -> None:
    world = a_world(COPILOT, "copilot: {preview: false}")
    await world.settle(2)
    world.say("/preview start", ANN)
    await world.settle()

    assert world.serving == [A]


async def test_another_agents_policy_says_nothing_of_this_one() -> None:
    world = await a_world(COPILOT, "claude: {preview: false}").settle()

    assert world.serving == [A]


async def test_one_agent_may_start_where_the_others_may_not() -> None:
    world = a_world(COPILOT, "copilot: {preview: true}\ntriggers: {agents: false}")

    assert (await world.settle()).serving == [A]


@pytest.mark.parametrize(
    ("policies", "serving"),
    [
        ("copilot: {drafts: true}\ntriggers: {drafts: false}", [A]),
        ("copilot: {drafts: false}", []),
        ("claude: {drafts: true}\ntriggers: {drafts: false}", []),
        ("copilot: {ttl: 1h}\ntriggers: {drafts: false}", []),
    ],
)
async def test_whether_drafts_count_is_said_for_each_agent(policies: str, serving: list[str]) -> None:
    world = a_world(COPILOT, policies)
    world.github.draft = True
    await world.settle()

    assert world.serving == serving


@pytest.mark.parametrize(("policies", "hours"), [("copilot: {ttl: 2h}", 2), ("claude: {ttl: 2h}", 8)])
async def test_previews_of_an_agent_live_as_long_as_its_policy_says(policies: str, hours: int) -> None:
    world = await a_world(COPILOT, policies).settle()

    ready_at, expires_at = world.status.lifecycle.ready_at, world.status.lifecycle.expires_at
    assert ready_at is not None
    assert expires_at is not None
    assert (expires_at - ready_at).total_seconds() == hours * 3600


async def test_one_that_is_longer_than_the_settings_allow_is_told_by_its_line() -> None:
    world = await a_world(COPILOT, "copilot: {ttl: 100h}").settle()

    assert world.status.reason is Reason.CONFIGURATION_NOT_ALLOWED
    [problem] = world.status.observed.problems
    assert problem.line == CONFIGURATION.count("\n") + 2
    assert "`agents.copilot.ttl` must be at most 3d" in problem.message


async def test_only_the_services_of_the_policy_start_by_themselves() -> None:
    world = a_world(COPILOT, "copilot: {services: [pricing]}")
    world.github.paths = BOTH
    await world.settle()

    assert [service.name for service in world.status.services] == ["pricing"]
    assert world.status.observed.held_back == ("checkout",)
    assert "Only a person's command starts **checkout**" in world.comment


async def test_a_persons_command_starts_the_others_too() -> None:
    world = a_world(COPILOT, "copilot: {services: [pricing]}")
    world.github.paths = BOTH
    await world.settle()
    world.say("/preview start", ANN)
    await world.settle()

    assert sorted(service.name for service in world.status.services) == ["checkout", "pricing"]


async def test_nothing_is_kept_where_none_of_its_services_is_changed() -> None:
    world = a_world(COPILOT, "copilot: {services: [pricing]}")
    await world.settle()
    assert (world.cluster.preview, world.github.own_comments()) == (None, [])

    world.say("/preview start", ANN)
    await world.settle()
    assert [service.name for service in world.status.services] == ["checkout"]


async def test_a_key_that_is_no_agents_is_told_by_its_line_with_what_was_meant() -> None:
    world = await a_world(COPILOT, "copilto: {preview: false}").settle()

    assert (world.status.phase, world.status.reason) == (Phase.FAILED, Reason.CONFIGURATION_INVALID)
    [problem] = world.status.observed.problems
    assert problem.line == CONFIGURATION.count("\n") + 2
    assert problem.message == "`copilto` is no agent that is known here; did you mean `copilot`?"


async def test_a_policy_may_be_about_an_agent_that_the_settings_add() -> None:
    table = {"ghostwriter": {"accounts": [GHOSTWRITER.id]}}
    world = await a_world(GHOSTWRITER, "ghostwriter: {preview: false}", agents={"table": table}).settle()

    assert world.cluster.preview is None


# What is told


async def test_the_comment_says_which_agent_and_by_which_signal() -> None:
    world = await a_world(COPILOT).settle()
    assert "Opened by **Copilot** (its account)." in world.comment


async def test_a_persons_pull_request_with_an_agents_signature_says_so_too() -> None:
    world = a_world(Account(1, "bob"))
    world.github.branch = "codex/fix-cart"
    await world.settle()

    assert "Made with **Codex** (recognised by the branch name codex/…)." in world.comment


async def test_a_persons_own_pull_request_names_no_agent() -> None:
    world = a_world(Account(1, "bob"))
    world.github.labels = ("preview",)
    await world.settle()

    assert world.serving == [A]
    assert "Opened by" not in world.comment
    assert "Made with" not in world.comment
