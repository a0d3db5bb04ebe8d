"""Recognising agents: by account, branch, description and commits; and not recognising people."""

from collections.abc import Sequence

import pytest

from previewbot.api.github import Account, Commit
from previewbot.config.agents import built_in
from previewbot.rules import agents
from previewbot.rules.agents import Signs

ALICE = Account(id=1, login="alice")
BOB = Account(id=2, login="bob")
TABLE = built_in()


def recognise(
    author: Account, branch: str, body: str = "", commits: Sequence[Commit] | None = None
) -> tuple[str, str] | None:
    """Return the agent behind a pull request and its signal; the branch is the repository's own."""
    seen = agents.recognise(Signs(author, branch, body, "main"), commits, TABLE)
    return (seen.name, seen.signal) if seen else None


def needs_commits(author: Account, branch: str) -> bool:
    """Return whether the commits of a branch of the repository's own are to be read."""
    return agents.needs_commits(Signs(author, branch), TABLE)


def commit(
    message: str = "Fix it",
    name: str = "Alice",
    email: str = "alice@example.com",
    author: Account | None = ALICE,
) -> Commit:
    return Commit(sha="a" * 40, message=message, author_name=name, author_email=email, author=author)


def by_claude(author: Account | None = ALICE) -> Commit:
    return commit("Fix\n\nCo-Authored-By: Claude <noreply@anthropic.com>", author=author)


@pytest.mark.parametrize(
    ("author", "name"),
    [
        (Account(198982749, "Copilot", "Bot"), "Copilot"),
        (Account(198982749, "renamed-since", "Bot"), "Copilot"),
        (Account(206951365, "cursor[bot]", "Bot"), "Cursor"),
        (Account(199175422, "chatgpt-codex-connector[bot]", "Bot"), "Codex"),
        (Account(242516109, "Codex", "Bot"), "Codex"),
        (Account(209825114, "claude[bot]", "Bot"), "Claude"),
        (Account(242468646, "Claude", "Bot"), "Claude"),
        (Account(158243242, "devin-ai-integration[bot]", "Bot"), "Devin"),
        (Account(161369871, "google-labs-jules[bot]", "Bot"), "Jules"),
        (Account(5, "tembo[bot]", "Bot"), "Tembo"),
        (Account(5, "OpenHands-agent"), "OpenHands"),
    ],
)
def test_an_agents_account_tells(author: Account, name: str) -> None:
    assert recognise(author, "topic") == (name, "its account")
    assert not needs_commits(author, "topic")


@pytest.mark.parametrize(
    ("branch", "name", "shown"),
    [
        ("copilot/fix-12", "Copilot", "copilot/…"),
        ("cursor/prices-1a2b", "Cursor", "cursor/…-1a2b"),
        ("codex/add-tests", "Codex", "codex/…"),
        ("0nylrk-codex/fix-footer", "Codex", "0abc12-codex/…"),
        ("claude/issue-7", "Claude", "claude/…"),
        ("devin/1700000000-x", "Devin", "devin/0123456789-…"),
        ("openhands/fix", "OpenHands", "openhands/…"),
        ("sweep/fix", "Sweep", "sweep/…"),
    ],
)
def test_an_agents_branch_tells_under_a_persons_account(branch: str, name: str, shown: str) -> None:
    assert recognise(ALICE, branch) == (name, f"the branch name {shown}")
    assert not needs_commits(ALICE, branch)
