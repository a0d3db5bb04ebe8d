"""What the settings say of agents and Apps, the mistakes in it, and what the doctor tells of the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
import yaml

from previewbot.config.agents import built_in
from previewbot.config.server import Settings, parse
from previewbot.config.server.agents import AgentCommand, AgentsSettings
from previewbot.config.server.parsing import document
from previewbot.doctor.agents import NAME, OLD_AFTER, table_age
from previewbot.doctor.check import State
from previewbot.errors import SettingsError
from previewbot.rules import commands
from tests.support.passes import SETTINGS

READ = datetime.combine(built_in().read, datetime.min.time(), UTC)


def settings(**agents: Any) -> Settings:
    return parse({**SETTINGS, "agents": agents}, {})


def test_an_agent_may_be_given_every_command_that_there_is() -> None:
    assert set(commands.NAMES) <= set(get_args(AgentCommand))


def test_by_default_apps_wait_for_a_label_and_agents_may_ask_for_nothing() -> None:
    made = parse(SETTINGS, {}).agents
    assert (made.unknown_apps, made.commands) == ("label", {})


@pytest.mark.parametrize("written", ["off", "Off", "'off'", "no"])
def test_off_needs_no_quotes(written: str) -> None:
    """YAML makes false of it, and Helm's schema is asked about that."""
    text = yaml.safe_dump(dict(SETTINGS)) + f"agents:\n  unknown_apps: {written}\n"
    schema = AgentsSettings.model_json_schema()["properties"]["unknown_apps"]

    assert parse(document(text), {}).agents.unknown_apps == "off"
    assert yaml.safe_load(written) in schema["enum"]


@pytest.mark.parametrize(
    ("agents", "words"),
    [
        ({"unknown_apps": "all"}, "agents.unknown_apps must be label or preview or off"),
        ({"commands": {"copilto": ["start"]}}, "is no agent that is known here; did you mean copilot?"),
        ({"commands": {"copilot": ["approve"]}}, "must be start or restart or reset or stop"),
        ({"commands": {"aider": ["start"]}}, "has no number of an account in the table"),
        ({"commands": {"copilot": "start"}}, "must be a list"),
    ],
)
def test_a_mistake_says_what_to_write_instead(agents: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        settings(**agents)
    assert any(words in problem for problem in raised.value.problems), raised.value.problems


def test_an_agent_that_the_settings_add_with_its_number_may_be_given_commands() -> None:
    made = settings(table={"acme-coder": {"accounts": [4244]}}, commands={"acme-coder": ["status"]})
    assert made.agents.commands == {"acme-coder": ("status",)}


@pytest.mark.parametrize(
    ("days", "state"), [(0, State.OK), (OLD_AFTER, State.OK), (OLD_AFTER + 1, State.NOTE), (900, State.NOTE)]
)
def test_the_doctor_tells_the_age_of_the_table_and_hints_at_an_old_one(days: int, state: State) -> None:
    [found] = table_age(settings(), READ + timedelta(days=days))

    assert (found.name, found.state) == (NAME, state)
    assert f"a table of {built_in().read:%Y-%m-%d}, which is {days} days old" in found.words
    assert ("newer releases" in found.words) is (state is State.NOTE)


def test_a_clock_that_is_before_the_table_makes_it_no_days_old() -> None:
    [found] = table_age(settings(), READ - timedelta(days=3))
    assert (found.state, "is 0 days old" in found.words) == (State.OK, True)


def test_the_doctor_names_what_the_settings_change_of_the_table() -> None:
    changed = settings(table={"acme-coder": {"accounts": [4244]}, "devin": {"recognised": False}})
    assert table_age(changed, READ) is not None
    assert [check.words for check in table_age(changed, READ)][1:] == [
        "`agents.table` of the settings changes: acme-coder, devin"
    ]
