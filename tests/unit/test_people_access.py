"""What people may: asked with their own token, kept for two minutes, and never what went wrong."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from previewbot.errors import RemoteError, TryLater
from previewbot.people.access import KEPT_SECONDS, Access, RepositoryAccess, SessionOver
from previewbot.people.person import Person

MARIA = Person(7, "maria", "ghu_maria", "c")
ROB = Person(8, "rob", "ghu_rob", "c")
SHOP = RepositoryAccess(812, "acme/shop", "https://github.com/acme/shop", True)


class GitHub:
    def __init__(self) -> None:
        self.answers: dict[tuple[str, int], RepositoryAccess | RemoteError | None] = {}
        self.asked: list[tuple[str, int]] = []

    def repository(self, token: str, repository_id: int) -> RepositoryAccess | None:
        self.asked.append((token, repository_id))
        answer = self.answers.get((token, repository_id))
        if isinstance(answer, RemoteError):
            raise answer
        return answer


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_person_is_told_what_github_says_to_their_own_token() -> None:
    github = GitHub()
    github.answers = {("ghu_maria", 812): SHOP, ("ghu_rob", 812): replace(SHOP, writes=False)}
    access = Access(github)

    assert access.of(MARIA, 812) == SHOP
    assert access.of(ROB, 812) == replace(SHOP, writes=False)
    assert access.of(ROB, 813) is None


@pytest.mark.parametrize("answer", [SHOP, None])
def test_an_answer_is_kept_for_two_minutes_a_no_too(answer: RepositoryAccess | None) -> None:
    github, seconds = GitHub(), Seconds()
    github.answers = {("ghu_maria", 812): answer}
    access = Access(github, seconds=seconds)

    for at in (0.0, KEPT_SECONDS - 0.1):
        seconds.now = at
        assert access.of(MARIA, 812) == answer
    assert len(github.asked) == 1
    seconds.now = KEPT_SECONDS
    github.answers = {}
    assert access.of(MARIA, 812) is None
    assert len(github.asked) == 2


def test_another_session_of_the_same_person_is_asked_for_anew() -> None:
    github = GitHub()
    github.answers = {("ghu_maria", 812): SHOP}
    access = Access(github)
    access.of(MARIA, 812)

    assert access.of(replace(MARIA, token="ghu_another"), 812) is None


@pytest.mark.parametrize(
    "error", [TryLater("GitHub", status=502), SessionOver("GET /repositories/812", status=401)]
)
def test_what_went_wrong_is_raised_and_not_kept(error: RemoteError) -> None:
    github = GitHub()
    github.answers = {("ghu_maria", 812): error}
    access = Access(github)

    with pytest.raises(type(error)):
        access.of(MARIA, 812)
    github.answers = {("ghu_maria", 812): SHOP}
    assert access.of(MARIA, 812) == SHOP


def test_the_oldest_answers_make_room() -> None:
    github = GitHub()
    access = Access(github, most=2)
    for repository in (1, 2, 3, 3, 2, 1):
        access.of(MARIA, repository)

    assert [repository for _, repository in github.asked] == [1, 2, 3, 1]


def test_of_many_who_ask_the_same_at_once_one_asks_github() -> None:
    entered, go = threading.Event(), threading.Event()

    class Slow(GitHub):
        def repository(self, token: str, repository_id: int) -> RepositoryAccess | None:
            entered.set()
            assert go.wait(60)
            return super().repository(token, repository_id)

    github = Slow()
    github.answers = {("ghu_maria", 812): SHOP}
    access = Access(github)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(access.of, MARIA, 812) for _ in range(8)]
        assert entered.wait(60)
        go.set()
        assert [one.result(60) for one in asked] == [SHOP] * 8
    assert len(github.asked) == 1
    assert not access._turns
