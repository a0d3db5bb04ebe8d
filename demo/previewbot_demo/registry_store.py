"""What a registry holds: blobs and manifests by their digests, and tags that name manifests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
_IMAGES = (MANIFEST, _DOCKER_MANIFEST)
_INDEXES = (INDEX, _DOCKER_LIST)


class Refusal(Exception):
    """What the registry answers instead; the codes are the specification's.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


class Store:
    """Keeps each repository's content apart, as a registry does, though equal content is kept once."""

    def __init__(self) -> None:
        self._content: dict[str, bytes] = {}
        self._blobs: set[tuple[str, str]] = set()
        self._manifests: dict[tuple[str, str], str] = {}
        self._tags: dict[tuple[str, str], str] = {}

    def put_blob(self, repository: str, content: bytes, digest: str = "") -> str:
        """Keep a blob; raises Refusal if it has not the digest that is named."""
        found = digest_of(content)
        if digest not in ("", found):
            raise Refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        self._content[found] = content
        self._blobs.add((repository, found))
        return found

    def put_manifest(self, repository: str, reference: str, content: bytes, media_type: str) -> str:
        """Keep a manifest under a tag or its digest; raises Refusal for a wrong or an incomplete one."""
        found = digest_of(content)
        document = _manifest(content, media_type)
        if ":" in reference and reference != found:
            raise Refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        for digest in _parts(document, media_type):
            if (repository, digest) not in self._blobs and (repository, digest) not in self._manifests:
                raise Refusal(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
        self._content[found] = content
        self._manifests[repository, found] = media_type
        if ":" not in reference:
            self.tag(repository, reference, found)
        return found

    def blob(self, repository: str, digest: str) -> bytes:
        """Return a blob; raises Refusal if the repository has none of this digest."""
        if (repository, digest) not in self._blobs:
            raise Refusal(404, "BLOB_UNKNOWN", "blob unknown to registry")
        return self._content[digest]

    def manifest(self, repository: str, reference: str, accept: str) -> tuple[str, bytes, str]:
        """Return digest, content and media type; raises Refusal if there is none or it is not accepted."""
        digest = reference if ":" in reference else self._tags.get((repository, reference), "")
        media_type = self._manifests.get((repository, digest))
        if media_type is None:
            raise Refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
        # Of the four types distribution's registry withholds this one from who does not ask for it by name.
        if media_type == MANIFEST and MANIFEST not in (item.strip() for item in accept.split(",")):
            raise Refusal(
                404, "MANIFEST_UNKNOWN", "OCI manifest found, but accept header does not support it"
            )
        return digest, self._content[digest], media_type

    def tag(self, repository: str, tag: str, digest: str) -> None:
        """Let a tag name a manifest."""
        self._tags[repository, tag] = digest

    def tags(self, repository: str) -> list[str]:
        """Return the tags of a repository, oldest first."""
        return [tag for name, tag in self._tags if name == repository]

    def tagged(self, repository: str, tag: str) -> str | None:
        """Return the digest that a tag names."""
        return self._tags.get((repository, tag))


def digest_of(content: bytes) -> str:
    """Return the digest that names a content."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _manifest(content: bytes, media_type: str) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    key = {**dict.fromkeys(_IMAGES, "config"), **dict.fromkeys(_INDEXES, "manifests")}.get(media_type)
    if not isinstance(document, dict) or key not in document:
        raise Refusal(400, "MANIFEST_INVALID", "manifest invalid")
    if document.get("mediaType", media_type) != media_type:
        raise Refusal(400, "MANIFEST_INVALID", "manifest invalid")
    return document


def _parts(document: Mapping[str, Any], media_type: str) -> Iterator[str]:
    if media_type in _INDEXES:
        yield from (child["digest"] for child in document["manifests"])
    else:
        yield document["config"]["digest"]
        yield from (layer["digest"] for layer in document.get("layers", []))
