"""What one life of a pull request asks of GitHub, by kind: opened, ready, pushed to, replaced, closed.

The real controller and the real intake of webhooks over a GitHub that charges as GitHub documents it. Answers
that nothing changed (304) are free, and GraphQL has an hour of its own.
"""

from __future__ import annotations

import pytest

from bench.organisation.life import CLOSED, OPENED, PUSHED, UNCHANGED, Spent, live, table

ALONE = 20
"""The most requests that count, with the comment alone."""

EDITS = "PATCH /issues/comments/…"
EDITS_A_PUSH = 4


@pytest.fixture(scope="module")
def alone() -> Spent:
    """A life that is told of in the comment alone."""
    return live()


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
def test_the_comment_is_edited_four_times_a_push_at_most(alone: Spent, step: str) -> None:
    assert 1 <= alone.steps[step][EDITS] <= EDITS_A_PUSH


def test_waiting_for_an_image_does_not_read_everything_again_every_ten_seconds(alone: Spent) -> None:
    # The build takes minutes here, and each look for the image asks what CI says.
    assert alone.all[UNCHANGED] <= 250
