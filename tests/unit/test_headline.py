"""The comment's first words for a terminal: in a condition's message and in Events."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.render import code, headline, md

GOLDEN = Path(__file__).parents[1] / "golden" / "comment"

WORDS = {
    "ready": "Open the preview (https://key.preview.example.com/cart) of 3f2c1ab",
    "closed": "The preview is gone; it was removed when the pull request was closed, Tue 24 Nov, 09:00 UTC.",
    "deploying": "The preview of 3f2c1ab is starting (checkout), usually under a minute. "
    "Follow it here (https://previews.example.com/p/812/42).",
    "failed": "The preview of 3f2c1ab failed. checkout: crashed: x @alice <img>.",
    "image-conflict": "No preview of 3f2c1ab: it conflicts with main, so nothing is built. "
    "The next commit starts again.",
    "configuration-wrong": ".github/preview.yaml has a mistake in line 7: "
    "`imge` is unknown, did you mean `image`?",
    "nothing-changed": "Nothing to preview: this pull request changes no service that "
    ".github/preview.yaml names.",
}


@pytest.mark.parametrize("state", WORDS)
def test_a_comment_in_one_plain_line(state: str) -> None:
    assert headline((GOLDEN / f"{state}.md").read_text(encoding="utf-8")) == WORDS[state]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.md")), ids=lambda path: path.stem)
def test_every_state_has_words_and_no_markup(path: Path) -> None:
    words = headline(path.read_text(encoding="utf-8"))

    assert 10 < len(words) <= 300
    assert "**" not in words and "<!--" not in words and "\\" not in words


@given(st.text(max_size=400))
def test_whatever_is_quoted_it_is_one_line_that_an_event_takes(text: str) -> None:
    words = headline(f"<!-- previewbot status key=a command=0 -->\n**Failed**: {code(text)} {md(text)}")

    assert "\n" not in words
    assert len(words.encode()) <= 1200
