"""The commands people write as comments: `/preview start`, `/preview extend 2h`, and near misses.

A command is a file here, with its words and its help; `table.py` names them all.
"""

from previewbot.rules.commands.grammar import MOST_COMMANDS, excerpt, parse, written
from previewbot.rules.commands.table import DEFINITIONS, NAMED, NAMES
from previewbot.rules.commands.values import Command, CommandName, Definition, UnknownCommand

__all__ = [
    "DEFINITIONS",
    "MOST_COMMANDS",
    "NAMED",
    "NAMES",
    "Command",
    "CommandName",
    "Definition",
    "UnknownCommand",
    "excerpt",
    "parse",
    "written",
]
