"""Where the time of a run goes: per folder of tests, the slowest files and the slowest tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Protocol

SLOWEST = 20


class Timed(Protocol):
    """A part of a test that took time (its set-up, its call, its end), as pytest reports it."""

    nodeid: str
    duration: float


def lines(reports: Iterable[Timed]) -> Iterator[str]:
    """Return a line per folder of tests, and one for each of the slowest files and tests.

    The seconds are those that tests took, with what they set up and ended; where tests run side by side, it
    is more than the run took.
    """
    of_tests: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        of_tests[report.nodeid] += report.duration
    files, folders = _by(of_tests, _file_of), _by(of_tests, _folder_of)
    yield "seconds per folder, all that ran side by side added up:"
    yield from (_line(folder, folders[folder]) for folder in sorted(folders))
    yield f"the {SLOWEST} slowest files, in seconds:"
    ranked = sorted(files.items(), key=lambda file: (-sum(file[1]), file[0]))
    yield from (_line(file, seconds) for file, seconds in ranked[:SLOWEST])
    yield f"the {SLOWEST} slowest tests, in seconds:"
    slowest = sorted(of_tests.items(), key=lambda test: (-test[1], test[0]))
    yield from (f"{seconds:8.1f}  {test}" for test, seconds in slowest[:SLOWEST])


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def _folder_of(test: str) -> str:
    return str(PurePosixPath(_file_of(test)).parent)


def _by(of_tests: Mapping[str, float], place: Callable[[str], str]) -> dict[str, list[float]]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for test, took in of_tests.items():
        found[place(test)].append(took)
    return found


def _line(place: str, seconds: Sequence[float]) -> str:
    return f"{sum(seconds):8.1f}  {place} ({len(seconds)} tests)"
