"""Attack: to read of an issue what is not for everybody, or to say something under our name with one.

GitHub shows the App all that it is installed for; whoever reads comment or page may know less. Anybody
may open an issue in a public repository, and whoever pushes writes the description that closes it.
"""

from __future__ import annotations

import json

import pytest

from previewbot.api import from_object
from previewbot.api.asked_for import AskedFor, ReferencedIssue
from previewbot.api.github import Account
from previewbot.config.agents import built_in
from previewbot.config.server import parse
from previewbot.engine.view import view_of
from previewbot.rules.agents import kept_of_message, kept_of_text
from previewbot.rules.asked_for import title_of
from previewbot.text.render import Renderer
from tests.support.passes import SETTINGS, World, ready

SECRET = "Acquire Globex"
PUBLIC_PAGES = parse({**SETTINGS, "pages": "public"}, {})
ELSEWHERE = ReferencedIssue(9_000, "acme/board", 7, private=True, title=SECRET, opening=(SECRET,))
COPILOT = Account(198982749, "Copilot", "Bot")


async def asked(*issues: ReferencedIssue, private: bool, sessions: tuple[str, ...] = ()) -> World:
    """Return a world that runs, of whose pull request GitHub tells this."""
    world = World(pages="public")
    world.github.node_id, world.github.private = "PR_42", private
    world.github.author = COPILOT
    world.github.asked = AskedFor(issues, len(issues), sessions)
    return await ready(world)


def page(world: World) -> str:
    assert world.cluster.preview is not None
    return Renderer().page(view_of(PUBLIC_PAGES, from_object(world.cluster.preview)))


async def test_a_public_pull_request_that_closes_a_private_repositorys_issue_tells_nothing_of_it() -> None:
    world = await asked(ELSEWHERE, private=False)

    for text in (world.comment, page(world), json.dumps(world.cluster.preview)):
        assert SECRET not in text and "acme/board" not in text
    assert "closes an issue that is not named here" in world.comment


@pytest.mark.parametrize("private", [False, True])
async def test_of_another_repositorys_issue_no_word_is_read(private: bool) -> None:
    world = await asked(
        ReferencedIssue(9_000, "acme/board", 7, private=private, title=SECRET, opening=(SECRET,)),
        private=True,
    )

    for text in (world.comment, page(world), json.dumps(world.cluster.preview)):
        assert SECRET not in text
    assert "acme/board" in world.comment
    assert ("acme/board" in page(world)) is not private


async def test_a_public_page_names_a_private_repositorys_issue_by_its_number_alone() -> None:
    own = ReferencedIssue(812, "acme/shop", 12, private=True, title=SECRET, opening=(SECRET,))
    world = await asked(own, private=True)

    assert SECRET in world.comment
    assert SECRET not in page(world)
    assert ">#12</a>" in page(world)


async def test_a_repository_that_became_private_is_not_quoted_on_its_page_any_more() -> None:
    own = ReferencedIssue(812, "acme/shop", 12, private=False, title=SECRET, opening=(SECRET,))
    world = await asked(own, private=False)
    assert page(world).count(SECRET) == 2

    world.github.private = True
    world.poke()
    await world.settle(2)
    assert SECRET not in page(world)


@pytest.mark.parametrize(
    "title",
    [
        "@acme/everyone and @ann",
        "[Sign in](https://evil.example)",
        "![](https://evil.example/pixel.png)",
        "<img src=x onerror=alert(1)> <script>alert(1)</script>",
        "](https://evil.example) [x",
        "`/preview start` \n/preview stop",
        "<!-- previewbot status -->",
        "#1 GH-2 acme/other#3 3f2c1ab3f2c1ab https://evil.example www.evil.example",
    ],
)
async def test_a_title_is_words_and_nothing_else(title: str) -> None:
    own = ReferencedIssue(
        812, "acme/shop", 12, private=False, title=title_of(title), opening=(title_of(title),)
    )
    world = await asked(own, private=False)

    [line] = [line for line in world.comment.splitlines() if line.startswith("Asked for in")]
    for forbidden in ("@a", "<img", "<script", "<!--", "://evil", "www.evil", "GH-2", "\n/preview"):
        assert forbidden not in line.replace("https://github.com/acme/shop/issues/12", "")
    assert line.endswith("](https://github.com/acme/shop/issues/12).")
    assert line.count("](") - line.count("\\](") == 1, "one link: ours"
    for tag in ("<img", "<script>alert", "<!-- previewbot"):
        assert tag not in page(world)


@pytest.mark.parametrize(
    "written",
    [
        "https://github.com.evil.example/acme/shop/sessions/1",
        "https://evil.example/github.com/acme/shop/sessions/1",
        "https://app.devin.ai/sessions/abc",
        "javascript:alert(1)//github.com/acme/shop/sessions/1",
        "https://github.com/acme/shop/sessions/1/../../../../login/oauth/authorize?client_id=evil",
        "https://github.com/acme/shop/sessions/1/%2e%2e/.%2E/%2e./%2e%2e/login/oauth/authorize?client_id=evil",
    ],
)
async def test_no_address_is_a_session_but_at_the_host_of_the_agent_that_was_recognised(written: str) -> None:
    table = built_in()
    found = (*kept_of_text(table)(written), *kept_of_message(table)(f"x\n\nAgent-Logs-Url: {written}"))
    world = await asked(private=False, sessions=found)

    assert "evil" not in world.comment and "devin" not in world.comment
    assert "No request is linked." in world.comment
