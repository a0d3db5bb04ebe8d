"""Attack: to fill the log, or to forge lines in it, with what is no HTTP."""

from __future__ import annotations

import pytest

from tests.support.web_doors import Door

NO_HTTP = {
    "a line": b"FILLS-THE-LOG" * 300 + b"\r\n\r\n",
    "a header": b"GET / HTTP/1.1\r\n" + b"FILLS-THE-LOG" * 2_000 + b"\r\n\r\n",
    "a line of a log": b'GET /\n{"FILLS-THE-LOG": 1} HTTP/1.1\r\n\r\n',
}


@pytest.mark.parametrize("no_http", NO_HTTP.values(), ids=NO_HTTP.keys())
def test_what_is_no_http_is_not_in_the_log(door: Door, no_http: bytes) -> None:
    before = door.process.log.stat().st_size

    assert door.ask(no_http).status == 400

    assert door.process.log.stat().st_size == before
