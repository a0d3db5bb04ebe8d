"""The aggregated API of mirrord's operator, as far as previewbot asks it: the operator's object about itself.

Fields and their names are those of mirrord's client 3.250. In a real cluster the API server passes such
requests on to the operator; here whoever stands for the API server asks `answer` first
(https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/).
"""

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web

GROUP_VERSION = "operator.metalbear.co/v1"
ROOT = f"/apis/{GROUP_VERSION}"
OBJECT = f"{ROOT}/mirrordoperators/operator"

State = Literal["there", "missing", "unavailable"]


def an_operator(**spec: Any) -> dict[str, Any]:
    """Return the object of an operator that is in order, with these fields of its spec."""
    return {
        "apiVersion": GROUP_VERSION,
        "kind": "MirrordOperator",
        "metadata": {"name": "operator"},
        "spec": {
            "operator_version": "3.196.0",
            "default_namespace": "default",
            "supported_features": [
                *("ProxyApi", "CopyTarget", "PreviewEnv"),
                *("UnifiedBranchDbCrd", "PgBranching", "SqsQueueSplitting"),
            ],
            "license": {"name": "a stand-in", "organization": "acme", "expire_at": "2099-12-31"},
            "protocol_version": "1.29.0",
            "operator_namespace": None,
        }
        | spec,
        "status": {"sessions": []},
    }


class OperatorApi:
    """What the operator tells of itself; `state` is whether the API server knows it, and reaches it."""

    def __init__(self) -> None:
        self.state: State = "there"
        self.object = an_operator()

    def answer(self, request: web.Request) -> web.StreamResponse | None:
        """Answer a request that is for this API; None for any other."""
        if request.path != ROOT and not request.path.startswith(f"{ROOT}/"):
            return None
        if self.state == "unavailable":
            return _status(503, "ServiceUnavailable", "the server is currently unable to handle the request")
        if self.state == "missing" or request.path not in (ROOT, OBJECT):
            return web.Response(status=404, text="404 page not found\n")
        if request.method != "GET":
            return _status(405, "MethodNotAllowed", "the server does not allow this method")
        return web.json_response(self.object if request.path == OBJECT else _discovery())


def _discovery() -> dict[str, Any]:
    resource = {
        "name": "mirrordoperators",
        "singularName": "mirrordoperator",
        "namespaced": False,
        "kind": "MirrordOperator",
        "verbs": ["get", "list"],
    }
    kind = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP_VERSION}
    return {**kind, "resources": [resource]}


def _status(code: int, reason: str, message: str) -> web.Response:
    kind = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return web.json_response({**kind, "message": message, "reason": reason, "code": code}, status=code)
