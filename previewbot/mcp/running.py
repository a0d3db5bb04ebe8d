"""Runs `previewbot mcp`: with what it asks whom, on this process's stdin and stdout."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from contextlib import AbstractAsyncContextManager

from previewbot.asking.access import NoAccess, check_host
from previewbot.asking.command import whom
from previewbot.asking.opening import opened, proxies_for
from previewbot.asking.source import Source
from previewbot.mcp.server import server

_BY_HAND = (
    "previewbot mcp speaks the Model Context Protocol on stdin and stdout: a coding agent starts it, as "
    "docs/agents.md says. To wait for a preview yourself: previewbot wait OWNER/REPO#42"
)


def run(options: argparse.Namespace) -> int:
    """Serve one agent until it closes stdin; return the exit code."""
    if sys.stdin is not None and sys.stdin.isatty():
        print(_BY_HAND, file=sys.stderr)

    def open_source() -> AbstractAsyncContextManager[Source]:
        try:
            access = whom(options, os.environ)
            return opened(access, proxies_for(access, os.environ))
        except NoAccess as error:
            print(f"previewbot mcp: {error}", file=sys.stderr)
            raise

    # Ctrl-C: what reads stdin does so in a thread, for which Python would wait until there is a line to read.
    # Nothing has to be put in order here.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    made = server(open_source, lambda host: check_host(whom(options, os.environ), host))
    asyncio.run(made.run_stdio_async())
    return 0
