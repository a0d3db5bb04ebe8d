"""The arguments of the commands that look at an installation: `doctor`, `explain` and `conformance`."""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.parse import urlsplit

from previewbot.api.reference import Reference, reference_from
from previewbot.cli.parsers import add_command, namespace
from previewbot.cli.plugins import Commands
from previewbot.config.repository import TargetPath, parse_target
from previewbot.config.types import is_label

IN_A_POD = Path("/etc/previewbot/settings/settings.yaml")
"""Where the chart puts the settings of its pods."""


def add_to(commands: Commands) -> None:
    """Add the three commands."""
    _add_doctor(commands)
    _add_explain(commands)
    _add_conformance(commands)


def _add_doctor(commands: Commands) -> None:
    words = "say what is wrong with this installation, whose it is, and what to do"
    command = add_command(commands, "doctor", words)
    _add_settings(command)
    command.add_argument("--json", action="store_true", help="all findings as JSON, for programs")
    command.add_argument(
        "--process",
        choices=("web", "pages", "controller"),
        help="whose account this is (default: that of the processes whose secrets are here)",
    )
    command.set_defaults(run=_doctor)


def _add_explain(commands: Commands) -> None:
    words = "say step by step why a pull request has a preview, or none; it changes nothing"
    command = add_command(commands, "explain", words)
    command.add_argument(
        "reference",
        type=_reference,
        metavar="OWNER/REPO#42",
        help="the pull request, also as its address",
    )
    _add_settings(command)
    command.set_defaults(run=_explain)


def _add_conformance(commands: Commands) -> None:
    words = "try one preview session of a workload with its own image, and write down what was seen"
    command = add_command(commands, "conformance", words)
    _add_settings(command)
    command.add_argument(
        "--target",
        type=_target,
        required=True,
        metavar="KIND/NAME",
        help="the workload, for example deployment/web",
    )
    command.add_argument("--namespace", type=namespace, required=True, metavar="NS", help="where it is")
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


def _doctor(options: argparse.Namespace) -> int:
    from previewbot.cli.doctor import doctor

    return doctor(options.settings, json=options.json, process=options.process)


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
