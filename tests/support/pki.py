"""A certificate authority of a test's own, and what it signs."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


class Authority:
    """Signs certificates for a server on 127.0.0.1 and for clients; everything is written into a folder.

    `above` is the authority that signed this one, if it is not its own root.
    """

    def __init__(self, directory: Path, above: Authority | None = None) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("test authority" if above is None else "issuing authority", ())
        self.certificate = directory / "ca.crt"
        root = above or self
        builder = _builder(self._name, root._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        if above is not None:
            issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(above._key.public_key())
            builder = builder.add_extension(issuer, critical=False)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self._ca = builder.add_extension(usage, critical=True).sign(root._key, hashes.SHA256())
        self.certificate.write_bytes(self._ca.public_bytes(serialization.Encoding.PEM))

    def server(self, name: str, *hosts: str) -> tuple[Path, Path]:
        """Return the certificate and the key of a server on this machine, or of one with these names."""
        here = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts] or [*here]
        return self._sign(name, (), x509.SubjectAlternativeName(names))

    def client(self, user: str, groups: tuple[str, ...] = ()) -> tuple[Path, Path]:
        """Return the certificate and the key of a user; Kubernetes reads CN as the name and O as groups."""
        return self._sign(user, groups, None)

    def _sign(
        self, name: str, groups: tuple[str, ...], names: x509.SubjectAlternativeName | None
    ) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(name, groups), self._name, key.public_key())
        # Python 3.13's strict check wants both key identifiers.
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        stem = name.replace(":", "-")
        certificate, path = self._directory / f"{stem}.crt", self._directory / f"{stem}.key"
        signed = builder.sign(self._key, hashes.SHA256())
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        write_key(path, key)
        return certificate, path


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a private key that only its owner may read, in the only form that kube-apiserver reads too."""
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )


def _name(name: str, groups: tuple[str, ...]) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _DAY).not_valid_after(now + 30 * _DAY)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
