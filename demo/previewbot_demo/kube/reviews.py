"""What an account may ask about itself: who it is, and what it may do. Here everybody may do everything.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from previewbot_demo.kube import status

_WHO = "selfsubjectreviews"
REVIEWS = frozenset({"selfsubjectaccessreviews", _WHO})
"""What these are called in an address."""

USERNAME = "previewbot-demo"
"""As whom the fake API server knows whoever asks."""


async def answer(request: web.Request) -> web.StreamResponse:
    """Answer a review."""
    body = await request.json()
    if not isinstance(body, dict):
        raise status.bad_request("the review is no object")
    if request.path.endswith(_WHO):
        found: dict[str, object] = {"userInfo": {"username": USERNAME, "groups": ["system:authenticated"]}}
    else:
        found = {"allowed": True}
    return web.json_response(body | {"metadata": {}, "status": found}, status=HTTPStatus.CREATED)
