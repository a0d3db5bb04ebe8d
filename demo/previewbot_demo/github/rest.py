"""The REST API below `/api/v3`: who may call what, and everything that GitHub does around an endpoint."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from itertools import zip_longest
from typing import Any

from aiohttp import web

from previewbot_demo.github.answers import (
    Answer,
    ApiError,
    Call,
    Listing,
    not_found,
    not_granted,
    page,
    response,
)
from previewbot_demo.github.auth import Doorkeeper, Limits, Quota
from previewbot_demo.github.endpoints import Endpoints
from previewbot_demo.github.model import Account, App, Installation, Repository
from previewbot_demo.github.store import Clock, Store
from previewbot_demo.github.users import role_of

PREFIX = "/api/v3"

_VERSION = "2022-11-28"
_REPO = "/repos/{owner}/{repo}"
_BY_ID = re.compile(r"/repositories/(?P<id>\d+)(?P<tail>/.*)?")
_NO_AGENT = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header"


@dataclass(frozen=True)
class Route:
    """An endpoint; its path is written as in GitHub's reference, `/repos/{owner}/{repo}/pulls`.

    `permissions` are those of which one is needed, empty for endpoints of the App itself. It is called with
    an installation's token; `as_app` with the App's own; `as_client` with its client secret; `as_person` with
    somebody's token too, or `only_people` with that alone.
    """

    method: str
    path: str
    answer: Callable[[Call], Answer | Listing]
    permissions: tuple[str, ...] = ()
    as_app: bool = False
    as_client: bool = False
    as_person: bool = False
    only_people: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def takes(self, method: str, path: str) -> dict[str, str] | None:
        """Return what a request's path says for the names in ours; None if it is another endpoint's."""
        found = _pattern(self.path).fullmatch(path) if method == self.method else None
        return None if found is None else found.groupdict()

    @property
    def is_comment(self) -> bool:
        """Whether it is about comments themselves."""
        return "/comments" in self.path and not self.path.endswith("/reactions")


@dataclass
class Sabotage:
    """What a test breaks: with `refuse_comments` the App may write no comment."""

    refuse_comments: bool = False


def routes(e: Endpoints) -> tuple[Route, ...]:
    """Return the routes, with the permissions that GitHub's reference names for each."""
    talk = ("issues:write", "pull_requests:write")
    hear = ("issues:read", "pull_requests:read")
    pull, review = ("pull_requests:read",), ("pull_requests:write",)
    comment = _REPO + "/issues/comments/{comment_id}"
    status = _REPO + "/deployments/{deployment_id}/statuses"
    return (
        Route("GET", "/app", e.authenticated_app, as_app=True),
        Route("GET", "/app/hook/config", e.hook_config, as_app=True),
        Route("GET", "/app/hook/deliveries", e.hook_deliveries, as_app=True),
        Route("GET", "/users/{username}", e.user),
        Route("GET", "/app/installations", e.installations, as_app=True),
        Route("GET", "/app/installations/{installation_id}", e.app_installation, as_app=True),
        Route("POST", "/app/installations/{installation_id}/access_tokens", e.create_token, as_app=True),
        Route("GET", "/user", e.users.authenticated_user, as_person=True, only_people=True),
        Route("GET", _REPO, e.users.repository, ("metadata:read",), as_person=True),
        Route("DELETE", "/applications/{client_id}/token", e.users.delete_token, as_client=True),
        Route("GET", _REPO + "/installation", e.repository_installation, as_app=True),
        Route("GET", "/installation/repositories", e.installation_repositories),
        Route("GET", _REPO + "/pulls", e.pulls, pull),
        Route("GET", _REPO + "/pulls/{pull_number}", e.pull, pull),
        Route("GET", _REPO + "/pulls/{pull_number}/files", e.files, pull),
        Route("GET", _REPO + "/pulls/{pull_number}/commits", e.commits, pull),
        Route("GET", _REPO + "/git/commits/{commit_sha}", e.git_commit, ("contents:read",)),
        Route("GET", _REPO + "/git/trees/{tree_sha}", e.git_tree, ("contents:read",)),
        Route("GET", _REPO + "/git/blobs/{file_sha}", e.git_blob, ("contents:read",)),
        Route("GET", _REPO + "/git/matching-refs/{ref}", e.matching_refs, ("contents:read",)),
        Route("GET", _REPO + "/branches/{branch}", e.branch, ("contents:read",)),
        Route("GET", _REPO + "/rules/branches/{branch}", e.branch_rules, ("metadata:read",)),
        Route("GET", _REPO + "/contents/{path}", e.contents, ("contents:read",)),
        Route("GET", _REPO + "/commits/{ref}/check-runs", e.check_runs, ("checks:read",)),
        Route("POST", _REPO + "/check-runs", e.checks.create, ("checks:write",)),
        Route("PATCH", _REPO + "/check-runs/{check_run_id}", e.checks.update, ("checks:write",)),
        Route("GET", _REPO + "/deployments", e.deployments.listing, ("deployments:read",)),
        Route("POST", _REPO + "/deployments", e.deployments.create, ("deployments:write",)),
        Route("GET", status, e.deployments.statuses, ("deployments:read",)),
        Route("POST", status, e.deployments.create_status, ("deployments:write",)),
        Route("GET", _REPO + "/actions/runs", e.workflow_runs, ("actions:read",)),
        Route("GET", _REPO + "/issues/{issue_number}/comments", e.comments, hear),
        Route("POST", _REPO + "/issues/{issue_number}/comments", e.create_comment, talk, as_person=True),
        Route("GET", _REPO + "/pulls/{pull_number}/reviews", e.reviews, pull),
        Route("GET", _REPO + "/pulls/{pull_number}/comments", e.review_comments, pull),
        Route("POST", _REPO + "/pulls/comments/{comment_id}/reactions", e.create_line_reaction, review),
        Route("GET", _REPO + "/issues/comments", e.repository_comments, hear),
        Route("GET", comment, e.comment, hear),
        Route("PATCH", comment, e.update_comment, talk),
        Route("DELETE", comment, e.delete_comment, talk),
        Route("POST", comment + "/reactions", e.create_reaction, talk),
        Route("GET", _REPO + "/collaborators/{username}/permission", e.permission, ("metadata:read",)),
    )


@cache
def _pattern(path: str) -> re.Pattern[str]:
    """Return what matches a path like `/repos/{owner}/{repo}/contents/{path}`."""
    parts = re.split(r"\{(\w+)\}", path)
    # A branch, or the beginning of its name, may have slashes too.
    whole = path.endswith("/matching-refs/{ref}")
    named = (f"(?P<{name}>{'.+' if whole and name == 'ref' else _shape(name)})" for name in parts[1::2])
    fixed = map(re.escape, parts[::2])
    return re.compile("".join(part for pair in zip_longest(fixed, named, fillvalue="") for part in pair))


def _shape(name: str) -> str:
    if name == "path":
        return ".+"
    is_number = name.endswith(("_id", "_number")) and name != "client_id"
    return r"\d+" if is_number else "[^/]+"


class Rest:
    """Serves the REST API of a GitHub at `api_url`, to an App with these permissions."""

    def __init__(
        self, endpoints: Endpoints, store: Store, doorkeeper: Doorkeeper, clock: Clock, api_url: str, app: App
    ) -> None:
        self.routes = routes(endpoints)
        self._store = store
        self._doorkeeper = doorkeeper
        self._clock = clock
        self._api = api_url
        self._app = app
        self.limits = Limits()
        self.sabotage = Sabotage()

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer a request."""
        headers = {
            "X-GitHub-Request-Id": uuid.uuid4().hex.upper(),
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Api-Version-Selected": _VERSION,
        }
        if not request.headers.get("User-Agent"):
            return web.Response(status=403, text=_NO_AGENT, headers=headers)
        quota = self.limits.quota(self._doorkeeper.identity(request), self._clock().timestamp())
        try:
            answer = await self._answer(request, quota)
        except ApiError as error:
            answer = Answer(error.body, status=error.status)
            headers |= error.headers
        sent = response(request, answer, headers)
        # A conditional request that finds nothing new is free.
        quota.used += sent.status != HTTPStatus.NOT_MODIFIED and quota.used < self.limits.hourly
        sent.headers.update(self.limits.headers(quota))
        return sent

    async def _answer(self, request: web.BaseRequest, quota: Quota) -> Answer:
        if request.headers.get("X-GitHub-Api-Version", _VERSION) != _VERSION:
            raise ApiError(400, "Unsupported API version")
        path = self._path(request)
        route, args = self._route(request.method, path)
        installation, person = self._who(route, request)
        self.limits.refuse(quota)
        repository = self._repository(request.method, path, args, request.rel_url.raw_query_string)
        self._allow(route, installation, person, repository)
        call = Call(
            state=self._store.shown,
            now=self._store.now(),
            repository=repository,
            installation=installation,
            args=args,
            query=dict(request.query),
            body=await _body(request),
            person=person,
        )
        result = route.answer(call)
        return page(result, call.query, self._api + path) if isinstance(result, Listing) else result

    def _path(self, request: web.BaseRequest) -> str:
        """Return the path below the prefix, with a repository's number put into its name."""
        path = request.rel_url.raw_path.removeprefix(PREFIX).rstrip("/")
        found = _BY_ID.fullmatch(path)
        if found is None:
            return path
        repository = self._store.state.repositories.get(int(found["id"]))
        if repository is None:
            raise not_found()
        return f"/repos/{repository.full_name}{found['tail'] or ''}"

    def _route(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        for route in self.routes:
            args = route.takes(method, path)
            if args is not None:
                return route, args
        raise not_found()

    def _who(self, route: Route, request: web.BaseRequest) -> tuple[Installation | None, Account | None]:
        if route.as_app:
            self._doorkeeper.require_app(request)
            return None, None
        if route.as_client:
            self._doorkeeper.users.require_client(request)
            return None, None
        person = self._doorkeeper.users.owner(request)
        if person is None:
            installation = self._doorkeeper.require_installation(request)
            if route.only_people:
                raise not_granted("")
            return installation, None
        if not route.as_person:
            # Of what GitHub lets people do too, the stand-in knows what previewbot asks as them.
            raise not_found()
        return None, person

    def _repository(self, method: str, path: str, args: Mapping[str, str], query: str) -> Repository | None:
        """Return the repository that the path names; one with an older name is answered by a redirect."""
        if "owner" not in args:
            return None
        name = f"{args['owner']}/{args['repo']}"
        state = self._store.state
        found = state.repository(name)
        if found is not None:
            return found
        moved = state.formerly(name)
        if moved is None:
            raise not_found()
        tail = path.removeprefix(f"/repos/{name}") + (f"?{query}" if query else "")
        url = f"{self._api}/repositories/{moved.id}{tail}"
        status = HTTPStatus.MOVED_PERMANENTLY if method == "GET" else HTTPStatus.TEMPORARY_REDIRECT
        raise ApiError(status, status.phrase, headers={"Location": url}, url=url)

    def _allow(
        self,
        route: Route,
        installation: Installation | None,
        person: Account | None,
        repository: Repository | None,
    ) -> None:
        """Raise 404 for a repository that is not covered, 403 for what the App may not do.

        With somebody's token it may do what it may itself and they may too.
        """
        if route.as_app or route.as_client:
            return
        covering = None if repository is None else self._store.state.installation_of(repository)
        if repository is not None and person is None and covering != installation:
            raise not_found()
        if repository is not None and person is not None:
            if role_of(person, repository) == "none":
                raise not_found()
            if covering is None and repository.private:
                raise not_found()
            if covering is None and route.method != "GET":
                raise not_granted("")
        refused = self.sabotage.refuse_comments and route.method in ("POST", "PATCH") and route.is_comment
        allowed = not route.permissions or any(self._has(wanted) for wanted in route.permissions)
        if refused or not allowed:
            accepted = "; ".join(wanted.replace(":", "=") for wanted in route.permissions)
            raise not_granted(accepted)

    def _has(self, wanted: str) -> bool:
        name, _, level = wanted.partition(":")
        return self._app.permissions.get(name) in (level, "write", "admin")


async def _body(request: web.BaseRequest) -> Mapping[str, Any]:
    data = await request.read()
    if not data:
        return {}
    try:
        body = json.loads(data)
    except ValueError as error:
        raise ApiError(400, "Problems parsing JSON") from error
    if not isinstance(body, dict):
        raise ApiError(400, "Body should be a JSON object")
    return body
