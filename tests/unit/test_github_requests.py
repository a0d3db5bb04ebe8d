"""What the adapter asks of GitHub: of the published shape, and with the manifest's rights."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from githubkit_schemas.v2022_11_28 import models as published
from pydantic import BaseModel, ValidationError

from previewbot.rules import app_rights
from previewbot.webhook.events import Ignored, parse_event
from tests.support.github_calls import make_every_call
from tests.support.github_script import Asked
from tests.support.github_town import APP, github_town

MANIFEST = Path(__file__).parents[2] / "app.yml"


class Question(BaseModel):
    """A question of GraphQL's (https://graphql.org/learn/serving-over-http/#post-request-and-body)."""

    query: str
    variables: dict[str, Any]


BODIES: dict[tuple[str, str], type[BaseModel] | tuple[type[BaseModel], ...]] = {
    (
        "POST",
        "/app/installations/N/access_tokens",
    ): published.AppInstallationsInstallationIdAccessTokensPostBody,
    ("POST", "/repos/acme/shop/issues/N/comments"): published.ReposOwnerRepoIssuesIssueNumberCommentsPostBody,
    ("PATCH", "/repos/acme/shop/issues/comments/N"): published.ReposOwnerRepoIssuesCommentsCommentIdPatchBody,
    (
        "POST",
        "/repos/acme/shop/issues/comments/N/reactions",
    ): published.ReposOwnerRepoIssuesCommentsCommentIdReactionsPostBody,
    (
        "POST",
        "/repos/acme/shop/pulls/comments/N/reactions",
    ): published.ReposOwnerRepoPullsCommentsCommentIdReactionsPostBody,
    ("POST", "/repos/acme/shop/check-runs"): (
        published.ReposOwnerRepoCheckRunsPostBodyOneof0,
        published.ReposOwnerRepoCheckRunsPostBodyOneof1,
    ),
    ("PATCH", "/repos/acme/shop/check-runs/N"): (
        published.ReposOwnerRepoCheckRunsCheckRunIdPatchBodyAnyof0,
        published.ReposOwnerRepoCheckRunsCheckRunIdPatchBodyAnyof1,
    ),
    ("POST", "/repos/acme/shop/deployments"): published.ReposOwnerRepoDeploymentsPostBody,
    (
        "POST",
        "/repos/acme/shop/deployments/N/statuses",
    ): published.ReposOwnerRepoDeploymentsDeploymentIdStatusesPostBody,
    ("POST", "/api/graphql"): Question,
}

# https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps; comments and reactions
# on a pull request go by "Pull requests" (https://github.com/github/docs/issues/43843).
RIGHTS: list[tuple[str, str, str]] = [
    (r"GET /repos/acme/shop/pulls(/.*)?", "pull_requests", "read"),
    (r"GET /repos/acme/shop/issues/(N/comments|comments/N)", "pull_requests", "read"),
    (r"(POST|PATCH|DELETE) /repos/acme/shop/issues/.*", "pull_requests", "write"),
    (r"POST /repos/acme/shop/pulls/comments/N/reactions", "pull_requests", "write"),
    (r"POST /api/graphql", "pull_requests", "read"),
    (r"GET /repos/acme/shop/contents/.*", "contents", "read"),
    (r"GET /repos/acme/shop/git/commits/\w+", "contents", "read"),
    (r"GET /repos/acme/shop/git/(trees|blobs)/\w+", "contents", "read"),
    (r"GET /repos/acme/shop/git/matching-refs/heads/gh-readonly-queue/main/pr-\d+-", "contents", "read"),
    (r"GET /repos/acme/shop/branches/main", "contents", "read"),
    (r"GET /repos/acme/shop/rules/branches/release%2F1", "metadata", "read"),
    (r"GET /repos/acme/shop/commits/\w+/check-runs", "checks", "read"),
    (r"(POST|PATCH) /repos/acme/shop/check-runs(/N)?", "checks", "write"),
    (r"GET /repos/acme/shop/deployments(/N/statuses)?", "deployments", "read"),
    (r"POST /repos/acme/shop/deployments(/N/statuses)?", "deployments", "write"),
    (r"GET /repos/acme/shop/actions/runs", "actions", "read"),
    (r"GET /repos/acme/shop/collaborators/alice/permission", "metadata", "read"),
    (r"GET /installation/repositories", "metadata", "read"),
]
OF_THE_APP = (
    r"(GET /app(/installations(/N)?|/hook/config|/hook/deliveries)?"
    r"|POST /app/installations/N/access_tokens|GET /repos/acme/shop/installation)"
)
PUBLIC = r"GET /users/.+"
"""What anybody may ask, without a right."""

# https://docs.github.com/en/webhooks/webhook-events-and-payloads: what must be granted to subscribe.
EVENT_RIGHTS = {
    "pull_request": "pull_requests",
    "issue_comment": "issues",
    "pull_request_review": "pull_requests",
    "pull_request_review_comment": "pull_requests",
    "repository": "metadata",
    "check_run": "checks",
    "check_suite": "checks",
    "workflow_run": "actions",
}


@pytest.fixture
async def asked() -> AsyncIterator[list[Asked]]:
    """Give every request that the adapter can make."""
    async with github_town() as town:
        yield await make_every_call(town)


def _template(asked: Asked) -> str:
    path = asked.path.split("?")[0].removeprefix("/api/v3")
    return re.sub(r"(?<=/)\d+(?=/|$)", "N", path)


def _manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load(MANIFEST.read_text())
    return manifest


async def test_every_body_is_of_githubs_published_shape_with_nothing_added(asked: list[Asked]) -> None:
    bodies = {(one.method, _template(one), str(one.data)): one for one in asked if one.data is not None}

    assert {key[:2] for key in bodies} == set(BODIES)
    for (method, path, _), one in bodies.items():
        shapes = BODIES[method, path]
        # Some bodies are of one of several shapes.
        fitting = [each for each in (shapes if isinstance(shapes, tuple) else (shapes,)) if _fits(each, one)]
        assert fitting, one
        assert any(set(one.data) <= set(each.model_fields) for each in fitting)


async def test_the_manifest_asks_for_exactly_the_permissions_that_are_used(asked: list[Asked]) -> None:
    needed: dict[str, set[str]] = {}
    for one in asked:
        request = f"{one.method} {_template(one)}"
        if re.fullmatch(f"{OF_THE_APP}|{PUBLIC}", request):
            continue
        found = [(right, level) for pattern, right, level in RIGHTS if re.fullmatch(pattern, request)]
        assert len(found) == 1, request
        needed.setdefault(found[0][0], set()).add(found[0][1])
    for right in EVENT_RIGHTS.values():
        needed.setdefault(right, set()).add("read")

    assert _manifest()["default_permissions"] == {right: max(levels) for right, levels in needed.items()}


def test_the_table_of_what_the_app_needs_is_the_manifest() -> None:
    manifest = _manifest()

    assert {name: need.level for name, need in app_rights.PERMISSIONS.items()} == manifest[
        "default_permissions"
    ]
    assert [*app_rights.EVENTS] == manifest["default_events"]


def test_every_permission_of_the_manifest_is_one_that_github_knows() -> None:
    permissions = _manifest()["default_permissions"]

    assert set(permissions) <= set(published.AppPermissions.model_fields)
    published.AppPermissions.model_validate(permissions)


def test_the_manifest_subscribes_to_exactly_the_events_that_are_understood() -> None:
    events = _manifest()["default_events"]

    assert sorted(events) == sorted(EVENT_RIGHTS)
    for event in events:
        assert not _concerns_no_pull_request(event), event
    assert _concerns_no_pull_request("push")


def test_every_permission_and_event_of_the_manifest_has_its_reason_above_it() -> None:
    lines = MANIFEST.read_text().splitlines()
    manifest = _manifest()

    for entry in (*manifest["default_permissions"], *manifest["default_events"]):
        place = next(n for n, line in enumerate(lines) if re.fullmatch(rf"  (- )?{entry}(: \w+)?", line))
        assert lines[place - 1].lstrip().startswith("# "), entry


def _fits(shape: type[BaseModel], one: Asked) -> bool:
    try:
        shape.model_validate(one.data)
    except ValidationError:
        return False
    return True


def _concerns_no_pull_request(event: str) -> bool:
    try:
        seen = parse_event(event, {}, app_id=APP)
    except ValueError:
        return False
    return isinstance(seen, Ignored) and "concerns no pull request" in seen.reason
