"""The comment, the answers and the page in every state, held as golden files under tests/golden/.

`UPDATE_GOLDEN=1 pytest tests/unit/test_comment.py` writes them anew; read the difference before committing.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from previewbot.api import Preview, Reason, RequestId, RequestKind, Said
from previewbot.api.rights import Rights
from previewbot.engine.mirrord import header
from previewbot.rules.commands import DEFINITIONS
from previewbot.text.markdown import cell, code, fenced, md
from previewbot.text.markers import comment_hash, marker_in, parse_marker
from previewbot.text.notices import Elsewhere, NotThere, Told
from previewbot.text.render import COMMENT_LIMIT, Renderer, View
from previewbot.text.unseen import seen
from tests.support.comment_parts import FOR_PROGRAMS, facts_in, for_people
from tests.support.previews import NOW, a_preview
from tests.support.readers import READER, WRITER, for_people_of, reader_of
from tests.support.states import STATES, replace_status

GOLDEN = Path(__file__).parent.parent / "golden"
RENDERER = Renderer()


def view_of(preview: Preview) -> View:
    return View(
        preview=preview,
        page_url="https://previews.example.com/p/812/42",
        pull_request_url="https://github.com/acme/shop/pull/42",
        header=header(preview.spec.environment_key),
        commands=[each.help for each in DEFINITIONS],
    )


def held(path: Path, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def without_style_and_script(page: str) -> str:
    """Return what is a page's own: these two are the same on all of them."""
    return re.sub(r"(?s)<(style|script)>.+?</\1>", r"<\1></\1>", page)


@pytest.mark.parametrize("state", sorted(STATES))
def test_the_comment_in_each_state_reads_as_it_is_held(state: str) -> None:
    held(GOLDEN / "comment" / f"{state}.md", for_people(RENDERER.comment(view_of(STATES[state]))))


@pytest.mark.parametrize("state", ["ready", "idle", "partial", "expired", "ready-with-header-only", "queued"])
def test_where_people_sign_in_the_comment_leads_to_where_they_say_what_they_think(state: str) -> None:
    view = replace(view_of(STATES[state]), say_url="https://previews.example.com/p/812/42")

    held(GOLDEN / "comment-where-people-sign-in" / f"{state}.md", for_people(RENDERER.comment(view)))


@pytest.mark.parametrize("issue", [0, 17])
def test_where_people_sign_in_the_notice_leads_there_too(issue: int) -> None:
    view = replace(view_of(STATES["ready"]), say_url="https://previews.example.com/p/812/42")

    text = RENDERER.notice(view, "ready", Told(issue=issue))

    assert "[Say what you think](https://previews.example.com/p/812/42)" in text
    assert "Say so in the pull request" not in text


def test_what_programs_read_stands_at_the_end_in_a_fold() -> None:
    comment = RENDERER.comment(view_of(STATES["deploying-crashing"]))

    held(GOLDEN / "facts.md", comment[comment.index(FOR_PROGRAMS) :])


@pytest.mark.parametrize("state", sorted(STATES))
def test_the_page_in_each_state_reads_as_it_is_held(state: str) -> None:
    view = replace(view_of(STATES[state]), now=NOW + timedelta(hours=4, minutes=20))
    page = RENDERER.page(view)

    held(GOLDEN / "page" / f"{state}.html", without_style_and_script(page))


@pytest.mark.parametrize(
    "name",
    [
        "ready",
        "idle",
        "expired",
        "failed",
        "deploying-crashing",
        "queued",
        "image-build-failed",
        "ready-with-header-only",
    ],
)
@pytest.mark.parametrize("rights", [READER, WRITER], ids=["reader", "writer"])
def test_the_page_for_people_who_are_signed_in_reads_as_it_is_held(name: str, rights: Rights) -> None:
    view = replace(view_of(for_people_of(name)), now=NOW + timedelta(hours=4, minutes=20))
    page = RENDERER.page(view, reader_of(view.preview, rights))

    who = "writer" if rights.control else "reader"
    held(GOLDEN / "page-for-people" / f"{name}-{who}.html", without_style_and_script(page))


@pytest.mark.parametrize(
    ("name", "login", "sign_in_url"),
    [("private", "", ""), ("sign-in", "", "/sign-in?to=/p/812/42"), ("not-for-you", "maria", "")],
)
def test_the_page_that_tells_nothing_reads_as_it_is_held(name: str, login: str, sign_in_url: str) -> None:
    page = RENDERER.html("closed.html", login=login, sign_in_url=sign_in_url, by_proxy=False)

    held(GOLDEN / f"{name}.html", without_style_and_script(page))


REPLIES: dict[str, dict[str, str]] = {
    "unknown-command": {"text": "/preview `strat` @bob", "suggestion": "/preview start"},
    "not-allowed": {"login": "bob"},
    "fork-needs-sha": {"sha": "a" * 40},
    "button-of-older-commit": {},
    "fork-through-app": {"sha": "a" * 40},
    "fork-through-button": {"sha": "a" * 40},
    "too-many-presses": {},
    "fork-through-edit": {"sha": "a" * 40},
    "edited-late": {},
    "edited-by-other": {},
    "edits-not-told": {},
    "sha-mismatch": {"sha": "a" * 40},
    "closed": {},
    "nothing-to-preview": {},
    "no-configuration": {},
    "configuration-invalid": {},
    "configuration-not-allowed": {},
    "status": {},
    "help": {},
    "extended": {"until": NOW.isoformat()},
    "extend-too-early": {},
    "extend-at-limit": {"until": NOW.isoformat()},
    "bad-duration": {},
    "not-running": {},
    "overtaken": {},
    "logs": {"service": "checkout", "log": "listening on 8080\nGET / 200 ```"},
    "more-logs": {"most": "5"},
    "no-logs": {},
    "logs-in-public": {},
    "logs-withheld": {},
    "unknown-service": {"service": "chekout", "changed": "checkout, pricing"},
    "unchanged-service": {"service": "pricing", "changed": "checkout"},
    "service-not-running": {"service": "pricing"},
    "left-for-a-person": {"service": "pricing"},
    "told-apart": {"text": "/preview stop", "suggestion": "/preview stop"},
    "others-count": {"obeyed": "/preview status\n/preview extend 1h\n/preview start web"},
    "merged": {},
    "unread-logs": {"service": "checkout", "state": "Ready"},
    "extended-to-limit": {"until": NOW.isoformat()},
    "too-many-commands": {"text": "/preview help", "most": "10"},
    "already-running": {},
    "no-databases": {},
    "unknown-database": {"name": "ordres", "known": "orders, checkout"},
    "not-in-a-review": {"text": "/preview stop", "there": "extend status help"},
}
COMMENT = RequestId(RequestKind.ISSUE_COMMENT, 99)


@pytest.mark.parametrize("words", sorted(REPLIES))
def test_each_answer_reads_as_it_is_held(words: str) -> None:
    text = RENDERER.reply([Said(words, REPLIES[words])], COMMENT, view_of(STATES["ready"]))

    held(GOLDEN / "replies" / f"{words}.md", text)


@pytest.mark.parametrize("state", sorted(STATES))
def test_no_answer_and_no_comment_needs_an_end_or_names_an_empty_one(state: str) -> None:
    """A command that was overtaken in the same look is answered when the preview has no end any more."""
    preview = STATES[state]
    endless = replace(preview.status.lifecycle, expires_at=None)
    view = view_of(replace(preview, status=replace(preview.status, lifecycle=endless)))
    texts = [RENDERER.reply([Said(words, REPLIES[words])], COMMENT, view) for words in REPLIES]

    for text in (*texts, RENDERER.comment(view), RENDERER.headline(view)):
        assert "None" not in text
        assert not re.search(r"until\W*(\*\*\*\*|\.|$)", text, re.MULTILINE), text


@pytest.mark.parametrize("state", ["closed", "merged"])
def test_the_help_of_a_closed_pull_request_names_what_is_answered_there(state: str) -> None:
    text = RENDERER.reply([Said("help", {})], COMMENT, view_of(STATES[state]))

    held(GOLDEN / "replies" / f"help-{state}.md", text)


@pytest.mark.parametrize("words", ["unknown-service", "unchanged-service"])
def test_where_only_what_all_share_changed_the_answer_says_what_can_be_started(words: str) -> None:
    said = [Said(words, REPLIES[words] | {"changed": ""})]
    text = RENDERER.reply(said, COMMENT, view_of(STATES["only-shared-changed"]))

    held(GOLDEN / "replies" / f"{words}-only-shared-changed.md", text)


@pytest.mark.parametrize("words", ["status", "already-running"])
@pytest.mark.parametrize("state", ["paused", "link-to-an-error-of-the-change", "ready-but-crashing"])
def test_what_does_not_run_well_is_answered_as_what_it_is(words: str, state: str) -> None:
    text = RENDERER.reply([Said(words)], COMMENT, view_of(STATES[state]))

    held(GOLDEN / "replies" / f"{words}-{state}.md", text)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("Ready", "runs, but"),
        ("Idle", "is asleep"),
        ("Deploying", "does not run yet"),
        ("", "does not run yet"),
    ],
)
def test_of_a_service_without_lines_it_is_said_why(state: str, words: str) -> None:
    said = [Said("unread-logs", {"service": "checkout", "state": state})]

    assert f"**checkout** {words}" in RENDERER.reply(said, COMMENT, view_of(STATES["ready"]))


@pytest.mark.parametrize(
    ("kind", "place"), [(RequestKind.REVIEW, "review"), (RequestKind.REVIEW_COMMENT, "lines")]
)
def test_an_answer_to_what_stands_in_a_review_says_where_it_stands(kind: RequestKind, place: str) -> None:
    request = RequestId(kind, 77)
    text = RENDERER.reply(
        [Said("extended", REPLIES["extended"])], request, view_of(STATES["ready"]), "ann_[x]"
    )

    held(GOLDEN / "replies-in-reviews" / f"{place}.md", text)


NOTICES = {
    "ready": ("ready", Told()),
    "ready-for-a-team": ("ready", Told(("@acme/product", "@ann"))),
    "ready-in-the-issue": ("ready", Told(("@acme/product",), issue=12)),
    "ready-without-a-link-that-just-works": ("ready-with-header-only", Told()),
    "ready-asleep": ("idle", Told()),
    "ready-without-an-entry": ("ready-without-entry", Told()),
    "ready-with-databases-of-its-own": ("isolated", Told()),
    "ready-behind-two-entries": ("ready-behind-two-entries", Told()),
    "ready-and-no-issue-is-linked": ("ready", Told(elsewhere=Elsewhere(NotThere.NONE))),
    "ready-and-the-issue-is-not-known": ("ready", Told(elsewhere=Elsewhere(NotThere.UNKNOWN))),
    "ready-and-the-right-is-missing": ("ready", Told(elsewhere=Elsewhere(NotThere.NOT_GRANTED, 12))),
    "ready-and-the-issue-is-locked": (
        "ready",
        Told(elsewhere=Elsewhere(NotThere.REFUSED, 12, "`locked` @bob")),
    ),
    "ready-asked-for-in-two-issues": ("asked-for-in-two-issues", Told()),
    "failed": ("failed", Told(ready_follows=True)),
    "failed-and-nothing-follows": ("failed", Told(("@acme/product",))),
    "failed-in-the-issue": ("failed", Told(issue=12, ready_follows=True)),
    "failed-without-an-image": ("image-repository-missing", Told()),
    "failed-in-part": ("partial", Told()),
    "failed-without-a-route": ("failed-without-route", Told()),
}
"""Notices by the name of their golden file: the state that they tell of, and what else they say."""


@pytest.mark.parametrize("name", sorted(NOTICES))
def test_each_notice_reads_as_it_is_held(name: str) -> None:
    state, told = NOTICES[name]
    text = RENDERER.notice(view_of(STATES[state]), name.partition("-")[0], told)

    held(GOLDEN / "notices" / f"{name}.md", text)


def test_a_notice_names_nobody_but_those_who_are_to_be_told() -> None:
    for name, (state, told) in NOTICES.items():
        text = RENDERER.notice(view_of(STATES[state]), name.partition("-")[0], told)

        outside_of_code = re.sub(r"(`+).*?\1", "", text)
        assert re.findall(r"(?<![\w/])@[A-Za-z0-9/-]+", outside_of_code) == list(told.mentions)


WITHHELD = ["ready", "deploying", "deploying-crashing", "partial-and-out-of-memory", "failed-after-crashes"]


def reticent(preview: Preview) -> View:
    """Return what is rendered where pages are private and comments quote no logs."""
    commands = {"checkout": "kubectl logs checkout"}
    return replace(view_of(preview), page_url="", logs=False, log_commands=commands)


@pytest.mark.parametrize("state", WITHHELD)
def test_the_comment_where_pages_are_private_and_logs_are_withheld_reads_as_it_is_held(state: str) -> None:
    held(GOLDEN / "comment-withheld" / f"{state}.md", for_people(RENDERER.comment(reticent(STATES[state]))))


@pytest.mark.parametrize("state", sorted(STATES))
def test_where_pages_are_private_no_text_leads_to_one_or_has_an_empty_link(state: str) -> None:
    view = reticent(STATES[state])
    texts = [RENDERER.comment(view), RENDERER.headline(view)]
    texts += [RENDERER.reply([Said(words, REPLIES[words])], COMMENT, view) for words in REPLIES]

    for text in texts:
        assert "previews.example.com" not in text
        assert "()" not in text
        assert "Follow it" not in text
        assert "[status]" not in text


@pytest.mark.parametrize("state", sorted(STATES))
def test_the_status_answer_can_be_given_in_every_state(state: str) -> None:
    assert "Everything about it" in RENDERER.reply([Said("status")], COMMENT, view_of(STATES[state]))


@pytest.mark.parametrize(
    ("words", "state", "then"),
    [
        ("configuration-invalid", "configuration-wrong", "the preview starts by itself"),
        (
            "configuration-invalid",
            "configuration-wrong-while-a-preview-serves",
            "previewbot goes on by itself",
        ),
        ("configuration-not-allowed", "configuration-not-allowed", "the preview starts by itself"),
        (
            "configuration-not-allowed",
            "configuration-not-allowed-while-a-preview-serves",
            "previewbot goes on by itself",
        ),
    ],
)
def test_what_comes_of_a_corrected_configuration_is_told_in_the_answer_as_in_the_comment(
    words: str, state: str, then: str
) -> None:
    view = view_of(STATES[state])

    for text in (RENDERER.comment(view), RENDERER.reply([Said(words)], COMMENT, view)):
        assert f"; {then} within a few minutes." in text
        assert ("still works" in text) is (then == "previewbot goes on by itself")


def test_every_answer_template_is_held_by_a_golden_file() -> None:
    folder = Path(__file__).parent.parent.parent / "templates" / "replies"

    assert {path.stem for path in folder.glob("*.md")} == set(REPLIES)


def test_the_first_line_tells_ours_apart_and_does_not_count_as_text() -> None:
    preview = a_preview()
    one = RENDERER.comment(view_of(STATES["ready"]))
    marker = parse_marker(one)

    assert marker is not None
    assert (marker.kind, marker.key) == ("status", preview.spec.environment_key)
    assert comment_hash(one) == comment_hash(one.replace("command=0", "command=77").replace("\n", "\r\n"))


def test_half_a_character_changes_the_hash_like_any_text() -> None:
    assert comment_hash("a\ud800") != comment_hash("a")


def test_the_first_line_of_a_notice_tells_of_which_preview_and_what_it_told() -> None:
    text = RENDERER.notice(view_of(STATES["ready"]), "ready", Told())
    marker = parse_marker(text)

    assert marker is not None
    assert (marker.kind, marker.of, marker.occasion) == ("notice", STATES["ready"].name, "ready")
    assert marker_in(text) == text.splitlines()[0]


def test_a_quoted_marker_is_no_marker() -> None:
    assert parse_marker("> " + RENDERER.comment(view_of(STATES["ready"]))) is None


@given(st.text(max_size=200))
def test_text_of_users_starts_no_html_link_mention_or_code_in_a_comment(text: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).renderInline("x" + md(text) + "x")

    for tag in ("<a ", "<img", "<em>", "<strong>", "<code>", "<script"):
        assert tag not in rendered
    assert "@" not in md(text).replace("@\u200b", "")


@given(st.text(st.sampled_from("0123456789abcdefABCDEF .-xG_"), max_size=60))
def test_no_word_is_left_of_which_github_makes_a_commit(text: str) -> None:
    """After a break, the rest of a long word may itself be a SHA."""
    left = re.findall(r"[0-9a-fA-F]{7,}", md(text))

    assert all(word.isdigit() or word.isalpha() for word in left)
    assert md(text).replace("\u200b", "").replace("\\", "") == " ".join(text.split())


def test_a_long_word_of_hexadecimal_digits_is_broken_after_every_six() -> None:
    assert md("aaaaaa3f2c1ab0") == "aaaaaa\u200b3f2c1a\u200bb0"


@pytest.mark.parametrize("text", ["preview-1234567", "20261126", "defaced"])
def test_numbers_and_words_stay_as_they_are_and_can_be_copied(text: str) -> None:
    assert md(text) == text


@given(st.text(max_size=200))
def test_code_of_users_stays_in_its_code_span(text: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).renderInline(code(text))

    assert rendered.startswith("<code>")
    assert rendered.endswith("</code>")
    assert rendered.count("<code>") == 1


@pytest.mark.parametrize("text", ["a|b", "|", "a||b", "`a|b`", "a\\|b"])
def test_code_in_a_table_stays_in_its_cell_and_elsewhere_shows_no_backslash(text: str) -> None:
    markdown = MarkdownIt("commonmark").enable("table")
    table = markdown.parse(f"|x|y|\n|-|-|\n|{cell(code(text))}|z|")
    cells = [token.content for token in table if token.type == "inline"]

    assert len(cells) == 4
    assert cells[-1] == "z"
    assert code(text).count("\\") == text.count("\\")


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Zl", "Zp"], exclude_characters="\x85"))))
def test_lines_of_a_log_stay_in_their_block(lines: list[str]) -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).parse(fenced(lines))

    assert [(token.type, token.content) for token in tokens] == [
        ("fence", "".join(f"{seen(line)}\n" for line in lines))
    ]


def test_a_comment_never_exceeds_githubs_limit() -> None:
    preview = STATES["failed"]
    huge = replace(preview.status.services[0], failure_message="x" * 100_000)
    status = replace(preview.status, services=(huge,))

    comment = RENDERER.comment(view_of(replace(preview, status=status)))

    assert len(comment) <= COMMENT_LIMIT


def test_of_a_comment_that_must_be_cut_programs_still_read_all_of_theirs() -> None:
    preview = STATES["deploying-crashing"]
    crashing = preview.status.services[0]
    assert crashing.pod_problem is not None
    huge = replace(crashing, pod_problem=replace(crashing.pod_problem, log=("x" * 2_000,) * 40))

    comment = RENDERER.comment(view_of(replace_status(preview, services=(huge,))))
    facts = facts_in(comment)

    assert len(comment) == COMMENT_LIMIT
    assert (facts["previewbot"], facts["shortened"]) == (1, True)
    assert [service["problem"]["log"] for service in facts["services"]] == [[]]


def test_what_only_programs_are_told_is_no_reason_to_edit_a_comment() -> None:
    creating = STATES["deploying"]
    replacing = replace_status(creating, reason=Reason.REPLACING)
    before, after = (RENDERER.comment(view_of(each)) for each in (replacing, creating))
    stopped = RENDERER.comment(view_of(STATES["stopped"]))

    assert facts_in(before)["reason"] != facts_in(after)["reason"]
    assert comment_hash(before) == comment_hash(after) != comment_hash(stopped)


def test_a_log_that_looks_like_the_block_for_programs_hides_no_news() -> None:
    preview = STATES["deploying-crashing"]
    crashing = preview.status.services[0]
    assert crashing.pod_problem is not None
    log = ("</details>", FOR_PROGRAMS, "", "```json", "{", '  "previewbot": 1,', "}", "```")
    forged = replace(crashing, pod_problem=replace(crashing.pod_problem, log=log))
    several = [
        RENDERER.comment(view_of(replace_status(preview, services=(forged,), observed=observed)))
        for observed in (preview.status.observed, replace(preview.status.observed, trigger="a label"))
    ]

    assert facts_in(several[0])["version"] == 1
    assert comment_hash(several[0]) != comment_hash(several[1])
