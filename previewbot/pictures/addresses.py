"""Where the two hosts of a picture are: an address each, as Chromium's rules write it."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Mapping
from ipaddress import ip_address

from previewbot.pictures.album import Job
from previewbot.rules.pictures import host_of

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


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
    """Return an address of a name as Chromium's rules write it; empty if it has none, or one of this machine.

    Where staging is says a repository's file: it must not be this pod, or what a cloud tells its machines.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ""
    for _, _, _, _, place in found:
        address = ip_address(str(place[0]).partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if not (
            address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast
        ):
            return f"[{address}]" if address.version == 6 else str(address)
    return ""
