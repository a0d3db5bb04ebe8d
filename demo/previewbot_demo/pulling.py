"""Pulling an image over HTTP, by digest, as a node does: nothing runs that the registry did not serve.

The protocol is the OCI distribution specification's
(https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pull).
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ACCEPT = ", ".join(_INDEXES + _MANIFESTS)
_LOCAL = ("127.0.0.1", "localhost")
_REFERENCE = re.compile(
    r"^(?P<registry>[^/]+)/(?P<repository>[^@]+?)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>\S+))?$"
)


class PullError(Exception):
    """The image cannot be pulled; the text is what a node would say."""


@dataclass(frozen=True)
class _Image:
    registry: str
    repository: str
    wanted: str

    @property
    def url(self) -> str:
        scheme = "http" if self.registry.partition(":")[0] in _LOCAL else "https"
        return f"{scheme}://{self.registry}/v2/{self.repository}"


class Puller:
    """Pulls images with one HTTP session."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def pull(self, reference: str, into: Path) -> None:
        """Unpack an image's layers into a directory; raises `PullError`."""
        try:
            image = _parse(reference)
            manifest = await self._manifest(image, image.wanted)
            for layer in manifest["layers"]:
                blob = await self._get(f"{image.url}/blobs/{layer['digest']}")
                _verify(blob, layer["digest"])
                _unpack(blob, into)
        except (
            PullError,
            aiohttp.ClientError,
            TimeoutError,
            ValueError,
            KeyError,
            tarfile.TarError,
        ) as error:
            raise PullError(f'ErrImagePull: failed to pull image "{reference}": {error}') from error

    async def _manifest(self, image: _Image, wanted: str) -> Any:
        body = await self._get(f"{image.url}/manifests/{wanted}")
        if wanted.startswith("sha256:"):
            _verify(body, wanted)
        manifest = json.loads(body)
        if manifest.get("mediaType") in _INDEXES or "manifests" in manifest:
            return await self._manifest(image, manifest["manifests"][0]["digest"])
        return manifest

    async def _get(self, url: str) -> bytes:
        headers = {"Accept": _ACCEPT}
        status, body, challenge = await self._try(url, headers)
        if status == 401 and challenge.lower().startswith("bearer "):
            headers["Authorization"] = f"Bearer {await self._token(challenge)}"
            status, body, _ = await self._try(url, headers)
        if status == 404:
            raise PullError("not found")
        if status != 200:
            raise PullError(f"the registry answered {status}")
        return body

    async def _try(self, url: str, headers: dict[str, str]) -> tuple[int, bytes, str]:
        timeout = aiohttp.ClientTimeout(total=30)
        async with self._session.get(url, headers=headers, timeout=timeout) as response:
            return response.status, await response.read(), response.headers.get("WWW-Authenticate", "")

    async def _token(self, challenge: str) -> str:
        asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        query = {name: asked[name] for name in ("service", "scope") if name in asked}
        async with self._session.get(asked["realm"], params=query) as response:
            answer = await response.json()
        token: str = answer.get("token") or answer["access_token"]
        return token


def _parse(reference: str) -> _Image:
    match = _REFERENCE.match(reference)
    if match is None:
        raise PullError("invalid reference format")
    wanted = match["digest"] or match["tag"] or "latest"
    return _Image(match["registry"], match["repository"], wanted)


def _verify(content: bytes, digest: str) -> None:
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise PullError(f"the content does not match {digest}")


def _unpack(layer: bytes, into: Path) -> None:
    """Unpack a layer's files and folders; refuses paths that lead out of the directory, and whatever else.

    Not with tarfile's own `data` filter: Python has it from 3.11.4 on
    (https://docs.python.org/3.11/library/tarfile.html#extraction-filters), and Debian 12 has 3.11.2.
    """
    top = into.resolve()
    with tarfile.open(fileobj=io.BytesIO(layer), mode="r:*") as archive:
        for member in archive:
            place = (top / member.name).resolve()
            content = archive.extractfile(member) if member.isreg() else None
            if not place.is_relative_to(top):
                raise PullError(f"{member.name} in it would be outside of the image")
            if content is None and not member.isdir():
                raise PullError(f"{member.name} in it is neither a file nor a folder")
            folder = place if content is None else place.parent
            folder.mkdir(parents=True, exist_ok=True)
            if content is not None:
                place.write_bytes(content.read())
