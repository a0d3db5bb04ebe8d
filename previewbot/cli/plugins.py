"""Commands that other distributions add, such as the demo's: found by their entry points, imported by nobody.

A distribution names a function in the entry point group `previewbot.commands`, under the command's name. The
function gets the subparsers of `previewbot`, adds its own, and sets `run`: what takes the parsed options and
returns the exit code (https://packaging.python.org/en/latest/specifications/entry-points/). It is called
whenever `previewbot` starts, so its module should import nothing heavy.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

GROUP = "previewbot.commands"
"""The entry point group in which a distribution names its commands."""

_KNOWN = {
    "demo": (
        "`previewbot demo` is a package of its own, previewbot-demo, which is not installed here: run "
        "`make demo` in a clone of previewbot, or install it from there with `pip install ./demo`."
    )
}


def add_to(commands: Commands) -> None:
    """Add the commands of the distributions that are installed, and how to get those that are not."""
    found = entry_points(group=GROUP)
    for point in found:
        _add(commands, point)
    for name, how_to_get in _KNOWN.items():
        if name not in found.names:
            _add_unusable(commands, name, how_to_get, "(not installed here)")


def is_unusable(options: argparse.Namespace) -> bool:
    """Whether the command that was given cannot run, so that its arguments do not matter."""
    return "unusable" in options


def _add(commands: Commands, point: EntryPoint) -> None:
    try:
        add: Callable[[Commands], None] = point.load()
    except (ImportError, AttributeError) as error:
        # Left over from another version, for example. It must not keep `previewbot web` from starting.
        words = f"`previewbot {point.name}` cannot be loaded ({error}): install its package again."
        _add_unusable(commands, point.name, words, "(cannot be loaded)")
    else:
        add(commands)


def _add_unusable(commands: Commands, name: str, words: str, short: str) -> None:
    """Add a command that says why it cannot run, and fails."""

    def run(_: argparse.Namespace) -> int:
        print(words, file=sys.stderr)
        return 2

    commands.add_parser(name, help=short, description=words).set_defaults(run=run, unusable=True)
