"""Reads what somebody named on the command line, which may be any file: a device, or gigabytes."""

from __future__ import annotations

from pathlib import Path

from previewbot.config.reader import MAX_BYTES


def read_head(path: Path) -> bytes:
    """Return a file, or of one that is too large one byte more than is taken, so that this is told."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)
