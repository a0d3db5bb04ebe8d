"""People are told once that a preview is ready, in the pull request or in the issue, by the processes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from previewbot_demo.tasks import ALICE
from previewbot_demo.world import REPOSITORY, Options
from tests.support.worlds import Pull, Scene, granted, scene, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

IN_THE_ISSUE = ("version: 1\n", "version: 1\nnotify: {where: issue}\n")
HERE = ("version: 1\n", 'version: 1\nnotify: {mention: ["@alice"]}\n')


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Scene]:
    settings = {"listing": {"interval": "2s"}, "limits": {"previews": 50}}
    async with scene(Options(build_seconds=0.3, settings=settings)) as built:
        yield built


def in_issue(town: Scene, number: int) -> list[str]:
    """Return what the App wrote in an issue."""
    return [c.body for c in town.world.github.comments_on_issue(number, REPOSITORY) if c.by_app]


async def pushed_and_ready(pull: Pull) -> None:
    """Wait for the next commit of a pull request to be ready."""
    pull.push({"services/web/AGAIN": pull.head.encode()})
    await pull.ready()


async def test_in_the_pull_request_with_a_name_and_the_link_and_once(town: Scene) -> None:
    town.configure(REPOSITORY, HERE)
    pull = town.open()
    link = await pull.ready()
    await until("the notice", lambda: pull.notices, lambda: pull.status)
    await pushed_and_ready(pull)

    [text] = pull.notices
    assert "@alice **The preview of this pull request is ready.**" in text
    assert link in text
    assert len(pull.comments) == 1


async def test_in_the_issue_that_the_pull_request_closes(town: Scene) -> None:
    town.configure(REPOSITORY, IN_THE_ISSUE)
    issue = town.world.github.open_issue(ALICE, "Dress the basket", "For autumn.", REPOSITORY)
    with granted("issues", "write"):
        pull = town.open(body=f"Closes #{issue}")
        link = await pull.ready()
        await until("the notice", lambda: in_issue(town, issue), lambda: pull.status)
        await pushed_and_ready(pull)

    [text] = in_issue(town, issue)
    assert f"The preview of #{pull.number}, which is to close this issue, is ready." in text
    assert link in text
    assert pull.notices == []


async def test_without_the_right_the_pull_request_is_told_and_why(town: Scene) -> None:
    town.configure(REPOSITORY, IN_THE_ISSUE)
    issue = town.world.github.open_issue(ALICE, "Dress the basket again", "For winter.", REPOSITORY)
    pull = town.open(body=f"Closes #{issue}")
    await pull.ready()
    await until("the notice", lambda: pull.notices, lambda: pull.status)

    [text] = pull.notices
    assert f"It was to be told in #{issue}, where the App may not write" in text
    assert "`issues: write`" in text
    assert in_issue(town, issue) == []
    assert pull.status.get("lastError", "") == ""
