"""`/preview restart [<commit>]`: replace what runs."""

from __future__ import annotations

from collections.abc import Sequence

from previewbot.rules.commands.values import Command, Definition
from previewbot.rules.commands.words import commit_of
from previewbot.text.command_help import CommandHelp


def _parse(words: Sequence[str]) -> Command | None:
    sha, others = commit_of(words)
    return None if others else Command("restart", sha=sha)


RESTART = Definition(
    name="restart",
    help=CommandHelp("/preview restart", "replaces what runs by a fresh start of the same commit"),
    parse=_parse,
    synonyms=("redeploy", "reload"),
    is_order=True,
)
