"""`previewbot check`: what a repository's owner runs before committing the configuration."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from previewbot import changes, repoconfig
from previewbot.errors import ConfigurationError
from previewbot.model import ChangedFile, ChangedFiles


def check(path: Path, files: Sequence[str], stdin: TextIO) -> int:
    """Validate the file and print what the changed files match; return the exit code."""
    try:
        config = repoconfig.parse(path.read_bytes(), str(path))
    except OSError as error:
        print(f"{path} cannot be read: {error.strerror}", file=sys.stderr)
        return 1
    except ConfigurationError as error:
        for problem in error.problems:
            print(f"{path}:{problem.line}: {problem.message}", file=sys.stderr)
        return 1
    names = ", ".join(service.name for service in config.services)
    print(f"{path} is valid: {names}")
    changed = [line.strip() for line in stdin] if list(files) == ["-"] else list(files)
    if changed:
        matched = changes.match(config, ChangedFiles(tuple(ChangedFile(f) for f in changed if f)))
        for name, count in matched.items():
            print(f"  {name}: {count} changed file{'s' if count > 1 else ''}")
        if not matched:
            print("  no service: a pull request with these files has nothing to preview")
    return 0
