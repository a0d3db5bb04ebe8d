"""What of Kubernetes' objects says how staging is put together: workloads, their Services, and front doors.

From a cluster's lists, or from manifests as `kustomize build` and `helm template` print them: what is not
understood is passed over, since nobody promises that a stranger's manifest is whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from previewbot.config.types import TargetKind
from previewbot.engine.manifest_parts import (
    Object,
    is_port,
    kind_of,
    listed,
    mapping,
    name_of,
    namespace_of,
    strings,
    texts,
)
from previewbot.engine.targets import containers_of, referenced_name, template_of

_DEEPEST = 4
_DIGITS = 5
_KINDS: Mapping[tuple[str, str], TargetKind] = {
    ("apps", "Deployment"): "deployment",
    ("apps", "StatefulSet"): "statefulset",
    ("argoproj.io", "Rollout"): "rollout",
}
_NAMED_ONLY: Mapping[tuple[str, str], TargetKind] = {
    ("apps", "ReplicaSet"): "replicaset",
    ("", "Pod"): "pod",
    ("batch", "Job"): "job",
    ("batch", "CronJob"): "cronjob",
}
"""What a target may name as well, and what nobody is offered: most of it is made by something else."""


@dataclass(frozen=True)
class Container:
    """A container of a workload's pods: its image as written, and the TCP ports that it declares by name."""

    name: str
    image: str
    ports: tuple[int, ...] = ()
    named: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Workload:
    """What a session may stand in for. `namespace` is empty where a manifest names none.

    `labels` are those of its pods, by which Services find them; `own_labels` are its own. `source` has the
    pod template: of a Rollout with a `workloadRef` what it refers to, None if that is not there.
    """

    kind: TargetKind
    name: str
    namespace: str
    labels: Mapping[str, str]
    own_labels: Mapping[str, str]
    containers: tuple[Container, ...]
    obj: Object = field(compare=False, repr=False)
    source: Object | None = field(compare=False, repr=False)

    @property
    def written(self) -> str:
        """How a preview.yaml names it."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True)
class ServicePort:
    """A port of a Service, and where it leads: a number, or the name of a container's port."""

    port: int
    leads_to: int | str
    name: str = ""


@dataclass(frozen=True)
class StagingService:
    """A Service: what it selects, and its TCP ports."""

    name: str
    namespace: str
    selector: Mapping[str, str]
    ports: tuple[ServicePort, ...]
    type: str = "ClusterIP"

    def selects(self, workload: Workload) -> bool:
        """Return whether the pods of a workload are behind it."""
        # One without a selector has endpoints that somebody writes: of whom nobody can tell.
        return (
            bool(self.selector)
            and self.namespace == workload.namespace
            and all(workload.labels.get(key) == value for key, value in self.selector.items())
        )


@dataclass(frozen=True)
class Door:
    """A host of an Ingress or HTTPRoute, with a path of it and the Service that answers there.

    `port` is a number, or the name of the Service's port; `exact`: the path counts as it is, not as a prefix.
    """

    host: str
    secure: bool
    namespace: str
    path: str
    service: str
    port: int | str
    exact: bool = False


@dataclass(frozen=True)
class Staging:
    """Workloads, Services and doors, in the order in which they were found.

    `named_only` are those that a target may name, and that no file is drafted of: jobs and single pods, say.
    """

    workloads: tuple[Workload, ...] = ()
    services: tuple[StagingService, ...] = ()
    doors: tuple[Door, ...] = ()
    named_only: tuple[Workload, ...] = ()

    def behind(self, service: StagingService) -> tuple[Workload, ...]:
        """Return the workloads whose pods a Service leads to."""
        return tuple(workload for workload in self.workloads if service.selects(workload))

    def before(self, workload: Workload) -> tuple[StagingService, ...]:
        """Return the Services that lead to a workload's pods."""
        return tuple(service for service in self.services if service.selects(workload))

    def ports_of(self, workload: Workload) -> tuple[int, ...]:
        """Return where a workload's pods take requests, as its Services say: ports of its containers."""
        named = {name: port for each in workload.containers for name, port in each.named.items()}
        found = [
            named.get(port.leads_to) if isinstance(port.leads_to, str) else port.leads_to
            for service in self.before(workload)
            for port in service.ports
        ]
        return tuple(sorted({port for port in found if port is not None}))


def staging_of(objects: Iterable[Object]) -> Staging:
    """Return what these objects say; a `List` is what it holds, and what is unknown says nothing."""
    found = [obj for each in objects for obj in _flat(each)]
    by_name = {_place(obj): obj for obj in found}
    referred = set[tuple[str, ...]]()
    workloads = list[Workload]()
    named_only = list[Workload]()
    for obj in found:
        if (other := _NAMED_ONLY.get(kind_of(obj))) and name_of(obj):
            named_only.append(_workload(other, obj, obj))
        kind = _KINDS.get(kind_of(obj))
        if kind is None or not name_of(obj):
            continue
        source: Object | None = obj
        if kind == "rollout" and (named := referenced_name(obj)):
            at = ("apps", named[0], namespace_of(obj), named[1])
            # What a Rollout refers to runs nothing itself: it is scaled down to zero.
            referred.add(at)
            source = by_name.get(at)
        workloads.append(_workload(kind, obj, source))
    return Staging(
        workloads=tuple(w for w in workloads if _place(w.obj) not in referred),
        named_only=tuple(named_only),
        services=tuple(s for obj in found for s in _services(obj)),
        doors=tuple(door for obj in found for door in _doors(obj)),
    )


def _flat(obj: object, depth: int = _DEEPEST) -> Iterator[Object]:
    # A list of YAML's can hold itself.
    if not isinstance(obj, Mapping) or not depth:
        return
    items = obj.get("items")
    if isinstance(items, list) and str(obj.get("kind", "")).endswith("List"):
        for each in items:
            yield from _flat(each, depth - 1)
    else:
        yield obj


def _workload(kind: TargetKind, obj: Object, source: Object | None) -> Workload:
    template = template_of(source or {})
    return Workload(
        kind=kind,
        name=name_of(obj),
        namespace=namespace_of(obj),
        labels=texts(mapping(mapping(template, "metadata"), "labels")),
        own_labels=texts(mapping(mapping(obj, "metadata"), "labels")),
        containers=tuple(map(_container, containers_of(mapping(template, "spec")))),
        obj=obj,
        source=source,
    )


def _container(found: Object) -> Container:
    tcp = [port for port in listed(found, "ports") if port.get("protocol", "TCP") == "TCP"]
    declared = [
        (str(port.get("name") or ""), int(port["containerPort"]))
        for port in tcp
        if is_port(port.get("containerPort"))
    ]
    return Container(
        name=str(found["name"]),
        image=str(found.get("image") or ""),
        ports=tuple(sorted({number for _, number in declared})),
        named={name: number for name, number in declared if name},
    )


def _services(obj: Object) -> Iterator[StagingService]:
    if kind_of(obj) != ("", "Service") or not name_of(obj):
        return
    spec = mapping(obj, "spec")
    ports = [p for p in listed(spec, "ports") if p.get("protocol", "TCP") == "TCP" and is_port(p.get("port"))]
    yield StagingService(
        name=name_of(obj),
        namespace=namespace_of(obj),
        selector=texts(mapping(spec, "selector")),
        ports=tuple(ServicePort(p["port"], _target_port(p), str(p.get("name") or "")) for p in ports),
        type=str(spec.get("type") or "ClusterIP"),
    )


def _target_port(port: Object) -> int | str:
    # Left out it is the port itself.
    leads_to = port.get("targetPort") or port["port"]
    text = str(leads_to)
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0
    return number if is_port(number) else text


def _doors(obj: Object) -> Iterator[Door]:
    kind = kind_of(obj)
    if kind == ("networking.k8s.io", "Ingress"):
        yield from _of_ingress(obj)
    if kind == ("gateway.networking.k8s.io", "HTTPRoute"):
        yield from _of_route(obj)


def _of_ingress(obj: Object) -> Iterator[Door]:
    """Yield the doors of an Ingress: https://kubernetes.io/docs/concepts/services-networking/ingress/."""
    spec = mapping(obj, "spec")
    secure = {host for tls in listed(spec, "tls") for host in strings(tls, "hosts")}
    for rule in listed(spec, "rules"):
        host = str(rule.get("host") or "")
        for path in listed(mapping(rule, "http"), "paths"):
            service = mapping(mapping(path, "backend"), "service")
            port = mapping(service, "port")
            wanted = port["number"] if is_port(port.get("number")) else str(port.get("name") or "")
            if host and service.get("name") and wanted:
                exact = path.get("pathType") == "Exact"
                at = str(path.get("path") or "/")
                yield Door(host, host in secure, namespace_of(obj), at, str(service["name"]), wanted, exact)


def _of_route(obj: Object) -> Iterator[Door]:
    """Yield the doors of an HTTPRoute: https://gateway-api.sigs.k8s.io/api-types/httproute/."""
    spec = mapping(obj, "spec")
    for host in strings(spec, "hostnames"):
        for rule in listed(spec, "rules"):
            backend = next(iter(listed(rule, "backendRefs")), None)
            if backend is None or backend.get("kind", "Service") != "Service":
                continue
            # A Service of another namespace is none that an entry can name.
            if backend.get("namespace", namespace_of(obj)) != namespace_of(obj):
                continue
            for match in listed(rule, "matches") or [{}]:
                path = mapping(match, "path")
                exact = path.get("type") == "Exact"
                at = str(path.get("value") or "/")
                # Whether its listener speaks TLS stands in the Gateway; staging's front doors do.
                if is_port(backend.get("port")) and backend.get("name"):
                    name = str(backend["name"])
                    yield Door(host, True, namespace_of(obj), at, name, backend["port"], exact)


def _place(obj: Object) -> tuple[str, ...]:
    return (*kind_of(obj), namespace_of(obj), name_of(obj))
