"""`/preview extend [<duration>]`: keep the preview open longer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from previewbot.rules.commands.values import Command, Definition
from previewbot.rules.commands.words import duration_of
from previewbot.text.command_help import CommandHelp
from previewbot.text.cutting import as_quotation

DEFAULT = timedelta(hours=2)
"""What is added where nobody says how much; the answer says until when it is then."""


def _parse(words: Sequence[str]) -> Command:
    written = " ".join(words)
    if not written:
        return Command("extend", duration=DEFAULT)
    return Command("extend", duration=duration_of(written), text=as_quotation(written))


EXTEND = Definition(
    name="extend",
    help=CommandHelp(
        "/preview extend 2h",
        "keeps it open longer (`30m`, `2h`, `1d`; two hours if you say none)",
        in_reviews=True,
    ),
    parse=_parse,
    synonyms=("keep", "keepalive", "prolong"),
)
