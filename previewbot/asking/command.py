"""The arguments of `previewbot wait`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from previewbot.api.names import is_sha
from previewbot.api.reference import Reference, reference_from
from previewbot.asking.access import APP, ENVIRONMENT, Access, access_from
from previewbot.text.durations import parse_duration

WORDS = "wait until the preview of a commit is ready, and print its link"

EPILOG = """
With a GitHub token (GITHUB_TOKEN or GH_TOKEN; it may read deployments, checks and pull requests) it asks
GitHub (GITHUB_API_URL) and nobody else. Without one, or with --url, it asks previewbot (PREVIEWBOT_URL) with
its bearer (PREVIEWBOT_BEARER, or --bearer-file). The link is printed to stdout, how it goes to stderr.

exit codes: 0 ready; 1 the preview failed; 2 wrong arguments, or a token or bearer that is refused; 3 it ended
(stopped, expired, the pull request was closed, or another commit took its place); 4 never triggered:
previewbot has said nothing of this commit; 5 not ready in time; 130 interrupted
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `previewbot wait`."""
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = EPILOG
    command.add_argument(
        "reference", type=_reference, metavar="OWNER/REPO#42", help="the pull request, also as its address"
    )
    command.add_argument(
        "--sha",
        type=_sha,
        metavar="SHA",
        help="the commit, all of it (default: the newest one when it begins)",
    )
    command.add_argument(
        "--timeout", type=_duration, default="30m", metavar="TIME", help="how long to wait (%(default)s)"
    )
    command.add_argument(
        "--grace",
        type=_duration,
        default="3m",
        metavar="TIME",
        help="how long nothing may speak of the commit before it is taken for never triggered (%(default)s)",
    )
    add_whom(command)
    command.add_argument("--json", action="store_true", help="print how it came out as JSON, whatever it is")
    command.add_argument(
        "--github-output",
        type=Path,
        metavar="FILE",
        help="append state, sha, url, header, needs-header and bearer to this file, as for GITHUB_OUTPUT",
    )
    command.set_defaults(run=run)


def add_whom(command: argparse.ArgumentParser) -> None:
    """Add the arguments that say whom to ask, as `whom` reads them."""
    command.add_argument(
        "--app",
        default="",
        metavar="SLUG",
        help=f"the slug of your GitHub App; only what it wrote counts (PREVIEWBOT_APP, or {APP})",
    )
    command.add_argument(
        "--environment",
        default="",
        metavar="NAME",
        help=f"where its deployments are, as its settings say (PREVIEWBOT_ENVIRONMENT, or {ENVIRONMENT})",
    )
    command.add_argument(
        "--url", default="", metavar="URL", help="ask previewbot at this address, and not GitHub"
    )
    command.add_argument(
        "--bearer-file", type=Path, metavar="FILE", help="ask previewbot with the bearer in this file"
    )


def whom(options: argparse.Namespace, environ: Mapping[str, str]) -> Access:
    """Return whom to ask, by the arguments of `add_whom` and the environment; raises NoAccess."""
    return access_from(
        environ,
        url=options.url,
        bearer_file=options.bearer_file,
        app=options.app,
        environment=options.environment,
    )


def run(options: argparse.Namespace) -> int:
    """Wait as the arguments say; return the exit code."""
    # Imported here: whoever asks for another command does not need an HTTP client.
    from previewbot.asking.running import run

    return run(options)


def _reference(text: str) -> Reference:
    try:
        return reference_from(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _sha(text: str) -> str:
    sha = text.strip().lower()
    if not is_sha(sha):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no whole commit SHA: `git rev-parse HEAD` says it, and in a workflow "
            "github.event.pull_request.head.sha"
        )
    return sha


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error
