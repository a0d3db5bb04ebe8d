"""Buttons of a check, from the request in the cluster to what comes of it: once, by whom, in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from previewbot.api import Phase, Reason, Reply
from previewbot.api.github import Account
from previewbot.errors import TryLater
from previewbot.reconciler.plan.presses import KEPT_FOR, MOST_WAITING, ORPHAN_AFTER, taken
from previewbot.text.checks import answers_on_the_page, answers_to_presses
from tests.support.passes import B, World, ready
from tests.support.previews import OLDER

EVE = Account(66, "eve")


def answers(world: World) -> list[Reply]:
    return [reply for reply in world.status.replies if reply.place]


def open_for(world: World) -> timedelta:
    lifecycle = world.status.lifecycle
    assert lifecycle.expires_at is not None
    assert lifecycle.ready_at is not None
    return lifecycle.expires_at - lifecycle.ready_at


async def test_a_press_is_carried_out_once_and_answered_in_no_comment() -> None:
    world = await ready()
    world.press("extend")
    await world.settle(8)

    assert open_for(world) == timedelta(hours=10)
    [answer] = answers(world)
    assert (answer.author, answer.command, answer.reaction) == ("ann", "extend", "rocket")
    assert (answer.words, answer.place) == ("extended", 9001)
    assert world.answers == []
    assert world.github.reacted == []


@pytest.mark.parametrize("poke", [True, False], ids=["poked", "poke lost"])
async def test_stop_and_start_do_what_the_commands_do(poke: bool) -> None:
    world = await ready()
    world.press("stop", poke=poke)
    await world.settle(8)

    assert (world.status.phase, world.status.reason) == (Phase.STOPPED, Reason.BY_COMMAND)
    assert world.status.lifecycle.ended is not None
    assert world.status.lifecycle.ended.by == "ann"
    assert [each.reaction for each in answers(world)] == ["rocket"]

    world.press("start", poke=poke)
    await world.settle(12)
    assert world.status.phase is Phase.READY
    assert [each.reaction for each in answers(world)] == ["rocket", "rocket"]


async def test_presses_are_taken_in_the_order_in_which_they_were_made() -> None:
    world = await ready()
    for asked in ("stop", "start", "stop"):
        world.press(asked, poke=False)
    world.poke()
    await world.settle(12)

    assert world.status.phase is Phase.STOPPED


async def test_who_may_not_write_is_refused_when_it_is_taken_whatever_web_knew() -> None:
    world = await ready()
    world.github.permissions["eve"] = "read"
    world.press("stop", EVE)
    await world.settle(6)

    assert world.status.phase is Phase.READY
    [answer] = answers(world)
    assert (answer.words, answer.reaction) == ("not-allowed", "confused")
    assert world.answers == []


async def test_a_delivery_that_comes_again_is_the_same_press_also_after_a_restart() -> None:
    world = await ready()
    world.press("extend", delivery="d-1")
    await world.settle(6)
    world.restart()
    world.press("extend", delivery="d-1")
    await world.settle(6)

    assert open_for(world) == timedelta(hours=10)


async def test_a_press_is_kept_for_an_hour_with_its_preview_as_owner_and_then_forgotten() -> None:
    world = await ready()
    ask = world.press("extend")
    await world.settle(6)
    assert world.cluster.preview is not None
    owner = world.cluster.requests[ask.name]["metadata"]["ownerReferences"][0]
    assert owner["uid"] == world.cluster.preview["metadata"]["uid"]
    assert world.status.requests.handled_of("CheckRun") == (ask.id,)

    world.clock.forward(seconds=KEPT_FOR.total_seconds())
    await world.settle(3)

    assert world.cluster.requests == {}
    assert world.status.requests.handled_of("CheckRun") == ()
    assert [each.words for each in answers(world)] == ["extended"]


async def test_what_the_watch_does_not_show_is_removed_before_it_is_forgotten() -> None:
    world = await ready()
    ask = world.press("extend")
    await world.settle(6)
    shown = world.cluster.requests.pop(ask.name)
    world.calls.failures["delete previewrequests"] = TryLater("Kubernetes", status=503)
    await world.settle(3)
    # As long as it may be there its number stays, so that it cannot be taken again.
    world.cluster.requests[ask.name] = shown
    await world.settle(3)
    assert open_for(world) == timedelta(hours=10)

    del world.calls.failures["delete previewrequests"]
    world.clock.forward(seconds=KEPT_FOR.total_seconds())
    await world.settle(3)
    assert world.cluster.requests == {}


async def test_start_at_the_check_of_an_older_commit_is_refused_and_stop_is_not() -> None:
    world = await ready()
    world.press("stop", at=OLDER)
    await world.settle(8)
    assert world.status.phase is Phase.STOPPED

    world.press("start", at=OLDER)
    await world.settle(8)
    assert world.status.phase is Phase.STOPPED
    assert answers(world)[-1].words == "button-of-older-commit"


async def test_a_button_starts_no_commit_of_a_fork() -> None:
    world = World()
    world.github.fork = True
    world.poke()
    await world.settle(4)
    world.press("start")
    await world.settle(6)

    assert world.status.lifecycle.approved_sha == ""
    assert answers(world)[-1].words == "fork-through-button"


async def test_of_many_presses_at_once_the_first_count_and_nobody_is_asked_about_for_each() -> None:
    world = await ready()
    world.github.asked_about.clear()
    for _ in range(MOST_WAITING + 3):
        world.press("extend", poke=False)
    world.poke()
    await world.settle(6)

    assert open_for(world) == timedelta(hours=8 + 2 * MOST_WAITING)
    assert answers(world)[-1].words == "too-many-presses"
    assert world.github.asked_about.count("ann") == 1
    assert len(world.status.requests.handled_of("CheckRun")) == MOST_WAITING + 3


async def test_a_press_with_nobody_to_take_it_is_removed_after_a_while() -> None:
    world = await ready()
    world.close()
    await world.settle(8)
    assert world.cluster.preview is None
    world.press("start", poke=False)
    await world.run()
    assert len(world.cluster.requests) == 1
    assert world.outcome.requeue_after is not None

    world.clock.forward(seconds=ORPHAN_AFTER.total_seconds())
    await world.run()
    assert world.cluster.requests == {}


async def test_a_press_of_an_earlier_preview_is_not_taken_by_the_next() -> None:
    world = await ready()
    ask = world.press("extend")
    await world.settle(6)
    taken = world.cluster.requests[ask.name]
    world.cluster.preview = None
    world.restart()
    world.poke()
    assert world.cluster.requests == {ask.name: taken}
    await world.settle(10)

    assert open_for(world) == timedelta(hours=8)


async def test_what_nobody_can_read_keeps_nothing_waiting() -> None:
    world = await ready()
    ask = world.press("stop", poke=False)
    broken = world.cluster.requests.pop(ask.name)
    broken["spec"]["asked"] = "merge"
    world.cluster.requests[ask.name] = broken
    world.press("extend")
    await world.settle(6)

    assert world.status.phase is Phase.READY
    assert open_for(world) == timedelta(hours=10)
    world.clock.forward(seconds=KEPT_FOR.total_seconds())
    await world.settle(3)
    assert world.cluster.requests == {}


async def test_an_account_about_which_github_says_nothing_keeps_no_other_waiting() -> None:
    world = await ready()
    ask = world.github.permission
    silent = {"eve"}

    async def of_few(repository: str, login: str, account: int = 0) -> str:
        if login in silent:
            raise TryLater("GitHub", status=500)
        return await ask(repository, login, account)

    world.github.permission = of_few  # type: ignore[method-assign]
    world.press("stop", EVE, poke=False)
    world.press("extend")
    await world.settle(4)
    assert open_for(world) == timedelta(hours=10)
    assert world.status.lifecycle.ended is None

    silent.clear()
    await world.settle(10)
    assert world.status.phase is Phase.STOPPED


async def test_the_check_says_who_pressed_what_and_what_came_of_it() -> None:
    world = await ready(World(check="on"))
    world.press("extend")
    await world.settle(6)
    (run,) = world.github.checks.of(world.github.head_sha)
    assert "ann pressed `2 h longer`:" in run.said[-1].output.summary
    assert "stays open until" in run.said[-1].output.summary

    world.github.permissions["eve"] = "read"
    world.press("stop", EVE)
    await world.settle(6)
    assert "eve pressed a button:" in run.said[-1].output.summary
    assert "needs write access" in run.said[-1].output.summary


async def test_what_is_pressed_at_an_older_commits_check_is_answered_there() -> None:
    world = await ready(World(check="on"))
    older = world.github.head_sha
    world.push(B)
    await world.settle(12)
    world.press("start", at=older)
    await world.settle(6)

    (of_older,), (newest,) = world.github.checks.of(older), world.github.checks.of(B)
    assert of_older.said[-1].output.title == "A newer commit is there"
    assert "Press it at the newest one" in of_older.said[-1].output.summary
    assert of_older.said[-1].actions == ()
    assert "pressed" not in newest.said[-1].output.summary
    said = len(of_older.said)
    await world.settle(6)
    assert len(of_older.said) == said


@pytest.mark.parametrize("merged", [False, True], ids=["closed", "merged"])
async def test_what_is_pressed_after_the_pull_request_is_closed_is_answered_and_starts_nothing(
    merged: bool,
) -> None:
    world = await ready(World(check="on"))
    world.github.merged = merged
    world.close()
    await world.settle(8)
    assert world.cluster.preview is None
    (run,) = world.github.checks.of(world.github.head_sha)
    world.press("start")
    await world.settle(8)

    assert world.cluster.preview is None
    assert (world.cluster.sessions, world.cluster.requests) == ({}, {})
    said = run.said[-1].output
    assert "ann pressed `Start`:" in said.summary
    assert ("is merged" if merged else "is closed") in said.summary
    assert run.said[-1].actions == ()
    assert world.github.checks.of(world.github.head_sha) == [run]


async def test_a_request_made_by_hand_has_no_other_pull_requests_check_changed() -> None:
    world = await ready(World(check="on"))
    theirs = replace(world.github.checks.runs[9001].said[0], external_id="gh-812-43")
    number = await world.github.checks.create("acme/shop", OLDER, theirs)
    world.press("start", at=OLDER)
    await world.settle(6)
    world.clock.forward(minutes=1)
    await world.settle(6)

    assert world.github.checks.runs[number].said == [theirs]
    assert world.github.checks.asked.count("own checks") <= 4


@pytest.mark.parametrize("ahead", [-300, 0, 300], ids="GitHub's clock is {} s ahead".format)
@pytest.mark.parametrize("late", ["comment", "press"])
async def test_what_was_asked_for_before_a_newer_order_and_comes_late_is_overtaken(
    late: str, ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, silent = await ready(), {"eve"}
    world.github.ahead = timedelta(seconds=ahead)
    permission = world.github.permission

    async def of_few(repository: str, login: str, account: int = 0) -> str:
        if login in silent:
            raise TryLater("GitHub", status=500)
        return await permission(repository, login, account)

    monkeypatch.setattr(world.github, "permission", of_few)
    if late == "comment":
        hidden = world.say("/preview start")
        world.github.hidden.add(hidden)
    else:
        world.press("start", EVE)
    world.clock.forward(seconds=10)
    await world.settle(3)
    if late == "comment":
        world.press("stop")
    else:
        world.say("/preview stop")
    await world.settle(8)
    assert world.status.phase is Phase.STOPPED
    world.github.hidden.clear()
    silent.clear()
    world.clock.forward(minutes=2)
    world.poke()
    await world.settle(8)

    assert world.status.phase is Phase.STOPPED
    told = [each.words for each in answers(world)] + world.answers
    assert any("overtaken" in each or "newer command" in each for each in told)


@pytest.mark.parametrize("ahead", [-300, 0, 300], ids="GitHub's clock is {} s ahead".format)
@pytest.mark.parametrize("first", ["comment", "press"])
async def test_what_is_asked_for_last_counts_however_clocks_differ(first: str, ahead: int) -> None:
    world = await ready()
    world.github.ahead = timedelta(seconds=ahead)
    for asked in ("stop", "start", "stop"):
        # In one look, and each in a look of its own.
        if (first == "comment") is (asked == "stop"):
            world.say(f"/preview {asked}")
        else:
            world.press(asked, poke=False)
        world.clock.forward(seconds=3)
    world.poke()
    await world.settle(8)
    phases = [world.status.phase]
    for _ in range(2):
        world.press("start")
        await world.settle(8)
        phases.append(world.status.phase)
        world.say("/preview stop")
        await world.settle(8)
        phases.append(world.status.phase)

    assert phases == [Phase.STOPPED, *[Phase.READY, Phase.STOPPED] * 2]


async def test_a_check_that_is_run_again_is_written_again_though_it_says_the_same() -> None:
    world = await ready(World(check="on"))
    for times in (1, 2):
        world.press("start")
        await world.settle(6)
        (run,) = world.github.checks.of(world.github.head_sha)
        assert run.said[-1].output.summary.count("pressed `Start`") == times
    said = len(run.said)
    world.press("start")
    await world.settle(6)
    world.press("start")
    await world.settle(6)

    assert len(run.said) == said + 2


async def test_two_people_who_press_at_once_are_each_answered_and_the_last_one_counts() -> None:
    world = await ready(World(check="on"))
    world.press("extend", poke=False)
    world.press("stop", EVE, poke=False)
    world.poke()
    await world.settle(8)

    assert world.status.phase is Phase.STOPPED
    assert [(each.author, each.command) for each in answers(world)] == [("ann", "extend"), ("eve", "stop")]
    (run,) = world.github.checks.of(world.github.head_sha)
    summary = run.said[-1].output.summary
    assert "ann pressed `2 h longer`" in summary and "eve pressed `Stop`" in summary


# On the preview's page


def on_page(world: World) -> list[Reply]:
    return list(answers_on_the_page(world.status))


async def test_a_press_on_the_page_is_carried_out_once_and_answered_there_and_in_no_check() -> None:
    world = await ready()
    ask = world.press("extend", page=True)
    await world.settle(8)
    world.press("extend", page=True, delivery=ask.source.delivery_id)
    await world.settle(8)

    assert open_for(world) == timedelta(hours=10)
    [answer] = on_page(world)
    assert (answer.author, answer.command, answer.reaction, answer.place) == ("ann", "extend", "rocket", 0)
    assert answers_to_presses(world.status) == ()
    assert (world.answers, world.github.reacted) == ([], [])
    assert taken(world.status) == (ask.id,)


async def test_a_press_on_the_page_is_forgotten_after_an_hour_as_one_of_a_check_is() -> None:
    world = await ready()
    world.press("extend", page=True)
    world.press("extend")
    await world.settle(8)
    assert open_for(world) == timedelta(hours=12)

    world.clock.forward(seconds=KEPT_FOR.total_seconds())
    await world.settle(3)

    assert world.cluster.requests == {}
    assert taken(world.status) == ()


@pytest.mark.parametrize("asked", ["restart", "stop"])
async def test_orders_of_the_page_do_what_the_commands_do(asked: str) -> None:
    world = await ready()
    [before] = world.cluster.sessions.values()
    world.press(asked, page=True)
    await world.settle(16)

    assert [each.reaction for each in on_page(world)] == ["rocket"]
    if asked == "stop":
        assert (world.status.phase, world.status.reason) == (Phase.STOPPED, Reason.BY_COMMAND)
    else:
        [after] = world.cluster.sessions.values()
        assert world.status.phase is Phase.READY
        assert after["metadata"]["uid"] != before["metadata"]["uid"]


@pytest.mark.parametrize("asked", ["start", "restart"])
async def test_of_an_older_commit_the_page_starts_nothing(asked: str) -> None:
    world = await ready()
    world.press("stop", page=True)
    await world.settle(8)
    world.press(asked, page=True, at=OLDER)
    await world.settle(8)

    assert world.status.phase is Phase.STOPPED
    assert on_page(world)[-1].words == "button-of-older-commit"


@pytest.mark.parametrize("asked", ["start", "restart"])
async def test_the_page_starts_no_commit_of_a_fork(asked: str) -> None:
    world = World()
    world.github.fork = True
    world.poke()
    await world.settle(4)
    world.press(asked, page=True)
    await world.settle(6)

    assert world.status.lifecycle.approved_sha == ""
    assert on_page(world)[-1].words == "fork-through-button"


@pytest.mark.parametrize("asked", ["start", "stop", "restart", "reset", "extend"])
async def test_who_may_not_write_is_refused_on_the_page_whatever_pages_knew(asked: str) -> None:
    world = await ready()
    before = world.status.lifecycle
    world.github.permissions["eve"] = "read"
    world.press(asked, EVE, page=True)
    await world.settle(6)

    assert (world.status.phase, world.status.lifecycle) == (Phase.READY, before)
    [answer] = on_page(world)
    assert (answer.words, answer.reaction) == ("not-allowed", "confused")
    assert world.answers == []


async def test_a_reset_on_the_page_of_a_preview_without_databases_says_so_there() -> None:
    world = await ready()
    world.press("reset", page=True)
    await world.settle(6)

    assert [each.words for each in on_page(world)] == ["no-databases"]


@pytest.mark.parametrize("readers_may_extend", [True, False])
@pytest.mark.parametrize("level", ["read", "none"])
async def test_who_only_reads_may_give_it_more_time_where_the_settings_say_so(
    level: str, readers_may_extend: bool
) -> None:
    world = await ready(World(sign_in={"readers_may_extend": readers_may_extend}))
    world.github.permissions["eve"] = level
    world.press("extend", EVE, page=True)
    await world.settle(6)

    may = readers_may_extend and level == "read"
    assert open_for(world) == timedelta(hours=10 if may else 8)
    assert [each.words for each in on_page(world)] == ["extended" if may else "not-allowed"]


async def test_who_only_reads_may_do_so_on_the_page_alone_and_nothing_else_there() -> None:
    world = await ready(World(sign_in={"readers_may_extend": True}))
    world.github.permissions["eve"] = "read"
    world.press("extend", EVE)
    for asked in ("stop", "start", "restart", "reset"):
        world.press(asked, EVE, page=True)
    await world.settle(8)

    assert (world.status.phase, open_for(world)) == (Phase.READY, timedelta(hours=8))
    assert {each.reaction for each in world.status.replies} == {"confused"}
