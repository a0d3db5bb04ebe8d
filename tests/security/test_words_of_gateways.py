"""Attack: to have a Gateway's words about a route say more than words, or be read by those they are not for.

Who could want it: whoever can have their text in a condition's message (the name of an object that a
controller quotes) and wants a link, a mention or markup in previewbot's comment; and whoever reads the page,
which needs no login, to learn names of the cluster.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from previewbot.api import Reason
from previewbot.config.server import parse
from previewbot.engine.view import view_of
from previewbot.text.render import Renderer
from tests.support.comment_parts import for_people
from tests.support.gateways import ACCEPTED
from tests.support.passes import SETTINGS, World
from tests.support.states import STATES

NASTY = (
    "Service `web`</details> @alice [Open the preview](https://evil.example.com) <img src=x>\n\n# Approved\n"
    "with https://robot:hunter22hunter22@registry.example.com and token=ghp_0123456789abcdefghijABCDEFGHIJ"
)


async def test_words_of_a_gateway_are_one_code_span_of_the_comment_without_secrets() -> None:
    world = World()
    world.cluster.gateway.says = (ACCEPTED, ("ResolvedRefs", "False", "BackendNotFound", NASTY))
    await world.settle(4)

    assert world.status.reason is Reason.ROUTE_NOT_ACCEPTED
    people = for_people(world.comment)
    [said] = [line for line in people.splitlines() if "BackendNotFound" in line]
    quoted = said.partition("(")[2].rpartition("). This is for your platform team")[0]
    fence = quoted[: len(quoted) - len(quoted.lstrip("`"))]
    assert len(fence) > 1
    assert quoted.endswith(fence)
    assert fence not in quoted[len(fence) : -len(fence)]
    assert "evil.example.com" not in people.replace(quoted, "")
    assert "hunter22" not in world.comment
    assert "ghp_0123456789" not in world.comment


async def test_a_gateway_that_says_very_much_fills_no_comment_and_no_status() -> None:
    world = World()
    world.cluster.gateway.says = (("Accepted", "False", "Invalid", "x " * 50_000),)
    await world.settle(4)

    assert world.status.reason is Reason.ROUTE_NOT_ACCEPTED
    assert len(world.status.link.message) <= 600
    assert len(world.comment) < 10_000


@pytest.mark.parametrize(("public", "fork"), [(False, False), (True, True), (True, False)])
def test_no_words_of_the_gateway_are_on_the_page(public: bool, fork: bool) -> None:
    preview = STATES["route-not-accepted"]
    observed = replace(preview.status.observed, public=public, fork=fork)
    settings = parse({**SETTINGS, "pages": "public"}, {})
    shown = replace(preview, status=replace(preview.status, observed=observed))
    page = Renderer().page(view_of(settings, shown))

    assert "the Gateway does not take its route" in page
    assert "NotAllowedByListeners" not in page
