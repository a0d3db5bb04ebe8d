"""Signing in and out over HTTP: where it leads, for how long, and what is said where it does not work."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.fernet import Fernet
from flask import Response

from previewbot.clients.github.people import SessionOver
from previewbot.clients.github.people_answers import SignInRefused
from previewbot.errors import Forbidden, SettingsError, TryLater
from previewbot.pages.forms import CSRF_FIELD
from previewbot.pages.sign_in import STARTED_COOKIE
from previewbot.people.sessions import COOKIE
from previewbot.runtime.pages_app import create_pages
from tests.support.pages import Page
from tests.support.people import KEY, SAME_ORIGIN, URL, Cluster, Site, cookie_of, put_cookie, settings
from tests.support.previews import NOW
from tests.support.states import STATES

DEEP = "/p/812/42?path=%2Fbasket"


def csrf_of(cookie: str | None) -> str:
    assert cookie
    return str(json.loads(Fernet(KEY).decrypt(cookie))["csrf"])


def test_a_person_signs_in_and_comes_back_to_the_page() -> None:
    site = Site()
    browser = site.browser()

    answer = site.sign_in(browser, "maria", DEEP)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{URL}{DEEP}")
    assert cookie_of(browser) and cookie_of(browser, STARTED_COOKIE) is None
    for name, value in {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}.items():
        assert answer.headers[name] == value


def test_github_is_asked_with_a_state_and_a_challenge_and_the_settings_own_address() -> None:
    site = Site()

    url = urlsplit(site.begin(site.browser()))

    asked = {key: values[0] for key, values in parse_qs(url.query).items()}
    assert (url.netloc, url.path) == ("github.com", "/login/oauth/authorize")
    assert asked["redirect_uri"] == f"{URL}/sign-in/done"
    assert len(asked["state"]) >= 43 and len(asked["code_challenge"]) == 43


def test_a_second_sign_in_has_other_secrets_and_whoever_is_signed_in_goes_on_at_once() -> None:
    site = Site()
    first, second = (parse_qs(urlsplit(site.begin(site.browser())).query) for _ in range(2))
    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]

    browser = site.browser()
    site.sign_in(browser, "maria")
    assert browser.get("/sign-in?to=/p/812/42", base_url=URL).headers["Location"] == f"{URL}/p/812/42"


@pytest.mark.parametrize(("lives", "ends"), [(timedelta(hours=8), 8), (timedelta(hours=1), 1)])
def test_a_session_ends_with_its_token(lives: timedelta, ends: int) -> None:
    site = Site()
    site.github.lives = lives
    browser = site.browser()
    site.sign_in(browser, "maria")
    kept = browser.get_cookie(COOKIE, domain="previews.example.com")
    assert kept is not None and kept.max_age == ends * 3600

    site.at = NOW + lives - timedelta(seconds=1)
    assert browser.get("/sign-in", base_url=URL).headers["Location"] == f"{URL}/"
    site.at = NOW + lives
    assert browser.get("/sign-in", base_url=URL).headers["Location"].startswith("https://github.com/")


def test_another_pod_knows_who_is_signed_in() -> None:
    site = Site()
    browser = site.browser()
    site.sign_in(browser, "maria")
    other = site.pages().test_client()
    put_cookie(other, cookie_of(browser) or "")

    assert other.get("/sign-in", base_url=URL).headers["Location"] == f"{URL}/"


def test_of_two_tabs_the_slower_one_is_led_on_as_well() -> None:
    site = Site()
    browser = site.browser()
    first, second = (site.begin(browser, f"/p/812/{number}") for number in (1, 2))
    slow, fast = site.github.allowed("maria", first), site.github.allowed("maria", second)

    assert site.end(browser, fast).headers["Location"] == f"{URL}/p/812/2"
    assert site.end(browser, slow).headers["Location"] == f"{URL}/p/812/1"
    assert site.github.exchanged == 1


def test_a_browser_that_lost_its_cookie_tries_again_on_its_way_to_the_same_page() -> None:
    site = Site()
    back = site.github.allowed("maria", site.begin(site.browser(), DEEP))

    answer = site.end(site.browser(), back)

    assert answer.status_code == 400
    assert Page(answer.text).links == {"/sign-in?to=/p/812/42%3Fpath%3D%252Fbasket": "button"}


def test_a_long_way_back_is_kept_in_the_cookie_alone() -> None:
    site = Site()
    browser, long = site.browser(), f"/p/812/42?path={'a' * 900}"

    url = site.begin(browser, long)

    assert len(url) < 500
    assert site.end(browser, site.github.allowed("maria", url)).headers["Location"] == f"{URL}{long}"


# What does not work


@pytest.mark.parametrize(
    ("query", "status", "words", "logged"),
    [
        ("error=access_denied", 403, "At GitHub you did not let previewbot act for you", []),
        ("error=application_suspended", 503, "no fault of yours", ["application_suspended"]),
        ("error=redirect_uri_mismatch", 503, "no fault of yours", ["redirect_uri_mismatch"]),
        ("error=%0Aforged+line", 503, "no fault of yours", ["other"]),
        ("error=", 503, "no fault of yours", ["other"]),
        ("", 400, "too old, was used already, or was begun in another tab", []),
        ("code=", 400, "too old, was used already", []),
        ("code=never-given", 400, "too old, was used already", []),
    ],
)
def test_what_github_answers_otherwise_is_told_with_the_way_to_try_again(
    query: str, status: int, words: str, logged: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    site = Site()
    browser = site.browser()
    state = parse_qs(urlsplit(site.begin(browser, DEEP)).query)["state"][0]

    with caplog.at_level(logging.ERROR):
        answer = browser.get(f"/sign-in/done?{query}&state={state}", base_url=URL)

    page = Page(answer.text)
    assert (answer.status_code, words in page.words) == (status, True)
    assert page.links == {"/sign-in?to=/p/812/42%3Fpath%3D%252Fbasket": "button"}
    assert cookie_of(browser) is None
    assert [getattr(record, "error", "") for record in caplog.records] == logged
    # The way to try again leads to where it was to lead.
    assert site.sign_in(browser, "maria", DEEP).headers["Location"] == f"{URL}{DEEP}"


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (TryLater("GitHub", status=502), 503, "GitHub does not answer right now"),
        (Forbidden("GitHub", status=403), 503, "GitHub does not answer right now"),
        (SignInRefused("unverified_user_email"), 403, "no confirmed email address"),
        (SignInRefused("incorrect_client_credentials"), 503, "no fault of yours"),
        (
            SettingsError(("sign_in.client_secret_file: /x cannot be read",)),
            503,
            "Nobody can sign in right now",
        ),
    ],
)
def test_a_token_that_is_not_given_is_told_in_words(error: Exception, status: int, words: str) -> None:
    site = Site()
    browser = site.browser()
    url = site.begin(browser)
    site.github.error = error  # type: ignore[assignment]

    answer = site.end(browser, site.github.allowed("maria", url))

    assert (answer.status_code, words in Page(answer.text).words) == (status, True)
    assert cookie_of(browser) is None and cookie_of(browser, STARTED_COOKIE) is None


def test_keys_that_cannot_be_read_let_nobody_in_and_it_is_said_why(caplog: pytest.LogCaptureFixture) -> None:
    def unreadable() -> tuple[bytes, ...]:
        raise SettingsError(("sign_in.cookie_keys_file: /keys cannot be read: No such file",))

    site = Site()
    begun = site.browser()
    back = site.github.allowed("maria", site.begin(begun))
    site.keys = unreadable
    with caplog.at_level(logging.ERROR):
        answers = [site.browser().get("/sign-in?to=/p/1/2", base_url=URL), site.end(begun, back)]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert all("Nobody can sign in right now" in Page(answer.text).words for answer in answers)
    assert [record.message for record in caplog.records] == ["nobody can sign in"]


def test_so_many_codes_are_shown_to_github_at_once_and_others_are_told_to_come_again() -> None:
    site = Site()

    browsers = [site.browser() for _ in range(9)]
    backs = [site.github.allowed("maria", site.begin(browser)) for browser in browsers]
    told: list[int] = []
    exchange = site.github.exchange

    def slow(code: str, verifier: str, redirect_uri: str) -> object:
        if len(told) < 8:
            at = len(told) + 1
            told.append(0)
            told[at - 1] = site.end(browsers[at], backs[at]).status_code
        return exchange(code, verifier, redirect_uri)

    site.github.exchange = slow  # type: ignore[method-assign,assignment]
    assert site.end(browsers[0], backs[0]).status_code == 303
    assert told == [303] * 7 + [503]


# Signing out


def test_signing_out_ends_the_cookie_and_the_token() -> None:
    site = Site()
    browser = site.browser()
    site.sign_in(browser, "maria")
    token = next(iter(site.github.tokens))
    form = {CSRF_FIELD: csrf_of(cookie_of(browser)), "to": "/p/812/42"}

    answer = browser.post("/sign-out", data=form, headers=SAME_ORIGIN, base_url=URL)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{URL}/p/812/42")
    assert (cookie_of(browser), site.github.revoked) == (None, [token])


def test_signing_out_works_also_where_github_does_not_answer() -> None:
    site = Site()
    browser = site.browser()
    site.sign_in(browser, "maria")
    site.github.error = TryLater("GitHub", status=502)
    form = {CSRF_FIELD: csrf_of(cookie_of(browser)), "to": "https://evil.example"}

    answer = browser.post("/sign-out", data=form, headers=SAME_ORIGIN, base_url=URL)

    assert (answer.headers["Location"], cookie_of(browser)) == (f"{URL}/", None)


# A session that GitHub has ended


def test_a_session_that_is_over_leads_to_a_new_sign_in_and_back() -> None:
    site = Site(values={"pages": "public"})

    @site.app.route("/p/<int:a>/<int:b>/something", methods=["GET", "POST"])
    def needs_github(**_: int) -> Response:
        raise SessionOver("GET /repositories/812", status=401)

    site.cluster.hold(STATES["ready"])
    browser = site.browser()
    site.sign_in(browser, "maria")
    site.github.tokens.clear()
    answer = browser.get("/previews?state=ready", base_url=URL)
    assert (answer.status_code, cookie_of(browser)) == (303, None)
    assert answer.headers["Location"] == f"{URL}/sign-in?to=/previews%3Fstate%3Dready"

    site.sign_in(browser, "maria")
    posted = browser.post("/p/812/42/something", base_url=URL)
    assert (posted.status_code, cookie_of(browser)) == (403, None)
    assert Page(posted.text).links == {"/sign-in?to=/p/812/42": "button"}


# Where nobody signs in


@pytest.mark.parametrize("address", ["/sign-in", "/sign-in/done", "/sign-in/done?code=a&state=b"])
def test_without_a_sign_in_its_addresses_are_as_unknown_as_any(address: str) -> None:
    browser = create_pages(settings(access="none"), Cluster(), now=lambda: NOW).test_client()

    answer, unknown = browser.get(address), browser.get("/never-heard-of")

    assert (answer.status_code, answer.text) == (404, unknown.text)
    assert "Set-Cookie" not in answer.headers
    assert browser.post("/sign-out", headers=SAME_ORIGIN).status_code == 404


def test_pages_do_not_begin_without_somebody_to_ask_who_people_are() -> None:
    with pytest.raises(ValueError, match="nobody was given to ask"):
        create_pages(settings(), Cluster(), now=lambda: NOW)
