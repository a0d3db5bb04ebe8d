"""Whom `notify` may name: people and teams, and nobody who begins to work once he is named."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from previewbot.config.repository import Notify


def refusal(*mentions: str) -> str:
    """Return the kind of mistake that these mentions are."""
    with pytest.raises(ValidationError) as caught:
        Notify.model_validate({"mention": list(mentions)})
    return caught.value.errors()[0]["type"]


@pytest.mark.parametrize(
    "agent",
    [
        *("@Copilot", "copilot-swe-agent", "@cursoragent", "chatgpt-codex-connector"),
        *("@openhands-agent", "jetbrains-junie", "Kilo-Code-Bot"),
        *("@coderabbitai", "dependabot", "Gemini-Code-Assist"),
    ],
)
def test_no_bot_is_named_by_its_key_or_by_a_login_of_its(agent: str) -> None:
    assert refusal(agent) == "mention_agent"


@pytest.mark.parametrize("written", ["@a/b/c", "a b", "ann[bot]", "-ann", "@", "<ann>", "ann@x.y"])
def test_what_is_no_name_of_githubs_is_refused(written: str) -> None:
    assert refusal(written) == "mention"


def test_people_and_teams_may_be_named_also_a_team_that_is_called_like_an_agent() -> None:
    named = Notify.model_validate({"mention": ["ann", "@acme/copilot", "ANN"]}).mention

    assert named == ("@ANN", "@acme/copilot")
