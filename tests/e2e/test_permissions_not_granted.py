"""A permission that the App asks for and was not granted costs what hangs on it, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from previewbot_demo.world import Options
from tests.support.worlds import Scene, granted, scene, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Scene]:
    settings = {"listing": {"interval": "2s"}, "limits": {"previews": 50}}
    async with scene(Options(build_seconds=0.3, settings=settings)) as built:
        yield built


@pytest.mark.parametrize("name", ["checks", "deployments", "actions", "issues", "metadata"])
async def test_a_preview_and_its_comment_come_without(town: Scene, name: str) -> None:
    with granted(name, None):
        pull = town.open(branch=f"without-{name}")
        await pull.ready()

    warnings = [line for line in town.log("controller") if "lacking" in line]
    assert [w for w in warnings if any(f"`{name}: " in lacking for lacking in w["lacking"])][1:] == []


async def test_where_nothing_may_be_written_the_preview_runs_all_the_same(town: Scene) -> None:
    with granted("pull_requests", "read"):
        pull = town.open(branch="without-comments")
        await until("a preview", lambda: pull.phase == "Ready", lambda: pull.status)
        assert pull.comments == []
        assert "was not granted" in pull.status["lastError"]


async def test_where_the_configuration_cannot_be_read_it_is_said_which_permission_that_takes(
    town: Scene,
) -> None:
    with granted("contents", None):
        pull = town.open(branch="without-contents")
        seen = "`contents: read`"
        await until("why", lambda: seen in pull.status.get("lastError", ""), lambda: pull.status)

    assert await pull.ready()
