"""Fetches pictures from `previewbot pictures` for whoever looks at a page: sync, because Flask is.

A picture is handed on piece by piece, so that many readers fill no memory, and no further than a limit. That
it is one is what the answer says, and a browser is told to believe nothing else of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import urllib3

from previewbot.errors import RemoteError, TryLater
from previewbot.rules.pictures import MOST_BYTES

_SECONDS = 5.0
"""For a connection, and for each piece: within the cluster, from a disk."""

_CONNECTIONS = 8
_PIECE = 64 * 1024
_NOT_FOUND = 404


@dataclass(frozen=True)
class Stream:
    """A picture that comes: its bytes in pieces, so many in all."""

    length: int
    pieces: Iterator[bytes]


class PicturesForPages:
    """Fetches pictures from the worker at `url`; `token` returns the secret, and raises SettingsError."""

    def __init__(self, url: str, token: Callable[[], bytes], *, user_agent: str) -> None:
        self._url, self._token, self._user_agent = url.rstrip("/"), token, user_agent
        self._connections = urllib3.PoolManager(maxsize=_CONNECTIONS)

    def secret(self) -> bytes:
        """Return the secret that is shared with the worker; raises SettingsError."""
        return self._token()

    def fetch(self, name: str, sha: str, file: str) -> Stream | None:
        """Return a picture; None if there is none. Raises RemoteError, and SettingsError."""
        what = f"GET {self._url}/previews/{name}"
        headers = {"Authorization": f"Bearer {self._token().decode()}", "User-Agent": self._user_agent}
        try:
            answer = self._connections.request(
                "GET",
                f"{self._url}/previews/{name}/{sha}/{file}.png",
                headers=headers,
                timeout=urllib3.Timeout(connect=_SECONDS, read=_SECONDS),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _away(what, type(error).__name__) from error
        length = answer.headers.get("Content-Length", "")
        is_picture = answer.headers.get("Content-Type", "") == "image/png"
        if answer.status == 200 and is_picture and length.isdigit() and int(length) <= MOST_BYTES:
            return Stream(int(length), _pieces(answer, int(length)))
        status = answer.status
        answer.close()
        if status == _NOT_FOUND:
            return None
        raise _away(what, f"it answers {status}, and not with a picture")


def _pieces(answer: urllib3.BaseHTTPResponse, length: int) -> Iterator[bytes]:
    left = length
    try:
        # What breaks off within is seen by the reader's browser: it was told how long it is.
        with suppress(urllib3.exceptions.HTTPError, OSError):
            while left > 0 and (piece := answer.read(min(_PIECE, left))):
                left -= len(piece)
                yield piece
    finally:
        if left:
            answer.close()
        answer.release_conn()


def _away(what: str, why: str) -> RemoteError:
    return TryLater(what, message=f"the worker of pictures does not answer as it should ({why})")
