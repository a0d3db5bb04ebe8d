"""What somebody can write so that a pull request looks like an agent's: every signal but the account."""

from __future__ import annotations

from dataclasses import dataclass, field

from previewbot.api.github import Account, Commit

_SOMEBODY = Account(666, "mallory")


def _a_commit(message: str = "Fix", name: str = "Mallory", email: str = "m@example.com") -> Commit:
    return Commit("a" * 40, message, name, email, _SOMEBODY)


@dataclass(frozen=True)
class Claim:
    """A pull request that says `agent` made it, and by what it says so."""

    agent: str
    by: str
    branch: str = "patch-1"
    body: str = ""
    commit: Commit = field(default_factory=_a_commit)


CLAIMS = (
    *(
        Claim(agent, "its branch", branch=branch)
        for agent, branch in (
            ("Copilot", "copilot/x"),
            ("Cursor", "cursor/x-1a2b"),
            ("Codex", "codex/x"),
            ("Claude", "claude/x"),
            ("Devin", "devin/1700000000-x"),
            ("OpenHands", "openhands/x"),
        )
    ),
    Claim("Cursor", "a link", body="https://cursor.com/agents?id=bc-1"),
    Claim("Codex", "a link", body="https://chatgpt.com/codex/tasks/task_e_1"),
    Claim("Claude", "a link", body="Generated with [Claude Code](https://claude.com/claude-code)"),
    Claim("Devin", "a link", body="https://app.devin.ai/sessions/1"),
    Claim("Claude", "a trailer", commit=_a_commit("Fix\n\nCo-Authored-By: Claude <noreply@anthropic.com>")),
    Claim("Replit Agent", "a trailer", commit=_a_commit("Fix\n\nReplit-Commit-Author: Agent")),
    Claim("Cursor", "the author of a commit", commit=_a_commit(email="cursoragent@cursor.com")),
    Claim("aider", "the author of a commit", commit=_a_commit(name="Mallory (aider)")),
    Claim(
        "Copilot",
        "GitHub's address of its account",
        commit=_a_commit(email="198982749+Copilot@users.noreply.github.com"),
    ),
)
"""At least one for each kind of signal, and each branch that tells by itself."""
