"""What the stand-in for mirrord's operator reads of a target: the environment of its container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from previewbot_demo.kubeapi import ApiError, KubeApi


class TargetMissing(Exception):
    """There is no such target; the text says which."""


async def environment_of(api: KubeApi, namespace: str, target: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables of a target's container, of the first where none is named.

    Raises TargetMissing. Only Deployments are known here, with values that stand in the pod template itself.
    """
    name, wanted = target.get("name", ""), target.get("container", "")
    if target.get("kind") != "Deployment":
        raise TargetMissing(f"this stand-in runs Deployments only, not {target.get('kind')} {name}")
    try:
        deployment = await api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    except ApiError as error:
        why = "not found" if error.status == 404 else str(error)
        raise TargetMissing(f"target Deployment {namespace}/{name}: {why}") from error
    containers = deployment["spec"]["template"]["spec"]["containers"]
    container = next((each for each in containers if wanted in (each["name"], "")), None)
    if container is None:
        raise TargetMissing(f"target Deployment {namespace}/{name} has no container {wanted}")
    return {variable["name"]: variable.get("value", "") for variable in container.get("env") or []}
