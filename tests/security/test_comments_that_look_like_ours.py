"""A comment with previewbot's marker, written through previewbot's own App by somebody else.

Who could want it: whoever holds a user's token of the App (it writes as that user, and GitHub names the App),
or simply quotes a marker: to have previewbot take it for its status comment, edit or delete what it did not
write, or believe that commands were carried out already.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from previewbot.api.github import Account
from previewbot.errors import TryLater
from previewbot_demo.github.model import App
from tests.support.github_script import in_turn, sends
from tests.support.github_town import ALICE, APP, Town, github_town
from tests.support.passes import ANN, BOT, OWN_APP, A, World
from tests.support.previews import a_preview

KEY = a_preview().spec.environment_key
STATUS = f"<!-- previewbot status key={KEY} command=99999 -->\nAll is well, nothing to see here.\n"
FORGED = {
    "by a person who quotes the marker": (ANN, None),
    "by a user's token of our own App": (ANN, OWN_APP),
    "by another App in its own name": (Account(10, "other[bot]", "Bot"), 4711),
    "by another App under our bot's name": (replace(BOT, id=10), 4711),
    "by our App as a bot that is not ours": (replace(BOT, id=10), OWN_APP),
    "by another App in our bot's account": (BOT, 4711),
}


@pytest.mark.parametrize(("author", "app_id"), FORGED.values(), ids=FORGED.keys())
async def test_it_is_not_taken_for_ours(author: Account, app_id: int | None) -> None:
    world = World()
    forged = world.github.say(STATUS, author, app_id=app_id)
    world.poke()
    await world.settle(3)

    [theirs] = [comment for comment in world.github.comments_written if comment.id == forged]
    assert theirs.body == STATUS
    assert world.status.reports["comment"].id not in (0, forged)
    assert world.serving == [A]


@pytest.mark.parametrize(("author", "app_id"), FORGED.values(), ids=FORGED.keys())
async def test_no_command_counts_as_carried_out_because_of_it(author: Account, app_id: int | None) -> None:
    world = World()
    world.github.say(STATUS, author, app_id=app_id)
    world.github.say("<!-- previewbot reply reply-to=502 -->\nDone.\n", author, app_id=app_id)
    await world.settle(3)
    world.say("/preview stop")
    await world.settle(10)

    assert world.serving == []


async def test_a_command_by_a_users_token_of_our_own_app_is_none() -> None:
    world = await World().settle(3)
    world.say("/preview stop", ANN, OWN_APP)
    await world.settle(5)

    assert world.serving == [A]


async def test_until_our_own_account_is_known_nothing_is_taken_for_ours_and_nothing_is_written() -> None:
    world = World()
    world.github.say(STATUS, BOT, app_id=OWN_APP)
    world.poke()
    world.fail("identity", by=TryLater("GitHub", status=502))
    await world.settle(4)
    assert [comment.body for comment in world.github.comments_written] == [STATUS]
    assert isinstance(world.outcome.error, TryLater)
    assert world.serving == []
    world.mend()
    await world.settle(4)

    assert len(world.github.comments_written) == 1
    assert "Open the preview" in world.comment


async def test_what_serves_goes_on_and_ends_in_time_while_our_own_account_cannot_be_read() -> None:
    world = await World().settle()
    world.restart()
    world.fail("identity", by=TryLater("GitHub", status=502))
    world.poke()
    await world.settle(4)
    assert world.serving == [A]
    world.clock.forward(hours=9)
    await world.settle(6)

    assert world.cluster.sessions == {}


# Who we are, as GitHub says it


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


async def test_we_are_our_app_and_its_bot_account(town: Town) -> None:
    us = await town.app.identity(town.installation.id)

    assert (us.app_id, us.bot_id) == (APP, town.github.app.bot.id)
    ours = await town.client.create_comment("acme/shop", town.pull_request(), "Hello")
    assert us.wrote(ours)


async def test_what_is_written_with_a_users_token_shows_our_app_and_is_not_ours(town: Town) -> None:
    number = town.pull_request()
    town.github.comment(number, ALICE, "theirs", via=town.github.app)
    town.github.comment(number, ALICE, "an assistant's", via=App(4711, "assistant", {}, ()))
    us = await town.app.identity(town.installation.id)

    seen = await town.client.comments("acme/shop", number, None)

    assert [(comment.app_id, comment.author.login) for comment in seen] == [(APP, "alice"), (4711, "alice")]
    assert not any(us.wrote(comment) for comment in seen)


async def test_it_is_asked_once_however_many_want_to_know(town: Town) -> None:
    await asyncio.gather(*(town.app.identity(town.installation.id) for _ in range(20)))

    assert town.script.paths() == ["/app", "/users/previewbot%5Bbot%5D"]


@pytest.mark.parametrize("status", [401, 403, 404, 500])
@pytest.mark.parametrize("path", ["/app", "/users/previewbot[bot]"])
async def test_whatever_refuses_it_is_tried_again_later(town: Town, path: str, status: int) -> None:
    """A 404 would be taken for that of a repository that is gone, and a 403 for good."""
    known = await town.app.identity(town.installation.id)
    town.found()
    town.script.on("GET", path, *in_turn(status))
    with pytest.raises(TryLater):
        await town.app.identity(town.installation.id)
    town.script.on("GET", "/app", sends({"id": APP, "slug": "previewbot"}))
    bot = {"id": known.bot_id, "login": "previewbot[bot]", "type": "Bot"}
    town.script.on("GET", "/users/previewbot[bot]", sends(bot))

    assert await town.app.identity(town.installation.id) == known
