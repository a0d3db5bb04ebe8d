"""Coalescer: one at a time per key, the rest together in the next; never the outcome of work begun before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest

from previewbot.clients.kubernetes.coalescer import Coalescer

Work = tuple[int, ...]


class Slow:
    """Work that is done when the test says so."""

    def __init__(self) -> None:
        self.begun: list[Work] = []
        self.may_end = threading.Semaphore(0)
        self.fails: Exception | None = None
        self.sharing: Coalescer[Work, Work] = Coalescer(self._do, lambda one, other: one + other)

    def _do(self, work: Work, deadline: float) -> Work:
        self.begun.append(work)
        assert self.may_end.acquire(timeout=20)
        if self.fails is not None:
            raise self.fails
        return work

    def ask(self, number: int, key: str = "pull request", seconds: float = 30.0) -> Work:
        return self.sharing.ask(key, (number,), time.monotonic() + seconds)

    def knows(self, number: int) -> bool:
        batch = self.sharing._next.get("pull request")
        return (number,) in self.begun or (batch is not None and number in batch.work)


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not so():
        assert time.monotonic() < deadline
        threading.Event().wait(0.002)


@pytest.fixture
def slow() -> Slow:
    return Slow()


def asked_in_turn(slow: Slow, pool: ThreadPoolExecutor, numbers: range) -> list[Future[Work]]:
    """Ask from several threads, each when the one before is known to wait (or, the first, to run)."""
    asked = []
    for number in numbers:
        asked.append(pool.submit(slow.ask, number))
        until(partial(slow.knows, number))
    return asked


def test_a_burst_is_two_pieces_of_work(slow: Slow) -> None:
    with ThreadPoolExecutor(10) as pool:
        asked = asked_in_turn(slow, pool, range(8))
        for _ in range(2):
            slow.may_end.release()

        assert [future.result(20) for future in asked] == [(0,), *[(1, 2, 3, 4, 5, 6, 7)] * 7]
    assert slow.begun == [(0,), (1, 2, 3, 4, 5, 6, 7)]


def test_other_keys_do_not_wait(slow: Slow) -> None:
    with ThreadPoolExecutor(4) as pool:
        first, second = pool.submit(slow.ask, 1, "one"), pool.submit(slow.ask, 2, "other")
        until(lambda: len(slow.begun) == 2)
        slow.may_end.release(2)
        assert (first.result(20), second.result(20)) == ((1,), (2,))


def test_all_who_share_are_told_that_it_failed_and_the_next_begins_anew(slow: Slow) -> None:
    with ThreadPoolExecutor(4) as pool:
        asked = asked_in_turn(slow, pool, range(3))
        slow.fails = ValueError("no")
        slow.may_end.release(2)
        for future in asked:
            with pytest.raises(ValueError, match="no"):
                future.result(20)
    slow.fails = None
    slow.may_end.release()
    assert slow.ask(9) == (9,)


def test_nobody_waits_longer_than_they_said_for_one_that_hangs(slow: Slow) -> None:
    with ThreadPoolExecutor(4) as pool:
        hangs = pool.submit(slow.ask, 1)
        until(lambda: slow.begun == [(1,)])
        waits = pool.submit(slow.ask, 2, seconds=0.05)
        with pytest.raises(TimeoutError):
            waits.result(20)
        slow.may_end.release(2)
        assert hangs.result(20) == (1,)
        assert pool.submit(slow.ask, 3).result(20) == (3,)


def test_nothing_is_kept_when_nobody_asks(slow: Slow) -> None:
    slow.may_end.release(3)
    for number in range(3):
        slow.ask(number)

    assert not slow.sharing._running and not slow.sharing._next


def test_many_threads_all_get_an_answer_to_what_they_asked() -> None:
    sharing: Coalescer[frozenset[int], frozenset[int]] = Coalescer(
        lambda work, _: work, lambda one, other: one | other
    )

    def ask(number: int) -> bool:
        return number in sharing.ask(number % 3, frozenset({number}), time.monotonic() + 30)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(2000)))
