"""What is printed, where nobody may read it: a closed stream, a full disk, a reader who has gone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress


class Unwritten(Exception):
    """What a command is there to print cannot be printed; the words say why."""


def ended(work: Callable[[], int]) -> int:
    """Do a command's work; return its exit code, or that of a command which was ended from outside."""
    try:
        code = work()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever reads has seen enough (`| head`). What is still to be written would fail once more when
        # Python ends: https://docs.python.org/3/library/signal.html#note-on-sigpipe
        _to_nowhere(1, 2)
        return 141
    _flush_notes()
    return code


def printed(text: str) -> None:
    """Print a line to stdout at once; raises Unwritten, and BrokenPipeError where nobody reads any more."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        _to_nowhere(1)
        raise Unwritten(error.strerror or str(error)) from error


def noted(text: str) -> None:
    """Print a line to stderr, as far as that can be written."""
    # None where it was closed before the program began: `print` would take stdout then.
    if sys.stderr is not None:
        with suppress(OSError):
            print(text, file=sys.stderr)
        _flush_notes()


def _flush_notes() -> None:
    """Write the rest of what is told on the way, which may be cut off alone (`2>&1 | head`).

    Python would end with 120 where it cannot, and not with the exit code of the work.
    """
    if sys.stderr is not None:
        try:
            sys.stderr.flush()
        except OSError:
            _to_nowhere(2)


def _to_nowhere(*numbers: int) -> None:
    """Have nothing more written to these files: Python would try once more when it ends, and fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in numbers:
        os.dup2(nowhere, number)
