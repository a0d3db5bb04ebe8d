"""What a pull request put behind its link answers without end: headers, a body, or nothing at all."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from previewbot.api import Why
from previewbot.clients.link_names import Addresses
from previewbot.clients.links import Limits, Links, Question
from previewbot.rules.link_answers import Answer

LIMITS = Limits(connect_seconds=1.0, whole_seconds=2.0, body=10_000)
_PIECE = b"x" * 4096


def look_up(name: str, port: int) -> Addresses:
    return [(socket.AF_INET, "127.0.0.1")]


@asynccontextmanager
async def answering(*begun: bytes, more: bytes, pause: float = 0.0) -> AsyncIterator[tuple[str, list[int]]]:
    """Answer with what is begun and then the same without end; yields the URL, and how much was taken."""
    taken = [0]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for piece in begun:
                writer.write(piece)
            while True:
                writer.write(more)
                await writer.drain()
                taken[0] += len(more)
                await asyncio.sleep(pause)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://key.preview.example.com:{server.sockets[0].getsockname()[1]}/", taken
    finally:
        server.close()


async def asked(url: str, *, reads_body: bool = False, limits: Limits = LIMITS) -> Answer:
    links = Links("previewbot-test", limits=limits, look_up=look_up)
    return await links.ask(Question(url, reads_body=reads_body))


async def test_headers_without_end_are_no_answer() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\n", more=b"Mirrord-Agent: passed-through\r\n") as (url, _):
        assert await asked(url) == Answer(failure=Why.NO_HTTP)


async def test_a_header_without_end_is_no_answer() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nmirrord-key: ", more=_PIECE) as (url, _):
        assert await asked(url) == Answer(failure=Why.NO_HTTP)


async def test_a_status_without_end_is_no_answer() -> None:
    async with answering(b"HTTP/1.1 200 ", more=_PIECE) as (url, _):
        assert await asked(url) == Answer(failure=Why.NO_HTTP)


async def test_other_heads_before_the_answer_without_end_are_given_up() -> None:
    limits = Limits(connect_seconds=0.2, whole_seconds=0.4)
    early = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    async with answering(more=early, pause=0.05) as (url, _):
        assert await asked(url, limits=limits) == Answer(failure=Why.TOO_LATE)


@pytest.mark.parametrize(
    "early", [b"HTTP/1.1 100 \r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"]
)
async def test_a_flood_of_other_heads_before_the_answer_is_none_and_not_read_on(early: bytes) -> None:
    """Each is read by itself: for the whole of the question's time nobody else would have a turn."""
    async with answering(more=early * 10_000) as (url, taken):
        assert await asked(url) == Answer(failure=Why.NO_HTTP)

    assert taken[0] < 64 * 1024 * 1024


@pytest.mark.parametrize("status", [b"101 x\r\nUpgrade: websocket\r\nConnection: upgrade", b"000 x"])
@pytest.mark.parametrize("reads_body", [False, True])
async def test_what_nobody_asked_for_is_no_answer(status: bytes, reads_body: bool) -> None:
    async with answering(b"HTTP/1.1 " + status + b"\r\n\r\n", more=_PIECE) as (url, _):
        assert await asked(url, reads_body=reads_body) == Answer(failure=Why.NO_HTTP)


async def test_a_few_other_heads_before_the_answer_are_read_over() -> None:
    head = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 5 + b"HTTP/1.1 200 OK\r\nmirrord-key: a\r\n\r\n"
    async with answering(head, more=b"x") as (url, _):
        assert await asked(url) == Answer(200, keys=("a",))


async def test_a_header_that_drips_is_given_up() -> None:
    limits = Limits(connect_seconds=0.2, whole_seconds=0.4)
    async with answering(b"HTTP/1.1 200 OK\r\nmirrord-key: ", more=b"x", pause=0.05) as (url, _):
        assert await asked(url, limits=limits) == Answer(failure=Why.TOO_LATE)


@pytest.mark.parametrize("length", [b"Content-Length: 99999999999\r\n", b""], ids=["a length", "no length"])
async def test_a_body_without_end_is_not_read(length: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\n" + length + b"\r\n"
    async with answering(head, more=_PIECE) as (url, taken):
        assert await asked(url) == Answer(200)
        assert await asked(url, reads_body=True) == Answer(200, body="x" * LIMITS.body)
        await asyncio.sleep(0)
        before = taken[0]

    # What the kernel holds for a connection, and not what somebody wants to send.
    assert before < 64 * 1024 * 1024


async def test_a_check_s_body_that_drips_is_given_up() -> None:
    limits = Limits(connect_seconds=0.2, whole_seconds=0.4)
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n", more=b"x", pause=0.05) as (url, _):
        assert await asked(url, reads_body=True, limits=limits) == Answer(failure=Why.TOO_LATE)


async def test_values_without_end_are_cut() -> None:
    values = b",".join(b"%d" % number for number in range(1000))
    head = b"HTTP/1.1 200 OK\r\nmirrord-key: " + values + b"\r\n\r\n"
    async with answering(head, more=b"x") as (url, _):
        assert len((await asked(url)).keys) == 8
