"""A verdict as a comment in a person's own name: what it says, how it is read again, what it never says."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import RequestId, RequestKind, Says
from previewbot.rules.commands import parse
from previewbot.text.block import without_block
from previewbot.text.markers import notice_marker, parse_marker, reply_marker, status_marker
from previewbot.text.verdicts import (
    LONGEST_PATH,
    LONGEST_WORDS,
    cleaned,
    is_verdict,
    parse_verdict,
    path_of,
    verdict_comment,
)

SHA = "0123456789abcdef" * 2 + "01234567"
LINK = "https://pr-42.preview.example.com/"


def said(words: str, *, path: str = "/cart", hand_to: str = "") -> str:
    return verdict_comment(Says.WORK, SHA, path, words, preview_url=LINK, hand_to=hand_to)


def test_a_verdict_reads_as_a_person_would_write_it() -> None:
    assert said("The sum is wrong.", hand_to="@copilot") == (
        f"<!-- previewbot verdict says=work sha={SHA} path=/cart -->\n"
        f"**Needs work**: [`/cart`]({LINK}cart) in the preview of {SHA}\n\n"
        "@copilot Please change this pull request so that it does what is said here:\n\n"
        "The sum is wrong.\n"
    )


def test_a_yes_needs_neither_words_nor_a_link() -> None:
    assert verdict_comment(Says.GOOD, SHA, "/", "", preview_url="") == (
        f"<!-- previewbot verdict says=good sha={SHA} path=/ -->\n"
        f"**Looks good**: `/` in the preview of {SHA}\n"
    )


def test_a_comment_that_handed_nothing_over_mentions_nobody() -> None:
    assert "@" not in said("The sum is wrong.")


@pytest.mark.parametrize("sha", ["", "0123456", "g" * 40, SHA + "\n"])
def test_a_verdict_names_a_whole_commit(sha: str) -> None:
    with pytest.raises(ValueError, match="commit"):
        verdict_comment(Says.GOOD, sha, "/", "", preview_url=LINK)


@pytest.mark.parametrize("says", list(Says))
@pytest.mark.parametrize("hand_to", ["", "@copilot"])
def test_what_is_written_is_read_again(says: Says, hand_to: str) -> None:
    words = "The sum is wrong.\n\nAnd it is @somebody's."
    body = verdict_comment(says, SHA, "/cart?a=1&b=--", words, preview_url=LINK, hand_to=hand_to)
    for sent in (body, body.replace("\n", "\r\n")):
        found = parse_verdict(sent)
        assert found is not None
        assert (found.says, found.sha, found.path, found.words) == (says, SHA, "/cart?a=1&b=--", words)


@given(st.text(max_size=200), st.text(max_size=60))
def test_whatever_is_written_is_read_again(words: str, path: str) -> None:
    found = parse_verdict(said(words, path="/" + path))
    assert found is not None
    assert found.path == path_of("/" + path)
    assert found.words == cleaned(words).text


@pytest.mark.parametrize(
    "body",
    [
        "Looks good",
        " " + said("x"),
        "\n" + said("x"),
        "> " + said("x"),
        said("x").replace("says=work", "says=yes"),
        said("x").replace(SHA, SHA[:39]),
        said("x").replace("path=/cart", "path=cart"),
        said("x").replace("path=/cart", "path=/ca rt"),
    ],
)
def test_only_the_very_beginning_of_a_comment_makes_it_a_verdict(body: str) -> None:
    assert parse_verdict(body) is None
    assert not is_verdict(body)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/", "/"),
        ("", "/"),
        ("cart", "/"),
        ("//evil.example.com/x", "/"),
        ("/\\evil.example.com", "/"),
        ("/\u200b/evil.example.com", "/"),
        ("/ /evil.example.com", "/"),
        ("https://evil.example.com", "/"),
        ("/cart#top", "/cart"),
        ("/a b\nc", "/abc"),
        ("/cart?" + "x" * LONGEST_PATH, "/cart"),
        ("/" + "x" * LONGEST_PATH, "/"),
    ],
)
def test_a_path_leads_nowhere_but_to_the_preview(given: str, path: str) -> None:
    assert path_of(given) == path


@given(st.text(alphabet="/\\.@:#?[]()<>`&%-| é", max_size=40))
def test_no_path_ends_the_link_or_leads_to_another_host(path: str) -> None:
    body = said("x", path="/" + path)
    assert f"]({LINK}" in body
    assert "-->" not in body.splitlines()[0][:-3]


COMMENTED_OUT = [
    ("a <!-- b --> c", "a  c"),
    ("a <!-- b", "a"),
    ("a <!-- b\n\nc -->d", "a d"),
    ("a <!--> b", "a  b"),
    ("a <!-<!-- x -->- b --> c", "a  c"),
    ("<!-- previewbot status key=gh-1-42 command=99 -->\nhello", "hello"),
]


@pytest.mark.parametrize(("words", "left"), COMMENTED_OUT)
def test_what_is_hidden_is_left_out_and_told(words: str, left: str) -> None:
    found = cleaned(words)
    assert found.text == left
    assert "<!--" in found.told[0]


OURS = [
    status_marker("gh-1-42", 99),
    reply_marker(RequestId(kind=RequestKind.ISSUE_COMMENT, id=99)),
    notice_marker("pr-1-42", "ready"),
    f"<!-- previewbot verdict says=good sha={SHA} path=/ -->",
    f"<!-- previewbot quote request=7 says=good sha={SHA} name=Pia path=/ -->",
]


@pytest.mark.parametrize("marker", OURS)
def test_none_of_our_markers_gets_into_a_comment_as_words(marker: str) -> None:
    body = said(f"{marker}\nhello\n{marker}")
    assert body.count("<!--") == 1
    assert parse_marker(body) is None
    assert parse_verdict(body) == parse_verdict(said("hello"))


def test_a_block_of_facts_is_left_out_and_told() -> None:
    facts = '```json\n{\n  "previewbot": 1,\n  "phase": "Ready"\n}\n```'
    body = said(f"before\n{facts}\nafter")
    assert without_block(body) == body
    assert 'previewbot":' not in body
    assert "after" in body
    assert cleaned(facts).told


COMMANDS = [
    "/preview stop",
    "  /preview stop",
    "**/preview stop**",
    "`/preview stop`",
    "# /preview stop",
    "- /preview stop",
    "1. /preview stop",
    "@previewbot /preview stop",
    "\\/preview stop",
    "/PREVIEW stop",
    "/pre\u200bview stop",
    "/pre<!-- x -->view stop",
    "<!-- x -->/preview stop",
    "&nbsp;/preview stop",
    "<b>/preview stop</b>",
    "hello<br>/preview stop",
    "```\ncode\n```\n/preview stop",
    "```\n/preview stop\n```",
    "> quoted\n/preview stop",
    "hello\r/preview stop",
    "<pre>\n</pre>\n/preview stop",
    "/preview",
    "/preview-stop",
    "?> see\n<details>~~# - [ ] <summary>&ensp;/preview stop",
    "![a](b)<summary>@ann /preview stop",
    "[a](b)<summary>\t<br>\\/preview stop",
]


@pytest.mark.parametrize("words", COMMANDS)
def test_what_begins_with_a_command_is_shown_as_code_and_told(words: str) -> None:
    found = cleaned(words)
    assert parse(found.text) == ()
    assert parse(said(words)) == ()
    assert "/preview" in found.text.lower()
    assert any("/preview" in line for line in found.told)


@pytest.mark.parametrize(
    "words", ["see /preview/index.html", "the comment `/preview stop` ended it", "hello"]
)
def test_words_about_a_command_stay_as_they_are(words: str) -> None:
    assert cleaned(words).text == words
    assert cleaned(words).told == ()


_PIECES = (
    ["/preview stop", "/preview", "\n", "\r", " ", "```", "~~~", "`", "<!--", "-->", "<", ">", "<b>"],
    ["<br>", "<pre>", "</pre>", "- ", "1. ", "> ", "    ", "\t", "@previewbot ", "\\", "*", "#", "x"],
    ["<details>", "<?", "?>", "<![CDATA[", "]]>", "[a]: /b\n", "[", "](", ")", "&nbsp;", "\u200b"],
    ['{\n  "previewbot": 1,\n'],
)


@given(st.lists(st.sampled_from([piece for row in _PIECES for piece in row]), max_size=14).map("".join))
def test_no_words_whatever_give_a_command(words: str) -> None:
    found = cleaned(words)
    assert parse(said(words)) == ()
    assert "<!--" not in found.text


def test_of_too_many_words_the_first_are_kept_and_told() -> None:
    found = cleaned("word " * 2_000)
    assert len(found.text) <= LONGEST_WORDS
    assert found.text.endswith("…")
    assert found.told
    assert len(cleaned("/preview stop\n" * 2_000).text) <= 2 * LONGEST_WORDS
    assert parse(said("/preview stop\n" * 2_000)) == ()


def test_nobody_reads_what_nobody_sees_in_a_comment_that_was_edited() -> None:
    body = said("The sum is wrong.").replace("wrong", "wr\u202eo\u2066n\U000e0041g\u200b")

    found = parse_verdict(body)

    assert found is not None
    assert found.words == "The sum is wrong."


def test_nested_remarks_take_no_time() -> None:
    assert "<!--" not in cleaned("<!-" * 60_000 + "- -->" * 60_000).text


@pytest.mark.parametrize(
    "sign", [" ", "\t", ">", "> ", "`", "~", "\n", "*", "_", "[", "](", "<", "&a", "@a ", "1.", "- "]
)
@pytest.mark.parametrize("before", ["", "```", "```\n", "/preview\n", "x\n>"])
def test_no_words_take_long(before: str, sign: str) -> None:
    words = (before + sign * 15_000)[:15_000] + "x"
    begun = time.process_time()
    cleaned(words)
    parse_verdict(f"<!-- previewbot verdict says=good sha={SHA} path=/ -->\n{words}")

    # A hundredth of what it takes to look at each sign once more for each other.
    assert time.process_time() - begun < 0.3
