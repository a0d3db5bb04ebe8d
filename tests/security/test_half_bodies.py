"""Attack: requests that never come in whole, on many connections, to keep others from being answered."""

from __future__ import annotations

import contextlib
import time

import pytest

from previewbot.runtime.web_server import PUBLIC_LIMITS
from tests.support.web_doors import Door, Sender, a_payload, get, head, post, until

MIB = 1024 * 1024
MANY = 400

HALVES = {
    "half a request line": b"POST /webh",
    "half a header": head(1000)[:-30],
    "a body that never begins": head(1000),
    "half a body": head(1000) + b"x" * 500,
    "half a chunk": head(None) + b"1f4\r\nxxx",
    "chunks without an end": head(None) + b"1\r\nx\r\n",
    "half a page's request": get("/p/812/42")[:-2],
}


def stuck(door: Door, count: int, half: bytes) -> list[Sender]:
    """Open connections that send half a request and wait."""
    senders = [door.connect() for _ in range(count)]
    for sender in senders:
        sender.send(half)
    return senders


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES.keys())
def test_deliveries_and_probes_are_answered_while_many_connections_send_half_a_request(
    door: Door, half: bytes
) -> None:
    stuck(door, MANY, half)

    assert door.deliver().status == 202
    assert door.probe("/healthz").status == 200
    assert door.probe("/readyz").status == 200


def test_those_who_come_back_as_soon_as_they_are_cut_off_change_nothing(door: Door) -> None:
    for _ in range(5):
        for sender in stuck(door, 100, HALVES["half a body"])[:50]:
            sender.close()
        assert door.deliver().status == 202
        assert door.probe().status == 200


def test_a_request_that_does_not_come_in_whole_in_ten_seconds_is_answered_and_ended(door: Door) -> None:
    waiting = [*(sender for half in HALVES.values() for sender in stuck(door, 1, half))]
    # The time is counted from the first byte of the request, not from the last one.
    [dripping] = stuck(door, 1, head(1000))
    while dripping.is_open():
        with contextlib.suppress(ConnectionError):
            dripping.send(b"x")
        time.sleep(0.2)

    for sender in (*waiting, dripping):
        answer = sender.answer()
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert "did not come in within 10 s" in answer.text
        assert sender.ended()


def test_the_time_between_two_requests_does_not_count(door: Door) -> None:
    sender = door.connect()
    for _ in range(2):
        sender.send(post(a_payload()))
        assert sender.answer().status == 202


def test_half_bodies_that_fill_all_room_do_not_keep_a_delivery_out(door: Door) -> None:
    """Their signatures are well-formed: nothing but the whole body shows that they are wrong."""
    filling = [door.connect() for _ in range(20)]
    for sender in filling:
        sender.send(head(2 * MIB) + b"x" * (2 * MIB - 1))

    assert door.deliver().status == 202
    assert door.ask(post(a_payload(MIB))).status == 202


def test_those_who_hold_most_are_told_to_come_back(door: Door) -> None:
    filling = [door.connect() for _ in range(18)]
    for sender in filling:
        sender.send(head(2 * MIB) + b"x" * (2 * MIB - 1))
    until(lambda: any(not sender.is_open() for sender in filling), "one that gave way")

    gave_way = next(sender for sender in filling if not sender.is_open())
    answer = gave_way.answer()

    assert (answer.status, answer.headers["retry-after"]) == (503, "60")
    assert "previewbot will find it later" in answer.text
    assert gave_way.ended()


def test_a_delivery_on_a_slow_line_is_not_pushed_out_by_those_who_send_much(door: Door) -> None:
    delivery = post(a_payload(20_000))
    slow = door.connect()
    slow.send(delivery[:10_000])
    assert door.probe().status == 200

    for _ in range(3):
        filling = [door.connect() for _ in range(20)]
        for sender in filling:
            sender.send(head(2 * MIB) + b"x" * (2 * MIB - 1))
        until(lambda: any(not sender.is_open() for sender in filling), "one that gave way")  # noqa: B023
    slow.send(delivery[10_000:])

    assert slow.answer().status == 202


@pytest.mark.parametrize("half", ["half a header", "half a body"])
def test_with_more_of_them_than_there_may_be_the_first_give_way(door: Door, half: str) -> None:
    first = stuck(door, PUBLIC_LIMITS.unfinished, HALVES[half])
    assert door.deliver().status == 202
    stuck(door, 100, HALVES[half])
    assert door.deliver().status == 202

    until(lambda: any(not sender.is_open() for sender in first), "one that gave way")
    gave_way = next(sender for sender in first if not sender.is_open())
    assert (gave_way.answer().status, gave_way.ended()) == (503, True)


def test_half_bodies_take_no_more_memory_however_often_they_come(door: Door) -> None:
    door.deliver()
    before = door.memory()
    peaks = []
    for _ in range(3):
        for sender in [door.connect() for _ in range(40)]:
            sender.send(head(2 * MIB) + b"x" * (2 * MIB - 1))
        assert door.deliver().status == 202
        peaks.append(door.memory() - before)

    # 32 MiB may be held, and as much again is not yet back from whoever gave way.
    assert max(peaks) < 80 * MIB
    assert door.probe().status == 200
