"""A cluster without mirrord's operator, or with one that is away, through real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from previewbot_demo.operator_api import an_operator
from previewbot_demo.world import Options
from tests.support.worlds import PATIENCE_SECONDS, Scene, scene, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Scene]:
    settings = {"listing": {"interval": "2s"}, "deadlines": {"session": "4s"}}
    async with scene(Options(build_seconds=0.2, settings=settings)) as built:
        yield built


async def probes(town: Scene) -> tuple[int, str]:
    """Return what the controller answers at `/readyz`."""
    async with town.http.get(f"http://127.0.0.1:{town.world.bot.controller_port}/readyz") as answer:
        return answer.status, await answer.text()


async def restarted(town: Scene) -> None:
    """Start the controller again: its first look at the operator is believed."""
    await town.world.bot.stop_controller()
    await town.world.bot.start_controller()


async def says(town: Scene, words: str) -> None:
    """Wait until the controller says this at `/readyz`, as somebody who is ready."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while words not in (found := await probes(town))[1]:
            await asyncio.sleep(0.1)
    assert found[0] == 200


async def test_without_an_operator_that_is_said_and_once_it_is_installed_the_preview_starts(
    town: Scene,
) -> None:
    api = town.world.kube.operator_api
    api.state = "missing"
    await restarted(town)
    await says(town, "this cluster has no mirrord operator")
    pull = town.open()
    await pull.says("the cluster has no mirrord operator", "platform team")
    assert pull.sessions == []
    assert not pull.status.get("slot", {}).get("held")

    api.state = "there"
    await pull.ready()
    await says(town, "ok")
    assert len([line for line in town.log("controller") if line["message"] == "no preview can be made"]) == 1


async def test_an_operator_that_goes_away_leaves_what_runs_and_holds_up_what_is_new(town: Scene) -> None:
    runs = town.open(service="pricing")
    await runs.ready()
    api = town.world.kube.operator_api
    api.object = an_operator(license={"name": "Acme", "organization": "acme", "expire_at": "2020-01-01"})
    await restarted(town)
    await says(town, "ended with 2020-01-01")
    new = town.open(service="catalog")
    await new.says("licence of the mirrord operator has expired")
    assert runs.phase == "Ready" and len(runs.sessions) == 1

    api.object = an_operator()
    await new.ready()
    await until("the first one goes on", lambda: runs.phase == "Ready")
