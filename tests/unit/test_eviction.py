"""Which previews that sleep give their slots to others that wait (`limits.evict: idle`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import Ended, Lifecycle, Phase, Preview, Reason, Service
from previewbot.config.server import parse
from previewbot.rules.eviction import MOST_AT_ONCE, RESTED, asleep_since, is_leaving, until_rested
from previewbot.rules.slot_limits import SlotLimits, slot_limits_of
from previewbot.rules.slots import Slots
from tests.support.passes import SETTINGS
from tests.support.previews import HEAD, NOW, OLDER
from tests.support.slots import after, always, holder, waiter

_HOUR = 60.0


def service(phase: Phase = Phase.IDLE, since: float = 0, sha: str = HEAD, name: str = "checkout") -> Service:
    """Return a service in a phase since so many minutes after the beginning."""
    return Service(name, "staging", f"deployment/{name}", phase=phase, since=after(since), serving_sha=sha)


def with_services(preview: Preview, *services: Service, **changes: Any) -> Preview:
    """Return a Preview of the head commit with these services."""
    observed = replace(preview.status.observed, head_sha=HEAD)
    status = replace(preview.status, observed=observed, services=services, phase=Phase.IDLE, **changes)
    return replace(preview, status=status)


def sleeper(name: str, since: float = 0, **of: Any) -> Preview:
    """Return a Preview that holds a slot and sleeps since then."""
    return with_services(holder(name, **of), service(since=since))


def evicting(previews: int = 2, **limits: Any) -> Callable[[Preview], SlotLimits]:
    """Return limits under which what sleeps gives way."""
    return always(previews=previews, evicts_idle=True, **limits)


def giving_way(
    everybody: Sequence[Preview], bounds: Callable[[Preview], SlotLimits], minutes: float = _HOUR
) -> set[str]:
    """Return who gives way so many minutes after the beginning; each of them says the same of itself."""
    slots, now = Slots(bounds), after(minutes)
    found = slots.giving_way(everybody, now)
    assert found == {one.name for one in everybody if Slots(bounds).gives_way(one, everybody, now)}
    return found


# Who gives way


def test_who_has_slept_for_longest_gives_way_to_one_that_waits() -> None:
    everybody = [sleeper("gh-1-1", since=9), sleeper("gh-1-2", since=3), waiter("gh-1-9")]

    assert giving_way(everybody, evicting()) == {"gh-1-2"}


def test_a_flood_of_one_repository_ends_its_own_that_sleep_first() -> None:
    flood = [sleeper("gh-1-1", since=9), *(holder(f"gh-1-{i}", author=i) for i in range(2, 5))]
    theirs = sleeper("gh-2-1", since=1, author=7)
    waits = waiter("gh-1-9", author=9)

    assert giving_way([*flood, theirs, waits], evicting(5)) == {"gh-1-1"}
    # In one repository it is the same with authors.
    here = [sleeper("gh-1-5", since=9, author=3), holder("gh-1-6", author=3), sleeper("gh-1-7", author=4)]
    assert giving_way([*here, waits], evicting(3)) == {"gh-1-5"}


def test_each_of_those_that_wait_takes_one() -> None:
    everybody = [sleeper(f"gh-1-{i}", since=i) for i in range(1, 4)]
    everybody += [waiter("gh-1-8"), waiter("gh-1-9")]

    assert giving_way(everybody, evicting(3)) == {"gh-1-1", "gh-1-2"}


@pytest.mark.parametrize(
    "everybody",
    [
        [sleeper("gh-1-1"), sleeper("gh-1-2")],
        [sleeper("gh-1-1"), waiter("gh-1-9")],
        [holder("gh-1-1"), holder("gh-1-2"), waiter("gh-1-9")],
        [sleeper("gh-1-1", since=_HOUR - 9), holder("gh-1-2"), waiter("gh-1-9")],
        [sleeper("gh-1-1"), holder("gh-1-2"), waiter("gh-1-9", last_error="GitHub: 403")],
    ],
    ids=[
        "nobody waits",
        "there is a free slot",
        "nobody sleeps",
        "it has slept for less than ten minutes",
        "whoever waits could not use a slot now",
    ],
)
def test_nobody_gives_way_where(everybody: list[Preview]) -> None:
    assert giving_way(everybody, evicting()) == set()


def test_nobody_gives_way_unless_the_settings_say_so() -> None:
    everybody = [sleeper("gh-1-1"), sleeper("gh-1-2"), waiter("gh-1-9")]

    assert giving_way(everybody, always(previews=2)) == set()


def test_one_that_is_on_its_way_out_already_makes_room_enough() -> None:
    ended = Lifecycle(ended=Ended(Reason.GAVE_WAY, NOW))
    going = with_services(holder("gh-1-1"), service(), lifecycle=ended)

    assert giving_way([going, sleeper("gh-1-2"), waiter("gh-1-9")], evicting()) == set()
    both = [going, sleeper("gh-1-2"), waiter("gh-1-8"), waiter("gh-1-9")]
    assert giving_way(both, evicting()) == {"gh-1-2"}


def test_for_a_limit_that_was_lowered_nothing_ends() -> None:
    everybody = [*(sleeper(f"gh-1-{i}") for i in range(4)), waiter("gh-1-9")]

    assert giving_way(everybody, evicting(3)) == set()


def test_no_more_than_some_go_at_once() -> None:
    everybody = [sleeper(f"gh-1-{i}") for i in range(100, 150)]
    everybody += [waiter(f"gh-2-{i}") for i in range(200, 250)]

    assert len(giving_way(everybody, evicting(50))) == MOST_AT_ONCE


# Whose own limit is reached, takes the place of one that counts towards the same limit


@pytest.mark.parametrize(
    ("bounds", "mine", "others"),
    [
        ({"repository": 1}, sleeper("gh-1-1", since=9), sleeper("gh-2-1", author=2)),
        ({"author": 1}, sleeper("gh-2-1", since=9), sleeper("gh-1-1", author=2)),
        ({"agent": 1}, sleeper("gh-2-1", since=9, author=3, agent="Copilot"), sleeper("gh-1-2", author=2)),
    ],
    ids=["repository", "author", "agent"],
)
def test_of_its_own_limit_only_a_sleeper_helps_that_counts_towards_it(
    bounds: dict[str, int], mine: Preview, others: Preview
) -> None:
    waits = waiter("gh-1-9", author=1, agent="Copilot" if "agent" in bounds else "")

    assert giving_way([mine, others, waits], evicting(9, **bounds)) == {mine.name}
    assert giving_way([others, waits], evicting(9, **bounds)) == set()


def test_one_that_would_have_to_wait_all_the_same_takes_nothing() -> None:
    # Its author's limit and its repository's are both reached, by previews of which neither is both.
    sleepers = [sleeper("gh-1-1", author=2), sleeper("gh-2-1", author=1)]
    waits = waiter("gh-1-9", author=1)

    assert giving_way([*sleepers, waits], evicting(9, repository=1, author=1)) == set()


# What sleeps


@pytest.mark.parametrize(
    ("services", "since"),
    [
        ([service()], 0),
        ([service(since=1), service(since=5, name="pricing")], 5),
        ([service(), service(Phase.READY, name="pricing")], None),
        ([service(), service(Phase.FAILED, sha="", name="pricing")], None),
        ([service(sha=OLDER)], None),
        ([service(Phase.AWAITING_IMAGE, sha=OLDER)], None),
        ([], None),
    ],
    ids=["one", "since the last did", "one is awake", "one failed", "an older commit", "a build", "nothing"],
)
def test_a_preview_sleeps_since_the_last_of_its_services_does(
    services: list[Service], since: float | None
) -> None:
    preview = with_services(holder("gh-1-1"), *services)

    assert asleep_since(preview.status) == (None if since is None else after(since))


def test_what_may_not_be_looked_at_is_not_on_its_way_out() -> None:
    ended = Lifecycle(ended=Ended(Reason.TIME_UP, NOW))
    going = with_services(holder("gh-1-1"), service(), lifecycle=ended).status

    assert is_leaving(replace(going, reason=Reason.REMOVAL_STALLED))
    assert not is_leaving(replace(going, reason=Reason.REMOVAL_FORBIDDEN))


def test_it_is_asked_once_it_has_slept_for_long_enough_and_not_again_and_again() -> None:
    status = sleeper("gh-1-1").status
    due = until_rested(status, NOW)

    assert due is not None
    # An answer about the line may be half a minute old.
    assert RESTED + timedelta(seconds=30) < timedelta(seconds=due) < RESTED + timedelta(minutes=1)
    assert until_rested(status, NOW + timedelta(seconds=due)) is None
    assert until_rested(holder("gh-1-1").status, NOW) is None


# Always


_PREVIEWS = st.lists(
    st.tuples(
        st.sampled_from(["awake", "asleep", "waits"]),
        st.integers(1, 3),
        st.integers(1, 3),
        st.integers(0, 40),
    ),
    max_size=12,
)


@given(_PREVIEWS, st.integers(1, 6), st.integers(1, 3), st.integers(1, 3))
def test_whoever_gives_way_sleeps_and_as_many_more_get_a_slot(
    those: list[tuple[str, int, int, int]], previews: int, repository: int, author: int
) -> None:
    make = {"awake": holder, "asleep": sleeper, "waits": waiter}
    everybody = [
        make[kind](f"gh-{repo}-{i}", since=since, author=by)
        for i, (kind, repo, by, since) in enumerate(those)
    ]
    bounds = evicting(previews, repository=repository, author=author)
    gone = giving_way(everybody, bounds)

    asleep = {one.name for one, (kind, *_) in zip(everybody, those, strict=True) if kind == "asleep"}
    assert gone <= asleep
    left = [one for one in everybody if one.name not in gone]
    assert _granted(left, bounds) - _granted(everybody, bounds) >= len(gone)
    # Asked again at once, nobody else goes for the same ones.
    ended = Lifecycle(ended=Ended(Reason.GAVE_WAY, NOW))
    going = [
        replace(one, status=replace(one.status, lifecycle=ended)) if one.name in gone else one
        for one in everybody
    ]
    assert len(giving_way(going, bounds)) + len(gone) <= sum(kind == "waits" for kind, *_ in those)


def _granted(everybody: Sequence[Preview], bounds: Callable[[Preview], SlotLimits]) -> int:
    """Return how many of those that wait get a slot, one after the other."""
    everybody, count = list(everybody), 0
    while True:
        taker = next(
            (
                one
                for one in everybody
                if not one.status.slot.held and Slots(bounds).grant(one, everybody, after(_HOUR)).granted
            ),
            None,
        )
        if taker is None:
            return count
        slot = replace(taker.status.slot, held=True, held_since=after(_HOUR))
        held = replace(taker, status=replace(taker.status, slot=slot))
        everybody = [held if one is taker else one for one in everybody]
        count += 1


def test_the_settings_say_whether() -> None:
    told = parse({**SETTINGS, "limits": {"evict": "idle"}}, {})
    untold = parse(SETTINGS, {})

    assert slot_limits_of(told, "acme/shop").evicts_idle
    assert not slot_limits_of(untold, "acme/shop").evicts_idle
