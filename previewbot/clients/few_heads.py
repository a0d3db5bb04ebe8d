"""Connections that take a few interim answers before the answer itself, and no flood of them.

An interim answer (`100 Continue`, `103 Early Hints`) is a head of its own, of which any number may come
(https://www.rfc-editor.org/rfc/rfc9110#section-15.2). aiohttp reads them all, one by one: without end they
take all of the event loop's time for as long as the timeout lasts.
"""

from __future__ import annotations

import functools

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader

MOST = 16
"""Go, and with it most Gateways, pass on five; a page with early hints has one or two."""


class FewHeads(aiohttp.TCPConnector):
    """A connector whose connections end with an error, as for what is no HTTP, after too many such heads."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        # aiohttp has no option for what reads an answer; a test holds that this is still what it asks for it.
        self._factory = functools.partial(_Reader, loop=self._loop)  # type: ignore[assignment]


class _Reader(ResponseHandler):
    _interim = 0

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take a head, of an interim answer only so many."""
        if 100 <= data[0].code < 200:
            self._interim += 1
            if self._interim > MOST:
                # Whoever asked closes the connection for that; until then the rest is dropped.
                self.set_exception(aiohttp.ClientPayloadError("interim answers without end"))
                return
        super().feed_data(data, size)
