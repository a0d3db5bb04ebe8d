"""Puts images into a registry as a build does, by the OCI distribution API.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urljoin

import aiohttp

from previewbot.clients.registry.challenge import choose_challenge
from previewbot.clients.tls import end_at_once
from tests.support.registry_images import Content, Image
from tests.support.registry_server import basic


class Pusher:
    """Pushes to the registry at `url`, with the one login that all registries of the tests know."""

    def __init__(self, session: aiohttp.ClientSession, url: str, ca_file: Path | None) -> None:
        self._session = session
        self._url = url
        self._tls: ssl.SSLContext | bool = True
        if ca_file:
            self._tls = end_at_once(ssl.create_default_context(cafile=ca_file))

    async def push(self, repository: str, tag: str, image: Image) -> str:
        """Push an image with all it consists of; return its digest."""
        for part in image.images:
            await self.push(repository, part.digest, part)
        for blob in image.blobs:
            await self.blob(repository, blob)
        status, headers, body = await self.manifest(repository, tag, image.manifest)
        assert status == 201, body
        assert headers["Docker-Content-Digest"] == image.digest
        return image.digest

    async def blob(self, repository: str, blob: Content, digest: str = "") -> int:
        """Upload a blob, under another digest than its own if one is given; return the status of its end."""
        status, headers, body = await self.ask("POST", f"/v2/{repository}/blobs/uploads/")
        assert status == 202, body
        status, _, _ = await self.ask(
            "PUT",
            headers["Location"],
            query={"digest": digest or blob.digest},
            body=blob.body,
            content_type="application/octet-stream",
        )
        return status

    async def manifest(
        self, repository: str, tag: str, manifest: Content
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Upload a manifest; return the answer."""
        path = f"/v2/{repository}/manifests/{tag}"
        return await self.ask("PUT", path, body=manifest.body, content_type=manifest.media_type)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "",
        accept: str = "*/*",
        logins: int = 1,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send any request, logging in if that is wanted and allowed; return status, headers and body."""
        headers = {"Accept": accept, **({"Content-Type": content_type} if content_type else {})}
        for left in range(logins, -1, -1):
            async with self._session.request(
                method,
                urljoin(self._url, path),
                params=query,
                data=body,
                headers=headers,
                ssl=self._tls,
                allow_redirects=False,
            ) as response:
                answer = response.status, response.headers, await response.read()
                challenges = response.headers.getall("WWW-Authenticate", [])
            if answer[0] != 401 or not left:
                break
            headers["Authorization"] = await self._login(challenges)
        return answer

    async def _login(self, challenges: list[str]) -> str:
        challenge = choose_challenge(challenges)
        assert challenge is not None, challenges
        if challenge.scheme == "basic":
            return basic()
        query = {"service": challenge.service, "scope": challenge.scope}
        headers = {"Authorization": basic()}
        async with self._session.get(challenge.realm, params=query, headers=headers) as response:
            return f"Bearer {(await response.json())['token']}"
