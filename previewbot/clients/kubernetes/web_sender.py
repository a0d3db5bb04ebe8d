"""Sends web's requests to the API server over the official client, as whoever the login is of.

It is the sync half of `sender`: the same `Access`, so the same login, certificates and proxy.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3
from kubernetes import client

from previewbot.clients.kubernetes.access import Access
from previewbot.clients.kubernetes.login import Credential
from previewbot.clients.kubernetes.resources import MOST_BYTES
from previewbot.rules.proxies import refusal

_REFUSED_RE = re.compile(r"Tunnel connection failed: ([0-9]{3})")


class AnswerTooLarge(ValueError):
    """An answer is larger than any that the API server gives."""


class ProxyRefused(OSError):
    """The proxy does not pass a request on; the words say which proxy, and why."""


class WebSender(client.ApiClient):  # type: ignore[misc]
    """Reads answers within a size, and shows the login that holds; the generated one does neither.

    Raises Unauthorized where there is no login, ProxyRefused, and what urllib3 does.
    """

    def __init__(self, access: Access, user_agent: str, *, connections: int) -> None:
        configuration = client.Configuration()
        configuration.host = access.server.url
        # Otherwise it would be what the environment names, which is meant for what lies outside.
        configuration.proxy = None
        super().__init__(configuration)
        self.user_agent = user_agent
        self._access = access
        self._most_connections = connections
        self._pooling = threading.Lock()
        self._shown_with: ssl.SSLContext | None = None

    def call_api(
        self,
        method: str,
        url: str,
        header_params: dict[str, str] | None = None,
        body: Any = None,
        post_params: Any = None,
        _request_timeout: float | None = None,
    ) -> Any:
        """Send a request; after a 401 once more, if there is another login by then.

        The timeout is for all of it.
        """
        assert _request_timeout is not None
        deadline = time.monotonic() + _request_timeout
        login = self._access.login

        def send(credential: Credential) -> Any:
            headers = dict(header_params or {})
            if credential.authorization:
                headers["Authorization"] = credential.authorization
            self._speak_as(credential)
            left = max(0.001, deadline - time.monotonic())
            with self._proxy_in_words():
                answer = super(WebSender, self).call_api(method, url, headers, body, post_params, left)
            return self._read(answer)

        credential = login.current_in_thread(_request_timeout)
        answer = send(credential)
        if answer.status == 401:
            # It may have been revoked before its time, or the clocks differ.
            renewed = login.after_refusal_in_thread(credential, deadline - time.monotonic())
            if renewed is None:
                return answer
            answer = send(renewed)
        if answer.status != 401:
            login.accepted()
        return answer

    @contextmanager
    def _proxy_in_words(self) -> Iterator[None]:
        try:
            yield
        except urllib3.exceptions.ProxyError as error:
            proxy = self._access.server.proxy
            assert proxy is not None
            status = _REFUSED_RE.search(str(error))
            raise ProxyRefused(refusal(proxy, int(status[1]) if status else None)) from error

    def _read(self, answer: Any) -> Any:
        proxy = self._access.server.proxy
        if answer.status == 407 and proxy is not None:
            # Only a proxy says so; over plain HTTP there is no CONNECT that it could refuse.
            answer.response.close()
            raise ProxyRefused(refusal(proxy, answer.status))
        body = bytearray()
        while piece := answer.response.read(64 * 1024):
            body += piece
            if len(body) > MOST_BYTES:
                # The connection goes with what was not read.
                answer.response.close()
                raise AnswerTooLarge
        # Where this is set, it is not read again.
        answer.data = bytes(body)
        return answer

    def _speak_as(self, credential: Credential) -> None:
        """Have a pool of connections that show this login's certificate."""
        context = self._access.context(credential)
        with self._pooling:
            # Who asks is settled when a connection is opened, so another certificate needs others. What is
            # under way on those of before comes to its end.
            if self._shown_with is not context:
                self._shown_with = context
                self.rest_client.pool_manager = self._connections_with(context)

    def _connections_with(self, context: ssl.SSLContext) -> urllib3.PoolManager:
        server = self._access.server
        options: dict[str, Any] = {
            "ssl_context": context,
            "maxsize": self._most_connections,
            # urllib3 would try again by itself, each time with the whole timeout, until GitHub has given up.
            # It follows no redirect either.
            "retries": False,
        }
        if server.tls_server_name:
            options["server_hostname"] = server.tls_server_name
        if server.skip_verify:
            # urllib3 has a word of its own in this, beside the context's.
            options["cert_reqs"] = ssl.CERT_NONE
            # The start has said it; urllib3 would say it with each request.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        if server.proxy is None:
            return urllib3.PoolManager(**options)
        login = {"Proxy-Authorization": server.proxy.authorization} if server.proxy.authorization else {}
        return urllib3.ProxyManager(
            server.proxy.url, proxy_headers=login, proxy_ssl_context=context, **options
        )


def reason(error: Exception) -> str:
    """Return why there was no answer: a proxy's refusal in words, else what kind of error it is."""
    return str(error) if isinstance(error, ProxyRefused) else type(error).__name__
