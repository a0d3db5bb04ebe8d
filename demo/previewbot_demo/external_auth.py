"""The Gateway API's filter `ExternalAuth`, by HTTP: whoever a route names is asked about each request.

https://gateway-api.sigs.k8s.io/geps/gep-1494/: the request goes there with its own method and `Host`, its
path and query behind `http.path`, and of its headers those that are listed; 200 lets it pass, everything else
is the answer. "If there is any problem communicating with the external service, this filter MUST fail
closed": an answer that does not come, comes late, or is larger than a page could be, is an error and never
the backend's. Bodies are not forwarded, and `GRPC` is not spoken: a route that asks for either is answered
with an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

_SECONDS = 5.0
LARGEST = 64 * 1024
"""Bytes of an answer; one that has more is none of a guard's."""

_ALWAYS = ("host", "authorization")
_FRAMING = frozenset(
    ("connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
)

Address = Callable[[str, str], str | None]
"""Returns where a Service listens, by its namespace and name: a URL without path; None if there is none."""


class ExternalAuth:
    """Asks; `seconds` is how long an answer may take."""

    def __init__(self, address: Address, seconds: float = _SECONDS) -> None:
        self._address = address
        self._timeout = aiohttp.ClientTimeout(total=seconds)

    async def ask(
        self,
        filter_: Mapping[str, Any],
        namespace: str,
        request: web.BaseRequest,
        headers: CIMultiDict[str],
    ) -> web.Response | None:
        """Return what the request is answered with; None lets it pass, and puts into `headers` what was said.

        `filter_` is the field `externalAuth` of a route in `namespace`; `headers` are the request's as the
        filters before this one left them.
        """
        http = filter_.get("http") or {}
        if filter_["protocol"] != "HTTP" or (filter_.get("forwardBody") or {}).get("maxSize"):
            return _refused("this gateway asks by HTTP, and forwards no bodies")
        backend = filter_["backendRef"]
        address = self._address(backend.get("namespace", namespace), backend["name"])
        if address is None:
            return _refused(f"there is no Service {backend['name']} to ask")
        asked = URL(f"{address}{http.get('path', '').rstrip('/')}{request.raw_path}", encoded=True)
        sent = _only(headers, (*_ALWAYS, *http.get("allowedHeaders", ())))
        sent["Host"] = request.headers.get("Host", "")
        sent["Content-Length"] = "0"
        try:
            # No connection is kept: a guard that was started anew must not be seen as one that is away.
            async with (
                aiohttp.ClientSession(
                    timeout=self._timeout,
                    connector=aiohttp.TCPConnector(force_close=True),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                ) as client,
                client.request(request.method, asked, headers=sent, allow_redirects=False) as answer,
            ):
                body = await _read(answer)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return _refused(f"whoever guards this host did not answer: {type(error).__name__}")
        if body is None:
            return _refused("whoever guards this host said too much")
        if answer.status != 200:
            return web.Response(status=answer.status, body=body, headers=_without(answer.headers, _FRAMING))
        _take(headers, answer.headers, http.get("allowedResponseHeaders", ()))
        return None


async def _read(answer: aiohttp.ClientResponse) -> bytes | None:
    """Return the body; None if it is too large."""
    found = b""
    async for chunk in answer.content.iter_chunked(LARGEST):
        found += chunk
        if len(found) > LARGEST:
            return None
    return found


def _take(headers: CIMultiDict[str], said: Mapping[str, str], allowed: Sequence[str]) -> None:
    """Put into a request what the answer's headers say: those that are allowed, or all but its framing."""
    taken = _only(said, allowed) if allowed else _without(said, _FRAMING)
    for name in {*(each.lower() for each in allowed), *(each.lower() for each in taken)}:
        headers.popall(name, None)
    headers.extend(taken)


def _only(headers: Mapping[str, str], names: Sequence[str]) -> CIMultiDict[str]:
    wanted = {name.lower() for name in names}
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() in wanted)


def _without(headers: Mapping[str, str], names: frozenset[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in names)


def _refused(why: str) -> web.Response:
    return web.Response(status=503, text=f"{why}\n", headers={"Cache-Control": "no-store"})
