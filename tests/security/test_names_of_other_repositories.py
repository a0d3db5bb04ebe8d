"""Whoever reads a comment, to learn which other repositories, perhaps private ones, have previews."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from previewbot.api import Preview
from tests.support.passes import World
from tests.support.slots import after, holder

SECRET = "acme/acquisition-of-initech"


def of_a_private_repository(preview: Preview) -> Preview:
    """Return a Preview of a repository whose name nobody is to learn."""
    observed = replace(preview.status.observed, repository=SECRET)
    return replace(
        preview,
        spec=replace(preview.spec, repository=SECRET),
        status=replace(preview.status, observed=observed),
    )


@pytest.mark.parametrize("limits", [{"previews": 2}, {"per_author": 2}, {"per_agent": 2}])
async def test_of_other_repositories_a_comment_tells_a_count_and_neither_names_nor_numbers(
    limits: dict[str, int],
) -> None:
    world = World(limits={"previews": 50, **limits})
    world.clock.now = after(60)
    world.github.branch = "claude/fix"
    world.others = [
        of_a_private_repository(holder("gh-5-777", agent="Claude")),
        holder("gh-812-12", agent="Claude"),
    ]
    await world.settle(4)
    comment, stored = world.comment, str(world.cluster.preview)

    assert "waits for a free slot" in comment
    assert "`#12` and 1 " in comment
    for text in (comment, stored):
        # As a number of its own: a hash may have any digits in it.
        assert not re.search(r"initech|gh-5-|(?<![0-9a-f])777(?![0-9a-f])", text)


async def test_who_holds_a_slot_is_named_without_a_reference_that_github_would_note_there() -> None:
    """GitHub makes none of what stands as code. Else each of those pull requests would have an entry in its
    timeline for every one that waits."""
    world = World(limits={"previews": 1})
    world.clock.now = after(60)
    world.others = [holder("gh-812-12")]
    await world.settle(4)

    without_code = re.sub(r"`[^`]*`", "", world.comment)
    assert "`#12`" in world.comment
    assert not re.search(r"#\d|GH-\d|/pull/\d|/issues/\d", without_code)
