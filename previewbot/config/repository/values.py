"""Checks of the file's values, each of which raises a kind of mistake; and what a schema can say of them."""

from __future__ import annotations

import re
import warnings

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern
from pydantic import WithJsonSchema

from previewbot.config.repository.image_fields import IMAGE_FIELDS, wrong_fields
from previewbot.config.repository.patterns import Patterns
from previewbot.config.types import HOST, REPOSITORY, TEXT, UNSAFE, mistake
from previewbot.config.words import Raw

_FIELD = re.compile(r"\{([^{}]*)\}")
_WILDCARD = re.compile(r"\*+|\?|\[")
_IMAGE = re.compile(rf"{HOST}{REPOSITORY}+:[A-Za-z0-9_][A-Za-z0-9._-]{{0,127}}")
_SAMPLES = {
    "head_sha": "0" * 40,
    "short_sha": "0" * 7,
    "merge_sha": "0" * 40,
    "short_merge_sha": "0" * 7,
    "number": "1",
    "branch": "main",
}
_LONGEST_GLOB = 300

# What the published schema says of these values is as much as a regular expression can.
GLOB_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": TEXT, "maxLength": _LONGEST_GLOB, "not": {"pattern": r"^(\./|#)"}}
)
OPEN_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": "^/[!-~]*$", "not": {"pattern": rf"^//|[{UNSAFE}]"}}
)
_A_FIELD = rf"\{{({'|'.join(IMAGE_FIELDS)})\}}"
_IN_NAME = rf"([a-z0-9]|{_A_FIELD})+"
_TAG = rf"([A-Za-z0-9_]|{_A_FIELD})([A-Za-z0-9._-]|{_A_FIELD})*"
IMAGE_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": rf"^{HOST}(/{_IN_NAME}([._-]+{_IN_NAME})*)+:{_TAG}$"}
)


def glob(written: str) -> str:
    """Return a gitignore-style pattern."""
    # Git's patterns know no `./`: such a pattern would match nothing, and the service would never have a
    # preview.
    if written.startswith("./"):
        raise mistake("glob_dot", instead=written[2:])
    if len(written) > _LONGEST_GLOB:
        raise mistake("glob_long", written=written, most=_LONGEST_GLOB)
    if not _can_be_matched(written):
        raise mistake("glob", written=written)
    return written


def _can_be_matched(written: str) -> bool:
    """Return whether a pattern is one, and one that RE2 takes, with which paths are matched."""
    try:
        with warnings.catch_warnings():
            # What Python's regular expressions only warn of, RE2 refuses: a set within a set.
            warnings.simplefilter("error", FutureWarning)
            pattern = GitIgnoreSpecPattern(written)
            Patterns([[written]])
    except (ValueError, re.error, FutureWarning):
        return False
    return pattern.include is not None


def count_wildcards(pattern: str) -> int:
    """Return of how many wildcards a pattern is made; `/**` at its end needs none to be matched."""
    return len(_WILDCARD.findall(pattern.removesuffix("/**")))


def globs(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the patterns of a service; those with ! take away from those before them."""
    if patterns[0].startswith("!"):
        raise mistake("glob_first", written=patterns[0])
    return patterns


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
