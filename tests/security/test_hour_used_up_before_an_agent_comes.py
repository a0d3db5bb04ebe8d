"""People and strangers use up the hour's requests: an agent's new pull request is served nevertheless.

Who could want it: whoever wants that no preview is made for an hour. Half of what is kept for previews that
run and for commands is for agents' pull requests too, which no stranger can open.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from previewbot.api import Phase
from previewbot.api.github import Account
from previewbot.errors import QuotaKept
from previewbot.reconciler import OfAgents
from previewbot_demo.github.model import Account as Person
from tests.support import github_samples as samples
from tests.support.github_script import sends
from tests.support.github_town import ALICE, COPILOT, Town, github_town
from tests.support.passes import CONFIGURATION, World
from tests.support.previews import a_preview
from tests.unit.test_listing_costs import Listing

SHOP = "acme/shop"
PULL = "/repos/acme/shop/pulls/7"
KEPT = QuotaKept("GET", status=429, message="kept", after=1_800.0)
FILES = {"src/app.py": b"one\n", ".github/preview.yaml": CONFIGURATION.encode()}


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town(FILES) as built:
        yield built


async def left(town: Town, remaining: int) -> None:
    """Let GitHub say how many requests are left of 5,000 for half an hour."""
    reset = str(int(town.our_clock().timestamp()) + 1_800)
    said = {"x_ratelimit_limit": "5000", "x_ratelimit_remaining": str(remaining), "x_ratelimit_reset": reset}
    town.script.on("GET", PULL, sends(samples.pull_request(), 200, **said))
    await town.client.pull_request(SHOP, 7)


async def test_half_of_what_is_kept_is_for_agents_too(town: Town) -> None:
    await left(town, 999)
    with pytest.raises(QuotaKept):
        await town.client.sparing().pull_request(SHOP, 7)
    assert (await town.client.for_agents().pull_request(SHOP, 7)).number == 7

    await left(town, 499)
    with pytest.raises(QuotaKept):
        await town.client.for_agents().pull_request(SHOP, 7)
    assert (await town.client.pull_request(SHOP, 7)).number == 7


async def test_an_agents_pull_request_that_the_listing_recognised_gets_its_preview() -> None:
    world = World()
    world.github.kept, world.github.author = KEPT, Account(198982749, "Copilot", "Bot")
    world.poke()
    assert (await world.run()).error is KEPT

    world._reconciler.of_agents.note("gh-812-42")
    await world.settle()
    assert world.status.phase is Phase.READY


async def test_a_strangers_pull_request_waits() -> None:
    world = World()
    world.github.kept, world.github.author = KEPT, Account(666, "mallory")
    world._reconciler.of_agents.note("gh-812-43")
    world.poke()

    assert (await world.run()).error is KEPT


@pytest.mark.parametrize(
    ("author", "branch", "fork", "served"),
    [
        (COPILOT, "copilot/fix", "", True),
        (ALICE, "copilot/fix", "", True),
        (ALICE, "fix/it", "", False),
        (Person(666, "mallory"), "copilot/fix", "mallory", False),
    ],
    ids=["an agent's", "an agent's branch", "a person's", "a fork with an agent's branch"],
)
@pytest.mark.parametrize("told", [True, False], ids=["its webhook came", "its webhook was lost"])
async def test_what_an_agent_opens_is_known_by_graphql_whose_hour_is_another(
    town: Town, author: Person, branch: str, fork: str, served: bool, told: bool
) -> None:
    listing = Listing(town)
    await listing.run()
    values: Any = {"title": "Fix", "changes": {"src/app.py": b"2\n"}, "fork": fork}
    number = town.github.open_pull_request(SHOP, author, branch, **values)
    if told:
        listing.previews = [a_preview(name=f"gh-812-{number}")]
    await left(town, 900)
    cost = await listing.run()

    assert cost["pokes"] == served
    assert (f"gh-812-{number}" in listing.of_agents) is served
    assert cost["requests"] == 1


def test_what_is_remembered_of_agents_is_bounded() -> None:
    seen = OfAgents()
    for number in range(12_000):
        seen.note(f"gh-812-{number}")

    assert "gh-812-0" not in seen
    assert "gh-812-11999" in seen
