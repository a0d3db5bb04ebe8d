"""Kubeconfigs of API servers that tests run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def write_kubeconfig(
    path: Path, url: str, user: Mapping[str, Any] | None = None, authority: Path | None = None
) -> Path:
    """Write a kubeconfig for the API server at `url`; return its path.

    `user` has the credentials, and `authority` is the certificate that the server is trusted by. Without
    them it is for a server that lets anybody in.
    """
    cluster = {"server": url} | ({"certificate-authority": str(authority)} if authority else {})
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": dict(user or {"token": "test"})}],
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path
