"""Image references: templates, the allow-list, pinning by digest. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from previewbot.config.registries import DOCKER_HUB, beginnings, check_host, registry_name

_FIELD_RE = re.compile(r"\{([a-z_]+)\}")
# The grammar is https://pkg.go.dev/github.com/distribution/reference
_PART = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_REGISTRY_RE = re.compile(rf"(?:{_PART}(?:\.{_PART})*|\[[a-f0-9:.]+\])(?::[0-9]{{1,5}})?")
_REPOSITORY_RE = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*")
_TAG_RE = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
"""https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests"""
_LONGEST_REPOSITORY = 255
_OF_A_MERGE = frozenset({"merge_sha", "short_merge_sha"})
SHORT = 7
"""Characters of a commit that docker/metadata-action's `type=sha` writes."""


@dataclass(frozen=True)
class ImageReference:
    """A tag of a repository in a registry, all three spelled out."""

    registry: str
    repository: str
    tag: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


def parse_reference(text: str) -> ImageReference:
    """Read a reference to a tag as the distribution project defines it; Docker Hub's defaults are filled in.

    The registry comes out in small letters. Raises ValueError, with the reason, if it is none.
    """
    if "@" in text:
        raise ValueError(f"{text!r} names a digest; an image is looked for by its tag")
    name, colon, tag = text.rpartition(":")
    # The colon of `localhost:5000/shop` belongs to the port and not to a tag.
    if not colon or "/" in tag:
        name, tag = text, "latest"
    first, slash, rest = name.partition("/")
    if not slash or not _names_a_registry(first):
        first, rest = DOCKER_HUB, name
    registry = registry_name(first)
    repository = f"library/{rest}" if registry == DOCKER_HUB and "/" not in rest else rest
    _check(text, registry, repository, tag)
    return ImageReference(registry, repository, tag)


def well_formed(text: str) -> bool:
    """Return whether a text is a reference to a tag; no registry can hold what is not."""
    try:
        parse_reference(text)
    except ValueError:
        return False
    return True


def is_tag(text: object) -> bool:
    """Return whether something is a tag as the specification has it."""
    return isinstance(text, str) and _TAG_RE.fullmatch(text) is not None


def sanitise_branch(branch: str) -> str:
    """Write a branch as docker/metadata-action writes it into a tag, even where that gives no valid tag.

    Every run of characters that a tag cannot have becomes one `-`, and that is all
    (`sanitizeTag` in https://github.com/docker/metadata-action/blob/master/src/meta.ts).
    """
    return re.sub(r"[^a-zA-Z0-9._-]+", "-", branch)


def template_fields(template: str) -> frozenset[str]:
    """Return the names in braces."""
    return frozenset(_FIELD_RE.findall(template))


def names_commit(template: str) -> bool:
    """Return whether a template names the commit, so that whatever has its tag was built from it."""
    return bool(template_fields(template) & {"head_sha", "short_sha", *_OF_A_MERGE})


def counts_merges(template: str) -> bool:
    """Return whether an image of a test merge can be what a template means."""
    return names_merge(template) or not names_commit(template)


def names_merge(template: str) -> bool:
    """Return whether a template names a test merge: there is a reference for each that was seen."""
    return bool(template_fields(template) & _OF_A_MERGE)


def is_of_merge(reference: str, merge_sha: str) -> bool:
    """Return whether a reference names a test merge, in full or by its first characters."""
    return merge_sha[:SHORT] in reference


def render_template(
    template: str, *, head_sha: str, merge_sha: str, number: int, branch: str, service: str
) -> str:
    """Fill in a template; a name it does not know stays as it is (the configuration refuses those)."""
    values = {
        "head_sha": head_sha,
        "short_sha": head_sha[:SHORT],
        "merge_sha": merge_sha,
        "short_merge_sha": merge_sha[:SHORT],
        "number": str(number),
        "branch": sanitise_branch(branch),
        "service": service,
    }
    return _FIELD_RE.sub(lambda found: values.get(found[1], found[0]), template)


def is_allowed(reference: str, prefixes: Sequence[str]) -> bool:
    """Return whether a reference lies in an allowed repository.

    A prefix ends at a boundary: `ghcr.io/acme` and `ghcr.io/acme/` allow `ghcr.io/acme/x`, not
    `ghcr.io/acme-evil/x` (`config/registries.py`).
    """
    try:
        parsed = parse_reference(reference)
    except ValueError:
        return False
    path = f"{parsed.registry}/{parsed.repository}/"
    return any(path.startswith(beginnings(prefix)) for prefix in prefixes)


def with_digest(reference: str, digest: str) -> str:
    """Return the reference by digest: what is deployed stays what was looked at."""
    parsed = parse_reference(reference)
    return f"{parsed.registry}/{parsed.repository}@{digest}"


def _names_a_registry(first: str) -> bool:
    """Docker Hub's repositories have neither dots, ports nor capitals in their first part."""
    return "." in first or ":" in first or first == "localhost" or first != first.lower()


def _check(text: str, registry: str, repository: str, tag: str) -> None:
    host = _REGISTRY_RE.fullmatch(registry)
    try:
        check_host(registry)
    except ValueError:
        host = None
    if host is None:
        raise ValueError(f"{text!r} is no image reference: {registry!r} is no registry's host")
    if not _REPOSITORY_RE.fullmatch(repository):
        small = "; it is written in small letters" if repository != repository.lower() else ""
        raise ValueError(f"{text!r} is no image reference: {repository!r} is no repository{small}")
    if len(repository) > _LONGEST_REPOSITORY:
        raise ValueError(f"{text!r} is no image reference: its repository has more than 255 characters")
    if not is_tag(tag):
        raise ValueError(f"{text!r} is no image reference: {tag!r} is no tag")
