"""The commands people write as comments: `/preview start`, `/preview extend 2h`, and near misses."""

from previewbot.rules.commands.grammar import (
    IN_REVIEWS,
    MOST_COMMANDS,
    NAMES,
    Command,
    CommandName,
    UnknownCommand,
    excerpt,
    parse,
)

__all__ = [
    "IN_REVIEWS",
    "MOST_COMMANDS",
    "NAMES",
    "Command",
    "CommandName",
    "UnknownCommand",
    "excerpt",
    "parse",
]
