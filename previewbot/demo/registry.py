"""An in-memory image registry (https://github.com/opencontainers/distribution-spec/blob/main/spec.md).

An image is real: a configuration, one layer (a tar of a service's directory) and a manifest, all addressed by
their digests.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import secrets
import tarfile
from collections.abc import Mapping, Sequence
from typing import Literal

from aiohttp import web

from previewbot.demo.faults import Faults

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_PATH_RE = re.compile(
    r"^/v2/(?P<repository>[a-z0-9._/-]+)/(?P<kind>manifests|blobs|tags)/(?P<reference>[^/]+)$"
)


class FakeRegistry:
    """Answers requests below `/v2/`; `auth` says what it wants of a caller."""

    def __init__(
        self,
        *,
        url: str = "",
        auth: Literal["none", "basic", "token"] = "none",
        user: str = "ci",
        password: str = "secret",
        faults: Faults | None = None,
    ) -> None:
        self._url = url
        self._auth = auth
        self._basic = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._tokens: set[str] = set()
        self._blobs: dict[str, bytes] = {}
        self._types: dict[str, str] = {}
        self._tags: dict[tuple[str, str], str] = {}
        self._refused: set[str] = set()
        self.faults = faults or Faults()

    def put_image(
        self,
        repository: str,
        tag: str,
        files: Mapping[str, bytes],
        *,
        revision: str | None = None,
        command: Sequence[str] = ("python", "app.py"),
    ) -> str:
        """Store an image of these files and tag it; return its digest, the same for the same content."""
        layer_tar = _tar(files)
        layer = self._store(gzip.compress(layer_tar, mtime=0), _LAYER)
        labels = {"org.opencontainers.image.revision": revision} if revision else {}
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": list(command), "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer_tar)]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._descriptor(self._store(json.dumps(config).encode(), _CONFIG)),
            "layers": [self._descriptor(layer)],
        }
        digest = self._store(json.dumps(manifest).encode(), MANIFEST)
        self.retag(repository, tag, digest)
        return digest

    def retag(self, repository: str, tag: str, digest: str) -> None:
        """Let a tag name another image."""
        self._tags[repository, tag] = digest

    def tags(self, repository: str) -> list[str]:
        """Return the tags of a repository, oldest first."""
        return [tag for name, tag in self._tags if name == repository]

    def digest(self, repository: str, tag: str) -> str | None:
        """Return what a tag names."""
        return self._tags.get((repository, tag))

    def refuse(self, repository: str) -> None:
        """Answer 403 for a repository from now on."""
        self._refused.add(repository)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""

        async def answer() -> web.StreamResponse:
            return self._answer(request)

        return await self.faults.around("registry", request, answer)

    def _answer(self, request: web.Request) -> web.Response:
        if request.path == "/v2/token":
            return self._issue(request)
        if not self._authorized(request):
            return self._challenge(request)
        if request.path in ("/v2", "/v2/"):
            return web.json_response({})
        found = _PATH_RE.match(request.path)
        if found is None or request.method not in ("GET", "HEAD"):
            return _error(404, "NAME_UNKNOWN", "repository name not known to registry")
        repository, kind, reference = found["repository"], found["kind"], found["reference"]
        if repository in self._refused:
            return _error(403, "DENIED", "requested access to the resource is denied")
        if kind == "tags":
            return web.json_response({"name": repository, "tags": self.tags(repository)})
        return self._content(request, repository, kind, reference)

    def _content(self, request: web.Request, repository: str, kind: str, reference: str) -> web.Response:
        if all(name != repository for name, _ in self._tags):
            return _error(404, "NAME_UNKNOWN", "repository name not known to registry")
        digest = reference if reference.startswith("sha256:") else self._tags.get((repository, reference), "")
        body = self._blobs.get(digest)
        if body is None:
            return _error(404, "MANIFEST_UNKNOWN" if kind == "manifests" else "BLOB_UNKNOWN", "unknown")
        headers = {"Docker-Content-Digest": digest}
        content = b"" if request.method == "HEAD" else body
        return web.Response(body=content, headers=headers, content_type=self._types[digest])

    def _authorized(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        if self._auth == "basic":
            return given == self._basic
        return self._auth == "none" or given.removeprefix("Bearer ") in self._tokens

    def _challenge(self, request: web.Request) -> web.Response:
        scheme = 'Basic realm="demo"'
        if self._auth == "token":
            repository = "/".join(request.path.split("/")[2:-2])
            base = self._url or f"http://{request.host}"
            scheme = f'Bearer realm="{base}/v2/token",service="demo",scope="repository:{repository}:pull"'
        response = _error(401, "UNAUTHORIZED", "authentication required")
        response.headers["WWW-Authenticate"] = scheme
        return response

    def _issue(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != self._basic:
            return _error(401, "UNAUTHORIZED", "wrong user or password")
        token = secrets.token_urlsafe(16)
        self._tokens.add(token)
        return web.json_response({"token": token, "expires_in": 300})

    def _store(self, content: bytes, media_type: str) -> str:
        digest = _digest(content)
        self._blobs[digest] = content
        self._types[digest] = media_type
        return digest

    def _descriptor(self, digest: str) -> dict[str, object]:
        return {"mediaType": self._types[digest], "digest": digest, "size": len(self._blobs[digest])}


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"errors": [{"code": code, "message": message}]}, status=status)
