"""The commands people write as comments: `/preview start`, `/preview extend 2h`, and near misses.

    /preview [start [<commit>]]     7 to 40 digits of its SHA
    /preview restart [<commit>]     the same for a preview that runs
    /preview stop | status | help
    /preview extend <duration>      8h, 2h30m, 90s, 3d

A line counts if it begins with `/preview` as a word. Capital letters do not matter: phones write them.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Literal, get_args

from previewbot.rules.commands.lines import WORD, Line, as_text, command_lines
from previewbot.text.cutting import cut_at_the_end
from previewbot.text.durations import parse_duration

CommandName = Literal["start", "restart", "stop", "extend", "status", "help"]
NAMES: tuple[CommandName, ...] = get_args(CommandName)


IN_REVIEWS: frozenset[CommandName] = frozenset({"extend", "status", "help"})
"""What may be written in a review too. GitHub does not say there whether an App wrote it in somebody's name,
so nothing counts there that starts, ends or approves something."""

_SHA = re.compile(r"[0-9a-f]{7,40}")
MOST_COMMANDS = 10
"""So many commands of one comment are read; who writes more is told that they were not."""

_LONGEST_QUOTE = 80
_SYNONYMS: dict[str, CommandName] = {
    "begin": "start",
    "create": "start",
    "deploy": "start",
    "redeploy": "restart",
    "reload": "restart",
    "reset": "restart",
    "retry": "start",
    "run": "start",
    "up": "start",
    "delete": "stop",
    "destroy": "stop",
    "down": "stop",
    "end": "stop",
    "kill": "stop",
    "shutdown": "stop",
    "keep": "extend",
    "keepalive": "extend",
    "prolong": "extend",
    "info": "status",
    "commands": "help",
}


@dataclass(frozen=True)
class Command:
    """A command. `sha` is what `start` or `restart` was given, in small letters.

    `duration` is what `extend` was given, None where that is no duration; `text` is what was written there.
    """

    name: CommandName
    sha: str | None = None
    duration: timedelta | None = None
    text: str = ""


@dataclass(frozen=True)
class UnknownCommand:
    """What begins like a command and is none: the line, and a command it may have been meant to be.

    `unread`: it stands for all that a comment has beyond the most that is read of one. `apart`: it is a
    command, in a place where one is more likely told of than given; `suggestion` is its text.
    """

    text: str
    suggestion: str | None = None
    unread: bool = False
    apart: bool = False


def excerpt(body: str) -> str:
    """Return the commands of a comment, a paragraph each, or nothing; `parse` says the same of both.

    Short whatever somebody wrote, so that a conversation of any size can be kept in memory.
    """
    return "\n\n".join(as_text(line) for line, _ in _asked(body))


def parse(body: str) -> tuple[Command | UnknownCommand, ...]:
    """Return the commands that a comment gives, in their order; none if it gives none. Never raises.

    Of more than `MOST_COMMANDS` the next one stands for all others, as one that was not read.
    """
    found = [(line, asked) for line, asked in _asked(body)]
    read = [asked for _, asked in found[:MOST_COMMANDS]]
    unread = [UnknownCommand(_as_quotation(line.text), unread=True) for line, _ in found[MOST_COMMANDS:]]
    return (*read, *unread)


def _asked(body: str) -> list[tuple[Line, Command | UnknownCommand]]:
    asked = ((line, _asked_by(line)) for line in command_lines(body))
    return list(islice(((line, each) for line, each in asked if each is not None), MOST_COMMANDS + 1))


def _asked_by(line: Line) -> Command | UnknownCommand | None:
    """Return what a line asks for; None if it is prose, or a path."""
    word, *words = line.text.split()
    if len(word) > len(WORD):
        suggestion = None if line.apart else _meant_by(word[len(WORD) :].lower(), words)
        return UnknownCommand(_as_quotation(line.text), suggestion) if suggestion else None
    if not words:
        found: Command | UnknownCommand = Command("start")
    else:
        name = next((name for name in NAMES if name == words[0].lower()), None)
        command = _command(name, words[1:]) if name else None
        found = command or UnknownCommand(_as_quotation(line.text), _suggestion(name, words))
    if not line.apart:
        return found
    # Prose in a list begins like this as well, and nobody waits for an answer to it.
    is_prose = isinstance(found, UnknownCommand) or not words
    return None if is_prose else UnknownCommand(_as_quotation(line.text), line.text, apart=True)


def _meant_by(rest: str, words: list[str]) -> str | None:
    """Return the command that a word which goes on behind `/preview` was meant to be; None for others."""
    glued = rest.lstrip("-_:=,./#")
    given = [glued, *words] if glued != rest or glued in NAMES or glued in _SYNONYMS else words
    # `/preview/stop` is a path unless it is alone, and `/previews` begins a sentence more often than not.
    if (rest[0] in "/.#" and words) or len(given) > 3:
        return None
    if glued == rest and given is words and (len(rest) > 2 or len(words) > 1):
        return None
    if not given:
        return "/preview"
    name = next((name for name in NAMES if name == given[0]), None) or _SYNONYMS.get(given[0])
    if name is None and rest[0] in "/.#":
        return None
    return _suggestion(name, given)


def _command(name: CommandName, arguments: list[str]) -> Command | None:
    """Return the command, or None if the arguments do not fit it."""
    if name == "extend":
        written = " ".join(arguments)
        return Command("extend", duration=_duration(written), text=_as_quotation(written))
    if not arguments:
        return Command(name)
    sha = arguments[0].lower()
    if name in ("start", "restart") and len(arguments) == 1 and _SHA.fullmatch(sha):
        return Command(name, sha=sha)
    return None


def _suggestion(name: CommandName | None, words: list[str]) -> str | None:
    word = words[0].lower()
    if name is None and _duration(words[0]) is not None:
        return f"/preview extend {word}"
    if name is None and word in _SYNONYMS:
        name = _SYNONYMS[word]
    if name is None:
        # Cut off, since the comparison takes time with the length, and anybody may write 65,000 characters.
        near = difflib.get_close_matches(word[:20], NAMES, n=1, cutoff=0.6)
        name = next((known for known in NAMES if known in near), None)
    if name == "extend":
        given = words[1] if len(words) > 1 and _duration(words[1]) is not None else "2h"
        return f"/preview extend {given}"
    return f"/preview {name}" if name else None


def _duration(text: str) -> timedelta | None:
    """Return the duration that a text names, also as separate words: `2h 30m`."""
    try:
        for word in text.split():
            parse_duration(word)
        return parse_duration("".join(text.split()))
    except ValueError:
        return None


def _as_quotation(text: str) -> str:
    # It is shown in our answer, where a control character could hide or turn what stands around it.
    clean = "".join(char if char.isprintable() else " " for char in " ".join(text.split()))
    return cut_at_the_end(clean, _LONGEST_QUOTE)
