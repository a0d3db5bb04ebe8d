"""People who came by a proxy, in the passes of a preview: quoted once, never counted; and two hours."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from previewbot.api import Phase, Resource, Saying, Says, Verdict
from previewbot.api.check_runs import VERDICT_CHECK_NAME
from previewbot.api.github import Account
from previewbot.api.reports import QUOTED
from previewbot.errors import Forbidden, TryLater
from previewbot.reconciler.plan.presses import (
    KEPT_FOR,
    MOST_WAITING,
    MOST_WAITING_BY_PROXY,
    ORPHAN_AFTER,
    SAID_KEPT_FOR,
)
from previewbot.reconciler.plan.requeue import SOON
from previewbot.rules.quoting import MOST_QUOTED
from previewbot.text.checks import answers_on_the_page
from previewbot.text.quotes import parse_quote, quote_comment
from previewbot.text.verdicts import verdict_comment
from tests.support.passes import BOT, OWN_APP, A, B, World, ready, somebody

PROXY: dict[str, Any] = {
    "header": "X-Forwarded-Email",
    "from": ["10.20.0.0/24"],
    "repositories": ["Acme/*"],
    "may_extend": True,
}
PIA = Account(50, "Pia")


def by_proxy(proxy: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    return {
        "access": "proxy",
        "proxy": PROXY | (proxy or {}),
        "public_url": "https://previews.example.com",
        "sign_in": {"cookie_keys_file": "/nowhere/cookie-keys"},
        **settings,
    }


def a_world(proxy: dict[str, Any] | None = None, **settings: Any) -> World:
    return World(**by_proxy(proxy, **settings))


def quotations(world: World) -> list[str]:
    return [body for body in world.github.own_comments() if parse_quote(body) is not None]


def only(world: World) -> Verdict:
    (found,) = world.status.verdicts
    return found


async def test_somebody_is_quoted_once_by_the_app_itself_and_shown_at_once() -> None:
    world = await ready(a_world())
    ask = world.say_by_proxy()
    await world.settle(8)

    [body] = quotations(world)
    found = only(world)
    assert "**Needs work**, says **Pia** (not a GitHub account)" in body
    assert (found.by_proxy, found.login, found.account, found.request) == (True, "Pia", 0, ask.id)
    assert (found.says, found.head_sha, found.path, found.words) == (
        Says.WORK,
        A,
        "/cart",
        "The sum is wrong.",
    )
    assert (found.edited, found.writes, found.counts) == (False, False, False)
    assert "**Pia** (not a GitHub account): [needs work]" in world.comment
    assert world.answers == []
    # Nobody asks GitHub about somebody who has no account there.
    assert "Pia" not in world.github.asked_about


async def test_the_request_is_removed_and_is_not_carried_out_again() -> None:
    world = await ready(a_world())
    ask = world.say_by_proxy()
    await world.settle(8)
    world.restart()
    world.poke()
    await world.settle(4)
    world.clock.forward(seconds=KEPT_FOR.total_seconds())
    await world.settle(8)

    assert len(quotations(world)) == 1
    assert ask.name not in world.cluster.requests
    assert world.status.requests.handled_of("Page") == ()
    assert [key for key in world.status.reports if "/" in key] == []


async def test_two_of_one_name_are_two_and_neither_takes_back_what_the_other_said() -> None:
    world = await ready(a_world())
    one, other = "0" * 12, "1" * 12
    for name, mark, says in (("Pia", one, Says.WORK), ("pia", other, Says.GOOD), ("Pia", other, Says.GOOD)):
        world.say_by_proxy(name=name, mark=mark, says=says)
        world.clock.forward(seconds=2)
    await world.settle(8)

    found = [(each.who, each.says, each.replaced) for each in reversed(world.status.verdicts)]
    assert found == [
        ("Pia (not a GitHub account)", Says.WORK, False),
        ("pia (2) (not a GitHub account)", Says.GOOD, True),
        ("Pia (2) (not a GitHub account)", Says.GOOD, False),
    ]
    assert [says_who(body) for body in quotations(world)] == ["Pia", "pia (2)", "Pia (2)"]
    assert "**Pia (2)** (not a GitHub account)" in world.comment.replace("\\", "")

    # The first one's is deleted: who is called the second stays so, as their own comment has it.
    world.github.delete(world.status.verdicts[-1].comment)
    world.clock.forward(seconds=60)
    world.poke()
    await world.settle(3)
    assert {each.who.lower() for each in world.status.verdicts} == {"pia (2) (not a github account)"}


def says_who(body: str) -> str:
    [name] = re.findall(r", says \*\*(.*?)\*\* \(not", body)
    return str(name).replace("\\", "")


async def test_each_name_is_somebody_and_the_last_word_of_each_counts_as_theirs() -> None:
    world = await ready(a_world())
    for name, says in (("Pia", Says.WORK), ("Quentin", Says.WORK), ("Pia", Says.GOOD)):
        world.say_by_proxy(name=name, says=says)
        world.clock.forward(seconds=2)
    await world.settle(8)

    found = [(each.login, each.says, each.replaced) for each in world.status.verdicts]
    assert sorted(found) == [
        ("Pia", Says.GOOD, False),
        ("Pia", Says.WORK, True),
        ("Quentin", Says.WORK, False),
    ]


@pytest.mark.parametrize("says", list(Says))
async def test_it_never_moves_the_check_whatever_their_name_is(says: Says) -> None:
    world = await ready(a_world(verdicts="check"))
    for name in ("ann", "Pia"):
        world.say_by_proxy(name=name, says=says)
    await world.settle(8)

    assert len(world.status.verdicts) == 2
    assert not any(each.counts for each in world.status.verdicts)
    [run] = world.github.checks.of(A, VERDICT_CHECK_NAME)
    assert str(run.conclusion) == "None"


async def test_a_quotation_that_was_edited_is_shown_as_edited_and_one_that_was_deleted_is_gone() -> None:
    world = await ready(a_world())
    world.say_by_proxy(name="Pia")
    world.say_by_proxy(name="Quentin")
    await world.settle(8)
    first, second = sorted(each.comment for each in world.status.verdicts)
    world.clock.forward(seconds=60)
    world.github.edit(first, "Looks good to me", PIA.id)
    world.github.delete(second)
    world.poke()
    await world.settle(3)

    found = only(world)
    assert (found.comment, found.edited, found.words) == (first, True, "The sum is wrong.")
    assert "edited since" in world.comment


async def test_what_was_said_of_an_older_commit_is_told_as_that() -> None:
    world = await ready(a_world())
    world.say_by_proxy()
    await world.settle(8)
    world.push(B)
    await world.settle(12)

    assert only(world).head_sha == A
    assert "(an older commit)" in world.comment


@pytest.mark.parametrize("who", ["a person", "a person through the App", "another App"])
async def test_a_quotation_that_somebody_else_wrote_is_no_verdict(who: str) -> None:
    world = await ready(a_world())
    ask = world.say_by_proxy()
    await world.settle(8)
    body = quote_comment(ask.id + 1, somebody("Maria"), replace(ask.saying, says=Says.GOOD), preview_url="")  # type: ignore[arg-type, type-var]
    author = Account(99, "other[bot]", "Bot") if who == "another App" else PIA
    world.github.say(body, author, app_id={"a person": None, "another App": 99}.get(who, OWN_APP))
    world.poke()
    await world.settle(4)

    assert only(world).login == "Pia"


@pytest.mark.parametrize("which", ["an answer", "the status comment", "a verdict of somebody's"])
@pytest.mark.parametrize("access", ["proxy", "none"])
async def test_what_somebody_made_of_a_comment_is_no_quotation(which: str, access: str) -> None:
    """Whoever may write can change what the App wrote, or what a person wrote through it."""
    world = await ready(a_world() if access == "proxy" else World())
    world.github.say("/preview help", "ann")
    said = verdict_comment(Says.WORK, A, "/", "The sum is wrong.", preview_url="")
    verdict = world.github.say(said, PIA, app_id=OWN_APP)
    world.poke()
    await world.settle(4)
    [answer] = [each for each in world.github.comments_written if "reply-to" in each.body]
    [status] = [each for each in world.github.comments_written if "previewbot status" in each.body]
    changed = {"an answer": answer.id, "the status comment": status.id}.get(which, verdict)
    world.clock.forward(seconds=60)
    forged = quote_comment(4711, somebody("The CEO"), Saying(Says.GOOD, A, "/", "Ship it."), preview_url="")
    world.github.edit(changed, forged, PIA.id)
    world.poke()
    await world.settle(8)

    assert [(each.login, each.by_proxy, each.words) for each in world.status.verdicts] == [
        ("Pia", False, "The sum is wrong.")
    ]
    assert "The CEO" not in world.comment


async def test_a_number_that_somebody_made_up_keeps_nobody_from_being_quoted() -> None:
    world = await ready(a_world())
    world.github.say("/preview help", "ann")
    world.poke()
    await world.settle(4)
    [answer] = [each for each in world.github.comments_written if "reply-to" in each.body]
    ask = world.say_by_proxy()
    forged = quote_comment(ask.id, ask.actor, replace(ask.saying, says=Says.GOOD), preview_url="")  # type: ignore[arg-type, type-var]
    world.clock.forward(seconds=60)
    world.github.edit(answer.id, forged, PIA.id)
    world.poke()
    await world.settle(8)

    assert (only(world).says, only(world).words) == (Says.WORK, "The sum is wrong.")


@pytest.mark.parametrize("lost", ["the answer", "the status behind it"])
async def test_what_was_written_and_not_noted_is_found_and_not_written_twice(lost: str) -> None:
    world = await ready(a_world())
    ask = world.say_by_proxy()
    text = quote_comment(ask.id, ask.actor, ask.saying, preview_url=world.status.link.url)  # type: ignore[arg-type]
    if lost == "the answer":
        # GitHub has written it, and says that it has not.
        world.calls.failures["create comment"] = TryLater("POST", status=502)
        await world.run()
        world.calls.failures.clear()
    world.github.say(text, BOT, app_id=OWN_APP)
    world.restart()
    await world.settle(12, seconds=10)

    assert len(quotations(world)) == 1
    assert only(world).request == ask.id
    assert [key for key in world.status.reports if "/" in key] == []


async def test_another_preview_of_the_same_pull_request_does_not_quote_it_again() -> None:
    world = await ready(a_world())
    world.say_by_proxy()
    await world.settle(4)
    kept = dict(world.cluster.requests)
    world.cluster.preview = None
    for obj in kept.values():
        obj["metadata"].pop("ownerReferences", None)
    world.poke()
    await world.settle(8)

    assert len(quotations(world)) == 1
    assert only(world).login == "Pia"


async def test_while_github_takes_no_comment_it_waits_for_a_day_and_words_are_lost_only_then() -> None:
    world = await ready(a_world())
    ask = world.say_by_proxy()
    world.calls.failures["create comment"] = TryLater("POST", status=502)
    await world.settle(3)
    world.clock.forward(seconds=2 * KEPT_FOR.total_seconds())
    await world.settle(3)
    assert ask.name in world.cluster.requests
    world.calls.failures.clear()
    await world.settle(6, seconds=20)

    assert len(quotations(world)) == 1

    late = world.say_by_proxy("Still wrong.")
    world.calls.failures["create comment"] = TryLater("POST", status=502)
    await world.settle(2)
    world.clock.forward(seconds=SAID_KEPT_FOR.total_seconds())
    await world.settle(3)
    assert late.name not in world.cluster.requests


async def test_what_github_refuses_is_given_up_and_holds_up_nobody() -> None:
    world = await ready(a_world())
    world.calls.failures["create comment"] = Forbidden("POST", status=403, message="locked")
    world.say_by_proxy()
    await world.settle(3)
    world.calls.failures.clear()
    await world.settle(8, seconds=20)

    assert quotations(world) == []
    assert [key for key in world.status.reports if "/" in key] == []
    assert len(world.status.requests.handled_of("Page")) == 1


async def test_so_many_are_quoted_in_an_hour_whatever_pages_let_through_and_no_word_is_lost() -> None:
    world = await ready(a_world())
    for number in range(2 * MOST_QUOTED + 5):
        world.say_by_proxy(name=f"Pia {number}")
    await world.settle(20)
    assert len(quotations(world)) == MOST_QUOTED
    # The others wait for the next hours: whoever said it was thanked, and nobody could tell them.
    waiting = len(world.cluster.requests) - len(world.status.requests.handled_of("Page"))
    assert waiting == MOST_QUOTED + 5
    outcome = await world.run()
    assert outcome.requeue_after is not None
    assert 3000 < outcome.requeue_after <= 3600

    world.clock.forward(seconds=3600)
    await world.settle(20)
    assert len(quotations(world)) == 2 * MOST_QUOTED
    # They are kept for a day, and not looked at each minute because others are kept for an hour.
    outcome = await world.run()
    assert outcome.requeue_after is not None
    assert 3000 < outcome.requeue_after <= 3600
    world.clock.forward(seconds=3600)
    await world.settle(8)
    assert len(quotations(world)) == 2 * MOST_QUOTED + 5
    assert (await world.run()).requeue_after is None or world.status.report(QUOTED).held_until is None


async def test_a_preview_goes_only_once_all_is_quoted_that_waits() -> None:
    world = await ready(a_world())
    for number in range(MOST_QUOTED + 2):
        world.say_by_proxy(name=f"Pia {number}")
    world.close()
    await world.settle(8)
    assert len(quotations(world)) == MOST_QUOTED
    assert world.cluster.sessions == {}
    outcome = await world.run()
    assert outcome.requeue_after is not None
    assert 3000 < outcome.requeue_after <= 3600

    world.clock.forward(seconds=3600)
    await world.settle(4)
    assert len(quotations(world)) == MOST_QUOTED + 2
    assert world.cluster.preview is None


async def test_words_that_nobody_can_quote_keep_no_preview_and_their_loss_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = await ready(a_world())
    world.cluster.preview = None
    ask = world.say_by_proxy("The sum is wrong.")
    await world.run()
    assert ask.name in world.cluster.requests
    world.clock.forward(seconds=ORPHAN_AFTER.total_seconds())
    await world.run()

    assert world.cluster.requests == {}
    [record] = [each for each in caplog.records if "words are removed" in each.message]
    assert (vars(record)["request"], vars(record)["characters"]) == (ask.name, len("The sum is wrong."))


async def test_what_is_given_up_wakes_those_behind_it() -> None:
    world = await ready(a_world())
    world.calls.failures["create comment"] = Forbidden("POST", status=403, message="locked")
    for number in range(7):
        world.say_by_proxy(name=f"Pia {number}")
    outcome = await world.run()

    assert len(world.status.requests.handled_of("Page")) == 5
    assert outcome.requeue_after == SOON


async def test_a_request_is_removed_only_once_it_is_stored_that_it_was_quoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await ready(a_world())
    ask = world.say_by_proxy()
    world.calls.failures["create comment"] = TryLater("POST", status=502)
    await world.settle(3)
    world.clock.forward(seconds=2 * KEPT_FOR.total_seconds())
    world.calls.failures.clear()
    remove, stored = world.cluster.delete_child, list[bool]()

    async def removed(resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        if name == ask.name:
            handled = ask.id in world.status.requests.handled_of("Page")
            stored.append(handled and bool(world.status.report(QUOTED).edits and world.status.verdicts))
        await remove(resource, namespace, name, uid)

    monkeypatch.setattr(world.cluster, "delete_child", removed)
    await world.settle(6, seconds=20)

    assert stored == [True]
    assert ask.name not in world.cluster.requests


async def test_what_waits_behind_others_that_cannot_be_written_has_nothing_stored_with_each_pass() -> None:
    world = await ready(a_world())
    for number in range(MOST_QUOTED + 2):
        world.say_by_proxy(name=f"Pia {number}")
    world.calls.failures["create comment"] = TryLater("POST", status=502)
    await world.settle(2)
    held = set[object]()
    for _ in range(3):
        await world.run()
        held.add(world.status.report(QUOTED).held_until)
        world.clock.forward(seconds=60)

    assert len(held) == 1
    assert None not in held


WITHOUT = {
    "not said": by_proxy({"may_say": False}),
    "elsewhere": by_proxy({"repositories": ["other/*"]}),
    "another access": by_proxy() | {"access": "none"},
}


@pytest.mark.parametrize("settings", WITHOUT.values(), ids=WITHOUT.keys())
async def test_where_the_settings_do_not_let_them_nobody_is_quoted(settings: dict[str, Any]) -> None:
    world = await ready(World(**settings))
    world.say_by_proxy()
    await world.settle(6)

    assert quotations(world) == []
    assert len(world.status.requests.handled_of("Page")) == 1


# Two hours longer


def open_for(world: World) -> timedelta:
    lifecycle = world.status.lifecycle
    assert lifecycle.expires_at is not None
    assert lifecycle.ready_at is not None
    return lifecycle.expires_at - lifecycle.ready_at


async def test_two_hours_longer_for_whoever_came_by_a_proxy_where_the_settings_say_so() -> None:
    world = await ready(a_world())
    world.press("extend", by_proxy="Pia")
    await world.settle(6)

    assert open_for(world) == timedelta(hours=10)
    [answer] = answers_on_the_page(world.status)
    assert (answer.author, answer.words, answer.reaction) == ("Pia", "extended", "rocket")
    assert "Pia" not in world.github.asked_about


NO_EXTENDING = {
    "not extended": by_proxy({"may_extend": False}),
    "elsewhere": by_proxy({"repositories": ["other/*"]}),
    "another access": by_proxy() | {"access": "none"},
}


@pytest.mark.parametrize("settings", NO_EXTENDING.values(), ids=NO_EXTENDING.keys())
async def test_the_controller_asks_the_settings_itself(settings: dict[str, Any]) -> None:
    world = await ready(World(**settings))
    world.press("extend", by_proxy="Pia")
    await world.settle(6)

    assert open_for(world) == timedelta(hours=8)


@pytest.mark.parametrize("asked", ["start", "stop", "restart", "reset"])
async def test_pages_word_is_good_for_nothing_else(asked: str) -> None:
    world = await ready(a_world())
    # Their name may be somebody's login.
    world.press(asked, by_proxy="ann")
    await world.settle(6)

    assert world.status.phase is Phase.READY
    assert world.status.lifecycle.ended is None
    [answer] = answers_on_the_page(world.status)
    assert answer.reaction == "confused"


async def test_many_presses_at_once_are_too_many_for_each_and_for_all_by_proxy() -> None:
    world = await ready(a_world(ttl={"max": "72h"}))
    for _ in range(MOST_WAITING + 1):
        world.press("extend", by_proxy="Pia")
    await world.settle(6)
    assert open_for(world) == timedelta(hours=8 + 2 * MOST_WAITING)

    for number in range(MOST_WAITING_BY_PROXY + 1):
        world.press("extend", by_proxy=f"Pia {number}")
    await world.settle(6)
    assert open_for(world) == timedelta(hours=8 + 2 * (MOST_WAITING + MOST_WAITING_BY_PROXY))
