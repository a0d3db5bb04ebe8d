"""An in-memory image registry (https://github.com/opencontainers/distribution-spec/blob/main/spec.md).

An image is real: a configuration, one layer (a tar of a service's directory) and a manifest, all addressed by
their digests. One can push by HTTP too; its answers are held against those of distribution's registry.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import secrets
import tarfile
from collections.abc import Mapping, Sequence
from typing import Literal

from aiohttp import web

from previewbot_demo.faults import Faults
from previewbot_demo.registry_moods import Mood, in_mood
from previewbot_demo.registry_store import MANIFEST, Refusal, Store, digest_of

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_PATH_RE = re.compile(
    r"/v2/(?P<repository>[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*)/"
    r"(?P<kind>manifests|blobs|blobs/uploads|tags)/(?P<name>[\w.:-]*)",
    re.ASCII,
)
_METHODS = {
    "manifests": ("GET", "HEAD", "PUT"),
    "blobs": ("GET", "HEAD"),
    "blobs/uploads": ("POST", "PUT"),
    "tags": ("GET",),
}
_READS = ("GET", "HEAD")


class FakeRegistry:
    """Answers requests below `/v2/`; `auth` says what it wants of a caller, `mood` how it answers."""

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
        self._tokens: dict[str, frozenset[str]] = {}
        self._store = Store()
        self._uploads: set[str] = set()
        self._refused: set[str] = set()
        self.faults = faults or Faults()
        self.mood: Mood | None = None

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
        labels = {"org.opencontainers.image.revision": revision} if revision else {}
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": list(command), "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer_tar)]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._put_blob(repository, json.dumps(config).encode(), _CONFIG),
            "layers": [self._put_blob(repository, gzip.compress(layer_tar, mtime=0), _LAYER)],
        }
        return self._store.put_manifest(repository, tag, json.dumps(manifest).encode(), MANIFEST)

    def retag(self, repository: str, tag: str, digest: str) -> None:
        """Let a tag name another image."""
        self._store.tag(repository, tag, digest)

    def tags(self, repository: str) -> list[str]:
        """Return the tags of a repository, oldest first."""
        return self._store.tags(repository)

    def digest(self, repository: str, tag: str) -> str | None:
        """Return what a tag names."""
        return self._store.tagged(repository, tag)

    def refuse(self, repository: str) -> None:
        """Let nobody see a repository from now on: tokens do not cover it, and without tokens it is a 403."""
        self._refused.add(repository)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""

        async def answer() -> web.StreamResponse:
            body = await request.read()
            try:
                return self._answer(request, body)
            except Refusal as refusal:
                return _error(refusal)

        async def moodily() -> web.StreamResponse:
            return await in_mood(self.mood, request, answer)

        return await self.faults.around("registry", request, moodily)

    def _answer(self, request: web.Request, body: bytes) -> web.Response:
        if request.path == "/v2/token":
            return self._issue(request)
        found = _PATH_RE.fullmatch(request.path)
        repository = found["repository"] if found else ""
        self._admit(request, repository)
        if request.path in ("/v2", "/v2/"):
            return web.json_response({})
        if found is None:
            raise Refusal(404, "NAME_INVALID", "invalid repository name")
        methods = _METHODS[found["kind"]]
        if request.method not in methods:
            raise Refusal(405, "UNSUPPORTED", "the operation is unsupported")
        if found["kind"] == "tags":
            return self._list(request, repository)
        if request.method in _READS:
            return self._read(request, repository, found["kind"], found["name"])
        return self._write(request, repository, found["kind"], found["name"], body)

    def _list(self, request: web.Request, repository: str) -> web.Response:
        tags = sorted(self.tags(repository))
        if not tags:
            raise Refusal(404, "NAME_UNKNOWN", "repository name not known to registry")
        most, last = request.query.get("n", ""), request.query.get("last", "")
        if most and not re.fullmatch("[0-9]{1,9}", most):
            raise Refusal(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
        after = [tag for tag in tags if tag > last]
        shown = after[: int(most)] if most else after
        headers = {}
        if shown and len(shown) < len(after):
            query = f"last={shown[-1]}&n={most}"
            headers["Link"] = f'</v2/{repository}/tags/list?{query}>; rel="next"'
        return web.json_response({"name": repository, "tags": shown}, headers=headers)

    def _read(self, request: web.Request, repository: str, kind: str, name: str) -> web.Response:
        if kind == "blobs":
            digest, body, media_type = name, self._store.blob(repository, name), "application/octet-stream"
        else:
            accept = ",".join(request.headers.getall("Accept", []))
            digest, body, media_type = self._store.manifest(repository, name, accept)
        headers = {"Docker-Content-Digest": digest, "ETag": f'"{digest}"', "Content-Type": media_type}
        if request.method == "HEAD":
            return web.Response(headers=headers | {"Content-Length": str(len(body))})
        return web.Response(body=body, headers=headers)

    def _write(
        self, request: web.Request, repository: str, kind: str, name: str, body: bytes
    ) -> web.Response:
        if request.method == "POST":
            upload = secrets.token_hex(16)
            self._uploads.add(upload)
            headers = {"Location": f"/v2/{repository}/blobs/uploads/{upload}?state=begun", "Range": "0-0"}
            return web.Response(status=202, headers=headers)
        if kind == "manifests":
            media_type = request.headers.get("Content-Type", "")
            return _created(repository, kind, self._store.put_manifest(repository, name, body, media_type))
        if name not in self._uploads:
            raise Refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        digest = self._store.put_blob(repository, body, request.query.get("digest", "missing"))
        self._uploads.discard(name)
        return _created(repository, "blobs", digest)

    def _admit(self, request: web.Request, repository: str) -> None:
        """Raise what the registry answers to somebody who may not do this."""
        given = request.headers.get("Authorization", "")
        actions = ("pull",) if request.method in _READS else ("pull", "push")
        wanted = [f"repository:{repository}:{action}" for action in actions] if repository else []
        if self._auth == "token":
            granted = self._tokens.get(given.removeprefix("Bearer "))
            if granted is None or not granted.issuperset(wanted):
                scope = f',scope="repository:{repository}:{",".join(actions)}"' if repository else ""
                error = ',error="insufficient_scope"' if granted is not None else ""
                base = self._url or f"http://{request.host}"
                raise _unauthorized(f'Bearer realm="{base}/v2/token",service="demo"{scope}{error}')
        elif self._auth == "basic" and given != self._basic:
            raise _unauthorized('Basic realm="demo"')
        elif repository in self._refused:
            raise Refusal(403, "DENIED", "requested access to the resource is denied")

    def _issue(self, request: web.Request) -> web.Response:
        """Give a token for what is asked for and not refused; it is not said what was left out."""
        if request.headers.get("Authorization") != self._basic:
            raise Refusal(401, "UNAUTHORIZED", "wrong user or password")
        token = secrets.token_urlsafe(16)
        scopes = [
            scope.rpartition(":") for given in request.query.getall("scope", []) for scope in given.split()
        ]
        self._tokens[token] = frozenset(
            f"{resource}:{action}"
            for resource, _, actions in scopes
            for action in actions.split(",")
            if resource.removeprefix("repository:") not in self._refused
        )
        return web.json_response({"token": token, "expires_in": 300})

    def _put_blob(self, repository: str, content: bytes, media_type: str) -> dict[str, object]:
        digest = self._store.put_blob(repository, content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _created(repository: str, kind: str, digest: str) -> web.Response:
    headers = {"Location": f"/v2/{repository}/{kind}/{digest}", "Docker-Content-Digest": digest}
    return web.Response(status=201, headers=headers)


def _error(refusal: Refusal) -> web.Response:
    errors = {"errors": [{"code": refusal.code, "message": str(refusal)}]}
    return web.json_response(errors, status=refusal.status, headers=refusal.headers)


def _unauthorized(challenge: str) -> Refusal:
    return Refusal(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": challenge})
