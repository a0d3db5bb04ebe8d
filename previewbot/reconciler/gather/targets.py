"""Looks at the workload that a service stands in for: which of its containers a session replaces."""

from __future__ import annotations

import logging

from previewbot.api import Service
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.resources import PODS
from previewbot.config.repository import ServiceConfig, TargetPath
from previewbot.engine import targets
from previewbot.engine.manifest_parts import Object
from previewbot.engine.targets import TargetProblem
from previewbot.errors import Forbidden, NotServed, RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.observation import Target

log = logging.getLogger(__name__)


async def read_target(context: Context, config: ServiceConfig, service: Service) -> Target:
    """Resolve the container that a service's session replaces, or say what is wrong with the target."""
    target = config.target
    reading = f"{target.kind} {target.name}"
    try:
        workload = await context.kube.get_target(config.namespace, target.kind, target.name)
        source = targets.referenced(target, workload)
        if source is not None:
            reading = f"{source.kind} {source.name}, from which {target.kind}/{target.name} takes its pods,"
        elif target.kind == "service":
            reading = f"the pods behind {target.kind}/{target.name}"
        template = await with_template(context.kube, config.namespace, target, workload)
        chosen = targets.choose_container(target, template, service.image, source)
    except NotServed as error:
        return Target(problem=_not_served(str(target), error.message))
    except RemoteError as error:
        # Report this service as failed but finish the pass: the others must still expire.
        log.warning("cannot look at a target", extra={"service": config.name, "error": str(error)})
        return Target(problem=f"{reading} cannot be looked at ({_why(error)})")
    except TargetProblem as problem:
        return Target(problem=str(problem))
    silent = config.ports is None and not chosen.declares_ports
    return Target(container=chosen.name, meant=chosen.meant, without_ports=silent)


async def with_template(
    kube: Kube, namespace: str, target: TargetPath, workload: Object | None
) -> Object | None:
    """Return what has the pod template of a target that was read: itself, what it refers to, or a pod.

    Raises `TargetProblem` if that cannot be, and RemoteError.
    """
    source = targets.referenced(target, workload)
    if source is not None:
        return await kube.get_target(namespace, source.kind, source.name)
    if workload is not None and (selector := targets.selector_of(target, workload)):
        return targets.pod_behind(target, await kube.list_children(PODS, namespace, selector))
    return workload


def _not_served(target: str, missing: str) -> str:
    """Say that the kind is missing, not the workload: its author may have named the right one."""
    return (
        f"this cluster has no {missing}: for {target} your platform team has to install what brings them, or "
        "preview.yaml has to name a workload of a kind that is there"
    )


def _why(error: RemoteError) -> str:
    if isinstance(error, Forbidden):
        return f"{error.status}: previewbot's role does not let it, which is for your platform team"
    return str(error.status or "no answer")
