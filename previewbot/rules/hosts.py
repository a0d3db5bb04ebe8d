"""Which text is a host that a link may lead to."""

from __future__ import annotations

import re

_LONGEST = 253
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
