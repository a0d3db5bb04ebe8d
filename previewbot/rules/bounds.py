"""What the server's settings allow a repository's configuration to ask for."""

from __future__ import annotations

from collections.abc import Iterator

from previewbot.config.repository.model import RepositoryConfig
from previewbot.config.repository.values import sample_image
from previewbot.config.server import Settings
from previewbot.config.words import shown
from previewbot.errors import Problem
from previewbot.rules.images import is_allowed
from previewbot.text.durations import format_duration


def check_against(config: RepositoryConfig, settings: Settings) -> tuple[Problem, ...]:
    """Return what the server does not allow: namespaces, images, a life that is too long; by line."""
    problems = [*_namespaces(config, settings), *_images(config, settings), *_ttl(config, settings)]
    return tuple(sorted(problems, key=lambda problem: problem.line))


def _namespaces(config: RepositoryConfig, settings: Settings) -> Iterator[Problem]:
    wanted = [(f"services.{service.name}.namespace", service.namespace) for service in config.services]
    if config.entry is not None:
        wanted.insert(0, ("entry.namespace", config.entry.namespace))
    for key, namespace in wanted:
        # The controller may only act in these namespaces: its Roles are there. In others each pass would be
        # refused.
        if namespace not in settings.cluster.namespaces:
            known = ", ".join(settings.cluster.namespaces)
            message = f"the namespace {shown(namespace)} is not open to previews; choose from: {known}"
            yield Problem(config.lines.get(key, 0), message)


def _images(config: RepositoryConfig, settings: Settings) -> Iterator[Problem]:
    for service in config.services:
        # Checked for the template, so that its author is told at once, and again for the real reference
        # before a look.
        if not is_allowed(sample_image(service.image, service.name), settings.images.allowed):
            known = ", ".join(settings.images.allowed)
            message = (
                f"the image {shown(service.image)} is not allowed here; it must begin with one of: {known}"
            )
            yield Problem(config.lines.get(f"services.{service.name}.image", 0), message)


def _ttl(config: RepositoryConfig, settings: Settings) -> Iterator[Problem]:
    longest = settings.ttl.max
    if config.ttl is not None and config.ttl > longest:
        yield Problem(config.lines.get("ttl", 0), f"`ttl` must be at most {format_duration(longest)} here")
