"""What a comment asks for, as values, and what a file of a command says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from previewbot.text.command_help import CommandHelp

CommandName = Literal["start", "stop", "restart", "reset", "extend", "status", "logs", "help"]


@dataclass(frozen=True)
class Command:
    """A command. `sha` is what `start` or `restart` was given as a commit, in small letters.

    `services` are the names that it was given, for `reset` also those of databases. `duration` is what
    `extend` was given, None where that is no duration or nothing; `text` is what was written there.
    """

    name: CommandName
    sha: str | None = None
    duration: timedelta | None = None
    text: str = ""
    services: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class Definition:
    """One command: how it is written, and where and when it may be.

    `parse` makes a command of the words behind its name, or None if they do not fit it; `synonyms` are words
    that are answered with its name. `is_order`: of those the newest counts, in whatever order they are read.
    """

    name: CommandName
    help: CommandHelp
    parse: Callable[[Sequence[str]], Command | None]
    synonyms: tuple[str, ...] = ()
    is_order: bool = False

    @property
    def in_reviews(self) -> bool:
        """Whether it may also be written in a review or at a line."""
        return self.help.in_reviews

    @property
    def when_closed(self) -> bool:
        """Whether it may also be asked of a pull request that is closed."""
        return self.help.when_closed
