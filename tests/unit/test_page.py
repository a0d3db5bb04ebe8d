"""The page behind a preview's one address: what it shows and to whom, and what it never shows.

Status codes and headers: `test_web_pages.py`; every word of it: the golden files of `test_comment.py`.
The page where pages are private: `tests/security/test_counting_pages.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import (
    AgentSeen,
    ConfigurationProblem,
    Ended,
    Lifecycle,
    Link,
    LinkKind,
    Observed,
    Phase,
    Preview,
    Reason,
    Reply,
    RequestId,
    RequestKind,
    Service,
    Waiting,
)
from previewbot.text.render import Renderer, View, templates_directory
from tests.support.pages import Page
from tests.support.previews import HEAD, NOW, OLDER, a_preview
from tests.support.states import POD_PROBLEMS, STATES

RENDERER = Renderer()
PULL_REQUEST = "https://github.com/acme/shop/pull/42"


def rendered(preview: Preview) -> Page:
    view = View(preview, "https://previews.example.com/p/812/42", PULL_REQUEST, "baggage: mirrord-session=x")
    return Page(RENDERER.page(view))


def a_service(name: str = "checkout", phase: Phase = Phase.READY, **changes: Any) -> Service:
    return Service(name=name, namespace="staging", target=f"deployment/{name}", phase=phase, **changes)


def ready(service: Service, link: Link) -> Preview:
    return a_preview(phase=Phase.READY, reason=Reason.ALL_READY, services=(service,), link=link)


# State, link, times


@pytest.mark.parametrize("state", sorted(STATES))
def test_every_state_has_a_heading_a_way_back_and_follows_along_by_itself(state: str) -> None:
    page = rendered(STATES[state])

    assert [tag for tag, _ in page.tags].count("h1") == 1
    assert PULL_REQUEST in page.links
    assert page.looks_again() in (3, 20, 0)


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        ("deploying", 3),
        ("queued", 3),
        ("image-build-running", 3),
        ("image-registry-away", 3),
        ("stopping", 3),
        ("ready", 20),
        ("failed", 20),
        ("deploying-crashing", 20),
        ("image-build-failed", 20),
        ("image-needs-approval", 20),
        ("removal-stalled", 20),
        ("fork", 20),
        ("merged", 0),
        ("closed", 0),
        ("stopped", 0),
        ("expired", 0),
    ],
)
def test_what_goes_on_by_itself_is_looked_at_sooner_and_what_has_ended_not_at_all(
    state: str, seconds: int
) -> None:
    assert rendered(STATES[state]).looks_again() == seconds


@pytest.mark.parametrize("state", sorted(STATES))
def test_without_javascript_a_page_loads_itself_again_only_while_something_goes_on(state: str) -> None:
    page = rendered(STATES[state])

    busy = page.looks_again() == 3
    assert page.refresh() == (3 if busy else None)
    # With it such a reload would close folds and move the focus.
    inside = [tag for tag, _ in page.tags]
    assert not busy or inside[inside.index("noscript") + 1] == "meta"
    assert ("reload it for news" in page.words) is (page.looks_again() == 20)


@pytest.mark.parametrize(
    ("state", "colour"),
    [
        ("ready", "good"),
        ("partial", "warn"),
        ("ready-but-crashing", "bad"),
        ("deploying", "busy"),
        ("deploying-crashing", "bad"),
        ("deploying-operator-silent", "warn"),
        ("image-needs-approval", "warn"),
        ("image-build-failed", "bad"),
        ("stopping", "busy"),
        ("removal-stalled", "warn"),
        ("fork", "quiet"),
        ("merged", "quiet"),
    ],
)
def test_the_colour_of_the_state_is_that_of_the_table(state: str, colour: str) -> None:
    [classes] = [
        a["class"] for _, a in rendered(STATES[state]).tags if (a.get("class") or "").startswith("state")
    ]

    assert classes == f"state {colour}"


SAME_WORDS = {
    "image-needs-approval": "Waiting for somebody to approve the workflow run.",
    "image-build-failed": "No preview of 3f2c1ab: its build failed. This is for the author of the "
    "change: run the build again, or push a commit.",
    "image-conflict": "it conflicts with its base branch, so nothing is built.",
    "image-registry-refuses": "the registry refuses previewbot. This is for your platform team",
    "image-not-allowed": "The image of checkout is not allowed here.",
    "image-of-another-commit": "the one there was built from another commit",
    "image-builds-unreadable": "Whether a build runs, previewbot may not see",
    "image-never-appeared": "its image never appeared. previewbot looked for it long enough",
    "deploying-operator-silent": "is not starting: the mirrord operator has not answered yet.",
    "partial": "checkout runs, pricing failed, so staging's answers in its place.",
    "ready-but-crashing": "checkout crashes again and again (exit code 1).",
    "failed-without-route": "cannot have a link: the cluster refuses its route. This is for your",
    "no-configuration": "Nothing to preview: the default branch has no .github/preview.yaml.",
    "removal-stalled": "Still removing the preview: the mirrord operator has not answered for some minutes.",
    "configuration-wrong-twice": ".github/preview.yaml has 2 mistakes, so no preview can start. "
    "The comment on the pull request lists them.",
}


@pytest.mark.parametrize("state", SAME_WORDS)
def test_the_page_says_what_the_comment_says_and_quotes_nothing(state: str) -> None:
    assert SAME_WORDS[state] in rendered(STATES[state]).words


SERVES_BY_ITSELF = {
    "ready-with-notes-on-its-mirrord-file",
    "isolated",
    "isolated-as-far-as-known",
    "isolated-in-part",
    "isolated-many",
    "takes-requests-of-others",
    "worker-of-every-queue",
    "ready",
    "base-branch-open-to-all",
    "ready-two-services",
    "ready-behind-two-entries",
    "ready-in-another-container",
    "partial",
    "partial-older-serves",
    "partial-without-target",
    "partial-and-namespace-forbidden",
    "idle",
    "waking",
    "ready-but-crashing",
    "partial-and-out-of-memory",
    "ready-with-others-left-out",
    "paused",
    "partial-and-paused",
    "link-behind-the-entry",
    "link-whose-check-is-refused",
    "link-to-an-error-of-the-change",
    *(state for state in STATES if state.startswith("asked-for-")),
}


@pytest.mark.parametrize("state", sorted(set(STATES) - SERVES_BY_ITSELF))
def test_only_a_preview_that_serves_by_itself_has_the_button_to_open_it(state: str) -> None:
    assert "Open the preview" not in rendered(STATES[state]).words


def test_what_is_wrong_with_a_pod_is_said_and_its_last_words_can_be_unfolded_in_peace() -> None:
    page = rendered(STATES["deploying-crashing"])

    assert "checkout crashes again and again (exit code 1)." in page.words
    assert "checkout crashes, 3 restarts so far" in page.words
    assert [tag for tag, _ in page.tags].count("details") == 1
    assert "```</details> @alice <b> KeyError: 'DB_URL'" in page.words
    assert page.refresh() is None


@pytest.mark.parametrize("phase", [Phase.STOPPING, Phase.STOPPED, Phase.EXPIRED, Phase.AWAITING_IMAGE])
def test_of_pods_that_are_gone_nothing_is_told_any_more(phase: Phase) -> None:
    crashed = a_service(phase=phase, pod_problem=POD_PROBLEMS["crashing"])

    words = rendered(a_preview(phase=phase, reason=Reason.BY_COMMAND, services=(crashed,))).words

    assert "restarts" not in words
    assert "last words" not in words


def test_a_link_that_needs_the_header_says_so_and_offers_the_extension() -> None:
    page = rendered(STATES["ready-with-header-only"])

    assert page.links["https://metalbear.com/mirrord/extension#config=abc"] == "button"
    assert page.links["https://staging.example.com/cart"] == ""
    assert "send the header baggage: mirrord-session=x with every request" in page.words


@pytest.mark.parametrize("state", ["deploying-crashing", "deploying-not-startable", "deploying-without-room"])
def test_of_a_private_repository_it_is_said_what_is_wrong_and_where_more_of_it_stands(state: str) -> None:
    preview = STATES[state]
    observed = replace(preview.status.observed, public=False)
    page = rendered(replace(preview, status=replace(preview.status, observed=observed)))

    assert "More about it stands in previewbot's comment on the pull request." in page.words
    assert "is not starting: checkout" in page.words
    # Without the scheduler's words it is not known that room is what is missing.
    assert "no room" not in page.words
    assert not {"details", "pre"} & {tag for tag, _ in page.tags}


def test_without_any_address_the_header_is_all_there_is() -> None:
    page = rendered(STATES["ready-without-entry"])

    assert "Send the header baggage: mirrord-session=x" in page.words
    assert set(page.links) == {PULL_REQUEST}


def test_a_sleeping_preview_says_that_it_wakes_up() -> None:
    page = rendered(STATES["idle"])

    assert "#42 is asleep: it opens in about a minute" in page.words
    assert "It sleeps until somebody uses it: the first page takes about a minute" in page.words


def test_the_page_waits_with_whoever_wakes_a_preview() -> None:
    page = rendered(STATES["waking"])

    assert "wakes up" in page.words
    assert page.looks_again() == 3


@pytest.mark.parametrize(
    ("link", "address"),
    [
        (
            Link(kind=LinkKind.GATEWAY, url="https://key.preview.example.com/"),
            "https://key.preview.example.com/",
        ),
        (
            Link(
                kind=LinkKind.HEADER,
                url="https://staging.example.com/",
                extension_url="https://x.example.com/#c",
            ),
            "https://x.example.com/#c",
        ),
    ],
)
def test_while_a_build_runs_the_older_commit_is_led_to_and_never_plain_staging(
    link: Link, address: str
) -> None:
    waiting = Waiting(reason=Reason.BUILD_RUNNING)
    older = a_service(phase=Phase.AWAITING_IMAGE, serving_sha=OLDER, waiting=waiting)

    page = rendered(
        a_preview(phase=Phase.AWAITING_IMAGE, reason=Reason.BUILD_RUNNING, services=(older,), link=link)
    )

    assert set(page.links) == {address, PULL_REQUEST}
    assert "the preview of 9ab01fe still works" in page.words


def test_every_service_is_listed_with_its_state_and_commit() -> None:
    services = (
        a_service(serving_sha=HEAD),
        a_service("pricing", Phase.FAILED),
        a_service("web", Phase.STOPPED),
    )

    words = rendered(a_preview(phase=Phase.READY, reason=Reason.PARTIAL, services=services)).words

    assert "checkout runs · 3f2c1ab" in words
    assert "pricing failed" in words
    assert "web stopped" in words


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("expired", "comment /preview start on the pull request"),
        ("stopped", "comment /preview start on the pull request"),
        ("queued", "number 3 in line; all 50 slots are in use"),
        ("fork", "somebody with write access can start exactly this commit"),
        (
            "failed",
            "This is for the author of the change: the next commit tries again",
        ),
        ("ready", "/preview extend 2h"),
    ],
)
def test_a_page_says_what_can_be_done(state: str, says: str) -> None:
    assert says in rendered(STATES[state]).words


@pytest.mark.parametrize(("state", "ended"), [("merged", "merged"), ("closed", "closed")])
def test_what_ended_with_its_pull_request_cannot_be_started_again(state: str, ended: str) -> None:
    words = rendered(STATES[state]).words

    assert f"The pull request was {ended}" in words
    assert "/preview" not in words


@pytest.mark.parametrize("state", ["expired", "stopped", "failed", "queued", "nothing-changed"])
def test_nobody_is_told_to_extend_what_does_not_run(state: str) -> None:
    assert "/preview extend" not in rendered(STATES[state]).words


def test_a_preview_that_was_only_poked_says_that_it_is_looked_at() -> None:
    assert "previewbot is looking at this pull request" in rendered(a_preview()).words


def test_times_that_no_longer_hold_are_not_shown_once_it_ended() -> None:
    end = NOW + timedelta(hours=8)
    lifecycle = Lifecycle(ready_at=NOW, expires_at=end, ended=Ended(reason=Reason.TIME_UP, at=end))
    preview = a_preview(phase=Phase.EXPIRED, reason=Reason.TIME_UP, lifecycle=lifecycle)

    words = rendered(preview).words

    assert "Ended Tue 24 Nov, 17:00 UTC" in words
    assert "Open until" not in words
    assert "Ready since" not in words


# Nothing of a private repository


SECRET = "squid-launch"


def told_a_secret(phase: Phase | None, reason: Reason) -> Preview:
    """A preview that knows the secret wherever a person, a repository or a cluster can have written it."""
    service = a_service(
        phase=Phase.FAILED,
        reason=reason,
        failure_message=SECRET,
        image=f"ghcr.io/acme/{SECRET}:1",
        digest=SECRET,
        container=SECRET,
        share_host=SECRET,
        waiting=Waiting(reason=reason, url=f"https://ci/{SECRET}", name=SECRET, detail=SECRET),
    )
    return a_preview(
        phase=phase,
        reason=reason,
        last_error=SECRET,
        observed=Observed(
            trigger=SECRET,
            agent=AgentSeen(name=SECRET, signal=SECRET),
            problems=(ConfigurationProblem(line=1, message=SECRET),),
        ),
        lifecycle=Lifecycle(started_by=SECRET, ended=Ended(reason=Reason.BY_COMMAND, at=NOW, by=SECRET)),
        replies=(Reply(RequestId(RequestKind.ISSUE_COMMENT, 1), author=SECRET, command=SECRET),),
        services=(service,),
    )


@pytest.mark.parametrize("reason", Reason)
def test_no_text_of_a_repository_or_a_person_is_on_the_page(reason: Reason) -> None:
    for phase in (reason.phase, Phase.STOPPING):
        view = View(told_a_secret(phase, reason), "https://previews.example.com/p/812/42", PULL_REQUEST, "h")
        assert SECRET not in RENDERER.page(view)


# Hostile text


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.just("</style><script>alert(1)</script>")
)
def test_no_text_becomes_a_tag_an_attribute_or_a_script(text: str) -> None:
    hostile = f'"><img src=x onerror=alert(1)>{text}'
    link = Link(kind=LinkKind.GATEWAY, url=f"https://key.example.com/{hostile}")

    page = rendered(ready(a_service(hostile, serving_sha=hostile), link))

    plain = rendered(ready(a_service(serving_sha=HEAD), link))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "<img src=x onerror=alert(1)>" in page.text


# For every browser


OF_A_SIGN_IN = sorted(
    f"{folder}/{path.name}"
    for folder in ("sign_in", "forms")
    for path in (templates_directory() / folder).glob("[a-z]*.html")
)


def of_a_sign_in(name: str) -> Page:
    return Page(RENDERER.html(name, to="/p/812/42", back="/p/812/42", words="Too dark", by_proxy=False))


PAGES: dict[str, Callable[[], Page]] = {
    "page": lambda: rendered(STATES["ready"]),
    "no preview": lambda: Page(RENDERER.no_preview()),
    "unavailable": lambda: Page(RENDERER.html("unavailable.html", who="GitHub")),
    "private": lambda: Page(RENDERER.html("closed.html", login="", sign_in_url="", by_proxy=False)),
    "home": lambda: Page(RENDERER.html("home.html")),
    "no address": lambda: Page(RENDERER.html("no_address.html")),
    "not found": lambda: Page(RENDERER.html("not_found.html")),
    "home with a sign-in": lambda: Page(RENDERER.html("home.html", signs_in=True)),
    **{name: partial(of_a_sign_in, name) for name in OF_A_SIGN_IN},
}
STAYS = {"private", "home", "no address", "not found", "home with a sign-in", *OF_A_SIGN_IN}
"""Pages that never have news."""


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_works_without_javascript_and_loads_nothing(name: str) -> None:
    page = PAGES[name]()

    assert not {"link", "img", "iframe", "form", "object"} & {tag for tag, _ in page.tags}
    # Its own, which the policy knows by its hash, or none.
    assert [attributes for tag, attributes in page.tags if tag == "script"] == ([] if name in STAYS else [{}])
    assert not any(attribute.startswith("on") for _, a in page.tags for attribute in a)
    assert "url(" not in page.style
    assert "@import" not in page.style


@pytest.mark.parametrize("name", sorted(set(PAGES) - STAYS))
def test_a_page_that_may_have_news_asks_for_them_and_says_aloud_what_is_new(name: str) -> None:
    page = PAGES[name]()

    assert page.looks_again() >= 0
    assert "answer(location.href" in page.script
    assert ("div", {"role": "status", "data-news": None}) in page.tags


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_fits_phones_and_dark_rooms_and_readers(name: str) -> None:
    page = PAGES[name]()

    assert page.meta("viewport") == "width=device-width, initial-scale=1"
    assert page.meta("color-scheme") == "light dark"
    assert "@media (prefers-color-scheme: dark)" in page.style
    assert page.meta("robots") == "noindex"
    assert ("html", {"lang": "en"}) in page.tags
