"""Asks a link as somebody's browser would: one GET, of which the status and mirrord's headers are read.

Behind a link is what a pull request made of a service: whatever answers may be anybody's. So nothing of ours
goes along (no cookie, no credential but what lets a question past the guard, which names this one preview,
ends within a minute, and is taken away by the Gateway), redirects are not followed, a body is closed unread
but for the first kilobytes of a check's answer, and time and size are bounded. An answer that is none is an
answer too: why there was none.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from previewbot.api import Why
from previewbot.clients.answers import beginning
from previewbot.clients.few_heads import FewHeads
from previewbot.clients.link_names import LinkResolver, LookUp, NamesInThreads, addresses_of
from previewbot.clients.outgoing import ProxyRefused, through
from previewbot.clients.tls import client_context, end_at_once
from previewbot.engine.routes import COMMIT_HEADER
from previewbot.rules.guard_bearers import HEADER as BEARER_HEADER
from previewbot.rules.guard_refusals import HEADER as GUARD_HEADER
from previewbot.rules.guard_refusals import proof_in, refusal_in
from previewbot.rules.hosts import where_to
from previewbot.rules.link_answers import AGENT_HEADER, KEY_HEADER, Answer
from previewbot.rules.proxies import DIRECTLY, Proxies, Proxy

_MOST_VALUES = 8
# By X509_V_ERR_* of OpenSSL: a certificate of an authority that this process does not know may well be one
# that reviewers' browsers know (https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/).
_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)


@dataclass(frozen=True)
class Limits:
    """Seconds for a connection, and for all of a question; bytes of a check's answer; looks up at once.

    A name that is looked up in vain keeps its thread for as long as the system's own resolver tries.
    """

    connect_seconds: float = 2.0
    whole_seconds: float = 5.0
    body: int = 32 * 1024
    look_ups: int = 8


@dataclass(frozen=True)
class Question:
    """What to ask.

    `addresses` are where to go if the URL's name is not known here: IP addresses, or names of their own.
    `host` is the host to ask for there instead of the URL's own, with its port if need be. `reads_body`: the
    beginning of the answer is wanted. `baggage` is the value of that header, for those who ask without a
    route that sets it. `bearer` is what the guard lets in, `pretends` a host that is none of the URL's, which
    a gateway must not believe.
    """

    url: str
    addresses: tuple[str, ...] = ()
    host: str = ""
    reads_body: bool = False
    baggage: str = ""
    bearer: str = field(default="", repr=False)
    pretends: str = ""


class Links:
    """Asks links, each over a connection of its own; through a proxy where `proxies` has one for its host.

    `user_agent` is who asks; it is told with what for.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        look_up: LookUp | None = None,
        proxies: Proxies = DIRECTLY,
    ) -> None:
        self._proxies = proxies
        self._user_agent = f"{user_agent} (asks whether a link works)"
        self._limits = limits or Limits()
        self._tls = end_at_once(tls or client_context())
        self._look_up = NamesInThreads(look_up or addresses_of, self._limits.look_ups)

    async def ask(self, question: Question) -> Answer:
        """Return the answer, or why there is none; raises nothing."""
        passed_on: Answer | None = None
        try:
            async with asyncio.timeout(self._limits.whole_seconds):
                proxy = self._proxy_of(question)
                if proxy is not None:
                    # What a proxy refuses says nothing of the link: then it is asked as from within.
                    with suppress(ProxyRefused):
                        passed_on = await self._ask(question, proxy)
                        if not _may_be_the_proxys(question, passed_on):
                            return passed_on
                return await self._ask(question, None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return passed_on or Answer(failure=_failure(error))

    def _proxy_of(self, question: Question) -> Proxy | None:
        parts = urlsplit(question.url)
        if question.host and not _is_encrypted(question):
            # It would go by the address and not by `Host`, and ask the link itself
            # (https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2).
            return None
        named = f"{parts.scheme}://{question.host or parts.netloc}"
        # The demo asks for a host at another address: neither may be one that is to be asked directly.
        return self._proxies.of(named) and self._proxies.of(question.url)

    async def _ask(self, question: Question, proxy: Proxy | None) -> Answer:
        # Behind a proxy it is the proxy that looks names up.
        resolver = LinkResolver(self._look_up, question.addresses if proxy is None else ())
        # A connection is not used again, and no name is remembered: a link is asked seldom, and then as it
        # is now.
        connector = FewHeads(resolver=resolver, ssl=self._tls, force_close=True, use_dns_cache=False, limit=1)
        timeout = aiohttp.ClientTimeout(
            connect=self._limits.connect_seconds, total=self._limits.whole_seconds
        )
        # Without compression: a few kilobytes could unpack to gigabytes.
        headers = {"User-Agent": self._user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
        if question.baggage:
            headers["baggage"] = question.baggage
        if question.bearer:
            headers[BEARER_HEADER] = question.bearer
        if question.pretends:
            headers["X-Forwarded-Host"] = question.pretends
        options: dict[str, Any] = {}
        if question.host:
            headers["Host"] = question.host
            options["server_hostname"] = urlsplit(f"//{question.host}").hostname
        async with (
            aiohttp.ClientSession(
                connector=connector,
                timeout=timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                middlewares=(through(lambda url: proxy),),
            ) as session,
            session.get(
                URL(question.url, encoded=True), headers=headers, allow_redirects=False, **options
            ) as response,
        ):
            answer = _answer(response, question)
            if not question.reads_body or answer.failure is not None:
                # Not left to the end of the block, which would read on to use the connection again.
                response.close()
                return answer
            body, _ = await beginning(response, self._limits.body)
            response.close()
            return replace(answer, body=body.decode("utf-8", "replace"))


def _is_encrypted(question: Question) -> bool:
    return urlsplit(question.url).scheme == "https"


def _may_be_the_proxys(question: Question, answer: Answer) -> bool:
    """Return whether a proxy may have said this itself, in place of the link: that it does not get there.

    Of what is encrypted it refuses the connection; of anything else its error looks like the link's own.
    """
    return not _is_encrypted(question) and not answer.is_marked and (answer.is_error or answer.status == 403)


def _answer(response: aiohttp.ClientResponse, question: Question) -> Answer:
    location, guard = (response.headers.get(name) for name in ("Location", GUARD_HEADER))
    location = location or ""
    leads_to, comes_back = where_to(location, question.url)
    if response.status < 200:
        # Nobody asked to speak another protocol (101), and 000 is none of HTTP's.
        return Answer(failure=Why.NO_HTTP)
    return Answer(
        status=response.status,
        agents=_values(response, AGENT_HEADER),
        keys=_values(response, KEY_HEADER),
        leads_to=leads_to,
        leads_to_path=urlsplit(location).path if leads_to else "",
        comes_back=comes_back,
        commits=_values(response, COMMIT_HEADER),
        from_guard=guard is not None,
        refusal=refusal_in(guard or ""),
        proof=proof_in(guard or ""),
    )


def _values(response: aiohttp.ClientResponse, name: str) -> tuple[str, ...]:
    """Return the values of a header, which may be there more than once."""
    lines = response.headers.getall(name, [])
    values = [value.strip() for line in lines for value in line.split(",")]
    return tuple(dict.fromkeys(value.lower() for value in values if value))[:_MOST_VALUES]


def _failure(error: Exception) -> Why:
    """Return what kind of silence it was."""
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return Why.NO_NAME
    certificate = getattr(error, "certificate_error", error)
    if isinstance(certificate, ssl.SSLCertVerificationError):
        unknown = certificate.verify_code in _UNKNOWN_AUTHORITY
        return Why.UNKNOWN_AUTHORITY if unknown else Why.CERTIFICATE
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return Why.NO_HTTP
    if isinstance(error, TimeoutError):
        return Why.TOO_LATE
    if isinstance(error, aiohttp.ClientConnectorError):
        return Why.NO_CONNECTION
    return Why.NO_HTTP if isinstance(error, aiohttp.ClientError | ValueError) else Why.NO_CONNECTION
