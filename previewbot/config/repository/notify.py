"""Whether people are told by a comment of its own, which GitHub sends by mail, how a preview came out."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, ValidationInfo, WithJsonSchema

from previewbot.config import types as t
from previewbot.config.agents import SignalKind, built_in
from previewbot.config.types import about, mistake

Occasion = Literal["ready", "failed"]
OCCASIONS: tuple[Occasion, ...] = get_args(Occasion)
Where = Literal["pull_request", "issue"]

_MOST_MENTIONED = 5

# GitHub's logins: letters, digits and single hyphens, and for managed users one underscore before the
# enterprise's short code (https://docs.github.com/en/enterprise-cloud@latest/admin/concepts/identity-and-access-management/enterprise-managed-users).
_LOGIN = r"[A-Za-z0-9]([A-Za-z0-9-]{0,37}[A-Za-z0-9])?(_[A-Za-z0-9]{1,8})?"
_TEAM = r"[A-Za-z0-9]([A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?"
_MENTION = rf"@?{_LOGIN}(/{_TEAM})?"
_MENTION_RE = re.compile(_MENTION)

_ALSO_AGENTS = frozenset(
    {
        "chatgpt-codex-connector",
        "copilot-swe-agent",
        "cursoragent",
        "devin-ai-integration",
        "google-labs-jules",
        "openai-codex",
    }
)
"""Names that wake an agent beside its key and its logins, each as its vendor documents it."""

_OTHER_BOTS = frozenset(
    {
        "coderabbitai",
        "cubic-dev-ai",
        "dependabot",
        "ellipsis-dev",
        "gemini-code-assist",
        "github-actions",
        "greptileai",
        "renovate",
        "sourcery-ai",
    }
)
"""Names of bots that review or update: whoever mentions one of them asks it for work, or nobody reads it."""


@cache
def _logins_of_agents() -> frozenset[str]:
    """Return the logins of agents' accounts, as they are mentioned: without the `[bot]` of an App's."""
    logins = built_in().signals(SignalKind.LOGIN)
    return frozenset(signal.value.lower().removesuffix("[bot]") for _, signal in logins)


def _mention(written: str, info: ValidationInfo) -> str:
    """Return a mention with its `@`; what is no person's or team's name, and what wakes an agent, is none."""
    if not _MENTION_RE.fullmatch(written):
        raise mistake("mention", written=written)
    name = written.removeprefix("@")
    agents = (info.context or {}).get("agents", built_in().by_key)
    # An agent that is mentioned begins to work on the pull request, with whatever it takes the comment for.
    if name.lower() in {*agents, *_ALSO_AGENTS, *_OTHER_BOTS, *_logins_of_agents()}:
        raise mistake("mention_agent", written=written)
    return f"@{name}"


def _once_each(mentions: tuple[str, ...]) -> tuple[str, ...]:
    """Return each name once, and not more names than may be told."""
    if len(mentions) > _MOST_MENTIONED:
        raise mistake("mentions_many", most=_MOST_MENTIONED)
    return tuple({name.lower(): name for name in mentions}.values())


Mention = Annotated[
    t.Text,
    AfterValidator(_mention),
    WithJsonSchema({"type": "string", "pattern": f"^{_MENTION}$"}),
]


class Notify(t.Model):
    """Who is told of a preview, once, by a new comment: an edit of a comment notifies nobody."""

    on: tuple[Occasion, ...] = about(
        "what is told: `ready`, when it is ready for the first time; `failed`, when it fails before that and "
        "nothing goes on by itself",
        list(OCCASIONS),
        default=OCCASIONS,
    )
    mention: Annotated[
        tuple[Mention, ...],
        AfterValidator(_once_each),
        Field(json_schema_extra={"maxItems": _MOST_MENTIONED}),
        about(
            "people (`@login`) and teams (`@org/team`) whom that comment names; in quotes, as YAML keeps `@` "
            "for itself",
            ["@acme/product"],
            default=(),
        ),
    ]
    where: Where = about(
        "where that comment is written: in the pull request, or in the first issue of the same repository "
        "that it closes, for whoever asked for it there",
        "issue",
        default="pull_request",
    )


def is_told(notify: Notify | None, occasion: Occasion) -> bool:
    """Return whether a repository wants this told."""
    return notify is not None and occasion in notify.on


__all__ = ["OCCASIONS", "Mention", "Notify", "Occasion", "Where", "is_told"]
