"""`/preview start [<commit>] [<service> …]`: begin, or go on with services that were stopped."""

from __future__ import annotations

from collections.abc import Sequence

from previewbot.rules.commands.values import Command, Definition
from previewbot.rules.commands.words import commit_of, services_of
from previewbot.text.command_help import CommandHelp


def _parse(words: Sequence[str]) -> Command | None:
    sha, others = commit_of(words)
    services = services_of(others)
    return None if services is None else Command("start", sha=sha, services=services)


START = Definition(
    name="start",
    help=CommandHelp(
        "/preview start",
        "starts the preview, also after it ended or failed; `/preview start <service>` starts that one only, "
        "or adds it to those that run",
    ),
    parse=_parse,
    synonyms=("begin", "create", "deploy", "retry", "run", "up"),
    is_order=True,
)
