"""What a repository wants of each agent: whether its pull requests start by themselves, and with what."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo

from previewbot.config import types as t
from previewbot.config.agents import built_in
from previewbot.config.types import about, mistake
from previewbot.config.words import Raw, did_you_mean

UNKNOWN_APPS = "unknown-apps"
"""The key of all Apps together that are on no list (the settings' `agents.unknown_apps`)."""


Keys = Collection[str] | None
"""The keys of the agents that there are, where the settings may add some; None: those that come with us."""


class AgentPolicy(t.Model):
    """What is different for the pull requests of one agent."""

    preview: t.Truth | None = about(
        "whether they start by themselves; left out: as `triggers.agents` says. A label or a command starts "
        "them in any case",
        False,
        default=None,
    )
    drafts: t.Truth | None = about(
        "whether its drafts count; left out: as `triggers.drafts` says", False, default=None
    )
    ttl: t.Duration | None = about("how long its previews live; left out: as `ttl` says", "2h", default=None)
    services: Annotated[tuple[t.Label, ...], Field(min_length=1)] | None = about(
        "of the changed services only these start by themselves; `/preview start` of a person starts the "
        "others too",
        ["checkout"],
        default=None,
    )


def _known(value: Mapping[str, AgentPolicy], info: ValidationInfo) -> Mapping[str, AgentPolicy]:
    """Refuse a key that is no agent's: whoever wrote `copilto` means to have turned Copilot off."""
    known = [*(info.context or {}).get("agents", built_in().by_key), UNKNOWN_APPS]
    for key in value:
        if key not in known:
            raise mistake("no_such_agent", at=key, near=Raw(did_you_mean(key, known)))
    return value


Agents = Annotated[
    Mapping[Annotated[t.AgentKey, about("agents", "copilot")], AgentPolicy], AfterValidator(_known)
]


def context_of(agents: Keys) -> Mapping[str, Any]:
    """Return what reading a file has to know of the agents that there are; None: those that come with us."""
    return {} if agents is None else {"agents": agents}


def named_services(agents: Mapping[str, AgentPolicy]) -> Iterator[tuple[str, str]]:
    """Yield the services that policies name, each with the keys of where it is written."""
    for key, policy in agents.items():
        for name in policy.services or ():
            yield f"agents.{key}.services", name
