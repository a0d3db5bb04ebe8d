"""The configuration file of a pull request's own commit is data: whoever pushes it gets words, no more."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from previewbot.api.check_runs import LONGEST_OUTPUT, MOST_ANNOTATIONS
from tests.support.passes import A, World

PATH = ".github/preview.yaml"
ELSEWHERE = b"""
version: 1
services:
  checkout:
    paths: ["**"]
    target: deployment/vault
    namespace: kube-system
    image: evil.example.com/miner:{head_sha}
"""


async def pushed(content: bytes, *, fork: bool = False) -> World:
    world = World(check="on")
    world.github.paths, world.github.fork = ("checkout/app.py", PATH), fork
    world.github.heads_files = {A: {PATH: content}}
    await world.settle()
    return world


async def test_nothing_that_a_head_asks_for_is_done() -> None:
    world = await pushed(ELSEWHERE)

    [session] = world.cluster.sessions.values()
    assert (session["metadata"]["namespace"], world.serving) == ("staging", [A])
    assert "evil.example.com" not in session["spec"]["image"]
    # What the settings do not let it have is told, since it would end previews once it is merged.
    [run] = world.github.checks.of(A)
    assert run.conclusion == "failure"


@pytest.mark.parametrize(
    "content",
    [
        b"a: &a [x]\nb: [*a, *a, *a]\n",
        b"[" * 60_000,
        b"\xff\xfe" * 1_000,
        b"x" * 200_000,
        b"version: 1\nservices: {" + b"a: {}, " * 9_000 + b"}\n",
        b"version: 1\nservices:\n  '@alice <img src=x> [a](javascript:b)': {}\n",
    ],
    ids=["aliases", "depth", "no text", "too large", "thousands of mistakes", "markup"],
)
async def test_a_file_made_to_hurt_is_a_few_words_within_githubs_limits(content: bytes) -> None:
    world = await pushed(content)

    [run] = world.github.checks.of(A)
    for said in run.said:
        assert len(said.annotations) <= MOST_ANNOTATIONS
        assert all(each.line > 0 and len(each.message) < 64_000 for each in said.annotations)
        assert len(said.output.summary) <= LONGEST_OUTPUT
        shown = MarkdownIt("gfm-like", {"linkify": False}).render(said.output.summary)
        assert "<img" not in shown and 'href="javascript' not in shown
        # A mention within a code span notifies nobody.
        assert "@alice" not in re.sub(r"<code>.*?</code>", "", shown, flags=re.DOTALL)
    assert "Open the preview" in world.comment


async def test_of_a_fork_it_is_not_even_read() -> None:
    world = await pushed(ELSEWHERE, fork=True)

    [run] = world.github.checks.of(A)
    assert (run.conclusion, [said.annotations for said in run.said]) == ("neutral", [()])
