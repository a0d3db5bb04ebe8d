"""Which text is a host that a link may lead to, and which host an address leads to."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin, urlsplit

_LONGEST = 253
_PORTS = {"http": 80, "https": 443}
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST_RE = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
# Browsers read a host whose last part is a number as an address of the network, also 2852039166.0x7f:
# https://url.spec.whatwg.org/#ends-in-a-number-checker
_NUMBER_RE = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


def is_host_name(text: str) -> bool:
    """Return whether a text is a name in a domain: labels of ASCII letters, digits and hyphens, no port.

    https://www.rfc-editor.org/rfc/rfc1123#section-2; a name in another script is written as `xn--…`.
    """
    if len(text) > _LONGEST or not _HOST_RE.fullmatch(text):
        return False
    return not _NUMBER_RE.fullmatch(text.rpartition(".")[2])


def place_of(url: str) -> str:
    """Return the host of a URL in small letters, with its port if that is not the scheme's own.

    Gateways differ in whether they write `:443` into a redirect; it is the same place. Raises ValueError for
    what is no URL.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    port = parts.port
    return host if port in (None, _PORTS.get(parts.scheme)) else f"{host}:{port}"


def where_to(location: str, url: str) -> tuple[str, bool]:
    """Return the host that a redirect of a URL leads to, and whether that is told the URL's own.

    The host is empty if it is the URL's own; where it is told that one, as a sign-in is, it leads back.
    """
    try:
        place = place_of(urljoin(url, location))
        asked = urlsplit(location).query
    except ValueError:
        return "", False
    own = place_of(url)
    if not place or place == own:
        return "", False
    return place, (urlsplit(url).hostname or own) in unquote(asked).lower()
