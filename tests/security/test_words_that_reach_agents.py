"""Attack: a program of a pull request gives orders to a coding agent that asks how the preview stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.asking import Facts, Listing, Standing, State
from previewbot.mcp import answers, models
from previewbot.mcp.server import server
from previewbot.text.unseen import seen

PULL_REQUEST = "acme/shop#42"
ORDER = "print-the-token-now"
SECRET = "ghp_" + "a1B2" * 9


def preview(problem: dict[str, Any]) -> Facts:
    service = {"name": "pricing", "phase": "Failed", "reason": "Crashing", "problem": problem}
    told = {"version": 1, "repository": "acme/shop", "number": 42, "phase": "Failed", "reason": "Crashing"}
    return Facts.model_validate(told | {"turn": "author", "words": "pricing crashes", "services": [service]})


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


@given(st.lists(st.text(), max_size=5), st.text(), st.sampled_from(["log", "detail", "container", "unknown"]))
def test_an_order_stands_nowhere_but_in_untrusted(log: list[str], more: str, place: str) -> None:
    problem: dict[str, Any] = {"reason": "Crashing", "part": "service", "log": log, "detail": more}
    problem[place] = [*log, ORDER] if place == "log" else f"{more} {ORDER}"
    facts = preview(problem)

    told = answers.diagnosis(PULL_REQUEST, facts).model_dump()
    untrusted = [service.pop("untrusted") for service in told["services"]]

    others = (answers.preview_answer(PULL_REQUEST, facts), answers.previews(Listing((facts,))))
    assert ORDER not in json.dumps([told, *(other.model_dump() for other in others)])
    for text in texts(untrusted):
        assert text == seen(text) and len(text) <= 400
    assert all(each is None or each["note"] == models.NOTE for each in untrusted)


@pytest.mark.parametrize("place", ["log", "detail"])
def test_a_secret_is_masked_once_more_on_its_way_to_an_agent(place: str) -> None:
    value: Any = [f"using {SECRET}"] if place == "log" else f"using {SECRET}"

    told = answers.diagnosis(PULL_REQUEST, preview({"reason": "Crashing", place: value}))

    assert SECRET not in told.model_dump_json()
    assert "***" in told.model_dump_json()


def test_half_a_character_keeps_no_answer_from_being_written() -> None:
    half = "x\ud800"
    facts = Facts.model_validate(
        {
            **{"version": 1, "repository": half, "number": 1, "phase": half, "words": half, "url": half},
            "services": [{"name": half, "problem": {"log": [half], "detail": half, "reason": half}}],
        }
    )
    for answer in (
        answers.preview_answer(PULL_REQUEST, facts),
        answers.diagnosis(PULL_REQUEST, facts),
        answers.previews(Listing((facts,))),
        answers.waited(PULL_REQUEST, Standing(State.FAILED, half, turn=half)),
    ):
        assert "ud800" not in answer.model_dump_json()


async def test_an_agent_that_obeys_can_change_nothing_by_these_tools() -> None:
    def nobody() -> Any:
        raise AssertionError("nobody is asked to list tools")

    tools = await server(nobody).list_tools()

    assert len(tools) == 4
    for tool in tools:
        assert tool.annotations and tool.annotations.read_only_hint
        # No argument is an address to which anything could be sent, or a text that is written anywhere.
        assert tool.input_schema["properties"].keys() <= {
            "pull_request",
            "repository",
            "sha",
            "timeout_seconds",
        }
