"""The line of the Dockerfile that says which image previewbot's is built on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "Dockerfile"

_LINE = re.compile(
    r"^ARG BASE=(?P<name>[^\s:@]+(?::\d+)?/[^\s:@]+):(?P<tag>[^\s:@]+)(?:@(?P<digest>sha256:[0-9a-f]{64}))?$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Base:
    """An image: its name with the registry, its tag, and the digest that it is pinned by, if it is."""

    name: str
    tag: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name}:{self.tag}" + (f"@{self.digest}" if self.digest else "")


def base_of(text: str) -> Base:
    """Return what a Dockerfile is built on; raises ValueError unless one line says so."""
    found = list(_LINE.finditer(text))
    if len(found) != 1:
        raise ValueError("the Dockerfile has no line, or several, like ARG BASE=registry/name:tag@sha256:…")
    return Base(found[0]["name"], found[0]["tag"], found[0]["digest"] or "")


def with_digest(text: str, digest: str) -> str:
    """Return a Dockerfile that pins its base by this digest."""
    base = base_of(text)
    return _LINE.sub(f"ARG BASE={Base(base.name, base.tag, digest)}", text)
