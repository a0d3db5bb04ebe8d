"""A place that an installation can do without, with an entry for each commit: what goes wrong there holds up
neither another place nor the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from previewbot.api import Phase, Report, Status
from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError, TryLater
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.reporters import GITHUB_REPORTERS, KeptReporter
from previewbot.reconciler.reporters.reporter import ReportContext
from previewbot.rules.retries import MOST_TRIES, retry_at
from tests.support.passes import A, B, World

NOT_GRANTED = Forbidden("GitHub", status=403, message="Resource not accessible by integration")


@dataclass(frozen=True)
class Light:
    """Whether a lamp is lit."""

    lit: bool
    matters: str = ""

    @property
    def begins(self) -> bool:
        return self.lit

    @property
    def hash(self) -> str:
        return str(self.lit)


class Lamps(KeptReporter[Light]):
    """A lamp for each commit, lit while its session may run; it is lit once and put out at the end."""

    name = "lamps"
    optional = True

    def __init__(self) -> None:
        self.lamps: list[tuple[str, bool]] = []
        self.asked: list[str] = []
        self.looks = 0
        self.fails: RemoteError | None = None
        self.is_lost = False
        self.on_write: Callable[[], None] | None = None

    def wanted(self, context: ReportContext, status: Status) -> Mapping[str, Light]:
        head = status.observed.head_sha
        serving = {service.serving_sha for service in status.services}
        lit = {sha: sha in (head, *serving) and is_wanted(status) for sha in self.known(status)}
        wanted = {f"lamps/{sha}": Light(on) for sha, on in lit.items()}
        return wanted | ({f"lamps/{head}": Light(is_wanted(status))} if head else {})

    def known(self, status: Status) -> list[str]:
        """The commits whose lamps are not put out for good."""
        return [
            key.removeprefix("lamps/")
            for key, report in self.reports(status).items()
            if report.hash != Light(False).hash
        ]

    async def find(self, context: ReportContext, key: str, own: OwnComments) -> Report | None:
        self.looks += 1
        sha = key.removeprefix("lamps/")
        found = [i + 1 for i, (other, _) in enumerate(self.lamps) if other == sha]
        return Report(id=found[-1]) if found else None

    async def write(self, context: ReportContext, key: str, report: Report, content: Light) -> Report:
        self.asked.append(key.removeprefix("lamps/"))
        if self.fails is not None:
            raise self.fails
        number = report.id
        if number:
            self.lamps[number - 1] = (self.lamps[number - 1][0], content.lit)
        else:
            self.lamps.append((key.removeprefix("lamps/"), content.lit))
            number = len(self.lamps)
        if self.on_write is not None:
            self.on_write()
        if self.is_lost:
            raise TryLater("GitHub", message="no answer in time")
        return replace(report, id=number, hash=content.hash)


def is_wanted(status: Status) -> bool:
    return status.observed.closed_at is None


def world_with(lamps: Lamps) -> World:
    return World(reporters=(lamps, *GITHUB_REPORTERS))


async def test_each_commit_has_its_own_and_one_that_is_pushed_again_has_the_one_it_had() -> None:
    lamps = Lamps()
    world = await world_with(lamps).settle()
    world.push(B, built=False)
    await world.settle()
    assert lamps.lamps == [(A, True), (B, True)]

    world.push(B)
    await world.settle()
    assert lamps.lamps == [(A, False), (B, True)]
    assert {key for key in world.status.reports if key.startswith("lamps")} == {f"lamps/{A}", f"lamps/{B}"}

    world.push(A)
    await world.settle()
    assert lamps.lamps == [(A, True), (B, False)]

    world.push(B)
    await world.settle()
    assert lamps.lamps == [(A, False), (B, True)]

    world.close()
    await world.settle()
    assert lamps.lamps == [(A, False), (B, False)]
    assert world.cluster.preview is None


async def test_its_own_place_is_read_once_and_not_for_each_commit_and_no_conversation_for_it() -> None:
    lamps = Lamps()
    world = await world_with(lamps).settle()
    world.push(B, built=False)
    world.calls.made.clear()
    await world.settle()

    assert (lamps.looks, len(lamps.lamps)) == (1, 2)


@pytest.mark.parametrize(
    "error",
    [NOT_GRANTED, NotFound("GitHub", status=404, message="Not Found")],
    ids=["no permission", "no endpoint"],
)
async def test_what_the_app_may_not_do_at_all_is_asked_once_an_hour_whatever_there_is_to_say(
    error: RemoteError,
) -> None:
    lamps = Lamps()
    lamps.fails = error
    world = await world_with(lamps).settle()
    world.push(B)
    await world.settle()

    assert len(lamps.asked) == 1, "and not once for each commit"
    assert world.status.phase is Phase.READY
    assert world.status.last_error == ""
    assert B[:7] in world.comment

    world.clock.forward(minutes=61)
    lamps.fails = None
    world.poke()
    await world.settle()
    assert (B, True) in lamps.lamps


@pytest.mark.parametrize(
    "error",
    [
        NOT_GRANTED,
        Invalid("GitHub", status=422, message="Validation Failed"),
        NotFound("GitHub", status=404, message="Not Found"),
    ],
    ids=["no permission", "not valid", "no endpoint"],
)
async def test_what_is_refused_there_keeps_no_preview_of_a_closed_pull_request(error: RemoteError) -> None:
    lamps = Lamps()
    world = await world_with(lamps).settle()
    lamps.fails = error
    world.close()
    await world.settle()

    assert (world.cluster.preview, world.cluster.sessions) == (None, {})


async def test_what_fails_for_a_passing_reason_is_tried_again_at_the_end_and_has_an_end() -> None:
    lamps = Lamps()
    world = await world_with(lamps).settle()
    lamps.fails = TryLater("GitHub", status=502)
    lamps.asked.clear()
    world.close()
    await world.settle(4)
    assert world.cluster.sessions == {}
    assert world.cluster.preview is not None, "it waits until the lamp is put out"
    assert world.status.last_error == ""

    await world.settle(passes=200, seconds=20)
    assert world.cluster.preview is None
    assert len(lamps.asked) == MOST_TRIES


async def test_one_that_answers_again_is_told_of_the_end() -> None:
    lamps = Lamps()
    world = await world_with(lamps).settle()
    lamps.fails = TryLater("GitHub", status=502)
    world.close()
    await world.settle(4)
    lamps.fails = None
    await world.settle(passes=20, seconds=20)

    assert (lamps.lamps, world.cluster.preview) == ([(A, False)], None)


async def test_one_whose_answer_was_lost_is_found_after_the_pull_request_was_closed() -> None:
    lamps = Lamps()
    lamps.is_lost = True
    world = world_with(lamps)
    await world.run()
    assert lamps.lamps == [(A, True)]
    lamps.is_lost = False
    world.close()
    await world.settle(passes=20, seconds=20)

    assert (lamps.lamps, world.cluster.preview) == ([(A, False)], None)


async def test_a_conversation_that_cannot_be_read_keeps_nothing_from_another_place() -> None:
    lamps = Lamps()
    world = world_with(lamps)

    def fail() -> None:
        world.fail("comments", by=TryLater("GitHub", status=502))

    # The look at the pull request can read it, and not the one before something is written.
    world.calls.watch("comments", lambda: world.calls.watch("comments", fail))
    await world.run()

    assert world.github.own_comments() == []
    assert lamps.lamps == [(A, True)]


def test_pauses_double_up_to_ten_minutes_differ_between_places_and_end() -> None:
    now = World().clock.now
    pauses = [retry_at(tries, now, "x") for tries in range(1, MOST_TRIES + 1)]
    seconds = [(at - now).total_seconds() for at in pauses if at is not None]

    assert pauses[-1] is None and len(seconds) == MOST_TRIES - 1
    assert all(15 * 2**n <= s <= 15 * 2**n * 1.5 for n, s in enumerate(seconds[:5]))
    assert max(seconds) <= timedelta(minutes=15).total_seconds()
    assert retry_at(1, now, "y") != retry_at(1, now, "x")
    assert retry_at(1, now, "x", after=3600) == now + timedelta(hours=1)


async def test_what_is_wanted_again_as_it_was_is_written_where_a_lost_pass_had_changed_it() -> None:
    lamps = Lamps()
    world = await world_with(lamps).settle()

    # The lamp is put out, and the process dies before it can store that.
    world.close()
    lamps.on_write = lambda: world.fail("put status", by=TryLater("Kubernetes", status=500))
    await world.run()
    assert lamps.lamps == [(A, False)]
    lamps.on_write = None
    world.mend()

    world.github.state = "open"
    world.poke()
    await world.settle()
    assert lamps.lamps == [(A, True)]
