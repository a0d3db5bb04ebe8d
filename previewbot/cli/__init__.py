"""The commands: arguments, settings, secrets, signals, exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from io import BytesIO, StringIO
from pathlib import Path
from urllib.parse import urlsplit

from previewbot.api.names import is_full_name
from previewbot.cli import plugins
from previewbot.cli.check import check
from previewbot.cli.check_settings import STDIN, bounds_for, settings_in, tell
from previewbot.config.repository import TargetPath, parse_target
from previewbot.config.types import is_label
from previewbot.config.words import printable
from previewbot.doctor.reference import Reference, reference_from
from previewbot.errors import SettingsError
from previewbot.rules.slot_limits import services_limit

_EXAMPLES = """
examples:
  previewbot demo                                   see the whole thing on this machine, without any account
  previewbot check .github/preview.yaml src/a.py    which services would a change of src/a.py preview?
  git diff --name-only main | previewbot check .github/preview.yaml -
  previewbot check --settings settings.yaml         would they start, and who may have what?
  previewbot check .github/preview.yaml --settings settings.yaml --repository acme/shop
  previewbot conformance --settings settings.yaml --target deployment/web --namespace staging \\
    --entry https://staging.example.com             does mirrord do here what previewbot relies on?
  previewbot web --config settings.yaml             take GitHub's webhooks, show the pages
  previewbot controller --config settings.yaml      do the work
  previewbot doctor --settings settings.yaml        what is wrong with this installation, and whose is it?
  previewbot explain acme/shop#42                   why has this pull request a preview, or none?

exit codes: 0 fine (of explain: whatever it says); 1 failed, or check or doctor found something wrong; 2 wrong
arguments, or settings with which web or controller cannot start; 141 nobody reads what is said
"""

IN_A_POD = Path("/etc/previewbot/settings/settings.yaml")
"""Where the chart puts the settings of its pods."""

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
    _add_doctor(commands)
    _add_explain(commands)
    _add_conformance(commands)
    return parser


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."


def _add_check(commands: plugins.Commands) -> None:
    words = "validate a .github/preview.yaml, or the settings, and say what they mean"
    command = commands.add_parser("check", help=words, description=_sentence(words))
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
        type=_repository,
        metavar="OWNER/NAME",
        help="which rule of the settings counts for this repository",
    )
    command.set_defaults(run=lambda options: _check(command, options))


def _add_doctor(commands: plugins.Commands) -> None:
    words = "say what is wrong with this installation, whose it is, and what to do"
    command = commands.add_parser("doctor", help=words, description=_sentence(words))
    _add_settings(command)
    command.add_argument("--json", action="store_true", help="all findings as JSON, for programs")
    command.set_defaults(run=_doctor)


def _add_explain(commands: plugins.Commands) -> None:
    words = "say step by step why a pull request has a preview, or none; it changes nothing"
    command = commands.add_parser("explain", help=words, description=_sentence(words))
    command.add_argument(
        "reference",
        type=_reference,
        metavar="OWNER/REPO#42",
        help="the pull request, also as its address",
    )
    _add_settings(command)
    command.set_defaults(run=_explain)


def _add_conformance(commands: plugins.Commands) -> None:
    words = "try one preview session of a workload with its own image, and write down what was seen"
    command = commands.add_parser("conformance", help=words, description=_sentence(words))
    _add_settings(command)
    command.add_argument(
        "--target",
        type=_target,
        required=True,
        metavar="KIND/NAME",
        help="the workload, for example deployment/web",
    )
    command.add_argument("--namespace", required=True, metavar="NS", help="where it is")
    command.add_argument(
        "--entry", type=_http_url, required=True, metavar="URL", help="where this very workload answers"
    )
    command.add_argument(
        "--service",
        type=_backend,
        metavar="NAME:PORT",
        help="its Service: requests then go through links.gateway, by a route of their own; left out: they "
        "carry the header themselves",
    )
    command.add_argument(
        "--output",
        type=Path,
        default=Path("conformance.yaml"),
        metavar="FILE",
        help="where to write what was seen (%(default)s)",
    )
    command.set_defaults(run=_conformance)


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--settings",
        type=Path,
        default=IN_A_POD,
        metavar="FILE",
        help="the settings of web and controller (%(default)s, where the chart puts them)",
    )


def _check(command: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    stdin = sys.stdin or StringIO()
    if options.settings is None and options.path is None:
        command.error("name a file to validate: PATH, or --settings FILE")
    if options.settings is None and options.repository is not None:
        command.error("--repository asks for --settings FILE, which says what it may have")
    if options.settings is None:
        return check(options.path, options.files, stdin)
    if options.settings == STDIN and "-" in options.files:
        command.error("stdin can be read once: for the settings, or for the names of changed files")
    settings = settings_in(options.settings, os.environ, getattr(stdin, "buffer", BytesIO()))
    if settings is None:
        return 1
    tell(options.settings, settings, os.environ)
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
    return check(options.path, options.files, stdin, bounds, services)


def _web(options: argparse.Namespace) -> int:
    from previewbot.cli.serve import web

    return web(options.config, options.bind, options.metrics_bind)


def _controller(options: argparse.Namespace) -> int:
    from previewbot.cli.serve import controller

    return controller(options.config, options.bind, options.identity)


def _doctor(options: argparse.Namespace) -> int:
    from previewbot.cli.doctor import doctor

    return doctor(options.settings, json=options.json)


def _explain(options: argparse.Namespace) -> int:
    from previewbot.cli.explain import explain

    return explain(options.settings, options.reference)


def _conformance(options: argparse.Namespace) -> int:
    from previewbot.cli.conformance import Wanted, conformance
    from previewbot.doctor.conformance.subject import Backend

    backend = Backend(*options.service) if options.service else None
    wanted = Wanted(options.namespace, options.target, options.entry, backend, options.output)
    return conformance(options.settings, wanted)


def _target(text: str) -> TargetPath:
    try:
        return parse_target(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from error


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is no URL, for example https://staging.example.com")
    return text


def _backend(text: str) -> tuple[str, int]:
    name, colon, port = text.rpartition(":")
    if not is_label(name) or not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:PORT, for example web:80")
    return name, int(port)


def _reference(text: str) -> Reference:
    try:
        return reference_from(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _repository(text: str) -> str:
    if not is_full_name(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not OWNER/NAME, for example acme/shop")
    return text


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not host or not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, for example 0.0.0.0:8080")
    return text
