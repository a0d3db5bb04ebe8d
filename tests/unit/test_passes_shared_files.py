"""What all services share starts none by itself; and a configuration that lies elsewhere is told of."""

from __future__ import annotations

import pytest

from previewbot.api import LeftOut, Phase, Reason
from tests.support.passes import CONFIGURATION, B, World

SHARED = CONFIGURATION + 'shared: ["libs/**"]\n'


def a_world(*paths: str) -> World:
    world = World()
    world.github.configuration = SHARED
    world.github.paths = paths
    return world


def services(world: World) -> dict[str, int]:
    return {service.name: service.files for service in world.status.services}


async def test_of_shared_files_alone_the_comment_says_so_and_how_to_start_a_service() -> None:
    world = a_world("libs/money.py", "libs/tax.py")
    await world.settle(6)

    assert (world.status.phase, world.status.reason) == (Phase.NOTHING_TO_PREVIEW, Reason.NO_SERVICE_CHANGED)
    assert not world.cluster.sessions
    assert "only what all services share (2 files), which starts none by itself" in world.comment
    assert "`/preview start checkout`; or name `pricing`." in world.comment


async def test_a_service_that_is_named_starts_with_what_all_share() -> None:
    world = a_world("libs/money.py")
    await world.settle(6)
    number = world.say("/preview start pricing")
    await world.settle(12)

    assert services(world) == {"pricing": 1}
    assert world.status.phase is Phase.READY
    assert world.github.reacted == [(number, "eyes"), (number, "rocket")]
    assert "only what all services share" not in world.comment


async def test_it_goes_on_over_a_push_and_another_may_follow() -> None:
    world = a_world("libs/money.py")
    await world.settle(6)
    world.say("/preview start pricing")
    await world.settle(12)
    world.restart()
    world.push(B)
    await world.settle(12)
    assert services(world) == {"pricing": 1}

    world.say("/preview start checkout")
    await world.settle(12)
    assert services(world) == {"checkout": 1, "pricing": 1}

    world.say("/preview stop pricing")
    await world.settle(12)
    assert services(world) == {"checkout": 1}


async def test_start_without_a_name_starts_none_and_says_which_could() -> None:
    world = a_world("libs/money.py")
    await world.settle(6)
    world.say("/preview start")
    await world.settle(6)

    assert not world.cluster.sessions
    assert "To see `checkout` with it" in world.comment


async def test_what_a_service_changes_of_its_own_brings_the_shared_files_with_it() -> None:
    world = a_world("libs/money.py", "checkout/app.py")
    await world.settle(12)

    assert services(world) == {"checkout": 2}
    number = world.say("/preview start pricing")
    await world.settle(12)

    assert services(world) == {"checkout": 2, "pricing": 1}
    assert world.github.reacted[-1] == (number, "rocket")


async def test_a_service_that_shares_nothing_of_the_change_is_not_started() -> None:
    world = a_world("checkout/app.py")
    await world.settle(12)
    world.say("/preview start pricing")
    await world.settle(6)

    assert services(world) == {"checkout": 1}


@pytest.mark.parametrize("path", [".github/preview.yml", "preview.yaml", "preview.yml"])
async def test_a_file_that_may_have_been_meant_is_told_of(path: str) -> None:
    world = World()
    world.github.configuration_path = path
    await world.settle(6)

    assert world.status.reason is Reason.NO_CONFIGURATION
    assert (
        f"There is `{path}`, which previewbot does not read: whoever maintains the "
        "repository can move it to `.github/preview.yaml`." in world.comment
    )


async def test_it_is_looked_for_once_however_often_the_pull_request_is() -> None:
    world = World()
    world.github.configuration_path = "nowhere"
    await world.settle(3)
    asked = world.calls.made.count("file")
    world.push(B)
    await world.settle(1)

    # Of the four files only the one that is read is asked for again.
    assert world.calls.made.count("file") == asked + 1
    assert world.status.reason is Reason.NO_CONFIGURATION
    assert world.github.own_comments() == []


async def test_nobody_who_asks_for_nothing_costs_a_request_for_it() -> None:
    world = World()
    world.github.configuration_path = "preview.yml"
    world.github.labels = ()
    world.poke()
    await world.run()
    assert world.calls.made.count("file") == 1
    assert world.github.own_comments() == []

    world.say("/preview start")
    await world.settle(4)
    assert any("There is `preview.yml`" in text for text in world.github.own_comments())


async def test_where_it_was_moved_there_is_a_preview() -> None:
    world = World()
    world.github.configuration_path = ".github/preview.yml"
    await world.settle(6)
    world.github.configuration_path = ".github/preview.yaml"
    world.push(B)
    await world.settle(12)

    assert world.status.phase is Phase.READY
    assert "which previewbot does not read" not in world.comment


async def test_of_more_services_named_than_may_be_previewed_the_others_are_told() -> None:
    world = World(limits={"services": 1})
    world.github.configuration, world.github.paths = SHARED, ("libs/money.py",)
    await world.settle(6)
    world.say("/preview start pricing checkout")
    await world.settle(12)

    assert services(world) == {"checkout": 1}
    assert world.status.observed.left_out == LeftOut(1, ("pricing",), 1)
    assert "Not previewed: **pricing**, because the platform team allows 1 service" in world.comment


async def test_a_service_that_runs_is_not_ended_by_naming_another_beyond_the_limit() -> None:
    world = World(limits={"services": 1})
    world.github.configuration, world.github.paths = SHARED, ("libs/money.py",)
    await world.settle(6)
    world.say("/preview start pricing")
    await world.settle(12)
    before = set(world.cluster.sessions)
    world.say("/preview start checkout")
    await world.settle(12)

    assert services(world) == {"pricing": 1}
    assert set(world.cluster.sessions) == before
    assert world.status.observed.left_out == LeftOut(1, ("checkout",), 1)


async def test_what_is_named_after_an_end_has_the_place_of_what_ran_before() -> None:
    world = World(limits={"services": 1})
    world.github.configuration, world.github.paths = SHARED, ("libs/money.py",)
    await world.settle(6)
    world.say("/preview start checkout")
    await world.settle(12)
    world.say("/preview stop")
    await world.settle(12)
    world.say("/preview start pricing")
    await world.settle(12)

    assert services(world) == {"pricing": 1}
    assert world.status.phase is Phase.READY
    assert world.status.observed.left_out is None
    assert world.status.lifecycle.stopped == ()
