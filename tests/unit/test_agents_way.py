"""docs/agents.md and the skill: our command takes every example, and nothing is named that is not there."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot.asking import State
from previewbot.asking.standing import USAGE
from previewbot.cli import _parser
from previewbot.mcp.models import Diagnosis, PreviewAnswer, Untrusted, Waited
from previewbot.mcp.server import _Tools

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/agents.md").read_text(encoding="utf-8")
SKILL = (ROOT / "skills/preview/SKILL.md").read_text(encoding="utf-8")
TOOLS = {name for name in vars(_Tools) if name.endswith(("_preview", "_previews"))}


def examples(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def servers(example: dict[str, Any]) -> dict[str, Any]:
    """Return what an example says of the server, whatever the agent calls it."""
    # Of VS Code's there is beside it what it asks its user for.
    [group] = [value for name, value in example.items() if name != "inputs"]
    [server] = group.values()
    assert isinstance(server, dict)
    return server


EXAMPLES = [*map(json.loads, examples("json")), *map(tomllib.loads, examples("toml"))]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: next(iter(example)))
def test_each_example_starts_our_command_and_hands_it_a_token_by_reference(example: dict[str, Any]) -> None:
    server = servers(example)
    started = server["command"]
    command: list[str] = [*(started if isinstance(started, list) else [started]), *server.get("args", [])]
    program, *arguments = command

    assert program == "previewbot"
    assert _parser().parse_args(arguments)
    given = dict(server.get("env", server.get("environment", {})))
    # Without it only an App that nobody on github.com can have counts.
    assert given.pop("PREVIEWBOT_APP") == "previewbot-acme"
    assert given.keys() == {"GITHUB_TOKEN"} or server["env_vars"] == ["GITHUB_TOKEN"]
    # A file that is committed must not have a token in it.
    assert all(re.fullmatch(r"\$?\{?(?:env:|input:)?[A-Za-z_]+\}?", value) for value in given.values())


def test_there_is_an_example_for_each_form() -> None:
    assert len(EXAMPLES) == 6


@pytest.mark.parametrize("text", [PAGE, SKILL], ids=["page", "skill"])
def test_only_tools_that_there_are_are_named(text: str) -> None:
    named = set(re.findall(r"`([a-z_]+_previews?)`", text))

    assert named
    assert named <= TOOLS


def test_the_page_names_every_tool() -> None:
    assert set(re.findall(r"`([a-z_]+_previews?)`", PAGE)) == TOOLS


def test_the_skill_is_one_by_the_specification() -> None:
    # https://agentskills.io/specification
    _, head, body = SKILL.split("---\n", 2)
    told = yaml.safe_load(head)

    assert told.keys() == {"name", "description"}
    assert told["name"] == "preview"
    assert re.fullmatch("[a-z0-9-]{1,64}", told["name"])
    assert 0 < len(told["description"]) <= 1024
    assert len(body.splitlines()) < 500


def test_the_skill_knows_the_exit_codes_as_they_are() -> None:
    said = re.search(r"Exit code (.*?)\.\n", SKILL, re.DOTALL)
    assert said
    codes = dict(re.findall(r"(\d) ([a-z]+(?: [a-z]+)?)", " ".join(said[1].split())))

    assert {int(code) for code in codes} == {USAGE} | {state.exit_code for state in State if state.is_final}
    assert codes[str(State.READY.exit_code)] == "is ready"
    assert codes[str(State.ENDED.exit_code)].startswith("ended")
    assert codes[str(State.NEVER_TRIGGERED.exit_code)] == "never triggered"


def test_the_shorter_waits_that_the_skill_names_find_out_that_nothing_comes() -> None:
    said = re.search(r"`(--timeout \S+ --grace \S+)`", SKILL)
    assert said
    given = _parser().parse_args(["wait", "acme/shop#42", *said[1].split()])

    # Else each call would end before it is known, and an agent would call again for ever.
    assert given.grace < given.timeout
    assert given.timeout.total_seconds() < 120


def test_the_fields_that_the_skill_names_are_there() -> None:
    fields = {name for model in (PreviewAnswer, Diagnosis, Waited) for name in model.model_fields}

    for name in (
        "pull_request",
        "sha",
        "outcome",
        "next_step",
        "header",
        "proven",
        "turn",
        "words",
        "serving_sha",
    ):
        assert f"`{name}`" in SKILL and name in fields
    assert "data" in Untrusted.model_fields["note"].default
