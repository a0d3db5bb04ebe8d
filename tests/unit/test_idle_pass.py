"""A pass in which nothing changed costs next to nothing: no copies, one text, no writes."""

from __future__ import annotations

import dataclasses
import sys
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from previewbot.text.render import Renderer, View
from tests.support.passes import BOTH, GITHUB, World, ready


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the copies that are made with a change, by type, wherever `replace` was imported."""
    made: Counter[str] = Counter()
    real = dataclasses.replace

    def counting(obj: Any, /, **changes: Any) -> Any:
        made[type(obj).__name__] += 1
        return real(obj, **changes)

    for module in _modules():
        if getattr(module, "replace", None) is real:
            monkeypatch.setattr(module, "replace", counting)
    return made


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what is rendered."""
    made: Counter[str] = Counter()
    comment, headline = Renderer.comment, Renderer.headline

    def counting_comment(self: Renderer, view: View) -> str:
        made["comment"] += 1
        return comment(self, view)

    def counting_headline(self: Renderer, view: View) -> str:
        made["headline"] += 1
        return headline(self, view)

    monkeypatch.setattr(Renderer, "comment", counting_comment)
    monkeypatch.setattr(Renderer, "headline", counting_headline)
    return made


async def test_an_idle_pass_copies_nothing_of_the_status_and_renders_the_comment_once(
    copies: Counter[str], rendered: Counter[str]
) -> None:
    world = World()
    world.github.paths = BOTH
    await ready(world)
    # The Gateway is looked at once a minute, for all previews together.
    await world.run()
    copies.clear()
    rendered.clear()
    await world.run()

    parts = {"Status", "Service", "Child", "Lifecycle", "Slot", "Link", "Requests", "Observed", "Condition"}
    assert parts & set(copies) == set()
    assert rendered == {"comment": 1}
    assert world.calls.made == ["apply route"]


async def test_a_preview_that_was_asked_much_costs_no_more_looks_and_questions_than_another() -> None:
    quiet, asked = World(), World()
    for world in (quiet, asked):
        world.github.paths = BOTH
        await ready(world)
    for command in ("/preview status", "/preview strat", "/preview stop checkout\n/preview logs"):
        asked.say(command)
        await asked.settle(6)
    asked.review("/preview status")
    asked.review("/preview help", on_lines=True)
    await asked.settle(6)

    assert await made_in_an_hour(asked) == await made_in_an_hour(quiet)


async def made_in_an_hour(world: World) -> Counter[str]:
    """Return what is asked of GitHub in an hour in which nothing happens, each pass when it is due."""
    made: Counter[str] = Counter()
    end = world.clock.now + timedelta(hours=1)
    while world.clock.now < end:
        await world.run()
        made.update(call for call in world.calls.made if call in GITHUB)
        wait = min(world.outcome.requeue_after or 600, 600)
        world.clock.forward(seconds=wait)
    return made


async def test_a_first_pass_is_counted_by_the_same_means(
    copies: Counter[str], rendered: Counter[str]
) -> None:
    await ready()

    assert copies["Status"] > 0
    assert rendered["comment"] > 0
    assert rendered["headline"] > 0


def _modules() -> list[Any]:
    return [module for name, module in sys.modules.items() if name.startswith("previewbot.")]
