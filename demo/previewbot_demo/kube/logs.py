"""What a container said (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from previewbot_demo.kube import status

_YES = ("true", "True", "1")
_NO_LIMIT = 1 << 30


def answer(
    request: web.Request, pod: Mapping[str, Any], logs: Mapping[tuple[str, str, bool], str]
) -> web.StreamResponse:
    """Return a container's log, the end of it if asked so; one that has none said nothing."""
    name, query = str(pod["metadata"]["name"]), request.query
    container, previous = query.get("container", ""), query.get("previous") in _YES
    names = [each["name"] for each in pod["spec"]["containers"]]
    if not container and len(names) == 1:
        container = names[0]
    if container not in names:
        raise status.bad_request(f"container {container} is not valid for pod {name}")
    if previous and (name, container, False) in logs and (name, container, True) not in logs:
        raise status.bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
    lines = logs.get((name, container, previous), "").splitlines(keepends=True)
    if "tailLines" in query:
        lines = lines[-int(query["tailLines"]) :]
    text = "".join(lines).encode()[: int(query.get("limitBytes", _NO_LIMIT))]
    return web.Response(body=text, content_type="text/plain")
