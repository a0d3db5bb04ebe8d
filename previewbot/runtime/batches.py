"""Asks about many things at once, in batches that shrink where GitHub does not get through them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

from previewbot.errors import Forbidden, NotFound, RemoteError, Unauthorized

T = TypeVar("T")

_FIRST_TRIES = 3
"""After so many single things without one answer nobody answers such questions here."""

_IN_A_ROW = 40
"""After so many failures in a row GitHub is in trouble: it is no matter of what was asked about."""


class NoSuchQuestions(Exception):
    """Nothing of it was ever answered: questions of this kind are not taken here. `error` is the last."""

    def __init__(self, error: RemoteError) -> None:
        self.error = error
        super().__init__(str(error))


class Batches(Generic[T]):
    """Things to ask about, `most` at once. `ask` asks about some of them and takes what is answered.

    GitHub gives up on a question after ten seconds, and answers none that is too large for it
    (https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#timeouts).
    So a batch that fails is halved, down to the one thing that cannot be answered: that is `refused`, and
    keeps none of the others from being. `left` is what nobody has asked about yet.
    """

    def __init__(
        self,
        things: Iterable[T],
        most: int,
        ask: Callable[[Sequence[T]], Awaitable[None]],
        refused: Callable[[T, RemoteError], None],
    ) -> None:
        self.left = deque(things)
        self._most = self._size = most
        self._ask, self._refused = ask, refused
        self._answered = False
        self._failures = self._alone = 0

    async def run(self, workers: int) -> None:
        """Ask about all of them, with so many questions at once after the first was answered.

        Raises the RemoteError that stops all of them (a limit, a refusal that is of no batch), and
        `NoSuchQuestions`; then what was not answered is `left`.
        """
        while self.left and not self._answered:
            await self._one()
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work())
        except BaseExceptionGroup as errors:
            raise first_of(errors) from None

    async def _work(self) -> None:
        while self.left:
            await self._one()

    async def _one(self) -> None:
        batch = [self.left.popleft() for _ in range(min(self._size, len(self.left)))]
        try:
            await self._ask(batch)
        except RemoteError as error:
            self._failed(batch, error)
        except BaseException:
            # Cut off by what stopped the others: these have not had their turn.
            self.left.extendleft(reversed(batch))
            raise
        else:
            self._answered, self._failures = True, 0
            self._size = min(self._most, max(self._size, 2 * len(batch)))

    def _failed(self, batch: Sequence[T], error: RemoteError) -> None:
        self._failures += 1
        of_all = isinstance(error, Forbidden | NotFound | Unauthorized)
        stops = of_all or error.after is not None or self._failures >= _IN_A_ROW
        if len(batch) == 1 and not stops:
            self._alone += 1
            self._refused(batch[0], error)
            if not self._answered and (self._alone >= _FIRST_TRIES or not self.left):
                raise NoSuchQuestions(error)
            return
        self.left.extendleft(reversed(batch))
        if not stops:
            self._size = max(1, len(batch) // 2)
        elif of_all and not self._answered and not isinstance(error, Unauthorized):
            raise NoSuchQuestions(error)
        else:
            raise error


def first_of(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that ended a group: one that is no answer of somebody else's before all others.

    That the Lease is lost must not hide behind a refusal of GitHub's.
    """
    found: list[BaseException] = []
    for each in errors.exceptions:
        found.append(first_of(each) if isinstance(each, BaseExceptionGroup) else each)
    return next((each for each in found if not isinstance(each, RemoteError)), found[0])
