"""How a registry wants to be asked: the challenges of a 401.

https://datatracker.ietf.org/doc/html/rfc9110#name-www-authenticate
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_KNOWN = ("bearer", "basic")
# A parameter, its value quoted or not; or, as nothing follows it but a space, the name of a scheme.
_ITEM_RE = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([\w-]+)')


@dataclass(frozen=True)
class Challenge:
    """The parts of a `WWW-Authenticate` header that matter to a registry's client.

    `scope` is what the registry says one needs, which we never ask for: `tokens.py` says what.
    """

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


def choose_challenge(headers: Iterable[str]) -> Challenge | None:
    """Return the challenge to answer, a token's before a password's; None if we can answer none."""
    found = [challenge for header in headers for challenge in _challenges(header)]
    ours = (challenge for scheme in _KNOWN for challenge in found if challenge.scheme == scheme)
    return next(ours, None)


@dataclass
class _Collected:
    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)


def _challenges(header: str) -> Iterator[Challenge]:
    collected: list[_Collected] = []
    for name, quoted, plain, scheme in _ITEM_RE.findall(header):
        if scheme:
            collected.append(_Collected(scheme.lower()))
        elif collected:
            value = re.sub(r"\\(.)", r"\1", quoted) or plain
            # A header may hold several challenges in one line. A parameter belongs to the scheme before it,
            # and the first of two with the same name counts.
            collected[-1].parameters.setdefault(name.lower(), value)
    for one in collected:
        known = {key: one.parameters.get(key, "") for key in ("realm", "service", "scope")}
        yield Challenge(one.scheme, **known)
