"""`/preview help`: what there is."""

from __future__ import annotations

from collections.abc import Sequence

from previewbot.rules.commands.values import Command, Definition
from previewbot.text.command_help import CommandHelp


def _parse(words: Sequence[str]) -> Command | None:
    return None if words else Command("help")


HELP = Definition(
    name="help",
    help=CommandHelp("/preview help", "explains all of this", in_reviews=True, when_closed=True),
    parse=_parse,
    synonyms=("commands", "usage"),
)
