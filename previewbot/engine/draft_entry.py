"""Staging's front end, guessed for a first preview.yaml: by its hosts, else by Services' names. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from previewbot.config.repository.entries import MOST_PATHS
from previewbot.config.types import is_label
from previewbot.engine.staging import Door, Staging, StagingService
from previewbot.rules.hosts import is_host_name

UNKNOWN_URL = "https://staging.example.com"
_FRONT = ("frontend", "front-end", "web", "ui", "www", "storefront", "dashboard", "website", "portal")
_BEFORE = ("proxy", "gateway", "ingress", "nginx", "envoy")
_MOST_OTHERS = 5


@dataclass(frozen=True)
class DraftRoute:
    """A path of the front end that another Service answers."""

    path: str
    service: str
    port: int
    exact: bool


@dataclass(frozen=True)
class DraftEntry:
    """The entry; an empty `namespace` is not known. `others` are hosts that it could be as well."""

    url: str
    namespace: str
    service: str
    port: int
    target: str = ""
    routes: tuple[DraftRoute, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def url_known(self) -> bool:
        """Whether a manifest says at which address it is opened."""
        return self.url != UNKNOWN_URL


def entry_of(staging: Staging, namespace: str = "") -> DraftEntry | None:
    """Return the likeliest front end; None where nothing looks like one."""
    hosts: dict[tuple[str, str], list[Door]] = {}
    for door in staging.doors:
        if is_host_name(door.host) and _port(staging, door):
            hosts.setdefault((door.host, door.namespace), []).append(door)
    if hosts:
        best = max(hosts, key=lambda at: (_at_root(hosts[at]), _points(hosts[at][0].service), len(hosts[at])))
        others = [host for host, _ in hosts if host != best[0]]
        return _of_host(staging, hosts[best], others, namespace)
    return _of_service(staging, namespace)


def _of_host(
    staging: Staging, doors: Sequence[Door], others: Sequence[str], namespace: str
) -> DraftEntry | None:
    main = min(doors, key=lambda door: (door.path.rstrip("/") != "", len(door.path)))
    port = _port(staging, main)
    if not is_label(main.service):
        return None
    routes = dict[tuple[str, bool], DraftRoute]()
    for door in doors:
        its, path = _port(staging, door), _path(door.path)
        if path and its and (door.service, its) != (main.service, port) and is_label(door.service):
            routes.setdefault((path, door.exact), DraftRoute(path, door.service, its, door.exact))
    scheme = "https" if main.secure else "http"
    return DraftEntry(
        url=f"{scheme}://{main.host}",
        namespace=_namespace(main.namespace, namespace),
        service=main.service,
        port=port,
        target=_target(staging, main.namespace, main.service),
        routes=tuple(list(routes.values())[:MOST_PATHS]),
        others=tuple(dict.fromkeys(others))[:_MOST_OTHERS],
    )


def _of_service(staging: Staging, namespace: str) -> DraftEntry | None:
    likely = [s for s in staging.services if s.ports and s.selector and is_label(s.name) and _weight(s)]
    if not likely:
        return None
    best = max(likely, key=_weight)
    # Beside `frontend-external`, which a cloud gives an address, there is usually `frontend` itself.
    behind = staging.behind(best)
    named = {s.name: s for s in staging.services if s.ports and staging.behind(s) == behind}
    best = next((named[w.name] for w in behind if w.name in named), best)
    return DraftEntry(
        url=UNKNOWN_URL,
        namespace=_namespace(best.namespace, namespace),
        service=best.name,
        port=best.ports[0].port,
        target=_target(staging, best.namespace, best.name),
    )


def _namespace(*likeliest_first: str) -> str:
    """Return the first that can be one, since what manifests say need not be; empty if none can."""
    return next(filter(is_label, likeliest_first), "")


def _target(staging: Staging, namespace: str, service: str) -> str:
    """Return the workload behind a Service, if it is another than the one that is taken without a word."""
    found = next((s for s in staging.services if (s.namespace, s.name) == (namespace, service)), None)
    behind = [workload.written for workload in staging.behind(found)] if found is not None else []
    return behind[0] if behind and f"deployment/{service}" not in behind else ""


def _weight(service: StagingService) -> int:
    opened = 2 if service.type in ("LoadBalancer", "NodePort") else 0
    return points + opened if (points := _points(service.name)) or opened else 0


def _points(name: str) -> int:
    parts = name.split("-")
    front = (
        3
        if name in _FRONT
        else 2
        if any(word in name for word in _FRONT[:2]) or set(parts) & {*_FRONT}
        else 0
    )
    return front + (2 if set(parts) & {*_BEFORE} else 0)


def _at_root(doors: Sequence[Door]) -> bool:
    return any(door.path.rstrip("/") == "" for door in doors)


def _port(staging: Staging, door: Door) -> int:
    """Return the number of a door's port; 0 if it is a name that no Service here explains."""
    if isinstance(door.port, int):
        return door.port
    found = next(
        (s for s in staging.services if (s.namespace, s.name) == (door.namespace, door.service)), None
    )
    return next((p.port for p in found.ports if p.name == door.port), 0) if found is not None else 0


def _path(path: str) -> str:
    """Return a path as an entry may have it; empty for the root, and for a regular expression."""
    plain = path.removesuffix("*") if path.endswith("/*") else path
    plain = plain.rstrip("/")
    return (
        plain if plain.startswith("/") and not set(plain) & set("*()[]|?^$\\+ ") and "//" not in plain else ""
    )
