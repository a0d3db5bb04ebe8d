"""Attack: headers without an end, and requests without one."""

from __future__ import annotations

import pytest

from tests.support.web_doors import Door, get, head

KIB = 1024

ENDLESS = {
    "a request line": (b"GET /" + b"x" * 64 * KIB, 431),
    "one field": (get("/")[:-2] + b"X-A: " + b"x" * 64 * KIB, 431),
    "fields": (get("/")[:-2] + b"X-A: xxxxxxxx\r\n" * 4 * KIB, 431),
    "large fields": (get("/")[:-2] + (b"X-A: " + b"x" * 8000 + b"\r\n") * 8, 431),
    "line ends": (b"\r\n" * 64 * KIB, 400),
}


@pytest.mark.parametrize(("header", "status"), ENDLESS.values(), ids=ENDLESS.keys())
def test_a_header_longer_than_32_kib_is_refused_and_the_connection_ends(
    door: Door, header: bytes, status: int
) -> None:
    sender = door.connect()
    sender.send(header)

    answer = sender.answer()

    assert (answer.status, answer.headers["connection"]) == (status, "close")
    assert sender.ended()


def test_headers_as_gateways_send_them_are_taken(door: Door) -> None:
    fields: dict[str, str | None] = {f"X-Gateway-{number}": "x" * 200 for number in range(40)}

    assert door.ask(head(0, changes=fields | {"Cookie": "x" * 4 * KIB})).status == 401


def test_many_long_headers_take_no_more_room_than_bodies_do(door: Door) -> None:
    """They count as what is held: 32 MiB in all, and those who have been sending for longest give way."""
    long = get("/")[:-2] + b"".join(b"X-%d: %s\r\n" % (number, b"x" * 8000) for number in range(3))
    before = door.memory()
    for _ in range(2):
        for sender in [door.connect() for _ in range(400)]:
            sender.send(long)
        assert door.deliver().status == 202
    assert door.memory() - before < 96 * KIB * KIB


def test_requests_sent_at_once_without_reading_an_answer_keep_nobody_waiting(door: Door) -> None:
    """Each is answered, until the buffers are full of answers that nobody takes."""
    for sender in [door.connect() for _ in range(20)]:
        sender.sock.setblocking(False)
        try:
            while True:
                sender.sock.send(get("/nowhere") * 100)
        except OSError:
            continue
        finally:
            sender.sock.settimeout(60)

    assert door.probe().status == 200
    assert door.deliver().status == 202
