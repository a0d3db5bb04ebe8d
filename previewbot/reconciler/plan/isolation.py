"""What the sessions that serve have of their own, noted in their services: as the cluster shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from previewbot.api import Child, Isolation, OwnDatabase, Service, Uses
from previewbot.config.repository import RepositoryConfig
from previewbot.engine.isolation import named
from previewbot.reconciler.observation import Found, Observation


def with_isolation(
    observation: Observation, services: Sequence[Service], children: Iterable[Child]
) -> tuple[Service, ...]:
    """Return services that say what their sessions were sent; the very same ones where nothing changed."""
    of_service = {child.identity: child.service for child in children}
    ours = [f for f in observation.found if f.owner_uid == observation.preview.uid]
    serving = {
        of_service[f.identity]: f
        for f in ours
        if f.serving and f.isolation is not None and f.identity in of_service
    }
    return tuple(_with_isolation(observation, each, serving.get(each.name), ours) for each in services)


def _with_isolation(
    observation: Observation, service: Service, serving: Found | None, ours: Sequence[Found]
) -> Service:
    if not service.serving_sha:
        return service if service.isolation is None else replace(service, isolation=None)
    # Its session was not looked at in this pass, as where its namespace may not be listed: what it was sent
    # stays what it was.
    if serving is None or serving.isolation is None:
        return service
    known = service.isolation or Isolation()
    config = observation.facts.config if observation.facts else None
    isolation = replace(
        serving.isolation,
        databases=_named(serving.isolation, known, _branches(ours, serving.namespace, observation)),
        uses=_uses(config, service, known.uses),
        behind=_behind(config, service, known.behind),
    )
    return service if isolation == service.isolation else replace(service, isolation=isolation)


def _branches(ours: Iterable[Found], namespace: str, observation: Observation) -> dict[str, OwnDatabase]:
    """Return the databases that have a branch in a namespace, by the names of mirrord's objects."""
    key = observation.preview.spec.environment_key
    there = (found for found in ours if found.namespace == namespace)
    return {found.name: named(found.database, key) for found in there if found.database is not None}


def _named(
    isolation: Isolation, known: Isolation, branches: Mapping[str, OwnDatabase]
) -> tuple[OwnDatabase, ...]:
    """Return a session's databases by the branches that are there: it knows only their objects' names."""
    # What a branch that somebody removed was of is still what the session was sent.
    branches = {each.branch: each for each in known.databases} | dict(branches)
    databases = (branches.get(each.branch, each) for each in isolation.databases)
    return tuple(sorted(databases, key=lambda each: (each.name, each.branch)))


def _uses(config: RepositoryConfig | None, service: Service, known: Uses) -> Uses:
    """Return what the configuration says now; while it cannot be read, what it said before."""
    if config is None:
        return known
    return next((each.uses for each in config.services if each.name == service.name), known)


def _behind(config: RepositoryConfig | None, service: Service, known: str) -> str:
    entry = config.entry_of(service.name) if config is not None else None
    if config is None or entry is None:
        return known if config is None else ""
    return "" if entry.is_served_by(service.namespace, service.target) else entry.service
