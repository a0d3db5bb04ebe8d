"""What the author of a `.github/preview.yaml` wrote, where its mistakes are told: never more than words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from previewbot.config.repository import parse
from previewbot.errors import ConfigurationError
from previewbot.text import hypertext, markdown, plain
from tests.unit.test_repository_config import EXAMPLE

RENDERED = MarkdownIt("commonmark", {"html": True})
SHA = "5f3b1c9e" * 5
LINKS = [
    "GH-12",
    "gh-12",
    SHA,
    SHA[:7],
    "#12",
    "@everybody",
    "acme/shop#12",
    "www.evil.example",
    "https://x.y",
]
"""Words that GitHub makes a link or a mention of: see "Autolinked references" in its documentation."""
PLACES = [
    "{}: 1\nversion: 1",
    "version: {}",
    "version: 1\nservices:\n  '{}': {{}}",
    "version: 1\nservices:\n  cart: {{'{}': 1}}",
    "version: 1\nentry: {{url: '{}', namespace: '{}', service: '{}', target: '{}'}}",
    "version: 1\nservices:\n  cart: {{target: 'deployment/{}', image: '{}', paths: ['!{}'], open: '{}'}}",
    "version: 1\nservices:\n  cart: {{image: 'x/{{{}}}', paths: ['/{}\\'], ports: ['{}'], target: '{}/x'}}",
    "version: 1\nservices:\n  cart: {{paths: ['{}/[z-a]'], image: 'ghcr.io/x/y-{}'}}",
    "ttl: '{}'\ntriggers: {{agents: '{}', '{}': 1}}",
    "version: *{}",
    "version: !{} x",
    "version: &{}.x",
    "version: @{}",
    "version: `{}`",
    "version: |{}",
    "version: {{{}}}/x",
    "version: {{{}}}",
    'version: "\\`{}"',
    "version: %{}",
    "%{}\n",
    "version: &{0} 1\nttl: &{0} 1",
    "version: 1: {}",
    "{}: 1\n{}: 1",
    "entry:\nurl: 1\n{}: 1",
]


def told(content: str) -> list[str]:
    try:
        parse(content)
    except ConfigurationError as error:
        return [problem.message for problem in error.problems]
    return []


def outside_of_code(message: str) -> str:
    """Return what GitHub shows of a message outside of code, where it would look for links and mentions."""
    html = RENDERED.renderInline(markdown.prose(message))
    assert "<a " not in html
    return re.sub(r"<code>.*?</code>", "", html)


@pytest.mark.parametrize("word", LINKS)
@pytest.mark.parametrize("place", PLACES)
def test_no_word_of_the_file_is_told_but_as_code(place: str, word: str) -> None:
    found = told(place.replace("{}", "{0}").format(word))

    assert found
    assert all(word not in outside_of_code(message) for message in found), found


@pytest.mark.parametrize("place", PLACES)
@given(st.text(st.sampled_from("`'\"\\ax<>&*_|@# "), max_size=6))
def test_no_sign_in_the_file_ends_the_code_that_it_is_told_in(place: str, word: str) -> None:
    for message in told(place.replace("{}", "{0}").format(f"x{word}MARK")):
        html = RENDERED.renderInline(markdown.prose(message))

        assert html.count("<code>") == message.count("`") / 2
        assert "MARK" not in outside_of_code(message)


def test_a_message_is_code_and_words_on_each_place_where_it_is_read() -> None:
    (message,) = told(EXAMPLE.replace("ttl: 8h", "ttl_: <8h>"))[:1]

    assert message.startswith("`ttl_` is unknown; did you mean `ttl`?")
    assert markdown.prose(message) == message
    assert hypertext.prose(message) == "<code>ttl_</code> is unknown; did you mean <code>ttl</code>?"
    assert plain.prose(message) == message


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a `b", "a \\`b"),
        ("`a` *b* `c`", "`a` \\*b\\* `c`"),
        ("see `a`", "see `a`"),
        ("(`a\n  b`)", "(`a b`)"),
    ],
)
def test_words_around_code_are_escaped_and_keep_their_blanks(text: str, written: str) -> None:
    assert markdown.prose(text) == written


@pytest.mark.parametrize("word", LINKS)
def test_a_users_word_becomes_no_link(word: str) -> None:
    assert word not in markdown.md(f"see {word}, please")
