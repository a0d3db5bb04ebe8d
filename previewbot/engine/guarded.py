"""Which preview a gateway asks the guard about, and what the address says that somebody opens.

One spelling of a host is taken: what else it may be called, a gateway and a browser may read in other ways
than the guard, which would then let people into another preview than the one they may see.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from previewbot.config.server import GatewaySettings
from previewbot.engine.links import gateway_url
from previewbot.rules.environment_keys import FIRST_LABEL, MAX_LENGTH

TICKET, BEARER = "previewbot_ticket", "previewbot_bearer"
"""Of an address's query: what lets a browser in, and is taken away before anybody else sees it."""

# All that can stand in the head of a request, but for the mark that begins what browsers keep to themselves.
_WITHIN = re.compile(r"/[!\"$-~]*")
_LONGEST_HOST = 300


def key_of_host(text: str, domain: str) -> str:
    """Return the environment key of a preview's host, with a port or without; empty if it is none.

    Also what is in its place where previewbot tries the gateway.
    """
    if len(text) > _LONGEST_HOST or not text.isascii():
        return ""
    found = re.fullmatch(rf"(?P<key>{FIRST_LABEL})\.{re.escape(domain)}(:[0-9]{{1,5}})?", text.lower())
    return found["key"] if found is not None and len(found["key"]) <= MAX_LENGTH else ""


def key_asked_about(gateway: GatewaySettings, host_sent: str, forwarded: str, pages: str) -> str:
    """Return the key of the preview that a gateway asks about; empty if its request does not say it.

    `host_sent` and `forwarded` are the values of Host and X-Forwarded-Host, `pages` the host of pages.
    """
    assert gateway.guard is not None
    if gateway.guard.host_in == "Host":
        return key_of_host(host_sent, gateway.domain)
    # A gateway that passes Host on does not write the other header: whoever opens a preview could name one
    # that they may see in it, and get into any.
    if _is_below(host_sent, gateway.domain) and _bare(host_sent) != pages:
        return ""
    return key_of_host(forwarded, gateway.domain)


def is_another_preview(gateway: GatewaySettings, key: str, *, origin: str, site: str, reads: bool) -> bool:
    """Return whether a request is sent by the code of another preview, with the cookie of somebody's browser.

    Previews are below one domain, and browsers send `SameSite=Lax` cookies along between such hosts
    (https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header). `origin` and `site` are the values of
    Origin and Sec-Fetch-Site, of which older browsers and some gateways leave out the second; `reads`: it is
    a GET or a HEAD.

    An Origin that names another preview is enough by itself: browsers send one with what a script may read,
    and with a WebSocket, which begins as a GET and then speaks both ways, and never with a link that
    somebody follows (https://fetch.spec.whatwg.org/#origin-header). A page can hide its own origin (`null`),
    but not that it is another.
    """
    if key_of_host(origin.partition("://")[2], gateway.domain) not in ("", key):
        return True
    if site in ("same-origin", "none"):
        return False
    # With a GET there is an Origin only where the sender's counts, so that `null` is somebody who hides it.
    hides = origin == "null" if reads else origin in ("", "null")
    return hides and (reads or site in ("same-site", "cross-site"))


def path_and_query(text: str) -> str:
    """Return the path and query of a request as they were sent; the preview's first page if they are none."""
    text = f"/{text}" if not text or text.startswith("?") else text
    return text if _WITHIN.fullmatch(text) else "/"


def key_of_address(gateway: GatewaySettings, url: str) -> str:
    """Return the key of the preview that an address is within; empty if it is within none."""
    before, _, _ = url.removeprefix(f"{gateway.scheme}://").partition("/")
    key = key_of_host(before, gateway.domain)
    begins = gateway_url(gateway, key, "")
    # The whole of what is before the path is compared: a user name or another port is another place.
    return key if key and url.startswith(f"{begins}/") and _WITHIN.fullmatch(url[len(begins) :]) else ""


def values_in(within: str, name: str) -> list[str]:
    """Return the values that a path and query has of a name, as they are written."""
    _, _, query = within.partition("?")
    return [part[len(name) + 1 :] for part in query.split("&") if part.startswith(f"{name}=")]


def without(within: str) -> str:
    """Return a path and query without what lets a browser in; all else as it was, to the byte."""
    path, mark, query = within.partition("?")
    ours = (f"{TICKET}=", f"{BEARER}=")
    parts = [part for part in query.split("&") if not part.startswith(ours)]
    return f"{path}?{'&'.join(parts)}" if mark and parts else path


def with_ticket(url: str, ticket: str) -> str:
    """Return an address with a ticket in its query, which `without` takes away again."""
    return f"{url}{'&' if '?' in url else '?'}{TICKET}={ticket}"


def with_bearer(url: str, bearer: str) -> str:
    """Return an address with a bearer in its query: the guard gives its cookie of that one host for it, and
    leads on to the address without."""
    before, mark, fragment = url.partition("#")
    return f"{before}{'&' if '?' in before else '?'}{BEARER}={bearer}{mark}{fragment}"


def way_in(gateway: GatewaySettings, key: str, within: str, most: int) -> str:
    """Return where a way through the guard is to lead within a preview, as one value of a query.

    With more than `most` characters its own query is left out, and then its path: people land on the first
    page.
    """
    shorter = (within, within.partition("?")[0], "/")
    return next(
        one
        for one in (quote(gateway_url(gateway, key, each), safe="") for each in shorter)
        if len(one) <= most
    )


def _bare(text: str) -> str:
    return re.sub(r":[0-9]*$", "", text.lower()).rstrip(".")


def _is_below(text: str, domain: str) -> bool:
    return _bare(text).endswith(f".{domain}")


def host_in(url: str) -> str:
    """Return the host of an address in small letters, without its port."""
    return urlsplit(url).hostname or ""
