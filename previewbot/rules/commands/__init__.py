"""The commands people write as comments: `/preview start`, `/preview extend 2h`, and near misses."""

from previewbot.rules.commands.grammar import (
    MOST_COMMANDS,
    NAMES,
    Command,
    CommandName,
    UnknownCommand,
    excerpt,
    parse,
)

__all__ = ["MOST_COMMANDS", "NAMES", "Command", "CommandName", "UnknownCommand", "excerpt", "parse"]
