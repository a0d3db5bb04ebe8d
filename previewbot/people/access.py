"""What a person may in a repository, as GitHub says to their own token; kept for two minutes.

So long somebody may go on who may not any more, as GitHub is not asked for each line of a page.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from previewbot.clients.github.people import BUDGET_SECONDS
from previewbot.clients.github.people import SessionOver as SessionOver
from previewbot.clients.github.people_answers import RepositoryAccess as RepositoryAccess
from previewbot.errors import TryLater
from previewbot.people.person import Person

KEPT_SECONDS = 120.0
MOST_KEPT = 10_000
"""Answers in memory; some 3 MB."""

_Key = tuple[bytes, int]


class Repositories(Protocol):
    """Who is asked: `PeopleClient`."""

    def repository(self, token: str, repository_id: int) -> RepositoryAccess | None:
        """Return what the owner of a token may in a repository, None if not even read; raises RemoteError."""


@dataclass(frozen=True)
class _Kept:
    access: RepositoryAccess | None
    until: float


@dataclass
class _Turn:
    """Whose turn it is to ask; the others wait for the answer."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    count: int = 0


class Access:
    """Says what people may where; safe to use from several threads.

    Of several who ask the same at the same moment one asks GitHub. What went wrong is not kept.
    """

    def __init__(
        self,
        github: Repositories,
        *,
        seconds: Callable[[], float] = time.monotonic,
        most: int = MOST_KEPT,
    ) -> None:
        self._github, self._seconds, self._most = github, seconds, most
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._turns: dict[_Key, _Turn] = {}
        self._lock = threading.Lock()

    def of(self, person: Person, repository_id: int) -> RepositoryAccess | None:
        """Return what a person may in a repository; None if they may not read it, or it is not there.

        Raises RemoteError; SessionOver, which is one, if GitHub does not take their token any more.
        """
        # By token and not by account: what one session may, another of the same person need not.
        key = (hashlib.sha256(person.token.encode()).digest(), repository_id)
        found = self._known(key)
        if found is None:
            with self._turn(key):
                found = self._known(key) or self._asked(key, person.token, repository_id)
        return found.access

    def _asked(self, key: _Key, token: str, repository_id: int) -> _Kept:
        access = self._github.repository(token, repository_id)
        found = _Kept(access, self._seconds() + KEPT_SECONDS)
        with self._lock:
            self._kept[key] = found
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found

    def _known(self, key: _Key) -> _Kept | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None and found.until <= self._seconds():
                del self._kept[key]
                return None
            return found

    @contextmanager
    def _turn(self, key: _Key) -> Iterator[None]:
        with self._lock:
            turn = self._turns.setdefault(key, _Turn())
            turn.count += 1
        try:
            if not turn.lock.acquire(timeout=BUDGET_SECONDS):
                raise TryLater("GitHub", message="it is being asked already, and does not answer")
            try:
                yield
            finally:
                turn.lock.release()
        finally:
            with self._lock:
                turn.count -= 1
                if not turn.count:
                    del self._turns[key]
