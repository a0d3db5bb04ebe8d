"""The demo's broker: messages, and whose they are while a queue is split."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from previewbot_demo import broker as module
from previewbot_demo.broker import Broker, Split

OURS = {"baggage": "a=b,mirrord-session=pkey-1"}
OWN = Split("parcels", "own", {"baggage": ".*mirrord-session=pkey-1.*"})


async def bodies(broker: Broker, queue: str) -> list[str]:
    """Take all that waits in a queue."""
    found = []
    while (message := await broker.receive(queue, 0.01)) is not None:
        assert broker.done(queue, message.id)
        found.append(message.body)
    return found


@pytest.mark.parametrize(
    ("patterns", "attributes", "takes"),
    [
        ({"baggage": "mirrord-session=pkey-1"}, OURS, True),
        ({"baggage": "mirrord-session=pkey-2"}, OURS, False),
        ({"baggage": "pkey", "tenant": "^acme$"}, OURS, False),
        ({"baggage": "pkey", "tenant": "^acme$"}, OURS | {"tenant": "acme"}, True),
        ({"tenant": ".*"}, OURS, False),
        ({}, OURS, False),
    ],
    ids=str,
)
def test_a_split_takes_a_message_of_which_every_pattern_matches(
    patterns: Mapping[str, str], attributes: Mapping[str, str], takes: bool
) -> None:
    assert Split("parcels", "own", patterns).takes(attributes) is takes


async def test_while_a_queue_is_split_each_message_goes_to_one_of_both() -> None:
    broker = Broker()
    broker.send("parcels", "before", OURS)
    broker.split(OWN)
    broker.send("parcels", "ours", OURS)
    broker.send("parcels", "theirs", {})
    broker.send("invoices", "another queue", OURS)

    assert await bodies(broker, "own") == ["ours"]
    assert await bodies(broker, "parcels") == ["before", "theirs"]


async def test_with_mirror_staging_gets_it_as_well() -> None:
    broker = Broker()
    broker.split(Split(OWN.queue, OWN.into, OWN.patterns, mirror=True))
    broker.send("parcels", "ours", OURS)
    broker.end("own")

    assert await bodies(broker, "own") == []
    assert await bodies(broker, "parcels") == ["ours"]


async def test_what_a_session_leaves_goes_to_whoever_is_next() -> None:
    broker = Broker()
    broker.split(OWN)
    broker.split(Split("parcels", "another", OWN.patterns))
    broker.send("parcels", "first", OURS)
    broker.end("own")
    assert await bodies(broker, "another") == ["first"]

    broker.send("parcels", "second", OURS)
    broker.end("another")
    assert await bodies(broker, "parcels") == ["second"]


async def test_a_message_that_nobody_is_done_with_comes_again_though_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_COMES_AGAIN", 0.0)
    broker = Broker()
    broker.send("parcels", "hard", {})

    given = [await broker.receive("parcels", 5) for _ in range(5)]

    assert [message and message.body for message in given] == ["hard"] * 5
    assert await broker.receive("parcels", 0.01) is None
    assert not broker.done("parcels", "1")


async def test_who_waits_gets_what_is_sent_meanwhile() -> None:
    broker = Broker()
    waiting = asyncio.create_task(broker.receive("parcels", 15))
    await asyncio.sleep(0)
    broker.send("parcels", "new", {})

    message = await waiting
    broker.close()

    assert message is not None and message.told() == {"id": "1", "body": "new", "attributes": {}}
