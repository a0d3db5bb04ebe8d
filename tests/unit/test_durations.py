"""Where the time of a run goes."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.durations import SLOWEST, lines


@dataclass
class Part:
    """A part of a test, as pytest reports it."""

    nodeid: str
    duration: float


def test_the_seconds_of_a_folder_are_those_of_its_tests_with_their_set_up_and_end() -> None:
    parts = [
        Part("tests/unit/test_a.py::test_x", 1.0),
        Part("tests/unit/test_a.py::test_x", 0.5),
        Part("tests/unit/test_b.py::test_y[a/b]", 2.0),
        Part("tests/e2e/test_c.py::test_z", 4.0),
    ]

    assert list(lines(parts))[1:3] == ["     4.0  tests/e2e (1 tests)", "     3.5  tests/unit (2 tests)"]


def test_the_slowest_tests_come_with_the_slowest_first_and_no_more_than_are_wanted() -> None:
    parts = [Part(f"tests/unit/test_a.py::test_{number}", float(number)) for number in range(30)]

    told = list(lines(parts))[-SLOWEST:]

    assert told[0] == "    29.0  tests/unit/test_a.py::test_29"
    assert told[-1] == "    10.0  tests/unit/test_a.py::test_10"


def test_the_slowest_files_come_with_what_all_of_their_tests_took() -> None:
    parts = [Part(f"tests/e2e/test_{name}.py::test_{n}", 1.5) for name, n in ("a1", "b1", "b2")]

    told = list(lines(parts))

    assert told[3:5] == ["     3.0  tests/e2e/test_b.py (2 tests)", "     1.5  tests/e2e/test_a.py (1 tests)"]
