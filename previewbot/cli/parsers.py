"""How each of the commands is added to the others."""

from __future__ import annotations

import argparse

from previewbot.cli.plugins import Commands


def add_command(commands: Commands, name: str, words: str) -> argparse.ArgumentParser:
    """Add a command; `words` say what it does, in the list of all and above its own help."""
    return commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
