"""Runs `previewbot wait`: whom it asks, what it prints, and with what it exits."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import traceback

from previewbot.api.reference import Reference
from previewbot.asking.access import Access, NoAccess, check_host
from previewbot.asking.command import whom
from previewbot.asking.github import WrongCommit
from previewbot.asking.opening import opened, proxies_for
from previewbot.asking.progress import Progress
from previewbot.asking.reporting import as_json, masks, outputs
from previewbot.asking.standing import USAGE, Standing, State
from previewbot.asking.streams import Unwritten, noted, printed
from previewbot.asking.waiting import Patience, wait
from previewbot.asking.words import one_line
from previewbot.errors import RemoteError
from previewbot.rules.proxies import Proxies


def run(options: argparse.Namespace) -> int:
    """Wait as the arguments say; return the exit code."""
    try:
        return _ran(options)
    except BrokenPipeError:
        raise
    except Exception:
        # Python would end with 1, which says that the preview failed.
        noted(traceback.format_exc())
        return _refused("this is a mistake of previewbot's own, and says nothing of the preview")


def _ran(options: argparse.Namespace) -> int:
    try:
        access = whom(options, os.environ)
        proxies = proxies_for(access, os.environ)
        check_host(access, options.reference.host)
    except NoAccess as error:
        return _refused(str(error))
    patience = Patience(options.timeout.total_seconds(), options.grace.total_seconds())
    try:
        standing = asyncio.run(_waited(access, proxies, options.reference, options.sha or "", patience))
    except (RemoteError, WrongCommit) as error:
        return _refused(_in_words(error))
    return _told(standing, options)


async def _waited(
    access: Access, proxies: Proxies, reference: Reference, sha: str, patience: Patience
) -> Standing:
    progress = Progress(sys.stderr)
    async with opened(access, proxies) as source, progress.shown():
        at = f" at {sha[:7]}" if sha else ""
        progress.say(f"waiting for the preview of {reference}{at}; asking {source.whom}")
        return await wait(source, reference, sha, patience, tell=progress.tell, say=progress.say)


def _told(standing: Standing, options: argparse.Namespace) -> int:
    if options.github_output is not None:
        # To stderr, which the runner reads as well: stdout is for the link.
        if masked := masks(standing):
            noted(masked)
        try:
            with options.github_output.open("a", encoding="utf-8") as file:
                file.write(outputs(standing))
        except OSError as error:
            return _refused(f"--github-output {options.github_output}: {error.strerror or error}")
    try:
        if options.json:
            printed(as_json(options.reference, standing))
        elif standing.state is State.READY:
            printed(standing.url)
    except Unwritten as error:
        return _refused(f"how it came out cannot be printed: {error}")
    return standing.state.exit_code


def _refused(words: str) -> int:
    noted(f"previewbot wait: {one_line(words)}")
    return USAGE


def _in_words(error: RemoteError | WrongCommit) -> str:
    if not isinstance(error, RemoteError):
        return str(error)
    return error.message or str(error)
