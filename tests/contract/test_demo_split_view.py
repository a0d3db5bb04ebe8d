"""The page that the demo opens with, over HTTP: its parts, its policy, and what it tells of the world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from previewbot_demo.agents import Agents
from previewbot_demo.hosts import SHOP_HOST
from previewbot_demo.splitview import Parts, SplitView
from tests.support.github_town import ALICE, Town, github_town

LINK = "http://p1-shop-1.preview.localhost:8470/cart"
PREVIEW = "p1-shop-1.preview.localhost"


class Theatre:
    """The page over a GitHub with one repository, and over sessions that a test writes down."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.sessions: list[dict[str, Any]] = []
        self.view = SplitView()
        agents = Agents(town.github, "acme/shop", set())
        self.parts = Parts(town.github, agents, "acme/shop", 8470, lambda: self.sessions, lambda: 3)
        self.url = ""

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer for the page, and for any other host see what was opened there."""
        if request.host.startswith("127.0.0.1"):
            return await self.view.handle(request)
        self.view.saw(request)
        return web.Response()

    async def opens(self, host: str, path: str, kind: str = "iframe") -> None:
        headers = {"Host": host, "Sec-Fetch-Dest": kind}
        async with self.town.http.get(self.url + path, headers=headers) as answer:
            assert answer.status == 200

    async def state(self) -> dict[str, Any]:
        async with self.town.http.get(f"{self.url}/demo/state") as answer:
            told: dict[str, Any] = await answer.json()
            return told

    def comments(self, number: int, body: str) -> None:
        github = self.town.github
        github.write_comment(github.pull_request(number), github.app.bot, body, github.app)


@pytest.fixture
async def theatre() -> AsyncIterator[Theatre]:
    async with github_town() as town:
        built = Theatre(town)
        async with TestServer(_application(built)) as server:
            built.url = str(server.make_url("")).rstrip("/")
            yield built


def _application(theatre: Theatre) -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", theatre.serve)
    return app


async def test_while_the_world_is_being_built_the_page_asks_again_by_itself(theatre: Theatre) -> None:
    async with theatre.town.http.get(f"{theatre.url}/") as answer:
        assert (answer.status, answer.headers["Refresh"]) == (503, "1")
        assert "still starting" in await answer.text()


async def test_the_page_runs_its_own_scripts_only_and_nobody_may_frame_it(theatre: Theatre) -> None:
    theatre.view.open(theatre.parts)
    for path, kind in (
        ("/", "text/html"),
        ("/demo/split.js", "text/javascript"),
        ("/demo/split.css", "text/css"),
        ("/demo/state", "application/json"),
    ):
        async with theatre.town.http.get(theatre.url + path) as answer:
            assert (answer.status, answer.content_type) == (200, kind), path
            policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
        assert "frame-src 'self' http://*.localhost:8470;" in policy
        assert policy.endswith("frame-ancestors 'none'")


@pytest.mark.parametrize("path", ["/demo", "/demo/", "/demo/../guide.py", "/demo/split.html", "/demo/x"])
async def test_nothing_else_is_served_beside_it(theatre: Theatre, path: str) -> None:
    theatre.view.open(theatre.parts)
    async with theatre.town.http.get(theatre.url + path) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(("real", "words"), [(False, "Kubernetes’ API,"), (True, "your cluster’s API")])
async def test_it_says_what_is_real_and_what_is_a_stand_in(theatre: Theatre, real: bool, words: str) -> None:
    parts = theatre.parts
    theatre.view.open(
        Parts(parts.github, parts.agents, parts.repository, 8470, parts.sessions, parts.staged, real)
    )
    async with theatre.town.http.get(f"{theatre.url}/") as answer:
        text = await answer.text()

    assert words in text
    assert ("Kubernetes’ API," in text) is not real


async def test_it_tells_what_the_comment_says_and_whose_sessions_answer(theatre: Theatre) -> None:
    theatre.view.open(theatre.parts)
    number = theatre.town.pull_request()
    theatre.comments(number, f"<!-- previewbot status -->\n### [Open the preview]({LINK}) of `abc`\n\nmore")
    labels = {"previewbot.dev/preview": f"gh-812-{number}"}
    theatre.sessions += [
        {"metadata": {"uid": "s1", "labels": labels}, "status": {"phase": "Ready"}},
        {"metadata": {"uid": "s2", "labels": labels}, "status": {"phase": "Waiting"}},
        {"metadata": {"uid": "s3", "labels": {"previewbot.dev/preview": "gh-812-11"}}, "status": {}},
        {"metadata": {"uid": "s4"}},
    ]

    pull = (await theatre.state())["pulls"][str(number)]

    assert (pull["says"], pull["link"], pull["serving"]) == ("Open the preview of abc", LINK, ["s1"])


@pytest.mark.parametrize(
    ("says", "ticked"),
    [
        (
            "**Preview of `{new}` is waiting.** Meanwhile [the preview of `0123456`]({link}) still works.",
            False,
        ),
        ("### [Open the preview]({link}) of `0123456`", False),
        ("### [Open the preview]({link}) of `{new}`", True),
        ("### [Open the preview]({link}) of `{new}`: not all of it runs", True),
    ],
)
async def test_a_push_is_ticked_off_only_once_the_link_opens_that_commit(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, says: str, ticked: bool
) -> None:
    theatre.view.open(theatre.parts)
    number = theatre.town.pull_request()
    monkeypatch.setattr(theatre.parts.agents, "task", lambda number: "web")
    monkeypatch.setattr(theatre.parts.agents, "pushes", lambda number: 1)
    head = theatre.town.github.pull_request(number).head_sha
    theatre.comments(number, says.format(new=head[:7], link=LINK))

    done = (await theatre.state())["done"]

    assert "comment" in done
    assert ("push" in done) is ticked


async def test_what_ends_with_a_colon_is_told_with_what_comes_below_it(theatre: Theatre) -> None:
    theatre.view.open(theatre.parts)
    number = theatre.town.pull_request()
    theatre.comments(number, "**A fork.** Start it with this comment:\n\n```\n/preview start abc\n```\nmore")

    says = (await theatre.state())["pulls"][str(number)]["says"]

    assert says == "A fork. Start it with this comment: /preview start abc"


async def test_of_other_peoples_comments_it_takes_no_link(theatre: Theatre) -> None:
    theatre.view.open(theatre.parts)
    number = theatre.town.pull_request()
    theatre.town.github.comment(number, ALICE, f"[Open the preview]({LINK})")

    assert (await theatre.state())["pulls"][str(number)]["link"] == ""


async def test_a_link_leads_to_previews_only(theatre: Theatre) -> None:
    theatre.view.open(theatre.parts)
    number = theatre.town.pull_request()
    theatre.comments(number, "[approve](http://127.0.0.1:8470/x) [x](http://preview.localhost.evil.example/)")

    assert (await theatre.state())["pulls"][str(number)]["link"] == ""


async def test_it_follows_pages_that_a_browser_opens_and_nothing_else(theatre: Theatre) -> None:
    theatre.view.open(theatre.parts)
    await theatre.opens(SHOP_HOST, "/cart")
    await theatre.opens(PREVIEW, "/cart?basket=mug", "document")
    await theatre.opens(SHOP_HOST, "/product/mug")
    await theatre.opens(SHOP_HOST, "/style.css", "style")
    await theatre.opens(PREVIEW, "/api/pricing/baggage", "empty")
    await theatre.opens("elsewhere.example", "/")

    visits = (await theatre.state())["visits"]

    assert visits == {SHOP_HOST: [3, "/product/mug"], PREVIEW: [2, "/cart?basket=mug"]}


async def test_however_many_pages_are_opened_the_newest_is_told(theatre: Theatre) -> None:
    theatre.view.open(theatre.parts)
    for number in range(520):
        await theatre.opens(SHOP_HOST, f"/product/{number}")

    assert (await theatre.state())["visits"] == {SHOP_HOST: [520, "/product/519"]}
