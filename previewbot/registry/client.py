"""Looks images up (https://github.com/opencontainers/distribution-spec/blob/main/spec.md)."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp

from previewbot.errors import Forbidden, NotFound, RemoteError, TryLater, Unauthorized, from_status
from previewbot.images import ImageReference
from previewbot.registry.auth import Challenge, Credentials, credentials_for, parse_challenge

_REVISION = "org.opencontainers.image.revision"
_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_BODY_LIMIT = 4 * 1024 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
_TOKEN_LIFETIME = 60.0
_HUB = "docker.io"
_HUB_HOST = "registry-1.docker.io"


class RegistryAccess(Protocol):
    """How one registry is reached; the settings have these."""

    @property
    def docker_config_file(self) -> Path | None:
        """The docker config file with its credentials."""

    @property
    def plain_http(self) -> bool:
        """Whether it speaks HTTP without TLS."""


@dataclass(frozen=True)
class FoundImage:
    """An image that is there: the digest of what the tag names (of the index, if it is one)."""

    digest: str
    revision: str | None = None


@dataclass(frozen=True)
class _Answer:
    headers: Mapping[str, str]
    body: bytes


class Registry:
    """Asks registries; tokens are kept until shortly before they end."""

    def __init__(self, session: aiohttp.ClientSession, access: Mapping[str, RegistryAccess]) -> None:
        self._session = session
        self._access = access
        self._tokens: dict[tuple[str, str], tuple[str, float]] = {}

    async def find(self, reference: ImageReference, *, revision: bool = False) -> FoundImage | None:
        """Return the image that a tag names, or None if there is no such tag.

        With `revision` also the commit it says it was built from. Raises Unauthorized or Forbidden when the
        registry does not let us look (which is not "not there yet"), TryLater for what may pass.
        """
        try:
            answer = await self._get(reference, f"manifests/{reference.tag}")
        except NotFound:
            return None
        digest = answer.headers.get("Docker-Content-Digest") or _digest(answer.body)
        found = await self._revision(reference, _json(answer.body)) if revision else None
        return FoundImage(digest, found)

    async def _revision(self, reference: ImageReference, manifest: Mapping[str, Any]) -> str | None:
        """Look in the annotations of index and manifest, then in the labels of the image's configuration."""
        annotated = (manifest.get("annotations") or {}).get(_REVISION)
        if annotated:
            return str(annotated)
        if manifest.get("manifests"):
            child = await self._get(reference, f"manifests/{manifest['manifests'][0]['digest']}")
            return await self._revision(reference, _json(child.body))
        config = (manifest.get("config") or {}).get("digest")
        if not config:
            return None
        labels = _json((await self._get(reference, f"blobs/{config}")).body).get("config", {}).get("Labels")
        return str(labels[_REVISION]) if labels and labels.get(_REVISION) else None

    async def _get(self, reference: ImageReference, path: str) -> _Answer:
        what = f"{reference.registry}/{reference.repository}"
        try:
            return await self._attempt(reference, path, what)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TryLater(what, message=type(error).__name__) from error

    async def _attempt(self, reference: ImageReference, path: str, what: str) -> _Answer:
        url = f"{self._base(reference.registry)}/v2/{reference.repository}/{path}"
        key = (reference.registry, reference.repository)
        token, ends = self._tokens.get(key, ("", 0.0))
        authorization = token if time.monotonic() < ends else ""
        status, answer = await self._send(url, authorization)
        if status == 401:
            challenge = parse_challenge(answer.headers.get("WWW-Authenticate", ""))
            authorization = await self._authorize(reference, challenge, what)
            status, answer = await self._send(url, authorization)
        if status < 400:
            return answer
        raise _refusal(what, status, answer)

    async def _send(self, url: str, authorization: str) -> tuple[int, _Answer]:
        headers = {"Accept": _ACCEPT}
        if authorization:
            headers["Authorization"] = authorization
        async with self._session.get(url, headers=headers, timeout=_TIMEOUT) as response:
            body = await response.content.read(_BODY_LIMIT + 1)
            while len(body) <= _BODY_LIMIT and not response.content.at_eof():
                body += await response.content.read(_BODY_LIMIT + 1 - len(body))
            if len(body) > _BODY_LIMIT:
                raise from_status(url, 422, "the answer is larger than 4 MiB")
            return response.status, _Answer(response.headers, body)

    async def _authorize(self, reference: ImageReference, challenge: Challenge | None, what: str) -> str:
        credentials = self._credentials(reference.registry, what)
        if challenge is None:
            raise Unauthorized(what, status=401, message="it asks for a kind of login that is not known")
        if challenge.scheme == "basic":
            if credentials is None:
                raise Unauthorized(what, status=401, message="it wants a login and none is configured")
            return credentials.basic()
        return await self._token(reference, challenge, credentials, what)

    async def _token(
        self,
        reference: ImageReference,
        challenge: Challenge,
        credentials: Credentials | None,
        what: str,
    ) -> str:
        """Fetch a token from the realm; credentials go there only over TLS, unless the registry has none."""
        realm = urlsplit(challenge.realm)
        if realm.scheme != "https" and not (realm.scheme == "http" and self._plain(reference.registry)):
            raise Unauthorized(what, status=401, message=f"its token server {challenge.realm!r} is not https")
        query = {"scope": challenge.scope or f"repository:{reference.repository}:pull"}
        if challenge.service:
            query["service"] = challenge.service
        headers = {"Authorization": credentials.basic()} if credentials and credentials.password else {}
        async with self._session.get(
            challenge.realm, params=query, headers=headers, timeout=_TIMEOUT, allow_redirects=False
        ) as response:
            body = await response.content.read(_BODY_LIMIT)
            if response.status != 200:
                raise _refusal(what, response.status, _Answer(response.headers, body))
        answer = _json(body)
        token = "Bearer " + str(answer.get("token") or answer.get("access_token") or "")
        lifetime = float(answer.get("expires_in") or _TOKEN_LIFETIME)
        key = (reference.registry, reference.repository)
        self._tokens[key] = (token, time.monotonic() + max(0.0, lifetime - 10))
        return token

    def _credentials(self, registry: str, what: str) -> Credentials | None:
        access = self._access.get(registry)
        try:
            return credentials_for(registry, access.docker_config_file if access else None)
        except ValueError as error:
            raise Unauthorized(what, status=401, message=str(error)) from error

    def _plain(self, registry: str) -> bool:
        access = self._access.get(registry)
        return access is not None and access.plain_http

    def _base(self, registry: str) -> str:
        host = _HUB_HOST if registry == _HUB else registry
        return f"{'http' if self._plain(registry) else 'https'}://{host}"


def _refusal(what: str, status: int, answer: _Answer) -> RemoteError:
    """A registry says 404 for an unknown repository or tag; some say 403 or 401 for both."""
    message = ""
    errors = _json(answer.body).get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], Mapping):
        message = f"{errors[0].get('code', '')} {errors[0].get('message', '')}".strip()
    if status == 401:
        return Unauthorized(what, status=status, message=message)
    if status == 403:
        return Forbidden(what, status=status, message=message)
    after = answer.headers.get("Retry-After", "")
    return from_status(what, status, message, float(after) if after.isdigit() else None)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()
