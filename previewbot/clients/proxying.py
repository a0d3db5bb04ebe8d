"""Requests through a proxy, for every aiohttp session of ours, and what a proxy's refusal means."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
from yarl import URL

from previewbot.rules.proxies import Proxy, refusal


class ProxyRefused(aiohttp.ClientError):
    """The proxy does not pass a request on; the words say which proxy, and why."""


def through(proxy_of: Callable[[str], Proxy | None]) -> aiohttp.ClientMiddlewareType:
    """Return what sends each request through the proxy that there is for its address, or directly.

    By address and not by session: a registry redirects to another host, which may be within. Raises
    ProxyRefused in place of aiohttp's own error.
    """

    async def send(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        proxy = proxy_of(str(request.url))
        if proxy is None:
            return await handler(request)
        login = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
        request.update_proxy(URL(proxy.url), None, login)
        if not request.is_ssl():
            # There is no CONNECT then, and it is the request itself that the proxy reads.
            request.headers.update(login)
        try:
            response = await handler(request)
        except aiohttp.ClientHttpProxyError as error:
            raise ProxyRefused(refusal(proxy, error.status)) from error
        except aiohttp.ClientProxyConnectionError as error:
            raise ProxyRefused(refusal(proxy)) from error
        if response.status == 407:
            # Only a proxy says so.
            response.close()
            raise ProxyRefused(refusal(proxy, response.status))
        return response

    return send


def reason(error: Exception) -> str:
    """Return why there was no answer: a proxy's refusal in words, else what kind of error it is."""
    return str(error) if isinstance(error, ProxyRefused) else type(error).__name__
