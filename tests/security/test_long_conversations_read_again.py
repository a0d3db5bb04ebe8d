"""A conversation as long as GitHub lets it become: who keeps us looking at it makes us read it only once."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from previewbot.api.github import Comment
from tests.support import github_samples as samples
from tests.support.github_script import Answer, pages
from tests.support.github_town import Town, github_town

COMMENTS = "/repos/acme/shop/issues/7/comments"
_COUNT = 250


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


def _noise(number: int) -> str:
    """Return words that no compression makes shorter."""
    return base64.b64encode(random.Random(number).randbytes(49_000)).decode()


def _with_tags(answer: Answer, sent: list[int]) -> Answer:
    """Let a page that is known already be answered with 304, and note each status."""

    def tagged(request: web.Request) -> web.StreamResponse:
        response = answer(request)
        assert isinstance(response, web.Response)
        tag = f'"{request.query.get("page", "1")}"'
        if request.headers.get("If-None-Match") == tag:
            response = web.Response(status=304)
        response.headers["ETag"] = tag
        sent.append(response.status)
        return response

    return tagged


def _conversation() -> Answer:
    comments = [samples.comment(number, body=_noise(number)) for number in range(_COUNT)]
    return pages(None, *(comments[start : start + 100] for start in range(0, _COUNT, 100)))


async def test_a_long_conversation_that_was_read_is_not_sent_again(town: Town) -> None:
    sent: list[int] = []
    town.script.on("GET", COMMENTS, _with_tags(_conversation(), sent))

    for _ in range(2):
        assert len(await town.client.comments("acme/shop", 7, None)) == _COUNT

    assert sent == [200, 200, 200, 304, 304, 304]


async def test_a_look_that_was_cut_short_has_not_read_in_vain(town: Town) -> None:
    sent: list[int] = []
    answer, reached = _with_tags(_conversation(), sent), asyncio.Event()

    async def hangs(request: web.Request) -> web.StreamResponse:
        reached.set()
        await asyncio.sleep(60)
        raise AssertionError

    town.script.on("GET", COMMENTS, answer, answer, hangs, answer)
    first = asyncio.create_task(town.client.comments("acme/shop", 7, None))
    await reached.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    seen: list[Comment] = await town.client.comments("acme/shop", 7, None)

    assert len(seen) == _COUNT
    assert sent == [200, 200, 304, 304, 200]
