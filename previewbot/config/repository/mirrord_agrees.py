"""What a service may say in `preview.yaml` or in its mirrord file: in either, or in both the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from previewbot.config.mirrord import MirrordConfig
from previewbot.config.target_paths import TargetPath, parse_target
from previewbot.config.types import is_label
from previewbot.config.words import Raw

# Of more digits Python makes no number, and none of these is a port.
_PORT = re.compile("[0-9]{1,5}")


class Contradiction(NamedTuple):
    """A key of a service that the mirrord file contradicts: the kind of its words, and what they name."""

    key: str
    kind: str
    named: Mapping[str, object]


def contradictions(service: Mapping[str, Any], config: MirrordConfig, where: str) -> Iterator[Contradiction]:
    """Yield what both say differently; `where` is what the mirrord file is called.

    Of what is wrong in itself nothing is said here.
    """
    named = {"where": Raw(where)}
    target, namespace = target_of(service), service.get("namespace")
    if target is not None and config.target is not None and merged(target, config.target) is None:
        yield Contradiction("target", "mirrord_other", {**named, "other": str(config.target)})
    if _is_name(namespace) and config.namespace is not None and namespace != config.namespace:
        yield Contradiction("namespace", "mirrord_other", {**named, "other": config.namespace})
    ports = _ports(service)
    if ports is not None and config.said_requests and (kind := _of_ports(ports, config)):
        yield Contradiction("ports", kind, named)
    if config.idle is not None and service.get("idle") is not None:
        yield Contradiction("idle", "mirrord_too", named)
    queues = service.get("queues")
    for split in config.queues:
        if isinstance(queues, Mapping) and split.id in queues:
            yield Contradiction(f"queues.{split.id}", "mirrord_too", named)


def target_of(service: Mapping[str, Any]) -> TargetPath | None:
    """Return the target that a service names; None where it names none, or none that can be read."""
    written = service.get("target")
    try:
        return parse_target(written) if isinstance(written, str) else None
    except ValueError:
        return None


def merged(one: TargetPath, other: TargetPath) -> TargetPath | None:
    """Return the target that both mean, of which one may leave out the container; None if there is none."""
    if one.container is None:
        one = replace(one, container=other.container)
    if other.container is None:
        other = replace(other, container=one.container)
    return one if one == other else None


def _is_name(written: object) -> bool:
    return isinstance(written, str) and is_label(written)


def _ports(service: Mapping[str, Any]) -> set[int] | None:
    ports = service.get("ports")
    if not isinstance(ports, list) or not all(_PORT.fullmatch(str(port)) for port in ports):
        return None
    return {int(str(port)) for port in ports}


def _of_ports(ports: set[int], config: MirrordConfig) -> str:
    requests = config.requests
    if requests is None:
        return "mirrord_takes_none" if ports else ""
    if not ports:
        return "mirrord_takes_requests"
    if requests.ignore_ports or (requests.ports is not None and set(requests.ports) != ports):
        return "mirrord_ports"
    return ""
