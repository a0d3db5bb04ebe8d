"""On a real API server, side effects of a life fail, once before and once after them, and kill once.

A twelfth of the points is tried with each commit, all of them by `make long`; in one process all of them are
tried with each commit (tests/unit/test_crashes_in_process.py).
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from previewbot_demo.world import Options
from tests.support.control_plane import ControlPlane
from tests.support.crashes import Choose, Record, try_points
from tests.support.fault_points import Fault, one_out_of, seed


@pytest.mark.timeout(900)
async def test_a_fault_at_a_twelfth_of_the_requests_changes_nothing(
    control_plane: ControlPlane, record_property: Record
) -> None:
    a_twelfth = partial(one_out_of, 12, seed=seed())
    await faults_change_nothing(control_plane, range(1, 5), a_twelfth, record_property)


@pytest.mark.long
@pytest.mark.timeout(2400)
async def test_a_fault_at_any_request_changes_nothing(
    control_plane: ControlPlane, record_property: Record
) -> None:
    await faults_change_nothing(control_plane, range(5, 9), list, record_property)


async def faults_change_nothing(
    plane: ControlPlane, numbers: range, choose: Choose, record_property: Record
) -> None:
    # Each world has an App, a repository and a namespace of its own: they share the cluster as strangers do.
    worlds = [
        Options(
            kubeconfig=plane.kubeconfig(),
            namespace=f"faults-{number}",
            app_id=7000 + number,
            repository_id=9000 + number,
            build_seconds=0.3,
        )
        for number in numbers
    ]

    lives = await try_points(worlds, [Fault.REFUSED, Fault.UNANSWERED, Fault.KILLED_AFTER], choose)

    record_property("fault points tried", len(lives.hit))
    record_property("changing requests in a life", lives.shortest)
    assert lives.undisturbed.seen.extended == timedelta(hours=10)
    assert lives.shortest > 40
    assert lives.hit
    assert lives.missed() == set()
    assert lives.different() == {}
