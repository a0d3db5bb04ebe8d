"""`previewbot demo`: its arguments, as the `previewbot` command takes them in.

The entry point `demo` in the group `previewbot.commands` names `add`. It runs whenever `previewbot` starts,
so nothing else of the demo is imported before the demo runs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_HELP = "the whole thing on this machine: a shop, its staging, agents, and previewbot between them"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `demo`."""
    demo = commands.add_parser("demo", help=_HELP, description=f"{_HELP[0].upper()}{_HELP[1:]}.")
    demo.add_argument(
        "--port", type=int, default=8470, help="where the world is reached (%(default)s; 0: any)"
    )
    demo.add_argument("--check", action="store_true", help="take the tour without a person, and end")
    demo.add_argument("--keep", action="store_true", help="keep settings and logs; after --check, run on")
    demo.add_argument(
        "--kubeconfig",
        type=Path,
        metavar="FILE",
        help="use that cluster in place of the one in memory; it must have the CRDs, and is left as it was",
    )
    demo.add_argument(
        "--guard", action="store_true", help="let into previews only whoever has signed in and may read them"
    )
    demo.add_argument(
        "--pictures", action="store_true", help="take pictures of previews, with this machine's Chromium"
    )
    demo.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from previewbot_demo.command import run

    if options.guard and options.check:
        print("The tour signs in nowhere: take --check or --guard, not both", file=sys.stderr)
        return 2
    if options.pictures and options.check:
        print("The tour looks at no pictures: take --check or --pictures, not both", file=sys.stderr)
        return 2
    more = {"guard": options.guard, "pictures": options.pictures}
    return run(options.port, options.check, options.keep, options.kubeconfig, **more)
