"""Attack: to ask for answers and take none, so that they fill the memory or somebody waits."""

from __future__ import annotations

from previewbot.runtime.web_server import PUBLIC_LIMITS
from tests.support.web_doors import Door, Sender, get, until


def deaf(door: Door, request: bytes) -> Sender:
    """Send something on a connection that has next to no room for answers."""
    sender = door.connect(room=1024)
    sender.send(request)
    return sender


def test_whoever_takes_nothing_is_cut_off_before_the_kernel_holds_a_megabyte_for_him(pages: Door) -> None:
    # An answer has more than 3 KiB. A kernel that takes all of them keeps them while the connection is open.
    senders = [deaf(pages, get("/p/812/42") * 300) for _ in range(5)]

    until(lambda: pages.connections() == len(senders), "all of them")
    until(lambda: pages.connections() == 0, "the end of those who take nothing")


def test_more_of_them_than_may_be_do_not_keep_a_delivery_out(door: Door) -> None:
    senders = [deaf(door, get("/nowhere") * 120) for _ in range(PUBLIC_LIMITS.unfinished + 50)]

    assert door.deliver().status == 202
    assert door.probe().status == 200
    until(lambda: door.connections() < len(senders), "one that gave way")
