"""The commands: arguments, settings, secrets, signals, exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from previewbot.cli import plugins
from previewbot.cli.check import check
from previewbot.config.words import printable
from previewbot.errors import SettingsError

_EXAMPLES = """
examples:
  previewbot demo                                   see the whole thing on this machine, without any account
  previewbot check .github/preview.yaml src/a.py    which services would a change of src/a.py preview?
  git diff --name-only main | previewbot check .github/preview.yaml -
  previewbot web --config settings.yaml             take GitHub's webhooks, show the pages
  previewbot controller --config settings.yaml      do the work

exit codes: 0 fine, 1 failed, 2 wrong arguments or settings, 141 nobody reads what is said
"""

_IDENTITY = (
    "who this is in the Lease; no two running controllers may share it. Give the pod's name, and a restarted "
    "container goes on at once (default: the host's name and something random)"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown and not plugins.is_unusable(options):
        parser.error(printable(f"unrecognized arguments: {' '.join(unknown)}"))
    try:
        code = _run(options)
        # Written now and not at the end of the process, where nobody could say what to do if it fails.
        print(end="", flush=True)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever reads has seen enough (`| head`). What is still to be written would fail once more when
        # Python ends: https://docs.python.org/3/library/signal.html#note-on-sigpipe
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number in (1, 2):
            os.dup2(nowhere, number)
        return 141
    return code


def _run(options: argparse.Namespace) -> int:
    try:
        code: int = options.run(options)
    except SettingsError as error:
        # Some problems quote a library's words, which may run over several lines.
        lines = (printable(f"  - {' '.join(problem.split())}") for problem in error.problems)
        print("The settings cannot be used:", *lines, sep="\n", file=sys.stderr)
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="previewbot",
        description="Runs what a pull request changes next to shared staging, and hands the reviewer a link.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, port, run, words in (
        ("web", 8080, _web, "take GitHub's webhooks and show the reviewers' pages"),
        ("controller", 8081, _controller, "follow pull requests and run their previews"),
    ):
        command = commands.add_parser(name, help=words, description=_sentence(words))
        command.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings (YAML)")
        command.add_argument(
            "--bind", type=_address, default=f"0.0.0.0:{port}", metavar="HOST:PORT", help="(%(default)s)"
        )
        command.set_defaults(run=run)
        if name == "web":
            command.add_argument(
                "--metrics-bind",
                type=_address,
                default="0.0.0.0:8082",
                metavar="HOST:PORT",
                help="where probes and metrics are, which are for the cluster alone (%(default)s)",
            )
        if name == "controller":
            command.add_argument("--identity", metavar="NAME", help=_IDENTITY)
    plugins.add_to(commands)
    _add_check(commands)
    return parser


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."


def _add_check(commands: plugins.Commands) -> None:
    words = "validate a .github/preview.yaml, and say which services changed files match"
    command = commands.add_parser("check", help=words, description=_sentence(words))
    command.add_argument("path", type=Path, metavar="PATH", help="the file to validate")
    command.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="changed files, relative to the repository; - reads them from stdin, as git writes them",
    )
    command.set_defaults(run=lambda options: check(options.path, options.files, sys.stdin or StringIO()))


def _web(options: argparse.Namespace) -> int:
    from previewbot.cli.serve import web

    return web(options.config, options.bind, options.metrics_bind)


def _controller(options: argparse.Namespace) -> int:
    from previewbot.cli.serve import controller

    return controller(options.config, options.bind, options.identity)


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not host or not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, for example 0.0.0.0:8080")
    return text
