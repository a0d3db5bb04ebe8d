"""A stranger names the branch of a fork `copilot/x`, or writes what an agent would: that asks for nothing.

Who could want it: whoever wants a Preview, a comment of previewbot's and a look at each push, for the asking.
"""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api.github import Account
from previewbot.config.agents import Agent, SignalKind, built_in
from previewbot.rules.agents import Signs, recognise
from tests.support.agents import CLAIMS, Claim
from tests.support.passes import A, World

MALLORY = Account(666, "mallory")
COPILOT = Account(198982749, "Copilot", "Bot")
TABLE = built_in()
WITH_ACCOUNTS = [agent for agent in TABLE.agents if agent.of(SignalKind.ACCOUNT, SignalKind.LOGIN)]


def a_fork(author: Account = MALLORY, **changes: Any) -> World:
    """Return a world whose pull request comes from a fork that nobody with rights asked for."""
    world = World()
    world.github.fork, world.github.labels, world.github.author = True, (), author
    for name, value in changes.items():
        setattr(world.github, name, value)
    world.poke()
    return world


@pytest.mark.parametrize(
    ("branch", "body"),
    [
        ("copilot/x", ""),
        ("codex/half-price", ""),
        ("patch-1", "https://chatgpt.com/codex/tasks/task_e_1"),
        ("patch-1", "Generated with [Claude Code](https://claude.com/claude-code)"),
    ],
)
async def test_what_a_stranger_writes_triggers_nothing_and_leaves_nothing(branch: str, body: str) -> None:
    world = a_fork(branch=branch, body=body)

    await world.run()

    assert world.cluster.preview is None
    assert world.cluster.routes == {}
    assert world.github.comments_written == []


async def test_the_commits_of_a_fork_are_not_even_read() -> None:
    world = a_fork()

    await world.run()

    assert "pull request" in world.calls.made
    assert "commits" not in world.calls.made


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.agent}: {claim.by}")
def test_no_signal_of_any_agent_but_its_account_tells_of_a_fork(claim: Claim) -> None:
    inside = recognise(Signs(MALLORY, claim.branch, claim.body), [claim.commit], TABLE)
    fork = recognise(Signs(MALLORY, claim.branch, claim.body, is_fork=True), [claim.commit], TABLE)

    assert inside is not None and inside.name == claim.agent
    assert fork is None


@pytest.mark.parametrize("agent", WITH_ACCOUNTS, ids=lambda agent: agent.name)
def test_the_account_of_an_agent_tells_of_a_fork_too(agent: Agent) -> None:
    logins = [signal.value for signal in agent.of(SignalKind.LOGIN)]
    author = Account((*agent.ids, 5)[0], (*logins, "renamed")[0], "Bot")

    found = recognise(Signs(author, "patch-1", is_fork=True), None, TABLE)

    assert found is not None and found.name == agent.name


async def test_a_fork_by_an_agents_own_account_is_offered_for_approval_and_runs_nothing() -> None:
    world = a_fork(COPILOT)

    await world.settle()

    assert f"/preview start {A}" in world.comment
    assert world.serving == []


async def test_a_label_asks_for_the_preview_of_a_fork_and_runs_nothing() -> None:
    world = a_fork(labels=("preview",))

    await world.settle()

    assert f"/preview start {A}" in world.comment
    assert world.serving == []


async def test_a_writers_command_starts_a_fork_that_nothing_triggered() -> None:
    world = a_fork()
    await world.run()
    assert world.cluster.preview is None

    world.say(f"/preview start {A}")
    await world.settle()

    assert world.serving == [A]
