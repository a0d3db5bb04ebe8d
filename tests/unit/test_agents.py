"""Recognising agents: by account, branch, description and commits; and not recognising people."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import AgentSeen
from previewbot.api.github import Account, Commit
from previewbot.rules import agents
from previewbot.rules.agents import NOT_AGENT_IDS, TABLE

ALICE = Account(id=1, login="alice")


def recognise(author: Account, branch: str, body: str, commits: Sequence[Commit] | None) -> AgentSeen | None:
    """Return the agent behind a pull request whose branch is the repository's own."""
    return agents.recognise(author, branch, body, commits, is_fork=False)


def needs_commits(author: Account, branch: str) -> bool:
    """Return whether the commits of a branch of the repository's own are to be read."""
    return agents.needs_commits(author, branch, is_fork=False)


def commit(
    message: str = "Fix it",
    name: str = "Alice",
    email: str = "alice@example.com",
    author: Account | None = ALICE,
) -> Commit:
    return Commit(sha="a" * 40, message=message, author_name=name, author_email=email, author=author)


@pytest.mark.parametrize(
    ("author", "name"),
    [
        (Account(198982749, "Copilot", "Bot"), "Copilot"),
        (Account(198982749, "renamed-since", "Bot"), "Copilot"),
        (Account(206951365, "cursor[bot]", "Bot"), "Cursor"),
        (Account(199175422, "chatgpt-codex-connector[bot]", "Bot"), "Codex"),
        (Account(209825114, "claude[bot]", "Bot"), "Claude"),
        (Account(158243242, "devin-ai-integration[bot]", "Bot"), "Devin"),
        (Account(161369871, "google-labs-jules[bot]", "Bot"), "Jules"),
        (Account(208079219, "amazon-q-developer[bot]", "Bot"), "Amazon Q Developer"),
        (Account(138933559, "factory-droid[bot]", "Bot"), "Factory Droid"),
        (Account(128439645, "sweep-ai[bot]", "Bot"), "Sweep"),
        (Account(5, "kiro-agent[bot]", "Bot"), "Kiro"),
        (Account(5, "codegen-sh[bot]", "Bot"), "Codegen"),
        (Account(5, "opencode-agent[bot]", "Bot"), "OpenCode"),
        (Account(5, "tembo[bot]", "Bot"), "Tembo"),
        (Account(5, "mentatbot[bot]", "Bot"), "Mentat"),
        (Account(5, "ellipsis-dev[bot]", "Bot"), "Ellipsis"),
        (Account(5, "OpenHands-agent"), "OpenHands"),
    ],
)
def test_an_agents_account_tells(author: Account, name: str) -> None:
    assert AgentSeen(name=name, signal="its account") == recognise(author, "topic", "", None)
    assert not needs_commits(author, "topic")


@pytest.mark.parametrize(
    ("branch", "name"),
    [
        ("copilot/fix-12", "Copilot"),
        ("cursor/prices-1a2b", "Cursor"),
        ("codex/add-tests", "Codex"),
        ("claude/issue-7", "Claude"),
        ("devin/1700000000-x", "Devin"),
        ("openhands/fix", "OpenHands"),
        ("sweep/fix", "Sweep"),
    ],
)
def test_an_agents_branch_tells_under_a_persons_account(branch: str, name: str) -> None:
    prefix = branch.split("/")[0]

    assert AgentSeen(name=name, signal=f"the branch name {prefix}/…") == recognise(ALICE, branch, "", None)
    assert not needs_commits(ALICE, branch)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("Task: https://chatgpt.com/codex/tasks/task_e_123", "Codex"),
        ("🤖 Generated with [Claude Code](https://claude.com/claude-code)", "Claude"),
        ("Link to run: https://app.devin.ai/sessions/1", "Devin"),
        ("[Open](https://cursor.com/agents?id=bc-1)", "Cursor"),
        ("[Open](https://www.cursor.com/agents?id=bc-1)", "Cursor"),
    ],
)
def test_an_agents_link_in_the_description_tells(body: str, name: str) -> None:
    assert AgentSeen(name=name, signal="a link in the description") == recognise(ALICE, "topic", body, None)


@pytest.mark.parametrize(
    ("made", "name", "signal"),
    [
        (commit("Fix\n\nCo-Authored-By: Claude <noreply@anthropic.com>"), "Claude", "a commit trailer"),
        (commit("Fix\r\n\r\nCo-authored-by: Codex <codex@openai.com>\r\n"), "Codex", "a commit trailer"),
        (
            commit("Fix\n\nCo-authored-by: Cursor Agent <CursorAgent@cursor.com>"),
            "Cursor",
            "a commit trailer",
        ),
        (commit("Fix\n\nAmp-Thread: x\nCo-authored-by: Amp <amp@ampcode.com>"), "Amp", "a commit trailer"),
        (commit("Fix\n\nCo-authored-by: aider (gpt-5) <noreply@aider.chat>"), "aider", "a commit trailer"),
        (commit("Fix\n\nReplit-Commit-Author: Agent\n"), "Replit Agent", "a commit trailer"),
        (
            commit("Fix\n\nCo-authored-by: x <161369871+google-labs-jules[bot]@users.noreply.github.com>"),
            "Jules",
            "a commit trailer",
        ),
        (commit(email="cursoragent@cursor.com", author=None), "Cursor", "the author of a commit"),
        (
            commit(email="198982749+Copilot@users.noreply.github.com", author=None),
            "Copilot",
            "the author of a commit",
        ),
        (commit(author=Account(158243242, "devin-ai-integration[bot]")), "Devin", "the author of a commit"),
        (commit(name="Alice (aider)"), "aider", "the author of a commit"),
    ],
)
def test_an_agents_commit_tells_when_all_else_is_silent(made: Commit, name: str, signal: str) -> None:
    assert needs_commits(ALICE, "topic")
    assert AgentSeen(name=name, signal=signal) == recognise(ALICE, "topic", "", [commit(), made])


@pytest.mark.parametrize(
    "made",
    [
        commit("Discuss co-authored-by: Claude <noreply@anthropic.com>"),
        commit("Co-authored-by: Claude Monet <claude@example.com>"),
        commit("Tune the cursor, the codex and Claude"),
        commit(name="Claude", author=Account(81847, "claude")),
        commit("Replit-Commit-Author: Assistant"),
        commit(email="1989827490+someone@users.noreply.github.com"),
        commit("Co-authored-by: Bob <bob@example.com>"),
    ],
)
def test_a_persons_commit_is_no_agents(made: Commit) -> None:
    assert recognise(ALICE, "topic", "", [made]) is None


@pytest.mark.parametrize(
    ("author", "branch", "body"),
    [
        (Account(81847, "claude"), "main", ""),
        (Account(6, "cursor[bot]"), "main", ""),
        (ALICE, "fix/copilot/", ""),
        (ALICE, "copilot", ""),
        (ALICE, "Codex/x", ""),
        (ALICE, "feature", "I asked Claude Code, Codex and Devin about it; see docs.devin.ai"),
    ],
)
def test_bare_words_and_borrowed_names_tell_nothing(author: Account, branch: str, body: str) -> None:
    assert recognise(author, branch, body, []) is None


@pytest.mark.parametrize(
    "author",
    [
        *(Account(number, login, "Bot") for number, login in NOT_AGENT_IDS.items()),
        Account(49699333, "renamed-since", "Bot"),
        Account(7, "renovate[bot]", "Bot"),
        Account(7, "copilot-pull-request-reviewer[bot]", "Bot"),
    ],
)
def test_other_machines_are_no_agents_whatever_their_commits_say(author: Account) -> None:
    by_claude = commit("Bump\n\nCo-Authored-By: Claude <noreply@anthropic.com>")

    assert recognise(author, "claude/x", "", [by_claude]) is None
    assert not needs_commits(author, "topic")


def test_the_account_counts_before_the_branch_and_the_branch_before_the_commits() -> None:
    by_claude = commit("Fix\n\nCo-Authored-By: Claude <noreply@anthropic.com>")
    copilot = Account(198982749, "Copilot", "Bot")

    assert AgentSeen(name="Copilot", signal="its account") == recognise(copilot, "codex/x", "", [by_claude])
    assert AgentSeen(name="Codex", signal="the branch name codex/…") == recognise(
        ALICE, "codex/x", "", [by_claude]
    )


def test_no_two_agents_share_a_signal() -> None:
    for kind in ("ids", "logins", "branches", "emails"):
        signals = [signal for agent in TABLE for signal in getattr(agent, kind)]

        assert len(signals) == len(set(signals))


def test_a_hostile_commit_message_is_read_in_time() -> None:
    started = time.process_time()

    recognise(ALICE, "x", "<" * 65_536, [commit("co-authored-by: " + "<" * 65_536 + " " * 65_536)])

    assert time.process_time() - started < 2


@given(st.text(), st.text(), st.text(), st.text())
def test_no_text_breaks_the_recognition(login: str, branch: str, body: str, message: str) -> None:
    recognise(Account(9, login), branch, body, [commit(message, name=login, email=branch)])
