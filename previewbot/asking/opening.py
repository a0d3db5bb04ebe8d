"""Opens what is asked: a connection to GitHub or to previewbot, by what access there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from previewbot.asking.access import Access, NoAccess
from previewbot.asking.github import GitHubSource
from previewbot.asking.page import PageSource
from previewbot.asking.source import Source
from previewbot.clients.outgoing import client_session
from previewbot.rules.proxies import NoProxyAddress, Proxies, read_proxies


@asynccontextmanager
async def opened(access: Access, proxies: Proxies) -> AsyncIterator[Source]:
    """Yield whom to ask, closed at the end."""
    async with client_session(proxies=proxies) as session:
        yield GitHubSource(session, access) if access.asks_github else PageSource(session, access)


def proxies_for(access: Access, environ: Mapping[str, str]) -> Proxies:
    """Return the proxies of the environment; raises NoAccess for an address that is none.

    Also where a proxy would read the secret: of https it passes on what it cannot read, of http it reads all.
    """
    try:
        proxies = read_proxies(environ)
    except NoProxyAddress as error:
        raise NoAccess(str(error)) from error
    url = access.api_url or access.url
    proxy, parts = proxies.of(url), urlsplit(url)
    if proxy is not None and parts.scheme == "http":
        raise NoAccess(
            f"{url} is http://, and HTTP_PROXY leads there through {proxy.url}, which would read the bearer: "
            f"name {parts.hostname} in NO_PROXY, or write https://"
        )
    return proxies
