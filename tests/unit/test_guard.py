"""The guard before previews: who is let in, over HTTP, as gateways ask it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from previewbot.api import Preview
from previewbot.clients.github.people_answers import RepositoryAccess
from previewbot.config.server import Bearer, bearers, parse
from previewbot.errors import SettingsError, TryLater
from previewbot.pages.past_guard import PastGuard
from previewbot.people.passes import COOKIE, WAY_COOKIE, Passes, new_nonce, way_of
from previewbot.people.sealing import Sealing
from previewbot.people.sessions import COOKIE as SESSION
from previewbot.rules.environment_keys import environment_key, spec_of
from previewbot.rules.guard_bearers import Standing, is_proven, of_a_stranger, signed, standing
from previewbot.runtime.pages_app import create_pages
from tests.support.guarded import (
    DOMAIN,
    KEYS,
    MARK,
    NAVIGATES,
    Guarded,
    asked,
    bearer,
    enter,
    host_of,
    led_to,
    links,
    opened,
    ways_of,
    within,
)
from tests.support.people import URL, cookie_of, settings
from tests.support.previews import NOW
from tests.support.proxied import BY_HEADER, EMAIL, PROXY, Behind
from tests.unit.test_list_of_previews import a_preview
from tests.unit.test_pages_for_people import a_ready_one
from tests.unit.test_settings import SMALLEST, problems


def numbered(number: int) -> Preview:
    """Return a preview of another pull request of the same repository."""
    found = a_preview(number)
    key = environment_key("github.com", 812, number, "acme/shop")
    return replace(found, spec=replace(found.spec, environment_key=key))


PREVIEW = a_ready_one()
OTHER = numbered(43)
HOST, ELSEWHERE = host_of(PREVIEW), host_of(OTHER)
DEEP = "/cart/a%20b?x=1&y=%2F&&z"
WAYS = ["Host", "X-Forwarded-Host"]


def a_site(asks: str = "Host", **values: Any) -> Guarded:
    """Return pages with a guard, of which maria and rob may read the repository, and mallory may not."""
    site = Guarded(asks=asks, values=values)
    for login, writes in (("maria", True), ("rob", False)):
        site.github.may[login, 812] = RepositoryAccess(
            812, "acme/shop", "https://github.com/acme/shop", writes
        )
    site.cluster.hold(PREVIEW)
    site.cluster.hold(OTHER)
    return site


def as_(site: Guarded, login: str) -> FlaskClient:
    browser = site.browser()
    if login:
        site.sign_in(browser, login)
    return browser


@pytest.mark.parametrize("asks", WAYS)
@pytest.mark.parametrize("login", ["maria", "rob"])
def test_who_may_read_the_repository_gets_to_the_deep_link_without_a_click_and_stays(
    asks: str, login: str
) -> None:
    site = a_site(asks)
    browser = as_(site, login)

    first = asked(site, browser, HOST, DEEP, NAVIGATES)
    entered = enter(browser, first.headers["Location"])
    let_in = asked(site, browser, HOST, within(led_to(entered)), NAVIGATES)

    assert (first.status_code, entered.status_code, let_in.status_code) == (302, 200, 302)
    assert let_in.headers["Location"] == f"https://{HOST}{DEEP}"
    [kept] = let_in.headers.getlist("Set-Cookie")
    assert kept.startswith(f"{COOKIE}=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=14400"} <= set(kept.split("; "))
    assert "Domain" not in kept
    # From then on everything: pages, scripts and what these send.
    for method in ("GET", "HEAD", "POST", "OPTIONS", "PROPFIND"):
        answer = asked(site, browser, HOST, DEEP, method=method)
        assert (answer.status_code, answer.data) == (200, b"")
    assert asked(site, browser, HOST, "//x/../%2e", NAVIGATES).status_code == 200
    assert site.counted("passed") == 6.0
    site.at = NOW + timedelta(hours=4)
    assert asked(site, browser, HOST, DEEP, NAVIGATES).status_code == 302


@pytest.mark.parametrize("pages", ["private", "public"])
def test_nobody_signs_in_first_and_lands_on_the_deep_link(pages: str) -> None:
    site = a_site(pages=pages)
    browser = site.browser()

    first = asked(site, browser, HOST, DEEP, NAVIGATES)
    assert first.headers[MARK] == "refused"
    to_sign_in = enter(browser, first.headers["Location"])
    to_github = enter(browser, to_sign_in.headers["Location"])
    back = site.end(browser, site.github.allowed("rob", to_github.headers["Location"]))
    entered = enter(browser, back.headers["Location"])
    let_in = asked(site, browser, HOST, within(led_to(entered)), NAVIGATES)

    assert let_in.headers["Location"] == f"https://{HOST}{DEEP}"
    assert asked(site, browser, HOST, DEEP).status_code == 200


@pytest.mark.parametrize("pages", ["private", "public"])
def test_who_may_not_read_it_is_told_what_they_are_told_of_what_is_not_there(pages: str) -> None:
    site = a_site(pages=pages)
    browser = as_(site, "mallory")
    nowhere = host_of(numbered(44))

    answers = [
        enter(browser, asked(site, browser, each, "/", NAVIGATES).headers["Location"])
        for each in (HOST, nowhere)
    ]

    assert [each.status_code for each in answers] == [404, 404]
    assert answers[0].data == answers[1].data
    assert "There is nothing here that you may see" in answers[0].text


FORGED = [
    ("with another's key", {"repository_id": 999}, "gh-999-42"),
    ("with another's name, too", {}, "gh-999-42"),
    ("with a name that is another's alone", {"repository_id": 999}, "gh-812-43"),
]


@pytest.mark.parametrize(("spec", "name"), [each[1:] for each in FORGED], ids=[each[0] for each in FORGED])
@pytest.mark.parametrize("first", [True, False])
def test_a_preview_with_the_key_of_another_neither_opens_that_nor_shuts_out_its_readers(
    spec: dict[str, Any], name: str, first: bool
) -> None:
    site = a_site()
    site.github.may["mallory", 999] = RepositoryAccess(999, "m/x", "https://github.com/m/x", True)
    forged = replace(PREVIEW, name=name, spec=replace(PREVIEW.spec, **spec))
    site.cluster.objects.clear()
    for each in (forged, PREVIEW) if first else (PREVIEW, forged):
        site.cluster.hold(each)

    entered = [
        enter(browser, asked(site, browser, HOST, "/", NAVIGATES).headers["Location"])
        for browser in (as_(site, "maria"), as_(site, "mallory"))
    ]

    assert [each.status_code for each in entered] == [200, 404]
    for each, told in ((PREVIEW, {"bearer", "bearer_until"}), (forged, set())):
        gateway = settings(links=links()).guarded
        assert set(PastGuard(gateway, lambda: KEYS, lambda: NOW, opens_all=True)(each, Bearer(b"b"))) == told


def test_what_is_no_navigation_is_refused_in_words_and_never_led_to_a_sign_in() -> None:
    site = a_site()
    requests: list[tuple[str, dict[str, str]]] = [
        ("GET", {"Sec-Fetch-Mode": "cors", "Accept": "text/html"}),
        ("GET", {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}),
        ("GET", {**NAVIGATES, "Sec-Fetch-Dest": "iframe"}),
        ("GET", {"Accept": "*/*"}),
        ("GET", {}),
        ("POST", {"Sec-Fetch-Mode": "cors", "Accept": "text/html"}),
        ("OPTIONS", {}),
    ]
    for method, headers in requests:
        answer = asked(site, site.browser(), HOST, "/", headers, method)
        assert answer.status_code == 401, headers
        assert answer.headers[MARK] == "refused"
        assert answer.headers["WWW-Authenticate"] == "Previewbot"
        assert "Set-Cookie" not in answer.headers
        assert "x-previewbot-bearer" in answer.text
    # A form, as at the end of a sign-in at another site: a person reads the answer, and goes on from there.
    sent = asked(
        site, site.browser(), HOST, "/signin-oidc", {**NAVIGATES, "Origin": "https://sso.example"}, "POST"
    )
    assert (sent.status_code, sent.mimetype, sent.headers[MARK]) == (401, "text/html", "refused")
    assert f'href="https://{HOST}/"' in sent.text
    told = asked(site, site.browser(), HOST, "/", {"Accept": "application/json"})
    assert told.json is not None and "whoever may read its repository" in told.json["message"]
    # An old browser, which does not say what it does, and a page that a service worker fetches.
    for headers in ({"Accept": "text/html,*/*"}, {**NAVIGATES, "Sec-Fetch-Dest": "empty"}):
        assert asked(site, site.browser(), HOST, "/", headers).status_code == 302


def test_a_ticket_counts_for_a_minute_in_the_browser_that_set_out_at_its_host() -> None:
    site = a_site()
    browser, another = as_(site, "rob"), as_(site, "maria")
    url = led_to(enter(browser, asked(site, browser, HOST, DEEP, NAVIGATES).headers["Location"]))
    asked(site, another, HOST, "/", NAVIGATES)
    asked(site, browser, ELSEWHERE, "/", NAVIGATES)

    refused = [
        asked(site, site.browser(), HOST, within(url), NAVIGATES),
        asked(site, another, HOST, within(url), NAVIGATES),
        asked(site, browser, ELSEWHERE, within(url), NAVIGATES),
        asked(site, browser, HOST, f"{within(url)}&{url.rpartition('&')[2]}", NAVIGATES),
        asked(site, browser, HOST, within(url).replace("ticket=gAAAAA", "ticket=gAAAAB"), NAVIGATES),
    ]

    for answer in refused:
        # A page with a link, as one that keeps no cookies would be led round for ever.
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers
        assert "previewbot_ticket" not in answer.text
    assert f'href="https://{HOST}{DEEP.replace("&", "&amp;")}"' in refused[0].text
    assert asked(site, browser, HOST, within(url)).status_code == 302
    site.at = NOW + timedelta(seconds=61)
    late = asked(site, as_late(site, browser), HOST, within(url), NAVIGATES)
    assert late.status_code == 403


def as_late(site: Guarded, browser: FlaskClient) -> FlaskClient:
    """Return a browser with the way of another, and no cookie of the preview."""
    found = site.browser()
    way = browser.get_cookie(WAY_COOKIE, domain=HOST)
    assert way is not None
    found.set_cookie(WAY_COOKIE, way.value, domain=HOST, secure=True)
    return found


def test_tabs_that_open_previews_at_once_do_not_end_each_others_ways() -> None:
    site = a_site()
    browser = as_(site, "rob")

    ways = [asked(site, browser, HOST, path, NAVIGATES).headers["Location"] for path in ("/a", "/b")]
    urls = [led_to(enter(browser, way)) for way in ways]
    landed = [asked(site, browser, HOST, within(url), NAVIGATES).headers["Location"] for url in urls]

    # The second comes when the cookie is there: what its ticket says is not shown to the preview either.
    assert landed == [f"https://{HOST}/a", f"https://{HOST}/b"]


def test_the_cookie_of_a_preview_opens_no_other_and_nothing_of_the_bot() -> None:
    site = a_site()
    browser = as_(site, "rob")
    opened(site, browser, HOST)
    kept = browser.get_cookie(COOKIE, domain=HOST)
    assert kept is not None

    other, thief = site.browser(), site.browser()
    other.set_cookie(COOKIE, kept.value, domain=ELSEWHERE, secure=True)
    assert asked(site, other, ELSEWHERE).status_code == 401
    # Its code sees it, and whoever has it is nobody at the bot, whatever it is called there.
    for name in (SESSION, COOKIE, "__Host-previewbot-sign-in"):
        thief.set_cookie(name, kept.value, domain="previews.example.com", secure=True)
    assert thief.get("/p/812/42", base_url=URL).status_code == 404
    entered = enter(thief, asked(site, thief, HOST, "/", NAVIGATES).headers["Location"])
    assert entered.headers["Location"].startswith("/sign-in?")
    assert "rob" not in kept.value
    # Nor does the bot's own cookie open a preview.
    session = cookie_of(browser)
    assert session is not None
    guest = site.browser()
    guest.set_cookie(COOKIE, session, domain=HOST, secure=True)
    assert asked(site, guest, HOST).status_code == 401


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {"Sec-Fetch-Site": "same-origin"}, 200),
        ("POST", {}, 200),
        ("GET", {"Sec-Fetch-Site": "same-site"}, 200),
        ("POST", {"Sec-Fetch-Site": "same-site", "Origin": "https://sso.example.net"}, 200),
        ("POST", {"Sec-Fetch-Site": "same-site", "Origin": f"https://{HOST}"}, 200),
        ("POST", {"Sec-Fetch-Site": "same-site", "Origin": f"https://{ELSEWHERE}"}, 401),
        ("DELETE", {"Sec-Fetch-Site": "same-site", "Origin": f"https://{ELSEWHERE}:8443"}, 401),
        ("POST", {"Sec-Fetch-Site": "same-site", "Origin": "null"}, 401),
        ("POST", {"Sec-Fetch-Site": "cross-site"}, 401),
        # Browsers and gateways that say nothing of the site; a form without a referrer hides its Origin.
        ("POST", {"Origin": f"https://{ELSEWHERE}"}, 401),
        ("POST", {"Origin": f"https://{HOST}"}, 200),
        ("POST", {"Origin": "null"}, 200),
        ("POST", {"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
        # A WebSocket as Chromium begins it, and as those do who say more; and what a script reads.
        ("GET", {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": f"https://{ELSEWHERE}"}, 401),
        ("GET", {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": f"https://{HOST}"}, 200),
        ("GET", {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": "null"}, 401),
        ("GET", {"Sec-Fetch-Mode": "websocket", "Sec-Fetch-Site": "same-site", "Origin": "null"}, 401),
        ("GET", {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
        ("GET", {"Sec-Fetch-Mode": "cors", "Origin": f"https://{ELSEWHERE}"}, 401),
        ("GET", {"Sec-Fetch-Mode": "cors", "Origin": "https://sso.example.net"}, 200),
        ("HEAD", {"Sec-Fetch-Site": "same-site", "Origin": f"http://{ELSEWHERE}:81"}, 401),
        # A link in another preview, which somebody follows.
        ("GET", {**NAVIGATES, "Sec-Fetch-Site": "same-site"}, 200),
    ],
)
def test_the_code_of_another_preview_does_nothing_with_the_cookie(
    method: str, headers: dict[str, str], status: int
) -> None:
    site = a_site()
    browser = as_(site, "rob")
    opened(site, browser, HOST)

    assert asked(site, browser, HOST, "/pay", headers, method).status_code == status


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ('a="; ', '; b="'),
        ('a=";', ';\tb="'),
        (f"x{COOKIE}=1; {COOKIE}; ={COOKIE}; {COOKIE.upper()}=2; ", f"; {COOKIE}=3"),
        (f'a={" " * 8000}"; ', ""),
        (f"a={'=' * 8000}; {';' * 8000}", f"; b{' ' * 8000}=\\"),
    ],
)
def test_no_cookie_of_others_hides_the_guards_or_takes_long_to_read(before: str, after: str) -> None:
    site = a_site()
    browser = as_(site, "rob")
    opened(site, browser, HOST)
    header = f"{before}{COOKIE}={cookie_at(browser, HOST)}{after}"
    client = site.app.test_client(use_cookies=False)

    begun = time.process_time()
    answer = client.get("/auth/", headers={"Cookie": header, **NAVIGATES}, base_url=f"http://{HOST}")

    assert answer.status_code == 200
    # Read in ways that grow with its square, one of these takes seconds.
    assert time.process_time() - begun < 0.5


HEADERS = (
    "Accept",
    "Cookie",
    "Origin",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Previewbot-Bearer",
    "Host",
)


@pytest.mark.parametrize("name", HEADERS)
def test_nothing_that_a_stranger_sends_takes_long_to_read(name: str) -> None:
    for asks, place in (("Host", HOST), ("X-Forwarded-Host", "pages.internal")):
        client = a_site(asks).app.test_client(use_cookies=False)
        headers = {"Host": place, "X-Forwarded-Host": HOST}
        for sent in ("a{}b", 'a={}"', "a;q={}", "a;{}=", "{},", "/{}?"):
            for sign in (" ", ";", ","):
                begun = time.process_time()
                client.get("/auth/", headers={**headers, name: sent.format(sign * 40_000)})
                assert time.process_time() - begun < 1.0, (asks, sent, sign)


@pytest.mark.parametrize(
    ("files", "each_takes_the_others"),
    [
        # A Secret gets to pods one after the other: two of them have two neighbours of these.
        ([("old",), ("old", "new"), ("new", "old"), ("new",)], True),
        # In one step what the first pod makes is worth nothing at the second.
        ([("old",), ("new", "old")], False),
    ],
)
def test_while_keys_change_in_two_steps_each_pod_takes_what_the_others_make(
    files: list[tuple[str, ...]], each_takes_the_others: bool
) -> None:
    pods = [tuple({"old": KEYS[0], "new": KEYS[1]}[name] for name in file) for file in files]
    key, domain = HOST.split(".", 1)
    end, nonce = NOW + timedelta(hours=1), new_nonce()

    def takes(here: tuple[bytes, ...], there: tuple[bytes, ...]) -> set[bool]:
        makes, judges = (Passes(lambda keys=keys: keys, lambda: NOW) for keys in (there, here))  # type: ignore[misc]
        session = Sealing("session", lambda: there).seal({"login": "rob"})
        program = standing(here, signed(there, key, domain, end), key, domain, NOW)
        return {
            judges.lets_in(makes.cookie(HOST, end), HOST),
            judges.takes(makes.ticket(HOST, way_of(nonce)), HOST, nonce),
            program is Standing.COUNTS,
            Sealing("session", lambda: here).opened(session) is not None,
        }

    found = [takes(*pair) | takes(*reversed(pair)) for pair in pairwise(pods)]

    assert (found == [{True}] * len(found)) is each_takes_the_others, found


@pytest.mark.parametrize("asks", WAYS)
def test_a_program_is_let_in_by_a_bearer_of_this_preview_until_its_end(asks: str) -> None:
    site = a_site(asks)
    end = NOW + timedelta(hours=1)

    def with_(value: str, headers: dict[str, str] = NAVIGATES) -> TestResponse:
        return asked(site, site.browser(), HOST, "/", {**headers, "x-previewbot-bearer": value})

    assert with_(bearer(PREVIEW, end)).status_code == 200
    assert with_(bearer(PREVIEW, end, KEYS[1:])).status_code == 200
    wrong = [
        bearer(OTHER, end),
        bearer(PREVIEW, end, (b"A" * 43 + b"=",)),
        bearer(PREVIEW, end).replace(str(int(end.timestamp())), str(int(end.timestamp()) + 1)),
        f"{bearer(PREVIEW, end)},{bearer(PREVIEW, end)}",
        f"Bearer {bearer(PREVIEW, end)}",
        *("", "pvb1", "é"),
    ]
    for value in wrong:
        answer = with_(value)
        assert (answer.status_code, answer.headers[MARK]) == (401, "wrong-bearer"), value
        assert "none of this preview's" in answer.text
    ended = with_(bearer(PREVIEW, NOW))
    assert (ended.status_code, "has ended" in ended.text, ended.headers[MARK]) == (401, True, "ended")


@pytest.mark.parametrize("asks", WAYS)
def test_a_question_as_a_stranger_is_refused_in_a_way_that_only_the_guard_can(asks: str) -> None:
    site = a_site(asks)
    question, _ = of_a_stranger(KEYS, DOMAIN, NOW)
    mark = asked(site, site.browser(), HOST, "/", {"x-previewbot-bearer": question}).headers[MARK]
    said, _, proof = mark.partition(" ")
    key, elsewhere = (each.partition(".")[0] for each in (HOST, ELSEWHERE))

    assert said == "wrong-bearer" and is_proven(KEYS, proof, question, key, DOMAIN)
    for keys, found, given, where in (
        ((b"A" * 43 + b"=",), proof, question, key),
        (KEYS, proof, of_a_stranger(KEYS, DOMAIN, NOW + timedelta(seconds=1))[0], key),
        (KEYS, proof, question, elsewhere),
        (KEYS, "", question, key),
        # Nobody makes one of a bearer that they have.
        (KEYS, question.rpartition(".")[2], question, key),
    ):
        assert not is_proven(keys, found, given, where, DOMAIN)


def test_an_agents_browser_is_let_in_by_an_address_with_a_bearer_until_its_end() -> None:
    site = a_site()
    browser = site.browser()
    end = NOW + timedelta(minutes=20)

    answer = asked(
        site, browser, HOST, f"/cart?a=1&previewbot_bearer={bearer(PREVIEW, end)}", {"Accept": "*/*"}
    )

    assert (answer.status_code, answer.headers["Location"]) == (302, f"https://{HOST}/cart?a=1")
    assert "Max-Age=1200" in answer.headers["Set-Cookie"]
    assert asked(site, browser, HOST, "/cart").status_code == 200
    site.at = end
    assert asked(site, browser, HOST, "/cart").status_code == 401
    wrong = asked(site, site.browser(), HOST, f"/?previewbot_bearer={bearer(OTHER, end)}", NAVIGATES)
    assert wrong.status_code == 401


def test_while_the_guards_keys_cannot_be_read_nobody_is_let_in() -> None:
    site = a_site()
    browser = as_(site, "rob")
    opened(site, browser, HOST)
    url = enter(browser, asked(site, site.browser(), HOST, "/", NAVIGATES).headers["Location"])

    site.guard_keys = SettingsError(("no such file",))
    with_bearer = {"x-previewbot-bearer": bearer(PREVIEW, NOW + timedelta(hours=1))}
    for headers in ({}, NAVIGATES, with_bearer):
        assert asked(site, browser, HOST, "/", headers).status_code in (302, 401, 503)
    assert asked(site, browser, HOST).headers[MARK] == "unusable"
    assert asked(site, site.browser(), HOST, "/", with_bearer).status_code == 503
    assert asked(site, browser, HOST, within(led_to(url))).status_code == 503
    assert enter(browser, asked_way()).status_code == 503


def asked_way() -> str:
    return f"{URL}/enter?to=https%3A%2F%2F{HOST}%2F&way={'w' * 43}"


def test_neither_github_nor_the_api_server_is_needed_by_who_was_let_in() -> None:
    site = a_site()
    browser, another = as_(site, "rob"), as_(site, "maria")
    opened(site, browser, HOST)
    before = (site.cluster.read, site.cluster.listed)

    site.cluster.error = site.github.error = TryLater("elsewhere", message="away")

    assert asked(site, browser, HOST, "/cart").status_code == 200
    assert (site.cluster.read, site.cluster.listed) == before
    # What somebody may is kept for two minutes, and who is not known to may is told who does not answer.
    assert enter(browser, asked_way()).status_code == 200
    away = enter(another, asked_way())
    assert (away.status_code, "GitHub" in away.text) == (503, True)


@pytest.mark.parametrize(
    "to",
    [
        f"https://{HOST}.evil.example/",
        f"https://evil.example/?{HOST}",
        f"https://{HOST}@evil.example/",
        f"https://evil.example@{HOST}/",
        f"https://{HOST}:8443/",
        f"http://{HOST}/",
        f"https://{HOST}",
        f"https://{HOST}/a b",
        f"https://{HOST}/\r\nX: y",
        f"https://{HOST}/#x",
        f"https://{HOST}\\@evil.example/",
        f"//{HOST}/",
        f"https://staging.{HOST.partition('.')[2]}/",
        "javascript:alert(1)",
        "",
    ],
)
def test_a_way_leads_into_a_preview_and_nowhere_else(to: str) -> None:
    site = a_site()
    browser = as_(site, "rob")

    answer = browser.get("/enter", query_string={"to": to, "way": "w" * 43}, base_url=URL)

    assert answer.status_code == 404
    assert "Location" not in answer.headers
    right = {"to": f"https://{HOST}//evil.example/\\x", "way": "w" * 43}
    led = led_to(browser.get("/enter", query_string=right, base_url=URL))
    assert led.startswith(f"https://{HOST}//evil.example/\\x?previewbot_ticket=")
    assert browser.get("/enter", query_string={**right, "way": "w"}, base_url=URL).status_code == 404


def test_a_way_that_is_too_long_for_a_cookie_loses_its_query_and_then_its_path() -> None:
    site = a_site()

    def to(path: str) -> str:
        return ways_of(asked(site, site.browser(), HOST, path, NAVIGATES).headers["Location"])[0]

    assert to(f"/cart?{'q' * 1300}") == f"https://{HOST}/cart?{'q' * 1300}"
    assert to(f"/cart?{'q' * 1500}") == f"https://{HOST}/cart"
    assert to(f"/{'p' * 1500}") == f"https://{HOST}/"
    assert to("/?") == f"https://{HOST}/?"


@pytest.mark.parametrize("asks", WAYS)
def test_a_gateway_that_does_not_ask_as_the_settings_say_gets_no_yes_for_anything(asks: str) -> None:
    site = a_site(asks)
    browser = as_(site, "rob")
    opened(site, browser, HOST)
    cookie = {"Cookie": f"{COOKIE}={cookie_at(browser, HOST)}"}
    client = site.app.test_client(use_cookies=False)
    names_another = {**cookie, "X-Forwarded-Host": HOST, "X-Forwarded-Uri": "/"}

    # Whoever opens another preview names the one that they may see.
    assert client.get("/auth/", headers=names_another, base_url=f"http://{ELSEWHERE}").status_code in (
        401,
        403,
    )
    assert client.get("/auth/", headers=cookie, base_url="http://pages.internal").status_code == 403
    # Without `/auth`: pages of ours are no yes.
    there = {"base_url": f"http://{HOST}"} if asks == "Host" else {"headers": {"X-Forwarded-Host": HOST}}
    for path in ("/", "/healthz", "/openapi.json", "/sign-in", "/authx"):
        answer = client.get(path, **there)
        assert (answer.status_code, answer.headers[MARK]) == (403, "misdirected"), path
    assert client.get("/", base_url=URL).status_code == 200


def cookie_at(browser: FlaskClient, host: str) -> str:
    found = browser.get_cookie(COOKIE, domain=host)
    assert found is not None
    return found.value


def test_people_by_proxy_get_into_the_previews_that_the_settings_open_to_them() -> None:
    observed = replace(PREVIEW.status.observed, repository="acme/shop")
    shown = replace(PREVIEW, status=replace(PREVIEW.status, observed=observed))

    def entered(preview: Preview, headers: dict[str, str], sees: str = "words") -> TestResponse:
        site = Behind({**BY_HEADER, "sees": sees}, {"links": links()}, guard_keys=KEYS)
        site.cluster.hold(preview)
        return site.get(f"/enter?to=https%3A%2F%2F{HOST}%2Fx&way={'w' * 43}", headers, PROXY)

    says = {"X-Forwarded-Email": EMAIL}
    for sees in ("words", "state"):
        assert led_to(entered(shown, says, sees)).startswith(f"https://{HOST}/x?previewbot_ticket=")
    hidden = replace(shown, status=replace(shown.status, observed=replace(observed, repository="other/shop")))
    refused = [entered(hidden, says), entered(shown, {})]
    assert [each.status_code for each in refused] == [404, 404]


def test_programs_are_told_a_bearer_that_counts_and_nobody_else_is() -> None:
    site = a_site()
    client, whole = for_programs(site, {}).test_client(), {"Authorization": f"Bearer {'s' * 32}"}

    by_number = client.get("/p/812/42.json", headers=whole)
    by_name = client.get("/p.json?repository=acme/shop&number=42", headers=whole)

    assert by_number.json == by_name.json and by_number.json is not None
    until = datetime.fromisoformat(by_number.json["bearer_until"])
    assert timedelta(hours=1) <= until - NOW <= timedelta(hours=1.5)
    answer = asked(site, site.browser(), HOST, "/", {"x-previewbot-bearer": by_number.json["bearer"]})
    assert answer.status_code == 200
    # It is no news by the minute.
    site.at = NOW + timedelta(minutes=10)
    assert client.get("/p/812/42.json", headers=whole).headers["ETag"] == by_number.headers["ETag"]
    rob = as_(site, "rob")
    for told in (
        client.get("/previews.json", headers=whole),
        rob.get("/p/812/42.json", base_url=URL),
        rob.get("/p/812/42", base_url=URL),
    ):
        assert told.status_code == 200
        assert "pvb1." not in told.text


@pytest.mark.parametrize(
    ("sends", "opens_previews", "told"),
    [
        ("s", False, {"acme/shop": True}),
        ("o", False, {"m/x": True}),
        ("o", True, {"m/x": True}),
        ("b", False, {"acme/shop": False, "m/x": False}),
        ("b", True, {"acme/shop": True, "m/x": True}),
    ],
)
def test_a_programs_bearer_reads_and_opens_no_other_repositorys_previews(
    sends: str, opens_previews: bool, told: dict[str, bool]
) -> None:
    site = a_site()
    spec = spec_of(
        github_host="github.com",
        app_id=1,
        installation_id=1,
        repository_id=999,
        repository="m/x",
        number=42,
    )
    observed = replace(PREVIEW.status.observed, repository="m/x")
    theirs = replace(PREVIEW, name="gh-999-42", spec=spec, status=replace(PREVIEW.status, observed=observed))
    site.cluster.hold(theirs)
    client = for_programs(site, {"opens_previews": opens_previews}).test_client()
    whole = {"Authorization": f"Bearer {sends * 32}"}

    def listed(query: str = "") -> set[str]:
        answer = client.get(f"/previews.json{query}", headers=whole).get_json()
        return {each["repository"] for each in answer["previews"]}

    found: dict[str, bool] = {}
    for name, number in (("acme/shop", 812), ("m/x", 999)):
        answers = [
            client.get(address, headers=whole)
            for address in (f"/p/{number}/42.json", f"/p.json?repository={name}&number=42")
        ]
        away = client.get(f"/p/{number}/77.json", headers=whole)
        assert (name in told) or {each.data for each in answers} == {away.data}
        if name in told:
            assert [each.status_code for each in answers] == [200, 200]
            [found[name]] = {"bearer" in (each.json or {}) for each in answers}
            assert listed(f"?repository={name}") == {name}

    assert found == told
    assert listed() == set(told)


def for_programs(site: Guarded, api: dict[str, Any]) -> Flask:
    """Return pages of which `s` reads acme/shop's previews, `o` another repository's, and `b` all."""
    lines = f"acme/Shop {'s' * 32}\n{'b' * 32}\nm/x\t{'o' * 32}\n".encode()
    return create_pages(
        settings(**{"links": links(), "api": {"bearer_file": "/nowhere/bearer", **api}}),
        site.cluster,
        now=lambda: site.at,
        github=site.github,
        cookie_keys=site.keys,
        bearers=lambda: bearers(Path("bearer"), lines),
        listing=site.cluster.list_previews,
        guard_keys=lambda: KEYS,
    )


REWRITES = {"type": "URLRewrite", "urlRewrite": {"hostname": "staging.example.com"}}
MIDDLEWARE = {
    "type": "ExtensionRef",
    "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "previewbot-guard"},
}
EXTERNAL = {"type": "ExternalAuth", "externalAuth": {"protocol": "HTTP", "http": {"path": "/auth"}}}
GITHUB = {"client_id": "Iv1.1", "client_secret_file": "/x", "cookie_keys_file": "/y"}


@pytest.mark.parametrize(
    ("guard", "changed", "told"),
    [
        ({}, {}, "links.gateway.guard.host_in is missing"),
        ({"host_in": "Forwarded"}, {}, "links.gateway.guard.host_in must be Host or X-Forwarded-Host"),
        ({"host_in": "Host"}, {}, "links.gateway.guard.keys_file is missing, and the guard lets in nobody"),
        (
            {"host_in": "Host", "keys_file": "/k", "lasts": "25h"},
            {},
            "links.gateway.guard.lasts must be at mo",
        ),
        (
            {"host_in": "Host", "keys_file": "/k"},
            {"sign_in": {}},
            "links.gateway.guard lets in people who have signed in",
        ),
        (
            {"host_in": "Host", "keys_file": "/k"},
            {"scheme": "http"},
            "links.gateway.scheme must be https befo",
        ),
        ({"host_in": "Host", "keys_file": "/k"}, {"scheme": "http", "domain": "p.localhost"}, ""),
        ({"host_in": "Host", "keys_file": "/k", "lasts": "24h"}, {}, ""),
        (
            {"host_in": "X-Forwarded-Host", "keys_file": "/k"},
            {"filters": [REWRITES, MIDDLEWARE]},
            "links.gateway.filters.urlRewrite stands before the filter that asks the guard",
        ),
        ({"host_in": "X-Forwarded-Host", "keys_file": "/k"}, {"filters": [MIDDLEWARE, REWRITES]}, ""),
        ({"host_in": "Host", "keys_file": "/k"}, {"filters": [REWRITES, MIDDLEWARE]}, ""),
        (
            {"host_in": "X-Forwarded-Host", "keys_file": "/k"},
            {"filters": [EXTERNAL]},
            "links.gateway.guard.host_in must be Host, which is where ExternalAuth",
        ),
        (
            {"host_in": "Host", "keys_file": "/k"},
            {"filters": [{"type": "ExternalAuth", "externalAuth": {"protocol": "GRPC"}}]},
            "links.gateway.filters.externalAuth.protocol must be HTTP before a guard",
        ),
        ({"host_in": "Host", "keys_file": "/k"}, {"filters": [EXTERNAL, REWRITES]}, ""),
    ],
)
def test_what_would_let_in_nobody_is_told(guard: dict[str, Any], changed: dict[str, Any], told: str) -> None:
    sign_in = changed.get("sign_in", GITHUB)
    gateway = {"name": "g", "namespace": "g", "domain": "p.example", **changed, "guard": guard}
    gateway.pop("sign_in", None)
    values = {**SMALLEST, "sign_in": sign_in, "links": {"gateway": gateway}}

    if told:
        assert [each[: len(told)] for each in problems(values)] == [told]
    else:
        assert parse(values, {}).guarded is not None
