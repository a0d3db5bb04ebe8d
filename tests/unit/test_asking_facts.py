"""The block in previewbot's comment: what is read of it, and what in a comment is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.asking.facts import Facts, address, facts_in, facts_of
from previewbot.asking.github_answers import CommentSeen
from previewbot.asking.words import one_line
from previewbot.text.facts import as_json
from previewbot.text.render import Renderer, View
from tests.support.states import STATES

RENDERER = Renderer()
PULL_REQUEST, HEADER = "https://github.com/acme/shop/pull/42", "baggage: mirrord-session=x"

SHA = "a" * 40
BLOCK = {"previewbot": 1, "repository": "acme/shop", "number": 42, "phase": "Ready", "head_sha": SHA}


def fenced(value: Any, fence: str = "```", info: str = "json") -> str:
    return f"{fence}{info}\n{json.dumps(value, indent=1)}\n{fence}"


def comment(*parts: str) -> str:
    return "\n\n".join(("<!-- previewbot status key=x command=0 -->", "### Open the preview", *parts))


@pytest.mark.parametrize("body", ["x" * 65_536, "<!-- previewbot reply command=7 -->\nStarted.", "", None])
def test_of_a_comment_that_tells_how_no_preview_stands_no_word_is_kept(body: str | None) -> None:
    assert not CommentSeen.model_validate({"id": 1, "user": None, "body": body}).body
    ours = CommentSeen.model_validate({"id": 1, "user": None, "body": comment(fenced(BLOCK))})
    assert ours.body == comment(fenced(BLOCK))


def test_the_block_is_read_wherever_it_stands_in_the_comment() -> None:
    found = facts_in(comment("<details><summary>For programs</summary>", fenced(BLOCK), "</details>"))
    assert found is not None
    assert (found.phase, found.head_sha) == ("Ready", SHA)


def test_what_a_newer_previewbot_says_more_is_kept_and_harms_nothing() -> None:
    found = facts_in(comment(fenced({**BLOCK, "mood": "fine", "services": [{"name": "web", "colour": 1}]})))
    assert found is not None and found.model_extra == {"mood": "fine"}
    assert found.services[0].name == "web"


@pytest.mark.parametrize("name", STATES)
def test_what_previewbot_writes_in_each_state_is_read_as_it_was_meant(name: str) -> None:
    view = View(STATES[name], "https://previews.example.com/p/812/42", PULL_REQUEST, HEADER)
    meant, found = as_json(RENDERER.facts(view)), facts_in(RENDERER.comment(view))
    assert found is not None
    read = found.model_dump(mode="json")
    told = [key for key in meant if key in Facts.model_fields and key != "services"]
    assert {key: read[key] or None for key in told} == {key: meant[key] or None for key in told}
    assert [each.name for each in found.services] == [each["name"] for each in meant["services"]]


FORGED = fenced({**BLOCK, "phase": "Ready", "url": "https://evil.example.com"})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("no block at all", id="none"),
        pytest.param(fenced({**BLOCK, "previewbot": 2}), id="of another version"),
        pytest.param(fenced({"previewbot": 1}), id="without what it is about"),
        pytest.param(fenced([BLOCK]), id="a list"),
        pytest.param("```json\n{not json\n```", id="broken"),
        pytest.param("```json\n" + "[" * 50_000 + "\n```", id="deeper than Python reads"),
        pytest.param(f"```json\n{json.dumps(BLOCK)}", id="never closed"),
        pytest.param(fenced(BLOCK, info="yaml"), id="of another kind"),
        pytest.param(json.dumps(BLOCK), id="outside of a fence"),
        pytest.param(f"````\n{FORGED}\n````", id="in a log that is fenced with more"),
        pytest.param(f"~~~\n{FORGED}\n~~~", id="in a fence of the other kind"),
        pytest.param(f"````text\nwords\n```\n{FORGED}\n````", id="after what looks like the log's end"),
        pytest.param(f"{fenced(BLOCK)}\n\n{FORGED}", id="two that could be meant"),
    ],
)
def test_what_is_no_block_of_ours_tells_nothing(text: str) -> None:
    assert facts_in(comment(text)) is None


def test_a_log_that_imitates_the_block_takes_nothing_from_the_real_one() -> None:
    found = facts_in(comment(f"````\n{FORGED}\n```\n````", fenced(BLOCK)))
    assert found is not None and found.url == ""


@given(st.text(alphabet='`~{}json \n"1:', max_size=200))
def test_no_text_of_strangers_makes_the_reader_fail(text: str) -> None:
    facts_in(text)


@given(st.text(alphabet=st.sampled_from("`~ \nx{}")))
def test_nothing_within_a_longer_fence_is_taken_for_a_block(inner: str) -> None:
    ticks = "`" * (max((len(run) for run in inner.split("\n") if set(run) <= {"`"}), default=0) + 100)
    found = facts_in(f"{ticks}\n{inner}\n{FORGED}\n{ticks}\n\n{fenced(BLOCK)}")
    assert found is not None and found.url == ""


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://shop-42.preview.example.com/", True),
        ("http://shop-42.localhost:8080/a?b=c#d", True),
        ("", False),
        (None, False),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("https://[::1", False),
        ("https://a.example.com/\nstate=ready", False),
        ("https://a.example.com/ $(rm)", False),
        ("https://a.example.com/\u202egpj.exe", False),
        ("https://a.example.com/\u200b", False),
        ("https://a.example.com/#a##[add-mask]b", False),
        ("https://a.example.com/\ud800", False),
        ("https://a.example.com/\u00fc", True),
    ],
)
def test_only_an_address_that_a_browser_opens_is_one(url: str | None, taken: bool) -> None:
    assert address(url) == (url if taken else "")


@pytest.mark.parametrize("sha", ["a" * 39, "main", f"{'a' * 40}\nurl=https://evil.example.com/", "A" * 40])
def test_what_is_no_commit_is_none(sha: str) -> None:
    told = {"version": 1, "repository": "acme/shop", "number": 42, "head_sha": sha, "serving_sha": sha}
    found = facts_of({**told, "services": [{"name": "web", "serving_sha": sha}]})
    assert found is not None
    assert (found.head_sha, found.serving_sha, found.services[0].serving_sha) == ("", "", "")


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("baggage: mirrord-session=pabc-shop-42", True),
        ("x-preview: a, b", True),
        ("no header", False),
        ("baggage: x\nurl=https://evil.example.com", False),
        ("bag gage: x", False),
        ("baggage:", False),
    ],
)
def test_only_one_header_of_one_line_is_one(header: str, taken: bool) -> None:
    found = facts_of({**BLOCK, "header": header})
    assert isinstance(found, Facts)
    assert found.header == (header if taken else "")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("CI is\n  building", "CI is building"),
        ("\x1b[2Jgone", "?[2Jgone"),
        ("say ##[add-mask]x", "say ## [add-mask]x"),
        ("x" * 600, "x" * 499 + "…"),
    ],
)
def test_words_of_others_are_one_line_that_no_terminal_and_no_runner_obeys(words: str, line: str) -> None:
    assert one_line(words) == line
