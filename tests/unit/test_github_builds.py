"""What CI says of a commit, summed up in one word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from previewbot.api.github import Build
from previewbot.clients.github.builds import build_from
from tests.support import github_ci_samples as ci

OURS = 4242

DONE = ci.workflow_run()
RUNNING = ci.workflow_run(status="in_progress", conclusion=None)
FAILED = ci.workflow_run(conclusion="failure")
HELD = ci.workflow_run(conclusion="action_required")
CHECK = ci.check_run()
CHECK_RUNNING = ci.check_run(status="queued", conclusion=None)
CHECK_FAILED = ci.check_run(conclusion="timed_out")
CHECK_WANTS = ci.check_run(name="CLA", conclusion="action_required")

CASES: list[tuple[str, list[Any], list[Any], str]] = [
    ("there is no CI", [], [], "none"),
    ("a workflow waits for a maintainer's approval", [], [HELD], "needs_approval"),
    (
        "a workflow waits for a deployment's approval",
        [],
        [{**RUNNING, "status": "waiting"}],
        "needs_approval",
    ),
    ("approval counts more than what runs", [CHECK_RUNNING], [HELD], "needs_approval"),
    ("a workflow runs", [], [RUNNING], "running"),
    ("another CI system runs", [CHECK_RUNNING], [], "running"),
    ("what runs counts more than what failed", [CHECK_FAILED], [RUNNING], "running"),
    ("a workflow failed", [CHECK], [FAILED], "failed"),
    ("a workflow was cancelled", [], [ci.workflow_run(conclusion="cancelled")], "failed"),
    ("a workflow could not even start", [], [ci.workflow_run(conclusion="startup_failure")], "failed"),
    ("another CI system ran out of time", [CHECK_FAILED], [DONE], "failed"),
    ("everything went well", [CHECK], [DONE], "succeeded"),
    ("everything was skipped", [ci.check_run(conclusion="skipped")], [], "succeeded"),
    ("an unsigned agreement holds up no image", [CHECK_WANTS, CHECK_RUNNING], [], "running"),
    ("an unsigned agreement is told when nothing else is", [CHECK_WANTS], [DONE], "needs_approval"),
]


@pytest.mark.parametrize(("checks", "runs", "state"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_build_is(checks: list[Any], runs: list[Any], state: str) -> None:
    assert build_from(checks, runs, app_id=OURS).state == state


def test_our_own_checks_say_nothing_of_the_build() -> None:
    ours = ci.check_run(status="in_progress", conclusion=None, app=ci.app(OURS))

    assert build_from([ours], [], app_id=OURS) == Build("none")


def test_a_job_of_a_workflow_is_told_by_its_workflow() -> None:
    run = {**RUNNING, "check_suite_id": 900}

    assert build_from([ci.check_run(suite=900, conclusion="failure")], [run], app_id=OURS).state == "running"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_only_the_newest_run_of_a_workflow_counts_with_its_checks(order: tuple[int, int]) -> None:
    old = ci.workflow_run(id=10, conclusion="failure", check_suite_id=900)
    new = ci.workflow_run(id=11, check_suite_id=901)
    runs = [(old, new)[place] for place in order]

    assert build_from([ci.check_run(suite=900, conclusion="failure")], runs, app_id=OURS).state == "succeeded"


def test_runs_of_one_workflow_for_different_events_both_count() -> None:
    push = ci.workflow_run(id=10, event="push", conclusion="failure")

    assert build_from([], [push, ci.workflow_run(id=11)], app_id=OURS).state == "failed"


def test_the_run_to_look_at_is_named_with_its_address_and_start() -> None:
    build = build_from(
        [CHECK_RUNNING],
        [ci.workflow_run(id=12, name="images", conclusion="failure"), RUNNING],
        app_id=OURS,
    )

    assert build.state == "running"

    failed = build_from([CHECK], [ci.workflow_run(id=12, name="images", conclusion="failure")], app_id=OURS)

    assert failed == Build(
        "failed",
        "images",
        "https://github.com/acme/shop/actions/runs/12",
        datetime(2026, 3, 1, 9, tzinfo=UTC),
    )
