"""On a real API server, every side effect of a life fails, once before and once after it, and kills once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from previewbot_demo.world import Options
from tests.support.control_plane import ControlPlane
from tests.support.crashes import Fault, Record, try_every_point

WORLDS = range(1, 5)


@pytest.mark.timeout(2400)
async def test_a_fault_at_any_request_changes_nothing(
    control_plane: ControlPlane, record_property: Record
) -> None:
    # Each world has an App, a repository and a namespace of its own: they share the cluster as strangers do.
    worlds = [
        Options(
            kubeconfig=control_plane.kubeconfig(),
            namespace=f"faults-{number}",
            app_id=7000 + number,
            repository_id=9000 + number,
            build_seconds=0.3,
        )
        for number in WORLDS
    ]

    lives = await try_every_point(worlds, [Fault.REFUSED, Fault.UNANSWERED, Fault.KILLED_AFTER])

    record_property("fault points tried", len(lives.hit))
    record_property("changing requests in a life", lives.shortest)
    assert lives.undisturbed.seen.extended == timedelta(hours=10)
    assert lives.shortest > 40
    assert lives.missed() == set()
    assert lives.different() == {}
