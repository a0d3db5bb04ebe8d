"""TLS connections that end when they are closed."""

from __future__ import annotations

import ssl

import aiohttp


class _WithoutGoodbye(ssl.SSLObject):
    """Says goodbye (TLS's close_notify) and does not wait for the peer's.

    asyncio waits 30 seconds for it. Whoever closes a watch in the middle, or gives up a request to a peer
    that has fallen silent, would keep the connection that long; one whose loop ends first would never be
    closed. Nothing is read after a close, so nothing can be cut off unnoticed
    (https://www.rfc-editor.org/rfc/rfc8446#section-6.1).
    """

    def unwrap(self) -> None:
        try:
            super().unwrap()
        except ssl.SSLWantReadError:
            return


def end_at_once(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let the connections of an asyncio client end as soon as they are closed; return the context."""
    context.sslobject_class = _WithoutGoodbye
    return context


def client_session(timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
    """Return a client that trusts what the system trusts, and whose connections end as soon as they are
    closed."""
    connector = aiohttp.TCPConnector(ssl=end_at_once(ssl.create_default_context()))
    return aiohttp.ClientSession(connector=connector, timeout=timeout)
