"""Crashes and faults in lives with verdicts: one check of each commit, no yes that nobody gave, no quotation
twice."""

from __future__ import annotations

import pytest

from tests.support.fault_points import Fault, every_point
from tests.support.lives_in_process import Seen, live
from tests.support.lives_with_verdicts import LifeWithQuotations, LifeWithVerdicts
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


@pytest.mark.parametrize("fault", Fault, ids=str)
async def test_a_fault_at_any_request_about_a_quotation_loses_none_and_writes_none_twice(
    fault: Fault,
) -> None:
    undisturbed = await live(BOTH[:1], kind=LifeWithQuotations)
    requests = undisturbed.requests
    written = [at for at, request in enumerate(requests, 1) if request == "create_comment"]
    near = {at + step for at in written for step in (-1, 0, 1)}

    for point in every_point(len(requests), [fault]):
        if point.number in near:
            disturbed = await live(BOTH[:1], point, LifeWithQuotations)
            assert _quotations(disturbed.seen) == _quotations(undisturbed.seen), point

    assert len(_quotations(undisturbed.seen)) == 4
    assert {requests[at - 2] for at in written[1:]} == {"put_status", "create_comment"}


def _quotations(seen: Seen) -> list[str]:
    return sorted(body for body in seen.comments if "previewbot quote" in body)
