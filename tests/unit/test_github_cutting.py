"""What is kept of people's and agents' words says as much as the whole, in whatever pieces it arrives."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from previewbot.api import RequestId, RequestKind
from previewbot.api.github import Account, Comment, Commit
from previewbot.api.preview_request import Actor, Saying
from previewbot.api.verdicts import SaidVerdict, Says
from previewbot.clients.github import conversations, kept, parse
from previewbot.clients.github.cutting import (
    LONGEST_TEXT,
    MOST_BYTES,
    MOST_KEPT,
    Cutting,
    Each,
    Rule,
    TooMuch,
)
from previewbot.config.agents import built_in
from previewbot.rules import agents, commands
from previewbot.rules.agents import Signs
from previewbot.rules.commands import Command, UnknownCommand
from previewbot.text.markers import comment_hash, parse_marker, reply_marker, status_marker
from previewbot.text.quotes import parse_quote, quote_comment
from previewbot.text.verdicts import parse_verdict, verdict_comment
from tests.support import github_samples as samples
from tests.support.github_cutting import cut
from tests.support.passes import A, as_read

ADA = Account(1, "ada")


def heard(body: str | None) -> Comment:
    """Return a comment as it is read."""
    return conversations.comment_from(cut(kept.COMMENT, {**samples.comment(), "body": body}))


_COMMAND_WORDS = st.sampled_from(
    ["/preview", "start", "extend", "2h", "30m", "stop", " ", "\t", "\n", "\r\n", "\x85", " " * 600, "a" * 40]
)
_BODIES = st.text(max_size=30) | st.lists(_COMMAND_WORDS | st.text(max_size=4), max_size=8).map("".join)


@given(_BODIES | _BODIES.map("/preview ".__add__))
@example("/preview stop" + " " * 70_000 + "x")
@example("/preview " + "extend " * 10_000)
@example("/preview extend " + "0h " * 10_000)
@example("/preview\x1cstop")
def test_what_is_kept_of_a_comment_asks_for_what_the_whole_asks_for(body: str) -> None:
    read, whole = heard(body), commands.parse(body)

    assert commands.parse(read.body) == whole
    assert len(read.body) <= 502 * (commands.MOST_COMMANDS + 1)


@given(
    marker=st.sampled_from(
        [
            status_marker("pr-1-2", 77),
            reply_marker(RequestId(RequestKind.ISSUE_COMMENT, 78)),
            "<!-- previewbot status -->",
            "",
        ]
    ),
    before=st.sampled_from(["", "", " ", "> "]),
    after=st.text(max_size=40),
)
def test_the_marker_and_the_hash_of_a_comment_are_those_of_the_whole(
    marker: str, before: str, after: str
) -> None:
    body = before + marker + after
    read, whole = heard(body), parse_marker(body)

    assert parse_marker(read.marker) == whole
    assert read.hash == (comment_hash(body) if whole else "")


@pytest.mark.parametrize("body", ["<!-- previewbot status " + "a" * 70_000 + " -->", "Hello " * 10_000])
def test_of_a_long_text_without_a_command_or_a_marker_of_ours_nothing_is_kept(body: str) -> None:
    read = heard(body)

    assert (read.body, read.marker, read.hash) == ("", "", "")


PIA = Actor(name="Pia", mark="0123456789ab")
SAYING = Saying(Says.WORK, A, "/cart", "The sum is wrong.")


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (verdict_comment(Says.GOOD, A, "/cart", "Yes.", preview_url=""), parse_verdict),
        (quote_comment(7, PIA, SAYING, preview_url=""), parse_quote),
    ],
)
def test_all_that_a_verdict_says_is_kept_as_the_passes_tests_take_it(
    body: str, whole: Callable[[str], SaidVerdict | None]
) -> None:
    """Without the mark all who come by a proxy would be one person, and each take back what others said."""
    read = heard(body)

    assert read.verdict == whole(body)
    assert read.verdict == as_read(replace(read, body=body)).verdict


def test_a_comment_without_a_text_asks_for_nothing() -> None:
    assert heard(None).body == ""


TABLE = built_in()
_EMAILS = sorted(email for agent in TABLE.agents for email in agent.emails)
_IDS = sorted(number for agent in TABLE.agents for number in agent.signing_ids)
_ADDRESSES = st.one_of(
    st.sampled_from(_EMAILS).map(str.upper),
    st.builds(
        "{}+{}@users.noreply.github.com".format, st.sampled_from([*_IDS, 7]), st.sampled_from(["x", "y"])
    ),
    st.just("ada@example.com"),
)
_LINES = st.one_of(
    st.builds(
        "{}: {} <{}>".format,
        st.sampled_from(["Co-Authored-By", "See"]),
        st.text("a<\r ", max_size=3),
        _ADDRESSES,
    ),
    st.sampled_from(["replit-commit-author: Agent", "replit-commit-author: agents", " replit-commit-author"]),
    st.sampled_from(
        ["Agent-Logs-Url: https://github.com/a/b/sessions/1", "Made-with: Cursor", "Signed-off-by: a"]
    ),
    st.sampled_from(["(cherry picked from commit 1)", "🤖 Generated with [Claude Code](x)"]),
    st.text(max_size=10),
)
_MESSAGES = st.lists(_LINES | st.just(""), max_size=6).map("\n".join)


@given(st.lists(_MESSAGES, max_size=3))
def test_what_is_kept_of_commits_shows_the_same_agent_as_their_messages(messages: list[str]) -> None:
    def seen(messages: list[str]) -> object:
        commits = [Commit("1", message, "ada", "ada@example.com", None) for message in messages]
        return agents.recognise(Signs(ADA, "fix"), commits, TABLE)

    rows = [samples.commit(message=message) for message in messages]
    read = [parse.commit_from(row).message for row in cut(kept.commits(TABLE), rows)]

    assert seen(read) == seen(messages)


def test_the_trailers_of_the_longest_message_are_found() -> None:
    message = "x" * 1_000_000 + "\n\nCo-authored-by: Cursor <cursoragent@cursor.com>\n"

    assert agents.signatures(TABLE)(message) == "…\n\nCo-authored-by: <cursoragent@cursor.com>"


def test_a_thousand_signatures_of_one_agent_are_kept_as_one() -> None:
    address = f"{_IDS[0]}+{{}}@users.noreply.github.com"
    message = "Fix\n\n" + "\n".join(
        f"Co-authored-by: C <{address.format(number)}>" for number in range(1_000)
    )

    assert agents.signatures(TABLE)(message) == f"…\n\nCo-authored-by: <{address.format('x')}>"


_LINKS = [
    "https://cursor.com/agents?id=bc-1",
    "https://www.cursor.com/agents/bc-",
    "https://chatgpt.com/codex/tasks/1",
    "🤖 Generated with [Claude Code](https://x)",
    "Generated with [Claude",
    " Code](",
    "<!-- CURSOR_AGENT_PR_BODY_BEGIN -->",
    "https://app.devin.ai/sessions/1",
    "https://app.devin.ai/review/1",
    "This PR contains the following updates:",
    "# Backport",
]
_SIGNS = [
    "\n",
    "\n\n",
    " ",
    "`",
    "```\n",
    "~~~",
    "<!--",
    "-->",
    "> ",
    "- ",
    "    ",
    "<pre>",
    "</pre>",
    "**",
    "(",
]


@given(
    st.lists(st.sampled_from(_LINKS) | st.sampled_from(_SIGNS) | st.text(max_size=5), max_size=9).map("".join)
)
def test_what_is_kept_of_a_description_shows_the_same_agent_as_the_whole(body: str) -> None:
    read = parse.pull_request_from(cut(kept.pull_request(TABLE), samples.pull_request(body=body))).body

    seen, whole = (agents.recognise(Signs(ADA, "fix", words), None, TABLE) for words in (read, body))
    assert seen == whole


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 2**63, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(value=_JSON, piece=st.integers(1, 40), ensure_ascii=st.booleans())
def test_the_pieces_in_which_an_answer_arrives_make_no_difference(
    value: Any, piece: int, ensure_ascii: bool
) -> None:
    rule: Rule = {"a": None, "b": {"a": None}, "c": Each({"b": None})}

    assert cut(rule, value, piece=piece) == cut(rule, value, ensure_ascii=ensure_ascii)


@given(value=_JSON)
def test_nothing_is_kept_that_no_rule_names(value: Any) -> None:
    left = cut({"a": None, "c": Each({"b": None})}, value)

    if isinstance(value, dict):
        assert left.keys() <= {"a", "c", "…"}
        assert not isinstance(left.get("a"), dict | list) or left["a"] in ({}, [], {"…": None})
        assert len(left.get("c") or []) == len(value["c"]) if isinstance(value.get("c"), list) else True


@pytest.mark.parametrize("text", [b"<html>", b"{", b'{"a": 1} x', b'["a"', b"\xff", b'{"a": "\xff"}'])
def test_what_is_no_json_is_a_mistake_and_not_half_an_answer(text: bytes) -> None:
    cutting = Cutting({"a": None})

    with pytest.raises(ValueError):
        cutting.feed(text)
        cutting.end()


@pytest.mark.parametrize("number", ["9" * 5_000, str(2**63), "1e400", "1e" + "9" * 20], ids=len)
@pytest.mark.parametrize("name", ["a", "b"], ids=["kept", "dropped"])
def test_a_number_that_no_program_holds_is_a_mistake_and_ends_nothing_else(number: str, name: str) -> None:
    with pytest.raises(ValueError):
        Cutting({"a": None}).feed(f'{{"{name}": {number}}}'.encode())


def test_however_deep_an_answer_is_what_is_not_kept_of_it_is_gone_through() -> None:
    cutting, deep = Cutting({"a": None, "b": None}), 200_000
    cutting.feed(b'{"a": ' + b'[{"a":' * deep + b"1" + b"}]" * deep + b', "b": 2}')

    assert json.loads(cutting.end()) == {"a": [], "b": 2}


def test_an_empty_answer_is_nothing() -> None:
    assert Cutting(kept.NOTHING).end() == b""


def test_an_answer_without_end_is_given_up() -> None:
    cutting, piece = Cutting(kept.NOTHING), b"[" + b" " * (2**20 - 1)
    cutting.feed(piece)

    with pytest.raises(TooMuch, match="128 MiB"):
        for _ in range(MOST_BYTES // 2**20):
            cutting.feed(b"1," + b" " * (2**20 - 2))


@pytest.mark.parametrize("begun", [b'{"a": "', b'{"b": "', b'{"', b'{"a": 1'])
def test_a_text_without_end_is_given_up_also_where_it_is_not_kept(begun: bytes) -> None:
    cutting = Cutting({"a": None})
    cutting.feed(begun)

    with pytest.raises(TooMuch, match="a text in it"):
        for _ in range(LONGEST_TEXT // 2**16 + 1):
            cutting.feed(b"1" * 2**16)


def test_more_than_we_hold_is_given_up_however_small_its_parts_are() -> None:
    names = Each({"name": None})

    with pytest.raises(TooMuch, match="what is needed"):
        cut(names, [{"name": "x" * 1_000}] * (MOST_KEPT // 1_000))
    with pytest.raises(TooMuch, match="what is needed"):
        cut(names, [{}] * (MOST_KEPT // 16 + 1))


def test_what_was_longer_than_a_command_may_be_is_quoted_from_its_beginning() -> None:
    (asked,) = commands.parse(heard("/preview frobnicate " + "x" * 60_000).body)

    assert isinstance(asked, UnknownCommand) and asked.text.startswith("/preview frobnicate xxx")
    assert commands.parse(heard("/preview extend 2h").body) == (
        Command("extend", duration=timedelta(hours=2), text="2h"),
    )


def test_everything_that_is_kept_is_json_that_any_charset_can_hold() -> None:
    cutting = Cutting({"a": None})
    cutting.feed(json.dumps({"a": "ü😀"}, ensure_ascii=False).encode())

    assert cutting.end().isascii()
