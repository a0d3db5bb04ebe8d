"""Comment, page, `kubectl` and answers say the same, whose turn it is, and where it can be followed."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from previewbot.api import Preview, Reason, RequestId, RequestKind, Said, Severity, Turn
from previewbot.text.render import Renderer
from previewbot.text.standing import standing_of
from tests.support.pages import Page
from tests.support.previews import a_preview
from tests.support.states import STATES
from tests.unit.test_reasons import PLACES, for_a, view_of

RENDERER = Renderer()
COMMENT = RequestId(RequestKind.ISSUE_COMMENT, 99)
PAGE_URL = "https://previews.example.com/p/812/42"

ALL: dict[str, Preview] = {
    **STATES,
    **{str(reason): for_a(reason) for reason in Reason if reason is not Reason.PARTIAL},
}
"""Every state that a reader can meet, and each reason with one service (but Partial, which needs two)."""

PAGE_DIFFERS = {
    "branch_creating": "the name of a database",
    "branch_taken": "the name of a database",
    "by_command": "who wrote the command",
    "build_failed": "the build's name is a repository's word",
    "build_needs_approval": "the link leads to a workflow run; the page leads to the comment",
    "build_not_run": "the name of a build and of an image",
    "builds_unreadable": "the name of an image",
    "configuration_invalid": "a mistake quotes the file",
    "configuration_not_allowed": "a mistake quotes the file",
    "feature_missing": "what a file asks for",
    "image_missing": "the name of an image",
    "image_not_allowed": "the name of an image",
    "limit_reached": "other pull requests, repositories and authors",
    "merge_conflict": "the name of a branch",
    "migrating": "the name of a database",
    "namespace_forbidden": "the name of a namespace",
    "no_image": "the name of an image",
    "no_such_tag": "the name of an image and tags",
    "not_of_this_commit": "the name of an image",
    "partial": "names of containers and namespaces, and the text of a failure",
    "phase_unknown": "the operator's word",
    "removal_forbidden": "the name of a namespace",
    "repository_missing": "the name of an image",
    "repository_unknown": "the name of an image",
    "route_not_accepted": "the Gateway's words",
    "route_refused": "the words of whoever refused it",
    "service_failed": "the text of a failure",
    "session_failed": "the text of a failure",
    "branch_failed": "the text of a failure",
    "migration_failed": "the text of a failure",
    "migration_forbidden": "the text of a failure",
    "target_missing": "the text of a failure",
    "target_taken": "whose session is in the way",
    "waking": "that somebody opened it just now, for which no comment is edited",
    **{
        key: "the address of an image"
        for key in (
            "image_held_back",
            "image_too_old",
            "not_a_registry",
            "registry_limited",
            "registry_login_broken",
            "registry_login_ended",
            "registry_refused",
            "registry_unreachable",
            "registry_untrusted",
            "registry_wants_login",
        )
    },
    **{
        key: "the name of a container"
        for key in (
            "cannot_start",
            "config_missing",
            "crashing",
            "init_waiting",
            "out_of_memory",
            "probe_failing",
            "pull_refused",
        )
    },
}
"""Whoever reaches the page reads it, so it does not quote what a person, a repository or a cluster wrote."""

SIGNS = {
    Turn.PLATFORM_TEAM: r"platform team|whoever (looks after|administers|installed)",
    Turn.AUTHOR: r"author of the change",
    Turn.MAINTAINER: r"[Ww]hoever maintains the repository",
    Turn.REVIEWER: r"write access|reviewers' turn",
    Turn.NOBODY: r"by itself|[Nn]othing (more )?(for you )?to do",
}
"""The words by which a reader sees whose turn it is."""


class _Text(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(html: str) -> str:
    """Return what a person reads of HTML."""
    return " ".join(_Text(html).text.replace("\u200b", "").split())


def sentence(place: str, preview: Preview) -> str:
    """Return the words of how a preview stands, as a person reads them in one of the places."""
    standing = standing_of(preview.status)
    macro = getattr(PLACES[place].get_template("reasons.jinja").module, standing.key)
    written = str(macro(preview.status, view_of(preview)))
    if place == "comment":
        return seen(MarkdownIt("commonmark").render(written))
    return seen(written) if place == "page" else " ".join(written.split())


def without_what_only_one_shows(words: str) -> str:
    """Leave out addresses, which a terminal writes out, and that the page follows along by itself."""
    words = re.sub(r" \(https?://[^ )]+\)", "", words)
    # A list is read aloud in one place, and has its dashes in another.
    return words.replace(" This page follows along.", "").replace(": - ", ": ").replace(" - ", " ").strip()


def on_page_and_in_comment(preview: Preview) -> tuple[str, str]:
    """Return what both say; where to write a comment goes without saying in one."""
    page, comment = (without_what_only_one_shows(sentence(place, preview)) for place in ("page", "comment"))
    return page.replace(" on the pull request", ""), comment


@pytest.mark.parametrize("state", sorted(ALL))
def test_a_terminal_says_what_the_comment_says(state: str) -> None:
    preview = ALL[state]
    if preview.status.reason is not None and preview.status.reason.phase is None:
        # GitHub's answer is quoted there alone; the sentence before it is the same.
        assert sentence("terminal", preview).startswith(sentence("comment", preview))
        return

    spelt = {place: without_what_only_one_shows(sentence(place, preview)) for place in PLACES}
    # Backquotes are plain text in one place, and code in the other.
    assert spelt["terminal"].replace("`", "") == spelt["comment"].replace("`", "")


@pytest.mark.parametrize("state", sorted(ALL))
def test_the_page_says_what_the_comment_says_but_for_what_it_may_not_quote(state: str) -> None:
    preview = ALL[state]
    page, comment = on_page_and_in_comment(preview)

    assert page == comment or standing_of(preview.status).key in PAGE_DIFFERS


def test_each_place_that_may_differ_does_so_in_some_state() -> None:
    differ = {
        standing_of(preview.status).key
        for preview in ALL.values()
        if len(set(on_page_and_in_comment(preview))) > 1
    }

    assert set(PAGE_DIFFERS) - differ == set()


@pytest.mark.parametrize("state", sorted(ALL))
def test_every_sentence_says_whose_turn_it_is(state: str) -> None:
    preview = ALL[state]
    turn = standing_of(preview.status).turn

    for place in PLACES:
        assert re.search(SIGNS[turn], sentence(place, preview)), (turn, sentence(place, preview))


@pytest.mark.parametrize("state", sorted(ALL))
def test_comment_and_answer_lead_to_the_page_as_long_as_there_is_one(state: str) -> None:
    preview = ALL[state]
    view = view_of(preview)
    texts = [RENDERER.comment(view), RENDERER.reply([Said("status")], COMMENT, view)]

    leads = [f"({PAGE_URL})" in text or text.rstrip().endswith(PAGE_URL) for text in texts]
    assert leads == [standing_of(preview.status).has_page] * 2
    for text in (RENDERER.comment(replace(view, page_url="")), RENDERER.headline(view)):
        assert PAGE_URL not in text.replace(f"({PAGE_URL}) still works", "")


@pytest.mark.parametrize("state", sorted(ALL))
def test_only_what_runs_well_looks_green_anywhere(state: str) -> None:
    preview = ALL[state]
    status = preview.status
    well = all(service.phase.runs and service.pod_problem is None for service in status.services)
    page = RENDERER.page(view_of(preview))
    green = '<p class="state good">' in page

    assert green == (standing_of(status).severity is Severity.GOOD)
    assert not green or (well and status.phase is not None and status.phase.runs)
    if status.phase is not None and status.phase.runs and not green:
        view = view_of(preview)
        heading = RENDERER.comment(view).splitlines()[1]
        trouble = r": (not all of it runs|it does not run as|somebody debugs|it answers with)"
        assert re.search(trouble, heading)
        assert not re.search(r"is (ready|asleep)</h1>", page)
        for words in ("status", "already-running"):
            answer = RENDERER.reply([Said(words)], COMMENT, view)
            assert re.search(trouble, answer)
            # With what is wrong, and whose turn it is.
            assert sentence("comment", preview) in seen(MarkdownIt("commonmark").render(answer))


def test_of_what_runs_without_a_link_the_answer_says_that_it_has_none() -> None:
    answer = RENDERER.reply([Said("already-running")], COMMENT, view_of(STATES["link-shows-staging"]))

    assert "It is running already; `/preview restart` starts it afresh." in answer
    assert "runs, but has no link:" in answer


WITHOUT_A_LOOK = [
    *(reason for reason in Reason if reason.phase is None),
    Reason.INSTALLATION_SUSPENDED,
    Reason.REPOSITORY_GONE,
    Reason.PULL_REQUEST_GONE,
    Reason.UNKNOWN,
]


@pytest.mark.parametrize("reason", WITHOUT_A_LOOK)
def test_of_what_no_look_has_seen_nothing_is_told_as_if_it_were_found(reason: Reason) -> None:
    view = view_of(a_preview(phase=reason.phase, reason=reason))
    page = Page(RENDERER.page(view)).words

    for text in (RENDERER.headline(view), sentence("comment", view.preview), page):
        assert not re.search(
            r"was removed|preview is gone|no preview here|comes from a fork|no service|``|\(\)|None", text
        ), text
