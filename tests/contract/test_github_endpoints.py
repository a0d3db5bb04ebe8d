"""What stands for GitHub grows only by what production calls: nothing in it is there for a test alone."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from previewbot.clients.github import GitHub, InstallationClient
from previewbot.clients.github.check_runs import CheckRuns
from previewbot.clients.github.deployments import Deployments
from previewbot.clients.github.git_objects import GitObjects
from previewbot_demo.github import graphql
from tests.support.github_calls import make_every_call
from tests.support.github_script import PREFIX, Asked
from tests.support.github_town import Town, github_town
from tests.support.passes import GitHubInMemory

GRAPHQL = "POST /graphql"
"""Where GraphQL is answered; its schema in the stand-in has what is asked and nothing else."""

CALLED_BY_PRODUCTION = {
    "GET /app",
    "GET /app/hook/config",
    "GET /app/hook/deliveries",
    "GET /app/installations",
    "GET /app/installations/{installation_id}",
    "POST /app/installations/{installation_id}/access_tokens",
    "GET /installation/repositories",
    "GET /repos/{owner}/{repo}/actions/runs",
    "GET /repos/{owner}/{repo}/branches/{branch}",
    "POST /repos/{owner}/{repo}/check-runs",
    "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}",
    "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
    "GET /repos/{owner}/{repo}/commits/{ref}/check-runs",
    "GET /repos/{owner}/{repo}/contents/{path}",
    "GET /repos/{owner}/{repo}/deployments",
    "POST /repos/{owner}/{repo}/deployments",
    "GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
    "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
    "GET /repos/{owner}/{repo}/git/commits/{commit_sha}",
    "GET /repos/{owner}/{repo}/git/blobs/{file_sha}",
    "GET /repos/{owner}/{repo}/git/matching-refs/{ref}",
    "GET /repos/{owner}/{repo}/git/trees/{tree_sha}",
    "GET /repos/{owner}/{repo}/installation",
    "GET /repos/{owner}/{repo}/issues/comments/{comment_id}",
    "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}",
    "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
    "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
    "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
    "GET /repos/{owner}/{repo}/pulls",
    "GET /repos/{owner}/{repo}/pulls/{pull_number}",
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/comments",
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/commits",
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/files",
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
    "POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions",
    "GET /repos/{owner}/{repo}/rules/branches/{branch}",
    "GET /users/{username}",
    GRAPHQL,
}
"""What previewbot's client asks of GitHub, in the words of GitHub's reference
(https://docs.github.com/en/rest?apiVersion=2022-11-28)."""

CALLED_AS_PEOPLE = {
    "GET /user",
    "GET /repos/{owner}/{repo}",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
    "DELETE /applications/{client_id}/token",
}
"""What pages ask with somebody's own token, and the one thing about it that the App asks with its client
secret; tests/contract/test_github_people.py makes these calls."""

BESIDES: dict[str, str] = {
    "GET /repos/{owner}/{repo}/issues/comments": "whoever asks which previews a repository has",
}
"""What the stand-in serves although production never calls it, each with the reason: what its own pages or a
test's browser need; the pages are rendered from the stand-in's state."""


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


def endpoint(town: Town, asked: Asked) -> str:
    """Return the stand-in's endpoint that serves a request."""
    path = asked.path.partition("?")[0].removeprefix(PREFIX)
    if path == graphql.PATH:
        return GRAPHQL
    [name] = [str(route) for route in town.github.rest.routes if route.takes(asked.method, path) is not None]
    return name


async def test_what_production_calls_is_what_is_listed_here(town: Town) -> None:
    asked = await make_every_call(town)

    assert {endpoint(town, one) for one in asked} == CALLED_BY_PRODUCTION


async def test_the_stand_in_serves_what_production_calls_and_nothing_else(town: Town) -> None:
    served = {str(route) for route in town.github.rest.routes} | {GRAPHQL}

    assert served == CALLED_BY_PRODUCTION | CALLED_AS_PEOPLE | BESIDES.keys()
    assert not (CALLED_BY_PRODUCTION | CALLED_AS_PEOPLE) & BESIDES.keys()
    assert all(BESIDES.values()), "each with its reason"


async def test_every_call_that_the_client_knows_is_among_those_made_here(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = (GitHub, InstallationClient, GitObjects, CheckRuns, Deployments)
    known = {(kind, name) for kind in kinds for name in calls_of(kind)}
    made: set[tuple[type, str]] = set()
    for kind, name in known:
        monkeypatch.setattr(kind, name, noting(getattr(kind, name), made, (kind, name)))

    await make_every_call(town)

    assert made == known


def test_the_github_in_memory_answers_only_calls_that_the_client_knows() -> None:
    assert calls_of(GitHubInMemory) <= calls_of(GitHub) | calls_of(InstallationClient)


def calls_of(kind: type) -> set[str]:
    """Return the names of the public methods that ask somebody something."""
    found = inspect.getmembers(kind, inspect.iscoroutinefunction)
    return {name for name, _ in found if not name.startswith("_")}


def noting(
    call: Callable[..., Coroutine[Any, Any, Any]], made: set[tuple[type, str]], who: tuple[type, str]
) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return the same call, which also notes that it was made."""

    async def noted(*arguments: Any, **named: Any) -> Any:
        made.add(who)
        return await call(*arguments, **named)

    return noted
