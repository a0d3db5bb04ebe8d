"""What an account may ask about itself: who it is, and what it may do. Here everybody may do everything.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus

from aiohttp import web

from previewbot_demo.kube import status

_WHO = "selfsubjectreviews"
REVIEWS = frozenset({"selfsubjectaccessreviews", _WHO})
"""What these are called in an address."""

USERNAME = "previewbot-demo"
"""As whom the fake API server knows whoever asks."""


VERBS = {"GET": "list", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
"""What roles call a request's method."""


async def answer(request: web.Request, closed: Collection[str] = ()) -> web.StreamResponse:
    """Answer a review; in the `closed` namespaces nothing is allowed."""
    body = await request.json()
    if not isinstance(body, dict):
        raise status.bad_request("the review is no object")
    if request.path.endswith(_WHO):
        found: dict[str, object] = {"userInfo": {"username": USERNAME, "groups": ["system:authenticated"]}}
    else:
        wanted = (body.get("spec") or {}).get("resourceAttributes") or {}
        found = {"allowed": wanted.get("namespace") not in closed}
    return web.json_response(body | {"metadata": {}, "status": found}, status=HTTPStatus.CREATED)
