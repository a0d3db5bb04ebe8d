"""What names and certificates of links mean: judged here, looked up elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from previewbot.doctor.check import Check, note, ok, safe, wrong

RESOLUTION, TLS = "links: names", "links: certificate"

_SOON = timedelta(days=14)


@dataclass(frozen=True)
class Certificate:
    """What counts of a certificate that is trusted and has the right name."""

    ends: datetime
    issuer: str


def certificate(host_name: str, found: Certificate, now: datetime) -> Check:
    """Return how long a certificate still counts that is trusted and has the right name."""
    left = found.ends - now
    words = f"{host_name} has a certificate of {found.issuer} until {found.ends:%Y-%m-%d}"
    if left < _SOON:
        return note(TLS, f"{words}, in {max(0, left.days)} days: is it being renewed?")
    return ok(TLS, words)


def untrusted(host_name: str, why: str) -> Check:
    """Return what is wrong with a certificate that does not count."""
    if "expired" in why:
        words = (
            f"the certificate of {host_name} has expired: renew the Secret that the Gateway's listener names"
        )
    elif "match" in why or "mismatch" in why:
        domain = host_name.partition(".")[2]
        words = f"the certificate at {host_name} is for other names: the listener needs one for *.{domain}"
    else:
        words = (
            f"the certificate of {host_name} is not trusted here ({safe(why)}): is its chain complete, and "
            "do people's browsers trust its CA?"
        )
    return wrong(TLS, words)


def unresolved(host_name: str, domain: str, why: str, *, known: bool) -> Check:
    """Return what it means that a link's host has no address; `known`: that of public_url has one."""
    if not known:
        words = (
            f"{host_name} has no address here, nor has public_url's host: whether people's browsers find "
            "them cannot be seen from here"
        )
        return note(RESOLUTION, words)
    words = (
        f"{host_name} has no address here ({safe(why)}): make a DNS record for *.{domain} that leads to the "
        "Gateway, or correct links.gateway.domain"
    )
    return wrong(RESOLUTION, words)
