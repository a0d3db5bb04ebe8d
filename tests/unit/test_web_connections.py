"""Who gives way when there are too many connections, or too much is held of what they send."""

from __future__ import annotations

import gevent
import pytest
from werkzeug.exceptions import ServiceUnavailable

from previewbot.runtime.web_connections import Connection, Connections, GaveWay, Limits, Waits
from previewbot.runtime.web_turns import Turns


class Client:
    """A connection whose other side never says anything, and what became of it."""

    def __init__(self, connections: Connections, waits: Waits = Waits.IDLE) -> None:
        self.connections = connections
        self.waits = waits
        self.ended_by: Exception | None = None
        self.connection: Connection
        gevent.spawn(self._serve)
        gevent.sleep(0)

    def _serve(self) -> None:
        self.connection = Connection()
        self.connections.add(self.connection)
        try:
            self.connections.now(self.connection, self.waits)
            if self.waits is Waits.WORKING:
                gevent.sleep(60)
            with self.connection.waiting():
                gevent.sleep(60)
        except (GaveWay, ServiceUnavailable) as error:
            self.ended_by = error
        finally:
            self.connections.remove(self.connection)

    def sends(self, count: int) -> None:
        self.connections.hold(self.connection, count)
        gevent.sleep(0)


def a_room(connections: int = 3, unfinished: int = 3, held: int = 100) -> Connections:
    return Connections(Limits(connections, unfinished, held))


def those_who_gave_way(clients: list[Client]) -> list[int]:
    gevent.sleep(0)
    return [number for number, client in enumerate(clients) if client.ended_by is not None]


@pytest.mark.parametrize(
    ("states", "gives_way"),
    [
        ([Waits.IDLE, Waits.IDLE, Waits.IDLE], 0),
        ([Waits.RECEIVING, Waits.IDLE, Waits.SENDING], 1),
        ([Waits.RECEIVING, Waits.SENDING, Waits.SENDING], 1),
        ([Waits.WORKING, Waits.RECEIVING, Waits.RECEIVING], 1),
    ],
)
def test_a_newcomer_gets_in_and_who_loses_least_or_waits_for_longest_gives_way(
    states: list[Waits], gives_way: int
) -> None:
    room = a_room()
    clients = [Client(room, state) for state in states]

    newcomer = Client(room)

    assert newcomer.ended_by is None
    assert those_who_gave_way(clients) == [gives_way]
    assert len(room) == 3


def test_when_all_others_wait_for_us_a_newcomer_is_not_turned_away_but_nobody_is_kept_afterwards() -> None:
    room = a_room()
    clients = [Client(room, Waits.WORKING) for _ in range(3)]
    assert not room.too_many

    newcomer = Client(room)

    assert (newcomer.ended_by, those_who_gave_way(clients)) == (None, [])
    assert room.too_many


def test_whoever_began_a_request_first_gives_way_with_an_answer_when_too_many_have_begun_one() -> None:
    room = a_room(connections=10, unfinished=2)
    clients = [Client(room, Waits.RECEIVING) for _ in range(3)]

    assert those_who_gave_way(clients) == [0]
    error = clients[0].ended_by
    assert isinstance(error, ServiceUnavailable)
    assert error.retry_after == 60


@pytest.mark.parametrize(
    ("counts", "gives_way"),
    [
        pytest.param((10, 45, 45), 1, id="of those who hold the same, who has been sending for longest"),
        pytest.param((10, 30, 59), 2, id="also if he came last"),
    ],
)
def test_whoever_holds_most_gives_way_when_too_much_is_held(counts: tuple[int, ...], gives_way: int) -> None:
    room = a_room()
    clients = [Client(room, Waits.RECEIVING) for _ in counts]
    for client, count in zip(clients, counts, strict=True):
        client.sends(count)
    assert those_who_gave_way(clients) == []

    clients[0].sends(2)
    assert those_who_gave_way(clients) == [gives_way]
    assert room.held == sum(counts) + 2 - counts[gives_way]


def test_whoever_holds_most_gives_way_also_if_it_is_he_who_sends() -> None:
    room = a_room()
    first = Connection()
    room.add(first)
    room.now(first, Waits.RECEIVING)

    with pytest.raises(ServiceUnavailable):
        room.hold(first, 101)
    assert (room.held, len(room)) == (0, 0)


def test_what_is_there_in_whole_is_held_no_more_and_cannot_give_way() -> None:
    room = a_room(connections=1)
    first = Connection()
    room.add(first)
    room.now(first, Waits.RECEIVING)
    room.hold(first, 50)
    room.now(first, Waits.WORKING)

    assert room.held == 0
    assert Client(room).ended_by is None
    assert first.gives_way is None


def test_whoever_is_told_to_give_way_and_is_quicker_is_answered() -> None:
    """It had everything by the time it learned of it, so nothing would be won."""
    room = a_room(connections=1)
    first = Connection(serves=object())
    room.add(first)
    room.now(first, Waits.RECEIVING)
    assert Client(room).ended_by is None
    assert first.gives_way is not None

    room.now(first, Waits.WORKING)
    gevent.sleep(0)

    # Otherwise there could be any number of those whom no limit knows.
    assert len(room) == 2
    with first.waiting():
        pass


def test_whoever_gave_way_counts_no_more_whatever_it_does_until_it_learns_of_it() -> None:
    room = a_room(connections=1)
    first = Connection(serves=object())
    room.add(first)
    room.now(first, Waits.RECEIVING)
    room.hold(first, 10)
    assert Client(room).ended_by is None

    room.hold(first, 1000)
    room.now(first, Waits.RECEIVING)
    assert (room.held, len(room)) == (0, 1)
    with pytest.raises(ServiceUnavailable), first.waiting():
        pass


def test_at_the_end_only_the_idle_ones_are_ended() -> None:
    room = a_room(connections=4)
    clients = [Client(room, state) for state in (Waits.IDLE, Waits.RECEIVING, Waits.WORKING, Waits.IDLE)]

    room.end_idle()

    assert those_who_gave_way(clients) == [0, 3]


def test_between_two_turns_others_are_looked_after_and_turns_come_in_order() -> None:
    turns, happened = Turns(2), list[str]()

    def work(number: int) -> None:
        turns.take()
        happened.append(str(number))

    def probe() -> None:
        # A timer is what a socket is to the loop: it is looked at between two rounds.
        gevent.sleep(0.000001)
        happened.append("probe")

    everybody = [gevent.spawn(work, number) for number in range(100)] + [gevent.spawn(probe)]
    gevent.joinall(everybody, timeout=60)

    work_alone = [word for word in happened if word != "probe"]
    assert work_alone == [str(number) for number in range(100)]
    assert happened.index("probe") < 20
