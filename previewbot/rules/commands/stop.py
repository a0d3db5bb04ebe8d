"""`/preview stop [<service> …]`: end the preview, or some of its services."""

from __future__ import annotations

from collections.abc import Sequence

from previewbot.rules.commands.values import Command, Definition
from previewbot.rules.commands.words import services_of
from previewbot.text.command_help import CommandHelp


def _parse(words: Sequence[str]) -> Command | None:
    services = services_of(words)
    return None if services is None else Command("stop", services=services)


STOP = Definition(
    name="stop",
    help=CommandHelp(
        "/preview stop",
        "stops it until it is started again; `/preview stop <service>` stops that one and keeps the others",
    ),
    parse=_parse,
    synonyms=("delete", "destroy", "down", "end", "kill", "shutdown"),
    is_order=True,
)
