"""Which points of failure are tried with a commit."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.fault_points import SEED_VARIABLE, Fault, a_third_of, every_point, seed, timeless

POINTS = every_point(48, [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])


def test_a_third_of_the_points_of_each_fault_is_chosen_from_all_parts_of_a_life() -> None:
    chosen = a_third_of(POINTS, "a commit")

    assert Counter(point.fault for point in chosen) == {Fault.KILLED_BEFORE: 16, Fault.KILLED_AFTER: 16}
    for fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
        assert [(point.number - 1) // 3 for point in chosen if point.fault is fault] == list(range(16))


def test_the_same_seed_chooses_the_same_points_also_of_a_life_that_is_longer() -> None:
    longer = every_point(60, [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])

    assert a_third_of(longer, "a commit")[:32] == a_third_of(POINTS, "a commit")


def test_many_seeds_choose_every_point_sooner_or_later() -> None:
    assert {point for number in range(50) for point in a_third_of(POINTS, str(number))} == set(POINTS)


def test_the_variable_sets_the_seed_and_without_it_the_same_commit_has_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(SEED_VARIABLE, "of the run that failed")
    assert seed() == "of the run that failed"

    monkeypatch.delenv(SEED_VARIABLE)
    assert seed() == seed()
    assert seed() != ""


def test_two_lives_on_both_sides_of_midnight_read_the_same() -> None:
    before = "It stays open until Thu 26 Nov, 23:59 UTC."

    assert timeless(before) == timeless("It stays open until Fri 27 Nov, 00:03 UTC.")
