"""Looks up where links lead and shakes hands there: names and certificates, as a browser would see them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from previewbot.clients.tls import client_context
from previewbot.config.server import GatewaySettings
from previewbot.doctor.check import Check, not_checked, ok, safe, wrong
from previewbot.doctor.names_judged import RESOLUTION, TLS, Certificate, certificate, unresolved, untrusted
from previewbot.doctor.probing_judged import NOT_ASKED
from previewbot.doctor.running import Question
from previewbot.engine.links import gateway_url, host
from previewbot.engine.probe import NAME
from previewbot.rules.proxies import DIRECTLY, Proxies

_SECONDS = 10.0
_SHOWN = 4


class OfNames:
    """The questions about the host of a link; the names of all links are below one domain.

    Only its name is looked up where links are not asked, since nothing may lead there from here.
    """

    def __init__(
        self,
        gateway: GatewaySettings,
        public_url: str,
        now: Callable[[], datetime],
        *,
        asks: bool,
        proxies: Proxies = DIRECTLY,
    ) -> None:
        self._gateway, self._public_url, self._now, self._asks = gateway, public_url, now, asks
        self._host = host(gateway, NAME)
        self._resolved = True
        self._proxy = proxies.of(gateway_url(gateway, NAME))

    def questions(self, follows: Sequence[str] = ()) -> list[Question]:
        """Return them in the order in which they are told; those of `follows` may say why nobody answers."""
        return [
            Question(RESOLUTION, self._resolution),
            Question(TLS, self._certificate, after=(RESOLUTION,), follows=tuple(follows)),
        ]

    async def _resolution(self) -> list[Check]:
        if self._host.endswith(".localhost"):
            # Not every resolver knows that, but browsers do: https://www.rfc-editor.org/rfc/rfc6761#section-6.3.
            return [ok(RESOLUTION, f"{self._host} is this machine")]
        port = self._gateway.port or (443 if self._gateway.scheme == "https" else 80)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self._host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            self._resolved = False
            known = await self._knows_public_url()
            return [unresolved(self._host, self._gateway.domain, str(error), known=known)]
        addresses = dict.fromkeys(str(address[4][0]) for address in found)
        return [ok(RESOLUTION, f"{self._host} leads to {', '.join([*addresses][:_SHOWN])}")]

    async def _knows_public_url(self) -> bool:
        """Return whether another name that people use is known here: if not, no such name may be."""
        name = urlsplit(self._public_url).hostname
        try:
            await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError:
            return False
        return True

    async def _certificate(self) -> list[Check]:
        gateway = self._gateway
        if not self._asks:
            return [not_checked(TLS, NOT_ASKED)]
        if not self._resolved:
            return [not_checked(TLS, "without an address")]
        if gateway.scheme != "https":
            return [not_checked(TLS, "links are opened by http, as links.gateway.scheme says")]
        if self._proxy is not None:
            return [not_checked(TLS, f"links are asked through {self._proxy.url}, which leads there")]
        port = gateway.port or 443
        try:
            async with asyncio.timeout(_SECONDS):
                found = await _shake_hands(self._host, port)
        except ssl.SSLCertVerificationError as error:
            return [untrusted(self._host, error.verify_message)]
        except ssl.SSLError as error:
            words = (
                f"{self._host}:{port} does not speak TLS as browsers do "
                f"({safe(str(error.reason))}); see the listener"
            )
            return [wrong(TLS, words)]
        except (OSError, TimeoutError) as error:
            words = (
                f"nobody answers at {self._host}:{port} ({safe(str(error) or 'no answer in time')}): see the "
                "Gateway's address, and whether this pod may go out to it (NetworkPolicy)"
            )
            return [wrong(TLS, words)]
        return [certificate(self._host, found, self._now())]


async def _shake_hands(host_name: str, port: int) -> Certificate:
    context = client_context()
    _, writer = await asyncio.open_connection(host_name, port, ssl=context, server_hostname=host_name)
    try:
        return _certificate_from(writer.get_extra_info("peercert"))
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await writer.wait_closed()


def _certificate_from(found: Mapping[str, Any]) -> Certificate:
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notAfter"]), UTC)
    issuer = dict(pair for part in found.get("issuer", ()) for pair in part)
    return Certificate(ends, str(issuer.get("organizationName") or issuer.get("commonName") or "?"))
