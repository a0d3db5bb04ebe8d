"""Which of the changed services are previewed, where there are more than the platform team allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from previewbot.api import LeftOut, Status
from previewbot.config.repository import RepositoryConfig, ServiceConfig

NAMES_TOLD = 20
"""How many of the others a comment names."""


def with_a_session(status: Status, head_sha: str) -> frozenset[str]:
    """Return the services of this very commit whose sessions are there: a lowered limit ends none of them.

    With the next commit, and after an end, the limit counts for all.
    """
    if status.lifecycle.ended is not None or status.observed.head_sha != head_sha:
        return frozenset()
    return frozenset(child.service for child in status.children if child.uid and child.service)


def choose(
    config: RepositoryConfig, files: Mapping[str, int], limit: int, kept: Collection[str] = ()
) -> tuple[dict[str, int], LeftOut | None]:
    """Return the changed files by service of those that are previewed, and what is said of the others.

    The entry's own service comes first, then the others in the order of the file; before all of them those
    that are `kept`, however many these are.
    """
    changed = [service for service in config.services if service.name in files]
    first = sorted(changed, key=lambda service: (service.name not in kept, not _is_entrys(config, service)))
    places = max(limit, sum(1 for service in changed if service.name in kept))
    chosen = {service.name for service in first[:places]}
    others = [service.name for service in changed if service.name not in chosen]
    left_out = LeftOut(len(others), tuple(others[:NAMES_TOLD]), limit) if others else None
    return {name: count for name, count in files.items() if name in chosen}, left_out


def _is_entrys(config: RepositoryConfig, service: ServiceConfig) -> bool:
    target = str(service.target)
    return any(each.entry.is_served_by(service.namespace, target) for each in config.front_ends.values())
