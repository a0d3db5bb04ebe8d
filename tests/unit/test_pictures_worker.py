"""The worker of pictures without its browser: what it keeps, for how long, for whom, and how much of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from previewbot.api.pictures import (
    MOST_OF_A_PATH,
    MOST_PATHS,
    Device,
    NoPicture,
    Picture,
    PictureState,
    Side,
    file_of,
    named,
)
from previewbot.clients.pictures import PicturesClient
from previewbot.errors import Invalid, Unauthorized
from previewbot.pictures.album import Album, Job
from previewbot.pictures.server import Worker
from previewbot.pictures.shelf import Shelf, cleared
from previewbot.rules.pictures import (
    LEAST_COLOURS,
    MOST_ADDRESSES,
    MOST_OF_A_WISH,
    NoWish,
    Place,
    Seen,
    Standing,
    Wish,
    at_path,
    judged,
    pictures_of,
    public_part,
    wish_from,
)
from previewbot.rules.pictures_health import BrowserState
from tests.support.previews import HEAD, NOW, OLDER

TOKEN = b"0123456789abcdef0123456789abcdef"
NAME, OTHER = "gh-812-42", "gh-812-43"
PENDING, TAKEN, REFUSED = PictureState.PENDING, PictureState.TAKEN, PictureState.REFUSED


def place(path: str = "/") -> Place:
    return Place(path, f"https://key.preview.example.com{path}", f"https://staging.example.com{path}")


def a_wish(*paths: str, sha: str = HEAD, until: datetime = NOW + timedelta(hours=1)) -> Wish:
    return Wish(sha, until, tuple(map(place, paths or ("/",))), bearer="pvb1.key.1.x")


@dataclass
class InstantCamera:
    """Sees in place of a browser what it is told by the path; `size` bytes a picture. It waits for `goes`."""

    seen: dict[str, Seen] = field(default_factory=dict)
    size: int = 100
    goes: asyncio.Event = field(default_factory=asyncio.Event)
    jobs: list[Job] = field(default_factory=list)
    browser: BrowserState = BrowserState.UNTRIED
    why: str = ""
    fails: list[Exception] = field(default_factory=list)
    cannot_be_tried: Exception | None = None

    async def try_browser(self) -> None:
        if self.cannot_be_tried:
            raise self.cannot_be_tried
        self.browser = BrowserState.OK

    async def take(self, job: Job) -> tuple[Seen, bytes]:
        await self.goes.wait()
        self.jobs.append(job)
        if self.fails:
            raise self.fails.pop()
        host = job.url.split("/")[2]
        return self.seen.get(job.picture.path, Seen(200, host, LEAST_COLOURS)), b"p" * self.size


@dataclass
class Running:
    """A worker that runs, with how the controller asks it."""

    client: PicturesClient
    camera: InstantCamera
    now: list[datetime]

    async def all_taken(self, wish: Wish, name: str = NAME) -> Sequence[Picture]:
        while any(each.state is PENDING for each in (await self.client.wish(name, wish)).taken):
            await asyncio.sleep(0)
        return (await self.client.wish(name, wish)).taken

    async def get(self, path: str, token: bytes = TOKEN) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {token.decode()}"}
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.client.url}{path}", headers=headers) as answer,
        ):
            return answer.status, await answer.read()


@asynccontextmanager
async def running(
    folder: Path,
    *,
    most: int = 10_000,
    previews: int = 10,
    camera: InstantCamera | None = None,
) -> AsyncIterator[Running]:
    camera, now = camera or InstantCamera(), [NOW]
    camera.goes.set()
    album = Album(Shelf(folder, most), lambda: now[0], previews)
    runner = web.AppRunner(Worker(album, camera, lambda: (TOKEN,)).application(), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield Running(PicturesClient(url, lambda: TOKEN, user_agent="tests"), camera, now)
    finally:
        await runner.cleanup()


def files(folder: Path) -> int:
    return len(list(folder.iterdir()))


async def test_a_wish_is_taken_once_and_its_pictures_go_with_the_preview(tmp_path: Path) -> None:
    async with running(tmp_path) as worker:
        worker.camera.goes.clear()
        first = await worker.client.wish(NAME, a_wish("/", "/cart"))
        assert first == Standing(a_wish("/", "/cart").of, pictures_of(a_wish("/", "/cart")))
        # The bearer of before may have ended until its turn comes.
        await worker.client.wish(NAME, replace(a_wish("/", "/cart"), bearer="pvb1.key.2.y"))
        worker.camera.goes.set()
        taken = await worker.all_taken(a_wish("/", "/cart"))
        assert [(each.path, each.device, each.side, each.state) for each in taken] == [
            (path, device, side, TAKEN) for path in ("/", "/cart") for device in Device for side in Side
        ]
        assert {job.wish.bearer for job in worker.camera.jobs[1:]} == {"pvb1.key.2.y"}
        assert len(worker.camera.jobs) == 8
        assert await worker.get(f"/previews/{NAME}/{HEAD}/1-phone-after.png") == (200, b"p" * 100)

        # A newer commit: of the one before nothing is shown any more.
        await worker.all_taken(a_wish("/", sha=OLDER))
        assert (await worker.get(f"/previews/{NAME}/{HEAD}/0-phone-after.png"))[0] == 404
        assert files(tmp_path) == 4
        await worker.client.forget(NAME)
        await worker.client.forget(NAME)
        assert files(tmp_path) == 0

        # By itself it goes at the end that the wish names.
        await worker.all_taken(a_wish())
        worker.now[0] += timedelta(hours=1)
        assert (await worker.get(f"/previews/{NAME}/{HEAD}/0-phone-after.png"))[0] == 404
        assert files(tmp_path) == 0


async def test_after_a_restart_they_are_taken_anew(tmp_path: Path) -> None:
    async with running(tmp_path) as worker:
        await worker.all_taken(a_wish())
    assert files(tmp_path) == 4

    async with running(tmp_path) as worker:
        assert files(tmp_path) == 0
        assert {each.state for each in await worker.all_taken(a_wish())} == {TAKEN}
        assert len(worker.camera.jobs) == 4


async def test_the_oldest_makes_room_and_is_not_taken_again_and_again(tmp_path: Path) -> None:
    async with running(tmp_path, most=750) as worker:
        await worker.all_taken(a_wish())
        await worker.all_taken(a_wish(), OTHER)

        states = [each.state for each in await worker.all_taken(a_wish())]
        assert states == [REFUSED, TAKEN, TAKEN, TAKEN]
        assert (files(tmp_path), len(worker.camera.jobs)) == (7, 8)
        assert (await worker.get(f"/previews/{NAME}/{HEAD}/0-phone-before.png"))[0] == 404


async def test_what_is_larger_than_the_disk_or_one_preview_too_many_is_said_to_have_no_room(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, most=99, previews=1) as worker:
        large = await worker.all_taken(a_wish())
        other = await worker.all_taken(a_wish(), OTHER)

    assert {(each.state, each.why) for each in (*large, *other)} == {(REFUSED, NoPicture.NO_ROOM)}
    assert len(worker.camera.jobs) == 4


async def test_previews_take_turns(tmp_path: Path) -> None:
    async with running(tmp_path) as worker:
        worker.camera.goes.clear()
        for name in (NAME, OTHER):
            await worker.client.wish(name, a_wish())
        worker.camera.goes.set()
        await worker.all_taken(a_wish())

    # The first was under way before there was another.
    assert [job.name for job in worker.camera.jobs[1:5]] == [NAME, OTHER, NAME, OTHER]


async def test_whatever_goes_wrong_with_one_picture_the_next_is_taken(tmp_path: Path) -> None:
    # Playwright's own program that ends is told of without a class of its own.
    fails: list[Exception] = [Exception("Connection closed while reading from the driver"), ValueError("x")]
    async with running(tmp_path, camera=InstantCamera(fails=fails)) as worker:
        taken = await worker.all_taken(a_wish())

        assert [each.why for each in taken] == [NoPicture.OTHER, NoPicture.OTHER, None, None]
        assert await worker.get("/healthz", b"") == (200, b"ok\n")


async def test_where_none_are_taken_any_more_whoever_asks_for_its_health_is_told(tmp_path: Path) -> None:
    camera = InstantCamera(cannot_be_tried=RuntimeError("whatever nobody thought of"))
    async with running(tmp_path, camera=camera) as worker:
        await worker.client.wish(NAME, a_wish())
        status, words = await worker.get("/healthz", b"")

    assert (status, b"Start this process anew" in words) == (503, True)


MAY_PASS = {
    "nothing answered": (Seen(failure=NoPicture.NO_ANSWER), True),
    "too late": (Seen(200, failure=NoPicture.TOO_LATE), True),
    "a browser that failed": (Seen(failure=NoPicture.OTHER), True),
    "a certificate": (Seen(failure=NoPicture.CERTIFICATE), True),
    "a pod that is not ready": (Seen(503, colours=8), True),
    "another commit": (Seen(200, colours=8, commit=OLDER), True),
    "no such page": (Seen(404, colours=8), False),
    "a blank page": (Seen(200), False),
    "another host": (Seen(200, "elsewhere.example.com", 8), False),
    "a download": (Seen(200, failure=NoPicture.NO_PAGE), False),
    "a page that is there": (Seen(200, colours=8), False),
}


@pytest.mark.parametrize(("seen", "again"), MAY_PASS.values(), ids=MAY_PASS)
def test_what_failed_for_a_reason_that_may_pass_is_tried_a_few_times(
    tmp_path: Path, seen: Seen, again: bool
) -> None:
    now = [NOW]
    album = Album(Shelf(tmp_path, 10_000), lambda: now[0])
    album.wish(NAME, a_wish(until=NOW + timedelta(days=1)))

    def look() -> int:
        """Take all that is due; return how many of the picture after it are among it."""
        after = 0
        while (job := album.next()) is not None:
            is_it = (job.picture.device, job.picture.side) == (Device.PHONE, Side.AFTER)
            found = seen if is_it else Seen(200, colours=8)
            album.done(job, judged(job.picture, found, job.url, HEAD), b"p")
            after += is_it
        return after

    looks = [look()]
    for minutes in (1, 5, 30):
        assert album.seconds_until_next() == (minutes * 60 if again else None)
        now[0] += timedelta(minutes=minutes, seconds=-1)
        looks.append(look())
        now[0] += timedelta(seconds=1)
        looks.append(look())
    now[0] += timedelta(hours=5)
    looks.append(look())

    assert looks == ([1, 0, 1, 0, 1, 0, 1, 0] if again else [1, *[0] * 7])


def test_what_is_tried_again_comes_after_what_was_never_looked_at_and_only_where_a_look_is_allowed(
    tmp_path: Path,
) -> None:
    now = [NOW]
    album = Album(Shelf(tmp_path, 10_000), lambda: now[0])
    album.wish(NAME, a_wish())
    while (job := album.next()) is not None:
        album.done(job, judged(job.picture, Seen(503), job.url, HEAD), b"")
    now[0] += timedelta(minutes=1)
    album.wish(OTHER, a_wish())

    jobs = []
    while (job := album.next()) is not None:
        jobs.append(job.name)
        album.done(job, judged(job.picture, Seen(200, colours=8), job.url, HEAD), b"p")
        if len(jobs) == 6:
            album.wish(NAME, replace(a_wish(), only_asks=True))

    assert jobs == [OTHER] * 4 + [NAME] * 2
    assert album.seconds_until_next() is None
    assert [each.state for each in album.wish(NAME, a_wish()).taken] == [TAKEN, TAKEN, REFUSED, REFUSED]
    assert album.seconds_until_next() == 0


async def test_the_worker_itself_wakes_for_what_is_tried_again(tmp_path: Path) -> None:
    async with running(tmp_path) as worker:
        worker.camera.seen["/"] = Seen(503, colours=8)
        await worker.all_taken(a_wish())
        worker.camera.seen.clear()
        worker.now[0] += timedelta(seconds=59.9)
        await worker.client.wish(NAME, a_wish())
        assert len(worker.camera.jobs) == 4
        worker.now[0] += timedelta(seconds=1)
        async with asyncio.timeout(10):
            while len(worker.camera.jobs) < 8:
                await asyncio.sleep(0.01)


def test_only_pictures_of_ours_are_removed_at_the_start(tmp_path: Path) -> None:
    stay = ("holiday.png", f"{NAME}~{HEAD}~0-phone-after.png.txt", "gh-1~x~y.png")
    for name in (*stay, f"{NAME}~{HEAD}~0-phone-after.png"):
        (tmp_path / name).write_bytes(b"x")

    Shelf(tmp_path, 10)

    assert {each.name for each in tmp_path.iterdir()} == set(stay)


def test_what_a_worker_that_was_killed_left_of_its_browsers_is_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("one", "two"):
        (cleared(Path(name)) / "playwright_chromiumdev_profile-x").mkdir()
    one = cleared(Path("one"))

    assert (files(one), one.stat().st_mode & 0o777) == (0, 0o700)
    assert sum(files(each) for each in tmp_path.iterdir()) == 1
    # Somebody else's, who waits for us to write there.
    one.rmdir()
    one.symlink_to(tmp_path)
    with pytest.raises(OSError, match="symbolic link"):
        cleared(Path("one"))


async def test_what_is_no_evidence_is_kept_by_nobody(tmp_path: Path) -> None:
    async with running(tmp_path) as worker:
        worker.camera.seen["/"] = Seen(500, "key.preview.example.com", LEAST_COLOURS)
        await worker.all_taken(a_wish())

    assert files(tmp_path) == 0


async def test_only_who_has_the_secret_is_let_in_and_only_with_a_wish_that_is_one(tmp_path: Path) -> None:
    async with running(tmp_path) as worker:
        for token in (b"", TOKEN[:-1], TOKEN + b"x"):
            stranger = PicturesClient(worker.client.url, partial(bytes, token), user_agent="tests")
            with pytest.raises(Unauthorized):
                await stranger.wish(NAME, a_wish())
            assert (await worker.get(f"/previews/{NAME}/{HEAD}/0-phone-after.png", token))[0] == 401
        assert (await worker.get("/healthz", b""))[0] == 200
        for path in ("/../etc", f"/previews/{NAME}/{HEAD}/..png", f"/previews/x/{HEAD}/0-phone-after.png"):
            assert (await worker.get(path))[0] == 404
        with pytest.raises(Invalid):
            await worker.client.wish(NAME, replace(a_wish(), bearer="x" * MOST_OF_A_WISH))
        with pytest.raises(Invalid):
            await worker.client.wish(NAME, replace(a_wish(), sha="../../x"))


async def test_the_longest_paths_and_hosts_fit_into_a_wish_and_its_answer(tmp_path: Path) -> None:
    host, paths = "h" * 253, [f"/{n}{'x' * (MOST_OF_A_PATH - 2)}" for n in range(MOST_PATHS)]
    places = tuple(Place(p, f"https://{host}:65535{p}", f"https://{host}:65535{p}") for p in paths)
    wish = replace(a_wish(), places=places, bearer="x" * 1024, addresses=("f" * 39,) * MOST_ADDRESSES)
    async with running(tmp_path) as worker:
        worker.camera.seen = {path: Seen(599, host, LEAST_COLOURS) for path in paths}
        assert {each.path for each in await worker.all_taken(wish)} == set(paths)
        with pytest.raises(Invalid):
            await worker.client.wish(NAME, replace(wish, places=(replace(places[0], path=f"{paths[0]}x"),)))


async def test_nothing_is_looked_at_for_what_sleeps_nor_with_a_bearer_that_has_ended(tmp_path: Path) -> None:
    async with running(tmp_path) as worker:
        worker.camera.goes.clear()
        asks = replace(a_wish(), only_asks=True)
        ended = replace(a_wish(), bearer_until=NOW)
        assert {each.state for each in (await worker.client.wish(OTHER, asks)).taken} == {PENDING}
        await worker.client.wish(NAME, ended)
        worker.camera.goes.set()
        third = "gh-812-44"
        await worker.all_taken(a_wish(), third)
        assert {job.name for job in worker.camera.jobs} == {third}

        # What was lost meanwhile is told, and what is there stays, with the end that is told now: also where
        # nothing but paths is known any more of what was wished for.
        until, of = NOW + timedelta(hours=3), a_wish().of
        later = Wish(HEAD, until, (Place("/", "", ""),), only_asks=True, asks_of=of)
        assert {each.state for each in (await worker.client.wish(third, later)).taken} == {TAKEN}
        worker.now[0] += timedelta(hours=2)
        assert {each.state for each in (await worker.client.wish(third, later)).taken} == {TAKEN}

        renewed = replace(ended, until=later.until, bearer_until=worker.now[0] + timedelta(minutes=10))
        assert {each.state for each in await worker.all_taken(renewed)} == {TAKEN}


URL = "https://key.preview.example.com/cart"
OURS = "key.preview.example.com"
JUDGED = {
    "a page": (Seen(200, OURS, 8), TAKEN, None, 0),
    "nothing": (Seen(204, OURS, failure=NoPicture.NO_PAGE), REFUSED, NoPicture.NO_PAGE, 0),
    "an error": (Seen(500, OURS, 8), REFUSED, NoPicture.STATUS, 500),
    "an error without a page": (Seen(404, OURS, failure=NoPicture.NO_ANSWER), REFUSED, NoPicture.STATUS, 404),
    "another host": (Seen(200, "staging.example.com", 8), REFUSED, NoPicture.OTHER_HOST, 0),
    "another host's error": (Seen(500, "staging.example.com", 8), REFUSED, NoPicture.OTHER_HOST, 0),
    "seven colours": (Seen(200, OURS, 7), REFUSED, NoPicture.BLANK, 0),
    "blank without others": (Seen(200, OURS, 7, left_out=("a.test",)), REFUSED, NoPicture.LEFT_OUT, 0),
    "others are left out": (Seen(200, OURS, 8, left_out=("a.test",)), TAKEN, None, 0),
    "what is shown was not answered": (Seen(0, OURS, 8), REFUSED, NoPicture.NO_ANSWER, 0),
    "too late": (Seen(200, OURS, failure=NoPicture.TOO_LATE), REFUSED, NoPicture.TOO_LATE, 0),
    "nobody": (Seen(failure=NoPicture.OTHER), REFUSED, NoPicture.OTHER, 0),
    "the very commit": (Seen(200, OURS, 8, HEAD), TAKEN, None, 0),
    "the next commit": (Seen(200, OURS, 8, OLDER), REFUSED, NoPicture.OTHER_COMMIT, 0),
    "the next commit's error": (Seen(500, OURS, 8, OLDER), REFUSED, NoPicture.OTHER_COMMIT, 0),
}


@pytest.mark.parametrize(("seen", "state", "why", "answered"), JUDGED.values(), ids=JUDGED)
def test_what_counts_as_evidence(
    seen: Seen, state: PictureState, why: NoPicture | None, answered: int
) -> None:
    picture = Picture("/cart", Device.PHONE, Side.AFTER)

    assert judged(picture, seen, URL, HEAD) == replace(picture, state=state, why=why, answered=answered)


def test_staging_may_name_whatever_commit_it_likes() -> None:
    picture = Picture("/cart", Device.PHONE, Side.BEFORE)

    assert judged(picture, Seen(200, OURS, 8, OLDER), URL, HEAD).state is TAKEN


WRONG = {
    "no JSON": b"x",
    "no places": b'{"sha": "%s", "until": "2026-11-24T09:00:00Z", "places": []}',
    "too many": b'{"sha": "%s", "until": "2026-11-24T09:00:00Z", "places": ['
    + b",".join([b'{"path": "/", "withUrl": "http://a/", "withoutUrl": "http://b/"}'] * (MOST_PATHS + 1))
    + b"]}",
    "another scheme": b'{"sha": "%s", "until": "2026-11-24T09:00:00Z", "places": [{"path": "/", '
    b'"withUrl": "file:///etc/passwd", "withoutUrl": "http://b/"}]}',
    "a login": b'{"sha": "%s", "until": "2026-11-24T09:00:00Z", "places": [{"path": "/", '
    b'"withUrl": "http://u:p@a/", "withoutUrl": "http://b/"}]}',
    "a look at what only names a wish": b'{"sha": "%s", "until": "2026-11-24T09:00:00Z", "places": [{"path": '
    b'"/", "withUrl": "http://a/", "withoutUrl": "http://b/"}], "asksOf": "0123456789abcdef"}',
    "no zone": b'{"sha": "%s", "until": "2026-11-24T09:00:00", "places": [{"path": "/", '
    b'"withUrl": "http://a/", "withoutUrl": "http://b/"}]}',
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_what_is_no_wish(content: bytes) -> None:
    with pytest.raises(NoWish):
        wish_from(content.replace(b"%s", HEAD.encode()))


def test_files_are_named_by_the_place_of_their_path_and_addresses_by_nobody_s_guess() -> None:
    pictures = pictures_of(a_wish("/", "/cart"))

    assert [file_of(pictures, each) for each in pictures][3:5] == ["0-desktop-after", "1-phone-before"]
    assert all(named(pictures, file_of(pictures, each)) == each for each in pictures)
    assert named(pictures, "2-phone-after") is None
    parts = {public_part(key, n, s) for key in (b"a", b"b") for n in (NAME, OTHER) for s in (HEAD, OLDER)}
    assert {len(part) for part in parts} == {48}
    assert len(parts) == 8
    assert at_path("https://a.example:8443/x?y", "/cart?b=1") == "https://a.example:8443/cart?b=1"
    assert "pvb1" not in repr(a_wish())
