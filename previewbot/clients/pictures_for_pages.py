"""Fetches pictures from `previewbot pictures` for whoever looks at a page: sync, because Flask is.

A picture is handed on piece by piece, so that many readers fill no memory, and no further than a limit. That
it is one is what the answer says, and a browser is told to believe nothing else of it. What answers may be
broken into: so many are fetched at once, each within its time, however slowly it comes.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from previewbot.errors import RemoteError, TryLater
from previewbot.rules.pictures import MOST_BYTES

_SECONDS = 5.0
"""For a connection, and for each piece: within the cluster, from a disk."""

_SECONDS_IN_ALL = 30.0
"""For a whole picture: a reader who takes longer is let go by the server, too."""

_AT_ONCE = 64
"""Each takes two of the files that pages may have open: the reader's connection, and the worker's."""

_PIECE = 64 * 1024
_NOT_FOUND = 404
_BROKEN = (HTTPException, OSError, ValueError)


@dataclass(frozen=True)
class Stream:
    """A picture that comes: its bytes in pieces, so many in all. `pieces` is closed by whoever reads it."""

    length: int
    pieces: Iterator[bytes]


class PicturesForPages:
    """Fetches pictures from the worker at `url`; `tokens` returns the secrets that count now, the one that is
    sent first, and raises SettingsError."""

    def __init__(
        self,
        url: str,
        tokens: Callable[[], tuple[bytes, ...]],
        *,
        user_agent: str,
        seconds: float = _SECONDS_IN_ALL,
        at_once: int = _AT_ONCE,
    ) -> None:
        """Make one; `seconds` are for a whole picture, and so many are fetched `at_once`."""
        self._url, self._tokens, self._user_agent = url.rstrip("/"), tokens, user_agent
        self._seconds, self._room = seconds, threading.BoundedSemaphore(at_once)

    def secrets(self) -> tuple[bytes, ...]:
        """Return the secrets that count now; raises SettingsError."""
        return self._tokens()

    def fetch(self, name: str, sha: str, file: str) -> Stream | None:
        """Return a picture; None if there is none. Raises RemoteError, and SettingsError."""
        what = f"GET {self._url}/previews/{name}"
        token = self._tokens()[0].decode()
        headers = {"Authorization": f"Bearer {token}", "User-Agent": self._user_agent, "Connection": "close"}
        if not self._room.acquire(blocking=False):
            raise TryLater(what, message="too many pictures are being fetched at once")
        fetching = _Fetching(self._url, self._seconds, self._room.release)
        is_read = False
        try:
            answer = fetching.begin(f"/previews/{name}/{sha}/{file}.png", headers)
            length = answer.headers.get("Content-Length", "")
            is_picture = answer.headers.get("Content-Type", "") == "image/png"
            is_read = answer.status == 200 and is_picture and length.isdigit() and int(length) <= MOST_BYTES
            if is_read:
                fetching.left = int(length)
                return Stream(int(length), fetching)
        except _BROKEN as error:
            raise _away(what, "too slowly" if fetching.is_cut else type(error).__name__) from error
        finally:
            if not is_read:
                fetching.close()
        if answer.status == _NOT_FOUND:
            return None
        raise _away(what, f"it answers {answer.status}, and not with a picture")


class _Fetching(Iterator[bytes]):
    """One question and its answer, on a connection of its own, which is cut off when its time is over.

    A limit for each piece would not end what comes byte by byte.
    """

    def __init__(self, url: str, seconds: float, let_go: Callable[[], None]) -> None:
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS)
        self._below, self._let_go, self._closed = parts.path, let_go, False
        self._answer: HTTPResponse | None = None
        self._socket: socket.socket | None = None
        self._cutting = threading.Timer(seconds, self._cut)
        self._cutting.daemon = True
        self.is_cut = False
        self.left = 0

    def begin(self, path: str, headers: dict[str, str]) -> HTTPResponse:
        """Ask, and return the answer as far as its headers; raises one of `_BROKEN`."""
        self._connection.connect()
        self._socket = self._connection.sock
        self._cutting.start()
        self._connection.request("GET", f"{self._below}{path}", headers=headers)
        self._answer = self._connection.getresponse()
        # Headers that end with the connection count as whole to http.client.
        if self.is_cut:
            raise TimeoutError
        return self._answer

    def __next__(self) -> bytes:
        """Return the next piece. What breaks off is seen by the reader's browser: it was told the length."""
        piece = b""
        if self._answer is not None and self.left > 0:
            with suppress(*_BROKEN):
                piece = self._answer.read1(min(_PIECE, self.left))
        if not piece:
            self.close()
            raise StopIteration
        self.left -= len(piece)
        return piece

    def close(self) -> None:
        """Let go of the connection, and of its place among those at once; more often than once does no
        harm."""
        if self._closed:
            return
        self._closed = True
        self._cutting.cancel()
        with suppress(*_BROKEN):
            if self._answer is not None:
                self._answer.close()
            self._connection.close()
        self._let_go()

    def _cut(self) -> None:
        self.is_cut = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def _away(what: str, why: str) -> RemoteError:
    return TryLater(what, message=f"the worker of pictures does not answer as it should ({why})")
