"""Attack: large bodies without a signature. They are refused before they are read, and cost no memory."""

from __future__ import annotations

import pytest

from tests.support.web_doors import WRONG_SIGNATURE, Door, get, head, sign

MIB = 1024 * 1024
UNSIGNED: dict[str, str | None] = {"X-Hub-Signature-256": None}
MUCH = 64 * MIB
KERNEL = 16 * MIB
"""More than the buffers of both kernels take of what nobody reads (tcp_rmem, tcp_wmem; 6 MiB and 4 MiB)."""

NOT_GITHUBS: dict[str, tuple[dict[str, str | None], int, str]] = {
    "no signature": ({"X-Hub-Signature-256": None}, 401, "X-Hub-Signature-256 is missing"),
    "an SHA-1 signature": ({"X-Hub-Signature-256": "sha1=" + "0" * 40}, 401, "not a SHA-256 signature"),
    "half a signature": ({"X-Hub-Signature-256": WRONG_SIGNATURE[:-1]}, 401, "not a SHA-256 signature"),
    "a signature that is no hex": ({"X-Hub-Signature-256": "sha256=" + "g" * 64}, 401, "not a SHA-256"),
    "two signatures": (
        {"X-Hub-Signature-256": f"{WRONG_SIGNATURE}, {sign(b'')}"}, 401, "not a SHA-256 signature"
    ),
    "no event": ({"X-GitHub-Event": None}, 400, "X-GitHub-Event is missing or malformed"),
    "an event too long": ({"X-GitHub-Event": "x" * 201}, 400, "X-GitHub-Event is missing or malformed"),
    "no delivery": ({"X-GitHub-Delivery": None}, 400, "X-GitHub-Delivery is missing or malformed"),
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, 400, "content type to application/js"),
    "no content type": ({"Content-Type": None}, 400, "content type to application/json"),
}  # fmt: skip


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
@pytest.mark.parametrize(("changes", "status", "says"), NOT_GITHUBS.values(), ids=NOT_GITHUBS.keys())
def test_a_delivery_that_cannot_be_githubs_is_answered_before_its_body_comes(
    door: Door, changes: dict[str, str | None], status: int, says: str, chunked: bool
) -> None:
    sender = door.connect()
    sender.send(head(None if chunked else 25 * MIB, changes=changes))

    answer = sender.answer()

    assert (answer.status, answer.headers["connection"]) == (status, "close")
    assert says in answer.text
    assert sender.ended()


def test_whoever_sends_on_after_the_answer_finds_that_nobody_reads(door: Door) -> None:
    sender = door.connect()
    sender.send(head(MUCH, changes=UNSIGNED))

    assert sender.accepts(b"x" * MUCH) < KERNEL


def test_whoever_sends_on_can_read_the_answer(door: Door) -> None:
    sender = door.connect()
    sender.send(head(MUCH, changes=UNSIGNED) + b"x" * MIB)

    answer = sender.answer()

    assert answer.status == 401
    assert sender.ended()


@pytest.mark.parametrize(
    "request_head",
    [
        head(MUCH, "/nowhere"),
        head(MUCH, "/p/812/42"),
        head(MUCH, "/webhook").replace(b"POST", b"PUT"),
        get("/p/812/42", f"Content-Length: {MUCH}"),
        get("/nowhere", "Transfer-Encoding: chunked"),
    ],
    ids=["an unknown path", "a page", "another method", "a page that is read with a body", "in chunks"],
)
def test_a_body_that_nothing_here_takes_ends_the_connection_with_the_answer(
    door: Door, request_head: bytes
) -> None:
    sender = door.connect()
    sender.send(request_head)

    answer = sender.answer()

    assert answer.status in (404, 405)
    assert answer.headers["connection"] == "close"
    assert sender.accepts(b"x" * MUCH) < KERNEL
    assert sender.ended()


def test_a_sender_who_waits_to_be_asked_is_not_asked_for_what_is_refused(door: Door) -> None:
    """https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1; curl does so for bodies of a megabyte."""
    sender = door.connect()
    sender.send(head(MIB, changes={"Expect": "100-continue", **UNSIGNED}))

    assert sender.answer().status == 401


def test_many_of_them_at_once_cost_no_memory(door: Door) -> None:
    door.deliver()
    before = door.memory()
    for _ in range(2):
        senders = [door.connect() for _ in range(32)]
        for sender in senders:
            sender.send(head(25 * MIB, changes=UNSIGNED) + b"x" * 64 * 1024)
        for sender in senders:
            assert sender.answer().status == 401
    assert door.memory() - before < 16 * MIB
    assert door.deliver().status == 202
