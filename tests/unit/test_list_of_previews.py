"""All previews as one table: who sees which of them and how much, over HTTP, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from previewbot.api import AgentSeen, Holders, Phase, Poke, Preview, Slot, new_object, status_object
from previewbot.api.rights import Rights
from previewbot.clients.github.people_answers import RepositoryAccess
from previewbot.errors import TryLater
from previewbot.pages import lately, seen
from previewbot.pages.all_previews import LISTED_EVERY_SECONDS, all_previews
from previewbot.pages.seen import MOST_REPOSITORIES, MOST_ROWS, SECONDS_FOR_GITHUB, seen_by
from previewbot.pages.visitors import GITHUB, Strangers, Visitor
from previewbot.people.person import Person
from previewbot.rules.page_access import Standing, rights_of
from previewbot.rules.what_runs import Stands, Wanted, stands, wanted_of
from previewbot.text.for_reader import ForReader
from previewbot.text.render import Renderer
from tests.support.pages import Page
from tests.support.people import URL, Site
from tests.support.previews import NOW
from tests.support.states import STATES

PLACE = "/previews"
HOSTILE = "<script>alert(1)</script>\u202e **x** [y](javascript:z)"


def a_preview(number: int, state: str = "ready", **changes: Any) -> Preview:
    """Return a preview of acme/shop, or of another repository by its number and name."""
    repository_id = changes.pop("repository_id", 812)
    repository = changes.pop("repository", "acme/shop" if repository_id == 812 else f"acme/r{repository_id}")
    preview = STATES[state]
    spec = replace(preview.spec, repository_id=repository_id, number=number, repository=repository)
    seen_there: dict[str, Any] = {
        "title": f"Title {number}",
        "author": "rob",
        "repository": "",
        "public": False,
        "agent": None,
    }
    observed = replace(preview.status.observed, **(seen_there | changes))
    status = replace(preview.status, observed=observed)
    return replace(preview, name=f"gh-{repository_id}-{number}", spec=spec, status=status)


COPILOT = AgentSeen("Copilot", "its account", key="copilot", kind="account")
CLAUDE = AgentSeen("Claude", "a trailer", key="claude", kind="trailer")


def a_site(**values: Any) -> Site:
    """Return pages on which maria reads acme/shop (private), nobody reads acme/secret, and one is public."""
    site = Site(values=values)
    site.github.may["maria", 812] = RepositoryAccess(812, "acme/shop", "https://github.com/acme/shop", True)
    site.cluster.hold(a_preview(1, agent=COPILOT, author="Copilot"))
    site.cluster.hold(a_preview(2, "failed", agent=CLAUDE, author="rob"))
    site.cluster.hold(a_preview(3, "stopped"))
    site.cluster.hold(a_preview(4, "queued"))
    site.cluster.hold(a_preview(5, repository_id=900, repository="acme/secret", title="Sell it all"))
    site.cluster.hold(a_preview(6, repository_id=901, repository="acme/open", title="In sight", public=True))
    return site


def as_(site: Site, login: str) -> FlaskClient:
    browser = site.browser()
    if login:
        site.sign_in(browser, login, PLACE)
    return browser


def look(browser: FlaskClient, query: str = "", place: str = PLACE) -> TestResponse:
    return browser.get(f"{place}{query}", base_url=URL)


def numbers(answer: TestResponse) -> list[int]:
    """Return the rows of the table, in their order."""
    return [int(each) for each in re.findall(r'<tr role="row" data-key="gh-\d+-(\d+)"', answer.text)]


# Who sees what


@pytest.mark.parametrize(
    ("login", "pages", "status", "rows", "titled"),
    [
        ("", "private", 404, [], []),
        ("mallory", "private", 200, [], []),
        ("maria", "private", 200, [2, 1, 4, 3], [1, 2, 3, 4]),
        ("", "public", 200, [6], []),
        ("mallory", "public", 200, [6], []),
        ("maria", "public", 200, [2, 6, 1, 4, 3], [1, 2, 3, 4]),
    ],
)
def test_who_sees_which_previews_and_of_which_the_words(
    login: str, pages: str, status: int, rows: list[int], titled: list[int]
) -> None:
    answer = look(as_(a_site(pages=pages), login))

    assert answer.status_code == status
    assert numbers(answer) == rows
    assert sorted(map(int, re.findall(r"Title (\d+)", answer.text))) == titled
    for word in ("acme/secret", "Sell it all", "In sight"):
        assert word not in answer.text


def test_whoever_is_not_signed_in_where_pages_are_private_is_led_to_the_sign_in_and_nothing_is_listed() -> (
    None
):
    site = a_site()

    page = Page(look(site.browser()).text)

    assert "/sign-in?to=%2Fpreviews" in page.links
    assert "acme" not in page.words
    assert site.cluster.listed == 0


def test_a_sign_in_from_there_leads_back_to_it() -> None:
    site = a_site()

    assert site.sign_in(site.browser(), "maria", PLACE).headers["Location"] == f"{URL}{PLACE}"


def test_strangers_see_neither_agent_nor_person_also_not_by_a_filter() -> None:
    site = a_site(pages="public")
    site.cluster.hold(
        a_preview(6, repository_id=901, repository="acme/open", public=True, agent=CLAUDE, author="rob")
    )
    for login in ("", "mallory"):
        browser = as_(site, login)
        assert numbers(look(browser)) == [6]
        for query in ("?agent=Claude", "?person=rob", "?repository=acme/secret", "?repository=acme/shop"):
            assert numbers(look(browser, query)) == []


def test_where_nobody_signs_in_there_is_a_list_if_pages_are_public_and_none_if_not() -> None:
    public, private = a_site(access="none", pages="public"), a_site(access="none")

    answer = look(public.browser())

    assert numbers(answer) == [6]
    assert "/sign-in" not in answer.text
    assert look(private.browser()).status_code == 404
    assert private.cluster.listed == 0


def test_the_start_leads_there_where_there_is_a_list() -> None:
    for values, leads in (
        ({}, True),
        ({"access": "none", "pages": "public"}, True),
        ({"access": "none"}, False),
    ):
        found = Page(look(a_site(**values).browser(), place="/").text)
        assert (PLACE in found.links) is leads


# What a row says


def test_a_row_says_how_it_stands_who_made_it_and_leads_to_its_page_and_to_the_preview() -> None:
    page = Page(look(as_(a_site(), "maria")).text)

    assert {"/p/812/1", "/p/812/2", "https://github.com/acme/shop/pull/1"} <= set(page.links)
    assert "The preview of pull request #1 is ready" in page.words
    assert "Open the preview" in page.words
    assert "Copilot, Copilot" not in page.words
    assert "Claude, rob" in page.words
    assert "Open until" in page.words


def test_what_waits_says_its_place_and_who_holds_the_slots_by_number_only_in_its_own_repository() -> None:
    site = a_site(pages="public")
    waiting = a_preview(4, "queued", public=True)
    slot = Slot(
        waiting_since=NOW - timedelta(hours=1), queue_position=2, limit=5, holders=Holders((7, 8), 3, 2)
    )
    site.cluster.hold(replace(waiting, status=replace(waiting.status, slot=slot)))

    words = Page(look(as_(site, "maria")).text).words
    strangers = Page(look(site.browser()).text).words

    assert "Number 2 in line; all 5 slots are in use." in words
    assert "Held by #7, #8 and 1 more here and 2 of other repositories." in words
    assert "Number 2 in line" in strangers
    assert "Held by" not in strangers and "#7" not in strangers


def test_what_people_wrote_is_text_and_nothing_else() -> None:
    site = a_site()
    site.cluster.hold(a_preview(1, title=HOSTILE, author=HOSTILE, agent=AgentSeen(HOSTILE, HOSTILE)))

    answer = look(as_(site, "maria"), "?agent=%22%3E%3Cscript%3E")
    all_of_them = look(as_(site, "maria"))

    for found in (answer, all_of_them):
        assert "<script>alert" not in found.text and '"><script>' not in found.text
        assert not [a for tag, a in Page(found.text).tags if tag == "a" and "javascript" in str(a["href"])]
    assert "\u202e" not in all_of_them.text
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("state", sorted(STATES))
def test_every_state_has_a_row_for_readers_and_for_strangers(state: str) -> None:
    site = a_site(pages="public")
    site.cluster.objects.clear()
    site.cluster.hold(a_preview(42, state, public=True))

    for login in ("maria", ""):
        answer = look(as_(site, login))
        assert numbers(answer) == [42]
        assert [tag for tag, _ in Page(answer.text).tags].count("h1") == 1


# Filters and order


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("?repository=ACME/Shop", [2, 1, 4, 3]),
        ("?repository=acme/secret", []),
        ("?repository=acme/none", []),
        ("?state=needs-somebody", [2]),
        ("?state=ready", [1]),
        ("?state=on-its-way", [4]),
        ("?state=ended", [3]),
        ("?agent=copilot", [1]),
        ("?person=Rob&state=ended", [3]),
        ("?person=Copilot", []),
        ("?color=blue&state=&agent=", [2, 1, 4, 3]),
    ],
)
def test_filters_leave_out_what_is_not_asked_for(query: str, rows: list[int]) -> None:
    browser = as_(a_site(), "maria")

    answer = look(browser, query)

    assert (answer.status_code, numbers(answer)) == (200, rows)
    told = look(browser, query, f"{PLACE}.json")
    assert told.json is not None
    assert sorted(each["number"] for each in told.json["previews"]) == sorted(rows)


@pytest.mark.parametrize("query", ["?state=nonsense", f"?repository={'a' * 201}", "?state=Ready%00"])
def test_what_no_preview_can_have_is_said_to_be_that_and_nothing_is_listed(query: str) -> None:
    site = a_site()
    browser = as_(site, "maria")

    answer = look(browser, query)

    assert answer.status_code == 400
    assert "is nothing that a preview can have" in Page(answer.text).words
    assert look(browser, query, f"{PLACE}.json").status_code == 400
    assert site.cluster.listed == 0


def test_what_was_asked_for_stands_in_the_form_again() -> None:
    text = look(as_(a_site(), "maria"), "?repository=acme/shop&state=ended&agent=x&person=rob").text

    for found in ('name="repository" value="acme/shop"', '"ended" selected', 'name="person" value="rob"'):
        assert found in text


def test_each_state_is_one_of_four_and_what_needs_a_yes_needs_somebody() -> None:
    found = {name: stands(preview) for name, preview in STATES.items()}

    assert set(found.values()) == set(Stands)
    assert found["fork"] is Stands.NEEDS_SOMEBODY
    assert found["idle"] is found["ready"] is Stands.READY
    assert found["stopping"] is Stands.ON_ITS_WAY
    over = {Phase.EXPIRED, Phase.STOPPED, Phase.NOTHING_TO_PREVIEW}
    for name, how in found.items():
        assert (how is Stands.ENDED) is (STATES[name].status.phase in over)


# Beside it, as JSON


def test_the_json_has_what_one_may_read_with_a_tag_and_nothing_of_others() -> None:
    site = a_site(pages="public")
    browser = as_(site, "maria")

    answer = look(browser, "", f"{PLACE}.json")

    assert answer.json is not None
    assert [each["number"] for each in answer.json["previews"]] == [1, 2, 3, 4]
    assert {each["shortened"] for each in answer.json["previews"]} == {True}
    known = {"If-None-Match": answer.headers["ETag"]}
    assert browser.get(f"{PLACE}.json", base_url=URL, headers=known).status_code == 304
    assert look(as_(site, "mallory"), "", f"{PLACE}.json").json == {"previews": []}
    assert look(site.browser(), "", f"{PLACE}.json").status_code == 401
    assert look(a_site().browser(), "", f"{PLACE}.json").status_code == 404


# When something does not answer


def test_who_does_not_answer_is_said_on_the_page_and_in_the_json() -> None:
    site = a_site()
    browser = as_(site, "maria")
    site.github.error = TryLater("GitHub")
    assert (look(browser).status_code, "GitHub does not answer" in look(browser).text) == (503, True)
    assert "GitHub does not say" in look(browser, "", f"{PLACE}.json").text

    other = a_site()
    browser = as_(other, "maria")
    other.cluster.error = TryLater("Kubernetes")
    assert "The cluster does not answer" in look(browser).text
    assert look(browser, "", f"{PLACE}.json").status_code == 503


def test_whose_token_github_takes_no_more_signs_in_anew_and_comes_back() -> None:
    site = a_site()
    browser = as_(site, "maria")
    site.github.tokens.clear()

    assert look(browser).headers["Location"] == f"{URL}/sign-in?to=/previews"


# What it costs


def objects(count: int, repositories: int) -> Iterator[dict[str, Any]]:
    status = status_object(a_preview(1, public=True).status)
    for number in range(1, count + 1):
        one = 1000 + number % repositories
        obj = new_object(a_preview(number, repository_id=one).spec, Poke())
        obj["metadata"] |= {"uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-11-24T09:00:00Z"}
        yield obj | {"status": status}


class Asking:
    """Somebody who may read all; says of how many repositories GitHub was asked, a second for each."""

    asks = GITHUB

    def __init__(self, takes: float = 0.0) -> None:
        self.asked: list[int] = []
        self.takes, self.now = takes, 0.0

    def person(self) -> Person:
        return Person(7, "maria", "token", "csrf")

    def of(self, preview: Preview) -> Rights:
        return self.at(preview.spec.repository_id, preview.spec.number).rights

    def at(self, repository_id: int, number: int) -> Visitor:
        self.asked.append(repository_id)
        self.now += self.takes
        return Visitor(rights_of(Standing.READS, pages_public=False, readers_may_extend=False))

    def can_sign_in(self) -> bool:
        return True

    def can_press(self) -> bool:
        return True


def test_of_two_thousand_previews_one_look_shows_two_hundred_and_asks_github_of_fifty_repositories() -> None:
    everything = all_previews(lambda: objects(2_000, 100))
    visitor = Asking()

    found = seen_by(visitor, everything(), Wanted())

    assert len(found.rows) == MOST_ROWS
    assert (found.count, found.too_many) == (1_000, 50)
    assert len(visitor.asked) == len(set(visitor.asked)) == MOST_REPOSITORIES
    last = seen_by(Asking(), everything(), Wanted(repository="acme/r1099"))
    assert last.count == 20


def test_they_are_listed_once_in_some_seconds_whoever_looks_and_after_a_failure_at_once() -> None:
    now, asked = [0.0], []

    def listing() -> Iterator[dict[str, Any]]:
        asked.append(now[0])
        if len(asked) == 1:
            raise TryLater("Kubernetes")
        return objects(3, 1)

    everything = all_previews(listing, seconds=lambda: now[0])
    with pytest.raises(TryLater):
        everything()
    for _ in range(50):
        assert len(everything().previews) == 3
    now[0] = LISTED_EVERY_SECONDS
    everything()
    assert asked == [0.0, 0.0, LISTED_EVERY_SECONDS]


def test_while_a_listing_is_under_way_nobody_waits_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "_WAITS_SECONDS", 0.0)

    def slow() -> Iterator[dict[str, Any]]:
        with pytest.raises(TryLater):
            everything()
        return objects(1, 1)

    everything = all_previews(slow)
    assert len(everything().previews) == 1


def test_more_than_are_kept_are_said_to_be_there_and_what_nobody_sees_is_not_kept() -> None:
    listed = all_previews(lambda: objects(5, 1), most=3)()
    assert (len(listed.previews), listed.has_more) == (3, True)

    site = a_site()
    site.cluster.hold(STATES["ready-but-crashing"])
    kept = all_previews(site.cluster.list_previews)().previews
    assert not any(each.status.children or each.status.replies for each in kept)
    assert not any(
        service.pod_problem and service.pod_problem.log for each in kept for service in each.status.services
    )


def test_what_is_none_of_ours_hides_no_other() -> None:
    foreign = next(objects(1, 1)) | {"spec": {}}

    assert len(all_previews(lambda: iter([foreign, *objects(1, 1)]))().previews) == 1


def test_while_github_is_slow_the_page_shows_what_it_said_and_asks_again_soon() -> None:
    visitor = Asking(takes=1.0)
    listed = all_previews(lambda: objects(20, 10))()

    found = seen_by(visitor, listed, Wanted(), seconds=lambda: visitor.now)

    assert len(visitor.asked) == SECONDS_FOR_GITHUB
    assert (found.late, found.count) == (5, 10)


def test_of_strangers_github_is_asked_nothing() -> None:
    found = seen_by(Strangers(pages_public=True), all_previews(lambda: objects(2_000, 100))(), Wanted())

    assert (found.count, found.too_many, found.late) == (2_000, 0, 0)


def test_filters_are_words_without_blanks_around_them() -> None:
    assert wanted_of({"agent": " Copilot ", "other": "x"}) == Wanted(agent="Copilot")


def test_the_page_says_what_is_left_out() -> None:
    left_out = seen.Seen((), 500, (), too_many=3, late=1, has_more=True)
    values: dict[str, Any] = {"wanted": Wanted(), "seen": left_out, "rows": [], "Stands": Stands}

    words = Page(Renderer().html("previews.html", **values, reader=ForReader(), look_again=3)).words

    assert "0 of 500 previews" in words
    assert "GitHub has not said yet of 1 repository whether you may read it" in words
    assert "more repositories than GitHub is asked of" in words
    assert "more previews than this page reads" in words
