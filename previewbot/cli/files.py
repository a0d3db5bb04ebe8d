"""Reads what somebody named on the command line, which may be any file: a device, or gigabytes."""

from __future__ import annotations

import sys
from io import BytesIO, StringIO
from pathlib import Path
from typing import BinaryIO

from previewbot.config.reader import MAX_BYTES


def read_head(path: Path) -> bytes:
    """Return a file, or of one that is too large one byte more than is taken, so that this is told."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def stdin_bytes() -> BinaryIO:
    """Return standard input as bytes; it is empty where the process was started without one."""
    stdin: BinaryIO = getattr(sys.stdin or StringIO(), "buffer", BytesIO())
    return stdin
