"""Where the time of a run goes: per folder of tests, and the slowest tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Protocol

SLOWEST = 20


class Timed(Protocol):
    """A part of a test that took time (its set-up, its call, its end), as pytest reports it."""

    nodeid: str
    duration: float


def lines(reports: Iterable[Timed]) -> Iterator[str]:
    """Return a line per folder of tests and one for each of the slowest tests.

    The seconds are those that tests took, with what they set up and ended; where tests run side by side, it
    is more than the run took.
    """
    of_tests: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        of_tests[report.nodeid] += report.duration
    yield "seconds per folder, all that ran side by side added up:"
    yield from _of_folders(of_tests)
    yield f"the {SLOWEST} slowest tests, in seconds:"
    slowest = sorted(of_tests.items(), key=lambda test: (-test[1], test[0]))
    yield from (f"{seconds:8.1f}  {test}" for test, seconds in slowest[:SLOWEST])


def _of_folders(of_tests: dict[str, float]) -> Iterator[str]:
    seconds: defaultdict[str, float] = defaultdict(float)
    count: defaultdict[str, int] = defaultdict(int)
    for test, took in of_tests.items():
        folder = str(PurePosixPath(test.partition("::")[0]).parent)
        seconds[folder] += took
        count[folder] += 1
    yield from (f"{seconds[folder]:8.1f}  {folder} ({count[folder]} tests)" for folder in sorted(seconds))
