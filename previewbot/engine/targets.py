"""Which container of a target a session replaces: as mirrord's CLI chooses it, and never an obvious stranger.

The CLI's rule is `choose_container` in metalbear-co/mirrord, `mirrord/kube/src/api/container.rs`, and what it
follows of a Rollout is in `mirrord/kube/src/api/kubernetes/rollout/workload_ref.rs` (3.250).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from previewbot.config.repository import TargetPath
from previewbot.engine.manifest_parts import Object, mapping
from previewbot.engine.mirrord import POD_SESSION
from previewbot.rules.alike_images import likeness

_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"

_SIDECARS = frozenset(
    {
        "cloud-sql-proxy",
        "istio-init",
        "istio-proxy",
        "kuma-init",
        "kuma-sidecar",
        "linkerd-init",
        "linkerd-proxy",
        "queue-proxy",
        "traffic-agent",
        "vault-agent",
        "vault-agent-init",
    }
)
"""What the CLI passes over by its name, and Google's proxy for databases, which newer ones pass over too."""

_READABLE = {
    ("apps/v1", "Deployment"): "deployment",
    ("apps/v1", "ReplicaSet"): "replicaset",
    ("apps/v1", "StatefulSet"): "statefulset",
}
"""The kinds of workload that a Rollout may refer to and that previewbot's role lets it read."""

_ONE_OF_THESE = "a Deployment, ReplicaSet or StatefulSet of apps/v1"


class TargetProblem(Exception):
    """The target cannot be previewed; the text says why and what to write instead."""


@dataclass(frozen=True)
class Referenced:
    """The workload whose pods a Rollout runs: its kind in small letters, and its name."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True)
class ChosenContainer:
    """The container that a session replaces.

    `meant`: the target names this one although staging runs the service's image in another, this one.
    `declares_ports`: whether any container of the pod declares a port, where the operator looks for them.
    """

    name: str
    meant: str = ""
    declares_ports: bool = True


def referenced(target: TargetPath, workload: Object | None) -> Referenced | None:
    """Return the workload beside a Rollout that has its pod template; None if it has its own.

    Raises `TargetProblem` if there is no workload at all, or its reference leads nowhere.
    https://argo-rollouts.readthedocs.io/en/stable/migrating/#reference-deployment-from-rollout
    """
    if workload is None:
        raise TargetProblem(f"there is no {target.kind} named {target.name} in the staging namespace")
    if target.kind == "pod" and POD_SESSION in mapping(mapping(workload, "metadata"), "labels"):
        raise TargetProblem(f"{_named(target)} is a pod of a preview, and not of staging")
    spec = mapping(workload, "spec")
    reference = mapping(spec, "workloadRef") if target.kind == "rollout" else None
    if not reference:
        return None
    if spec.get("template"):
        raise TargetProblem(
            f"{_named(target)} has both a template and a workloadRef, of which a Rollout may have one; take "
            "one away"
        )
    version, kind, name = (str(reference.get(key) or "") for key in ("apiVersion", "kind", "name"))
    readable = _READABLE.get((version, kind))
    if readable is None:
        raise TargetProblem(
            f"{_named(target)} takes its pods from {kind or 'something'} {name} ({version}), by its "
            f"workloadRef, and previewbot can look at {_ONE_OF_THESE}"
        )
    if not name:
        raise TargetProblem(f"{_named(target)} has a workloadRef without a name")
    return Referenced(readable, name)


def selector_of(target: TargetPath, service: Object) -> str:
    """Return the label selector of the pods that a Service leads to; '' of what is no Service.

    Raises `TargetProblem` if it has none: https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors
    """
    if target.kind != "service":
        return ""
    selector = mapping(mapping(service, "spec"), "selector")
    if not selector:
        raise TargetProblem(
            f"{_named(target)} has no selector, so no pods are behind it: name the workload instead"
        )
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))


def pod_behind(target: TargetPath, pods: Sequence[Object]) -> Object:
    """Return the pod by which a Service's container is chosen, whichever order they are listed in.

    Raises `TargetProblem` if there is none.
    """
    # The pods of sessions have the labels of what they stand in for: a session must not be taken for staging.
    found = [pod for pod in pods if POD_SESSION not in mapping(mapping(pod, "metadata"), "labels")]
    # One that ends may be of the workload before; and the smallest name is the same one at each look.
    found.sort(key=lambda pod: (_ends(pod), str(mapping(pod, "metadata").get("name") or "")))
    if not found:
        raise TargetProblem(
            f"{_named(target)} leads to no pod now, so nobody can tell which container is to be replaced: "
            "name the workload whose pods it leads to instead"
        )
    return found[0]


def _ends(pod: Object) -> bool:
    phase = mapping(pod, "status").get("phase")
    return phase in ("Succeeded", "Failed") or bool(mapping(pod, "metadata").get("deletionTimestamp"))


def template_of(workload: Object) -> Object:
    """Return the pod template of a workload; a pod is its own, and a CronJob's is that of its jobs."""
    spec = mapping(workload, "spec")
    if "containers" in spec:
        return workload
    jobs = mapping(mapping(spec, "jobTemplate"), "spec")
    return mapping(jobs or spec, "template")


def referenced_name(rollout: Object) -> tuple[str, str] | None:
    """Return kind (as in a manifest) and name of the workload that a Rollout takes its pods from, if any."""
    reference = mapping(mapping(rollout, "spec"), "workloadRef")
    kind, name = (str(reference.get(key) or "") for key in ("kind", "name"))
    return (kind, name) if kind and name else None


def containers_of(pod: Object) -> list[Object]:
    """Return the containers of a pod's spec; each has a name, or no API server would take it."""
    found = pod.get("containers")
    each = found if isinstance(found, list | tuple) else ()
    return [container for container in each if isinstance(container, Mapping) and container.get("name")]


def choose_container(
    target: TargetPath, workload: Object | None, image: str, source: Referenced | None = None
) -> ChosenContainer:
    """Return the container to replace with `image` (a reference with a tag); `workload` has the template, or
    is a pod.

    The one named in the target; else the annotation `kubectl.kubernetes.io/default-container`, else the first
    that is no well-known sidecar. But if that one runs another image in staging, and another container this
    one, then the other. `source` is what the workload is, if the target only refers to it. Raises
    `TargetProblem` if there is no such container.
    """
    if workload is None:
        raise TargetProblem(
            f"{_named(target)} takes its pods from {source} (its workloadRef), and there is no such workload "
            "in the staging namespace"
        )
    template = template_of(workload)
    pod = mapping(template, "spec")
    # Init containers are none of these, also those that run on beside the others (restartPolicy Always).
    containers = containers_of(pod)
    names = [str(container["name"]) for container in containers]
    alike = _alike(containers, image)
    declares = any(container.get("ports") for container in containers)
    if target.container:
        if target.container not in names:
            raise TargetProblem(_no_such_container(target, names, pod))
        meant = alike[0] if alike and target.container not in alike else ""
        return ChosenContainer(target.container, meant, declares)
    annotated = mapping(mapping(template, "metadata"), "annotations").get(_DEFAULT_CONTAINER)
    # An annotation that names a container which is not there (a leftover, say) counts for nothing.
    usual = annotated if annotated in names else next((n for n in names if n not in _SIDECARS), None)
    if alike and usual not in alike:
        usual = alike[0]
    if usual is None:
        raise TargetProblem(f"{_named(target)} has no container to replace{_beside_sidecars(names)}")
    return ChosenContainer(str(usual), "", declares)


def _alike(containers: Sequence[Object], image: str) -> list[str]:
    """Return the containers that run an image of the same repository, the surest first."""
    found = [(str(c["name"]), likeness(str(c.get("image") or ""), image)) for c in containers]
    # One that is named like a sidecar comes last, then in the order of the pod: sorting keeps it.
    found = sorted(found, key=lambda each: (-each[1], each[0] in _SIDECARS))
    return [name for name, sure in found if sure]


def _no_such_container(target: TargetPath, names: Sequence[str], pod: Object) -> str:
    """Return that a target names a container which is none, or one that no session can replace."""
    known = ", ".join(names) or "none"
    if target.container in [container.get("name") for container in pod.get("initContainers") or ()]:
        return (
            f"{target.container} is an init container of {_named(target)}; a session replaces one of: {known}"
        )
    return f"{_named(target)} has no container {target.container}: {known}"


def _beside_sidecars(names: Sequence[str]) -> str:
    """Return what to write where all that there is counts as a sidecar."""
    return (
        f" beside sidecars; if one of these is no sidecar, name it: …/container/{names[0]}" if names else ""
    )


def _named(target: TargetPath) -> str:
    return f"{target.kind}/{target.name}"
