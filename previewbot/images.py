"""Image references: templates, the allow-list, pinning by digest. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_FIELD_RE = re.compile(r"\{([a-z_]+)\}")
_DOCKER_HUB = "docker.io"
FIELDS = frozenset({"head_sha", "short_sha", "merge_sha", "number", "branch", "service"})


@dataclass(frozen=True)
class ImageReference:
    """A tag of a repository in a registry, all three spelled out."""

    registry: str
    repository: str
    tag: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


def parse_reference(text: str) -> ImageReference:
    """Read a reference as the distribution project defines it; Docker Hub's defaults are filled in.

    Raises ValueError if it is none. https://pkg.go.dev/github.com/distribution/reference
    """
    name, colon, tag = text.partition("@")[0].rpartition(":")
    if not colon or "/" in tag:
        name, tag = text.partition("@")[0], "latest"
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, rest = _DOCKER_HUB, name if slash else f"library/{name}"
    if not re.fullmatch(r"[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*", rest):
        raise ValueError(f"{text!r} is no image reference")
    if not re.fullmatch(r"\w[\w.-]{0,127}", tag, re.ASCII):
        raise ValueError(f"{tag!r} is no image tag")
    return ImageReference(first, rest, tag)


def sanitise_branch(branch: str) -> str:
    """Write a branch as docker/metadata-action does for a tag.

    Slashes and every run of characters a tag cannot have become `-`
    (https://github.com/docker/metadata-action#typeref).
    """
    return re.sub(r"[^a-zA-Z0-9._-]+", "-", branch.replace("/", "-")).lstrip("-.")[:128]


def template_fields(template: str) -> frozenset[str]:
    """Return the names in braces."""
    return frozenset(_FIELD_RE.findall(template))


def render_template(
    template: str, *, head_sha: str, merge_sha: str, number: int, branch: str, service: str
) -> str:
    """Fill in a template; a name it does not know stays as it is (the configuration refuses those)."""
    values = {
        "head_sha": head_sha,
        "short_sha": head_sha[:7],
        "merge_sha": merge_sha,
        "number": str(number),
        "branch": sanitise_branch(branch),
        "service": service,
    }
    return _FIELD_RE.sub(lambda found: values.get(found[1], found[0]), template)


def allowed(reference: str, prefixes: Sequence[str]) -> bool:
    """Return whether a reference lies in an allowed repository.

    A prefix ends at a boundary: `ghcr.io/acme` and `ghcr.io/acme/` allow `ghcr.io/acme/x`, not
    `ghcr.io/acme-evil/x`.
    """
    try:
        parsed = parse_reference(reference)
    except ValueError:
        return False
    path = f"{parsed.registry}/{parsed.repository}"
    return any(path == prefix.rstrip("/") or path.startswith(prefix.rstrip("/") + "/") for prefix in prefixes)


def pinned(reference: str, digest: str) -> str:
    """Return the reference by digest: what is deployed stays what was looked at."""
    parsed = parse_reference(reference)
    return f"{parsed.registry}/{parsed.repository}@{digest}"
