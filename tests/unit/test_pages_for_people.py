"""A preview's page for people who sign in: what each of them sees and may do, over HTTP, cell by cell."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from previewbot.api import AgentSeen, Asked, AskedIn, Link, LinkKind, Phase, Preview, Reason
from previewbot.api.verdicts import Says
from previewbot.clients.github.people_answers import RepositoryAccess
from previewbot.errors import Forbidden, NoAnswer, PreviewbotError, TryLater
from previewbot.text.verdicts import parse_verdict
from tests.support.pages import Page
from tests.support.people import SAME_ORIGIN, URL, VALUES, Site, cookie_of, put_cookie
from tests.support.previews import HEAD, NOW, OLDER
from tests.support.states import STATES

TITLE = "Dress the basket for autumn"
PULL_REQUEST = "https://github.com/acme/shop/pull/42"
ADDRESS = "/p/812/42"
WORDS = {"says": "work", "words": "The sum is wrong.", "sha": HEAD, "path": "/cart"}


def a_ready_one(**changes: Any) -> Preview:
    """Return a preview that is ready, of Copilot's pull request."""
    preview = STATES["ready"]
    observed = replace(
        preview.status.observed,
        title=TITLE,
        agent=AgentSeen("Copilot", "its account", key="copilot", kind="account"),
    )
    link = Link(
        kind=LinkKind.GATEWAY,
        url="https://key.preview.example.com/cart",
        staging_url="https://staging.example.com/cart",
    )
    return replace(preview, status=replace(preview.status, observed=observed, link=link, **changes))


def a_site(preview: Preview | None = None, **values: Any) -> Site:
    """Return pages on which maria writes, rob reads, and mallory may do nothing."""
    site = Site(values=values)
    for login, writes in (("maria", True), ("rob", False)):
        access = RepositoryAccess(812, "acme/shop", "https://github.com/acme/shop", writes)
        site.github.may[login, 812] = access
    site.cluster.hold(preview or a_ready_one())
    return site


def as_(site: Site, login: str) -> FlaskClient:
    """Return the browser of somebody who is signed in; of nobody without a login."""
    browser = site.browser()
    if login:
        site.sign_in(browser, login, ADDRESS)
    return browser


def look(browser: FlaskClient, address: str = ADDRESS) -> TestResponse:
    return browser.get(address, base_url=URL)


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""


def send(browser: FlaskClient, what: str, values: dict[str, str], *, forged: bool = False) -> TestResponse:
    """Fill in the page's form as somebody who looks at it, or without ever having seen it."""
    page = look(browser).text
    hidden = {name: field(page, name) for name in ("csrf", "form", "head")} if not forged else {}
    return browser.post(f"{ADDRESS}/{what}", base_url=URL, data={**hidden, **values}, headers=SAME_ORIGIN)


# What is seen


@pytest.mark.parametrize(
    ("login", "pages", "status", "sees_state", "sees_words"),
    [
        ("", "private", 404, False, False),
        ("mallory", "private", 404, False, False),
        ("", "public", 200, True, False),
        ("mallory", "public", 200, True, False),
        ("rob", "private", 200, True, True),
        ("rob", "public", 200, True, True),
        ("maria", "private", 200, True, True),
        ("maria", "public", 200, True, True),
    ],
)
def test_who_sees_state_and_who_sees_words(
    login: str, pages: str, status: int, sees_state: bool, sees_words: bool
) -> None:
    answer = look(as_(a_site(pages=pages), login))

    assert answer.status_code == status
    assert ("Open the preview" in answer.text) is sees_state
    assert (TITLE in answer.text) is sees_words


@pytest.mark.parametrize(
    ("login", "readers_may_extend", "may"),
    [
        ("", False, []),
        ("mallory", True, []),
        ("rob", False, ["Looks good", "Needs work"]),
        ("rob", True, ["Looks good", "Needs work", "2 hours longer"]),
        (
            "maria",
            False,
            [
                "Looks good",
                "Needs work",
                "Hand it to Copilot",
                "2 hours longer",
                "Start it afresh",
                "Stop it",
            ],
        ),
    ],
)
def test_which_buttons_each_of_them_has(login: str, readers_may_extend: bool, may: list[str]) -> None:
    site = a_site(pages="public", **with_sign_in(readers_may_extend=readers_may_extend))

    buttons = re.findall(r"<button[^>]*>([^<]*)</button>", look(as_(site, login)).text)

    assert [each for each in buttons if each not in ("Sign out", "Copy the words")] == may


def with_sign_in(**changes: Any) -> dict[str, Any]:
    return {"sign_in": {**VALUES["sign_in"], **changes}}


def test_what_is_not_there_looks_like_what_one_may_not_see() -> None:
    site = a_site()
    for login in ("", "mallory"):
        browser = as_(site, login)
        there, nowhere = look(browser), look(browser, "/p/813/42")
        assert there.status_code == nowhere.status_code == 404
        assert there.text.replace("812", "813") == nowhere.text


def test_nobody_is_signed_in_where_there_is_no_sign_in_and_there_is_no_form() -> None:
    site = a_site(access="none", pages="public")

    answer = look(site.browser())

    assert "<form" not in answer.text
    assert "/sign-in" not in answer.text
    assert "form-action 'none'" in answer.headers["Content-Security-Policy"]
    assert site.browser().post(f"{ADDRESS}/verdict", base_url=URL, headers=SAME_ORIGIN).status_code == 404


def test_the_json_tells_a_signed_in_reader_as_much_as_the_page_and_has_the_pages_tag() -> None:
    browser = as_(a_site(), "rob")
    page = look(browser).text
    tag = re.search(r'data-tag="&#34;([0-9a-f]{32})&#34;"', page)
    assert tag is not None

    answer = look(browser, f"{ADDRESS}.json")
    again = browser.get(f"{ADDRESS}.json", base_url=URL, headers={"If-None-Match": answer.headers["ETag"]})

    assert answer.get_etag()[0] == tag[1]
    assert again.status_code == 304
    assert look(as_(a_site(), "mallory"), f"{ADDRESS}.json").status_code == 404
    assert look(as_(a_site(), ""), f"{ADDRESS}.json").status_code == 404


def test_a_new_title_and_a_new_answer_are_news_to_the_page() -> None:
    site = a_site()
    browser = as_(site, "rob")
    before = look(browser, f"{ADDRESS}.json").headers["ETag"]
    preview = a_ready_one()
    observed = replace(preview.status.observed, title="Dress it for winter")
    site.cluster.hold(replace(preview, status=replace(preview.status, observed=observed)))

    assert look(browser, f"{ADDRESS}.json").headers["ETag"] != before


def test_after_closing_a_reader_is_led_to_the_pull_request_and_nobody_else_is() -> None:
    site = a_site()
    site.cluster.objects.clear()

    assert PULL_REQUEST in Page(look(as_(site, "rob")).text).links
    assert PULL_REQUEST not in look(as_(site, "mallory")).text
    assert PULL_REQUEST not in look(as_(site, "")).text


def test_whose_token_github_takes_no_more_is_nobody_from_then_on() -> None:
    site = a_site()
    browser = as_(site, "rob")
    site.github.tokens.clear()

    answer = look(browser)

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{URL}/sign-in?to=/p/812/42"
    assert "Sign in with GitHub" in look(browser).text


def test_while_github_or_the_cluster_does_not_answer_the_page_says_who_it_is() -> None:
    site = a_site()
    browser = as_(site, "rob")
    site.github.error = TryLater("GitHub")
    assert look(browser).status_code == 503
    assert "GitHub does not answer" in look(browser).text
    told = look(browser, f"{ADDRESS}.json")
    assert (told.status_code, told.headers["Retry-After"]) == (503, "5")
    assert told.json is not None
    assert told.json["message"].startswith("GitHub does not say right now")

    site.github.error, site.cluster.error = None, TryLater("Kubernetes")
    assert look(browser).status_code == 503
    assert "The cluster does not answer" in look(browser).text
    told = look(browser, f"{ADDRESS}.json")
    assert told.json is not None
    assert told.json["message"].startswith("the cluster does not answer right now")


# The verdict


@pytest.mark.parametrize("login", ["rob", "maria"])
def test_a_verdict_is_a_comment_by_the_person_about_the_commit_that_serves(login: str) -> None:
    site = a_site()
    browser = as_(site, login)

    answer = send(browser, "verdict", WORDS)

    [(author, where, body)] = site.github.written
    said = parse_verdict(body)
    assert (author, where) == (login, "acme/shop#42")
    assert said is not None
    assert (said.says, said.sha, said.path, said.words) == (Says.WORK, HEAD, "/cart", "The sum is wrong.")
    assert answer.status_code == 303
    thanks = look(browser, answer.headers["Location"]).text
    assert "Thank you." in thanks
    assert f"{PULL_REQUEST}#issuecomment-1001" in Page(thanks).links


def test_looks_good_needs_no_words_and_needs_work_does() -> None:
    site = a_site()
    browser = as_(site, "rob")

    assert send(browser, "verdict", {"says": "good", "sha": HEAD}).status_code == 303
    refused = send(browser, "verdict", {"says": "work", "sha": HEAD, "words": " <!-- x --> "})
    assert refused.status_code == 422
    assert "Say what should change" in Page(refused.text).words
    assert len(site.github.written) == 1


def test_a_form_that_is_sent_twice_writes_one_comment_and_leads_to_the_same_place() -> None:
    site = a_site()
    browser = as_(site, "rob")
    page = look(browser).text
    data = {name: field(page, name) for name in ("csrf", "form")} | WORDS

    first, second = (
        browser.post(f"{ADDRESS}/verdict", base_url=URL, data=data, headers=SAME_ORIGIN) for _ in range(2)
    )

    assert first.headers["Location"] == second.headers["Location"]
    assert len(site.github.written) == 1
    # Whoever goes back and says something else has said something else.
    data["words"] = "And the date."
    browser.post(f"{ADDRESS}/verdict", base_url=URL, data=data, headers=SAME_ORIGIN)
    assert len(site.github.written) == 2


def test_what_was_not_taken_may_be_sent_again() -> None:
    site = a_site()
    browser = as_(site, "rob")
    page = look(browser).text
    data = {name: field(page, name) for name in ("csrf", "form")} | WORDS
    site.github.error = TryLater("POST", status=500)
    assert browser.post(f"{ADDRESS}/verdict", base_url=URL, data=data, headers=SAME_ORIGIN).status_code == 503

    site.github.error = None
    again = browser.post(f"{ADDRESS}/verdict", base_url=URL, data=data, headers=SAME_ORIGIN)

    assert again.status_code == 303
    assert len(site.github.written) == 1


def test_what_serves_by_now_was_not_looked_at_and_no_word_is_lost() -> None:
    site = a_site()
    browser = as_(site, "rob")

    answer = send(browser, "verdict", {**WORDS, "sha": OLDER})

    assert answer.status_code == 409
    assert "It has changed meanwhile" in Page(answer.text).words
    assert "The sum is wrong.</textarea>" in answer.text
    assert field(answer.text, "sha") == HEAD
    assert site.github.written == []


def test_while_nothing_of_it_answers_there_is_nothing_to_judge() -> None:
    services = tuple(replace(each, serving_sha="") for each in a_ready_one().status.services)
    site = a_site(a_ready_one(services=services))
    browser = as_(site, "rob")

    assert "Looks good" not in look(browser).text
    assert send(browser, "verdict", WORDS).status_code == 409
    assert site.github.written == []


def test_whoever_may_write_hands_it_to_the_agent_and_whoever_reads_is_told_who_can() -> None:
    site = a_site()

    assert send(as_(site, "maria"), "verdict", {**WORDS, "says": "hand"}).status_code == 303
    [(_, _, body)] = site.github.written
    assert "\n@copilot " in body

    reader = as_(site, "rob")
    assert send(reader, "verdict", {**WORDS, "says": "hand"}).status_code == 403
    assert len(site.github.written) == 1
    assert "Who can hand it to Copilot?" in look(reader).text
    assert "@copilot (what should change)" in look(reader).text


def test_an_agent_that_nobody_knows_how_to_wake_is_handed_nothing() -> None:
    seen = AgentSeen("Lovable", "its account", key="lovable", kind="account")
    preview = a_ready_one()
    observed = replace(preview.status.observed, agent=seen)
    site = a_site(replace(preview, status=replace(preview.status, observed=observed)))
    browser = as_(site, "maria")

    assert "Hand it to" not in look(browser).text
    assert send(browser, "verdict", {**WORDS, "says": "hand"}).status_code == 403


def test_what_was_changed_of_somebodys_words_the_page_says() -> None:
    site = a_site()
    browser = as_(site, "maria")

    answer = send(browser, "verdict", {**WORDS, "words": "Wrong.\n/preview stop\n<!-- hidden -->"})

    words = Page(look(browser, answer.headers["Location"]).text).words
    assert "What begins with /preview is shown as code" in words
    assert "nobody sees it on GitHub" in words
    [(_, _, body)] = site.github.written
    assert "hidden" not in body


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (Forbidden("POST", status=403), 403, "GitHub does not let you comment"),
        (NoAnswer("POST"), 503, "it is not known whether your comment is there"),
        (TryLater("POST", status=500), 503, "Nothing is lost: send it again"),
    ],
)
def test_what_github_does_not_take_is_told_with_every_word_still_there(
    error: PreviewbotError, status: int, words: str
) -> None:
    site = a_site()
    browser = as_(site, "rob")
    look(browser)
    hidden = {name: field(look(browser).text, name) for name in ("csrf", "form")}
    site.github.error = error

    answer = browser.post(f"{ADDRESS}/verdict", base_url=URL, data={**hidden, **WORDS}, headers=SAME_ORIGIN)

    assert answer.status_code == status
    assert words in Page(answer.text).words
    assert "The sum is wrong.</textarea>" in answer.text


def test_whose_session_ends_while_they_write_keeps_their_words() -> None:
    site = a_site()
    browser = as_(site, "rob")
    hidden = {name: field(look(browser).text, name) for name in ("csrf", "form")}
    # Another pod, which has not asked GitHub a moment ago.
    another = site.pages().test_client()
    put_cookie(another, cookie_of(browser) or "")
    site.github.tokens.clear()

    answer = another.post(f"{ADDRESS}/verdict", base_url=URL, data={**hidden, **WORDS}, headers=SAME_ORIGIN)

    assert answer.status_code == 403
    assert "The sum is wrong." in answer.text
    assert site.github.written == []


def test_strangers_and_forged_forms_write_nothing() -> None:
    site = a_site(pages="public")
    assert send(as_(site, "mallory"), "verdict", WORDS).status_code in (403, 404)
    assert send(as_(site, ""), "verdict", WORDS).status_code == 403
    assert send(as_(site, "maria"), "verdict", WORDS, forged=True).status_code == 403
    elsewhere = as_(site, "maria").post(
        f"{ADDRESS}/verdict", base_url=URL, data=WORDS, headers={"Sec-Fetch-Site": "same-site"}
    )
    assert elsewhere.status_code == 403
    assert site.github.written == []


def test_nobody_makes_the_page_say_that_something_was_said() -> None:
    site = a_site()
    other = send(as_(site, "maria"), "verdict", WORDS).headers["Location"]

    for address in (other, f"{ADDRESS}?said=5.{'0' * 32}", f"{ADDRESS}?said=5", f"{ADDRESS}?asked=stop."):
        assert "Thank you." not in look(as_(site, "rob"), address).text
        assert "Asked for" not in look(as_(site, "rob"), address).text


# Buttons


@pytest.mark.parametrize("asked", list(Asked))
@pytest.mark.parametrize(
    ("login", "readers_may_extend", "taken"),
    [
        ("maria", False, list(Asked)),
        ("rob", False, []),
        ("rob", True, [Asked.EXTEND]),
        ("mallory", True, []),
        ("", True, []),
    ],
)
def test_who_may_press_what(asked: Asked, login: str, readers_may_extend: bool, taken: list[Asked]) -> None:
    site = a_site(pages="public", **with_sign_in(readers_may_extend=readers_may_extend))

    answer = send(as_(site, login), "ask", {"asked": asked})

    assert (answer.status_code == 303) is (asked in taken)
    assert [each.asked for each in site.cluster.asked] == ([asked] if asked in taken else [])


def test_what_is_pressed_is_stored_with_who_where_and_at_which_commit_and_twice_is_once() -> None:
    site = a_site()
    browser = as_(site, "maria")
    page = look(browser).text
    data = {"csrf": field(page, "csrf"), "form": field(page, "form"), "asked": "extend"}

    for _ in range(2):
        answer = browser.post(f"{ADDRESS}/ask", base_url=URL, data=data, headers=SAME_ORIGIN)
        assert answer.status_code == 303

    first, second = site.cluster.asked
    assert first.name == second.name
    assert (first.actor.login, first.actor.id) == ("maria", 7)
    assert (first.source.kind, first.source.head_sha, first.requested_at) == (AskedIn.PAGE, HEAD, NOW)
    assert "Asked for two hours more" in Page(look(browser, answer.headers["Location"]).text).words


def test_another_button_of_the_same_page_is_another_request() -> None:
    site = a_site()
    browser = as_(site, "maria")
    page = look(browser).text
    data = {name: field(page, name) for name in ("csrf", "form", "head")}

    # As after a step back, to a page that the browser has kept.
    for asked in Asked:
        browser.post(f"{ADDRESS}/ask", base_url=URL, data={**data, "asked": asked}, headers=SAME_ORIGIN)

    assert {each.asked for each in site.cluster.asked} == {*Asked}
    assert len({each.name for each in site.cluster.asked}) == len(Asked)


@pytest.mark.parametrize(
    ("asked", "status"), [("start", 409), ("restart", 409), ("stop", 303), ("extend", 303), ("reset", 303)]
)
def test_only_the_commit_that_somebody_had_before_them_is_started(asked: str, status: int) -> None:
    site = a_site()
    browser = as_(site, "maria")
    page = look(browser).text
    data = {"csrf": field(page, "csrf"), "form": field(page, "form"), "asked": asked, "head": OLDER}

    assert browser.post(f"{ADDRESS}/ask", base_url=URL, data=data, headers=SAME_ORIGIN).status_code == status


def test_what_the_cluster_does_not_take_is_told() -> None:
    site = a_site()
    browser = as_(site, "maria")
    page = look(browser).text
    data = {"csrf": field(page, "csrf"), "form": "no number", "asked": "extend"}

    assert browser.post(f"{ADDRESS}/ask", base_url=URL, data=data, headers=SAME_ORIGIN).status_code == 400
    site.cluster.error = TryLater("Kubernetes")
    data["form"] = field(page, "form")
    assert browser.post(f"{ADDRESS}/ask", base_url=URL, data=data, headers=SAME_ORIGIN).status_code == 503


@pytest.mark.parametrize("state", sorted(STATES))
def test_every_state_has_a_page_for_a_writer_and_for_a_reader(state: str) -> None:
    preview = STATES[state]
    titled = replace(preview.status, observed=replace(preview.status.observed, title=TITLE))
    site = a_site(replace(preview, status=titled))

    for login in ("maria", "rob"):
        page = Page(look(as_(site, login)).text)
        assert [tag for tag, _ in page.tags].count("h1") == 1
        assert PULL_REQUEST in page.links
        assert TITLE in page.words


@pytest.mark.parametrize(
    ("phase", "reason", "offered"),
    [
        (Phase.EXPIRED, Reason.TIME_UP, True),
        (Phase.STOPPED, Reason.BY_COMMAND, True),
        (Phase.STOPPED, Reason.MERGED, False),
        (Phase.READY, Reason.ALL_READY, False),
    ],
)
def test_start_again_is_offered_where_it_would_start(phase: Phase, reason: Reason, offered: bool) -> None:
    preview = a_ready_one(phase=phase, reason=reason)

    for fork in (False, True):
        observed = replace(preview.status.observed, fork=fork)
        site = a_site(replace(preview, status=replace(preview.status, observed=observed)))
        assert ("Start again" in look(as_(site, "maria")).text) is (offered and not fork)
