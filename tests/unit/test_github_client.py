"""What an installation reads and writes, against a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from yarl import URL

from previewbot import errors
from previewbot.api.ci import Runs, WorkflowRun
from previewbot.api.github import Account
from tests.support import github_ci_samples as ci
from tests.support import github_samples as samples
from tests.support.github_script import in_turn, pages
from tests.support.github_town import Town, github_town

PULL = "/repos/acme/shop/pulls/7"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


async def test_all_pages_are_read_a_hundred_at_a_time(town: Town) -> None:
    rows = [samples.pull_request_row(number) for number in range(1, 6)]
    town.script.on("GET", "/repos/acme/shop/pulls", pages(None, rows[:2], rows[2:4], rows[4:]))

    seen = await town.client.open_pull_requests("acme/shop")

    assert [row.number for row in seen] == [1, 2, 3, 4, 5]
    assert seen[0].head_sha == samples.HEAD
    assert [path.split("?")[1] for path in town.script.paths()] == [
        "state=open&per_page=100",
        "state=open&per_page=100&page=2",
        "state=open&per_page=100&page=3",
    ]


async def test_a_file_is_read_at_a_branch_with_any_name(town: Town) -> None:
    path = "/repos/acme/shop/contents/.github/preview.yaml"
    town.script.on("GET", path, samples.content(b"version: 1\n"))
    refs: list[str] = []

    for ref in ("main", "release/1.0", "fix #3 & more", "50%+ü"):
        seen = await town.client.file("acme/shop", ".github/preview.yaml", ref)
        assert seen is not None and seen.content == b"version: 1\n"
        refs.append(ref)

    assert [_query(asked.path)["ref"] for asked in town.script.asked[1:]] == [
        f"refs/heads/{ref}" for ref in refs
    ]


def _query(path: str) -> dict[str, str]:
    return dict(URL(path, encoded=True).query)


async def test_a_file_that_is_not_there_is_none(town: Town) -> None:
    assert await town.client.file("acme/shop", ".github/preview.yaml", "main") is None


async def test_a_file_that_may_not_be_read_is_an_error_and_not_none(town: Town) -> None:
    town.script.on("GET", "/repos/acme/shop/contents/.github/preview.yaml", *in_turn(403))

    with pytest.raises(errors.Forbidden):
        await town.client.file("acme/shop", ".github/preview.yaml", "main")


CHECKS = f"/repos/acme/shop/commits/{samples.HEAD}/check-runs"
RUNS = "/repos/acme/shop/actions/runs"


async def test_runs_are_read_from_all_pages_of_checks_and_of_workflows(town: Town) -> None:
    green = [ci.check_run(number) for number in range(3)]
    town.script.on("GET", CHECKS, pages("check_runs", green, [ci.check_run(4)]))
    red = ci.workflow_run(2, workflow=41, conclusion="failure", path=".github/workflows/image.yml@main")
    town.script.on("GET", RUNS, pages("workflow_runs", [ci.workflow_run(1)], [red]))

    runs = await town.client.runs("acme/shop", samples.HEAD)

    assert [check.id for check in runs.checks] == [0, 1, 2, 4]
    assert runs.workflows[1] == WorkflowRun(
        id=2,
        workflow_id=41,
        name="build",
        path=".github/workflows/image.yml",
        event="pull_request",
        status="completed",
        conclusion="failure",
        url=red["html_url"],
        started_at=datetime.fromisoformat(samples.EARLIER),
        changed_at=datetime.fromisoformat(samples.LATER),
        suite=3002,
    )
    assert any(f"head_sha={samples.HEAD}" in path for path in town.script.paths())


async def test_a_server_without_actions_tells_checks_alone(town: Town) -> None:
    running = ci.check_run(status="in_progress", conclusion=None, app=ci.app(7, "acme-ci"))
    town.script.on("GET", CHECKS, pages("check_runs", [running]))
    town.script.on("GET", RUNS, *in_turn(404))

    (check,) = (await town.client.runs("acme/shop", samples.HEAD)).checks

    assert (check.status, check.conclusion, check.app, check.app_id) == ("in_progress", "", "acme-ci", 7)


async def test_of_checks_and_workflows_one_is_told_where_the_other_was_not_granted(town: Town) -> None:
    town.script.on("GET", CHECKS, *in_turn(403))
    town.script.on("GET", RUNS, pages("workflow_runs", [ci.workflow_run(1)]))
    without_checks = await town.client.runs("acme/shop", samples.HEAD)
    assert ([run.id for run in without_checks.workflows], without_checks.whole) == ([1], False)

    town.script.on("GET", CHECKS, pages("check_runs", [ci.check_run(3)]))
    town.script.on("GET", RUNS, *in_turn(403))
    without_actions = await town.client.runs("acme/shop", samples.HEAD)
    assert ([check.id for check in without_actions.checks], without_actions.whole) == ([3], False)

    town.script.on("GET", CHECKS, *in_turn(403))
    with pytest.raises(errors.Forbidden):
        await town.client.runs("acme/shop", samples.HEAD)


async def test_of_a_run_is_read_which_workflows_of_its_repository_it_calls(town: Town) -> None:
    called = [{"path": f"{owner}/.github/workflows/docker.yml@v1"} for owner in ("Acme/shop", "acme/flows")]
    run = {**ci.workflow_run(), "referenced_workflows": called}
    town.script.on("GET", CHECKS, pages("check_runs", []))
    town.script.on("GET", RUNS, pages("workflow_runs", [run]))

    (read,) = (await town.client.runs("acme/shop", samples.HEAD)).workflows

    assert read.uses == (".github/workflows/docker.yml",)


async def test_a_commit_that_github_does_not_know_yet_has_no_runs(town: Town) -> None:
    assert await town.client.runs("acme/shop", samples.HEAD) == Runs()


async def test_comments_are_asked_for_since_a_moment_in_utc(town: Town) -> None:
    town.script.on(
        "GET", "/repos/acme/shop/issues/7/comments", pages(None, [samples.comment(body="/preview")])
    )
    moment = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))

    seen = await town.client.comments("acme/shop", 7, moment)

    assert [(comment.body, comment.author) for comment in seen] == [("/preview", Account(1, "octocat"))]
    assert seen[0].created_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert _query(town.script.paths()[0])["since"] == "2026-03-01T10:00:00Z"


async def test_a_comment_that_somebody_deleted_is_not_found_on_update_and_fine_on_delete(
    town: Town,
) -> None:
    with pytest.raises(errors.NotFound):
        await town.client.update_comment("acme/shop", 9, "Hello")

    await town.client.delete_comment("acme/shop", 9)


@pytest.mark.parametrize("login", ["octocat", "devin-ai-integration[bot]", "../../../elsewhere"])
async def test_a_commenters_permission_is_asked_for_in_this_repository_alone(town: Town, login: str) -> None:
    path = f"/repos/acme/shop/collaborators/{login}/permission"
    town.script.on("GET", path, samples.permission("admin"))

    assert await town.client.permission("acme/shop", login) == "admin"

    assert town.script.paths()[0].count("/") == path.removesuffix(login + "/permission").count("/") + 1


async def test_somebody_whom_github_does_not_know_has_no_permission(town: Town) -> None:
    assert await town.client.permission("acme/shop", "stranger") == "none"


async def test_the_app_sees_its_installations_and_their_repositories(town: Town) -> None:
    suspended = samples.installation(34, suspended_at=samples.LATER)
    town.script.on("GET", "/app/installations", pages(None, [samples.installation()], [suspended]))
    listed = [samples.repository(), samples.repository("acme/store", 78)]
    town.script.on("GET", "/installation/repositories", pages("repositories", listed[:1], listed[1:]))

    installations = await town.app.installations()

    assert [(seen.id, seen.suspended) for seen in installations] == [(33, False), (34, True)]
    repositories = await town.app.repositories(town.installation.id)
    assert [(seen.id, seen.full_name) for seen in repositories] == [(77, "acme/shop"), (78, "acme/store")]
    assert await town.app.installation_of("acme/shop") == town.installation.id
    with pytest.raises(errors.NotFound):
        await town.app.installation_of("acme/elsewhere")
