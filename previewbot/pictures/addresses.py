"""Where the two hosts of a picture are: an address each, as Chromium's rules write it."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit, urlunsplit

from previewbot.pictures.album import Job
from previewbot.rules.pictures import host_of

Address = IPv4Address | IPv6Address

_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9])?")
_NAT64 = IPv6Network("64:ff9b::/96")
"""https://www.rfc-editor.org/rfc/rfc6052#section-2.1"""
_NOBODYS = tuple(
    ip_network(each)
    for each in (
        # No host's: https://www.iana.org/assignments/iana-ipv4-special-registry/ and
        # https://www.iana.org/assignments/iana-ipv6-special-registry/, and old ways to write IPv4 as IPv6
        # (https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.1).
        "0.0.0.0/8",
        "192.0.0.0/24",
        "::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        # What clouds tell their machines beside 169.254.0.0/16, which is link-local.
        # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
        "fd00:ec2::/32",
        # https://cloud.google.com/compute/docs/metadata/querying-metadata
        "fd20:ce::254/128",
        # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
        "168.63.129.16/32",
        # https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
        "100.100.100.200/32",
    )
)


def opened(url: str) -> str:
    """Return an address with its host as a browser writes it: without a dot at the end, and in ASCII."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port is not None else ""
    return urlunsplit(parts._replace(netloc=f"{host_of(url)}{port}"))


async def addresses_for(job: Job, known: Mapping[str, str]) -> dict[str, str]:
    """Return the two hosts of a picture with an address each; who has none is left out.

    `known` are addresses of names that nobody else knows.
    """
    found = {}
    for url, others in ((job.place.with_url, job.wish.addresses), (job.place.without_url, ())):
        host = host_of(url)
        if not _HOST.fullmatch(host):
            continue
        if host in known:
            found[host] = known[host]
            continue
        for name in (host, *others):
            address = await _address_of(name)
            if address:
                found[host] = address
                break
    return found


async def _address_of(name: str) -> str:
    """Return an address of a name as Chromium's rules write it; empty if it has none where previews may be.

    Where staging is says a repository's file: it must not be this pod, or what a cloud tells its machines.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ""
    for _, _, _, _, place in found:
        address = ip_address(str(place[0]).partition("%")[0])
        if may_be_reached(address):
            return f"[{address}]" if address.version == 6 else str(address)
    return ""


def asked_from(address: Address) -> Address | None:
    """Return the address of this pod from which it would ask there; None if nothing leads there.

    Nothing is sent for it.
    """
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asks:
        try:
            asks.connect((str(address), 9))
        except OSError:
            return None
        return ip_address(asks.getsockname()[0])


def may_be_reached(address: Address, source: Callable[[Address], Address | None] = asked_from) -> bool:
    """Return whether a preview, or staging, may be at an address. No list knows every cloud's.

    This pod's own are none; `source` says from which of them it would ask at an address.
    """
    inner = _inside(address)
    if inner is not None:
        return may_be_reached(inner, source)
    if address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast:
        return False
    if any(address in network for network in _NOBODYS):
        return False
    # A pod asks itself from the very address that it asks.
    return source(address) != address


def _inside(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that a translator or a tunnel makes of an IPv6 address, if it does."""
    if not isinstance(address, IPv6Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
