"""How long is waited, what is said meanwhile, and what ends it, by a clock that only sleep moves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from previewbot.api.reference import Reference
from previewbot.asking import Facts, Listing, Look, Patience, Standing, State, wait
from previewbot.errors import Invalid, NotFound, RemoteError, TryLater, Unauthorized

SHA = "a" * 40
HERE = Reference("acme/shop", 42)
NOTHING = Standing(State.NOTHING, "nothing speaks of it", sha=SHA)
BUILDING = Standing(State.WAITING, "CI is building", sha=SHA)
STARTING = Standing(State.WAITING, "it starts", sha=SHA)
READY = Standing(State.READY, "ready", sha=SHA, url="https://shop.example.com/")
DOWN = TryLater("GET /x", message="it cannot be reached")


@dataclass
class Scripted:
    """Answers one after the other, the last one for good; each an answer or an error."""

    answers: Sequence[Standing | RemoteError]
    heads: Sequence[str] = (SHA,)
    looks: int = 0
    asked_for: list[str] = field(default_factory=list)
    whom: str = "GitHub (api.github.com)"
    doubt: str = ""

    async def head(self, reference: Reference) -> str:
        return self.heads[min(self.looks, len(self.heads) - 1)]

    async def look(self, reference: Reference, sha: str) -> Look:
        self.asked_for.append(sha)
        answer = self.answers[min(self.looks, len(self.answers) - 1)]
        self.looks += 1
        if isinstance(answer, RemoteError):
            raise answer
        return Look(answer, ("the token may not read checks",), self.doubt)

    async def told(self, reference: Reference) -> Facts | None:
        raise NotImplementedError

    async def listing(self, repository: str) -> Listing:
        raise NotImplementedError


@dataclass
class Pretended:
    """A clock on which only sleep passes."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.slept.append(seconds)
        self.time += seconds


@dataclass
class Waited:
    """How a wait went."""

    end: Standing
    told: list[Standing]
    said: list[str]
    source: Scripted
    clock: Pretended


async def waited(*answers: Standing | RemoteError, sha: str = SHA, **more: float | Sequence[str]) -> Waited:
    heads = more.pop("heads", (SHA,))
    assert not isinstance(heads, float)
    source, clock = Scripted(answers, heads), Pretended()
    told: list[Standing] = []
    said: list[str] = []
    patience = Patience(**{name: value for name, value in more.items() if isinstance(value, float)})
    end = await wait(source, HERE, sha, patience, tell=told.append, say=said.append, clock=clock)
    return Waited(end, told, said, source, clock)


async def test_each_change_is_told_once_and_the_end_is_the_last() -> None:
    life = await waited(NOTHING, BUILDING, BUILDING, BUILDING, STARTING, READY)
    assert life.told == [NOTHING, BUILDING, STARTING, READY]
    assert life.end is READY
    assert life.said == ["the token may not read checks"]


async def test_what_is_ready_already_is_not_waited_for() -> None:
    assert (await waited(READY)).clock.slept == []


async def test_looks_become_rarer_until_something_changes() -> None:
    life = await waited(*[BUILDING] * 12, STARTING, READY)
    pauses = life.clock.slept
    assert all(0.8 * 3 <= pause <= 1.2 * 3 for pause in (pauses[0], pauses[12]))
    assert all(0.8 * 30 <= pause <= 1.2 * 30 for pause in pauses[8:12])


async def test_no_two_who_wait_look_in_step() -> None:
    lives = [await waited(*[BUILDING] * 5, READY) for _ in range(5)]
    assert len({tuple(life.clock.slept) for life in lives}) == 5


async def test_nothing_at_all_for_the_time_of_grace_is_never_triggered() -> None:
    life = await waited(NOTHING, grace=180.0)
    assert life.end.state is State.NEVER_TRIGGERED
    assert life.end.words == "nothing speaks of it (still so after 3 minutes)"
    assert life.clock.time == 180


async def test_a_commit_that_another_keeps_from_being_the_newest_has_ended_after_that_time() -> None:
    life = await waited(replace(NOTHING, at_last=State.ENDED), grace=180.0)
    assert (life.end.state, life.clock.time) == (State.ENDED, 180)


async def test_grace_begins_with_the_first_answer() -> None:
    silent = [DOWN] * 40
    life = await waited(*silent, NOTHING, BUILDING, READY, grace=180.0)
    assert life.end is READY


async def test_what_began_may_take_longer_than_the_time_of_grace() -> None:
    life = await waited(NOTHING, *[BUILDING] * 30, READY, grace=60.0)
    assert life.end is READY and life.clock.time > 60


async def test_what_is_not_ready_in_time_says_what_it_waited_for() -> None:
    life = await waited(BUILDING, timeout=1800.0)
    assert life.end.state is State.TIMED_OUT
    assert life.end.words == "not ready after 30 minutes: CI is building"
    assert life.clock.time == 1800
    assert life.told[-1] is life.end


async def test_the_last_look_is_at_the_end_of_the_time() -> None:
    class AtTheEnd(Scripted):
        async def look(self, reference: Reference, sha: str) -> Look:
            return Look(READY if clock.time >= 600 else BUILDING)

    clock = Pretended()
    end = await wait(AtTheEnd(()), HERE, SHA, Patience(timeout=600.0), clock=clock)
    assert end is READY


async def test_a_passing_fault_is_said_once_and_waited_out() -> None:
    life = await waited(BUILDING, DOWN, DOWN, DOWN, READY)
    assert life.end is READY
    assert "GitHub (api.github.com): it cannot be reached; it is asked again" in life.said
    assert len(life.said) == 2


async def test_a_fault_that_stays_is_named_at_the_end() -> None:
    life = await waited(DOWN, timeout=60.0)
    assert life.end.state is State.TIMED_OUT
    wanted = "not ready after 1 minute; the last look failed: GitHub (api.github.com): it cannot be reached"
    assert life.end.words == wanted


async def test_a_rate_limit_is_kept_to_the_second() -> None:
    limited = TryLater("GET /x", message="its rate limit is reached (403)", after=240.0)
    life = await waited(BUILDING, limited, READY)
    assert life.end is READY
    assert life.clock.slept[1] == 240.0


async def test_a_rate_limit_that_outlasts_the_time_is_not_sat_out() -> None:
    limited = TryLater("GET /x", message="its rate limit is reached (403)", after=3600.0)
    life = await waited(BUILDING, limited, timeout=1800.0)
    assert life.end.state is State.TIMED_OUT
    assert "for another 1 hour, which is more time than is left" in life.end.words
    assert life.clock.time < 10


@pytest.mark.parametrize("error", [Unauthorized("GET /x", status=401), NotFound("GET /x", status=404)])
async def test_what_waiting_does_not_change_ends_it_at_once(error: RemoteError) -> None:
    with pytest.raises(type(error)):
        await waited(BUILDING, error)


async def test_a_look_that_never_answers_ends_with_the_time() -> None:
    class Silent(Scripted):
        async def look(self, reference: Reference, sha: str) -> Look:
            self.looks += 1
            raise TimeoutError

    clock = Pretended()
    end = await wait(Silent(()), HERE, SHA, Patience(timeout=30.0), clock=clock)
    assert end.state is State.TIMED_OUT
    assert "no answer from GitHub (api.github.com)" in end.words


async def test_without_a_commit_the_newest_when_it_begins_is_waited_for() -> None:
    life = await waited(BUILDING, READY, sha="", heads=(SHA, "b" * 40))
    assert life.source.asked_for == [SHA, SHA]
    assert f"the newest commit is {SHA}" in life.said


async def test_where_no_commit_is_known_yet_one_is_waited_for() -> None:
    life = await waited(BUILDING, sha="", heads=("",), grace=30.0)
    assert life.end.state is State.NEVER_TRIGGERED
    assert life.source.asked_for == []


async def test_where_another_apps_comment_is_nothing_is_no_never_triggered() -> None:
    doubt = "acme-previews[bot] has written a comment like previewbot's"
    source = Scripted([NOTHING], doubt=doubt)
    clock = Pretended()
    with pytest.raises(Invalid) as raised:
        await wait(source, HERE, SHA, Patience(), clock=clock)
    assert doubt in str(raised.value.message)
    assert clock.time >= Patience().grace
    # An agent's calls are shorter than that.
    shorter = await wait(source, HERE, SHA, Patience(timeout=45.0), clock=Pretended())
    assert (shorter.state, doubt in shorter.words) == (State.TIMED_OUT, True)

    # Two of them may serve a repository: ours may come yet.
    source = Scripted([NOTHING, BUILDING, READY], doubt=doubt)
    assert (await wait(source, HERE, SHA, Patience(), clock=Pretended())).state is State.READY
