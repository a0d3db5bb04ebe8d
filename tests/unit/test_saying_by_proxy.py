"""What people say and press who come by a sign-on proxy: each cell of their column, over HTTP."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from werkzeug.test import TestResponse

from previewbot.api import SAY, Actor, AskedIn, Report, Saying, new_request
from previewbot.api.reports import QUOTED
from previewbot.api.verdicts import Says
from previewbot.errors import TryLater
from previewbot.people.proxy import _mark
from previewbot.rules.pressing import MOST, MOST_BY_PROXY
from previewbot.rules.quoting import MOST_OF_ONE, MOST_QUOTED
from tests.support.pages import Page
from tests.support.people import KEY, URL
from tests.support.previews import HEAD, NOW, OLDER
from tests.support.proxied import BY_ASSERTION, BY_HEADER, EMAIL, HEADER, PROXY, Behind, claims, signed
from tests.unit.test_pages_by_proxy import behind, named, of_repository
from tests.unit.test_pages_for_people import ADDRESS, WORDS, a_ready_one, field

SAYS = {"X-Forwarded-Email": EMAIL}
MARK = _mark(KEY, EMAIL)
OTHER = {"X-Forwarded-Email": "quentin@acme.example"}
WAYS: list[tuple[dict[str, Any], dict[str, str]]] = [
    (BY_HEADER, SAYS),
    (BY_ASSERTION, {HEADER: signed(claims())}),
]
EXTENDS = {**BY_HEADER, "may_extend": True}


def send(
    site: Behind, what: str, values: dict[str, str], says: dict[str, str] = SAYS, form: str = ""
) -> TestResponse:
    """Fill in the page's form as somebody who looks at it."""
    page = site.get(ADDRESS, says).text
    hidden = {name: field(page, name) for name in ("csrf", "form", "head")}
    return site.post(f"{ADDRESS}/{what}", says, hidden | values | ({"form": form} if form else {}))


@pytest.mark.parametrize(("proxy", "says"), WAYS)
@pytest.mark.parametrize("sees", ["words", "state"])
@pytest.mark.parametrize("pages", ["private", "public"])
def test_what_they_say_is_stored_to_be_quoted_under_their_name(
    proxy: dict[str, Any], says: dict[str, str], sees: str, pages: str
) -> None:
    site = behind({**proxy, "sees": sees}, pages=pages)

    answer = send(site, "verdict", WORDS, says)

    [ask] = site.cluster.asked
    assert (ask.asked, ask.actor, ask.requested_at) == (SAY, Actor(name=EMAIL, mark=MARK), NOW)
    assert (ask.repository_id, ask.number) == (812, 42)
    assert (ask.source.kind, ask.source.id, ask.source.head_sha) == (AskedIn.PAGE, 0, HEAD)
    assert ask.saying == Saying(Says.WORK, HEAD, "/cart", "The sum is wrong.")
    assert answer.status_code == 303
    thanks = Page(site.get(answer.headers["Location"], says).text).words
    assert "previewbot quotes you under your name" in thanks
    assert "Thank you." not in Page(site.get(answer.headers["Location"], OTHER).text).words


@pytest.mark.parametrize("may_say", [True, False])
@pytest.mark.parametrize("may_extend", [True, False])
@pytest.mark.parametrize("sees", ["words", "state"])
def test_which_buttons_they_have_and_that_no_other_does_anything(
    may_say: bool, may_extend: bool, sees: str
) -> None:
    site = behind({**BY_HEADER, "sees": sees, "may_say": may_say, "may_extend": may_extend})

    page = site.get(ADDRESS, SAYS)

    says, extends = ["Looks good", "Needs work"] * may_say, ["2 hours longer"] * may_extend
    buttons = re.findall(r"<button[^>]*>([^<]*)</button>", page.text)
    assert [each for each in buttons if each != "Copy the words"] == [*says, *extends]
    assert "Sign out" not in page.text
    for asked in ("start", "stop", "restart", "reset", "say", "merge"):
        assert send(site, "ask", {"asked": asked}).status_code in (400, 403, 404)
    hands_over = send(site, "verdict", {**WORDS, "says": "hand"})
    assert hands_over.status_code in (403, 404)
    assert site.cluster.asked == []


@pytest.mark.parametrize(("proxy", "says"), WAYS)
def test_two_hours_longer_where_the_settings_let_them(proxy: dict[str, Any], says: dict[str, str]) -> None:
    assert send(behind(proxy), "ask", {"asked": "extend"}, says).status_code == 403
    site = behind({**proxy, "may_extend": True})

    answer = send(site, "ask", {"asked": "extend"}, says)

    [ask] = site.cluster.asked
    assert (ask.asked, ask.actor, ask.saying) == ("extend", Actor(name=EMAIL, mark=MARK), None)
    assert "Asked for two hours more" in Page(site.get(answer.headers["Location"], says).text).words


def test_what_the_settings_do_not_name_and_what_is_not_there_take_nothing_and_look_alike() -> None:
    hidden = Behind(EXTENDS, {"pages": "public"})
    hidden.cluster.hold(named(a_ready_one(), "elsewhere/shop"))
    csrf = field(behind(EXTENDS).get(ADDRESS, SAYS).text, "csrf")
    data = {"csrf": csrf, "form": "0" * 32, "asked": "extend", **WORDS}

    for what in ("verdict", "ask"):
        there, nowhere = (hidden.post(f"{path}/{what}", SAYS, data) for path in (ADDRESS, "/p/813/42"))
        assert there.status_code == nowhere.status_code == 404
        assert there.data == nowhere.data
    assert hidden.cluster.asked == []


def test_what_serves_by_now_was_not_looked_at_and_no_word_is_lost() -> None:
    site = behind(BY_HEADER)
    csrf = field(site.get(ADDRESS, SAYS).text, "csrf")

    answer = send(site, "verdict", {**WORDS, "sha": OLDER})

    assert answer.status_code == 409
    assert "It has changed meanwhile" in Page(answer.text).words
    assert "The sum is wrong.</textarea>" in answer.text
    nothing = tuple(replace(each, serving_sha="") for each in a_ready_one().status.services)
    site.cluster.hold(named(a_ready_one(services=nothing), "acme/shop"))
    assert "Looks good" not in site.get(ADDRESS, SAYS).text
    assert send(site, "verdict", {**WORDS, "csrf": csrf}).status_code == 409
    assert site.cluster.asked == []


@pytest.mark.parametrize("words", ["", "  ", "<!-- hidden -->", "\u200b"])
def test_needs_work_needs_words_that_somebody_can_read(words: str) -> None:
    site = behind(BY_HEADER)

    assert send(site, "verdict", {**WORDS, "words": words}).status_code == 422
    assert send(site, "verdict", {**WORDS, "words": words, "says": "good"}).status_code == 303
    assert [each.saying and each.saying.words for each in site.cluster.asked] == [""]


def test_what_was_changed_of_their_words_the_page_says_and_what_is_too_long_is_cut() -> None:
    site = behind(BY_HEADER)

    answer = send(site, "verdict", {**WORDS, "words": "Wrong. <!-- hidden -->" + "é" * 5000})

    words = Page(site.get(answer.headers["Location"], SAYS).text).words
    assert "nobody sees it on GitHub" in words
    assert "Only the first 4,000 characters are kept." in words
    [ask] = site.cluster.asked
    assert ask.saying is not None
    assert len(ask.saying.words) == 4000
    assert "hidden" not in ask.saying.words


def test_a_form_that_is_sent_twice_is_one_request_and_with_other_words_another() -> None:
    site = behind(BY_HEADER)
    form = field(site.get(ADDRESS, SAYS).text, "form")

    for _ in range(2):
        assert send(site, "verdict", WORDS, form=form).status_code == 303
    assert send(site, "verdict", WORDS).status_code == 303

    changed = send(site, "verdict", {**WORDS, "words": "And the date."}, form=form)
    assert changed.status_code == 303

    first, second, another, of_other_words = site.cluster.asked
    assert first.name == second.name
    assert len({first.name, another.name, of_other_words.name}) == 3


@pytest.mark.parametrize("what", ["verdict", "ask"])
def test_only_a_form_of_their_own_page_is_taken(what: str) -> None:
    site = behind(EXTENDS)
    page = site.get(ADDRESS, SAYS).text
    data = {"csrf": field(page, "csrf"), "form": field(page, "form"), "asked": "extend", **WORDS}

    def post(headers: dict[str, str], data: dict[str, str], peer: str = PROXY) -> int:
        sent = site.app.test_client().post(
            f"{ADDRESS}/{what}", base_url=URL, headers=headers, data=data,
            environ_base={"REMOTE_ADDR": peer},
        )  # fmt: skip
        return sent.status_code

    ours = {**SAYS, "Sec-Fetch-Site": "same-origin"}
    for site_of in ("same-site", "cross-site", "none"):
        assert post({**SAYS, "Sec-Fetch-Site": site_of}, data) == 403
    assert post(SAYS, data) == 403
    assert post({**OTHER, "Sec-Fetch-Site": "same-origin"}, data) == 403
    assert post(ours, {**data, "csrf": ""}) == 403
    assert post(ours, {name: value for name, value in data.items() if name != "csrf"}) == 403
    assert post(ours, data, "10.30.0.5") == 403
    assert site.cluster.asked == []
    assert post(ours, data) == 303


def test_a_form_counts_while_its_key_is_in_the_file_and_not_longer() -> None:
    site = behind(BY_HEADER)
    page = site.get(ADDRESS, SAYS).text
    data = {name: field(page, name) for name in ("csrf", "form")} | WORDS
    new = Fernet.generate_key()

    site.form_keys = (new, KEY)
    assert field(site.get(ADDRESS, SAYS).text, "csrf") != data["csrf"]
    assert site.post(f"{ADDRESS}/verdict", SAYS, data).status_code == 303
    for keys in ((new,), ()):
        site.form_keys = keys
        answer = site.post(f"{ADDRESS}/verdict", SAYS, data)
        assert answer.status_code == 403
        # Nobody signs in here anew.
        assert "/sign-in" not in answer.text
        assert "The sum is wrong." in answer.text
    assert site.get(ADDRESS, SAYS).status_code == 200


def test_a_person_presses_so_often_and_all_of_them_at_one_preview() -> None:
    site = behind(EXTENDS)
    presses = [send(site, "ask", {"asked": "extend"}).status_code for _ in range(MOST + 1)]
    assert presses == [303] * MOST + [429]
    # A verdict is a press, too.
    refused = send(site, "verdict", WORDS)
    assert refused.status_code == 429
    assert "The sum is wrong.</textarea>" in refused.text

    names = [{"X-Forwarded-Email": f"{number}@acme.example"} for number in range(MOST_BY_PROXY)]
    found = [send(site, "ask", {"asked": "extend"}, name).status_code for name in names]
    assert found == [303] * (MOST_BY_PROXY - MOST) + [429] * MOST
    site.at += timedelta(minutes=1)
    assert send(site, "verdict", WORDS).status_code == 303


FULL = {
    "so many were quoted": Report(edits=(NOW - timedelta(minutes=59),) * MOST_QUOTED),
    "some wait": Report(held_until=NOW + timedelta(minutes=1)),
}


@pytest.mark.parametrize("told", FULL.values(), ids=FULL.keys())
def test_so_many_are_quoted_in_an_hour(told: Report) -> None:
    site = behind(BY_HEADER)
    preview = of_repository("acme/shop")
    status = preview.status.with_report(QUOTED, told)
    site.cluster.hold(replace(preview, status=status))

    refused = send(site, "verdict", WORDS)
    assert refused.status_code == 429
    assert "The sum is wrong.</textarea>" in refused.text
    site.at += timedelta(minutes=1)
    assert send(site, "verdict", WORDS).status_code == 303


def test_what_is_taken_and_not_quoted_yet_counts_and_nobody_takes_it_all() -> None:
    site = behind(BY_HEADER)

    def say(who: int, words: str) -> TestResponse:
        site.at += timedelta(seconds=10)
        said = {**WORDS, "words": words}
        return send(site, "verdict", said, {"X-Forwarded-Email": f"{who}@acme.example"})

    for who in range(MOST_QUOTED // MOST_OF_ONE):
        answers = [say(who, f"{number}") for number in range(MOST_OF_ONE + 1)]
        assert [each.status_code for each in answers] == [303] * MOST_OF_ONE + [429]
        if not who:
            assert "quotes each person 5 times" in Page(answers[-1].text).words
    last = say(99, "And I?")
    assert last.status_code == 429
    assert "And I?</textarea>" in last.text
    assert len(site.cluster.asked) == MOST_QUOTED
    site.at += timedelta(hours=1)
    assert say(99, "And I?").status_code == 303


def test_what_the_cluster_does_not_take_is_told_with_every_word_still_there() -> None:
    site = behind(BY_HEADER)
    page = site.get(ADDRESS, SAYS).text
    data = {"csrf": field(page, "csrf"), "form": field(page, "form"), **WORDS}
    get, site.cluster.ask = site.cluster.get_preview, _unable  # type: ignore[method-assign]
    assert get is not None

    answer = site.post(f"{ADDRESS}/verdict", SAYS, data)

    assert answer.status_code == 503
    assert "Nothing is lost" in Page(answer.text).words
    assert "The sum is wrong.</textarea>" in answer.text
    assert site.post(f"{ADDRESS}/verdict", SAYS, data | {"form": "x"}).status_code == 400


def _unable(ask: object) -> None:
    raise TryLater("Kubernetes")


def test_they_are_quoted_by_their_name_and_known_by_what_they_go_by(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    site = behind({**BY_HEADER, "name_header": "X-Forwarded-User"})
    called = {**SAYS, "X-Forwarded-User": "Pia Müller".encode().decode("latin-1")}

    page = site.get(ADDRESS, called)
    assert "as said by Pia Müller (not a GitHub account)" in Page(page.text).words
    assert send(site, "verdict", WORDS, called).status_code == 303
    [ask] = site.cluster.asked
    assert ask.actor == Actor(name="Pia Müller", mark=MARK)
    # Who it is stands in the log of pages alone.
    [noted] = [each for each in caplog.records if "came by a proxy asks" in each.message]
    assert (noted.identity, noted.mark, noted.request) == (EMAIL, MARK, ask.name)  # type: ignore[attr-defined]
    assert EMAIL not in str(new_request(ask, "previewbot"))
    # Of the same name, and somebody else.
    namesake = {**OTHER, "X-Forwarded-User": called["X-Forwarded-User"]}
    data = {name: field(page.text, name) for name in ("csrf", "form")} | WORDS
    assert site.post(f"{ADDRESS}/verdict", namesake, data).status_code == 403
    assert send(site, "verdict", WORDS, namesake).status_code == 303
    assert site.cluster.asked[-1].actor.name == "Pia Müller"
    assert site.cluster.asked[-1].actor.mark not in ("", MARK)
