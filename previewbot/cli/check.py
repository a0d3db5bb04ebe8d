"""`previewbot check`: what a repository's owner runs before committing the configuration."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from previewbot.api.github import ChangedFile, ChangedFiles
from previewbot.config.repository import RepositoryConfig, parse
from previewbot.errors import ConfigurationError
from previewbot.rules import changes


def check(path: Path, files: Sequence[str], stdin: TextIO) -> int:
    """Validate the file and print what the changed files match; return the exit code."""
    try:
        config = parse(path.read_bytes(), str(path))
    except OSError as error:
        print(f"{path} cannot be read: {error.strerror}", file=sys.stderr)
        return 1
    except ConfigurationError as error:
        for problem in error.problems:
            place = f"{path}:{problem.line}" if problem.line else str(path)
            print(f"{place}: {problem.message}", file=sys.stderr)
        return 1
    names = ", ".join(service.name for service in config.services)
    print(f"{path} is valid: {names}")
    if files:
        _print_matches(config, _changed_paths(files, stdin))
    return 0


def _changed_paths(files: Sequence[str], stdin: TextIO) -> list[str]:
    if isinstance(stdin, TextIOWrapper):
        # A file's name may be any bytes.
        stdin.reconfigure(errors="surrogateescape")
    named = [name for file in files for name in (stdin if file == "-" else [file])]
    return [name.strip() for name in named if name.strip()]


def _print_matches(config: RepositoryConfig, changed: Sequence[str]) -> None:
    matched = changes.match(config, ChangedFiles(tuple(ChangedFile(name) for name in changed)))
    for name, count in matched.items():
        print(f"  {name}: {count} changed file{'s' if count > 1 else ''}")
    if not matched:
        print("  no service: a pull request with these files has nothing to preview")
