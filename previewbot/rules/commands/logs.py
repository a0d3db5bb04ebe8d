"""`/preview logs [<service> …]`: the last lines of what runs here."""

from __future__ import annotations

from collections.abc import Sequence

from previewbot.config.server import Settings
from previewbot.rules.commands.values import Command, Definition
from previewbot.rules.commands.words import services_of
from previewbot.text.command_help import CommandHelp


def _parse(words: Sequence[str]) -> Command | None:
    services = services_of(words)
    return None if services is None else Command("logs", services=services)


LOGS = Definition(
    name="logs",
    help=CommandHelp(
        "/preview logs",
        "shows the last lines of what runs; `/preview logs <service>` of one service",
        in_reviews=True,
    ),
    parse=_parse,
    synonyms=("log", "tail", "output"),
)


def withheld(settings: Settings, *, public: bool) -> str:
    """Return which words say why no service's lines may be shown in a repository; empty where they may."""
    if not settings.comment.logs:
        return "logs-withheld"
    if public and not settings.commands.logs_in_public_repositories:
        return "logs-in-public"
    return ""
