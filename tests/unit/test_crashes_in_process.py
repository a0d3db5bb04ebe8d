"""Every crash and every fault of a whole life, at every request that changes something, in one process.

The world is as if nothing had happened: one status comment, each command obeyed and answered once, nothing
left in the cluster. Through real processes some of the points are tried with each commit (tests/e2e), and
all of them by `make long`.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.branching import QUEUE, SECRET, USERS, Parts, migrating
from tests.support.branching import parts as parts
from tests.support.fault_points import Fault, every_point
from tests.support.lives_in_process import (
    BusyLife,
    LifeWithChecks,
    LifeWithDatabases,
    LifeWithPresses,
    ToldLife,
    live,
    live_with_each,
)
from tests.support.passes import BOTH

# A machine that does much else may need minutes for all these lives, and no test depends on speed.
pytestmark = pytest.mark.timeout(900)

# A life of one service makes no request that one of two does not make.
KINDS = {
    "two services": pytest.param(BOTH, 1),
    "some of one service": pytest.param(BOTH[:1], 4),
    "one service": pytest.param(BOTH[:1], 1, marks=pytest.mark.long),
}


@pytest.mark.parametrize("fault", Fault, ids=str)
@pytest.mark.parametrize(("paths", "each"), KINDS.values(), ids=KINDS.keys())
async def test_a_fault_at_any_request_changes_nothing(
    paths: tuple[str, ...], each: int, fault: Fault
) -> None:
    undisturbed = await live(paths)

    lives = await live_with_each(fault, paths, undisturbed, each=each)

    assert undisturbed.seen.extended == timedelta(hours=10)
    assert len(undisturbed.requests) > 30
    assert [str(point) for point, life in lives.items() if not life.hit] == []
    different = {str(point): life for point, life in lives.items() if life.seen != undisturbed.seen}
    assert different == {}


_EACH = {"some": pytest.param(11), "all": pytest.param(1, marks=pytest.mark.long)}
"""Every eleventh point of a life with so much in it takes a minute; all of them are for `make long`."""


@pytest.mark.parametrize("each", _EACH.values(), ids=_EACH.keys())
@pytest.mark.parametrize("fault", Fault, ids=str)
async def test_a_fault_changes_nothing_of_what_is_corrected_reviewed_chosen_or_suspended(
    fault: Fault, each: int
) -> None:
    undisturbed = await live(BOTH, kind=BusyLife)

    lives = await live_with_each(fault, BOTH, undisturbed, BusyLife, each)

    # Three by people, of which two are in reviews, and one by the agent.
    assert undisturbed.seen.extended == timedelta(hours=12)
    assert "react_on_lines" in undisturbed.requests
    different = {str(point): life for point, life in lives.items() if life.seen != undisturbed.seen}
    assert different == {}


@pytest.mark.parametrize("fault", Fault, ids=str)
async def test_a_fault_at_any_request_about_a_check_leaves_none_in_progress_and_holds_up_nothing(
    fault: Fault,
) -> None:
    undisturbed = await live(BOTH[:1], kind=LifeWithChecks)
    requests = undisturbed.requests
    about = [at for at, request in enumerate(requests, 1) if request.startswith("check ")]

    # Every second one with each fault: two faults that are alike have others.
    tried = about[[*Fault].index(fault) % 2 :: 2]
    for point in every_point(len(requests), [fault]):
        if point.number in tried:
            disturbed = await live(BOTH[:1], point, LifeWithChecks)
            # The comment tells how long it ran, which a fault may prolong.
            assert len(disturbed.seen.comments) == len(undisturbed.seen.comments), point
            assert disturbed.seen.reactions == undisturbed.seen.reactions, point
            assert disturbed.hit.startswith("check "), point

    assert {requests[at - 1] for at in about} == {"check create", "check update"}


@pytest.mark.parametrize("fault", Fault, ids=str)
async def test_a_fault_at_any_request_has_no_button_count_twice_or_never(fault: Fault) -> None:
    undisturbed = await live(BOTH[:1], kind=LifeWithPresses)

    # Some for each fault: all are about the same few writes.
    lives = await live_with_each(fault, BOTH[:1], undisturbed, LifeWithPresses, 6)

    assert undisturbed.seen.extended == timedelta(hours=12)
    assert {"patch_child", "delete_child"} <= set(undisturbed.requests)
    extended = {str(point): life.seen.extended for point, life in lives.items()}
    assert set(extended.values()) == {timedelta(hours=12)}, extended
    assert {len(life.seen.comments) for life in lives.values()} == {1}


_EACH_FIFTH = {"some": pytest.param(5), "all": pytest.param(1, marks=pytest.mark.long)}


@pytest.mark.parametrize("each", _EACH_FIFTH.values(), ids=_EACH_FIFTH.keys())
@pytest.mark.parametrize("fault", Fault, ids=str)
async def test_a_fault_at_any_request_has_nobody_told_twice_or_never(fault: Fault, each: int) -> None:
    undisturbed = await live(BOTH[:1], kind=ToldLife)

    lives = await live_with_each(fault, BOTH[:1], undisturbed, ToldLife, each)

    assert [text.partition("occasion=")[2][:6] for text in undisturbed.seen.comments[-2:]] == [
        "failed",
        "ready ",
    ]
    different = {str(point): life for point, life in lives.items() if life.seen != undisturbed.seen}
    assert different == {}


_EACH_SEVENTH = {"some": pytest.param(7), "all": pytest.param(1, marks=pytest.mark.long)}


@pytest.mark.parametrize("each", _EACH_SEVENTH.values(), ids=_EACH_SEVENTH.keys())
@pytest.mark.parametrize("fault", Fault, ids=str)
async def test_a_fault_at_any_request_loses_no_data_and_leaves_none(
    fault: Fault, each: int, parts: Parts
) -> None:
    parts.have("checkout", migrating("orders"), USERS, queues=(QUEUE,), secret_mounts=(SECRET,))
    undisturbed = await live(BOTH[:1], kind=LifeWithDatabases)

    lives = await live_with_each(fault, BOTH[:1], undisturbed, LifeWithDatabases, each)

    assert {"patch_child", "give_secret_mounts"} <= set(undisturbed.requests)
    different = {str(point): life for point, life in lives.items() if life.seen != undisturbed.seen}
    assert different == {}


async def test_a_life_makes_every_kind_of_request_that_changes_something() -> None:
    undisturbed = await live(BOTH)

    assert set(undisturbed.requests) == {
        "put_status", "delete_preview", "create_child", "delete_child", "apply_child", "create_event",
        "create_comment", "update_comment", "react",
    }  # fmt: skip
