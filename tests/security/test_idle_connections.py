"""Attack: connections that ask for nothing, more than there is room for."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from previewbot.runtime.web_server import PUBLIC_LIMITS
from tests.support.web_doors import Door, a_door, a_payload, get, head, post

MANY = 1_000


@pytest.fixture(autouse=True)
def files() -> Iterator[None]:
    """Leave this process as many files as it may have: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("first", [b"", get("/nowhere")], ids=["that never asked", "kept alive"])
def test_a_delivery_is_answered_while_many_connections_are_idle(door: Door, first: bytes) -> None:
    idle = [door.connect() for _ in range(MANY)]
    for sender in idle if first else []:
        sender.send(first)
        assert sender.answer().status == 404
    for sender in [door.connect() for _ in range(200)]:
        sender.send(head(1000) + b"half")

    assert door.deliver().status == 202
    assert door.probe("/readyz").status == 200
    assert all(sender.is_open() for sender in idle)


def test_when_there_is_no_room_for_another_the_one_that_was_idle_for_longest_gives_way(door: Door) -> None:
    first, *others = [door.connect() for _ in range(PUBLIC_LIMITS.connections)]
    assert first.is_open()

    assert door.deliver().status == 202
    assert door.probe("/healthz").status == 200
    assert first.ended()
    assert others[-1].is_open()
    others[-1].send(post(a_payload()))
    assert others[-1].answer().status == 202


def test_a_worker_that_is_told_to_end_does_not_wait_for_idle_connections(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with a_door(tmp_path_factory.mktemp("web")) as door:
        idle = [door.connect() for _ in range(20)]
        assert door.deliver().status == 202
        door.stop()

        assert all(sender.ended() for sender in idle)
        assert "graceful" not in door.process.log.read_text()
