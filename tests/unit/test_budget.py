"""What one life of a pull request asks of GitHub, by kind: opened, ready, pushed to, replaced, closed.

The real controller and the real intake of webhooks over a GitHub that charges as GitHub documents it. Answers
that nothing changed (304) are free, and GraphQL has an hour of its own.
"""

from __future__ import annotations

import pytest

from bench.organisation.life import CLOSED, OPENED, PUSHED, UNCHANGED, Spent, live, table

ALONE, EVERYWHERE = 20, 34
"""The most requests that count, with the comment alone, and with deployments and the check."""

ALL_PLACES = {"deployments": {"environment": "preview"}, "check": "on"}

EDITS = "PATCH /issues/comments/…"
EDITS_A_PUSH = 4


@pytest.fixture(scope="module")
def alone() -> Spent:
    """A life that is told of in the comment alone."""
    return live()


@pytest.fixture(scope="module")
def everywhere() -> Spent:
    """A life that is told of in deployments and the check as well."""
    return live(ALL_PLACES)


def test_a_life_takes_thirty_four_requests_with_deployments_and_the_check(everywhere: Spent) -> None:
    assert everywhere.counted() <= EVERYWHERE, table({"with deployments and check": everywhere})
    assert not everywhere.refused


def test_each_commit_has_one_deployment_and_one_check_and_none_is_looked_for(everywhere: Spent) -> None:
    of_places = {
        kind: n for kind, n in everywhere.all.items() if "deployments" in kind or "check-runs" in kind
    }
    assert of_places == {
        "POST /deployments": 2,
        # In progress, success, inactive.
        "POST /deployments/…/statuses": 6,
        "POST /check-runs": 2,
        "PATCH /check-runs/…": 3,
        # What CI says of the commit: that is asked with the comment alone, too.
        "GET /commits/…/check-runs": 4,
    }


def test_a_life_takes_twenty_requests_with_the_comment_alone(alone: Spent) -> None:
    assert alone.counted() <= ALONE, table({"the comment alone": alone})


def test_each_step_takes_what_is_new_in_it_and_no_more(alone: Spent) -> None:
    assert alone.steps[OPENED]["GET /pulls/…"] == 1
    assert alone.steps[OPENED]["POST /issues/…/comments"] == 1
    # What a glance tells is not read: the pull request and the conversation, whoever pushes or closes.
    assert alone.all["GET /pulls/…"] == 1
    assert alone.all["GET /issues/…/comments"] == 1
    assert alone.counted(CLOSED) == 1
    assert not alone.refused


@pytest.mark.parametrize("step", [OPENED, PUSHED, CLOSED])
def test_the_comment_is_edited_four_times_a_push_at_most(alone: Spent, everywhere: Spent, step: str) -> None:
    assert 1 <= alone.steps[step][EDITS] <= EDITS_A_PUSH
    assert 1 <= everywhere.steps[step][EDITS] <= EDITS_A_PUSH


def test_waiting_for_an_image_does_not_read_everything_again_every_ten_seconds(alone: Spent) -> None:
    # The build takes minutes here, and each look for the image asks what CI says.
    assert alone.all[UNCHANGED] <= 250
