"""TLS connections: whom they trust, and that they end when they are closed."""

from __future__ import annotations

import ssl
from pathlib import Path


class _WithoutGoodbye(ssl.SSLObject):
    """Says goodbye (TLS's close_notify) and does not wait for the peer's.

    asyncio waits 30 seconds for it. Whoever closes a watch in the middle, or gives up a request to a peer
    that has fallen silent, would keep the connection that long; one whose loop ends first would never be
    closed. Nothing is read after a close, so nothing can be cut off unnoticed
    (https://www.rfc-editor.org/rfc/rfc8446#section-6.1).
    """

    def unwrap(self) -> None:
        try:
            super().unwrap()
        except ssl.SSLWantReadError:
            return


def end_at_once(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let the connections of an asyncio client end as soon as they are closed; return the context."""
    context.sslobject_class = _WithoutGoodbye
    return context


def client_context(authority: str | None = None) -> ssl.SSLContext:
    """Return how a client speaks TLS that trusts what Go's tools trust with the same certificates.

    `authority` is PEM, and then nothing else is trusted; without it what the system trusts is.
    Raises OSError (and so SSLError) or ValueError if it cannot be read as certificates.
    """
    context = ssl.create_default_context(cadata=authority)
    # Whoever is named is trusted, also a CA whose own issuer is not in the file: companies hand out the one
    # that issues, without its root, and kubectl, Docker and nodes take it (https://pkg.go.dev/crypto/x509).
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # Python 3.13 wants more of a CA than these do: certificates of some providers' clusters, and of many a
    # company, lack the key identifiers.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


class Trust:
    """What the system trusts, and the certificates of files besides."""

    def __init__(self) -> None:
        self._contexts: dict[Path, tuple[int, ssl.SSLContext]] = {}

    def with_file(self, path: Path | None) -> ssl.SSLContext | bool:
        """Return what to trust with a file, read again when it changes; True for what a session does anyhow.

        Raises OSError (and so SSLError) if it cannot be read as certificates.
        """
        if path is None:
            return True
        # A mounted Secret changes under a running process when its certificate is renewed.
        changed = path.stat().st_mtime_ns
        if self._contexts.get(path, (0,))[0] != changed:
            context = end_at_once(client_context())
            context.load_verify_locations(cafile=path)
            self._contexts[path] = (changed, context)
        return self._contexts[path][1]
