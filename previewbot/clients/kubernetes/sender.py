"""Sends requests to the API server over the official async client, as whoever the login is of.

Of the client the transport alone is used: it sends what `Access` says, where and as whom. Its classes for
groups of resources would build a model of every type that Kubernetes has when they are imported: 0.7 s of CPU
at each start, and 25 MB (measured on kubernetes 37).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp
from kubernetes.aio import client

from previewbot.clients.kubernetes.access import Access
from previewbot.clients.kubernetes.login import Credential
from previewbot.clients.kubernetes.resources import JSON
from previewbot.clients.outgoing import through
from previewbot.clients.tls import end_at_once

Verb = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Query = Mapping[str, str | int]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class ApiRequest:
    """A request to the API server; `path` is one of those that `resources` makes."""

    verb: Verb
    path: str
    query: Query = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    content_type: str = JSON


class RedirectRefused(aiohttp.ClientError):
    """The API server's answer leads elsewhere."""


async def _stay(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Take no redirect: whoever answers for the API server would choose where our requests go.

    The API server itself has no redirects for what we ask, and the client has no switch to leave them be.
    """
    response = await handler(request)
    if response.status in _REDIRECTS:
        response.close()
        raise RedirectRefused
    return response


class Sender:
    """Sends requests; `patience` is how long one waits for a login, in seconds.

    Raises what aiohttp does, and Unauthorized where there is no login.
    """

    def __init__(self, access: Access, user_agent: str, *, patience: float) -> None:
        server = access.server
        configuration = client.Configuration()
        configuration.host = server.url
        configuration.tls_server_name = server.tls_server_name or None
        # No limit: each namespace holds a watch, and a hundred of them would starve every other call.
        configuration.connection_pool_maxsize = 0
        # The client's default believes the environment: a proxy that is meant for what lies outside would
        # hear all that is said, and ~/.netrc would add a password. One for the API server is in the
        # kubeconfig.
        configuration.client_session_kwargs = {
            "trust_env": False,
            "middlewares": (_stay, through(lambda url: server.proxy)),
        }
        self._access = access
        self._patience = patience
        self._client = client.ApiClient(configuration)
        self._client.user_agent = user_agent

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def send(self, request: ApiRequest, request_timeout: float) -> aiohttp.ClientResponse:
        """Send a request with the login that holds now; after a 401 once more, with another if there is."""
        login = self._access.login
        credential = await login.current(self._patience)
        response = await self._send_as(credential, request, request_timeout)
        if response.status == 401:
            # It may have been revoked before its time, or the clocks differ.
            renewed = await login.after_refusal(credential, self._patience)
            if renewed is None:
                return response
            response.close()
            response = await self._send_as(renewed, request, request_timeout)
        if response.status != 401:
            login.accepted()
        return response

    async def _send_as(
        self, credential: Credential, request: ApiRequest, request_timeout: float
    ) -> aiohttp.ClientResponse:
        await self._speak_as(credential)
        headers = {"Accept": f"{JSON}, */*", "Content-Type": request.content_type}
        if credential.authorization:
            headers["Authorization"] = credential.authorization
        parameters = await self._client.param_serialize(
            request.verb,
            request.path,
            query_params=list(request.query.items()),
            header_params=headers,
            body=None if request.body is None else dict(request.body),
        )
        answer = await self._client.call_api(*parameters, _request_timeout=request_timeout)
        response: aiohttp.ClientResponse = answer.response
        return response

    async def _speak_as(self, credential: Credential) -> None:
        """Have new connections show this login's certificate, and end those that showed another."""
        rest, context = self._client.rest_client, self._access.context(credential)
        if rest.ssl_context is context:
            return
        # Who asks is settled when a connection is opened. On those of before one would go on to be who one
        # was, until the API server refuses a certificate that has ended in the middle of it.
        rest.ssl_context = end_at_once(context)
        before, rest.pool_manager = rest.pool_manager, None
        if before is not None:
            await before.close()
