"""How many of agents' public pull requests are recognised, by agent: `python -m bench.recall`.

The pull requests are those of `tests/unit/agents/pull_requests.toml` that are not invented: n of them by
agent. Beside what the table finds stands what the former list of signals found, and what the account alone
would tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from previewbot.config.agents import AgentTable, built_in
from previewbot.rules import agents
from tests.support.agent_cases import Case, cases


@dataclass(frozen=True)
class Recall:
    """Of `n` pull requests of an agent: how many are found now, before, and by the account alone."""

    agent: str
    n: int
    now: int
    before: int
    by_account: int


def recall_of(all_cases: Iterable[Case], table: AgentTable) -> list[Recall]:
    """Return the recall for each agent of which a pull request was seen in public."""
    by_agent: dict[str, list[Case]] = {}
    for case in all_cases:
        if case.agent and not case.invented:
            by_agent.setdefault(case.agent, []).append(case)
    return [_recall(key, found, table) for key, found in sorted(by_agent.items())]


def _recall(key: str, found: Sequence[Case], table: AgentTable) -> Recall:
    def is_found(case: Case, *, is_fork: bool = False) -> bool:
        # Of a fork the account alone tells.
        seen = agents.recognise(replace(case.signs, is_fork=is_fork), case.commits, table)
        return seen is not None and seen.key == key

    name = table.by_key[key].name
    return Recall(
        agent=name,
        n=len(found),
        now=sum(map(is_found, found)),
        before=sum(case.before == name for case in found),
        by_account=sum(is_found(case, is_fork=True) for case in found),
    )


def main() -> None:
    """Print the table."""
    rows = recall_of(cases(), built_in())
    print("| agent | n | now | before | account alone |\n|---|---|---|---|---|")
    for row in rows:
        print(f"| {row.agent} | {row.n} | {row.now} | {row.before} | {row.by_account} |")
    n = sum(row.n for row in rows)
    found = [sum(getattr(row, name) for row in rows) for name in ("now", "before", "by_account")]
    print(f"| **all** | {n} | {' | '.join(f'{one} ({one / n:.0%})' for one in found)} |")


if __name__ == "__main__":
    main()
