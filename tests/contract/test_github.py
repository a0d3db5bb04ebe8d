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
    APP,
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
FAILED_AT = {
    "path": ".github/preview.yaml",
    "start_line": 3,
    "end_line": 3,
    "annotation_level": "failure",
    "message": "`paht` is no key",
}
WAITS = {"status": "in_progress", "external_id": "gh-812-1", "output": {"title": "Waits", "summary": "Wait."}}
FAILED = {
    "conclusion": "failure",
    "output": {"title": "Failed", "summary": "It *failed*.", "text": "Why", "annotations": [FAILED_AT]},
    "actions": [{"label": "Start", "description": "Run it again", "identifier": "start"}],
}
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


async def test_a_check_that_the_app_writes_has_the_published_shape(town: Town) -> None:
    head = town.github.pull_request(town.pull_request()).head_sha

    made = await town.call("POST", f"{REPO}/check-runs", {"name": "preview", "head_sha": head, **WAITS})
    path = f"{REPO}/check-runs/{made.json['id']}"
    ended = await town.call("PATCH", path, FAILED)
    again = await town.call("PATCH", path, {"status": "in_progress", "output": FAILED["output"]})
    shown = await town.get(f"{REPO}/commits/{head}/check-runs?check_name=preview&app_id={APP}&filter=all")

    for answer in (made, ended, again):
        described(models.CheckRun, answer)
    described(models.ReposOwnerRepoCommitsRefCheckRunsGetResponse200, shown)
    assert [answer.status for answer in (made, ended, again)] == [201, 200, 200]
    assert (made.json["status"], made.json["conclusion"]) == ("in_progress", None)
    assert (ended.json["status"], ended.json["conclusion"]) == ("completed", "failure")
    assert (again.json["status"], again.json["conclusion"]) == ("in_progress", None)
    # An update adds its annotations to those that are there.
    assert [answer.json["output"]["annotations_count"] for answer in (made, ended, again)] == [0, 1, 2]
    assert [run["id"] for run in shown.json["check_runs"]] == [made.json["id"]]
    for other in ("check_name=build", "app_id=15368"):
        assert (await town.get(f"{REPO}/commits/{head}/check-runs?{other}")).json["total_count"] == 0


async def test_of_several_checks_of_one_name_the_last_is_listed_unless_all_are_asked_for(town: Town) -> None:
    head = town.github.pull_request(town.pull_request()).head_sha
    body = {"name": "preview", "head_sha": head, "status": "in_progress"}

    ids = [(await town.call("POST", f"{REPO}/check-runs", body)).json["id"] for _ in range(2)]
    last = await town.get(f"{REPO}/commits/{head}/check-runs")
    every = await town.get(f"{REPO}/commits/{head}/check-runs?filter=all")

    assert [run["id"] for run in last.json["check_runs"]] == ids[1:]
    assert sorted(run["id"] for run in every.json["check_runs"]) == ids


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "over"},
        {"status": "completed"},
        {"conclusion": "stale"},
        {"output": {"title": "x" * 256, "summary": "y"}},
        {"output": {"title": "x", "summary": "y" * 65_536}},
        {"output": {"title": "x", "summary": "y", "text": "é" * 32_768}},
        {"output": {"title": "x", "summary": "y", "annotations": [FAILED_AT] * 51}},
        {"output": {"title": "x", "summary": "y", "annotations": [{**FAILED_AT, "start_line": 0}]}},
        {"actions": [{"label": "x" * 21, "description": "y", "identifier": "z"}]},
        {"actions": [{"label": "x", "description": "y", "identifier": "z"}] * 4},
    ],
    ids=str,
)
async def test_a_check_that_github_would_refuse_is_refused(town: Town, wrong: Any) -> None:
    head = town.github.pull_request(town.pull_request()).head_sha

    answer = await town.call("POST", f"{REPO}/check-runs", {"name": "preview", "head_sha": head, **wrong})

    assert answer.status == 422


async def test_checks_of_others_cannot_be_changed(town: Town) -> None:
    head = town.github.pull_request(town.pull_request()).head_sha
    theirs = town.github.set_check(head, "build", "in_progress")

    assert (await town.call("PATCH", f"{REPO}/check-runs/{theirs}", FAILED)).status == 404


async def test_every_event_has_the_published_shape(town: Town) -> None:
    github, number = town.github, town.pull_request(draft=True)
    sha = github.push(number, {"new": b"1\n"}, "More")
    github.set_draft(number, False)
    github.label(number, "preview")
    github.unlabel(number, "preview")
    github.edit(number, title="Shout louder", by=ALICE)
    github.set_check(sha, "build", "in_progress")
    github.set_check(sha, "build", "completed", "success")
    ours = await town.call("POST", f"{REPO}/check-runs", {"name": "preview", "head_sha": sha, **FAILED})
    github.press(ours.json["id"], "start", ALICE)
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
        *(("check_run", action) for action in ("created", "completed", "requested_action")),
    }
    for event, payload in events:
        name = f"Webhook_{event}_{payload['action']}".title().replace("_", "")
        getattr(models, name).model_validate_json(json.dumps(payload), strict=True)
        assert payload["installation"]["id"] == town.installation.id
        assert payload["repository"]["id"] == 812
