"""Requests to what lies outside of the cluster: through which proxy, and why there was no answer."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import aiohttp
from yarl import URL

from previewbot.clients.tls import client_context, end_at_once
from previewbot.errors import UNTRUSTED
from previewbot.rules.proxies import DIRECTLY, Proxies, Proxy, refusal

TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)
"""Of a request that has no time of its own."""


class ProxyRefused(aiohttp.ClientError):
    """The proxy does not pass a request on; the words say which proxy, and why.

    `status` is what it answered, None where it cannot be reached.
    """

    def __init__(self, proxy: Proxy, status: int | None = None) -> None:
        self.status = status
        super().__init__(refusal(proxy, status))


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
            raise ProxyRefused(proxy, error.status) from error
        except aiohttp.ClientProxyConnectionError as error:
            raise ProxyRefused(proxy) from error
        if response.status == 407:
            # Only a proxy says so.
            response.close()
            raise ProxyRefused(proxy, response.status)
        return response

    return send


def client_session(
    timeout: aiohttp.ClientTimeout = TIMEOUT, proxies: Proxies = DIRECTLY
) -> aiohttp.ClientSession:
    """Return a client for what lies outside: each request goes through its proxy, if `proxies` has one.

    It trusts what the system trusts, and its connections end as soon as they are closed. Of the environment
    nothing else counts, such as a password in ~/.netrc.
    """
    connector = aiohttp.TCPConnector(ssl=end_at_once(client_context()))
    return aiohttp.ClientSession(connector=connector, timeout=timeout, middlewares=(through(proxies.of),))


def reason(error: Exception) -> str:
    """Return why there was no answer, in words where they are known: a proxy's refusal, a certificate."""
    if isinstance(error, ProxyRefused):
        return str(error)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return untrusted(error)
    return type(error).__name__


def untrusted(error: aiohttp.ClientConnectorCertificateError) -> str:
    """Return in words why a certificate is not believed."""
    failed = error.certificate_error
    told = failed.verify_message if isinstance(failed, ssl.SSLCertVerificationError) else "it is not valid"
    return f"{UNTRUSTED}: {told}"
