"""Images to put into registries: manifests, configurations and indexes, as OCI and as Docker types them."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["oci", "docker"]

REVISION = "org.opencontainers.image.revision"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
MANIFEST: dict[Kind, str] = {
    "oci": "application/vnd.oci.image.manifest.v1+json",
    "docker": "application/vnd.docker.distribution.manifest.v2+json",
}
INDEX: dict[Kind, str] = {
    "oci": "application/vnd.oci.image.index.v1+json",
    "docker": "application/vnd.docker.distribution.manifest.list.v2+json",
}
_CONFIG: dict[Kind, str] = {
    "oci": "application/vnd.oci.image.config.v1+json",
    "docker": "application/vnd.docker.container.image.v1+json",
}
_LAYER: dict[Kind, str] = {
    "oci": "application/vnd.oci.image.layer.v1.tar+gzip",
    "docker": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}


def digest_of(content: bytes) -> str:
    """Return the digest that names a content."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Content:
    """Something that a registry stores."""

    body: bytes
    media_type: str

    @property
    def digest(self) -> str:
        return digest_of(self.body)

    @property
    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body)}


@dataclass(frozen=True)
class Image:
    """What a tag can name: a manifest with its blobs, or an index with the images it lists."""

    manifest: Content
    blobs: tuple[Content, ...] = ()
    images: tuple[Image, ...] = ()

    @property
    def digest(self) -> str:
        return self.manifest.digest


def _json(document: Mapping[str, Any], media_type: str) -> Content:
    return Content(json.dumps(document).encode(), media_type)


def an_image(
    revision: str | None = None,
    *,
    kind: Kind = "oci",
    architecture: str = "amd64",
    annotations: Mapping[str, str] | None = None,
) -> Image:
    """Return an image, with the label that names its commit if there is one."""
    labels = {"Labels": {REVISION: revision}} if revision else {}
    layer = Content(gzip.compress(b"\0" * 1024, mtime=0), _LAYER[kind])
    config = _json(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": ["true"], **labels},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(b"\0" * 1024)]},
        },
        _CONFIG[kind],
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST[kind],
        "config": config.descriptor,
        "layers": [layer.descriptor],
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    return Image(_json(manifest, MANIFEST[kind]), (config, layer))


def an_index(
    *images: Image,
    kind: Kind = "oci",
    attestation: Image | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Image:
    """Return an index of images of several architectures, after what BuildKit attests of them."""
    listed = [
        {**image.manifest.descriptor, "platform": {"os": "linux", "architecture": architecture}}
        for image, architecture in zip(images, ("amd64", "arm64", "riscv64"), strict=False)
    ]
    if attestation:
        attested = {
            **attestation.manifest.descriptor,
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
        }
        listed.insert(0, attested)
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX[kind],
        "manifests": listed,
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    return Image(_json(index, INDEX[kind]), images=(*images, *([attestation] if attestation else ())))
