"""`python -m previewbot.asking` is `previewbot wait` where only aiohttp and pydantic are installed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from previewbot.asking.command import WORDS, add_arguments, run
from previewbot.asking.streams import ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Wait as the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(prog="previewbot wait", description=f"{WORDS[0].upper()}{WORDS[1:]}.")
    add_arguments(parser)
    return ended(lambda: run(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
