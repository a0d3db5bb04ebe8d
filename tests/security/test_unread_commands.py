"""Strangers bury a pull request under commands: whoever may write is obeyed all the same, and in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from previewbot.api import Phase, Reason
from previewbot.api.github import Account
from previewbot.errors import Forbidden, QuotaKept, RemoteError, TryLater
from previewbot.reconciler import Outcome
from tests.support.github_script import in_turn
from tests.support.github_town import github_town
from tests.support.passes import World, ready

LOOKUPS = 25
"""So many of a kind a look may ask about, whatever was written."""


def bury(world: World, commands: int, login: str = "stranger-{}") -> None:
    """Write commands as so many people without write access."""
    world.clock.forward(seconds=1)
    for number in range(commands):
        name = login.format(number)
        world.github.permissions[name] = "read"
        world.github.say("/preview stop", name)
    world.poke()


async def drain(world: World, most: int = 400) -> int:
    """Make passes for as long as another is due at once; return how many it took."""
    for number in range(1, most + 1):
        outcome = await world.run()
        if outcome.requeue_after is None or outcome.requeue_after > 1:
            return number
        world.clock.forward(seconds=outcome.requeue_after)
    raise AssertionError(f"another pass is due at once after {most}")


def answer_slowly(world: World) -> None:
    """Let GitHub take three seconds to say who somebody is."""
    permission = world.github.permission

    async def slowly(repository: str, login: str, account: int = 0) -> str:
        world.clock.forward(seconds=3)
        return await permission(repository, login, account)

    world.github.permission = slowly  # type: ignore[method-assign]


def stopped(world: World) -> bool:
    ended = world.status.lifecycle.ended
    return ended is not None and (ended.reason, ended.by) == (Reason.BY_COMMAND, "ann")


@pytest.mark.parametrize("commands", [600, 5_000])
async def test_a_members_stop_behind_unread_commands_is_obeyed_in_the_next_look(commands: int) -> None:
    world = await ready()
    bury(world, commands)
    world.github.say("/preview stop", "ann", "MEMBER")
    outcome = await world.run()

    assert stopped(world)
    assert world.github.asked_about[0] == "ann"
    assert len(world.github.asked_about) <= 1 + LOOKUPS
    # The rest is not forgotten: the next look is due at once.
    assert outcome.requeue_after is not None and outcome.requeue_after < 1


async def test_six_hundred_unread_commands_do_not_wedge_a_pull_request() -> None:
    world = await ready()
    bury(world, 600)
    passes = await drain(world)

    assert passes <= 600 // LOOKUPS + 5
    assert len(world.github.asked_about) == 600
    assert (world.status.phase, world.outcome.error) == (Phase.READY, None)
    assert len(world.status.requests.handled) <= 50


async def test_five_thousand_unread_commands_of_one_stranger_are_gone_through_in_one_look() -> None:
    world = await ready()
    bury(world, 5_000, "mallory")
    await drain(world, 4)

    assert world.github.asked_about == ["mallory"]
    assert world.status.requests.newest_comment >= 5_500
    assert len(world.status.requests.handled) <= 50


async def test_what_is_remembered_of_many_commands_does_not_grow_while_others_are_left() -> None:
    world = await ready()
    world.github.permissions["mallory"] = "read"
    for number in range(40):
        for _ in range(50):
            world.github.say("/preview help", "mallory")
        bury(world, 1, f"stranger-{number}")
    most = 0
    for _ in range(10):
        await world.run()
        world.clock.forward(seconds=0.2)
        most = max(most, len(world.status.requests.handled))

    assert most <= 50
    assert len(set(world.github.asked_about)) == 41


async def test_an_account_about_which_github_refuses_to_tell_keeps_nobody_from_being_obeyed() -> None:
    async with github_town() as town:
        path = "/repos/acme/shop/collaborators/mallory/permission"
        town.script.on("GET", path, *in_turn(404, 422, 451))

        found = [await town.client.permission("acme/shop", "mallory") for _ in range(3)]

    assert found == ["none"] * 3


async def test_who_was_found_to_have_write_access_before_is_asked_about_first() -> None:
    world = await ready()
    world.say("/preview status")
    await drain(world)
    bury(world, 600)
    world.say("/preview stop")
    await world.run()

    assert stopped(world)


async def test_a_writer_who_looks_like_a_stranger_is_obeyed_once_it_is_their_turn() -> None:
    world = await ready()
    bury(world, 200)
    world.say("/preview stop")
    await drain(world)

    assert stopped(world)


async def test_who_only_looks_like_a_member_stops_nothing() -> None:
    world = await ready()
    world.github.permissions["reader"] = "read"
    world.github.say("/preview stop", "reader", "COLLABORATOR")
    world.poke()
    await drain(world)

    assert world.status.phase is Phase.READY


async def test_however_slowly_github_answers_a_look_has_an_end_and_the_next_goes_on() -> None:
    world = await ready()
    answer_slowly(world)
    bury(world, 30)
    await world.run()
    assert len(world.github.asked_about) <= 5

    await drain(world)
    assert len(world.github.asked_about) == 30


async def test_members_without_rights_and_a_slow_github_hold_up_nothing_for_good() -> None:
    """Their answers come after a stranger's that is older, so each look must find out who that one is."""
    world = await ready()
    answer_slowly(world)
    bury(world, 1)
    for number in range(10):
        world.github.permissions[f"reader-{number}"] = "read"
        world.github.say("/preview stop", f"reader-{number}", "MEMBER")
    await drain(world, 20)

    assert len(set(world.github.asked_about)) == 11


async def test_after_a_restart_nothing_that_was_left_is_lost() -> None:
    world = await ready()
    bury(world, 60)
    world.say("/preview stop")
    await world.run()
    assert not stopped(world)
    world.restart()
    world.clock.forward(hours=1)
    await drain(world)

    assert stopped(world)


async def test_an_older_start_that_is_read_late_does_not_undo_a_newer_stop() -> None:
    world = await ready()
    bury(world, 60)
    late = world.github.say("/preview restart", "carla")
    world.github.say("/preview stop", "ann", "MEMBER")
    world.poke()
    await drain(world)
    await world.settle()

    assert stopped(world)
    (told,) = [body for body in world.github.own_comments() if f"reply-to={late} " in body]
    assert "A newer command was read before this one" in told


async def test_what_strangers_left_waits_for_the_next_hour_while_members_are_obeyed() -> None:
    world = await ready()
    world.github.kept = QuotaKept("GitHub", status=429, after=1_800.0)
    bury(world, 60)
    world.github.say("/preview stop", "ann", "MEMBER")
    outcome = await world.run()

    assert stopped(world)
    assert (world.github.asked_about, outcome.error) == (["ann"], None)
    await world.settle(6)
    assert world.github.asked_about == ["ann"]
    world.github.kept = None
    world.clock.forward(seconds=1_800)
    await drain(world)
    assert len(world.github.asked_about) == 61


async def test_where_nothing_triggers_a_preview_all_is_read_before_it_goes() -> None:
    world = World()
    world.github.labels = ()
    bury(world, 60)
    world.say("/preview start")
    await drain(world)
    await world.settle()

    assert world.status.phase is Phase.READY


# Whatever the order and the sizes


@dataclass(frozen=True)
class Writes:
    """A command: who writes it, and which of them."""

    who: str
    words: str


PEOPLE: dict[str, tuple[str, str]] = {
    "member": ("MEMBER", "write"),
    "owner": ("OWNER", "admin"),
    "hidden": ("NONE", "write"),
    "reader": ("COLLABORATOR", "read"),
    "mallory": ("NONE", "none"),
    "eve": ("CONTRIBUTOR", "read"),
}
"""What each looks like, and what each may do."""


class Killed(BaseException):
    """The controller ends here."""


_MORE_LOOKS = 5
"""So many more looks are made when all is done, and as many a while later."""


def conversations(*words: str) -> st.SearchStrategy[list[Writes]]:
    return st.lists(st.builds(Writes, st.sampled_from(sorted(PEOPLE)), st.sampled_from(words)), max_size=25)


async def lived(written: list[Writes], lookups: int, at_a_time: int, kept: int, crashes: set[int]) -> World:
    """Let people write all this, read it in such portions, and die before or after some writes."""
    world = await ready()
    put, writes = world.cluster.put_status, 0

    async def dies(obj: Any) -> dict[str, Any]:
        nonlocal writes
        writes += 1
        if writes in crashes and writes % 2:
            raise Killed
        stored = await put(obj)
        if writes in crashes:
            raise Killed
        return stored

    world.cluster.put_status = dies  # type: ignore[method-assign]
    for each in written:
        association, permission = PEOPLE[each.who]
        world.github.permissions[each.who] = permission
        world.github.say(each.words, each.who, association)
    world.poke()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("previewbot.reconciler.gather.writers._LOOKUPS", lookups)
        patch.setattr("previewbot.reconciler.plan.turns.CARRIED_OUT_AT_A_TIME", at_a_time)
        patch.setattr("previewbot.reconciler.plan.turns._OUT_OF_ORDER", 2 * kept)
        patch.setattr("previewbot.reconciler.plan.inbox._HANDLED_KEPT", kept)
        done = 0
        for _ in range(80):
            done = done + 1 if await _is_done(world) else 0
            # Some more looks than are due: nothing is carried out by them a second time.
            world.clock.forward(seconds=15 if done == _MORE_LOOKS else 0.2)
            if done == 2 * _MORE_LOOKS:
                break
    return world


async def _is_done(world: World) -> bool:
    """Make a pass, which may be the controller's last; return whether no other is due at once."""
    run: Callable[[], Awaitable[Outcome]] = world.run
    try:
        outcome = await run()
    except Killed:
        world.restart()
        return False
    return outcome.error is None and (outcome.requeue_after is None or outcome.requeue_after > 1)


portions = {
    "lookups": st.integers(1, 3),
    "at_a_time": st.integers(1, 4),
    "kept": st.integers(1, 5),
    "crashes": st.sets(st.integers(1, 20), max_size=4),
}


@settings(max_examples=40)
@given(written=conversations("/preview extend 1m"), **portions)
async def test_each_command_of_a_writer_is_carried_out_exactly_once(
    written: list[Writes], lookups: int, at_a_time: int, kept: int, crashes: set[int]
) -> None:
    world = await lived(written, lookups, at_a_time, kept, crashes)

    clock = world.status.lifecycle
    assert clock.expires_at is not None and clock.ready_at is not None
    granted = sum(PEOPLE[each.who][1] in ("write", "admin") for each in written)
    assert clock.expires_at - clock.ready_at == timedelta(hours=8, minutes=granted)


@settings(max_examples=40)
@given(written=conversations("/preview start", "/preview stop", "/preview restart"), **portions)
async def test_the_newest_command_of_a_writer_is_what_counts_in_the_end(
    written: list[Writes], lookups: int, at_a_time: int, kept: int, crashes: set[int]
) -> None:
    world = await lived(written, lookups, at_a_time, kept, crashes)

    orders = [each.words for each in written if PEOPLE[each.who][1] in ("write", "admin")]
    assert (world.status.lifecycle.ended is not None) == (orders[-1:] == ["/preview stop"])


@pytest.mark.parametrize(
    "error",
    [Forbidden("GitHub", status=403), TryLater("GitHub", status=500), RemoteError("GitHub")],
    ids=["forbidden", "a fault", "no sense"],
)
async def test_one_account_of_which_github_says_nothing_keeps_nobody_from_being_obeyed(
    error: RemoteError, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await ready()
    ask = world.github.permission

    async def fails_for_one(repository: str, login: str, account: int = 0) -> str:
        if login == "mallory":
            raise error
        return await ask(repository, login, account)

    monkeypatch.setattr(world.github, "permission", fails_for_one)
    world.say("/preview", Account(666, "mallory"))
    stop = world.say("/preview stop")
    await world.settle(6)

    assert world.serving == []
    assert (stop, "rocket") in world.github.reacted
    assert (await world.run()).error is None


async def test_a_limit_met_while_asking_who_somebody_is_is_no_matter_of_theirs() -> None:
    world = await ready()
    world.fail("permission", by=TryLater("GitHub", status=429, after=90))
    world.say("/preview", Account(666, "mallory"))

    assert (await world.run()).error is not None
