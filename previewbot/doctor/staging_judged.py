"""What a repository's file says of staging, held to what is there: judged here, asked elsewhere. Pure.

Each finding has the line of the file that is wrong, and what to write there instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from previewbot.config.repository import FrontEnd, RepositoryConfig, ServiceConfig, TargetPath
from previewbot.config.repository.values import sample_image
from previewbot.config.words import did_you_mean, shown
from previewbot.engine import targets
from previewbot.engine.staging import Staging, StagingService, Workload
from previewbot.engine.targets import TargetProblem
from previewbot.rules.alike_images import likeness


@dataclass(frozen=True)
class Seen:
    """What was seen of the namespaces that a file names.

    `missing` are namespaces that are not there, `namespaces` those that are, as far as they may be listed.
    `unread` says of what could not be read why: a namespace, and in it `workloads`, `rollouts`, `replicasets`
    or `services`. `lacks`: kinds of workload that the cluster does not have.
    """

    staging: Staging
    missing: frozenset[str] = frozenset()
    namespaces: tuple[str, ...] = ()
    unread: Mapping[tuple[str, str], str] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Finding:
    """A line of the file (0 if none) and what is to be said of it; `wrong`: no preview would come of it."""

    line: int
    words: str
    wrong: bool = True


def judged(config: RepositoryConfig, seen: Seen) -> tuple[Finding, ...]:
    """Return all that does not fit, in the order of the lines."""
    found = [
        *(each for service in config.services for each in _service(config, service, seen)),
        *(each for front in config.front_ends.values() for each in _front_end(config, front, seen)),
    ]
    # What stands once in the file, for several services, is told once.
    return tuple(sorted(dict.fromkeys(found), key=lambda each: each.line))


def _service(config: RepositoryConfig, service: ServiceConfig, seen: Seen) -> Iterator[Finding]:
    at = f"services.{service.name}"
    line = _line(config, f"{at}.namespace", "defaults.namespace", at)
    if service.namespace in seen.missing:
        yield Finding(line, _no_namespace(service.namespace, seen))
        return
    if unread := _unread(service.namespace, "workloads", seen):
        yield Finding(line, unread)
        return
    line = _line(config, f"{at}.target", "defaults.target", at)
    known = (*seen.staging.workloads, *seen.staging.named_only)
    there = [w for w in known if w.namespace == service.namespace]
    target = service.target
    if target.kind == "service":
        workload = _behind_target(service, seen)
    else:
        workload = next((w for w in there if (w.kind, w.name) == (target.kind, target.name)), None)
    if workload is None:
        unread = _unread(service.namespace, f"{target.kind}s", seen)
        yield Finding(line, unread or _no_workload(service, there, seen))
        return
    image = sample_image(service.image, service.name)
    try:
        # Behind a Service may be a Rollout that refers to another workload.
        own = TargetPath(workload.kind, workload.name, target.container)
        source = targets.referenced(own, workload.obj)
        if source is not None and (unread := _unread(service.namespace, f"{source.kind}s", seen)):
            yield Finding(line, unread)
            return
        chosen = targets.choose_container(target, workload.source, image, source)
    except TargetProblem as problem:
        yield Finding(line, str(problem))
        return
    if chosen.meant:
        words = (
            f"{target} names the container {shown(chosen.name)}, but the image of this service runs in "
            f"{shown(chosen.meant)}: is that the one?"
        )
        yield Finding(line, words, wrong=False)
    yield from _ports(config, service, workload, seen.staging, chosen.declares_ports)
    yield from _image(config, service, workload, chosen.name)


def _behind_target(service: ServiceConfig, seen: Seen) -> Workload | None:
    """Return a workload whose pods are behind the Service that is a target; None if there is none."""
    named = (service.namespace, service.target.name)
    found = next((s for s in seen.staging.services if (s.namespace, s.name) == named), None)
    return next(iter(seen.staging.behind(found)), None) if found is not None else None


def _ports(
    config: RepositoryConfig, service: ServiceConfig, workload: Workload, staging: Staging, declares: bool
) -> Iterator[Finding]:
    at = f"services.{service.name}"
    line = _line(config, f"{at}.ports", "defaults.ports", at)
    led_to = staging.ports_of(workload)
    if service.ports is None:
        if not declares:
            instead = f": write `ports: {list(led_to)}`, to which its Service leads" if led_to else ""
            words = (
                f"{workload.written} declares no port, so its session would take no requests"
                f"{instead or '; write its `ports`, or `ports: []` if it takes none'}"
            )
            yield Finding(line, words)
        return
    declared = {port for container in workload.containers for port in container.ports}
    known = sorted(declared | set(led_to))
    for port in service.ports:
        if port not in known and known:
            yield Finding(line, _other_port(port, workload, known, staging))
    if service.ports == () and led_to:
        words = (
            f"`ports: []` says that it takes no requests, but a Service leads to port "
            f"{', '.join(map(str, led_to))} of {workload.written}"
        )
        yield Finding(line, words, wrong=False)


def _other_port(port: int, workload: Workload, known: Sequence[int], staging: Staging) -> str:
    """Return what is wrong with a port on which no container listens, as far as anything says."""
    of_service = next(
        (s.name for s in staging.before(workload) if port in [each.port for each in s.ports]), ""
    )
    why = f", which is the port of the Service {shown(of_service)}, not of its pods" if of_service else ""
    return (
        f"nothing says that {workload.written} listens on {port}{why}; its ports are: "
        f"{', '.join(map(str, known))}"
    )


def _image(
    config: RepositoryConfig, service: ServiceConfig, workload: Workload, container: str
) -> Iterator[Finding]:
    runs = next((c.image for c in workload.containers if c.name == container), "")
    if not runs or likeness(runs, sample_image(service.image, service.name)):
        return
    at = f"services.{service.name}"
    words = (
        f"{workload.written} runs {shown(runs, 200)}, which is of another repository than "
        f"{shown(service.image, 200)}: is it the same service?"
    )
    yield Finding(_line(config, f"{at}.image", "defaults.image", at), words, wrong=False)


def _front_end(config: RepositoryConfig, front: FrontEnd, seen: Seen) -> Iterator[Finding]:
    entry, at = front.entry, front.written
    if entry.namespace in seen.missing:
        yield Finding(_line(config, f"{at}.namespace", at), _no_namespace(entry.namespace, seen))
        return
    if unread := _unread(entry.namespace, "services", seen):
        yield Finding(_line(config, f"{at}.namespace", at), unread)
        return
    services = {s.name: s for s in seen.staging.services if s.namespace == entry.namespace}
    wanted = [(at, entry.service, entry.port)]
    wanted += [(f"{at}.routes.{n}", route.service, route.port) for n, route in enumerate(entry.routes)]
    for place, name, port in wanted:
        line = _line(config, f"{place}.service", place, at)
        if name not in services:
            near = did_you_mean(name, services, always=False)
            words = f"there is no Service {shown(name)} in the namespace {shown(entry.namespace)}"
            yield Finding(line, f"{words}; {near or _there('Services', services)}")
            continue
        ports = [each.port for each in services[name].ports]
        if port not in ports:
            words = f"the Service {shown(name)} has no port {port}; its ports are: {_numbers(ports)}"
            yield Finding(_line(config, f"{place}.port", place, at), words)
    if entry.service in services:
        yield from _behind(config, front, services[entry.service], seen)


def _behind(
    config: RepositoryConfig, front: FrontEnd, service: StagingService, seen: Seen
) -> Iterator[Finding]:
    """Say so if the entry's target is not what its Service leads to: links then land on another's page."""
    behind = [workload.written for workload in seen.staging.behind(service)]
    own = front.entry.target
    written = f"{own.kind}/{own.name}"
    if not behind or written in behind or (front.entry.namespace, "workloads") in seen.unread:
        return
    line = _line(config, f"{front.written}.target", f"{front.written}.service", front.written)
    words = (
        f"the Service {shown(service.name)} leads to {behind[0]}, and not to {written}: write "
        f"`target: {behind[0]}` in `{front.written}`"
    )
    yield Finding(line, words)


def _unread(namespace: str, part: str, seen: Seen) -> str:
    """Return that something could not be read, so that nobody knows what of it is there; else ''."""
    why = seen.unread.get((namespace, part))
    named = "Services" if part == "services" else part
    return f"the {named} of {shown(namespace)} {why}" if why is not None else ""


def _no_namespace(namespace: str, seen: Seen) -> str:
    near = did_you_mean(namespace, seen.namespaces, always=False)
    return f"this cluster has no namespace {shown(namespace)}{f'; {near}' if near else ''}"


def _no_workload(service: ServiceConfig, there: Sequence[Workload], seen: Seen) -> str:
    target = service.target
    services = [s.name for s in seen.staging.services if s.namespace == service.namespace]
    if target.kind == "service" and target.name in services:
        return f"the Service {shown(target.name)} leads to no workload of {shown(service.namespace)}"
    words = f"there is no {target.kind} {shown(target.name)} in the namespace {shown(service.namespace)}"
    other = next((w.kind for w in there if w.name == target.name), None)
    if other is not None:
        return f"{words}; it is a {other}: write `target: {TargetPath(other, target.name, target.container)}`"
    elsewhere = [w for w in seen.staging.workloads if (w.kind, w.name) == (target.kind, target.name)]
    if elsewhere:
        return f"{words}; it is in {shown(elsewhere[0].namespace)}"
    if target.kind in seen.lacks:
        return f"{words}: this cluster has no such kind of workload"
    names = services if target.kind == "service" else [w.name for w in there]
    near = did_you_mean(target.name, names, always=False)
    what = "Services" if target.kind == "service" else "workloads"
    return f"{words}; {near or _there(what, names)}"


def _there(what: str, names: Collection[str]) -> str:
    listed = sorted(names)
    if not listed:
        return f"there are no {what}"
    more = f" and {len(listed) - 10} more" if len(listed) > 10 else ""
    return f"there are: {', '.join(listed[:10])}{more}"


def _numbers(ports: Sequence[int]) -> str:
    return ", ".join(map(str, ports)) or "none"


def _line(config: RepositoryConfig, *places: str) -> int:
    """Return the line of the first of these places that the file has; 0 if it has none of them."""
    return next((config.lines[place] for place in places if config.lines.get(place)), 0)
