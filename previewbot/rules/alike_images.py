"""Which images are of the same repository, so of the same service, as far as their references say.

Staging may pull what CI pushes through a mirror, so that the registry says little: what counts is the path.
"""

from __future__ import annotations

from previewbot.config.registries import DOCKER_HUB
from previewbot.rules.images import parse_reference


def likeness(image: str, other: str) -> int:
    """Return how surely two references are of the same repository: 3 to 1, or 0 if they are not, or are none.

    3: the registry is the same too. 2: another registry has it under the same path. 1: a mirror has it below
    a path of its own, as `mirror.example.com/ghcr.io/acme/shop` or a registry's pull-through caches do.
    """
    here, there = _parts(image), _parts(other)
    if here is None or there is None:
        return 0
    (registry, path), (other_registry, other_path) = here, there
    if path == other_path:
        return 3 if registry == other_registry else 2
    longer, shorter = (path, other_path) if len(path) > len(other_path) else (other_path, path)
    # A single word is the name of too many images: of Docker Hub's own `proxy`, whose service is anybody's.
    in_hub = (registry if shorter is path else other_registry) == DOCKER_HUB
    return int(longer[-len(shorter) :] == shorter and (len(shorter) > 1 or not in_hub))


def _parts(image: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the registry of a reference and the parts of its repository, without `library` of Docker Hub."""
    # What is pinned by a digest may have a tag too: the registry and the path end before either.
    named = image.split("@")[0]
    try:
        parsed = parse_reference(named)
    except ValueError:
        return None
    return parsed.registry, tuple(parsed.repository.removeprefix("library/").split("/"))
