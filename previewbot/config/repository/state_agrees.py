"""Whether the databases and queues that services name are there, and can be those of one preview."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from previewbot.config.mirrord.databases import Copy, led_by
from previewbot.config.repository.services import ServiceConfig
from previewbot.config.repository.state import Declared
from previewbot.config.types import mistake
from previewbot.config.words import Raw, did_you_mean


def check_state(services: Sequence[ServiceConfig], databases: Mapping[str, Declared | None]) -> None:
    """Raise the first mistake in what services name of databases, queues and sleep."""
    seen: dict[str, tuple[ServiceConfig, Copy]] = {}
    for service in services:
        _check_names(service, databases)
        _check_sleep(service)
        for key, copy in copies_by_key(service, databases):
            first, same = seen.setdefault(copy.name, (service, copy))
            named = {"at": f"services.{service.name}.{key}", "written": copy.name, "other": first.name}
            if first.namespace != service.namespace:
                raise mistake("database_namespaces", namespace=first.namespace, **named)
            if first is not service and not (same.is_named and copy.is_named):
                # `DATABASE_URL` of two services mostly leads to two databases: one of them would be led to
                # a copy of the other's.
                raise mistake("database_unnamed", **named)
            if same != copy:
                raise mistake("database_differs", **named)


def copies_of(service: ServiceConfig, databases: Mapping[str, Declared | None]) -> tuple[Copy, ...]:
    """Return all databases that a service has a copy of, whichever file declares them."""
    return tuple(copy for _, copy in copies_by_key(service, databases))


def declared_copies(service: ServiceConfig, databases: Mapping[str, Declared | None]) -> tuple[Copy, ...]:
    """Return the copies that `preview.yaml` declares and a service names."""
    named = ((name, databases.get(name)) for name in service.databases or ())
    return tuple(declared.copy(name) for name, declared in named if declared is not None)


def copies_by_key(
    service: ServiceConfig, databases: Mapping[str, Declared | None]
) -> Iterator[tuple[str, Copy]]:
    """Yield the copies of a service, each with the key of it that names it."""
    yield from (("databases", copy) for copy in declared_copies(service, databases))
    yield from (("mirrord", copy) for copy in _copies_of_mirrord(service))


def _copies_of_mirrord(service: ServiceConfig) -> tuple[Copy, ...]:
    return service.mirrord.copies if service.mirrord is not None else ()


def _check_names(service: ServiceConfig, databases: Mapping[str, Declared | None]) -> None:
    at = f"services.{service.name}.databases"
    for name in service.databases or ():
        if name not in databases:
            near = Raw(did_you_mean(name, databases)) if databases else Raw("write it under `databases`")
            raise mistake("no_such_database", at=at, written=name, near=near)
        if databases[name] is not None and name in (copy.name for copy in _copies_of_mirrord(service)):
            raise mistake("database_too", at=at, written=name)
    variables = service.mirrord.variables if service.mirrord is not None else None
    copies = declared_copies(service, databases)
    for name in sorted(led_by(copy.database for copy in copies)):
        if variables is not None and name in variables.overrides:
            raise mistake("database_overridden_there", at=at, written=name)


def _check_sleep(service: ServiceConfig) -> None:
    takes = service.ports != () and (service.mirrord is None or service.mirrord.requests is not None)
    split = any((service.queues or {}).values()) or bool(service.mirrord and service.mirrord.queues)
    of_mirrord = service.mirrord is not None and service.mirrord.idle is not None
    if (service.idle or of_mirrord) and not takes and not split:
        # What a mirrord file says of sleep goes with the ports that it leaves to `preview.yaml`.
        key = "idle" if service.idle else "ports"
        raise mistake("idle_never_wakes", at=f"services.{service.name}.{key}")
