"""Through which proxy a request goes: by HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Pure.

Python has no rule of its own that knows addresses with a prefix length (10.0.0.0/8), ports and a host beside
its subdomains alike, so this is Go's, which kubectl, Helm and containerd go by
(https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config).
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import unquote, urlsplit

_PORTS = {"http": 80, "https": 443}
_REFUSALS = {
    407: "it wants a login, or another one",
    403: "it does not let previewbot go there",
    502: "it does not reach where previewbot wants to go",
    503: "it does not reach where previewbot wants to go",
    504: "it does not reach where previewbot wants to go",
}

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Proxy:
    """A proxy without its login, so that it can be named anywhere; `authorization` is the header of that."""

    url: str
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True)
class _Exception:
    """An entry of NO_PROXY: a network, or a host by name; with a `port` for that alone."""

    network: Network | None = None
    name: str = ""
    only_below: bool = False
    port: str = ""

    def covers(self, host: str, address: Address | None, port: str) -> bool:
        if self.port and self.port != port:
            return False
        if self.network is not None:
            return address is not None and address in self.network
        return host.endswith(f".{self.name}") or (host == self.name and not self.only_below)


@dataclass(frozen=True)
class Proxies:
    """The proxies of an environment; by itself there are none."""

    https: Proxy | None = None
    http: Proxy | None = None
    exceptions: tuple[_Exception, ...] = ()
    never: bool = False

    def of(self, url: str) -> Proxy | None:
        """Return the proxy that a request to an address goes through; None if it goes directly."""
        parts = urlsplit(url)
        proxy = {"https": self.https, "http": self.http}.get(parts.scheme)
        if proxy is None or self.never:
            return None
        host = (parts.hostname or "").rstrip(".").lower()
        address = _address(host)
        # What is on this very machine no proxy could reach; below localhost all names are, as for browsers.
        if host.rpartition(".")[2] == "localhost" or (address is not None and address.is_loopback):
            return None
        port = str(parts.port or _PORTS[parts.scheme])
        return None if any(each.covers(host, address, port) for each in self.exceptions) else proxy


DIRECTLY = Proxies()


class NoProxyAddress(ValueError):
    """A proxy's address cannot be used; the words never have the address in them, nor its login."""


def read_proxies(environment: Mapping[str, str]) -> Proxies:
    """Return the proxies that variables name; raises NoProxyAddress.

    Of a name in capitals and in small letters the former counts, as in Go. ALL_PROXY does not.
    """
    https, http, exceptions = (
        _variable(environment, name) for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
    )
    if environment.get("REQUEST_METHOD"):
        # In a CGI program it is what a client sent (https://httpoxy.org).
        http = ""
    found = [_exception(entry.strip().lower()) for entry in exceptions.split(",")]
    return Proxies(
        _read("HTTPS_PROXY", https),
        _read("HTTP_PROXY", http),
        tuple(each for each in found if each is not None),
        "*" in [entry.strip() for entry in exceptions.split(",")],
    )


def read_proxy(address: str) -> Proxy:
    """Return a proxy by its address, with or without its scheme and a login; raises NoProxyAddress."""
    try:
        # Without a scheme it is http, as everywhere: `proxy.corp.example.com:3128`.
        parts = urlsplit(address if "://" in address else f"http://{address}")
        port = parts.port
    except ValueError:
        raise NoProxyAddress("is no address of a proxy, such as http://proxy.example.com:3128") from None
    if parts.scheme not in _PORTS:
        raise NoProxyAddress(f"has {parts.scheme}://; previewbot can go through http:// and https://")
    if not parts.hostname:
        raise NoProxyAddress("is no address of a proxy, such as http://proxy.example.com:3128")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    url = f"{parts.scheme}://{host}:{port or _PORTS[parts.scheme]}"
    if parts.username is None:
        return Proxy(url)
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return Proxy(url, f"Basic {base64.b64encode(login).decode('ascii')}")


def refusal(proxy: Proxy, status: int | None = None) -> str:
    """Return in words that a proxy has answered in place of whoever was asked, or not even it."""
    if status is None:
        return f"the proxy {proxy.url} cannot be reached"
    why = _REFUSALS.get(status)
    return f"the proxy {proxy.url} answered {status}" + (f": {why}" if why else "")


def _variable(environment: Mapping[str, str], name: str) -> str:
    return (environment.get(name) or environment.get(name.lower()) or "").strip()


def _read(name: str, address: str) -> Proxy | None:
    try:
        return read_proxy(address) if address else None
    except NoProxyAddress as error:
        raise NoProxyAddress(f"{name} {error}") from None


def _exception(entry: str) -> _Exception | None:
    """Return what an entry of NO_PROXY stands for; None for one that is nothing."""
    if not entry:
        return None
    if "/" in entry:
        network = _network(entry)
        # What is no network is no name of a host either.
        return _Exception(network) if network is not None else None
    host, port = _without_port(entry)
    address = _address(host)
    if address is not None:
        return _Exception(ipaddress.ip_network(address), port=port)
    name = host.removeprefix("*").rstrip(".")
    only_below = name.startswith(".")
    name = _ascii(name.removeprefix("."))
    return _Exception(name=name, only_below=only_below, port=port) if name else None


def _network(entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None


def _without_port(entry: str) -> tuple[str, str]:
    """Split `host:port`, `[v6]:port`, and leave a bare IPv6 address whole."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = entry.partition(":")
    return (host, port) if ":" not in port else (entry, "")


def _address(host: str) -> Address | None:
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    # ::ffff:10.0.0.1 is 10.0.0.1, for Go as well.
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _ascii(name: str) -> str:
    """Return a name as it is asked for in DNS, where it can be one."""
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name
