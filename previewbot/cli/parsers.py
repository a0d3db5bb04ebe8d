"""How each of the commands is added to the others, and the arguments that several have."""

from __future__ import annotations

import argparse
from pathlib import Path

from previewbot.api.names import is_full_name
from previewbot.cli.plugins import Commands
from previewbot.config.types import is_label


def add_command(commands: Commands, name: str, words: str) -> argparse.ArgumentParser:
    """Add a command; `words` say what it does, in the list of all and above its own help."""
    return commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")


def add_kubeconfig(command: argparse.ArgumentParser) -> None:
    """Add the argument that says which cluster is looked at."""
    command.add_argument(
        "--kubeconfig",
        type=Path,
        metavar="FILE",
        help="which cluster (default: KUBECONFIG, ~/.kube/config, or the one this runs in)",
    )


def namespace(text: str) -> str:
    """Return a namespace's name; raises argparse.ArgumentTypeError."""
    if not is_label(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a namespace, for example staging")
    return text


def repository(text: str) -> str:
    """Return a repository's name, OWNER/NAME; raises argparse.ArgumentTypeError."""
    if not is_full_name(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not OWNER/NAME, for example acme/shop")
    return text


def address(text: str) -> str:
    """Return where to listen, HOST:PORT; raises argparse.ArgumentTypeError."""
    host, colon, port = text.rpartition(":")
    if not host or not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, for example 0.0.0.0:8080")
    return text
