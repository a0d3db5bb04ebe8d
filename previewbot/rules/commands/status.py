"""`/preview status`: how the preview stands."""

from __future__ import annotations

from collections.abc import Sequence

from previewbot.rules.commands.values import Command, Definition
from previewbot.text.command_help import CommandHelp


def _parse(words: Sequence[str]) -> Command | None:
    return None if words else Command("status")


STATUS = Definition(
    name="status",
    help=CommandHelp("/preview status", "says how it stands", in_reviews=True, when_closed=True),
    parse=_parse,
    synonyms=("info",),
)
