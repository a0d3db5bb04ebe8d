"""Looks whether the proxies lead out, before those are asked whom they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import aiohttp

from previewbot.clients.outgoing import ProxyRefused
from previewbot.doctor.check import Check, ok, wrong
from previewbot.doctor.running import Question
from previewbot.rules.proxies import Proxies

PROXIES = "proxies"

_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)
_WANTS_A_LOGIN = 407


class OfProxies:
    """The question whether the proxies that the environment names take requests at all."""

    def __init__(self, session: aiohttp.ClientSession, proxies: Proxies) -> None:
        self._session, self._proxies = session, proxies

    def before(self, url: str) -> tuple[str, ...]:
        """Return what is to be asked before an address is: whether its proxy works, where it has one."""
        return (PROXIES,) if self._proxies.of(url) is not None else ()

    def questions(self, urls: Sequence[str]) -> list[Question]:
        """Return the one about the proxies of these addresses; none where all are asked directly."""
        if not any(map(self._proxies.of, urls)):
            return []

        async def lead_out() -> list[Check]:
            return await self._lead_out(urls)

        return [Question(PROXIES, lead_out)]

    async def _lead_out(self, urls: Sequence[str]) -> list[Check]:
        tried = set[str]()
        for url in urls:
            proxy = self._proxies.of(url)
            if proxy is None or proxy.url in tried:
                continue
            tried.add(proxy.url)
            words = await self._refusal(url)
            if words:
                return [wrong(PROXIES, words)]
        ways = ((urlsplit(url).netloc, self._proxies.of(url)) for url in urls)
        told = ", ".join(f"{host} {f'through {proxy.url}' if proxy else 'directly'}" for host, proxy in ways)
        return [ok(PROXIES, f"by HTTPS_PROXY and NO_PROXY: {told}; the API server as its kubeconfig says")]

    async def _refusal(self, url: str) -> str:
        """Return why the proxy of an address takes no requests from us; empty where it does.

        What it says of one address alone is told with that one.
        """
        try:
            async with self._session.head(url, timeout=_TIMEOUT, allow_redirects=False):
                return ""
        except ProxyRefused as error:
            if error.status not in (None, _WANTS_A_LOGIN):
                return ""
            return (
                f"{error}: see HTTPS_PROXY, its login, and whether this pod may go out to it (NetworkPolicy: "
                "networkPolicy.proxyPorts)"
            )
        except (aiohttp.ClientError, TimeoutError, OSError):
            # Whatever that is, those who ask there tell of it.
            return ""
