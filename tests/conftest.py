"""What every kind of test may use, and what each `make` target runs.

A test belongs to exactly one target: to `make long` if it is marked `long`; else to `make test-cluster` if it
is marked `cluster`, since it needs a program that Go builds; else to `make test`. What needs a whole node
lies in `tests/node`, what needs a Chromium in `tests/browser`: `make node-test` alone runs both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.support.control_plane import ControlPlane
from tests.support.durations import lines
from tests.support.fault_points import SEED_VARIABLE, seed

# No test depends on speed: not on how fast one example runs, nor on how fast examples are made.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


_LONGEST = (
    "tests/cluster/test_faults.py",
    "tests/e2e/test_crashes.py",
    "tests/e2e/test_sabotage.py",
    "tests/e2e/test_doctor.py",
    "tests/unit/test_crashes_in_process.py",
    "tests/unit/test_cli.py",
)
_OF_GO = ("tests/cluster/", "tests/chart/")
_WITH_SOME_OF_GO = (*_OF_GO, "tests/contract/", "tests/security/")
"""The folders that `make test-cluster` looks into."""
_APART = ("tests/e2e/test_sabotage.py", "tests/unit/test_crashes_in_process.py")
"""Files whose tests share nothing and take long, so that several workers may have some of them."""


class Parts(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Deals the tests out by file, since tests of one file share what takes long to make."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(_APART) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Parts:
    """Return how xdist deals out tests."""
    return Parts(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what .ci/run asks for."""
    parser.addoption("--times", action="store_true", help="tell where the time went, by folder and by test")


def pytest_report_header() -> str:
    """Return what it takes to try the same ones of the points of failure again."""
    return f"points of failure: {SEED_VARIABLE}={seed()}"


@pytest.hookimpl(tryfirst=True)  # Before pytest leaves out what `-m` does not name.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs programs that Go builds, and begin with what takes minutes."""
    for item in items:
        if item.nodeid.startswith(_OF_GO):
            item.add_marker("cluster")
        elif item.get_closest_marker("cluster") and not item.nodeid.startswith(_WITH_SOME_OF_GO):
            raise pytest.UsageError(
                f"{item.nodeid} is marked cluster where `make test-cluster` does not look"
            )
    # Whoever waits for the longest at the end of a run waits long.
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what tests recorded as their figures, wherever they ran, and the times if they are wanted."""
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid}: {name}: {value}")
    if config.getoption("times"):
        reports = [report for of_kind in terminalreporter.stats.values() for report in of_kind]
        for line in lines(report for report in reports if isinstance(report, pytest.TestReport)):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A real control plane for the whole run; whoever stops or breaks one starts their own."""
    plane = ControlPlane(tmp_path_factory.mktemp("control-plane"))
    plane.start()
    yield plane
    plane.stop()
