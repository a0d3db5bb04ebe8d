"""The controller's process is killed at requests that change something, before and after them.

After a restart the world is as if nothing had happened: one status comment, each command obeyed and answered
once, nothing left in the cluster. A twelfth of the requests is tried with each commit, all of them by
`make long`; in one process all of them are tried with each commit (tests/unit/test_crashes_in_process.py).
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from previewbot_demo.world import Options
from tests.support.crashes import Choose, Record, try_points
from tests.support.fault_points import Fault, one_out_of, seed

WORLDS = [Options(build_seconds=0.3)] * 4


@pytest.mark.timeout(600)
async def test_a_crash_at_a_twelfth_of_the_requests_changes_nothing(record_property: Record) -> None:
    await crashes_change_nothing(partial(one_out_of, 12, seed=seed()), record_property)


@pytest.mark.long
@pytest.mark.timeout(1500)
async def test_a_crash_at_any_request_changes_nothing(record_property: Record) -> None:
    await crashes_change_nothing(list, record_property)


async def crashes_change_nothing(choose: Choose, record_property: Record) -> None:
    lives = await try_points(WORLDS, [Fault.KILLED_BEFORE, Fault.KILLED_AFTER], choose)

    record_property("crash points tried", len(lives.hit))
    record_property("changing requests in a life", lives.shortest)
    assert lives.undisturbed.seen.extended == timedelta(hours=10)
    assert lives.shortest > 40
    assert lives.hit
    assert lives.missed() == set()
    assert lives.different() == {}
