"""What of `feature.network` has no effect on a preview, which takes its own traffic as any pod does.

What mirrord's CLI refuses of it is refused here too: a mistake there is one for whoever uses the file.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from previewbot.config import types as t
from previewbot.config.mirrord.values import Text, Texts, Truth, switched
from previewbot.config.types import mistake

_HOST = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
_PROTOCOL = re.compile(r"(?:(?:any|tcp|udp)://)?", re.IGNORECASE)
_ADDRESS = re.compile(r"([A-Za-z0-9._-]+|\[[A-Za-z0-9:]+\])?(?:/([0-9]{1,3}))?(?::([0-9]{1,5}))?")


def _is_address(text: str) -> bool:
    """Return whether a text is a name, an address or a subnet, with a port or not; or a port alone."""
    found = _ADDRESS.fullmatch(text)
    if found is None or not text or int(found[3] or 0) > 65_535:
        return False
    if found[2] is None:
        return True
    try:
        ipaddress.ip_network(f"{(found[1] or '').strip('[]')}/{found[2]}", strict=False)
    except ValueError:
        return False
    return True


class AddressFilter(t.Model):
    """A filter of `feature.network.outgoing` or `.dns`: what goes through the cluster, or what does not."""

    local: Texts | None = None
    remote: Texts | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> AddressFilter:
        if (self.local is None) == (self.remote is None):
            raise mistake("local_or_remote")
        return self

    def check(self, *, protocols: bool) -> None:
        """Raise a mistake for an entry that is no address; `protocols` says whether one may stand before."""
        for entry in self.local or self.remote or ():
            begins = _PROTOCOL.match(entry) if protocols else None
            address = entry[begins.end() :] if begins else entry
            # A protocol alone is all that goes by it.
            if not _is_address(address) and not (protocols and address == ""):
                raise mistake("address", at="filter", written=entry)


class Outgoing(t.Model):
    """`feature.network.outgoing`."""

    filter: AddressFilter | None = None
    ignore_localhost: Truth | None = None
    tcp: Truth | None = None
    udp: Truth | None = None
    unix_streams: Texts | None = None

    @model_validator(mode="after")
    def _has_addresses(self) -> Outgoing:
        if self.filter is not None:
            self.filter.check(protocols=True)
        return self


class Dns(t.Model):
    """`feature.network.dns`."""

    enabled: Truth | None = None
    filter: AddressFilter | None = None

    @model_validator(mode="after")
    def _has_addresses(self) -> Dns:
        if self.filter is not None and self.enabled is not False:
            self.filter.check(protocols=False)
        return self


OutgoingSwitch = Annotated[Outgoing, switched({"tcp": False, "udp": False})]
DnsSwitch = Annotated[Dns, switched({"enabled": False})]


def _server(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        if not _HOST.fullmatch(value):
            raise mistake("server_name", written=value) from None
    return value


class TlsDelivery(t.Model):
    """`feature.network.incoming.tls_delivery`."""

    protocol: Literal["tcp", "tls"]
    server_cert: Text | None = None
    server_name: Annotated[Text, AfterValidator(_server)] | None = None
    trust_roots: tuple[Text, ...] | None = None

    @model_validator(mode="after")
    def _fits(self) -> TlsDelivery:
        if self.protocol == "tls" and self.trust_roots is not None:
            if self.server_cert is not None:
                raise mistake("roots_and_cert", at="server_cert")
            if not self.trust_roots:
                raise mistake("roots_none", at="trust_roots")
        return self
