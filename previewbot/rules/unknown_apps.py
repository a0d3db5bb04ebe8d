"""Apps that open pull requests and are on no list: no agent that is known, no machine of another trade.

Agents' own accounts are an open set: anybody can make an App that writes code. What becomes of their pull
requests the platform team says (`agents.unknown_apps`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from previewbot.api import UNKNOWN_APP, AgentSeen
from previewbot.api.github import Account
from previewbot.config.agents import AgentTable, SignalKind
from previewbot.config.repository import UNKNOWN_APPS
from previewbot.config.server import AgentsSettings

Setting = Literal["label", "preview", "off"]

MEANS: Mapping[Setting, str] = {
    "label": "has only a label or a command start its pull requests",
    "preview": "has its pull requests start by themselves",
    "off": "has only a command start its pull requests",
}
"""What each setting says, for whoever asks why there is a preview or none."""

_OF_AN_APP = "[bot]"


def is_unknown(author: Account, table: AgentTable) -> bool:
    """Return whether an account is an App's that is on no list."""
    # Only a bot's login may have brackets; people's are letters, digits and hyphens
    # (https://docs.github.com/en/rest/users/users).
    if author.type != "Bot" and not author.login.endswith(_OF_AN_APP):
        return False
    login = author.login.lower()
    rows = [row for agent in table.agents for row in agent.signals]
    rows += [row for other in table.no_agents for row in other.signals]
    ids = {row.number for row in rows if row.kind is SignalKind.ACCOUNT}
    names = {row.value for row in rows if row.kind is SignalKind.LOGIN}
    # Where the table has the number too, `shown` is that account's name.
    names |= {row.shown for row in rows if row.kind is SignalKind.ACCOUNT}
    return author.id not in ids and login not in names


def taken_for(
    agent: AgentSeen | None, author: Account, settings: AgentsSettings, *, is_fork: bool
) -> tuple[AgentSeen | None, bool]:
    """Return the agent behind a pull request as the settings see it, and whether only a command starts it.

    An App on no list is one if they say so. Never of a fork: which Apps open pull requests from forks is for
    strangers to say.
    """
    if agent is not None or not is_unknown(author, settings.known):
        return agent, False
    if settings.unknown_apps == "preview" and not is_fork:
        agent = AgentSeen(name=author.login, signal="an App on no list", key=UNKNOWN_APPS, kind=UNKNOWN_APP)
    return agent, settings.unknown_apps == "off"
