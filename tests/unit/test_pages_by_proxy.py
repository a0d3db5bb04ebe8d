"""A preview's page for people who come by a sign-on proxy: what they see, cell by cell, over HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from previewbot.api import Asked, Preview
from previewbot.errors import TryLater
from tests.support.pages import Page
from tests.support.proxied import BY_ASSERTION, BY_HEADER, EMAIL, HEADER, STRANGER, Behind, claims, signed
from tests.unit.test_list_of_previews import a_preview
from tests.unit.test_pages_for_people import ADDRESS, TITLE, a_ready_one

SAYS = {"X-Forwarded-Email": EMAIL}
WAYS: list[tuple[dict[str, Any], dict[str, str]]] = [
    (BY_HEADER, SAYS),
    (BY_ASSERTION, {HEADER: signed(claims())}),
]


def of_repository(name: str) -> Preview:
    return named(a_ready_one(), name)


def named(preview: Preview, repository: str) -> Preview:
    """Return it with the name that GitHub gives its repository."""
    observed = replace(preview.status.observed, repository=repository)
    return replace(preview, status=replace(preview.status, observed=observed))


def behind(proxy: dict[str, Any], preview: Preview | None = None, **values: Any) -> Behind:
    site = Behind(proxy, values)
    site.cluster.hold(preview or of_repository("acme/shop"))
    return site


@pytest.mark.parametrize(("proxy", "says"), WAYS)
@pytest.mark.parametrize(
    ("sees", "comes", "pages", "state", "words"),
    [
        ("words", True, "private", True, True),
        ("words", True, "public", True, True),
        ("state", True, "private", True, False),
        ("state", True, "public", True, False),
        ("words", False, "private", False, False),
        ("words", False, "public", True, False),
    ],
)
def test_who_sees_state_and_who_sees_words(
    proxy: dict[str, Any], says: dict[str, str], sees: str, comes: bool, pages: str, state: bool, words: bool
) -> None:
    site = behind({**proxy, "sees": sees}, pages=pages)

    answer, told = (site.get(path, says if comes else {}) for path in (ADDRESS, f"{ADDRESS}.json"))

    assert (answer.status_code, told.status_code) == ((200, 200) if state else (404, 404))
    assert ("Open the preview" in answer.text) is state
    assert (TITLE in answer.text) is words
    assert (f"{EMAIL} (not a GitHub account)" in answer.text) is comes


@pytest.mark.parametrize("address", [ADDRESS, f"{ADDRESS}.json"])
def test_what_they_may_and_what_they_see_are_read_at_once(address: str) -> None:
    site = behind(BY_HEADER)

    assert site.get(address, SAYS).status_code == 200
    assert site.cluster.read == 1


@pytest.mark.parametrize("sees", ["words", "state"])
def test_who_is_to_look_only_has_nothing_to_press_and_what_is_sent_does_nothing(sees: str) -> None:
    site = behind({**BY_HEADER, "sees": sees, "may_say": False})

    page = site.get(ADDRESS, SAYS)

    assert "<form" not in page.text
    assert "/sign-in" not in page.text
    assert "form-action 'none'" in page.headers["Content-Security-Policy"]
    for asked in Asked:
        assert site.post(f"{ADDRESS}/ask", SAYS, {"asked": asked}).status_code == 404
    assert site.post(f"{ADDRESS}/verdict", SAYS, {"says": "good"}).status_code == 404
    assert site.cluster.asked == []


def test_what_the_settings_do_not_name_and_what_is_not_there_look_alike() -> None:
    site = behind(BY_HEADER, of_repository("elsewhere/shop"))

    there, nowhere = site.get(ADDRESS, SAYS), site.get("/p/813/42", SAYS)

    assert there.status_code == nowhere.status_code == 404
    assert there.text.replace("812", "813") == nowhere.text
    assert "There is nothing here that you may see" in there.text
    told = [site.get(f"{path}.json", SAYS) for path in (ADDRESS, "/p/813/42")]
    assert told[0].status_code == told[1].status_code == 404
    assert told[0].data == told[1].data


def test_a_name_that_only_a_webhook_gave_the_repository_opens_nothing() -> None:
    assert a_ready_one().spec.repository == "acme/shop"

    assert behind(BY_HEADER, of_repository("")).get(ADDRESS, SAYS).status_code == 404


def test_they_are_called_as_the_proxy_calls_them() -> None:
    site = behind({**BY_HEADER, "name_header": "X-Forwarded-User"})

    named = site.get(ADDRESS, {**SAYS, "X-Forwarded-User": "Pia Müller".encode().decode("latin-1")})

    assert "You are here as Pia Müller" in named.text
    # Where a name is looked for elsewhere, an address of mail is not told in its place.
    assert "You are here as pia (not" in Page(site.get(ADDRESS, SAYS).text).words
    # A name alone says who nobody is.
    assert site.get(ADDRESS, {"X-Forwarded-User": "Pia"}).status_code == 404


NO_NAMES = ["Doe, John", "Evil,Pia", "\u200b", "Pi\u200ba", "x" * 255, " ", "a\u2028b"]


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name_keeps_nobody_out(name: str, caplog: pytest.LogCaptureFixture) -> None:
    by_header = behind({**BY_HEADER, "name_header": "X-Forwarded-Preferred-Username"})
    assertion = BY_ASSERTION["assertion"] | {"name_claim": "name"}
    by_claim = behind({**BY_ASSERTION, "assertion": assertion})
    sent = {**SAYS, "X-Forwarded-Preferred-Username": name.encode().decode("latin-1")}

    for site, says in ((by_header, sent), (by_claim, {HEADER: signed(claims(name=name))})):
        page = site.get(ADDRESS, says)
        assert page.status_code == 200
        assert "You are here as pia (not" in Page(page.text).words
    told = [getattr(each, "why", "") for each in caplog.records]
    assert all("is no name on one line" in each and name not in each for each in told)
    assert not name.strip() or ["X-Forwarded-Preferred-Username" in told[0], "name" in told[1]] == [True] * 2


@pytest.mark.parametrize(
    ("name", "called"), [("Pia Müller", "Pia Müller"), (None, "pia"), (7, "pia"), ([], "pia")]
)
def test_a_claim_has_their_name(name: object, called: str) -> None:
    site = behind({**BY_ASSERTION, "assertion": BY_ASSERTION["assertion"] | {"name_claim": "name"}})

    page = site.get(ADDRESS, {HEADER: signed(claims(name=name))})

    assert f"You are here as {called} (not" in Page(page.text).words


def test_a_name_is_shown_as_a_name() -> None:
    site = behind({**BY_HEADER, "name_header": "X-Forwarded-User"})

    page = site.get(ADDRESS, {**SAYS, "X-Forwarded-User": "<b>x</b>" + "a" * 200}).text

    assert "<b>x</b>" not in page
    assert "You are here as <b>x</b>" + "a" * 92 + " (not" in Page(page).words


def test_the_page_and_its_json_have_one_tag() -> None:
    site = behind(BY_HEADER)
    told = site.get(f"{ADDRESS}.json", SAYS)

    assert f'data-tag="&#34;{told.get_etag()[0]}&#34;"' in site.get(ADDRESS, SAYS).text
    again = site.get(f"{ADDRESS}.json", {**SAYS, "If-None-Match": told.headers["ETag"]})
    assert again.status_code == 304
    assert json.loads(told.data)["phase"]


def test_while_the_cluster_does_not_answer_it_is_said_so() -> None:
    site = behind(BY_HEADER)
    site.cluster.error = TryLater("Kubernetes")

    page, told = site.get(ADDRESS, SAYS), site.get(f"{ADDRESS}.json", SAYS)

    assert (page.status_code, told.status_code) == (503, 503)
    assert "The cluster does not answer" in page.text
    assert told.json is not None
    assert told.json["message"].startswith("the cluster does not answer right now")


def test_nobody_signs_in_with_github_there() -> None:
    site = behind(BY_HEADER)

    assert site.get("/sign-in").status_code == 404
    assert "/sign-in" not in site.get("/").text
    assert "Sign in" not in site.get(ADDRESS).text


@pytest.mark.parametrize(("proxy", "says"), WAYS)
def test_the_list_has_what_the_settings_name_and_nothing_else(
    proxy: dict[str, Any], says: dict[str, str]
) -> None:
    site = Behind(proxy)
    site.cluster.hold(named(a_preview(1), "acme/shop"))
    # The name that a webhook gave it is one that the settings name; GitHub's is not.
    hidden = a_preview(2, repository="acme/shop", repository_id=813)
    site.cluster.hold(named(hidden, "elsewhere/hidden"))

    page, told = site.get("/previews", says), site.get("/previews.json", says)

    assert (page.status_code, told.status_code) == (200, 200)
    assert "Title 1" in page.text
    assert "(not a GitHub account)" in page.text
    assert "Sign out" not in page.text
    assert told.json is not None
    assert [each["number"] for each in told.json["previews"]] == [1]
    for text in (page.text, told.text):
        assert "Title 2" not in text
        assert "elsewhere/" not in text


def test_the_list_is_for_nobody_else() -> None:
    site = behind(BY_HEADER)

    assert site.get("/previews").status_code == 404
    assert site.get("/previews", SAYS, STRANGER).data == site.get("/previews").data
    assert site.get("/previews.json", SAYS, STRANGER).status_code == 404


def test_whoever_sees_how_things_stand_alone_has_no_words_in_the_list() -> None:
    site = Behind({**BY_HEADER, "sees": "state"})
    for number, public in ((1, True), (2, False)):
        site.cluster.hold(named(a_preview(number, public=public), "acme/shop"))

    page = Page(site.get("/previews", SAYS).text).words

    assert "acme/shop #1" in page
    assert "#2" not in page
    assert "Title" not in page
