"""Attack: to ask for so much at once that what is asked of the API server is too much, for it or for us."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from tests.support.servers import Handler
from tests.support.web_doors import Door, Sender, a_door, a_payload, get, post, until

POKES, CONNECTIONS = 24, 26
MANY = 100


@dataclass
class Between:
    """Stands between web and the API server, counts, and holds back what it is told to."""

    pages_wait: bool = False
    huge: bool = False
    under_way: int = 0
    most: int = 0
    pages: int = 0
    writes: int = 0
    connections: set[object] = field(default_factory=set)

    def around(self, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.connections.add(request.transport)
            if request.method == "GET" and "previews/" in request.path:
                return await self._page(request, handler)
            if request.method == "GET":
                return await handler(request)
            self.under_way += 1
            self.writes += 1
            self.most = max(self.most, self.under_way)
            # Long enough for all who may come to be here together.
            await asyncio.sleep(0.05)
            try:
                return await handler(request)
            finally:
                self.under_way -= 1

        return handle

    async def _page(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.pages += 1
        if self.huge:
            return web.json_response({"padding": "x" * 5 * 1024 * 1024})
        while self.pages_wait:
            await asyncio.sleep(0.02)
        return await handler(request)


BETWEEN = Between()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with a_door(tmp_path_factory.mktemp("web"), BETWEEN.around) as door:
        yield door


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with a_door(tmp_path_factory.mktemp("pages"), BETWEEN.around, {"pages": "public"}, "pages") as door:
        yield door


def delivering(door: Door, payloads: list[bytes]) -> list[Sender]:
    senders = [door.connect() for _ in payloads]
    for sender, payload in zip(senders, payloads, strict=True):
        sender.send(post(payload))
    return senders


def test_many_deliveries_at_once_are_all_stored_over_a_bounded_number_of_connections(door: Door) -> None:
    senders = delivering(door, [a_payload() for _ in range(CONNECTIONS + 16)])

    assert {sender.answer().status for sender in senders} == {202}
    assert BETWEEN.most <= POKES
    assert len(BETWEEN.connections) <= CONNECTIONS
    assert "pool is full" not in door.process.log.read_text()


def test_many_deliveries_about_one_pull_request_at_once_share_their_writes(door: Door) -> None:
    before = BETWEEN.writes
    senders = delivering(door, [a_payload(number=1_000_000) for _ in range(MANY)])

    assert [sender.answer().status for sender in senders] == [202] * MANY
    assert BETWEEN.writes - before < MANY // 2
    assert len([o for o in door.kube.objects("previews") if o["spec"]["number"] == 1_000_000]) == 1


def test_however_many_ask_for_pages_few_are_asked_for_at_once_and_probes_are_answered(pages: Door) -> None:
    """Anybody may ask for a page, and each is a question to the API server."""
    BETWEEN.pages_wait, BETWEEN.pages = True, 0
    try:
        senders = [pages.connect() for _ in range(MANY)]
        for sender in senders:
            sender.send(get("/p/812/42"))
        until(lambda: BETWEEN.pages > 0, "the first page")

        assert pages.probe("/readyz").status == 200
        answers = [sender.answer() for sender in senders]
    finally:
        BETWEEN.pages_wait = False
        pages.leave()
    assert all("does not answer right now" in answer.text for answer in answers)
    assert BETWEEN.pages < MANY
    assert "pool is full" not in pages.process.log.read_text()


def test_an_answer_of_the_api_server_that_is_too_large_is_not_read_to_its_end(pages: Door) -> None:
    BETWEEN.huge = True
    try:
        answer = pages.ask(get("/p/1/2"))
    finally:
        BETWEEN.huge = False

    assert answer.status == 503
    assert "does not answer right now" in answer.text
    assert pages.ask(get("/p/1/2")).status == 404
