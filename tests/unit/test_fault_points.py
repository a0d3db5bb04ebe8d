"""Which points of failure are tried with a commit."""

from __future__ import annotations

import pytest

from tests.support.fault_points import SEED_VARIABLE, Fault, every_point, one_out_of, seed, timeless

POINTS = every_point(48, [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])


@pytest.mark.parametrize(("neighbours", "groups"), [(3, 16), (6, 8)])
def test_one_out_of_so_many_points_of_each_fault_is_chosen_from_all_parts_of_a_life(
    neighbours: int, groups: int
) -> None:
    chosen = one_out_of(neighbours, POINTS, "a commit")

    for fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
        of_it = [(point.number - 1) // neighbours for point in chosen if point.fault is fault]
        assert of_it == list(range(groups))
    assert len(chosen) == 2 * groups


@pytest.mark.parametrize("neighbours", [3, 6])
def test_the_same_seed_chooses_the_same_points_also_of_a_life_that_is_longer(neighbours: int) -> None:
    longer = every_point(60, [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
    chosen = one_out_of(neighbours, POINTS, "a commit")

    assert one_out_of(neighbours, longer, "a commit")[: len(chosen)] == chosen


@pytest.mark.parametrize("neighbours", [3, 6])
def test_many_seeds_choose_every_point_sooner_or_later(neighbours: int) -> None:
    tried = {point for number in range(100) for point in one_out_of(neighbours, POINTS, str(number))}

    assert tried == set(POINTS)


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
