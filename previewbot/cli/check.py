"""`previewbot check`: what a repository's owner runs before committing the configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from previewbot.api.github import ChangedFile, ChangedFiles
from previewbot.config.repository import RepositoryConfig
from previewbot.config.words import printable
from previewbot.errors import Problem
from previewbot.rules import changes
from previewbot.rules.chosen import choose

# A name in quotes as git writes it: https://git-scm.com/docs/git-config#Documentation/git-config.txt-corequotePath
_QUOTED = re.compile(r'"(?:[^"\\]|\\(?:[abfnrtv"\\]|[0-3][0-7]{2}))*"')
_START = "/preview start SERVICE"
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPED = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))

Compare = Callable[[Path, RepositoryConfig], int]
"""Compares a valid file with something else, says what does not fit, and returns the exit code."""


def check(
    path: Path,
    config: RepositoryConfig,
    files: Sequence[str],
    stdin: TextIO,
    services: int | None = None,
    compare: Compare | None = None,
) -> int:
    """Print what a valid file has, and what the changed files match; return the exit code.

    `services` is how many of one pull request are previewed, if that is known. `compare` is what a valid file
    is compared with beyond that.
    """
    names = ", ".join(service.name for service in config.services)
    print(f"{printable(str(path))} is valid: {names}")
    for note in config.notes:
        print(f"{place_of(note, printable(str(path)))}: note: {note.message}")
    if files:
        _print_matches(config, changed_paths(files, stdin), services)
    return compare(path, config) if compare is not None else 0


def place_of(problem: Problem, named: str) -> str:
    """Return where a problem is: file and line; `named` is the configuration's."""
    file = printable(problem.file) or named
    return f"{file}:{problem.line}" if problem.line else file


def changed_paths(files: Sequence[str], stdin: TextIO) -> list[str]:
    """Return the names of changed files; in place of `-` those that stdin has."""
    if isinstance(stdin, TextIOWrapper):
        # A file's name may be any bytes, also those of a line's end.
        stdin.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")
    named = (_listed(stdin.read()) if file == "-" else [file.strip()] for file in files)
    return [name for names in named for name in names if name]


def _listed(text: str) -> list[str]:
    # With -z, git writes names as they are.
    if "\0" in text:
        return text.split("\0")
    return [_unquoted(line.strip()) for line in text.split("\n")]


def _unquoted(written: str) -> str:
    """Return the name that git put into quotes, because not all of it is ASCII, say; others as they are."""
    if not _QUOTED.fullmatch(written):
        return written
    raw = written[1:-1].encode(errors="surrogateescape")
    return _ESCAPE.sub(_character, raw).decode(errors="surrogateescape")


def _character(escape: re.Match[bytes]) -> bytes:
    sign = escape[1]
    return bytes([int(sign, 8) if len(sign) == 3 else _ESCAPED.get(sign[0], sign[0])])


def _print_matches(config: RepositoryConfig, changed: Sequence[str], limit: int | None) -> None:
    found = changes.compare(config, ChangedFiles(tuple(ChangedFile(name) for name in changed)))
    matched = found.files
    previewed, left_out = choose(config, matched, len(matched) if limit is None else limit)
    for name, count in matched.items():
        print(f"  {name}: {_counted(count, 'changed file')}{'' if name in previewed else ', not previewed'}")
    if left_out is not None:
        print(f"  the settings allow {_counted(left_out.limit, 'service')} per preview")
    if not matched and found.shared:
        print(f"  no service by itself: {_counted(found.shared, 'changed file')} of what all services share")
        print(f"  {_START} starts one of them, in a comment on the pull request")
    elif not matched:
        print("  no service: a pull request with these files has nothing to preview")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
