"""What webhooks alone tell of, through web and controller: commands in reviews, and a merge queue."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from previewbot_demo.github.model import Run
from previewbot_demo.github.repositories import Changes
from previewbot_demo.tasks import ALICE
from previewbot_demo.world import Options
from tests.support.worlds import Pull, Scene, scene, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Scene]:
    # The listing comes once a minute at most: what is seen sooner came by a webhook.
    settings = {"listing": {"interval": "1m"}, "check": "required"}
    async with scene(Options(build_seconds=0.2, settings=settings)) as built:
        yield built


def checks_at(town: Scene, sha: str) -> list[Run]:
    """Return the check runs of a commit that are the App's."""
    github = town.world.github
    return [run for run in github.store.state.checks.values() if (run.sha, run.app) == (sha, github.app.slug)]


def queued(town: Scene, pull: Pull, files: Changes) -> tuple[str, str]:
    """Return the branch and the commit in which a merge queue tries a pull request."""
    github = town.world.github
    branch = f"gh-readonly-queue/main/pr-{pull.number}-{github.find(pull.repository).branches['main']}"
    github.branch_off(branch, pull.repository)
    return branch, github.commit(branch, files, "Merge pull request", ALICE, pull.repository)


def ask_for_checks(town: Scene, event: str, branch: str, sha: str) -> None:
    """Tell of a merge queue's commit as GitHub does: to each App, or to who listens to merge queues."""
    webhooks = town.world.github.webhooks
    known = next(each.payload for each in webhooks.deliveries if each.event == "pull_request")
    about = {name: known[name] for name in ("repository", "sender", "installation")}
    if event == "check_suite":
        app = {"id": town.world.github.app.id}
        suite = {"id": 77, "app": app, "head_branch": branch, "head_sha": sha, "pull_requests": []}
        webhooks.send(event, {**about, "action": "requested", "check_suite": suite})
    else:
        group = {"head_ref": f"refs/heads/{branch}", "head_sha": sha, "base_ref": "refs/heads/main"}
        webhooks.send(event, {**about, "action": "checks_requested", "merge_group": group})


async def test_a_review_and_a_comment_on_lines_are_answered_and_stop_nothing(town: Scene) -> None:
    pull, github = town.open(), town.world.github
    await pull.ready()
    review = github.review(pull.number, ALICE, "Fine.\n\n/preview stop", repository=pull.repository)
    answer = await pull.answered("counts only in the conversation of this pull request")
    assert f"#pullrequestreview-{review}" in answer and "```\n/preview stop\n```" in answer

    line = github.comment_on_line(pull.number, ALICE, "README.md", "/preview help", pull.repository)
    await pull.answered(f"#discussion_r{line}")
    await until("the reaction", lambda: github.line_reactions(line) == ["rocket"])

    # What came to nothing may be corrected, in a review as well.
    github.edit_review(review, "Fine.\n\n/preview extend 1h")
    await pull.answered("The preview now stays open until")

    assert len(pull.answers) == 3
    assert pull.sessions
    pull.close()
    await pull.ended()


@pytest.mark.parametrize("event", ["check_suite", "merge_group"])
async def test_the_very_commit_of_a_merge_queue_gets_the_required_check_skipped(
    town: Scene, event: str
) -> None:
    pull = town.open()
    await pull.ready()
    branch, sha = queued(town, pull, {"services/web/NOTE": event.encode()})
    ask_for_checks(town, event, branch, sha)

    [run] = await until("the check of the queue's commit", lambda: checks_at(town, sha), lambda: pull.status)
    assert (run.name, run.conclusion) == ("preview", "skipped")
    assert run.report is not None and run.report.external_id == pull.name
    # The pull request's own commit has its own, which says how the preview stands.
    await until("the check", lambda: [each.conclusion for each in checks_at(town, pull.head)] == ["success"])
    assert len(checks_at(town, sha)) == 1

    pull.close()
    await pull.ended()
