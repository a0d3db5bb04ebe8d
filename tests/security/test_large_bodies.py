"""Attack: bodies larger than any delivery, with signatures that are well-formed or even right."""

from __future__ import annotations

import pytest

from tests.support.web_doors import Door, a_payload, head, post, sign

MIB = 1024 * 1024
LIMIT = 2 * MIB


def lost(door: Door) -> float:
    """Return how many deliveries were too large."""
    return door.metric('previewbot_deliveries_total{event="lost",status="413"}')


def test_a_body_that_says_that_it_is_too_large_is_not_read_and_counts_as_lost(door: Door) -> None:
    before = lost(door)
    sender = door.connect()
    sender.send(head(LIMIT + 1))

    answer = sender.answer()

    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert answer.text == "larger than 2097152 bytes: previewbot will find it later"
    assert sender.ended()
    assert lost(door) == before + 1


@pytest.mark.parametrize("piece", [1, 1000, 1_000_000], ids=["tiny chunks", "chunks", "large chunks"])
def test_a_body_that_does_not_say_how_large_it_is_is_read_so_far_and_no_further(
    door: Door, piece: int
) -> None:
    chunk = b"%x\r\n%s\r\n" % (piece, b"x" * piece)
    before = lost(door)
    sender = door.connect()
    sender.send(head(None))

    # How much the kernels' buffers take besides does not depend on how much there is.
    assert sender.accepts(chunk * (64 * MIB // len(chunk))) < 32 * MIB
    answer = sender.answer()

    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert lost(door) == before + 1


def test_a_body_of_just_the_limit_is_taken(door: Door) -> None:
    body = a_payload(LIMIT)
    assert len(body) == LIMIT

    assert door.ask(post(body)).status == 202


def test_a_body_in_chunks_is_taken_as_well(door: Door) -> None:
    body = a_payload(100_000)
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(body[at : at + 777]), body[at : at + 777]) for at in range(0, len(body), 777)
    )
    sender = door.connect()
    for _ in range(2):
        sender.send(head(None, changes={"X-Hub-Signature-256": sign(body)}) + chunks + b"0\r\n\r\n")
        assert sender.answer().status == 202


def test_whole_bodies_with_wrong_signatures_take_no_memory_for_longer_than_they_come(door: Door) -> None:
    door.deliver()
    before = door.memory()
    for _ in range(4):
        senders = [door.connect() for _ in range(10)]
        for sender in senders:
            sender.send(head(LIMIT) + b"x" * LIMIT)
        for sender in senders:
            assert sender.answer().status == 401
    assert door.memory() - before < 64 * MIB
    assert door.deliver().status == 202


def test_signed_bodies_at_once_are_taken_and_take_no_more(door: Door) -> None:
    before = door.memory()
    for _ in range(2):
        senders = [door.connect() for _ in range(12)]
        for sender in senders:
            sender.send(post(a_payload(LIMIT)))
        assert {sender.answer().status for sender in senders} == {202}
    assert door.memory() - before < 80 * MIB
