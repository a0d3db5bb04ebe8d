"""The grammar of commands: what a comment asks for, and what a near miss was meant to be.

    /preview [start [<commit>] [<service> …]]     7 to 40 digits of its SHA
    /preview stop [<service> …]
    /preview restart [<commit>]
    /preview reset [<service or database> …]
    /preview extend [<duration>]                  8h, 2h30m, 90s, 3d
    /preview status | help
    /preview logs [<service> …]

Which lines count is said in `lines.py`. Capital letters do not matter: phones write them. A word of 40
hexadecimal digits behind `start` is a commit, one of 7 to 39 a commit unless a service has that name.
"""

from __future__ import annotations

import difflib
from itertools import islice

from previewbot.rules.commands.lines import WORD, Line, as_text, command_lines
from previewbot.rules.commands.table import NAMED, NAMES, SYNONYMS
from previewbot.rules.commands.values import Command, CommandName, UnknownCommand
from previewbot.rules.commands.words import duration_of
from previewbot.text.cutting import as_quotation
from previewbot.text.durations import format_duration

MOST_COMMANDS = 10
"""So many commands of one comment are read; who writes more is told that they were not."""


def written(command: Command) -> str:
    """Return a command as it is written: `parse` makes the same of it."""
    words = [WORD, command.name, *([command.sha] if command.sha else []), *command.services]
    if command.name == "extend" and (command.text or command.duration):
        words.append(command.text or (format_duration(command.duration) if command.duration else ""))
    return " ".join(words)


def excerpt(body: str) -> str:
    """Return the commands of a comment, a paragraph each, or nothing; `parse` says the same of both.

    Short whatever somebody wrote, so that a conversation of any size can be kept in memory.
    """
    return "\n\n".join(as_text(line) for line, _ in _asked(body))


def parse(body: str) -> tuple[Command | UnknownCommand, ...]:
    """Return the commands that a comment gives, in their order; none if it gives none. Never raises.

    Of more than `MOST_COMMANDS` the next one stands for all others, as one that was not read.
    """
    found = _asked(body)
    read = [asked for _, asked in found[:MOST_COMMANDS]]
    unread = [UnknownCommand(as_quotation(line.text), unread=True) for line, _ in found[MOST_COMMANDS:]]
    return (*read, *unread)


def _asked(body: str) -> list[tuple[Line, Command | UnknownCommand]]:
    asked = ((line, _asked_by(line)) for line in command_lines(body))
    return list(islice(((line, each) for line, each in asked if each is not None), MOST_COMMANDS + 1))


def _asked_by(line: Line) -> Command | UnknownCommand | None:
    """Return what a line asks for; None if it is prose, or a path."""
    word, *words = line.text.split()
    if len(word) > len(WORD):
        suggestion = None if line.apart else _meant_by(word[len(WORD) :].lower(), words)
        return UnknownCommand(as_quotation(line.text), suggestion) if suggestion else None
    if not words:
        found: Command | UnknownCommand = Command("start")
    else:
        name = _named(words[0])
        command = NAMED[name].parse(words[1:]) if name else None
        found = command or UnknownCommand(as_quotation(line.text), _suggestion(name, words))
    if not line.apart:
        return found
    # Prose in a list begins like this as well, and nobody waits for an answer to it.
    is_prose = isinstance(found, UnknownCommand) or not words
    return None if is_prose else UnknownCommand(as_quotation(line.text), line.text, apart=True)


def _meant_by(rest: str, words: list[str]) -> str | None:
    """Return the command that a word which goes on behind `/preview` was meant to be; None for others."""
    glued = rest.lstrip("-_:=,./#")
    given = [glued, *words] if glued != rest or glued in NAMES or glued in SYNONYMS else words
    # `/preview/stop` is a path unless it is alone, and `/previews` begins a sentence more often than not.
    if (rest[0] in "/.#" and words) or len(given) > 3:
        return None
    if glued == rest and given is words and (len(rest) > 2 or len(words) > 1):
        return None
    if not given:
        return "/preview"
    name = _named(given[0]) or SYNONYMS.get(given[0])
    if name is None and rest[0] in "/.#":
        return None
    return _suggestion(name, given)


def _named(word: str) -> CommandName | None:
    return next((name for name in NAMES if name == word.lower()), None)


def _suggestion(name: CommandName | None, words: list[str]) -> str | None:
    word = words[0].lower()
    if name is None and duration_of(words[0]) is not None:
        return f"{WORD} extend {word}"
    if name is None:
        name = SYNONYMS.get(word)
    if name is None:
        # Cut off, since the comparison takes time with the length, and anybody may write 65,000 characters.
        near = difflib.get_close_matches(word[:20], NAMES, n=1, cutoff=0.6)
        name = next((known for known in NAMES if known in near), None)
    if name == "extend":
        given = words[1] if len(words) > 1 and duration_of(words[1]) is not None else "2h"
        return f"{WORD} extend {given}"
    return f"{WORD} {name}" if name else None
