"""What previewbot's processes find in their files: the App's key, and the way to the API server."""

from __future__ import annotations

from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@cache
def app_key() -> rsa.RSAPrivateKey:
    """Return the App's key, one for all worlds of this process: to find one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def kubeconfig(port: int, token: str) -> dict[str, Any]:
    """Return a kubeconfig for the world's API server at a port, with this token."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "demo",
        "contexts": [{"name": "demo", "context": {"cluster": "demo", "user": "previewbot"}}],
        "clusters": [{"name": "demo", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "previewbot", "user": {"token": token}}],
    }


def private_pem(key: rsa.RSAPrivateKey) -> str:
    """Return a key as GitHub gives an App its own."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    """Return the public part of a key, as PEM."""
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
