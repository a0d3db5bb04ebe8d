"""A preview that sleeps and wakes, by previewbot's processes: whoever opens its link gets the preview."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from previewbot_demo.world import Options
from tests.support.worlds import OPEN, Pull, Scene, scene, switched, until

pytestmark = pytest.mark.timeout(240)

ASLEEP = "(asleep: opens in about a minute)"


@pytest.fixture
async def town() -> AsyncIterator[Scene]:
    """A world with public pages."""
    async with scene(Options(build_seconds=0.3, settings={"pages": "public"})) as town:
        yield town


async def asleep(town: Scene, service: str = "web") -> Pull:
    """Return a pull request whose preview was ready, and sleeps: as after half an hour, in seconds."""
    pull = town.open(service=service)
    await pull.ready()
    town.world.operator.switches.sleeps_sooner = timedelta(seconds=2)
    await pull.says(ASLEEP)
    return pull


def session(pull: Pull) -> dict[str, Any]:
    """Return the session of a pull request with one service."""
    (found,) = pull.sessions
    return found


async def test_it_sleeps_by_itself_and_whoever_opens_its_link_waits_for_it(town: Scene) -> None:
    pull = await asleep(town)
    assert OPEN in pull.comment
    assert session(pull)["spec"]["idle"] == {"startIdle": False, "sleepAfterSecs": 1800}
    assert (pull.phase, pull.status["reason"]) == ("Idle", "Asleep")

    page = await town.browse(pull.status["link"]["url"])

    assert page.status == 200
    assert pull.status["link"]["proven"] == "Yes"


async def test_while_it_wakes_its_page_waits_and_nobody_is_led_elsewhere(town: Scene) -> None:
    pull = await asleep(town)
    link, comment = pull.status["link"]["url"], pull.comment
    with switched(town.world.operator.switches, never_wakes=True):
        opened = asyncio.create_task(town.browse(link))
        await until("its waking", lambda: pull.status["reason"] == "Waking")
        page = await town.browse(f"{town.world.bot.url}/p/{pull.name.removeprefix('gh-').replace('-', '/')}")
        assert "wakes up" in page.text
        # The comment has no news for its readers, and the link stays where it leads.
        assert pull.comment == comment
        assert pull.status["link"]["url"] == link
        assert not opened.done()
    assert (await opened).status == 200


async def test_nothing_of_ours_wakes_it(town: Scene) -> None:
    pull = await asleep(town, "pricing")
    slept = session(pull)["status"]["idleSince"]
    # A look at all of it: a command, a webhook, and a controller that starts anew.
    await pull.reacted(pull.write("/preview status"), "rocket")
    await town.world.bot.stop_controller()
    await town.world.bot.start_controller()
    await pull.reacted(pull.write("/preview status"), "rocket")

    assert session(pull)["status"] | {"phase": "Idle", "idleSince": slept} == session(pull)["status"]
