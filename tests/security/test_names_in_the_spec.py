"""A Preview's spec calls its repository what it is not: web's token may write that, and names change.

Which rule counts is asked of the name in GitHub's own answer, whose number is that of the Preview.
"""

from __future__ import annotations

import pytest

from previewbot.api import Reason
from tests.support.passes import A, World, ready

ONLY_SHOP = [{"match": ["acme/shop"]}]
SHOP, SECRET = 812, 900


def called(world: World, repository: str) -> None:
    """Let the Preview's spec name this repository."""
    assert world.cluster.preview is not None
    world.cluster.preview["spec"] |= {"repository": repository}


async def test_a_spec_that_names_a_repository_with_more_gets_what_its_own_has() -> None:
    # The number is that of acme/secret, which no rule is for; the name is that of one which may have all.
    world = World(repositories=ONLY_SHOP)
    world.github.covering = {"acme/shop": SHOP, "acme/secret": SECRET}
    world.cluster.name, world.cluster.preview = f"gh-{SECRET}-42", None
    world.poke()
    called(world, "acme/shop")
    await world.settle()

    assert world.cluster.sessions == {}
    assert world.github.own_comments() == []
    assert world.cluster.preview is None


@pytest.mark.parametrize("written", ["acme/secret", "mallory/shop", "ACME/SHOP"])
async def test_a_spec_with_another_name_loses_nothing_to_whoever_may_write_it(written: str) -> None:
    world = World(repositories=ONLY_SHOP)
    called(world, written)
    if written == "ACME/SHOP":
        world.github.covering = {written: SHOP}
        world.github.installations = {written: 7}
    await world.settle()

    assert set(world.serving) == {A}


async def test_a_repository_that_is_renamed_has_what_its_new_name_has() -> None:
    world = await ready(World(repositories=ONLY_SHOP))
    world.github.covering = {"acme/tools": SHOP}
    world.github.installations = {"acme/tools": 7}
    world.poke()
    await world.settle()

    assert world.cluster.sessions == {}
    assert world.cluster.preview is None
    assert "your platform team's settings do not include this repository (any more)" in world.comment


async def test_a_repository_that_goes_to_another_account_takes_nothing_with_it() -> None:
    world = await ready(World(owners=["Acme"]))
    world.github.covering = {"mallory/shop": SHOP}
    world.github.installations = {"mallory/shop": 8}
    world.poke()
    await world.settle(passes=1)
    assert world.status.reason in (Reason.NOT_INCLUDED, None)

    await world.settle()
    assert world.cluster.sessions == {}
    assert world.cluster.preview is None


async def test_a_name_that_another_repository_took_over_brings_it_nothing() -> None:
    # acme/shop was renamed, and somebody made another acme/shop: what is asked for is told by the number.
    world = await ready(World(repositories=ONLY_SHOP))
    world.github.covering = {"acme/shop": SECRET, "acme/tools": SHOP}
    world.github.installations = {"acme/shop": 7, "acme/tools": 7}
    world.poke()
    await world.settle()

    assert world.cluster.sessions == {}
    assert world.cluster.preview is None
