"""`/preview reset [<service or database> …]`: copy the preview's databases anew."""

from __future__ import annotations

from collections.abc import Sequence

from previewbot.rules.commands.values import Command, Definition
from previewbot.rules.commands.words import services_of
from previewbot.text.command_help import CommandHelp


def _parse(words: Sequence[str]) -> Command | None:
    names = services_of(words)
    return None if names is None else Command("reset", services=names)


RESET = Definition(
    name="reset",
    help=CommandHelp(
        "/preview reset",
        "makes the preview's own copies of databases anew, without what was entered in them; `/preview reset "
        "<service>` those of one service, also by a database's name",
    ),
    parse=_parse,
    synonyms=("reseed", "wipe"),
    is_order=True,
)
