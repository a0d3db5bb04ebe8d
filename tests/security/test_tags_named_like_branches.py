"""Whoever may push, but not merge, makes a tag with the name of the branch whose `preview.yaml` counts.

A bare name stands for a tag as well as for a branch, and git takes the tag first
(https://git-scm.com/docs/gitrevisions). Rules for branches say nothing of tags.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from previewbot.config.repository import PATH
from tests.support.github_town import ALICE, BOB, Town, github_town

OURS, THEIRS = b"version: 1\n", b"version: 1 # with a target of theirs\n"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        built.github.commit("main", {PATH: OURS}, "Have previews", ALICE)
        yield built


@pytest.mark.parametrize("branch", ["main", "release/1"])
async def test_a_tag_with_the_name_of_a_branch_brings_no_configuration(town: Town, branch: str) -> None:
    if branch != "main":
        town.github.branch_off(branch)
    town.github.branch_off("innocent")
    town.github.tag(branch, town.github.commit("innocent", {PATH: THEIRS}, "Mine", BOB))

    found = await town.client.file("acme/shop", PATH, branch)

    assert found is not None
    assert found.content == OURS


async def test_a_bare_name_is_the_tags(town: Town) -> None:
    """As at GitHub's own git: what the test above guards against is there."""
    town.github.branch_off("innocent")
    town.github.tag("main", town.github.commit("innocent", {PATH: THEIRS}, "Mine", BOB))

    bare = await town.get(f"/repos/acme/shop/contents/{PATH}?ref=main")
    whole = await town.get(f"/repos/acme/shop/contents/{PATH}?ref=refs/heads/main")

    assert bare.json["sha"] != whole.json["sha"]


async def test_a_tag_alone_is_no_branch(town: Town) -> None:
    town.github.tag("gone", town.github.find().branches["main"])

    assert await town.client.file("acme/shop", PATH, "gone") is None
