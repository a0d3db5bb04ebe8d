"""The fake GitHub against GitHub's published API description.

The models are generated from https://github.com/github/rest-api-description (package githubkit-schemas), for
the API version that previewbot asks for.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any, Union

import pytest
from githubkit_schemas.v2022_11_28 import models

from previewbot_demo.github.trees import blob_sha
from tests.support.github_town import (
    ALICE,
    FILES,
    REPO,
    Town,
    app_jwt,
    described,
    github_town,
)

_RULES = [name for name in dir(models) if re.fullmatch(r"RepositoryRuleDetailedOneof\d+", name)]
DETAILED_RULE: Any = Union[tuple(getattr(models, name) for name in _RULES)]  # noqa: UP007
"""A rule for a branch, of whichever type."""

LIST_OF: Any = list
README = blob_sha(FILES["README.md"])


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


READS: tuple[tuple[str, Any], ...] = (
    ("/installation/repositories", models.InstallationRepositoriesGetResponse200),
    (f"{REPO}/pulls?state=open", list[models.PullRequestSimple]),
    (f"{REPO}/pulls/1", models.PullRequest),
    (f"{REPO}/pulls/1/files", list[models.DiffEntry]),
    (f"{REPO}/pulls/1/commits", list[models.Commit]),
    (f"{REPO}/contents/src/app.py", models.ContentFile),
    (f"{REPO}/contents/logo.png?ref=main", models.ContentFile),
    (f"{REPO}/contents/src", list[models.ContentDirectoryItems]),
    (f"{REPO}/git/trees/HEAD", models.GitTree),
    (f"{REPO}/git/trees/HEAD?recursive=1", models.GitTree),
    (f"{REPO}/git/blobs/{README}", models.Blob),
    (f"{REPO}/branches/main", models.BranchWithProtection),
    (f"{REPO}/branches/release%2F1", models.BranchWithProtection),
    (f"{REPO}/rules/branches/release%2F1", LIST_OF[DETAILED_RULE]),
    (f"{REPO}/commits/HEAD/check-runs", models.ReposOwnerRepoCommitsRefCheckRunsGetResponse200),
    (f"{REPO}/actions/runs?head_sha=HEAD", models.ReposOwnerRepoActionsRunsGetResponse200),
    (f"{REPO}/issues/1/comments", list[models.IssueComment]),
    (f"{REPO}/pulls/1/reviews", list[models.PullRequestReview]),
    (f"{REPO}/pulls/1/comments?sort=updated&direction=asc", list[models.PullRequestReviewComment]),
    (f"{REPO}/collaborators/alice/permission", models.RepositoryCollaboratorPermission),
    ("/users/alice", models.PublicUser),
    ("/users/previewbot%5Bbot%5D", models.PublicUser),
)


@pytest.mark.parametrize(("path", "model"), READS, ids=[path for path, _ in READS])
@pytest.mark.parametrize("state", ["open", "merged", "fork"])
async def test_every_answer_has_the_published_shape(town: Town, path: str, model: Any, state: str) -> None:
    number = town.pull_request(fork="mallory" if state == "fork" else "")
    head = town.github.pull_request(number).head_sha
    comment = town.github.comment(number, ALICE, "/preview")
    town.github.react(comment, town.github.app.bot, "eyes")
    town.github.review(number, ALICE, "Well done", {"src/app.py": "Why?"}, state="APPROVED")
    town.github.set_check(head, "build", "in_progress")
    town.github.set_workflow_run(head, "build", "completed", "action_required")
    town.github.label(number, "preview")
    town.github.branch_off("release/1")
    town.github.set_ruleset("release/*", "creation", "pull_request", "deletion")
    await town.call("POST", f"{REPO}/issues/1/comments", {"body": "here"})
    if state == "merged":
        town.github.merge(number)

    answer = await town.get(path.replace("HEAD", head))

    assert answer.status == 200
    described(model, answer)


async def test_what_the_app_itself_reads_has_the_published_shape(town: Town) -> None:
    token = app_jwt()

    described(models.Integration, await town.get("/app", token=token))
    described(list[models.Installation], await town.get("/app/installations", token=token))
    town.pull_request()
    await town.github.webhooks.settled()
    described(models.WebhookConfig, await town.get("/app/hook/config", token=token))
    deliveries = await town.get("/app/hook/deliveries", token=token)
    described(list[models.HookDeliveryItem], deliveries)
    assert {one["status_code"] for one in deliveries.json} == {202}
    described(models.Installation, await town.get(f"{REPO}/installation", token=token))
    path = f"/app/installations/{town.installation.id}/access_tokens"
    answer = await town.call("POST", path, {}, token=token)
    described(models.InstallationToken, answer)
    assert answer.status == 201
    assert (await town.get(f"{REPO}/pulls", token=answer.json["token"])).status == 200


async def test_what_is_written_is_answered_in_the_published_shape(town: Town) -> None:
    town.pull_request()

    made = await town.call("POST", f"{REPO}/issues/1/comments", {"body": "one"})
    path = f"{REPO}/issues/comments/{made.json['id']}"
    changed = await town.call("PATCH", path, {"body": "two"})
    first = await town.call("POST", f"{path}/reactions", {"content": "rocket"})
    again = await town.call("POST", f"{path}/reactions", {"content": "rocket"})
    deleted = await town.call("DELETE", path)

    described(models.IssueComment, made)
    described(models.IssueComment, changed)
    described(models.Reaction, first)
    line = town.github.comment_on_line(1, ALICE, "src/app.py", "/preview status")
    path = f"{REPO}/pulls/comments/{line}/reactions"
    on_line, twice = [await town.call("POST", path, {"content": "eyes"}) for _ in range(2)]
    described(models.Reaction, on_line)
    assert (on_line.status, twice.status) == (201, 200)
    assert [a.status for a in (made, changed, first, again, deleted)] == [201, 200, 201, 200, 204]
    assert changed.json["body"] == "two"
    assert (await town.get(f"{REPO}/issues/1/comments")).json == []


async def test_every_event_has_the_published_shape(town: Town) -> None:
    github, number = town.github, town.pull_request(draft=True)
    sha = github.push(number, {"new": b"1\n"}, "More")
    github.set_draft(number, False)
    github.label(number, "preview")
    github.unlabel(number, "preview")
    github.edit(number, title="Shout louder", by=ALICE)
    github.set_check(sha, "build", "in_progress")
    github.set_check(sha, "build", "completed", "success")
    comment = github.comment(number, ALICE, "/preview")
    github.edit_comment(comment, "/preview stop")
    github.delete_comment(comment)
    github.review(number, ALICE, "/preview status", {"src/app.py": "/preview help"})
    github.close(number)
    github.reopen(number)
    github.merge(number, by=ALICE)

    events = await town.events()

    pulls = ["opened", "synchronize", "ready_for_review", "labeled", "unlabeled", "edited"]
    assert {(event, payload["action"]) for event, payload in events} == {
        *(("pull_request", action) for action in (*pulls, "closed", "reopened")),
        *(("issue_comment", action) for action in ("created", "edited", "deleted")),
        ("pull_request_review", "submitted"),
        ("pull_request_review_comment", "created"),
        *(("check_run", action) for action in ("created", "completed")),
    }
    for event, payload in events:
        name = f"Webhook_{event}_{payload['action']}".title().replace("_", "")
        getattr(models, name).model_validate_json(json.dumps(payload), strict=True)
        assert payload["installation"]["id"] == town.installation.id
        assert payload["repository"]["id"] == 812
