"""Somebody wants to act as somebody else, to have them act unawares, or to have them led elsewhere.

Attack: an answer of GitHub's that another browser asked for, replayed, or with a code of the attacker's own;
a sign-in that is to end on the attacker's page; a cookie of somebody else's, or of keys that were given up; a
form that another site sends, a preview's own code above all, which may be on the same domain.
Expected: nobody is signed in but by the browser that began it, nobody leaves our host but for GitHub's, and
no form counts that was not sent from our own page by whoever is signed in.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from cryptography.fernet import Fernet
from flask import Flask, request
from flask.testing import FlaskClient

from previewbot.clients.github.people_answers import SignInRefused
from previewbot.pages import forms
from previewbot.pages.forms import CSRF_FIELD, MOST_BYTES, check_form
from previewbot.pages.sign_in import STARTED_COOKIE
from previewbot.people.person import Person
from previewbot.people.sessions import COOKIE
from previewbot.text.render import Renderer
from tests.support.pages import Page
from tests.support.people import KEY, SAME_ORIGIN, URL, Site, cookie_of, put_cookie

FORM = "application/x-www-form-urlencoded"
MARIA = Person(7, "maria", "ghu_maria", "the-token-of-marias-forms")


def who(site: Site, browser: FlaskClient) -> str | None:
    """Return as whom a browser is signed in."""
    cookie = cookie_of(browser)
    return None if cookie is None else str(json.loads(Fernet(KEY).decrypt(cookie))["login"])


# Whose sign-in it is


def test_an_answer_that_another_browser_asked_for_signs_nobody_in() -> None:
    site = Site()
    mallorys, marias = site.browser(), site.browser()
    # Mallory's own code, which Maria is to follow: she would write her verdict as Mallory.
    back = site.github.allowed("mallory", site.begin(mallorys))

    for begun in (False, True):
        if begun:
            site.begin(marias)
        answer = site.end(marias, back)
        assert (answer.status_code, who(site, marias)) == (400, None)
    assert site.github.exchanged == 0


def test_an_answer_with_another_state_neither_signs_in_nor_ends_the_sign_in_that_is_under_way() -> None:
    site = Site()
    browser = site.browser()
    back = site.github.allowed("maria", site.begin(browser))

    for state in ("", "x", "ü", "\0", parse_qs(urlsplit(back).query)["state"][0][:-1]):
        answer = browser.get(f"/sign-in/done?{urlencode({'code': 'code-0', 'state': state})}", base_url=URL)
        assert (answer.status_code, who(site, browser)) == (400, None)
        denied = browser.get(f"/sign-in/done?{urlencode({'error': 'x', 'state': state})}", base_url=URL)
        assert denied.status_code == 400
    assert site.github.exchanged == 0
    assert (site.end(browser, back).status_code, who(site, browser)) == (303, "maria")


def test_a_code_that_was_seen_on_its_way_is_of_no_use_elsewhere() -> None:
    site = Site()
    marias, mallorys = site.browser(), site.browser()
    code = dict(parse_qsl(urlsplit(site.github.allowed("maria", site.begin(marias))).query))["code"]
    state = parse_qs(urlsplit(site.begin(mallorys)).query)["state"][0]

    # With a state of Mallory's own; GitHub has the challenge of Maria's browser.
    answer = site.end(mallorys, f"/sign-in/done?{urlencode({'code': code, 'state': state})}")

    assert (answer.status_code, who(site, mallorys), site.github.exchanged) == (400, None, 1)


def test_an_answer_counts_once() -> None:
    site = Site()
    browser = site.browser()
    url = site.begin(browser)
    started = cookie_of(browser, STARTED_COOKIE) or ""
    back = site.github.allowed("maria", url)
    assert site.end(browser, back).status_code == 303

    # Without the cookie of its beginning, which has gone, it leads on whoever is signed in, and that is all.
    before, again = cookie_of(browser), site.end(browser, back)
    assert (again.headers["Location"], cookie_of(browser)) == (f"{URL}/", before)
    assert site.github.exchanged == 1
    # With a copy of the cookie, from another browser.
    other = site.browser()
    put_cookie(other, started, STARTED_COOKIE)
    assert (site.end(other, back).status_code, who(site, other)) == (400, None)


def test_a_sign_in_that_was_begun_long_ago_is_over() -> None:
    site = Site()
    browser = site.browser()
    url = site.begin(browser)
    started, back = cookie_of(browser, STARTED_COOKIE) or "", site.github.allowed("maria", url)
    site.at += timedelta(minutes=10)
    put_cookie(browser, started, STARTED_COOKIE)

    assert (site.end(browser, back).status_code, who(site, browser)) == (400, None)


def test_the_cookies_are_not_each_others() -> None:
    site = Site()
    browser = site.browser()
    site.begin(browser)
    swapped = site.browser()
    put_cookie(swapped, cookie_of(browser, STARTED_COOKIE) or "", COOKIE)
    assert swapped.get("/sign-in", base_url=URL).headers["Location"].startswith("https://github.com/")

    site.sign_in(browser, "maria")
    put_cookie(swapped, cookie_of(browser) or "", STARTED_COOKIE)
    assert swapped.get("/sign-in/done?state=&code=x", base_url=URL).status_code == 400


def test_a_sign_in_keeps_nothing_of_what_the_browser_had_before() -> None:
    site = Site()
    browser = site.browser()
    put_cookie(browser, "chosen-by-mallory")
    site.sign_in(browser, "maria")
    first = cookie_of(browser)
    assert who(site, browser) == "maria" and first != "chosen-by-mallory"

    # Who signs in anew has another token for forms: what was seen of the old one is of no use.
    browser.delete_cookie(COOKIE, domain="previews.example.com")
    site.sign_in(browser, "maria")
    one, other = (json.loads(Fernet(KEY).decrypt(cookie or "")) for cookie in (first, cookie_of(browser)))
    assert one["csrf"] != other["csrf"]


def test_keys_that_were_given_up_open_nothing() -> None:
    site, stolen = Site(), Fernet.generate_key()
    site.keys = lambda: (KEY, stolen)
    forged = {"version": 1, "purpose": "session", "account": 7, "login": "maria", "token": "t", "csrf": "c"}
    cookie = Fernet(stolen).encrypt(json.dumps({**forged, "until": 4_000_000_000}).encode()).decode()
    browser = site.browser()
    put_cookie(browser, cookie)
    assert browser.get("/sign-in", base_url=URL).headers["Location"] == f"{URL}/"

    site.keys = lambda: (KEY,)
    assert browser.get("/sign-in", base_url=URL).headers["Location"].startswith("https://github.com/")


# Where it leads


@pytest.mark.parametrize(
    "to",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "/p/812/42@evil.example"),
        *(
            "/p/812/42\r\nSet-Cookie: a=b",
            "javascript:alert(1)",
            "/sign-out",
            "/p/812/42/../../..//evil.example",
        ),
    ],
)
def test_a_sign_in_leads_nowhere_else(to: str) -> None:
    site = Site()
    browser = site.browser()

    assert site.sign_in(browser, "maria", to).headers["Location"] == f"{URL}/"
    again = browser.get("/sign-in", query_string={"to": to}, base_url=URL)
    assert again.headers["Location"] == f"{URL}/"


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/sign-out", "/p/1/2@evil", "\0"])
@pytest.mark.parametrize("signed_in", [False, True])
def test_a_state_of_somebodys_own_leads_nowhere_else(to: str, signed_in: bool) -> None:
    site = Site()
    browser = site.browser()
    if signed_in:
        site.sign_in(browser, "maria")
    state = f"x.{base64.urlsafe_b64encode(to.encode()).decode()}"

    answer = browser.get("/sign-in/done", query_string={"state": state, "code": "x"}, base_url=URL)

    if signed_in:
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{URL}/")
    else:
        assert (answer.status_code, Page(answer.text).links) == (400, {"/sign-in?to=/": "button"})


def test_nobody_writes_into_the_log_what_github_never_said(caplog: pytest.LogCaptureFixture) -> None:
    site = Site()
    browser = site.browser()
    for number in range(30):
        state = parse_qs(urlsplit(site.begin(browser)).query)["state"][0]
        made_up = {"error": f"made_up_{'abcdefghijklmnopqrstuvwxyzabcd'[: number + 1]}", "state": state}
        assert browser.get("/sign-in/done", query_string=made_up, base_url=URL).status_code == 503
    assert [vars(record)["error"] for record in caplog.records] == ["other"]

    # And there is room left for what is really wrong.
    caplog.clear()
    site.github.error = SignInRefused("incorrect_client_credentials")
    site.sign_in(browser, "maria")
    assert [vars(record)["error"] for record in caplog.records] == ["incorrect_client_credentials"]


@pytest.mark.parametrize("login", ["", "maria"])
@pytest.mark.parametrize(
    "path",
    ["/", "/p/812/42", "/p/812/42.json", "/p.json", "/sign-in", "/sign-in/done", "/nowhere", "/healthz"],
)
def test_bytes_that_no_address_has_are_no_fault_of_ours(
    path: str, login: str, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site()
    browser = site.browser()
    if login:
        site.sign_in(browser, login)
    for query in ("to=\xff", "\xff", "said=\xc3", "state=x&code=\x80"):
        answer = browser.get(path, base_url=URL, environ_overrides={"QUERY_STRING": query})
        assert answer.status_code == 400
    assert not caplog.records


@pytest.mark.parametrize("host", ["evil.example", "previews.example.com.evil.example", "localhost"])
def test_the_host_that_is_asked_for_changes_nothing(host: str) -> None:
    site = Site()
    headers = {"Host": host, "X-Forwarded-Host": host, "Forwarded": f"host={host}"}

    answer = site.browser().get("/sign-in", headers=headers)

    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert asked["redirect_uri"] == [f"{URL}/sign-in/done"]
    assert host not in answer.headers["Location"]


def test_what_a_page_says_of_a_failed_sign_in_is_ours() -> None:
    site = Site()
    browser = site.browser()
    state = parse_qs(urlsplit(site.begin(browser)).query)["state"][0]
    hostile = {"state": state, "error": "<script>", "error_description": "Call 555", "error_uri": "//evil"}

    answer = browser.get(f"/sign-in/done?{urlencode(hostile)}", base_url=URL)

    assert not any(word in answer.text for word in ("<script", "555", "evil"))


# Forms


def app() -> Flask:
    made = Flask("test")
    made.register_blueprint(forms.blueprint(Renderer()))

    @made.post("/p/812/42/verdict")
    def written() -> str:
        signed_in = MARIA if "signed-in" in request.cookies else None
        return check_form(signed_in).login

    return made


@pytest.mark.parametrize(
    ("site", "taken", "words"),
    [
        ("same-origin", True, ""),
        # A preview's own code, at another host of the same domain.
        ("same-site", False, "not sent from a page of previewbot"),
        ("cross-site", False, "not sent from a page of previewbot"),
        # Typed by hand, or from a bookmark: there is no form there.
        ("none", False, "not sent from a page of previewbot"),
        ("", False, "not sent from a page of previewbot"),
        ("same-origin, cross-site", False, "not sent from a page of previewbot"),
        ("Same-Origin", False, "not sent from a page of previewbot"),
        (None, False, "Your browser does not say from which page this was sent"),
    ],
)
def test_only_a_form_of_our_own_page_counts(site: str | None, taken: bool, words: str) -> None:
    browser = app().test_client()
    browser.set_cookie("signed-in", "yes")
    headers = {} if site is None else {"Sec-Fetch-Site": site}

    answer = browser.post("/p/812/42/verdict", data={CSRF_FIELD: MARIA.csrf}, headers=headers)

    assert (answer.status_code, answer.text == "maria") == ((200, True) if taken else (403, False))
    if not taken:
        page = Page(answer.text)
        assert "Nothing was done" in page.words and words in page.words
        assert page.links == {"/p/812/42": "button"}


@pytest.mark.parametrize("sent", [None, "", "x", MARIA.csrf[:-1], f"{MARIA.csrf} ", "ü", "\udc80"])
def test_only_the_token_of_this_very_sign_in_counts(sent: str | None) -> None:
    browser = app().test_client()
    browser.set_cookie("signed-in", "yes")
    body = urlencode({} if sent is None else {CSRF_FIELD: sent.encode(errors="surrogateescape")})

    answer = browser.post("/p/812/42/verdict", data=body, content_type=FORM, headers=SAME_ORIGIN)

    assert (answer.status_code, "signed in anew" in Page(answer.text).words) == (403, True)


def test_nobody_sends_a_form_and_a_page_that_is_not_there_says_the_same() -> None:
    browser = app().test_client()

    answer = browser.post("/p/812/42/verdict", data={CSRF_FIELD: ""}, headers=SAME_ORIGIN)

    assert (answer.status_code, Page(answer.text).links) == (403, {"/sign-in?to=/p/812/42": "button"})


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_only_what_a_form_of_ours_sends_is_read(kind: str) -> None:
    browser = app().test_client()
    browser.set_cookie("signed-in", "yes")
    body = urlencode({CSRF_FIELD: MARIA.csrf})

    answer = browser.post("/p/812/42/verdict", data=body, content_type=kind, headers=SAME_ORIGIN)

    assert answer.status_code == 403


@pytest.mark.parametrize("chunked", [False, True])
def test_a_form_is_read_up_to_a_size(chunked: bool) -> None:
    browser = app().test_client()
    browser.set_cookie("signed-in", "yes")
    token = urlencode({CSRF_FIELD: MARIA.csrf})

    for size, status in ((MOST_BYTES, 200), (MOST_BYTES + 1, 403)):
        body = f"{token}&words={'w' * (size - len(token) - 7)}"
        # What a server makes of a body that comes in pieces, whose length nobody knows before.
        environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""} if chunked else {}
        answer = browser.post(
            "/p/812/42/verdict",
            data=body,
            content_type=FORM,
            headers=SAME_ORIGIN,
            environ_overrides=environ,
        )
        assert answer.status_code == status, answer.text


def test_a_form_of_one_person_does_not_count_with_the_cookie_of_another() -> None:
    site = Site()
    marias, robs = site.browser(), site.browser()
    site.sign_in(marias, "maria")
    site.sign_in(robs, "rob")
    robs_form = {CSRF_FIELD: json.loads(Fernet(KEY).decrypt(cookie_of(robs) or ""))["csrf"]}

    answer = marias.post("/sign-out", data=robs_form, headers=SAME_ORIGIN, base_url=URL)

    assert (answer.status_code, who(site, marias), site.github.revoked) == (403, "maria", [])
    put_cookie(marias, cookie_of(robs) or "")
    answer = marias.post("/sign-out", data=robs_form, headers=SAME_ORIGIN, base_url=URL)
    assert (answer.status_code, len(site.github.revoked)) == (303, 1)


def test_another_site_signs_nobody_out() -> None:
    site = Site()
    browser = site.browser()
    site.sign_in(browser, "maria")

    assert browser.get("/sign-out", base_url=URL).status_code == 405
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, SAME_ORIGIN):
        assert browser.post("/sign-out", headers=headers, base_url=URL).status_code == 403
    assert (who(site, browser), site.github.revoked) == ("maria", [])
