"""How registries, and what stands before them, answer otherwise than the specification has it.

Only what is asked of manifests is answered otherwise, with one exception that says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum

from aiohttp import web

Answer = Callable[[], Awaitable[web.StreamResponse]]

RETRY_AFTER = 60
"""Seconds for which a registry that was asked too often wants to be left alone."""

_ENDED = "Your authorization token has expired. Reauthenticate and try again."
_OLD_FORMAT = "application/vnd.docker.distribution.manifest.v1+prettyjws"


class Mood(Enum):
    """What a registry is like."""

    DENIES_HEAD = "says 404 to HEAD whatever it has, as Sonatype's Nexus and some proxies do"
    KNOWS_NO_HEAD = "says 405 to HEAD"
    HEAD_WITHOUT_DIGEST = "answers HEAD without naming the digest"
    LIMITED = "was asked too often, as Docker Hub says"
    HOLDS_BACK = "keeps the image back by a policy, as Harbor does"
    SIGN_IN = "has a sign-in page before it"
    OLD_FORMAT = "has the image in a format of before 2016"
    LOGIN_ENDED = "takes no password that has ended, as Amazon's ECR does"
    HIDES_REPOSITORIES = "knows no repository that it does not show"
    NO_REGISTRY = "is a web server; for everything"


async def in_mood(mood: Mood | None, request: web.Request, answer: Answer) -> web.StreamResponse:
    """Answer a request as a registry in this mood does; `answer` is what it would say otherwise."""
    if mood is Mood.NO_REGISTRY:
        return web.Response(status=404, text="404 page not found")
    if mood is Mood.SIGN_IN and request.path == "/login":
        return web.Response(text="<html>Sign in</html>", content_type="text/html")
    if mood is None or "/manifests/" not in request.path or request.method == "PUT":
        return await answer()
    if request.method == "HEAD" and mood in (Mood.DENIES_HEAD, Mood.KNOWS_NO_HEAD):
        return web.Response(status=404 if mood is Mood.DENIES_HEAD else 405, content_type="application/json")
    if mood is Mood.HEAD_WITHOUT_DIGEST:
        response = await answer()
        if request.method == "HEAD":
            response.headers.popall("Docker-Content-Digest", None)
        return response
    refusal = _refusal(mood, request)
    return refusal if refusal is not None else await answer()


def _refusal(mood: Mood, request: web.Request) -> web.Response | None:
    if mood is Mood.LIMITED:
        return _error(429, "TOOMANYREQUESTS", "too many requests", {"Retry-After": str(RETRY_AFTER)})
    if mood is Mood.HOLDS_BACK:
        return _error(412, "PROJECTPOLICYVIOLATION", "the image cannot be pulled due to configured policy")
    if mood is Mood.SIGN_IN:
        return web.Response(status=302, headers={"Location": "/login"})
    if mood is Mood.OLD_FORMAT:
        old = {"schemaVersion": 1, "fsLayers": [], "history": [], "signatures": []}
        return web.json_response(old, content_type=_OLD_FORMAT)
    if mood is Mood.LOGIN_ENDED:
        if "Authorization" in request.headers:
            return _error(
                403, "DENIED", "Your authorization token has expired. Reauthenticate and try again."
            )
        return _error(401, "UNAUTHORIZED", "no basic auth", {"WWW-Authenticate": 'Basic realm="ECR"'})
    if mood is Mood.HIDES_REPOSITORIES:
        return _error(404, "NAME_UNKNOWN", "repository name not known to registry")
    return None


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    errors = {"errors": [{"code": code, "message": message}]}
    return web.json_response(errors, status=status, headers=headers)
