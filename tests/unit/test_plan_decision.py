"""What should be: triggers, forks, ends, expiry and the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from previewbot.api import (
    AgentSeen,
    ConfigurationProblem,
    Ended,
    Lifecycle,
    Observed,
    Phase,
    Reason,
    Service,
    Status,
)
from previewbot.api.github import Branch, PullRequest
from previewbot.config.repository import Triggers
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.reconciler.plan.conditions import phase_of
from previewbot.reconciler.plan.decision import Decision, End, Hold, Leave, Run, decide
from previewbot.reconciler.plan.lifecycle import end_if_expired, record_facts, restart_clock, start_clock
from previewbot.rules.policy import needs_approval, trigger
from tests.support.observations import BOUNDS, COPILOT, FACTS, FORK, a_pull_request, planned
from tests.support.previews import HEAD, NOW, OLDER, a_preview

TRIGGERED = Observed(trigger="x")


@pytest.mark.parametrize(
    ("pull_request", "triggers", "agent", "started_by", "expected"),
    [
        (a_pull_request(), Triggers(), COPILOT, "", "Copilot, recognised by its account"),
        (a_pull_request(), Triggers(agents=False), COPILOT, "", None),
        (a_pull_request(draft=True), Triggers(), COPILOT, "", "Copilot, recognised by its account"),
        (a_pull_request(draft=True), Triggers(drafts=False), COPILOT, "", None),
        (a_pull_request(draft=True), Triggers(drafts=False), None, "alice", "@alice's command"),
        (a_pull_request(labels=("preview",)), Triggers(), None, "", "the label preview"),
        (a_pull_request(labels=("other",)), Triggers(), None, "", None),
        (a_pull_request(labels=("Preview",)), Triggers(), None, "", "the label Preview"),
        (a_pull_request(labels=("bug", "PREVIEW")), Triggers(), None, "", "the label PREVIEW"),
        (a_pull_request(labels=("straße",)), Triggers(labels=("Straße ",)), None, "", "the label straße"),
        (a_pull_request(labels=("previews",)), Triggers(), None, "", None),
        (a_pull_request(), Triggers(), None, "", None),
    ],
)
def test_what_triggers_a_preview(
    pull_request: PullRequest,
    triggers: Triggers,
    agent: AgentSeen | None,
    started_by: str,
    expected: str | None,
) -> None:
    assert expected == trigger(pull_request, triggers, agent, started_by)


def test_a_fork_needs_approval_of_exactly_its_head_whoever_opened_it() -> None:
    assert needs_approval(FORK, "")
    assert needs_approval(FORK, OLDER)
    assert not needs_approval(FORK, HEAD)
    assert not needs_approval(a_pull_request(), "")


def ended(reason: Reason, head_sha: str = "") -> Lifecycle:
    return Lifecycle(ended=Ended(reason=reason, at=NOW, head_sha=head_sha))


@pytest.mark.parametrize(
    ("lifecycle", "facts", "expected"),
    [
        (Lifecycle(), FACTS, Run()),
        (Lifecycle(), replace(FACTS, files={}), End(Reason.NO_SERVICE_CHANGED)),
        (Lifecycle(), replace(FACTS, config=None), End(Reason.NO_CONFIGURATION)),
        (
            Lifecycle(),
            replace(FACTS, config=None, problems=(ConfigurationProblem(line=1, message="x"),)),
            Hold(Reason.CONFIGURATION_INVALID),
        ),
        (
            Lifecycle(),
            replace(
                FACTS, config=None, problems=(ConfigurationProblem(line=1, message="x"),), not_allowed=True
            ),
            Hold(Reason.CONFIGURATION_NOT_ALLOWED),
        ),
        (
            Lifecycle(approved_sha=OLDER),
            PullRequestFacts(
                FORK, None, bounds=BOUNDS, problems=(ConfigurationProblem(line=1, message="x"),)
            ),
            End(Reason.CONFIGURATION_INVALID),
        ),
        (Lifecycle(), replace(FACTS, pull_request=FORK), End(Reason.FORK)),
        (Lifecycle(approved_sha=HEAD), replace(FACTS, pull_request=FORK), Run()),
        (ended(Reason.BY_COMMAND), FACTS, End(Reason.BY_COMMAND)),
        (ended(Reason.TIME_UP), FACTS, End(Reason.TIME_UP)),
        (ended(Reason.TIME_UP), None, End(Reason.TIME_UP)),
        (
            Lifecycle(),
            replace(FACTS, pull_request=a_pull_request(state="closed", merged=True)),
            Leave(Reason.MERGED),
        ),
        (
            Lifecycle(),
            replace(FACTS, pull_request=a_pull_request(state="closed", merged=False)),
            Leave(Reason.CLOSED),
        ),
    ],
)
def test_what_should_be(lifecycle: Lifecycle, facts: PullRequestFacts | None, expected: Decision) -> None:
    assert decide(Status(observed=TRIGGERED, lifecycle=lifecycle), facts, ()) == expected


@pytest.mark.parametrize(
    ("reason", "phase"),
    [
        (Reason.NO_SERVICE_CHANGED, Phase.NOTHING_TO_PREVIEW),
        (Reason.NO_CONFIGURATION, Phase.NOTHING_TO_PREVIEW),
        (Reason.NOT_TRIGGERED, Phase.NOTHING_TO_PREVIEW),
        (Reason.CONFIGURATION_INVALID, Phase.FAILED),
        (Reason.CONFIGURATION_NOT_ALLOWED, Phase.FAILED),
        (Reason.FORK, Phase.AWAITING_APPROVAL),
        (Reason.BY_COMMAND, Phase.STOPPED),
        (Reason.TIME_UP, Phase.EXPIRED),
        (Reason.MERGED, Phase.STOPPED),
        (Reason.CLOSED, Phase.STOPPED),
    ],
)
def test_why_nothing_should_run_says_how_the_preview_stands(reason: Reason, phase: Phase) -> None:
    assert reason.phase is phase


@pytest.mark.parametrize(
    ("decision", "begins"),
    [
        (Run(), True),
        (Hold(Reason.CONFIGURATION_INVALID), True),
        (End(Reason.CONFIGURATION_INVALID), True),
        (End(Reason.FORK), True),
        (End(Reason.BY_COMMAND), True),
        (End(Reason.TIME_UP), True),
        (Hold(), False),
        (End(Reason.NO_CONFIGURATION), False),
        (End(Reason.NO_SERVICE_CHANGED), False),
        (Leave(Reason.NOT_TRIGGERED), False),
        (Leave(Reason.MERGED), False),
        (Leave(Reason.CLOSED), False),
    ],
)
def test_a_comment_is_begun_only_where_there_is_something_to_say(decision: Decision, begins: bool) -> None:
    assert decision.begins_comment is begins


def test_what_nothing_triggers_should_not_exist_and_says_nothing() -> None:
    decision = decide(Status(), FACTS, ())

    assert decision == Leave(Reason.NOT_TRIGGERED)
    assert not decision.begins_comment


def test_while_github_cannot_be_read_everything_stays_as_it_is() -> None:
    status = Status(observed=TRIGGERED, phase=Phase.FAILED, reason=Reason.SERVICE_FAILED)
    plan = planned(a_preview(observed=TRIGGERED, phase=status.phase, reason=status.reason), facts=None)

    assert decide(status, None, ()) == Hold()
    assert (plan.decision, plan.status.phase) == (Hold(), Phase.FAILED)
    assert (plan.status.reason, plan.steps.actions) == (Reason.SERVICE_FAILED, ())


def test_expiry_needs_only_the_status() -> None:
    status = Status(lifecycle=Lifecycle(expires_at=NOW))

    assert end_if_expired(status, NOW - timedelta(seconds=1)).lifecycle.ended is None
    end = end_if_expired(status, NOW).lifecycle.ended
    assert end is not None
    assert end.reason is Reason.TIME_UP


def test_an_expired_preview_begins_anew_with_a_new_commit_and_a_stopped_one_does_not() -> None:
    lifecycle = replace(ended(Reason.TIME_UP, OLDER), expires_at=NOW, ready_sha=OLDER)
    expired = record_facts(Status(lifecycle=lifecycle), FACTS, NOW)
    stopped = record_facts(Status(lifecycle=ended(Reason.BY_COMMAND, OLDER)), FACTS, NOW)
    same = record_facts(Status(lifecycle=ended(Reason.TIME_UP, HEAD)), FACTS, NOW)

    assert restart_clock(expired, remaining=0).lifecycle == Lifecycle()
    assert restart_clock(expired, remaining=1).lifecycle.ended is not None
    assert restart_clock(stopped, remaining=0).lifecycle.ended is not None
    assert restart_clock(same, remaining=0).lifecycle.ended is not None


@pytest.mark.parametrize(("ready_sha", "expired"), [(OLDER, OLDER), ("", HEAD)])
def test_what_expires_is_the_commit_whose_clock_ran(ready_sha: str, expired: str) -> None:
    lifecycle = Lifecycle(expires_at=NOW, ready_sha=ready_sha)
    end = end_if_expired(Status(lifecycle=lifecycle, observed=Observed(head_sha=HEAD)), NOW).lifecycle.ended

    assert end is not None
    assert end.head_sha == expired


def test_merge_commits_of_a_head_are_remembered_until_the_head_moves() -> None:
    seen = record_facts(Status(), replace(FACTS, merge_sha="m" * 40), NOW)
    moved = replace(FACTS, merge_sha="n" * 40)

    assert record_facts(seen, moved, NOW).observed.merge_shas == ("m" * 40, "n" * 40)
    head = Branch("copilot/round", OLDER, 812, "acme/shop")
    pushed = replace(FACTS, pull_request=a_pull_request(head=head), merge_sha="o" * 40)
    assert record_facts(seen, pushed, NOW).observed.merge_shas == ("o" * 40,)


def test_a_merge_commit_that_was_not_found_to_be_of_this_head_does_not_count() -> None:
    assert FACTS.pull_request.merge_commit_sha
    assert record_facts(Status(), FACTS, NOW).observed.merge_shas == ()


def _service(phase: Phase, reason: Reason | None = None, name: str = "s") -> Service:
    return Service(name=name, namespace="n", target="t", phase=phase, reason=reason)


READY, IDLE = _service(Phase.READY), _service(Phase.IDLE)
DEPLOYING = _service(Phase.DEPLOYING, Reason.REPLACING)
AWAITING = _service(Phase.AWAITING_IMAGE, Reason.BUILD_RUNNING)
FAILED = _service(Phase.FAILED, Reason.SESSION_FAILED)
NO_IMAGE = _service(Phase.FAILED, Reason.IMAGE_MISSING)
NO_ROUTE = _service(Phase.FAILED, Reason.ROUTE_REFUSED)


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ((READY,), (Phase.READY, Reason.ALL_READY)),
        ((READY, FAILED), (Phase.READY, Reason.PARTIAL)),
        ((READY, IDLE), (Phase.READY, Reason.ALL_READY)),
        ((IDLE, IDLE), (Phase.IDLE, Reason.ASLEEP)),
        ((IDLE, FAILED), (Phase.READY, Reason.PARTIAL)),
        ((DEPLOYING, AWAITING), (Phase.DEPLOYING, Reason.REPLACING)),
        ((AWAITING, FAILED), (Phase.AWAITING_IMAGE, Reason.BUILD_RUNNING)),
        ((FAILED, FAILED), (Phase.FAILED, Reason.SERVICE_FAILED)),
        ((NO_IMAGE, NO_IMAGE), (Phase.FAILED, Reason.IMAGE_MISSING)),
        ((NO_ROUTE,), (Phase.FAILED, Reason.ROUTE_REFUSED)),
        ((NO_IMAGE, FAILED), (Phase.FAILED, Reason.SERVICE_FAILED)),
    ],
)
def test_of_several_services_the_best_counts(
    services: tuple[Service, ...], expected: tuple[Phase, Reason]
) -> None:
    assert phase_of(services) == expected


EIGHT_HOURS, THREE_DAYS = timedelta(hours=8), timedelta(hours=72)


def test_the_clock_starts_with_the_first_ready_of_a_head_and_only_then() -> None:
    def look(before: Lifecycle, phase: Phase, now: Any = NOW) -> Lifecycle:
        return start_clock(before, phase, HEAD, ttl=EIGHT_HOURS, ttl_max=THREE_DAYS, now=now)

    first = look(Lifecycle(), Phase.READY)

    assert look(Lifecycle(), Phase.DEPLOYING) == Lifecycle()
    assert (first.expires_at, first.ready_sha) == (NOW + EIGHT_HOURS, HEAD)
    assert look(first, Phase.READY, NOW + timedelta(hours=1)) == first


@pytest.mark.parametrize(("extended", "until"), [(20, 20), (1, 8), (100, 72)])
def test_a_push_does_not_shorten_what_somebody_extended(extended: int, until: int) -> None:
    before = Lifecycle(ready_sha=OLDER, expires_at=NOW + timedelta(hours=extended))

    after = start_clock(before, Phase.READY, HEAD, ttl=EIGHT_HOURS, ttl_max=THREE_DAYS, now=NOW)

    assert after.expires_at == NOW + timedelta(hours=until)
