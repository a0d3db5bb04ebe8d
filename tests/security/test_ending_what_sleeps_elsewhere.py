"""Attack: open many pull requests in one repository, so that what sleeps in all others ends for them."""

from __future__ import annotations

from previewbot.rules.slots import Slots
from tests.support.slots import after, always, holder, waiter
from tests.unit.test_eviction import sleeper


def test_a_flood_ends_what_sleeps_of_its_own_before_anything_of_others() -> None:
    flood = [sleeper(f"gh-1-{i}", since=100, author=1) for i in range(1, 11)]
    theirs = [sleeper(f"gh-2-{i}", since=i, author=2) for i in range(1, 4)]
    waiting = [waiter(f"gh-1-{i}", author=1) for i in range(20, 27)]
    slots = Slots(always(previews=13, evicts_idle=True))

    gone = slots.giving_way([*flood, *theirs, *waiting], after(200))

    assert gone <= {one.name for one in flood}
    assert len(gone) == len(waiting)


def test_a_flood_ends_nothing_of_others_beyond_its_own_repositorys_limit() -> None:
    theirs = [sleeper(f"gh-2-{i}", since=i, author=2) for i in range(1, 4)]
    flood = [holder(f"gh-1-{i}", author=i) for i in range(10, 15)]
    waiting = [waiter(f"gh-1-{i}", author=i) for i in range(20, 40)]
    slots = Slots(always(previews=8, repository=5, evicts_idle=True))

    assert slots.giving_way([*theirs, *flood, *waiting], after(200)) == set()
