"""Every crash: the controller is killed at each request that changes something, before it and after it.

After a restart the world is as if nothing had happened: one status comment, each command obeyed and answered
once, nothing left in the cluster.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from previewbot_demo.world import Options
from tests.support.crashes import Fault, Record, try_every_point

WORLDS = [Options(build_seconds=0.3)] * 4


@pytest.mark.timeout(1500)
async def test_a_crash_at_any_request_changes_nothing(record_property: Record) -> None:
    lives = await try_every_point(WORLDS, [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])

    record_property("crash points tried", len(lives.hit))
    record_property("changing requests in a life", lives.shortest)
    assert lives.undisturbed.seen.extended == timedelta(hours=10)
    assert lives.shortest > 40
    assert lives.missed() == set()
    assert lives.different() == {}
