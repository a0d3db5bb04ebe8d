"""Checks of the file's values, each of which raises a kind of mistake; and what a schema can say of them."""

from __future__ import annotations

import re
from typing import Any

from pydantic import WithJsonSchema

from previewbot.config.repository.image_fields import IMAGE_FIELDS, wrong_fields
from previewbot.config.types import HOST, REPOSITORY, UNSAFE, mistake
from previewbot.config.words import Raw

_FIELD = re.compile(r"\{([^{}]*)\}")
_IMAGE = re.compile(rf"{HOST}{REPOSITORY}+:[A-Za-z0-9_][A-Za-z0-9._-]{{0,127}}")
_SAMPLES = {
    "head_sha": "0" * 40,
    "short_sha": "0" * 7,
    "merge_sha": "0" * 40,
    "short_merge_sha": "0" * 7,
    "number": "1",
    "branch": "main",
}

# What the published schema says of these values is as much as a regular expression can.
OPEN_PATTERN: dict[str, Any] = {
    "type": "string",
    "pattern": "^/[!-~]*$",
    "not": {"pattern": rf"^//|[{UNSAFE}]"},
}
OPEN_SCHEMA = WithJsonSchema(OPEN_PATTERN)
_A_FIELD = rf"\{{({'|'.join(IMAGE_FIELDS)})\}}"
_IN_NAME = rf"([a-z0-9]|{_A_FIELD})+"
_TAG = rf"([A-Za-z0-9_]|{_A_FIELD})([A-Za-z0-9._-]|{_A_FIELD})*"
IMAGE_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": rf"^{HOST}(/{_IN_NAME}([._-]+{_IN_NAME})*)+:{_TAG}$"}
)


def open_path(written: str) -> str:
    """Return the path on which a link lands."""
    if not written.startswith("/") or written.startswith("//"):
        raise mistake("open", instead="/" + written.lstrip("/"))
    if not written.isascii() or re.search(f"[{UNSAFE}]", written):
        raise mistake("open_characters")
    return written


def check_image(written: str) -> str:
    """Return an image template, which with samples for its fields is a reference with a tag."""
    for found, near in wrong_fields(written):
        raise mistake("image_field", written=found, near=Raw(near))
    sample = sample_image(written, "checkout")
    if "://" in written:
        raise mistake("image_scheme")
    if "@" in written:
        raise mistake("image_digest")
    # A branch's name could otherwise choose the registry that an image is pulled from.
    if "{" in written.split("/")[0]:
        raise mistake("image_registry")
    if ":" not in sample.rsplit("/", 1)[-1]:
        raise mistake("image_tag", instead=written + ":{head_sha}")
    if not _IMAGE.fullmatch(sample):
        name, _, tag = written.rpartition(":")
        small = f"{name.lower()}:{tag}"
        if _IMAGE.fullmatch(sample_image(small, "checkout")):
            raise mistake("image_small", instead=small)
        raise mistake("image", written=written)
    return written


def sample_image(template: str, service: str) -> str:
    """Return a template with samples for its fields: what an image may look like."""
    samples = {**_SAMPLES, "service": service}
    return _FIELD.sub(lambda match: samples[match.group(1)], template)
