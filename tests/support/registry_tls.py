"""A registry's certificate, signed by an authority of a test's own."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from tests.support.pki import Authority


@dataclass(frozen=True)
class Tls:
    """The files of a server's certificate, its key, and the CA that signed it."""

    ca_file: Path
    certificate_file: Path
    key_file: Path

    def server_context(self) -> ssl.SSLContext:
        """Return what a server needs."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate_file, self.key_file)
        return context


def make_tls(directory: Path) -> Tls:
    """Write a new CA and a certificate for 127.0.0.1 into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    authority = Authority(directory)
    return Tls(authority.certificate, *authority.server("registry"))
