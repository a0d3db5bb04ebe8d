"""Attack: whole requests on more connections at once than may have half a request, again and again."""

from __future__ import annotations

import pytest

from previewbot.runtime.web_server import PUBLIC_LIMITS
from tests.support.web_doors import Door, a_payload, get, head, post

MANY = PUBLIC_LIMITS.unfinished + 150

WHOLE = {
    "pages that are not there": (get("/nowhere"), 404),
    "unsigned deliveries": (head(5, changes={"X-Hub-Signature-256": None}), 401),
    "deliveries signed wrongly": (head(5) + b"{  } ", 401),
}


@pytest.mark.parametrize(("request_", "status"), WHOLE.values(), ids=WHOLE.keys())
def test_none_is_pushed_out_however_many_come_at_the_same_moment(
    door: Door, request_: bytes, status: int
) -> None:
    delivering, *strangers = [door.connect() for _ in range(MANY)]
    # So that all of them are known, and wait for a request.
    assert door.probe().status == 200
    delivering.send(get("/nowhere"))
    assert delivering.answer().status == 404

    with door.held_up():
        delivering.send(post(a_payload()))
        for stranger in strangers:
            stranger.send(request_)

    assert delivering.answer().status == 202
    assert {stranger.answer().status for stranger in strangers} == {status}
