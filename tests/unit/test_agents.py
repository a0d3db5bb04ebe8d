"""Recognising agents: by account, branch, description and commits; and not recognising people."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api.github import Account, Commit
from previewbot.config.agents import NoAgent, NoAgentKind, SignalKind, built_in
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
    ],
)
def test_an_agents_branch_tells_under_a_persons_account(branch: str, name: str, shown: str) -> None:
    assert recognise(ALICE, branch) == (name, f"the branch name {shown}")
    assert not needs_commits(ALICE, branch)


@pytest.mark.parametrize(
    "branch", ["cursor/x", "cursor/x-face", "cursor/issue-1234", "sweep/x", "devin/x", "Codex/x"]
)
def test_a_branch_that_a_person_may_have_named_so_tells_nothing_alone(branch: str) -> None:
    assert recognise(ALICE, branch) is None
    assert needs_commits(ALICE, branch)


@pytest.mark.parametrize(
    ("branch", "is_one"),
    [
        ("copilot/x", True),
        ("Copilot/X", True),
        ("CURSOR/anything", True),
        ("devin/anything", True),
        ("Devin/1700000000-x", True),
        ("0NYLRK-codex/x", True),
        ("q-dev-issue-1-2", True),
        ("release/1", False),
        ("main", False),
    ],
)
def test_no_base_branch_is_called_like_an_agents_in_whatever_case(branch: str, is_one: bool) -> None:
    assert agents.is_agents_branch(branch, TABLE) is is_one


CO_AUTHOR = "the trailer Co-authored-by of a commit"
AUTHOR = "the author of a commit"


@pytest.mark.parametrize(
    ("made", "name", "signal"),
    [
        (by_claude(), "Claude", CO_AUTHOR),
        (commit("Fix\r\n\r\nCo-authored-by: Codex <codex@openai.com>\r\n"), "Codex", CO_AUTHOR),
        (commit("Fix\n\nAssisted-By: A <AMP@ampcode.com>"), "Amp", "the trailer Assisted-by of a commit"),
        (
            commit("Fix\n\nReplit-Commit-Author: Agent\n"),
            "Replit Agent",
            "the trailer Replit-Commit-Author of a commit",
        ),
        (commit("Fix\n\nMade-with: Cursor"), "Cursor", "the trailer Made-with of a commit"),
        (
            commit("Fix\n\nSee #1\nbecause\nSigned-off-by: a\nCo-authored-by: x <noreply@anthropic.com>"),
            "Claude",
            CO_AUTHOR,
        ),
        (
            commit("Fix\n\n🤖 Generated with [Claude Code](x)\nCo-Authored-By: C <noreply@anthropic.com>"),
            "Claude",
            CO_AUTHOR,
        ),
        (commit(email="cursoragent@cursor.com", author=None), "Cursor", AUTHOR),
        (commit(email="198982749+Copilot@users.noreply.github.com", author=None), "Copilot", AUTHOR),
        (commit(author=Account(158243242, "devin-ai-integration[bot]")), "Devin", AUTHOR),
        (commit(name="Alice (aider)"), "aider", AUTHOR),
    ],
)
def test_an_agents_commit_tells_when_all_else_is_silent(made: Commit, name: str, signal: str) -> None:
    assert needs_commits(ALICE, "topic")
    assert recognise(ALICE, "topic", "", [commit(), made]) == (name, signal)


@pytest.mark.parametrize(
    ("commits", "is_found"),
    [
        ([by_claude()], True),
        ([commit()] * 9 + [by_claude()], True),
        ([commit(), by_claude(BOB)], False),
        ([by_claude(BOB), by_claude(BOB), commit()], True),
        ([commit(), by_claude(None)], True),
        ([commit(author=BOB), commit(), by_claude(None)], False),
        ([commit(), commit(author=None, email="cursoragent@cursor.com")], True),
        ([commit(author=BOB)] * 9 + [commit(author=None, email="cursoragent@cursor.com")], False),
        ([], False),
    ],
    ids=[
        "the author's only commit",
        "one of the author's",
        "one of somebody else's",
        "most commits",
        "by an address that GitHub does not know",
        "by such an address, among others' commits",
        "a commit of the agent's own",
        "such a commit among everybody's",
        "no commits",
    ],
)
def test_a_commit_counts_where_it_is_the_authors_or_the_agents(commits: list[Commit], is_found: bool) -> None:
    assert (recognise(ALICE, "topic", "", commits) is not None) is is_found


def test_the_account_counts_before_the_branch_and_so_on() -> None:
    copilot = Account(198982749, "Copilot", "Bot")
    body = "https://app.devin.ai/sessions/1\n\nGenerated with [Claude Code](x)"

    assert recognise(copilot, "codex/x", body, [by_claude()]) == ("Copilot", "its account")
    assert recognise(ALICE, "codex/x", body, [by_claude()]) == ("Codex", "the branch name codex/…")
    link = ("Devin", "the link app.devin.ai/sessions/ in the description")
    assert recognise(ALICE, "topic", body, [by_claude()]) == link
    footer = "Generated with [Claude Code](x)"
    assert recognise(ALICE, "topic", footer, []) == ("Claude", "its line in the description")


@pytest.mark.parametrize(
    ("signs", "why"),
    [
        (Signs(Account(49699333, "dependabot[bot]", "Bot"), "x"), "is a machine, but no coding agent"),
        (
            Signs(Account(49699333, "dependabot[bot]", "Bot"), "x", is_fork=True),
            "is a machine, but no coding",
        ),
        (Signs(ALICE, "mergify/bp/v1/pr-12"), "it is a backport"),
        (Signs(ALICE, "release-please--branches--main"), "it is a release"),
        (Signs(ALICE, "develop"), "`develop` is a branch on which everybody works"),
        (Signs(ALICE, "trunk-of-ours", default_branch="trunk-of-ours"), "on which everybody works"),
        (Signs(Account(9, "acme[bot]", "Bot"), "x"), "is an App's account that is not known"),
        (Signs(ALICE, "x", is_fork=True), "of a fork the author's account alone tells"),
        (Signs(ALICE, "x"), "`x` is named like no agent's branch"),
    ],
)
def test_why_it_is_no_agents_is_told_and_no_commits_are_asked_for(signs: Signs, why: str) -> None:
    assert why in agents.why_none(signs, TABLE)
    assert agents.needs_commits(signs, TABLE) is ("named like no agent's" in why)


def test_the_account_of_workflows_is_no_signal_and_all_else_is() -> None:
    workflows = Account(41898282, "github-actions[bot]", "Bot")
    footer = "🤖 Generated with [Claude Code](x)"

    assert recognise(workflows, "x", "", [commit(author=workflows)]) is None
    assert recognise(workflows, "claude/issue-1", footer) == ("Claude", "the branch name claude/…")
    assert recognise(workflows, "x", footer) == ("Claude", "its line in the description")
    assert recognise(workflows, "x", "", [by_claude(workflows)]) is not None


@pytest.mark.parametrize("row", TABLE.no_agents, ids=lambda row: row.kind)
def test_what_is_no_agents_work_is_nobodys_by_its_author(row: NoAgent) -> None:
    for signal in row.signals:
        if signal.kind in (SignalKind.ACCOUNT, SignalKind.LOGIN) and row.kind is not NoAgentKind.WORKFLOW:
            number = signal.number if signal.kind is SignalKind.ACCOUNT else 9
            author = Account(number, signal.shown or signal.value, "Bot")
            assert recognise(author, "x", "Generated with [Claude Code](x)", [by_claude(author)]) is None


@pytest.mark.parametrize(
    "text",
    [
        "<" * 65_536,
        "`" * 65_536,
        "` `` " * 13_000,
        "<!--" * 16_000,
        "<pre>" * 13_000,
        "https://" * 8_000,
        "https://cursor.com/agents?" + "a&" * 30_000,
        "> a\n" * 16_000,
        "- " * 32_000,
        "*" * 65_536,
        "<sub " * 13_000,
        "\n" * 65_536,
        "co-authored-by: " + "<" * 65_536,
        "x\n\n" + "a: b\n" * 13_000,
        "a:b\n\n" * 13_000,
        "(cherry picked from commit " * 2_400,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_a_hostile_text_is_read_in_time(text: str) -> None:
    started = time.process_time()

    recognise(ALICE, text[:255], text, [commit(text, name=text)])
    agents.kept_of(TABLE)(text)
    agents.signatures(TABLE)(text)

    assert time.process_time() - started < 2


@given(st.text(), st.text(), st.text(), st.text())
def test_no_text_breaks_the_recognition(login: str, branch: str, body: str, message: str) -> None:
    recognise(Account(9, login), branch, body, [commit(message, name=login, email=branch)])
