"""What the doctor asks of the API server beyond what the controller does; it changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from previewbot.api import Resource
from previewbot.clients.kubernetes.api_client import ApiRequest
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.resources import collection_path, object_path
from previewbot.errors import NotFound

_REVIEWS = Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews")
_WHOAMI = Resource("authentication.k8s.io", "v1", "selfsubjectreviews")


class ExaminedKube(Kube):
    """The controller's client, and what shows whether it would be let do its work."""

    async def who_am_i(self) -> str:
        """Return the name by which the API server knows us; every account may ask
        (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review)."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = await self._call("who am I", ApiRequest("POST", collection_path(_WHOAMI, None), body=body))
        return str(((answer.get("status") or {}).get("userInfo") or {}).get("username") or "")

    async def may(self, attributes: Mapping[str, Any]) -> bool:
        """Return whether we may do something; every account may ask that of itself."""
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": dict(attributes)},
        }
        answer = await self._call("may I", ApiRequest("POST", collection_path(_REVIEWS, None), body=body))
        return (answer.get("status") or {}).get("allowed") is True

    async def put_probe(self, resource: Resource, namespace: str, manifest: Mapping[str, Any]) -> None:
        """Make the doctor's probe, which it takes away again; raises Conflict if there is one.

        Not fenced: it is the one thing that the doctor makes.
        """
        query = {"fieldValidation": "Strict"}
        path = collection_path(resource, namespace)
        await self._call(f"create {resource.plural}", ApiRequest("POST", path, query, manifest))

    async def take_away_probe(self, resource: Resource, namespace: str, name: str) -> None:
        """Remove the doctor's probe; one that is gone already is fine. Not fenced."""
        path = object_path(resource, namespace, name)
        with suppress(NotFound):
            await self._call(f"delete {resource.plural}", ApiRequest("DELETE", path))

    async def try_to_create(self, resource: Resource, namespace: str, manifest: Mapping[str, Any]) -> None:
        """Ask what would come of creating an object; it is not made.

        Raises the RemoteError that it would come to
        (https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run).
        """
        query = {"dryRun": "All", "fieldValidation": "Strict"}
        path = collection_path(resource, namespace)
        await self._call(f"try {resource.plural}", ApiRequest("POST", path, query, manifest))
