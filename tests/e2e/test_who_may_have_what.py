"""Settings with rules for repositories, through the real processes: who gets what, and what is said of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from previewbot_demo import shop
from previewbot_demo.world import REPOSITORY, Options
from tests.support.worlds import Scene, scene, until

pytestmark = pytest.mark.timeout(120)

RULES = {
    "owners": ["acme"],
    "repositories": [
        {"match": [REPOSITORY], "targets": [f"deployment/{service}" for service in shop.SERVICES]},
        {"match": ["acme/small-*"], "targets": ["deployment/small"], "entries": []},
    ],
}


@pytest.fixture
async def town() -> AsyncIterator[Scene]:
    async with scene(Options(build_seconds=0.3, settings=RULES)) as built:
        yield built


async def test_each_repository_gets_what_its_rule_says_and_others_nothing(town: Scene) -> None:
    small, none = town.repository("acme/small-shop"), town.repository("acme/tools")
    stranger = town.repository("mallory/shop")
    ours, told = town.open(), town.open(small)
    nothing, refused = town.open(none), town.open(stranger)

    await ours.ready()
    words = await told.says("deployment/web")
    assert "the target `deployment/web` is not open to this repository; open are: deployment/small" in words
    assert "this repository may have no `entry`" in words
    assert "That is the platform team's to decide, in previewbot's settings" in words
    assert told.sessions == []
    # Deliveries about the others are answered, and nothing comes of them; nor of the listing.
    for pull in (nothing, refused):
        pull.write("/preview start")
    warned = await until(
        "warnings",
        lambda: [line for line in town.log("web") if line["message"] == "a repository gets nothing"],
    )
    assert {line["level"] for line in warned} == {"warning"}
    answers = await until(
        "both answers",
        lambda: {line["status"] for line in town.log("web") if line["message"] == "delivery"} >= {204, 403},
    )
    assert answers
    await until(
        "the listing's warning of the stranger's installation",
        lambda: [line for line in town.log("controller") if line.get("first") == ["mallory"]],
    )
    assert (nothing.preview, nothing.comments, refused.preview, refused.comments) == (None, [], None, [])
    assert not [line for line in town.log("controller") if "is not set" in line["message"]]


async def test_without_rules_the_controller_warns_at_its_start() -> None:
    async with scene(Options(build_seconds=0.3)) as town:
        await town.open().ready()
        said = [line for line in town.log("controller") if "is not set" in line["message"]]

    assert [line["level"] for line in said] == ["warning", "warning"]
    assert said[0]["message"].startswith("`repositories` is not set: the preview.yaml of every repository")
