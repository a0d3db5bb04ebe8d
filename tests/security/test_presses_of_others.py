"""Buttons pressed by whoever may not, too often, or in somebody else's name."""

from __future__ import annotations

import json

import pytest
from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from previewbot.api import Phase
from previewbot.api.github import Account
from previewbot.clients.github.parse import permission_from
from previewbot.clients.github.people_answers import RepositoryAccess
from previewbot.reconciler.plan.presses import MOST_KEPT
from previewbot.rules.pressing import MOST, WITHIN, Presses
from tests.support import github_samples as samples
from tests.support.passes import World, ready
from tests.support.people import KEY, SAME_ORIGIN, URL, VALUES, Site, cookie_of
from tests.support.previews import NOW
from tests.support.states import STATES

MALLORY = Account(666, "mallory")


@pytest.mark.parametrize("asked", ["start", "stop", "extend"])
async def test_a_press_without_write_access_changes_nothing(asked: str) -> None:
    world = await ready()
    world.github.permissions["mallory"] = "read"
    before = world.status.lifecycle
    world.press(asked, MALLORY)
    await world.settle(6)

    assert world.status.lifecycle == before
    assert world.status.phase is Phase.READY
    assert world.answers == []


async def test_a_login_that_somebody_else_took_over_has_no_rights_of_before() -> None:
    answer = samples.permission("admin") | {"user": {"login": "ann", "id": 667}}

    assert permission_from(answer, 667) == "admin"
    assert permission_from(answer, 2) == "none"
    assert permission_from(answer) == "admin"


@pytest.mark.parametrize("by", ["a button", "a comment"])
async def test_who_asks_is_known_by_number_and_not_by_who_has_the_login_now(
    by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, ann = await ready(), Account(667, "ann")
    permission = world.github.permission

    async def since_it_was_taken_over(repository: str, login: str, account: int = 0) -> str:
        return "none" if account == ann.id else await permission(repository, login, account)

    monkeypatch.setattr(world.github, "permission", since_it_was_taken_over)
    if by == "a button":
        world.press("stop", ann)
    else:
        world.say("/preview stop", ann)
    await world.settle(6)

    assert world.status.phase is Phase.READY


async def test_a_thousand_presses_are_a_question_a_few_answers_and_no_longer_status() -> None:
    world = await ready()
    world.github.permissions["mallory"] = "read"
    world.github.asked_about.clear()
    for _ in range(200):
        world.press("stop", MALLORY, poke=False)
    world.poke()
    await world.settle(6)

    assert world.status.phase is Phase.READY
    assert world.github.asked_about == ["mallory"]
    assert len([reply for reply in world.status.replies if reply.place]) <= 3
    assert len(world.status.requests.handled) <= MOST_KEPT


async def test_a_request_in_a_writers_name_has_no_strangers_code_run() -> None:
    world = World()
    world.github.fork = True
    world.press("start")
    await world.settle(8)

    assert world.status.lifecycle.approved_sha == ""
    assert world.cluster.sessions == {}


def test_nobody_fills_the_inbox_of_all_from_a_page() -> None:
    site = Site(values={"sign_in": {**VALUES["sign_in"], "readers_may_extend": True}})
    for login in ("maria", "rob"):
        access = RepositoryAccess(812, "acme/shop", "https://github.com/acme/shop", login == "maria")
        site.github.may[login, 812] = access
    site.cluster.hold(STATES["ready"])

    def press(browser: FlaskClient, number: int) -> int:
        cookie = Fernet(KEY).decrypt(cookie_of(browser) or "")
        data = {"csrf": json.loads(cookie)["csrf"], "form": f"{number:032x}", "asked": "extend"}
        return browser.post("/p/812/42/ask", base_url=URL, data=data, headers=SAME_ORIGIN).status_code

    robs, marias = site.browser(), site.browser()
    site.sign_in(robs, "rob")
    site.sign_in(marias, "maria")
    answers = [press(robs, number) for number in range(60)]

    assert (answers.count(303), set(answers[MOST:])) == (MOST, {429})
    assert len(site.cluster.asked) == MOST
    # Neither a new sign-in helps, nor does it keep others from theirs.
    again = site.browser()
    site.sign_in(again, "rob")
    assert (press(again, 5_000), press(marias, 0)) == (429, 303)
    site.at += WITHIN
    assert press(robs, 5_001) == 303


def test_who_presses_is_remembered_within_bounds() -> None:
    presses = Presses()

    assert all(presses.may_press(str(account), NOW) for account in range(20_000))
    assert len(vars(presses)["_pressed"]) == 10_000
