"""`previewbot mcp`: its arguments, and what is said where the extra is not installed."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec

from previewbot.asking.command import add_whom
from previewbot.cli.parsers import add_command
from previewbot.cli.plugins import Commands

_EPILOG = """
A coding agent starts it and speaks with it on stdin and stdout. It lists previews, tells how one stands,
waits for that of a commit, and tells why one does not run; it changes nothing. With a GitHub token
(GITHUB_TOKEN or GH_TOKEN; it may read deployments, checks and pull requests) it asks GitHub (GITHUB_API_URL)
and nobody else. Without one, or with --url, it asks previewbot (PREVIEWBOT_URL) with its bearer
(PREVIEWBOT_BEARER, or --bearer-file). It needs the extra `mcp`: in a clone of previewbot,
pip install '.[mcp]'. docs/agents.md says how each agent is set up.

exit codes: 0 the agent ended it; 2 the extra is not installed, or wrong arguments
"""

_NOT_INSTALLED = (
    "previewbot mcp needs the official SDK of the Model Context Protocol, which is not installed here: "
    "run pip install '.[mcp]' in a clone of previewbot"
)


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = add_command(commands, "mcp", "let a coding agent ask how previews stand, over MCP on stdin")
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = _EPILOG
    add_whom(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if find_spec("mcp") is None:
        print(_NOT_INSTALLED, file=sys.stderr)
        return 2
    from previewbot.mcp.running import run

    return run(options)
