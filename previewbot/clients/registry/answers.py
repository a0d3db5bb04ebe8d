"""What a registry's answers say: errors, manifests, and the commit that an image was built from. Pure.

https://github.com/opencontainers/image-spec/blob/main/manifest.md and
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from previewbot.errors import Forbidden, RemoteError, Unauthorized, from_status

MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_REVISION = "org.opencontainers.image.revision"
_DIGEST_RE = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
# BuildKit puts what it knows about a build beside the images of an index:
# https://docs.docker.com/build/metadata/attestations/attestation-storage/
_ATTESTATION = "vnd.docker.reference.type"
_LONGEST_MESSAGE = 200


@dataclass(frozen=True)
class Answer:
    """What came back; `foreign` if another host than the one asked said it, after a redirect."""

    status: int
    headers: Mapping[str, str]
    challenges: tuple[str, ...]
    body: bytes = field(repr=False)
    foreign: bool = False


@dataclass(frozen=True)
class Manifest:
    """A manifest, or an index of some; digests are checked to be ones."""

    digest: str
    revision: str = ""
    images: tuple[str, ...] = ()
    config: str = ""


def promised_digest(answer: Answer) -> str:
    """Return the digest that the headers name for a manifest of a known type, or nothing."""
    # A proxy's sign-in page is answered with 200 as well. Only with the type of a manifest does the header
    # count.
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    digest = answer.headers.get("Docker-Content-Digest", "")
    return digest if media_type in MEDIA_TYPES and _DIGEST_RE.fullmatch(digest) else ""


def read_manifest(body: bytes, digest: str) -> Manifest:
    """Read a manifest; `digest` is the one it must have, if that is known.

    Raises ValueError if it is none or not the one: a proxy's page of regrets must never count as an image.
    """
    document = json_object(body)
    if document.get("schemaVersion") != 2:
        raise ValueError("its answer is not a manifest")
    # Without a header the digest is computed from the very bytes that were sent, which is how it is defined.
    digest = verify_digest(body, digest) if digest else "sha256:" + hashlib.sha256(body).hexdigest()
    revision = _text(_mapping(document.get("annotations")).get(_REVISION))
    if isinstance(document.get("manifests"), list):
        children = [_mapping(child) for child in document["manifests"]]
        # An attestation looks like one more image of the index, but only tells of how it was built.
        images = (child for child in children if _ATTESTATION not in _mapping(child.get("annotations")))
        return Manifest(digest, revision, images=tuple(_digest(child) for child in images))
    return Manifest(digest, revision, config=_digest(_mapping(document.get("config"))))


def read_revision(config: bytes) -> str:
    """Return the commit that the labels of an image's configuration name, or nothing."""
    return _text(_mapping(_mapping(json_object(config).get("config")).get("Labels")).get(_REVISION))


def verify_digest(body: bytes, digest: str) -> str:
    """Return the digest; raises ValueError if the content has another."""
    algorithm, _, expected = digest.partition(":")
    if hashlib.new(algorithm, body).hexdigest() != expected:
        raise ValueError(f"its answer is not what {digest} names")
    return digest


def refusal(what: str, answer: Answer) -> RemoteError:
    """Return the error for an answer that is not what was asked for."""
    told = _message_in(json_object(answer.body))
    if answer.status == 401:
        return Unauthorized(what, status=401, message=told)
    if answer.status == 403:
        return Forbidden(what, status=403, message=told)
    # A redirect that may not be followed, or a success of a kind that we did not ask for.
    if answer.status < 400:
        return from_status(what, 0, f"it answered {answer.status}")
    after = answer.headers.get("Retry-After", "")
    return from_status(what, answer.status, told, float(after) if re.fullmatch("[0-9]{1,6}", after) else None)


def json_object(body: bytes) -> Mapping[str, Any]:
    """Return the object that a body holds; an empty one if it holds something else."""
    try:
        return _mapping(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _message_in(document: Mapping[str, Any]) -> str:
    errors = document.get("errors")
    first = _mapping(errors[0]) if isinstance(errors, list) and errors else {}
    told = f"{_text(first.get('code'))} {_text(first.get('message'))}".strip()
    return "".join(c for c in told if c.isprintable())[:_LONGEST_MESSAGE]


def _digest(descriptor: Mapping[str, Any]) -> str:
    digest = _text(descriptor.get("digest"))
    if not _DIGEST_RE.fullmatch(digest):
        raise ValueError("its manifest names no digest where one must be")
    return digest


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
