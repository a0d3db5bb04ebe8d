"""A repository's configuration as a command reads it: from a folder, held to the settings, mistakes told."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from previewbot.cli.check import place_of
from previewbot.cli.files import read_head
from previewbot.cli.repository_folder import with_files
from previewbot.config.repository import RepositoryConfig, parse
from previewbot.config.words import printable
from previewbot.errors import ConfigurationError, Problem
from previewbot.rules.bounds import check_against
from previewbot.rules.repositories import Bounds


def configuration_in(path: Path, bounds: Bounds | None) -> RepositoryConfig | None:
    """Return the configuration in a file; say all that is wrong with it, line by line, and return None.

    With `bounds` the file may ask for no more than these.
    """
    named, agents = printable(str(path)), bounds.agents if bounds is not None else None
    try:
        content = read_head(path)
        config = with_files(path, lambda files: parse(content, str(path), agents, files))
    except OSError as error:
        print(f"{named} cannot be read: {error.strerror}", file=sys.stderr)
        return None
    except ConfigurationError as error:
        _refuse(named, error.problems)
        return None
    outside = check_against(config, bounds) if bounds is not None else ()
    if outside:
        _refuse(named, outside)
        return None
    return config


def _refuse(named: str, problems: Sequence[Problem]) -> None:
    for problem in problems:
        print(f"{place_of(problem, named)}: {problem.message}", file=sys.stderr)
