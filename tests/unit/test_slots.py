"""Who gets a slot: the limits, the order of the line, and what is told of those that hold the slots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from previewbot.api import Holders, Preview, Slot, SlotBound
from previewbot.api.slot import COUNTED
from previewbot.config.server import parse
from previewbot.rules.slot_limits import SlotLimits, slot_limits_of
from previewbot.rules.slot_line import Waiting, party_of
from previewbot.rules.slots import NUMBERS_TOLD, SlotGrant
from tests.support.passes import SETTINGS
from tests.support.previews import NOW, a_preview
from tests.support.slots import (
    COPILOTS_ACCOUNT,
    after,
    always,
    asked,
    granted,
    held_by,
    holder,
    next_ones,
    waiter,
)

TEN_HOURS = 600

# The order


def test_over_the_limit_the_oldest_waits_first_in_line() -> None:
    running = [holder(f"gh-1-{i}") for i in range(2)]
    old, new = waiter("gh-1-8"), waiter("gh-1-9", since=1)
    everyone = [*running, new, old]

    assert asked(old, everyone, always(previews=2)).position == 1
    assert asked(new, everyone, always(previews=2)).position == 2
    assert asked(old, everyone, always(previews=3)).granted
    assert not asked(new, everyone, always(previews=3)).granted


HOLDING = (
    holder("gh-1-1", author=1),
    holder("gh-1-2", author=2),
    holder("gh-1-3", author=2),
    holder("gh-2-1", author=3),
)
"""Repository 1 holds three, 2 one, 3 none; author 2 holds two, 1 and 3 one each."""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (waiter("gh-3-9", since=9, author=2), waiter("gh-2-9", author=4)),
        (waiter("gh-2-9", since=9, author=2), waiter("gh-1-9", author=4)),
        (waiter("gh-1-9", since=9, author=4), waiter("gh-1-8", author=1)),
        (waiter("gh-1-9", since=9, author=1), waiter("gh-1-8", author=2)),
        (waiter("gh-3-9", since=9, author=4), waiter("gh-4-9", author=3)),
        (waiter("gh-3-9", author=4), waiter("gh-4-9", since=9, author=5)),
        (waiter("gh-3-8", author=4), waiter("gh-3-9", author=4)),
    ],
    ids=[
        "a repository without any before one with one",
        "a repository with one before one with three",
        "in a repository an author without any before one with one",
        "in a repository an author with one before one with two",
        "of repositories alike the author who holds fewer elsewhere",
        "of those alike the oldest",
        "of those as old the same one for everybody who asks",
    ],
)
def test_whoever_holds_fewest_goes_first(first: Preview, second: Preview) -> None:
    everyone = [*HOLDING, second, first]

    assert next_ones(everyone, always(previews=5)) == [first]
    assert asked(first, everyone, always(previews=4)).position == 1
    assert asked(second, everyone, always(previews=4)).position == 2


def test_each_slot_that_one_gets_counts_for_the_next() -> None:
    mine = [waiter(f"gh-1-{i}", since=i) for i in range(1, 4)]
    yours = [waiter(f"gh-2-{i}", since=10 + i, author=2) for i in range(1, 4)]
    everyone = [*mine, *yours]
    order = sorted(everyone, key=lambda one: asked(one, everyone, always(previews=0)).position)

    assert [one.name for one in order] == ["gh-1-1", "gh-2-1", "gh-1-2", "gh-2-2", "gh-1-3", "gh-2-3"]


def test_one_that_holds_a_slot_keeps_it_whatever_the_limits_become() -> None:
    everyone = [holder(f"gh-1-{i}", agent="Copilot") for i in range(5)]
    lowered = always(previews=1, repository=1, author=1, author_here=1, agent=1, agent_here=1)

    assert all(asked(one, everyone, lowered).granted for one in everyone)


def test_one_whose_last_pass_failed_is_overtaken_and_not_lost() -> None:
    stuck, next_one = waiter("gh-1-1", last_error="GitHub: 403"), waiter("gh-1-2", since=5)
    everyone = [stuck, next_one]

    assert asked(next_one, everyone, always(previews=1)).granted
    assert asked(stuck, [stuck], always(previews=1)).granted


def test_those_of_another_app_and_those_that_are_being_deleted_do_not_count() -> None:
    deleted = replace(holder("gh-1-1"), deleting=True)
    other = holder("gh-1-2")
    # An App of an Enterprise Server may have the number of one of GitHub's.
    foreign = [replace(other, spec=replace(other.spec, app_id=1))]
    foreign.append(replace(other, spec=replace(other.spec, github_host="github.example.com")))

    assert asked(waiter("gh-1-3"), [deleted, *foreign], always(previews=1)).granted


def test_a_line_that_is_long_is_told_as_long() -> None:
    everyone = [waiter(f"gh-1-{i}", since=i) for i in range(1, 60)]

    assert asked(everyone[COUNTED - 1], everyone, always(previews=0)).position == COUNTED
    for one in (everyone[COUNTED], everyone[-1]):
        position = asked(one, everyone, always(previews=0)).position
        assert Slot(queue_position=position).far_back
    assert not Slot(queue_position=COUNTED).far_back


# The limits


@pytest.mark.parametrize(
    ("limits", "bound", "limit", "holders"),
    [
        ({"repository": 2}, SlotBound.REPOSITORY, 2, Holders((1, 2), 2)),
        ({"author": 3}, SlotBound.AUTHOR, 3, Holders((1, 2), 2, 1)),
        ({"author_here": 2}, SlotBound.AUTHOR_HERE, 2, Holders((1, 2), 2)),
        ({"agent": 2}, SlotBound.AGENT, 2, Holders((2,), 1, 1)),
        ({"agent_here": 1}, SlotBound.AGENT_HERE, 1, Holders((2,), 1)),
        ({"previews": 4}, SlotBound.PREVIEWS, 4, Holders((1, 2), 2, 2)),
        ({"repository": 2, "author": 3, "previews": 4}, SlotBound.REPOSITORY, 2, Holders((1, 2), 2)),
        ({"repository": 1}, SlotBound.REPOSITORY, 1, Holders((1, 2), 2)),
    ],
    ids=[
        "repository",
        "author",
        "author here",
        "agent",
        "agent here",
        "all",
        "the narrowest is told",
        "it was lowered since",
    ],
)
def test_a_limit_that_is_reached_is_named_with_those_who_reach_it(
    limits: dict[str, int], bound: SlotBound, limit: int, holders: Holders
) -> None:
    everyone = [
        holder("gh-1-1", author=1),
        holder("gh-1-2", author=1, agent="Claude"),
        holder("gh-2-7", author=1, agent="Claude"),
        holder("gh-3-8", author=9),
    ]
    position = 1 if bound is SlotBound.PREVIEWS else 0

    grant = asked(waiter("gh-1-3", author=1, agent="Claude"), everyone, always(**limits))

    assert grant == SlotGrant(False, position, bound, limit, holders)


def test_a_limit_that_is_not_reached_keeps_nobody_waiting() -> None:
    everyone = [holder("gh-1-1", author=1, agent="Claude")]
    limits = always(repository=2, author=2, author_here=2, agent=2, agent_here=2)

    assert asked(waiter("gh-1-3", author=1, agent="Claude"), everyone, limits).granted


@pytest.mark.parametrize(
    ("held_by", "asked_by", "same"),
    [
        (1, 1, True),
        (1, 2, False),
        ("Alice", "alice", True),
        ("alice", "bob", False),
    ],
    ids=["by number", "another number", "by name in whatever case", "another name"],
)
def test_an_author_is_known_by_number_or_else_by_name(
    held_by: int | str, asked_by: int | str, same: bool
) -> None:
    everyone = [holder("gh-1-1", author=held_by)]

    assert asked(waiter("gh-2-1", author=asked_by), everyone, always(author=1)).granted is not same


def test_an_authors_other_name_does_not_make_another_author() -> None:
    mine = holder("gh-1-1", author=1)
    renamed = replace(mine.status.observed, author="another")

    grant = asked(
        waiter("gh-2-1", author=1),
        [replace(mine, status=replace(mine.status, observed=renamed))],
        always(author=1),
    )

    assert grant.bound is SlotBound.AUTHOR


def test_an_agents_own_account_is_bounded_as_an_agent_and_not_as_an_author() -> None:
    of_copilot: dict[str, Any] = {"author": COPILOTS_ACCOUNT, "agent": "Copilot"}
    everyone = [holder(f"gh-{i}-1", **of_copilot) for i in range(1, 4)]
    next_one = waiter("gh-9-1", **of_copilot)

    assert asked(next_one, everyone, always(author=1)).granted
    assert asked(next_one, everyone, always(author=1, agent=3)).bound is SlotBound.AGENT


@pytest.mark.parametrize("name", ["dependabot[bot]", "renovate[bot]", "GitHub-Actions[bot]"])
def test_the_bot_of_an_app_is_no_author_but_its_repository_is_bounded(name: str) -> None:
    everyone = [holder(f"gh-{i}-1", author=name) for i in range(1, 4)]
    elsewhere, here = waiter("gh-9-1", author=name), waiter("gh-1-9", author=name)

    assert asked(elsewhere, everyone, always(author=1, author_here=1)).granted
    assert asked(here, everyone, always(author=1, author_here=1)).granted
    assert asked(here, everyone, always(author=1, repository=1)).bound is SlotBound.REPOSITORY


def test_a_person_who_is_called_like_a_bot_is_an_author() -> None:
    everyone = [holder("gh-1-1", author="dependabot-bot")]

    bound = asked(waiter("gh-2-1", author="dependabot-bot"), everyone, always(author=1)).bound
    assert bound is SlotBound.AUTHOR


def test_a_person_whose_branch_is_called_like_an_agents_is_bounded_as_both() -> None:
    everyone = [holder("gh-1-1", author=1)]
    next_one = waiter("gh-1-2", author=1, agent="Copilot")

    assert asked(next_one, everyone, always(author=1)).bound is SlotBound.AUTHOR


def test_one_that_its_own_limit_keeps_waiting_lets_those_behind_it_pass() -> None:
    everyone = [holder("gh-1-1"), waiter("gh-1-2", author=2), waiter("gh-2-1", since=9, author=3)]

    assert next_ones(everyone, always(previews=2, repository=1)) == [everyone[2]]
    assert asked(everyone[2], everyone, always(previews=1, repository=1)).position == 1


def test_one_behind_the_last_that_its_repository_may_have_is_told_so_and_not_a_place_in_line() -> None:
    everyone = [holder("gh-1-1"), waiter("gh-1-2", since=1), waiter("gh-1-3", since=2)]
    full = always(previews=1, repository=2)

    assert asked(everyone[1], everyone, full).position == 1
    assert asked(everyone[2], everyone, full) == SlotGrant(
        False, 0, SlotBound.REPOSITORY, 2, Holders((1,), 1)
    )


def test_each_repository_has_the_limits_of_its_own_name() -> None:
    def bounds(preview: Preview) -> SlotLimits:
        return SlotLimits(50, repository=1 if preview.spec.repository_id == 1 else None)

    everyone = [holder("gh-1-1"), holder("gh-2-1")]

    assert not asked(waiter("gh-1-2"), everyone, bounds).granted
    assert asked(waiter("gh-2-2"), everyone, bounds).granted


def test_of_many_holders_only_the_first_numbers_are_told_and_of_other_repositories_none() -> None:
    everyone = [holder(f"gh-1-{i}") for i in range(30, 0, -1)] + [holder("gh-2-99")]

    grant = asked(waiter("gh-1-77"), everyone, always(previews=31))

    assert grant.holders == Holders(tuple(range(1, NUMBERS_TOLD + 1)), here=30, elsewhere=1)


def test_what_was_stored_before_authors_were_still_counts_for_its_repository() -> None:
    old = a_preview(name="gh-1-1", slot=Slot(held=True))
    everyone = [old, a_preview(name="gh-1-2", slot=Slot(waiting_since=NOW))]
    next_one = waiter("gh-1-3")

    assert asked(next_one, everyone, always(repository=1)).bound is SlotBound.REPOSITORY
    assert asked(next_one, everyone, always(author=1)).granted


# Nobody waits for ever


def patient(**limits: int) -> Callable[[Preview], SlotLimits]:
    """Return limits under which nobody is passed over for longer than ten hours."""
    bounds = replace(always(**limits)(a_preview()), patience=timedelta(hours=10))
    return lambda _: bounds


def test_who_got_nothing_for_too_long_goes_first_and_once() -> None:
    flood = [holder("gh-1-1"), holder("gh-1-2"), waiter("gh-1-3", since=5), waiter("gh-1-4", since=6)]
    other = waiter("gh-2-1", since=500, author=2)
    everyone = [*flood, other]

    assert next_ones(everyone, patient(previews=3), TEN_HOURS) == [other]
    assert next_ones(everyone, patient(previews=3), TEN_HOURS + 5) == [flood[2]]
    everyone[2] = granted(flood[2], TEN_HOURS + 5)
    assert next_ones(everyone, patient(previews=4), TEN_HOURS + 7) == [other]


def test_it_counts_by_author_and_repository_who_got_nothing() -> None:
    mine, theirs = waiter("gh-1-3", since=5, author=1), waiter("gh-1-4", since=6, author=2)
    lately = holder("gh-1-1", since=300, author=1)
    other = waiter("gh-2-1", since=500, author=3)
    everyone = [lately, mine, theirs, other]

    assert next_ones(everyone, patient(previews=2), TEN_HOURS + 10) == [theirs]


def test_by_the_settings_nobody_is_passed_over_for_longer_than_two_of_the_longest_lives() -> None:
    found = parse({**SETTINGS, "ttl": {"max": "30h"}}, {})

    assert slot_limits_of(found, "acme/shop").patience == timedelta(hours=60)


# Properties

_LIMIT = st.none() | st.integers(1, 4)
_BOUNDS = st.builds(
    SlotLimits,
    previews=st.integers(0, 6),
    repository=_LIMIT,
    author=_LIMIT,
    author_here=_LIMIT,
    agent=_LIMIT,
    agent_here=_LIMIT,
    patience=st.sampled_from([None, timedelta(hours=10)]),
)


def a_world(seed: int, most: int = 40) -> list[Preview]:
    """Return Previews of a few repositories, authors and agents that hold slots or wait for them."""
    dice, found = Random(seed), []
    for number in range(1, dice.randint(1, most) + 1):
        of: dict[str, Any] = {"author": dice.randint(1, 4), "agent": dice.choice(("", "", "Claude", "Codex"))}
        kind = dice.choice((waiter, waiter, waiter, holder))
        found.append(kind(f"gh-{dice.randint(1, 4)}-{number}", since=dice.randint(0, 3_000), **of))
    return found


WORLDS = st.integers(0, 2**32).map(a_world)


def one_after_the_other(
    everyone: list[Preview], bounds: Callable[[Preview], SlotLimits], minutes: float, most: int = 100
) -> list[Preview]:
    """Return the line as the sentences say it: of those who may, the one who comes before all others."""
    held, line = held_by(everyone), list[Preview]()
    waiting = [one for one in everyone if not one.status.slot.held]

    def rank(one: Preview) -> tuple[Any, ...]:
        party, me = party_of(one), Waiting.of(one)
        same = [Waiting.of(other) for other in waiting if party_of(other) == party]
        first = min(same)
        patience = bounds(one).patience
        if patience and held.was_passed_over(party, first.since, after(minutes) - patience):
            return 0, 0, 0, first, me
        return 1, held.repository[party.repository], held.author[party.author], first, me

    while len(line) < most:
        may = [one for one in waiting if held.bound_of(party_of(one), bounds(one)) is None]
        if not may:
            break
        first = min(may, key=rank)
        line.append(first)
        waiting.remove(first)
        held.add(party_of(first), after(minutes))
    return line


@given(WORLDS, _BOUNDS, st.integers(0, 3_000))
def test_a_place_in_line_is_what_comes_of_one_slot_after_the_other(
    everyone: list[Preview], bounds: SlotLimits, minutes: int
) -> None:
    line = one_after_the_other(everyone, lambda _: bounds, minutes)
    free = max(0, bounds.previews - sum(one.status.slot.held for one in everyone))
    places = {one.name: place for place, one in enumerate(line, 1)}
    for one in everyone:
        if one.status.slot.held:
            continue
        grant = asked(one, everyone, lambda _: bounds, minutes)
        place = places.get(one.name)
        if place is None:
            assert (grant.granted, grant.position > COUNTED or grant.bound is not SlotBound.PREVIEWS) == (
                False,
                True,
            )
        elif place <= free:
            assert grant.granted
        else:
            assert grant.position == min(place - free, COUNTED + 1)


@settings(max_examples=4)
@given(st.integers(0, 2**32))
def test_a_line_of_which_only_the_beginning_is_looked_at_begins_the_same(seed: int) -> None:
    """With more repositories of an author, and authors of a repository, than are ever ranked."""
    dice = Random(seed)
    everyone = [
        waiter(f"gh-{dice.randint(1, 60)}-{number}", since=dice.randint(0, 99), author=dice.randint(1, 3))
        for number in range(200)
    ]
    everyone += [waiter(f"gh-99-{number}", since=number, author=number) for number in range(200, 300)]
    bounds = always(previews=0, repository=3, author=8)
    line = one_after_the_other(everyone, bounds, 0, most=COUNTED + 5)

    for place, one in enumerate(line, 1):
        assert asked(one, everyone, bounds).position == min(place, COUNTED + 1)


@given(WORLDS, _BOUNDS, st.integers(0, 3_000))
def test_no_slot_stays_free_that_somebody_could_have(
    everyone: list[Preview], bounds: SlotLimits, minutes: int
) -> None:
    """Whoever is told of a place in line waits for a slot that others hold, or that one before it takes."""
    for _ in range(len(everyone) + 1):
        found = next_ones(everyone, lambda _: bounds, minutes)
        if not found:
            break
        everyone = [granted(one, minutes) if one == found[0] else one for one in everyone]
    held = sum(one.status.slot.held for one in everyone)
    for one in everyone:
        if not one.status.slot.held:
            grant = asked(one, everyone, lambda _: bounds, minutes)
            assert held >= bounds.previews or grant.bound is not SlotBound.PREVIEWS


@given(WORLDS, _BOUNDS)
def test_slots_that_are_given_keep_within_every_limit(everyone: list[Preview], bounds: SlotLimits) -> None:
    before = held_by(everyone)
    while found := next_ones(everyone, lambda _: bounds):
        everyone = [granted(one) if one == found[-1] else one for one in everyone]
    held = held_by(everyone)

    assert held.all <= max(bounds.previews, before.all)
    kinds: tuple[tuple[Counter[Any], Counter[Any], int | None], ...] = (
        (held.repository, before.repository, bounds.repository),
        (held.author, before.author, bounds.author),
        (held.author_here, before.author_here, bounds.author_here),
        (held.agent, before.agent, bounds.agent),
        (held.agent_here, before.agent_here, bounds.agent_here),
    )
    for now, then, limit in kinds:
        assert all(limit is None or count <= max(limit, then[key]) for key, count in now.items())


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3)), min_size=20, max_size=20))
def test_everybody_who_waits_gets_a_slot_although_others_come_and_go_without_end(
    events: list[tuple[int, int]],
) -> None:
    """Repository 1 holds two of three slots and keeps them; each other preview is over after an hour.

    Whoever comes then holds fewer, each time. The one that waits in repository 1 gets a slot all the same.
    """
    mine = waiter("gh-1-9", since=1)
    everyone = [holder("gh-1-1"), holder("gh-1-2", author=2), mine]
    for hour, (repository, author) in enumerate(events, 1):
        everyone = everyone[:2] + [one for one in everyone[2:] if not one.status.slot.held]
        everyone.append(waiter(f"gh-{repository + 2}-{hour}", since=60 * hour, author=author + 2))
        (found,) = next_ones(everyone, patient(previews=3), 60 * hour)
        everyone = [granted(one, 60 * hour) if one == found else one for one in everyone]
        if found == mine:
            break

    assert found == mine
    assert hour == 11


@given(st.integers(5, 60), st.integers(2, 9))
def test_while_one_repository_floods_anothers_first_preview_waits_for_one_slot_at_most(
    flood: int, slots: int
) -> None:
    everyone = [holder(f"gh-1-{i}", author=i % 3) for i in range(1, slots + 1)]
    everyone += [waiter(f"gh-1-{slots + i}", since=i, author=i % 3) for i in range(1, flood)]
    first = waiter("gh-2-1", since=1_000, author=1)

    assert asked(first, [*everyone, first], always(previews=slots), 1_000).position == 1
    assert next_ones([*everyone[1:], first], always(previews=slots), 1_000) == [first]
