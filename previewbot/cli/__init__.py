"""The commands: arguments, settings, secrets, signals, exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import TextIO

from previewbot.asking import command as wait
from previewbot.asking.streams import ended
from previewbot.cli import examining, mcp, pictures, plugins, preparing
from previewbot.cli.check import Compare, check
from previewbot.cli.check_settings import STDIN, bounds_for, settings_in, tell
from previewbot.cli.configuration import configuration_in
from previewbot.cli.files import stdin_bytes
from previewbot.cli.parsers import add_command, add_kubeconfig, address, repository
from previewbot.config.repository import RepositoryConfig
from previewbot.config.words import printable
from previewbot.errors import SettingsError
from previewbot.rules.repositories import Bounds
from previewbot.rules.slot_limits import services_limit

_EXAMPLES = """
examples:
  previewbot demo                                   see the whole thing on this machine, without any account
  previewbot check .github/preview.yaml src/a.py    which services would a change of src/a.py preview?
  git diff --name-only main | previewbot check .github/preview.yaml -
  previewbot check .github/preview.yaml --cluster   is what it names there?
  previewbot check --settings settings.yaml         would they start, and who may have what?
  previewbot check .github/preview.yaml --settings settings.yaml --repository acme/shop
  kustomize build overlays/staging | previewbot init -
                                                    a first .github/preview.yaml; without - from the cluster
  previewbot render .github/preview.yaml --repository acme/shop --number 42 --head-sha "$(git rev-parse HEAD)"
                                                    what would be created for that pull request?
  previewbot conformance --settings settings.yaml --target deployment/web --namespace staging \\
    --entry https://staging.example.com             does mirrord do here what previewbot relies on?
  previewbot web --config settings.yaml             take GitHub's webhooks
  previewbot pages --config settings.yaml           show the pages, and answer programs
  previewbot controller --config settings.yaml      do the work
  previewbot doctor --settings settings.yaml        what is wrong with this installation, and whose is it?
  previewbot explain acme/shop#42                   why has this pull request a preview, or none?
  previewbot wait acme/shop#42 --sha "$(git rev-parse HEAD)"
                                                    until its preview is ready; prints the link
  previewbot mcp                                    the same for a coding agent, which starts it

exit codes: 0 fine (of explain: whatever it says); 1 failed, or check or doctor found something wrong; 2 wrong
arguments, or settings with which web, pages or controller cannot start; 141 nobody reads what is said; those
of wait are in its own help
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

    def work() -> int:
        code = _run(options)
        # Written now and not at the end of the process, where nobody could say what to do if it fails.
        print(end="", flush=True)
        return code

    return ended(work)


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
        ("web", 8080, _web, "take GitHub's webhooks"),
        ("pages", 8080, _pages, "show the reviewers' pages, and answer programs"),
        ("controller", 8081, _controller, "follow pull requests and run their previews"),
    ):
        command = add_command(commands, name, words)
        command.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings (YAML)")
        command.add_argument(
            "--bind", type=address, default=f"0.0.0.0:{port}", metavar="HOST:PORT", help="(%(default)s)"
        )
        command.set_defaults(run=run)
        if name != "controller":
            command.add_argument(
                "--metrics-bind",
                type=address,
                default="0.0.0.0:8082",
                metavar="HOST:PORT",
                help="where probes and metrics are, which are for the cluster alone (%(default)s)",
            )
        else:
            command.add_argument("--identity", metavar="NAME", help=_IDENTITY)
    plugins.add_to(commands)
    _add_check(commands)
    preparing.add_to(commands)
    examining.add_to(commands)
    wait.add_arguments(add_command(commands, "wait", wait.WORDS))
    mcp.add_to(commands)
    pictures.add_to(commands)
    return parser


def _add_check(commands: plugins.Commands) -> None:
    words = "validate a .github/preview.yaml, or the settings, and say what they mean"
    command = add_command(commands, "check", words)
    command.add_argument(
        "path", nargs="?", type=Path, metavar="PATH", help="the repository's file to validate"
    )
    command.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="changed files, relative to the repository; - reads them from stdin, as git writes them",
    )
    command.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="judge the server's settings as its start does, and say what each repository may have; - reads "
        "stdin, and a ConfigMap that holds settings.yaml will do. A repository's PATH is then held to them",
    )
    command.add_argument(
        "--repository",
        type=repository,
        metavar="OWNER/NAME",
        help="which rule of the settings counts for this repository",
    )
    command.add_argument(
        "--cluster",
        action="store_true",
        help="compare PATH with the cluster: namespaces, targets, containers, ports, images, entries",
    )
    add_kubeconfig(command)
    command.set_defaults(run=lambda options: _check(command, options))


def _check(command: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    stdin = sys.stdin or StringIO()
    if options.settings is None and options.path is None:
        command.error("name a file to validate: PATH, or --settings FILE")
    if options.settings is None and options.repository is not None:
        command.error("--repository asks for --settings FILE, which says what it may have")
    if options.cluster and options.path is None:
        command.error("--cluster asks for PATH, the repository's file to compare with it")
    if options.kubeconfig is not None and not options.cluster:
        command.error("--kubeconfig asks for --cluster")
    if options.settings is None:
        return _check_file(options, stdin)
    if options.settings == STDIN and "-" in options.files:
        command.error("stdin can be read once: for the settings, or for the names of changed files")
    settings = settings_in(options.settings, os.environ, stdin_bytes())
    if settings is None:
        return 1
    if not tell(options.settings, settings, os.environ):
        return 1
    if options.path is None:
        if options.repository is not None:
            bounds_for(settings, options.repository)
        return 0
    if options.repository is None and settings.repositories is not None:
        command.error("these settings have rules for repositories: say whose file it is, with --repository")
    bounds = bounds_for(settings, options.repository)
    if bounds is None:
        return 1
    # Whoever names no repository has settings without rules, where all have what everybody has.
    services = services_limit(settings, options.repository or "")
    return _check_file(options, stdin, bounds, services)


def _check_file(
    options: argparse.Namespace, stdin: TextIO, bounds: Bounds | None = None, services: int | None = None
) -> int:
    config = configuration_in(options.path, bounds)
    if config is None:
        return 1
    return check(options.path, config, options.files, stdin, services, compare=_comparison(options))


def _comparison(options: argparse.Namespace) -> Compare | None:
    """Return what compares a file with the cluster, if that was asked for."""
    if not options.cluster:
        return None

    def compare(path: Path, config: RepositoryConfig) -> int:
        from previewbot.cli.check_cluster import check_cluster

        return check_cluster(path, config, options.kubeconfig)

    return compare


def _web(options: argparse.Namespace) -> int:
    from previewbot.cli.serve import web

    return web(options.config, options.bind, options.metrics_bind)


def _pages(options: argparse.Namespace) -> int:
    from previewbot.cli.serve import pages

    return pages(options.config, options.bind, options.metrics_bind)


def _controller(options: argparse.Namespace) -> int:
    from previewbot.cli.serve import controller

    return controller(options.config, options.bind, options.identity)
