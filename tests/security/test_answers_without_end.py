"""An answer of GitHub's that never ends, is no answer, or comes all at once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from previewbot import errors
from previewbot.clients.github import transport
from previewbot.clients.github.cutting import LONGEST_TEXT, Cutting
from previewbot.runtime.workers import WORKERS
from tests.support import github_samples as samples
from tests.support.github_script import Answer, pages
from tests.support.github_town import Town, github_town

COMMENTS = "/repos/acme/shop/issues/7/comments"
PULL = "/repos/acme/shop/pulls/7"
_PIECE = 64 * 1024
_TOO_LONG = LONGEST_TEXT + 8 * _PIECE


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


def _streams(parts: Iterator[bytes], status: int = 200, kind: str = "application/json") -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": kind})
        await response.prepare(request)
        try:
            for part in parts:
                await response.write(part)
        except ConnectionError:
            # The reader has gone, as it should.
            return response
        await response.write_eof()
        return response

    return answer


def _endless(begun: bytes, more: bytes) -> Iterator[bytes]:
    yield begun
    while True:
        yield more


async def test_a_comment_without_end_is_given_up(town: Town) -> None:
    town.script.on("GET", COMMENTS, _streams(_endless(b'[{"body": "', b"x" * _PIECE)))

    with pytest.raises(errors.TooLarge, match="a text in it has more than 1536 KiB"):
        await town.client.comments("acme/shop", 7, None)


async def test_a_page_without_end_is_given_up(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("previewbot.clients.github.cutting.MOST_BYTES", 2**20)
    item = b'{"id": 1, "patch": "' + b"x" * _PIECE + b'"},'
    town.script.on("GET", COMMENTS, _streams(_endless(b"[", item)))

    with pytest.raises(errors.TooLarge, match="more than 1 MiB"):
        await town.client.comments("acme/shop", 7, None)


async def test_names_without_end_are_given_up(town: Town) -> None:
    item = b'{"number": 1, "updated_at": "", "head": {"sha": "' + b"x" * 50_000 + b'"}},'
    town.script.on("GET", "/repos/acme/shop/pulls", _streams(_endless(b"[", item)))

    with pytest.raises(errors.TooLarge, match="what is needed of it"):
        await town.client.open_pull_requests("acme/shop")


async def test_a_message_that_nobody_could_read_costs_only_the_commits_from_there_on(town: Town) -> None:
    first, huge = samples.commit(), samples.commit(message="x" * _TOO_LONG)
    town.script.on("GET", f"{PULL}/commits", pages(None, [first], [huge], [first]))

    assert len(await town.client.commits("acme/shop", 7)) == 1


async def test_a_patch_that_nobody_could_read_makes_the_list_of_files_a_part_of_it(town: Town) -> None:
    first, huge = samples.changed_file("a"), samples.changed_file("b", patch="x" * _TOO_LONG)
    town.script.on("GET", f"{PULL}/files", pages(None, [first], [huge], [first]))

    seen = await town.client.files("acme/shop", 7)

    assert [file.path for file in seen.files] == ["a"] and not seen.complete


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
@pytest.mark.parametrize(("status", "means"), [(403, errors.Forbidden), (404, errors.NotFound)])
async def test_a_refusal_means_the_same_whatever_a_proxy_writes_below_it(
    town: Town, status: int, means: type[errors.RemoteError], kind: str
) -> None:
    town.script.on("GET", PULL, _streams(_endless(b"<html>", b"x" * _PIECE), status, kind))

    with pytest.raises(means) as caught:
        await town.client.pull_request("acme/shop", 7)

    assert caught.value.status == status and len(str(caught.value)) < 500


async def test_after_each_piece_of_any_answer_everybody_else_has_a_turn(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, fed = 0, list[tuple[int, int]]()

    class Watched(Cutting):
        def feed(self, piece: bytes) -> None:
            fed.append((len(piece), turns))
            super().feed(piece)

    async def takes_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(transport, "Cutting", Watched)
    town.script.on("GET", COMMENTS, pages(None, [samples.comment(body="x" * 65_536)] * 25))
    other = asyncio.create_task(takes_turns())
    seen = await asyncio.gather(*(town.client.comments("acme/shop", 7, None) for _ in range(WORKERS)))
    other.cancel()

    assert [len(comments) for comments in seen] == [25] * WORKERS
    assert max(length for length, _ in fed) <= _PIECE
    assert all(before < after for (_, before), (_, after) in itertools.pairwise(fed))


async def test_to_sign_as_the_app_reads_no_key(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """That takes 150 ms, and everybody waits."""
    keys: list[object] = []
    encode = jwt.encode

    def noted(payload: dict[str, Any], key: Any, **how: Any) -> str:
        keys.append(key)
        return encode(payload, key, **how)

    monkeypatch.setattr("gidgethub.apps.jwt.encode", noted)
    await town.app.installations()

    assert len(keys) == 1 and isinstance(keys[0], RSAPrivateKey)
