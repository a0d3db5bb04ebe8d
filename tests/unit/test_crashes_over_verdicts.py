"""Crashes and faults in a life with verdicts: one check of each commit, and no yes that nobody gave."""

from __future__ import annotations

import pytest

from tests.support.fault_points import Fault, every_point
from tests.support.lives_in_process import live
from tests.support.lives_with_verdicts import LifeWithVerdicts
from tests.support.passes import BOTH

# A machine that does much else may need minutes for all these lives, and no test depends on speed.
pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("fault", Fault, ids=str)
async def test_a_fault_at_any_request_gives_no_yes_and_loses_no_verdict(fault: Fault) -> None:
    undisturbed = await live(BOTH[:1], kind=LifeWithVerdicts)
    requests = undisturbed.requests
    about = [at for at, request in enumerate(requests, 1) if request.startswith("check ")]
    stored = [at for at, request in enumerate(requests, 1) if request == "put_status"][::6]

    for point in every_point(len(requests), [fault]):
        if point.number in (*about, *stored):
            disturbed = await live(BOTH[:1], point, LifeWithVerdicts)
            assert disturbed.seen.comments == undisturbed.seen.comments, point

    assert undisturbed.seen.comments == ("action_required", "cancelled")
    assert {requests[at - 1] for at in about} == {"check create", "check update"}
