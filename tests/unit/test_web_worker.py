"""How much web takes from the kernel of what is sent, byte by byte, and when a connection may go on."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from socket import MSG_PEEK
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from gunicorn.config import Config

from previewbot.runtime import web_reader, web_worker
from previewbot.runtime.web_connections import Limits
from previewbot.runtime.web_worker import Address, Listener, Worker
from tests.support.web_doors import get, head

PIECE = 8 * 1024


class Peer:
    """The kernel's side of a connection whose other side sends something first, and then goes on for ever."""

    def __init__(self, first: bytes, then: bytes = b"") -> None:
        self._coming = first
        self._then = then
        self.taken = 0
        self.sent = b""
        self.shut = False

    def recv(self, size: int, flags: int = 0) -> bytes:
        if not self._coming:
            self._coming = self._then * (size // max(1, len(self._then)) + 1)
        if flags & MSG_PEEK:
            return self._coming[:size]
        piece, self._coming = self._coming[:size], self._coming[size:]
        self.taken += len(piece)
        return piece

    def sendall(self, data: bytes) -> None:
        assert not self.shut
        self.sent += data

    send = sendall

    def shutdown(self, how: int) -> None:
        self.shut = True

    def gettimeout(self) -> float:
        return 1.0

    def settimeout(self, seconds: float | None) -> None: ...

    def setblocking(self, blocking: bool) -> None: ...


@pytest.fixture(autouse=True)
def nobody_lingers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_worker, "LINGER_SECONDS", 0.0)
    # Here sizes count: a busy machine may take seconds to count 2 MiB in chunks of one byte.
    monkeypatch.setattr(web_reader, "REQUEST_SECONDS", 3600.0)


def refusing(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("401 Unauthorized", [("Content-Length", "2")])
    return [b"no"]


def reading(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    length = len(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Length", str(len(str(length))))])
    return [str(length).encode()]


def served(peer: Peer, app: Any) -> Peer:
    """Serve a connection until it ends."""
    settings = Config()
    settings.set("keepalive", 60)
    worker = SimpleNamespace(cfg=settings, alive=True)
    limits = Limits(connections=1, unfinished=1, held=10_000_000)
    Listener(Address("", app, limits), ("127.0.0.1", 80), worker).handle(peer, ("127.0.0.1", 1))
    return peer


@pytest.mark.parametrize("length", [None, 25_000_000], ids=["in chunks", "with its length"])
def test_of_a_body_that_the_application_does_not_want_nothing_is_read_after_the_headers_piece(
    length: int | None,
) -> None:
    peer = served(Peer(head(length), b"1\r\nx\r\n"), refusing)

    assert peer.sent.startswith(b"HTTP/1.1 401 Unauthorized")
    assert b"\r\nConnection: close\r\n" in peer.sent
    assert peer.sent.count(b"HTTP/1.1") == 1
    assert peer.taken <= PIECE
    assert peer.shut


def test_a_header_of_several_pieces_is_read_to_its_end_and_no_further() -> None:
    long = head(25_000_000, changes={f"X-{number}": "x" * 5_000 for number in range(4)})

    peer = served(Peer(long, b"x"), refusing)

    assert len(long) <= peer.taken <= len(long) + PIECE


def test_a_body_that_was_read_to_its_end_lets_the_next_request_follow() -> None:
    requests = head(5) + b"xxxxx" + head(None) + b"3\r\nxxx\r\n0\r\n\r\n" + head(0) + get("/")

    peer = served(Peer(requests), reading)

    assert [answer[:1] for answer in peer.sent.split(b"\r\n\r\n")[1:]] == [b"5", b"3", b"0", b"0"]
    assert peer.sent.count(b"Connection: keep-alive") == 4
    assert not peer.shut


def test_what_was_sent_behind_an_unwanted_body_is_no_request() -> None:
    """Else a body could say what looks like one (request smuggling)."""
    peer = served(Peer(head(5) + get("/") * 10), refusing)

    assert peer.sent.count(b"HTTP/1.1 ") == 1


def test_a_sender_is_asked_to_go_on_only_when_somebody_reads() -> None:
    waiting = head(3, changes={"Expect": "100-continue"})

    assert served(Peer(waiting + b"xxx"), refusing).sent.startswith(b"HTTP/1.1 401")
    assert served(Peer(waiting + b"xxx"), reading).sent.startswith(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"
    )


def test_no_more_is_read_of_a_body_in_chunks_than_a_body_may_have() -> None:
    answers: list[Exception] = []

    def greedy(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            environ["wsgi.input"].read()
        except Exception as error:
            answers.append(error)
        return refusing(environ, start_response)

    peer = served(Peer(head(None), b"1\r\nx\r\n"), greedy)

    assert [type(error).__name__ for error in answers] == ["RequestEntityTooLarge"]
    assert peer.taken < 2.3 * 1024 * 1024
    assert b"\r\nConnection: close\r\n" in peer.sent


def test_an_answer_that_is_not_read_to_the_end_is_closed() -> None:
    """PEP 3333: whatever the application opened for its answer ends with the connection."""
    closed = []

    class Pieces(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "1")])
        return Pieces([b"x"])

    class Gone(Peer):
        def sendall(self, data: bytes) -> None:
            raise BrokenPipeError

    served(Gone(get("/")), app)

    assert closed == [True]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT], ids=lambda it: it.name)
def test_a_worker_that_is_told_to_end_is_ended_by_nothing_but_the_end_of_its_run(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(1, 1, [], None, 30, Config(), None)
    told: dict[int, Any] = {}
    monkeypatch.setattr(signal, "signal", told.__setitem__)
    monkeypatch.setattr(signal, "siginterrupt", lambda *_: None)
    monkeypatch.setattr(signal, "set_wakeup_fd", lambda _: None)
    monkeypatch.setattr(gevent, "spawn", lambda *_: pytest.fail("something goes on beside the run"))
    worker.PIPE = (-1, -1)
    worker.init_signals()

    told[number](number, None)

    assert not worker.alive
    worker.tmp.close()
