"""When a preview is looked at again, if nothing wakes us before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import (
    ConfigurationProblem,
    Ended,
    Goal,
    Lifecycle,
    Observed,
    Phase,
    Reason,
    Reply,
    Report,
    Service,
    Slot,
    SlotBound,
    Status,
    Waiting,
)
from previewbot.api.slot import COUNTED
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.reconciler.plan.decision import Decision, End, Hold, Leave, Run
from previewbot.reconciler.plan.inbox import COMMENT, comment_request
from previewbot.reconciler.plan.requeue import FAR_BACK, INTENT_HOLDS, image_interval, requeue_after
from tests.support.observations import BOUNDS, a_pull_request
from tests.support.previews import NOW

DEADLINE = timedelta(minutes=60)
RUN = Run()
STAY = End(Reason.BY_COMMAND)
WRONG = ConfigurationProblem(line=7, message="`imge` is unknown")
FACTS = PullRequestFacts(a_pull_request(), None, bounds=BOUNDS)
LAGGING = PullRequestFacts(a_pull_request(), None, bounds=BOUNDS, lagging=True)
MISTAKEN = PullRequestFacts(a_pull_request(), None, bounds=BOUNDS, problems=(WRONG,))


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def ahead(**time: float) -> datetime:
    return NOW + timedelta(**time)


def a_service(phase: Phase = Phase.READY, reason: Reason | None = None, **changes: Any) -> Service:
    return Service(
        name="checkout",
        namespace="staging",
        target="deployment/checkout",
        phase=phase,
        reason=reason,
        **changes,
    )


def awaiting(reason: Reason = Reason.NO_IMAGE) -> Service:
    return a_service(Phase.AWAITING_IMAGE, reason, waiting=Waiting(reason=reason))


def seen(first_seen: datetime | None, *services: Service, **status: Any) -> Status:
    return Status(observed=Observed(head_first_seen_at=first_seen), services=services, **status)


def again(status: Status, decision: Decision = STAY, facts: PullRequestFacts | None = FACTS) -> float | None:
    return requeue_after(status, decision, facts, deadline=DEADLINE, now=NOW)


# An image


@pytest.mark.parametrize(
    ("waited", "seconds"),
    [
        (timedelta(), 10),
        (timedelta(minutes=9, seconds=59), 10),
        (timedelta(minutes=10), 60),
        (timedelta(minutes=58), 60),
        (DEADLINE, 300),
        (timedelta(days=3), 300),
    ],
)
def test_an_image_is_looked_for_often_at_first_then_less_and_seldom_past_its_deadline(
    waited: timedelta, seconds: float
) -> None:
    assert image_interval(NOW - waited, NOW, DEADLINE) == seconds


def test_a_head_that_was_not_seen_yet_has_its_whole_deadline() -> None:
    assert image_interval(None, NOW, DEADLINE) == 10


def test_a_short_deadline_is_past_before_looks_become_less() -> None:
    assert image_interval(ago(minutes=2), NOW, timedelta(minutes=1)) == 300


@pytest.mark.parametrize("waited", [timedelta(minutes=59, seconds=55), timedelta(minutes=59, seconds=1)])
def test_one_look_for_an_image_falls_on_its_deadline(waited: timedelta) -> None:
    assert image_interval(NOW - waited, NOW, DEADLINE) == (DEADLINE - waited).total_seconds()


@given(st.timedeltas(timedelta(), timedelta(days=30)), st.timedeltas(timedelta(seconds=1), timedelta(days=2)))
def test_the_next_look_for_an_image_is_never_at_once_and_never_more_than_five_minutes_away(
    waited: timedelta, deadline: timedelta
) -> None:
    assert 0 < image_interval(NOW - waited, NOW, deadline) <= 300


# What is waited for


@pytest.mark.parametrize(
    ("service", "seconds"),
    [
        (awaiting(), 10),
        (awaiting(Reason.REGISTRY_UNREACHABLE), 10),
        (a_service(Phase.READY, serving_sha="a", waiting=Waiting(reason=Reason.BUILD_RUNNING)), 10),
        (a_service(Phase.QUEUED, Reason.LIMIT_REACHED), 30),
        (a_service(Phase.DEPLOYING, Reason.CREATING), 15),
        (a_service(Phase.DEPLOYING, Reason.REPLACING), 5),
        (a_service(Phase.DEPLOYING, Reason.OPERATOR_SILENT), 5),
        (a_service(Phase.FAILED, Reason.TARGET_MISSING), 60),
        (a_service(Phase.FAILED, Reason.SESSION_FAILED), None),
        (a_service(Phase.READY), None),
        (a_service(Phase.IDLE), None),
    ],
)
def test_each_service_is_looked_at_as_often_as_what_it_waits_for_moves(
    service: Service, seconds: float | None
) -> None:
    assert again(seen(NOW, service), RUN) == seconds


def test_an_image_that_is_waited_for_long_is_looked_for_less() -> None:
    assert again(seen(ago(minutes=30), awaiting()), RUN) == 60
    assert again(seen(ago(minutes=90), awaiting()), RUN) == 300


def test_of_several_services_the_soonest_counts() -> None:
    services = (
        a_service(),
        a_service(Phase.QUEUED, Reason.LIMIT_REACHED),
        a_service(Phase.DEPLOYING, Reason.REPLACING),
        awaiting(),
    )

    assert again(seen(NOW, *services), RUN) == 5


FAR_BACK_SLOTS = [
    Slot(waiting_since=NOW, queue_position=COUNTED + 1),
    Slot(waiting_since=NOW, bound=SlotBound.AUTHOR, limit=2),
]


@pytest.mark.parametrize("slot", FAR_BACK_SLOTS, ids=["behind many", "its own limit"])
def test_one_that_cannot_be_next_looks_itself_only_every_few_minutes(slot: Slot) -> None:
    queued = replace(seen(NOW, a_service(Phase.QUEUED, Reason.LIMIT_REACHED)), slot=slot)
    seconds = again(queued, RUN)

    assert seconds is not None
    assert FAR_BACK / 2 <= seconds <= FAR_BACK


def test_those_that_wait_far_back_do_not_look_all_at_once() -> None:
    def waits(since: int) -> Status:
        slot = Slot(waiting_since=ago(minutes=since), queue_position=COUNTED + 1)
        return replace(seen(NOW, a_service(Phase.QUEUED, Reason.LIMIT_REACHED)), slot=slot)

    assert len({again(waits(since), RUN) for since in range(100)}) > 90


def test_services_of_what_should_not_run_are_not_waited_for() -> None:
    assert again(seen(NOW, awaiting(), a_service(Phase.QUEUED, Reason.LIMIT_REACHED)), STAY) is None


def test_nothing_to_wait_for_is_looked_at_only_when_an_event_comes() -> None:
    assert again(Status()) is None
    assert again(Status(), RUN) is None
    assert again(Status(), RUN, None) is None


# GitHub


def test_github_that_lags_behind_its_webhook_is_asked_again_soon() -> None:
    assert again(Status(), facts=LAGGING) == 2


def test_a_wrong_configuration_is_read_again_every_minute_for_its_repair_pokes_nobody() -> None:
    assert again(Status(), Hold(Reason.CONFIGURATION_INVALID), MISTAKEN) == 60


# An end


def test_a_preview_is_looked_at_when_its_time_is_up() -> None:
    assert again(Status(lifecycle=Lifecycle(expires_at=ahead(hours=8)))) == 8 * 3600


def test_expiry_is_looked_at_also_while_github_is_down() -> None:
    assert again(Status(lifecycle=Lifecycle(expires_at=ahead(minutes=1))), Hold(), None) == 60


def test_what_ended_does_not_expire_again() -> None:
    ended = Ended(reason=Reason.BY_COMMAND, at=NOW, by="alice")

    assert again(Status(lifecycle=Lifecycle(expires_at=ahead(hours=8), ended=ended))) is None


def test_what_is_stopping_is_looked_at_until_it_is_gone() -> None:
    assert again(Status(phase=Phase.STOPPING)) == 5
    assert again(Status(phase=Phase.STOPPED)) is None


def test_a_closed_pull_request_is_looked_at_until_its_services_are_gone() -> None:
    closed = Leave(Reason.MERGED)

    assert again(seen(NOW, a_service(Phase.STOPPING)), closed) == 5
    assert again(Status(), closed) is None


# A comment or an answer that may or may not have been made before a crash


def test_a_comment_that_may_have_been_made_is_looked_for_when_its_intent_no_longer_holds() -> None:
    status = Status(reports={COMMENT: Report(intent_at=ago(seconds=10))})

    assert again(status) == INTENT_HOLDS.total_seconds() - 10


def test_a_comment_that_was_made_is_not_looked_for() -> None:
    assert again(Status(reports={COMMENT: Report(intent_at=ago(seconds=10), id=99)})) is None


def test_an_answer_that_may_have_been_given_is_looked_for_when_its_intent_no_longer_holds() -> None:
    owed = Reply(comment_request(7), author="alice", command="help", words="help", intent_at=ago(seconds=25))
    status = Status(reports={COMMENT: Report(intent_at=ago(seconds=1), id=99)}, replies=(owed,))

    assert again(status) == 5


def test_an_answer_of_the_same_pass_as_the_comment_is_looked_for_all_the_same() -> None:
    moment = ago(seconds=10)
    owed = Reply(comment_request(7), author="alice", command="help", words="help", intent_at=moment)

    assert again(Status(reports={COMMENT: Report(intent_at=moment, id=99)}, replies=(owed,))) == 20


def test_an_answer_that_nobody_has_begun_to_give_sets_no_time() -> None:
    owed = Reply(comment_request(7), author="alice", command="start", goal=Goal.RUNNING)

    assert again(Status(replies=(owed,))) is None


# All together


@pytest.mark.parametrize(
    "status",
    [
        Status(lifecycle=Lifecycle(expires_at=ago(hours=1))),
        Status(lifecycle=Lifecycle(expires_at=NOW)),
    ],
)
def test_what_is_overdue_is_looked_at_soon_but_never_in_a_busy_loop(status: Status) -> None:
    seconds = again(status)

    assert seconds is not None
    assert 0 < seconds <= 1


def test_an_intent_that_ran_out_and_could_not_be_carried_out_is_tried_again_as_late_as_a_new_one() -> None:
    owed = Reply(comment_request(7), author="alice", command="help", words="help", intent_at=ago(hours=1))

    assert again(Status(reports={COMMENT: Report(intent_at=ago(hours=1))})) == 30
    assert again(Status(replies=(owed,))) == 30


def test_what_is_tried_again_at_a_time_of_its_own_is_not_looked_for_every_half_minute() -> None:
    held = Report(intent_at=ago(minutes=5), tries=5, held_until=ahead(minutes=4))

    assert again(Status(reports={"check/abc": held})) == 240
    # Its time has come: then the intent says how long it may be there without being shown.
    begun = replace(held, intent_at=ago(seconds=10), held_until=ago(seconds=1))
    assert again(Status(reports={"check/abc": begun})) == 20


def test_of_all_reasons_to_look_the_soonest_counts() -> None:
    status = seen(NOW, awaiting(), lifecycle=Lifecycle(expires_at=ahead(hours=1)), phase=Phase.STOPPING)

    assert again(status, RUN, LAGGING) == 2
    assert again(status, RUN, FACTS) == 5
    assert again(replace(status, phase=Phase.AWAITING_IMAGE), RUN, FACTS) == 10
    assert again(replace(status, services=(), phase=None), RUN, FACTS) == 3600
