"""Reading an answer no further than a limit."""

from __future__ import annotations

import asyncio

import aiohttp

PIECE = 64 * 1024
"""Bytes of an answer that are taken at one go; then whoever else waits has a turn."""

MOST_OF_A_REFUSAL = 64 * 1024
"""Bytes of what a service says when it refuses: a message, below which a proxy may have written a book."""


async def beginning(response: aiohttp.ClientResponse, limit: int) -> tuple[bytes, bool]:
    """Return the first `limit` bytes of an answer, and whether that is all of it.

    Counted while it arrives: an answer without a length, or with a false one, could fill the memory first.
    """
    read = bytearray()
    async for piece in response.content.iter_chunked(PIECE):
        read += piece
        if len(read) > limit:
            return bytes(read[:limit]), False
        # What was received already is handed out without a pause, and there may be megabytes of it.
        await asyncio.sleep(0)
    return bytes(read), True
