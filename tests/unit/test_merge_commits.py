"""An image may be named by a test merge, but only by one of this very head."""

from __future__ import annotations

from typing import Any, cast

import pytest

from previewbot.api import Observed
from previewbot.api.github import PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.config.repository import RepositoryConfig, ServiceConfig, TargetPath
from previewbot.errors import Invalid, NotFound, RemoteError
from previewbot.reconciler.gather.github import _merge_sha
from tests.support.observations import a_pull_request

MERGE, BASE = "m" * 40, "b" * 40


class Commits:
    """A GitHub that knows the parents of the test merge, or does not."""

    def __init__(self, answer: tuple[str, ...] | RemoteError) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def parents(self, repository: str, sha: str) -> tuple[str, ...]:
        self.asked.append(sha)
        if isinstance(self.answer, RemoteError):
            raise self.answer
        return self.answer


async def found(
    commits: Commits,
    *,
    image: str = "ghcr.io/acme/web:{merge_sha}",
    observed: Observed | None = None,
    pull_request: PullRequest | None = None,
    changed: str = "web",
) -> str:
    service = ServiceConfig(
        name="web",
        paths=("web/**",),
        target=TargetPath("deployment", "web"),
        namespace="staging",
        image=image,
        ports=(8080,),
    )
    config = RepositoryConfig(version=1, services=(service,))
    client: Any = cast(InstallationClient, commits)
    pull_request = pull_request or a_pull_request()
    return await _merge_sha(client, observed or Observed(), pull_request, config, {changed: 1})


HEAD_SHA = a_pull_request().head.sha


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((BASE, HEAD_SHA), MERGE),
        ((BASE, "0" * 40), ""),  # that of the commit before: GitHub shows it for a while after a push
        ((HEAD_SHA,), ""),
        ((), ""),
        (NotFound("commit", status=404), ""),
        (Invalid("commit", status=422), ""),
    ],
)
async def test_a_test_merge_counts_if_its_second_parent_is_the_head(
    answer: tuple[str, ...] | RemoteError, expected: str
) -> None:
    assert await found(Commits(answer)) == expected


@pytest.mark.parametrize(
    ("image", "asks"),
    [
        ("ghcr.io/acme/web:{merge_sha}", True),
        ("ghcr.io/acme/web:pr-{number}", True),
        ("ghcr.io/acme/web:{head_sha}", False),
        ("ghcr.io/acme/web:{short_sha}", False),
    ],
)
async def test_github_is_asked_only_where_an_image_can_be_of_a_merge(image: str, asks: bool) -> None:
    commits = Commits((BASE, HEAD_SHA))

    assert await found(commits, image=image) == (MERGE if asks else "")

    assert commits.asked == ([MERGE] if asks else [])
    assert await found(commits, changed="another") == ""


async def test_what_is_known_is_not_asked_again() -> None:
    commits = Commits((BASE, HEAD_SHA))

    assert await found(commits, observed=Observed(head_sha=HEAD_SHA, merge_shas=(MERGE,))) == MERGE

    assert commits.asked == []


async def test_under_a_conflict_there_is_no_test_merge() -> None:
    assert await found(Commits((BASE, HEAD_SHA)), pull_request=a_pull_request(mergeable=False)) == ""
