"""The table of agents: read strictly, and changed by the settings."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api.github import Account
from previewbot.config.agents import AgentTable, AgentTableError, SignalKind, built_in, table_from
from previewbot.config.server import document, parse
from previewbot.errors import SettingsError
from previewbot.rules import agents
from previewbot.rules.agents import Signs
from tests.support.passes import SETTINGS

ANN = Account(501, "ann")
ROW = '{kind = "branch", value = "x/.+", source = "https://example.com/x", read = 2026-11-26}'


def a_table(row: str = ROW, *, key: str = "x", more: str = "") -> str:
    """Return a table with one agent of one signal, as TOML."""
    return f'read = 2026-11-26\n[agents.{key}]\nname = "X"\nsignals = [{row}]\n{more}\n[no_agents.machine]\n'


def with_table(rows: dict[str, Any]) -> AgentTable:
    """Return the table of a server with these rows in its settings."""
    return parse({**SETTINGS, "agents": {"table": rows}}, {}).agents.known


def refused(rows: dict[str, Any]) -> str:
    """Return what the start says of these rows."""
    with pytest.raises(SettingsError) as caught:
        with_table(rows)
    return "\n".join(caught.value.problems)


def seen(table: AgentTable, author: Account = ANN, branch: str = "topic", body: str = "") -> str | None:
    """Return the key of the agent behind a pull request."""
    found = agents.recognise(Signs(author, branch, body), [], table)
    return found.key if found else None


def test_each_signal_has_a_source_in_public_and_when_it_was_read() -> None:
    for agent in built_in().agents:
        assert agent.signals, agent.key
        for signal in agent.signals:
            assert signal.source.startswith("https://") and signal.read is not None


def test_no_two_agents_share_a_signal() -> None:
    rows = [(row.kind, row.value) for agent in built_in().agents for row in agent.signals]

    assert len(rows) == len(set(rows))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("agents = ", "not TOML"),
        ("[agents]\n[no_agents]", "`read` must be the date"),
        ("read = 2026-11-26\n[no_agents]", "`agents` must hold a table for each"),
        (a_table(key="X"), "agents.X: the key must have small letters"),
        (a_table(more="nmae = 1"), "agents.x: `nmae` is unknown"),
        (a_table(ROW.replace("branch", "brunch")), "`brunch` must be one of account, co_author,"),
        (a_table(ROW.replace("source", "sauce")), "agents.x, signal 1: `sauce` is unknown"),
        (a_table('{kind = "branch", value = "x/.+"}'), "agents.x, signal 1: `read` is missing"),
        (a_table(ROW.replace("https://example.com", "a file")), "`source` must be a public address"),
        (a_table(ROW.replace("2026-11-26", '"soon"')), "`read` must be a date"),
        (a_table(ROW.replace("x/.+", ".*")), "branch `.*` must be a regular expression that an empty name"),
        (a_table(ROW.replace("x/.+", "(")), "branch `(` must be a regular expression"),
        (a_table(ROW.replace("branch", "link")), "link `x/.+` must be a host and a path"),
        (a_table(ROW.replace("branch", "account")), "account `x/.+` must be the number of an account"),
        (a_table(ROW.replace("branch", "email")), "email `x/.+` must be an address in small letters"),
        (
            a_table(more=f'[agents.y]\nname = "Y"\nsignals = [{ROW}]'),
            "branch `x/.+` is both x's and y's",
        ),
    ],
)
def test_a_wrong_row_is_named_with_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(AgentTableError) as caught:
        table_from(text)

    assert said in str(caught.value)


def test_the_settings_add_an_agent() -> None:
    table = with_table(
        {
            "acme-coder": {
                "name": "Acme Coder",
                "accounts": [4244],
                "logins": ["Acme-Coder[bot]"],
                "branches": ["acme-coder/*"],
                "links": ["https://coder.acme.example/sessions/"],
                "footers": ["Made with [Acme Coder]("],
                "emails": ["Coder@acme.example"],
                "trailers": ["Acme-Session: https://coder.acme.example/"],
            }
        }
    )

    assert table.by_key["acme-coder"].name == "Acme Coder"
    assert seen(table, Account(4244, "renamed", "Bot")) == "acme-coder"
    assert seen(table, Account(9, "acme-coder[bot]", "Bot")) == "acme-coder"
    assert seen(table, branch="acme-coder/x") == "acme-coder"
    assert seen(table, body="https://coder.acme.example/sessions/1") == "acme-coder"
    assert seen(table, body="_Made with [Acme Coder](x)_") == "acme-coder"
    assert seen(table, branch="claude/x") == "claude"
    assert agents.is_agents_branch("ACME-coder/x", table)


def test_the_settings_add_a_signal_to_an_agent_and_take_one_away() -> None:
    table = with_table({"claude": {"accounts": [4244], "without": ["claude/.+"]}})

    assert seen(table, Account(4244, "acme-claude[bot]", "Bot")) == "claude"
    assert seen(table, Account(209825114, "claude[bot]", "Bot")) == "claude"
    assert seen(table, branch="claude/x") is None
    assert seen(table, body="Generated with [Claude Code](x)") == "claude"


def test_an_agent_that_is_not_recognised_keeps_its_branches_from_bringing_a_configuration() -> None:
    table = with_table({"codex": {"recognised": False}})

    assert seen(table, Account(199175422, "chatgpt-codex-connector[bot]", "Bot")) is None
    assert seen(table, branch="codex/x") is None
    assert seen(table, branch="claude/x") == "claude"
    assert agents.is_agents_branch("Codex/x", table)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"claud": {}}, "agents.table.claud is an agent that the table has not; did you mean claude?"),
        ({"acme": {"name": "Acme"}}, "agents.table.acme is an agent that the table has not; add a signal"),
        ({"Acme_Coder": {"accounts": [1]}}, "must be a name of at most 40 small letters, digits and -"),
        (
            {"claude": {"without": ["claude/*"]}},
            "has claude/*, which is no signal of this agent in the table; did you mean claude/.+?",
        ),
        ({"claude": {"branches": ["*"]}}, "must name something, or every branch would be an agent's"),
        ({"claude": {"links": ["example.com"]}}, "must be a host and a path, without https://"),
        ({"claude": {"emails": ["nobody"]}}, "must be an address in small letters"),
        ({"claude": {"trailers": ["Session"]}}, "must be a trailer with its value"),
        ({"claude": {"accounts": ["x"]}}, "must be a whole number from 1"),
        ({"claude": {"recognized": True}}, "is unknown; did you mean recognised?"),
    ],
)
def test_a_mistake_in_the_settings_says_what_to_write_instead(rows: dict[str, Any], said: str) -> None:
    assert said in refused(rows)


def test_a_mistake_in_a_file_is_told_with_its_line() -> None:
    text = "agents:\n  table:\n    claude:\n      without:\n        - claude/*\n"

    with pytest.raises(SettingsError) as caught:
        parse(document(text), {})

    assert any(problem.startswith("line 4: agents.table.claude.without") for problem in caught.value.problems)


def test_every_value_of_the_table_can_be_taken_away() -> None:
    for agent in built_in().agents:
        values = [signal.value for signal in agent.signals]
        table = with_table({agent.key: {"without": values}})

        assert table.by_key[agent.key].signals == ()
        branches = [signal for signal in agent.signals if signal.kind is SignalKind.BRANCH]
        assert set(branches) <= set(table.left_out)
