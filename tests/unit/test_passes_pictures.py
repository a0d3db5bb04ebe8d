"""Pictures of a preview, pass by pass: wished for once its link is proven, taken anew, gone with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from previewbot.api import NoPicture, Phase, Pictures, PictureState
from previewbot.config.server.pictures import PicturesSettings
from previewbot.errors import NoAnswer, SettingsError, TryLater, from_status
from previewbot.rules.guard_bearers import Standing, standing
from previewbot.rules.link_answers import FROM_STAGING, Answer
from previewbot.rules.pictures import LEAST_COLOURS, Place, Seen, public_part
from tests.support.guarded import KEYS
from tests.support.passes import A, B, World
from tests.support.worker_of_pictures import SECRET, WorkerInMemory
from tests.unit.test_passes_links import ENTRY, HOST, OURS, guarded

NAME = "gh-812-42"
SET = {"url": "http://pictures:8080", "token_file": "/etc/previewbot/pictures/token"}
PATHS = ENTRY.replace("    ports: [8080]\n", "    ports: [8080]\n    pictures: [/cart, '/a?b=1', /cart]\n", 1)
ROUTES = PATHS.replace("/cart, '/a?b=1', /cart", "'/#/cart', '/#/orders?page=2'")
OPENS = ENTRY.replace("    ports: [8080]\n", "    ports: [8080]\n    open: '/cart?shop=7#/all'\n", 1)
OF_ENTRY = ENTRY.replace("port: 80}", "port: 80, pictures: [/, /about]}")
NONE = ENTRY.replace("    ports: [8080]\n", "    ports: [8080]\n    pictures: []\n", 1)


def begun(folder: Path, configuration: str = ENTRY, **settings: Any) -> tuple[World, WorkerInMemory]:
    world = World(pictures={**SET, **settings})
    worker = WorkerInMemory(folder, world.clock)
    world.worker = worker
    world.github.configuration, world.links.answer = configuration, OURS
    world.restart()
    return world, worker


async def ready(folder: Path, configuration: str = ENTRY, **settings: Any) -> tuple[World, WorkerInMemory]:
    """Return a world whose preview is ready, with a worker of which pictures are wished."""
    world, worker = begun(folder, configuration, **settings)
    await world.settle(8)
    assert world.serving == [A]
    return world, worker


async def waited(world: World, worker: WorkerInMemory, times: int) -> list[int]:
    """Return after how many seconds the worker is asked each time, by the passes that are due."""
    found, last = list[int](), world.clock.now
    for _ in range(100):
        asked = worker.asked
        world.clock.forward(seconds=world.outcome.requeue_after or 3600)
        await world.run()
        if worker.asked > asked:
            found.append(round((world.clock.now - last).total_seconds() / 5) * 5)
            last = world.clock.now
        if len(found) == times:
            break
    return found


def states(world: World) -> set[PictureState]:
    return {each.state for each in world.status.pictures.taken}


async def test_they_are_wished_for_once_the_link_is_proven_and_stand_in_the_status(tmp_path: Path) -> None:
    world, worker = begun(tmp_path)
    world.links.answer = Answer(200, agents=(FROM_STAGING,))
    await world.settle(8)
    assert (worker.asked, world.status.pictures) == (0, Pictures())

    world.links.answer = OURS
    await world.settle(50)
    [wish, *_] = worker.wishes
    assert wish.sha == A
    assert wish.places == (Place("/", f"https://{HOST}/", "https://staging.example.com/"),)
    assert wish.until == world.status.lifecycle.expires_at
    assert states(world) == {PictureState.PENDING}

    worker.seen["/"] = Seen(500, "staging.example.com")
    worker.seen["/"] = Seen(500, HOST)
    assert worker.take() == 4
    world.clock.forward(seconds=60)
    await world.run()
    pictures = world.status.pictures
    assert pictures.sha == A
    assert [(each.side, each.state, each.why, each.answered) for each in pictures.taken[:2]] == [
        ("before", PictureState.REFUSED, NoPicture.OTHER_HOST, 0),
        ("after", PictureState.REFUSED, NoPicture.STATUS, 500),
    ]


@pytest.mark.parametrize(
    ("configuration", "paths"),
    [
        (ENTRY, ["/"]),
        (PATHS, ["/cart", "/a?b=1"]),
        (OF_ENTRY, ["/", "/about"]),
        (NONE, []),
        (ROUTES, ["/#/cart", "/#/orders?page=2"]),
        (OPENS, ["/cart?shop=7#/all"]),
    ],
)
async def test_the_paths_are_those_that_the_file_names_and_are_opened_to_the_letter(
    tmp_path: Path, configuration: str, paths: list[str]
) -> None:
    _, worker = await ready(tmp_path, configuration)

    there = [Place(path, f"https://{HOST}{path}", f"https://staging.example.com{path}") for path in paths]
    assert [list(wish.places) for wish in worker.wishes[:1]] == ([there] if paths else [])


async def test_after_a_restart_of_the_worker_the_next_look_has_them_taken_anew(tmp_path: Path) -> None:
    world, worker = await ready(tmp_path, public=True)
    worker.seen["/"] = Seen(200, HOST, LEAST_COLOURS)
    assert worker.take() == 4
    await world.settle(3)
    assert states(world) == {PictureState.TAKEN, PictureState.REFUSED}
    asked = worker.asked
    assert world.comment.count("<img") == 2
    await world.run()
    assert worker.asked == asked
    assert world.outcome.requeue_after is not None
    assert world.outcome.requeue_after <= 300

    worker.restart()
    world.clock.forward(minutes=5)
    await world.run()
    assert states(world) == {PictureState.AGAIN, PictureState.PENDING}
    worker.seen.clear()
    assert worker.take() == 4
    await world.settle(3)
    assert states(world) == {PictureState.TAKEN}

    # Now none is new, and the comment goes on showing what it showed.
    edits, shown = world.status.report("comment").edits, world.comment
    assert shown.count("<img") == 4
    worker.restart()
    world.clock.forward(minutes=5)
    await world.run()
    assert states(world) == {PictureState.AGAIN}
    worker.take()
    await world.settle(3)
    assert states(world) == {PictureState.TAKEN}
    assert (world.status.report("comment").edits, world.comment) == (edits, shown)


async def test_what_the_worker_tries_again_is_seen_soon(tmp_path: Path) -> None:
    world, worker = begun(tmp_path)
    worker.seen["/"] = Seen(503)
    await world.settle(8)
    worker.take()
    await world.settle(3)
    assert {(each.why, each.answered) for each in world.status.pictures.taken} == {(NoPicture.STATUS, 503)}

    worker.seen.clear()
    world.clock.forward(minutes=1)
    assert worker.take() == 4
    [seconds] = await waited(world, worker, 1)
    assert seconds <= 60
    assert states(world) == {PictureState.TAKEN}


def asleep(world: World) -> None:
    world.cluster.session_becomes("Idle", idleSince="2026-11-24T09:30:00.000000Z")


async def test_of_what_sleeps_it_is_only_asked_whether_they_are_there_still(tmp_path: Path) -> None:
    world, worker = await ready(tmp_path, public=True)
    worker.take()
    await world.settle(3)
    asked = worker.asked
    asleep(world)
    await world.settle(4)
    assert (world.status.phase, states(world)) == (Phase.IDLE, {PictureState.TAKEN})
    assert (worker.asked, worker.wishes[-1].only_asks) == (asked + 1, True)
    assert world.comment.count("<img") == 4
    assert world.outcome.requeue_after is not None
    assert world.outcome.requeue_after <= 15 * 60

    worker.restart()
    world.clock.forward(minutes=15)
    await world.run()
    assert states(world) == {PictureState.PENDING}
    assert worker.take() == 0
    await world.settle(3)
    assert "<img" not in world.comment

    world.cluster.session_becomes("Ready")
    await world.settle(4)
    assert worker.take() == 4
    world.clock.forward(minutes=1)
    await world.run()
    assert states(world) == {PictureState.TAKEN}


async def test_what_falls_asleep_is_not_woken_by_what_is_still_to_be_taken(tmp_path: Path) -> None:
    world, worker = await ready(tmp_path)
    assert states(world) == {PictureState.PENDING}
    asleep(world)
    await world.settle(6)

    assert worker.wishes[-1].only_asks
    assert worker.take() == 0


async def test_two_hours_longer_are_told_the_worker_of_what_sleeps_too(tmp_path: Path) -> None:
    world, worker = await ready(tmp_path)
    worker.take()
    await world.settle(3)
    asleep(world)
    await world.settle(4)
    end = world.status.lifecycle.expires_at
    assert end is not None
    world.clock.now = end - timedelta(minutes=1)
    await world.settle(2)
    world.say("/preview extend 2h")
    await world.settle(4)
    world.clock.now = end + timedelta(minutes=1)
    await world.run()

    assert states(world) == {PictureState.TAKEN}
    assert worker.album.content(NAME, A, "0-phone-after") is not None


async def test_while_a_newer_commits_link_is_not_proven_those_of_before_are_asked_for(tmp_path: Path) -> None:
    world, worker = await ready(tmp_path)
    worker.take()
    await world.settle(3)
    world.links.answer = Answer(200, agents=(FROM_STAGING,))
    world.push(B)
    await world.settle(10)
    assert world.serving == [B]
    assert (world.status.pictures.sha, states(world)) == (A, {PictureState.TAKEN})

    worker.restart()
    world.clock.forward(minutes=15)
    await world.run()
    assert (world.status.pictures.sha, states(world)) == (A, {PictureState.PENDING})
    assert worker.take() == 0


async def test_what_was_started_anew_is_looked_at_anew_though_its_commit_is_the_same(tmp_path: Path) -> None:
    world, worker = await ready(tmp_path)
    worker.take()
    await world.settle(3)
    assert states(world) == {PictureState.TAKEN}

    world.clock.forward(minutes=1)
    world.say("/preview restart")
    await world.settle(12)
    assert (world.serving, world.status.pictures.sha) == ([A], A)
    assert states(world) == {PictureState.PENDING}
    assert worker.take() == 4


WHOSE = {
    "no connection": (TryLater("PUT", message="does not answer"), True),
    "no answer": (NoAnswer("PUT", message="does not answer in time"), True),
    "an error of its own": (from_status("PUT", 500), True),
    "another secret": (from_status("PUT", 401), True),
    "no secret": (SettingsError(("there is no such file",)), True),
    "too large": (from_status("PUT", 413), False),
    "no wish": (from_status("PUT", 400), False),
    "no such name": (from_status("PUT", 404), False),
}


@pytest.mark.parametrize(("error", "everybody"), WHOSE.values(), ids=WHOSE)
async def test_what_fails_holds_nothing_up_and_only_a_worker_that_is_away_is_so_for_all(
    tmp_path: Path, error: Exception, everybody: bool
) -> None:
    world, worker = begun(tmp_path)
    worker.error = error
    await world.settle(8)
    assert world.serving == [A]
    assert (worker.asked, world.status.pictures, world.status.last_error) == (1, Pictures(), "")
    # Even should it be this one wish that ends the worker: from the second time on the others come first.
    waits = [60, 120, 240, 300] if everybody else [300, 300]
    assert (await waited(world, worker, len(waits) + 1))[1:] == waits

    worker.error = None
    world.clock.forward(minutes=5)
    await world.run()
    assert states(world) == {PictureState.PENDING}


async def test_what_was_refused_is_wished_for_at_once_when_it_is_another(tmp_path: Path) -> None:
    world, worker = begun(tmp_path)
    worker.error = from_status("PUT", 413)
    await world.settle(8)

    worker.error = None
    world.push(B)
    await world.settle(10)
    assert (world.status.pictures.sha, states(world)) == (B, {PictureState.PENDING})


async def test_of_a_preview_that_is_called_otherwise_than_ours_nothing_is_said(tmp_path: Path) -> None:
    world, worker = begun(tmp_path)
    world.cluster.preview, world.cluster.name = None, "my-preview"
    await world.run()
    assert worker.asked == 0


async def test_a_newer_commit_has_pictures_of_its_own_and_those_of_before_stay_until_it_serves(
    tmp_path: Path,
) -> None:
    world, worker = await ready(tmp_path)
    worker.take()
    await world.settle(3)
    world.push(B, built=False)
    await world.settle(3)
    assert (world.status.pictures.sha, states(world)) == (A, {PictureState.TAKEN})

    world.push(B)
    await world.settle(10)
    assert world.serving == [B]
    assert (world.status.pictures.sha, states(world)) == (B, {PictureState.PENDING})


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("end", ["stop", "suspend", "close", "delete"])
async def test_they_go_with_the_preview_whether_the_worker_is_there_or_not(
    tmp_path: Path, end: str, *, away: bool
) -> None:
    world, worker = await ready(tmp_path)
    worker.take()
    await world.settle(3)
    assert len(list(tmp_path.iterdir())) == 4
    until = world.status.lifecycle.expires_at
    worker.error = NoAnswer("DELETE") if away else None

    match end:
        case "stop":
            world.say("/preview stop")
        case "suspend":
            world.github.suspended = True
            world.poke()
        case "close":
            world.close()
        case "delete":
            world.cluster.preview = None
    await world.settle(6)

    if end in ("stop", "suspend"):
        assert world.status.pictures == Pictures()
    assert (NAME in worker.forgotten) is not away
    if away:
        # Nobody has its address any more, and the worker was told how long it keeps them.
        assert until is not None
        world.clock.now = until
        assert worker.take() == 0
    assert list(tmp_path.iterdir()) == []


async def test_a_crd_of_before_costs_the_pictures_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world, worker = begun(tmp_path)
    put, refused = world.cluster.put_status, 0

    async def older(obj: Any) -> Any:
        nonlocal refused
        if "pictures" not in obj["status"]:
            return await put(obj)
        refused += 1
        raise from_status("put status", 400, 'strict decoding error: unknown field "status.pictures"')

    world.cluster.put_status = older  # type: ignore[method-assign]
    await world.settle(10)
    assert (world.serving, refused, world.status.last_error) == ([A], 1, "")
    # Looked at again every five minutes, should it be applied; what it costs else is a pass.
    assert (await waited(world, worker, 4))[1:] == [300, 300, 300]
    assert "the CRD of Preview in this cluster is older than previewbot" in caplog.text

    world.cluster.put_status = put  # type: ignore[method-assign]
    world.clock.forward(minutes=5)
    await world.run()
    assert states(world) == {PictureState.PENDING}


async def test_what_nobody_stores_is_asked_for_more_and_more_seldom(tmp_path: Path) -> None:
    world, worker = begun(tmp_path)
    put = world.cluster.put_status

    async def without(obj: Any) -> Any:
        status = {key: value for key, value in obj["status"].items() if key != "pictures"}
        return await put({**obj, "status": status})

    world.cluster.put_status = without  # type: ignore[method-assign]
    await world.settle(8)
    assert (await waited(world, worker, 40))[-1] == 300


async def test_nothing_of_a_fork_is_pictured_not_even_of_an_approved_commit(tmp_path: Path) -> None:
    world, worker = begun(tmp_path, public=True)
    world.github.fork = True
    world.say(f"/preview start {A}")
    await world.settle(10)

    assert world.serving == [A]
    assert (worker.wishes, world.status.pictures) == ([], Pictures())


async def test_whatever_the_worker_says_only_what_was_wished_for_is_believed(tmp_path: Path) -> None:
    world, worker = begun(tmp_path)
    genuine = worker.wish

    async def lies(name: str, wish: Any) -> Any:
        standing = await genuine(name, wish)
        one = replace(standing.taken[0], state=PictureState.REFUSED, why=NoPicture.STATUS, answered=10**9)
        return replace(standing, of="x", taken=(one, replace(one, path="/<script>")))

    worker.wish = lies  # type: ignore[method-assign]
    await world.settle(8)

    taken = world.status.pictures.taken
    assert [each.path for each in taken] == ["/"] * 4
    assert taken[0].answered == 0
    assert {each.state for each in taken[1:]} == {PictureState.PENDING}


async def test_only_where_the_settings_say_so_have_they_addresses_for_everybody(tmp_path: Path) -> None:
    world, _ = await ready(tmp_path)
    assert world.status.pictures.public == ""

    world, _ = await ready(tmp_path, public=True)
    assert world.status.pictures.public == public_part(SECRET, NAME, A)


async def test_behind_a_guard_the_worker_gets_a_bearer_for_this_preview_that_ends(tmp_path: Path) -> None:
    world = guarded()
    pictures = PicturesSettings.model_validate(SET)
    world.settings = world.settings.model_copy(update={"pictures": pictures})
    worker = WorkerInMemory(tmp_path, world.clock)
    world.worker = worker
    world.restart()
    await world.settle(8)

    key, domain, now = world.preview.spec.environment_key, "preview.example.com", world.clock.now
    [wish, *_] = worker.wishes
    assert standing(KEYS, wish.bearer, key, domain, now) is Standing.COUNTS
    assert standing(KEYS, wish.bearer, key, domain, now + timedelta(minutes=10)) is Standing.ENDED
    assert wish.bearer not in str(world.cluster.preview)
