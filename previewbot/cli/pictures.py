"""`previewbot pictures`: its arguments, and what is said where the extra or a browser is missing."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

from previewbot.cli.parsers import add_command, address
from previewbot.cli.plugins import Commands
from previewbot.cli.secret_files import read_secret
from previewbot.config.server import SecretSource, shared_secrets

_MEBIBYTE = 1024 * 1024

_EPILOG = """
It looks at previews in a browser, before and after, for the controller, and keeps the pictures for pages
(docs/pictures-of-previews.md). It runs what pull requests made of a page: give it a container of its own,
with the way to the Gateway and no other. It needs the extra `pictures` (in a clone of previewbot,
pip install '.[pictures]') and a Chromium: Dockerfile.pictures has both.

exit codes: 0 it was told to stop; 1 it cannot listen, or write; 2 the extra or Chromium is missing, or wrong
arguments
"""
_NOT_INSTALLED = (
    "previewbot pictures needs Playwright, which is not installed here: run pip install '.[pictures]' in a "
    "clone of previewbot, or use the image of Dockerfile.pictures"
)
_NO_CHROMIUM = (
    "previewbot pictures finds no Chromium: install it (apt-get install chromium), or name one by its "
    "--chromium"
)
_NOT_HERE = "previewbot pictures --localhost needs a --bind at 127.0.0.1: it is for a trial on one machine"


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = add_command(commands, "pictures", "look at previews in a browser, before and after")
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = _EPILOG
    command.add_argument(
        "--bind", type=address, default="0.0.0.0:8080", metavar="HOST:PORT", help="(%(default)s)"
    )
    command.add_argument(
        "--token-file",
        type=Path,
        required=True,
        metavar="FILE",
        help="the secret that controller and pages send, as `pictures.token_file` of their settings; at "
        "least 32 characters, read again for each request",
    )
    command.add_argument(
        "--folder", type=Path, required=True, metavar="DIRECTORY", help="where pictures are kept"
    )
    command.add_argument(
        "--most", type=_size, default=256, metavar="MIB", help="MiB of pictures at most (%(default)s)"
    )
    command.add_argument(
        "--browser-memory",
        type=_size,
        default=700,
        metavar="MIB",
        help="MiB that a browser may take, before it is ended (%(default)s); an empty page takes some 250; "
        "the limit of a container is to be some 300 more",
    )
    command.add_argument("--chromium", metavar="PATH", help="the browser (default: chromium, as it is found)")
    command.add_argument(
        "--localhost",
        action="store_true",
        help="look at hosts below .localhost on this machine, which else are no host; for a trial, and only "
        "where --bind is 127.0.0.1, so never in a pod",
    )
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if options.localhost and options.bind.rpartition(":")[0] != "127.0.0.1":
        # A repository's file says where staging is: it must not lead a pod's browser into the pod itself.
        print(_NOT_HERE, file=sys.stderr)
        return 2
    if find_spec("playwright") is None:
        print(_NOT_INSTALLED, file=sys.stderr)
        return 2
    from previewbot.pictures.camera import Camera, chromium_here
    from previewbot.pictures.running import OnThisMachine, run
    from previewbot.runtime import logs

    source = SecretSource(name="--token-file", file=options.token_file)

    def tokens() -> tuple[bytes, ...]:
        return shared_secrets(options.token_file, read_secret(source))

    tokens()
    chromium = options.chromium or chromium_here()
    if chromium is None:
        print(_NO_CHROMIUM, file=sys.stderr)
        return 2
    logs.configure()
    try:
        camera = Camera(chromium, hosts=OnThisMachine() if options.localhost else None)
        return run(
            options.bind,
            options.folder,
            options.most * _MEBIBYTE,
            camera,
            options.browser_memory * _MEBIBYTE,
            tokens,
        )
    except OSError as error:
        print(f"previewbot pictures cannot start: {error.strerror or error}", file=sys.stderr)
        return 1


def _size(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of MiB, for example 256")
    return int(text)
