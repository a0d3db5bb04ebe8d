"""The comment's first words for a terminal: in a condition's message and in Events."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import Preview
from previewbot.engine.mirrord import header
from previewbot.text import plain
from previewbot.text.render import HEADLINE_BYTES, Renderer, View
from tests.support.states import STATES

WORDS = {
    "ready": "Open the preview (https://key.preview.example.com/cart) of 3f2c1ab, open until "
    "Tue 24 Nov, 17:00 UTC, 8 hours after it became ready",
    "partial": "Open the preview (https://key.preview.example.com/cart) of 3f2c1ab: not all of it runs. "
    "checkout runs, "
    "pricing failed (KeyError: 'DB_URL'), so staging's answers in its place. "
    "This is for the author of the change. Everything else is the shared staging system, with its real data.",
    "closed": "There is no preview here now: the pull request was closed, Tue 24 Nov, 09:00 UTC. "
    "Nothing to do here; reopen the pull request to have one.",
    "deploying": "The preview of 3f2c1ab is starting (checkout), usually under a minute; "
    "nothing for you to do, it goes on by itself.",
    "failed": "The preview of 3f2c1ab failed. checkout: crashed: x @alice <img>.",
    "image-conflict": "No preview of 3f2c1ab: it conflicts with main, so nothing is built. "
    "This is for the author of the change: resolve the conflict and push; that commit starts by itself.",
    "configuration-wrong": ".github/preview.yaml has a mistake in line 7: "
    "`imge` is unknown, did you mean `image`?",
    "configuration-not-allowed": "The platform team's settings do not allow what .github/preview.yaml asks "
    "for in line 9: the namespace `payments` is not open to this repository; choose from: staging. That is "
    "the platform team's to decide, in previewbot's settings.",
    "nothing-changed": "Nothing to preview: this pull request changes no service that "
    ".github/preview.yaml names. Nothing to do here; a commit that changes one is seen by itself.",
}

RENDERER = Renderer()


def headline(preview: Preview) -> str:
    key = preview.spec.environment_key
    return RENDERER.headline(
        View(
            preview,
            "https://previews.example.com/p/812/42",
            "https://github.com/acme/shop/pull/42",
            header(key),
        )
    )


@pytest.mark.parametrize("state", WORDS)
def test_a_comment_in_one_plain_line(state: str) -> None:
    assert headline(STATES[state]) == WORDS[state]


@pytest.mark.parametrize("state", sorted(STATES))
def test_every_state_has_words_and_no_markup(state: str) -> None:
    words = headline(STATES[state])

    assert 10 < len(words) <= 300
    assert "**" not in words and "<!--" not in words and "\\" not in words


@given(st.text(st.characters(), max_size=400) | st.text(st.characters(categories=["C", "Z"]), max_size=9))
def test_whatever_is_quoted_it_is_one_line_that_an_event_takes(text: str) -> None:
    status = STATES["failed"].status
    services = (replace(status.services[0], failure_message=text, name=text),)
    words = headline(replace(STATES["failed"], status=replace(status, services=services)))

    assert len(words.splitlines()) == 1
    assert words.isprintable()
    assert words.startswith("The preview of 3f2c1ab failed. ")
    assert len(words) <= 300
    assert len(words.encode()) <= HEADLINE_BYTES


@pytest.mark.parametrize("text", ["x\x1b[31m\0\u202e\ud800y", "x\ud800\ud800[31my"])
def test_what_cannot_be_seen_is_left_out_of_a_terminals_words(text: str) -> None:
    assert plain.md(text) == plain.code(text) == plain.link(text, "") == plain.fenced([text]) == "x[31my"
    assert plain.link("x", f"https://{text}") == "x (https://x[31my)"
    assert plain.fenced(["a", "b"]) == "a\nb"
