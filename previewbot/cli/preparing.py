"""The arguments of the commands for whoever writes a `.github/preview.yaml`: `render`, `init`, `schema`."""

from __future__ import annotations

import argparse
from pathlib import Path

from previewbot.api.names import is_sha
from previewbot.cli.files import stdin_bytes
from previewbot.cli.parsers import add_command, add_kubeconfig, namespace, repository
from previewbot.cli.plugins import Commands
from previewbot.config.types import is_label
from previewbot.config.words import printable

_LARGEST = 2**53 - 1
"""Numbers up to this one are the same to every reader of JSON."""


def add_to(commands: Commands) -> None:
    """Add the commands."""
    _add_init(commands)
    _add_render(commands)
    _add_schema(commands)


def _add_schema(commands: Commands) -> None:
    words = "print the JSON Schema of .github/preview.yaml, or of the settings, by which editors check it"
    command = add_command(commands, "schema", words)
    command.add_argument("--settings", action="store_true", help="that of the server's settings")
    command.set_defaults(run=_schema)


def _schema(options: argparse.Namespace) -> int:
    from previewbot.config.published import preview_schema, settings_schema

    print(settings_schema() if options.settings else preview_schema(), end="")
    return 0


def _add_init(commands: Commands) -> None:
    words = "write a first .github/preview.yaml, from a cluster's workloads or from manifests"
    command = add_command(commands, "init", words)
    command.add_argument(
        "manifests",
        nargs="*",
        metavar="MANIFEST",
        help="files or folders of manifests; - reads stdin, what `kustomize build` or `helm template` prints "
        "(default: ask the cluster)",
    )
    command.add_argument(
        "--namespace",
        type=namespace,
        metavar="NS",
        help="staging's (default: as manifests say; in a cluster, the one with most of what is built here)",
    )
    add_kubeconfig(command)
    command.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="where to write it (default: .github/preview.yaml of this repository); - prints it",
    )
    command.add_argument("--force", action="store_true", help="write over a file that is there")
    command.set_defaults(run=lambda options: _init(command, options))


def _init(command: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    from previewbot.cli.init import Wanted, init

    if options.kubeconfig is not None and options.manifests:
        command.error("--kubeconfig and MANIFEST: what is to be looked at, the cluster or manifests?")
    wanted = Wanted(
        manifests=tuple(options.manifests),
        namespace=options.namespace or "",
        output=options.output,
        kubeconfig=options.kubeconfig,
        force=options.force,
    )
    return init(wanted, stdin_bytes())


def _add_render(commands: Commands) -> None:
    words = "print as YAML what would be created for a pull request; it asks neither GitHub nor a cluster"
    command = add_command(commands, "render", words)
    command.add_argument("path", type=Path, metavar="PATH", help="the repository's .github/preview.yaml")
    command.add_argument("--repository", type=repository, required=True, metavar="OWNER/NAME", help="whose")
    command.add_argument(
        "--number", type=_number, required=True, metavar="N", help="the pull request's number"
    )
    command.add_argument(
        "--head-sha", type=_commit, required=True, metavar="SHA", help="its newest commit, in full"
    )
    command.add_argument(
        "--service",
        action="append",
        default=[],
        metavar="NAME",
        help="a service that it changes; may be given several times (default: all of them)",
    )
    command.add_argument(
        "--container",
        type=_container,
        metavar="NAME",
        help="the container that sessions replace (default: as the target says, else main)",
    )
    command.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="the server's settings: bounds, the longest life, and the Gateway, without which there is no "
        "route; - reads stdin",
    )
    command.add_argument(
        "--repository-id",
        type=_number,
        metavar="N",
        help="GitHub's number of the repository, of which the key is made, as `gh api repos/OWNER/NAME` "
        "has it in `id` (default: 0, and a note that the key is another one)",
    )
    command.add_argument("--branch", metavar="NAME", help="its branch, if an image names {branch}")
    command.add_argument(
        "--merge-sha", type=_commit, metavar="SHA", help="its test merge, if an image names {merge_sha}"
    )
    command.add_argument(
        "--ready",
        action="store_true",
        help="the route as it becomes once the sessions serve; it is created leading to the preview's page",
    )
    command.set_defaults(run=lambda options: _render(command, options))


def _render(command: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    # Imported here: what makes manifests needs more than `previewbot web` should load at its start.
    from previewbot.cli.render import NoSuchService, Wanted, render

    wanted = Wanted(
        path=options.path,
        repository=options.repository,
        number=options.number,
        head_sha=options.head_sha,
        repository_id=options.repository_id,
        branch=options.branch,
        merge_sha=options.merge_sha,
        services=tuple(options.service),
        container=options.container,
        settings=options.settings,
        ready=options.ready,
    )
    try:
        return render(wanted, stdin_bytes())
    except NoSuchService as error:
        command.error(printable(str(error)))


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:20]) <= _LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of GitHub's, for example 42")
    return int(text)


def _commit(text: str) -> str:
    if not is_sha(text.lower()):
        words = f"{text!r} is no whole commit: 40 characters, as `git rev-parse HEAD` prints them"
        raise argparse.ArgumentTypeError(words)
    return text.lower()


def _container(text: str) -> str:
    if not is_label(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a container, for example app")
    return text
