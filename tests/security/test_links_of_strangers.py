"""What strangers put behind a link: it is asked for nothing before somebody has approved the very commit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from previewbot.api import Link, LinkKind, Proven, Why
from previewbot.reconciler.plan.link_check import inquiry_of
from previewbot.rules.link_answers import FROM_A_SESSION, Answer
from tests.support.passes import CONFIGURATION, A, B, World

ENTRY = CONFIGURATION.replace("service: web, port: 80", "service: checkout, port: 80")


async def a_fork(commit: str = "") -> World:
    """Return a world with a fork's pull request, with this commit approved."""
    world = World()
    world.github.fork, world.github.configuration = True, ENTRY
    await world.settle(3)
    if commit:
        world.say(f"/preview start {commit}")
        await world.settle(6)
    return world


async def test_a_fork_is_not_asked_before_its_commit_is_approved() -> None:
    world = await a_fork()
    await world.settle(6)
    assert world.links.asked == []

    world.say(f"/preview start {A}")
    await world.settle(6)
    assert world.serving == [A]
    assert len(world.links.asked) == 1


async def test_a_fork_s_next_commit_is_not_asked_with_the_approval_of_the_one_before() -> None:
    world = await a_fork(A)
    asked = len(world.links.asked)
    world.push(B)
    await world.settle(6)

    assert len(world.links.asked) == asked


async def test_whatever_else_is_known_of_a_link_nothing_is_asked_of_a_fork_that_nobody_approved() -> None:
    world = await a_fork(A)
    context = world._reconciler._context
    facts, preview = context.memory.facts[world.cluster.name], world.preview
    shown = replace(preview.status, link=Link(kind=LinkKind.GATEWAY, url="https://x.preview.example.com/"))
    unapproved = replace(shown, lifecycle=replace(shown.lifecycle, approved_sha=B))

    for status, asked in ((shown, True), (unapproved, False)):
        inquiry = inquiry_of(
            replace(preview, status=status), facts, context.limits, status.services, status.children
        )
        assert (inquiry is not None) is asked


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, keys=("p0123456789-shop-43",)),
        Answer(200, agents=(FROM_A_SESSION,), keys=("p0123456789-shop-43",)),
        Answer(200, agents=("passed-through",)),
    ],
)
async def test_a_page_that_names_the_key_proves_nothing_of_who_answered(answer: Answer) -> None:
    world = await a_fork()
    world.links.answer = replace(answer, body=f"mirrord-session={world.preview.spec.environment_key}")
    world.say(f"/preview start {A}")
    await world.settle(6)

    assert world.status.link.proven is Proven.NO
    assert world.status.link.why in (Why.STAGING, Why.ANOTHER_SESSION)
