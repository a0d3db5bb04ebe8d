"""Pull requests of agents and what looks like them, as `tests/unit/agents/pull_requests.toml` has them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from previewbot.api.github import Account, Commit
from previewbot.rules.agents import Signs

_FILE = Path(__file__).parents[1] / "unit" / "agents" / "pull_requests.toml"
ANN = Account(501, "ann")


@dataclass(frozen=True)
class Case:
    """A pull request, and whose it is: `agent` is empty where it is nobody's but its author's."""

    agent: str
    kind: str
    before: str
    what: str
    source: str
    invented: bool
    signs: Signs
    commits: tuple[Commit, ...]


@cache
def cases() -> tuple[Case, ...]:
    """Return all cases of the file."""
    rows = tomllib.loads(_FILE.read_text(encoding="utf-8"))["pull_request"]
    return tuple(map(_case, rows))


def _case(row: Mapping[str, Any]) -> Case:
    author = Account(**row["author"]) if "author" in row else ANN
    return Case(
        agent=row["agent"],
        kind=row.get("kind", ""),
        before=row["before"],
        what=row["what"],
        source=row["source"],
        invented=row.get("invented", False),
        signs=Signs(author, row.get("branch", "topic"), row.get("body", ""), default_branch="main"),
        commits=tuple(map(_commit, row.get("commits", ()))),
    )


def _commit(row: Mapping[str, Any]) -> Commit:
    author = None if row.get("unlinked") else Account(**row["author"]) if "author" in row else ANN
    name, email = row.get("name", "Ann"), row.get("email", "ann@example.com")
    return Commit("a" * 40, row.get("message", "Fix it"), name, email, author)
