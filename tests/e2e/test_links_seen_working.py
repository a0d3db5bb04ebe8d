"""Links are seen working: by previewbot's processes, through a gateway, by marks such as mirrord's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from previewbot_demo import shop
from previewbot_demo.world import Options
from tests.support.worlds import OPEN, Pull, Scene, scene, switched

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def town() -> AsyncIterator[Scene]:
    """A world in which the words say within seconds what is wrong with a link."""
    deadlines = {"image": "10m", "session": "4s"}
    async with scene(Options(build_seconds=0.3, settings={"deadlines": deadlines})) as town:
        yield town


def link(pull: Pull) -> dict[str, Any]:
    found: dict[str, Any] = pull.status.get("link") or {}
    return found


def known(pull: Pull) -> tuple[str, str]:
    """Return what is known of a link: whether it is proven, and why."""
    return link(pull).get("proven", ""), link(pull).get("why", "")


async def test_two_previews_at_once_one_on_the_entry_and_one_behind_it(town: Scene) -> None:
    on_the_entry, behind_it = town.open(service="web"), town.open(service="pricing")
    await on_the_entry.ready()
    text = await behind_it.says(OPEN)

    assert known(on_the_entry) == ("Yes", "ThisPreview")
    # The other's session marks the answers of the entry, and those to this link as staging's: rightly.
    assert known(behind_it) == ("Yes", "PassedOn")
    assert link(on_the_entry)["checkedAt"]
    assert "not checked" not in text


async def test_a_change_behind_the_entry_without_a_check_is_announced_with_what_is_not_known(
    town: Scene,
) -> None:
    pull = town.open(service="catalog")
    await pull.ready()

    assert known(pull) == ("Unknown", "BehindTheEntry")
    assert "whether it is passed on to **catalog** is not checked" in pull.comment


async def test_a_world_that_ignores_the_filter_ends_in_no_and_the_link_comes_once_it_does_not(
    town: Scene,
) -> None:
    router = town.world.router
    with switched(router.sabotage, take_nothing=True):
        pull = town.open(service="web")
        text = await pull.says("runs, but has no link:", "whoever opens it sees staging's own **web**")

        assert known(pull) == ("No", "Staging")
        assert (pull.phase, pull.status["reason"]) == ("Deploying", "LinkShowsStaging")
        assert OPEN not in text
        assert link(pull).get("url", "") == ""
    # Somebody mends it, and tells nobody: a controller that starts anew asks again as one that went on does.
    pull.write("/preview restart")
    await pull.ready()
    assert known(pull) == ("Yes", "ThisPreview")


async def test_a_session_that_takes_everybody_s_requests_is_not_taken_for_another_s(town: Scene) -> None:
    first = town.open(service="web")
    await first.ready()
    with switched(town.world.router.sabotage, ignore_filter=True):
        second = town.open(service="web")
        await second.says("another preview session answers in place of this pull request's **web**")

    assert known(second) == ("No", "AnotherSession")
    assert known(first) == ("Yes", "ThisPreview")


async def test_without_marks_the_link_is_unknown_and_announced_as_ever(town: Scene) -> None:
    with switched(town.world.router.sabotage, unmarked=True):
        pull = town.open(service="web")
        await pull.ready()

    assert known(pull) == ("Unknown", "NoMark")


async def test_an_error_of_staging_s_own_is_told_from_one_of_the_link(town: Scene) -> None:
    # Without prices the front end fails for everybody.
    await town.world.staging.deploy("pricing", changed("pricing", b"/prices"))
    pull = town.open(service="catalog")
    text = await pull.says("runs, but has no link", "answers `502`, and so does staging without")

    assert "This is for whoever looks after staging" in text
    assert known(pull) == ("No", "StagingToo")


async def test_a_change_that_fails_alone_is_told_as_such(town: Scene) -> None:
    name = "services/catalog/app.py"
    pull = town.open(service="catalog", files={name: changed("catalog", b"/products")[name]})
    await pull.says("runs, but has no link", "answers `502`, and staging without this change does not")

    assert known(pull) == ("No", "OnlyTheLink")


def changed(service: str, path: bytes) -> dict[str, bytes]:
    """Return the shop's files with a service that does not answer this path any more."""
    files, name = shop.repository_files(0), f"services/{service}/app.py"
    assert path in files[name]
    return files | {name: files[name].replace(path, b"/gone")}
