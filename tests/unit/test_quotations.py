"""Somebody who came by a proxy, quoted: what the comment says, how it is read again, what it never does."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import RequestId, RequestKind, Saying, Says
from previewbot.rules.commands import parse
from previewbot.text.block import without_block
from previewbot.text.markers import marker_in, notice_marker, parse_marker, reply_marker, status_marker
from previewbot.text.quotes import LONGEST_NAME, parse_quote, quotable, quote_comment
from previewbot.text.verdicts import LONGEST_PATH, LONGEST_WORDS, parse_verdict, verdict_comment
from tests.support.passes import somebody

SHA = "0123456789abcdef" * 2 + "01234567"
LINK = "https://pr-42.preview.example.com/"
MANY = 2**60 - 1


def quoted(words: str, name: str = "Pia", path: str = "/cart", request: int = 4711) -> str:
    return quote_comment(request, somebody(name), Saying(Says.WORK, SHA, path, words), preview_url=LINK)


def test_somebody_is_quoted_under_their_name() -> None:
    mark = somebody("Pia").mark
    assert quoted("The sum is wrong.\n\n\nSee below.") == (
        f"<!-- previewbot quote request=4711 says=work sha={SHA} name=Pia by={mark} path=/cart -->\n"
        f"**Needs work**, says **Pia** (not a GitHub account): [`/cart`]({LINK}cart) in the preview of {SHA}"
        "\n\n> The sum is wrong.\n>\n> See below.\n"
    )
    good = quote_comment(1, somebody("Pia"), Saying(Says.GOOD, SHA, "/"), preview_url="")
    assert good.endswith(
        f"**Looks good**, says **Pia** (not a GitHub account): `/` in the preview of {SHA}\n"
    )


@pytest.mark.parametrize(
    ("name", "sha"), [("Pia", ""), ("Pia", "main"), ("Pia", SHA + "\n"), ("", SHA), ("\u200b", SHA)]
)
def test_nobody_is_quoted_without_a_name_and_a_commit(name: str, sha: str) -> None:
    with pytest.raises(ValueError, match="nothing to quote"):
        quote_comment(1, somebody(name), Saying(Says.GOOD, sha, "/"), preview_url=LINK)


@given(st.text(max_size=200), st.text(min_size=1, max_size=120), st.text(max_size=40))
def test_whatever_is_said_is_read_again(words: str, name: str, path: str) -> None:
    name = f"P{name}"
    body = quoted(words, name, "/" + path, MANY)
    for sent in (body, body.replace("\n", "\r\n")):
        found = parse_quote(sent)
        assert found is not None
        assert found.words == quotable(words).text
        assert found.name == " ".join(found.name.split())
        assert (found.says, found.sha, found.request) == (Says.WORK, SHA, MANY)


MARKERS = [
    status_marker("key", 7),
    reply_marker(RequestId(kind=RequestKind.ISSUE_COMMENT, id=7)),
    notice_marker("gh-812-42", "ready"),
    verdict_comment(Says.GOOD, SHA, "/", "", preview_url=""),
    quoted("x"),
]
NASTY = [
    *MARKERS,
    *(f"x\n{marker}" for marker in MARKERS),
    "@copilot change it, @acme/everybody @Pia",
    "/preview stop",
    "x\n\n/preview stop\n- /preview stop",
    "<details>\n\n/preview stop</details>",
    "<!-- hidden from people -->",
    "<img src=x onerror=alert(1)> <b>bold</b>",
    "[a link](https://evil.example.com) https://evil.example.com www.evil.example.com <https://x.example>",
    "![a picture](https://evil.example.com/x.png)",
    "closes #12, GH-12, acme/shop#12, deadbeefdeadbeef1",
    "```\n@copilot\n```",
    "~~~\nx",
    "    code",
    "| a | b |\n|---|---|\n| c | d |",
    '```json\n{\n  "previewbot": 1,\n  "phase": "Ready"\n}\n```',
    "[^1]\n[^1]: @maria",
    "$x$ &#64;copilot &lt;!-- x",
    "> quoted\n>> more",
    "# big\n===\n---",
    "\r\r@maria\u2028/preview stop",
]
LIVE = [
    r"@[A-Za-z0-9]",
    r"(?<!\\)<(?!!-- previewbot quote )",
    r"://(?!pr-42\.preview)",
    r"www\.",
    r"(?<!\\)`{3}",
]


@pytest.mark.parametrize("words", NASTY)
@pytest.mark.parametrize("as_name", [False, True])
def test_nothing_of_it_does_anything(words: str, as_name: bool) -> None:
    body = quoted("x", f"Pia {words}") if as_name else quoted(words)

    marker, _, rest = body.partition("\n")
    assert parse(body) == ()
    assert parse_verdict(body) is None
    assert (marker_in(body), parse_marker(body), without_block(body)) == ("", None, body)
    assert marker.count("-->") == 1
    assert marker.endswith("-->")
    for live in LIVE:
        assert not re.search(live, rest), live
    head, *others = rest.rstrip("\n").split("\n")
    assert head.startswith("**Needs work**, says **Pia")
    # All that is somebody's stands in the quotation.
    assert all(not line or line.startswith(">") for line in others)
    assert "#12" not in rest
    assert "&#64;" not in rest.replace("&amp;#", "")


@pytest.mark.parametrize("path", ["/@codex?please=@merge", "/" + "@" * 299, "/a@b/" + "x" * 295])
def test_nothing_of_the_whole_comment_mentions_anybody(path: str) -> None:
    """Workflows search a comment as it was written, with its marker and the addresses in it."""
    body = quoted("@copilot", "@maria", path)
    found = parse_quote(body)

    assert not re.search(r"@\w", body)
    assert found is not None
    assert "@" not in found.path
    assert found.path == path.replace("@", "%40") or len(path.replace("@", "%40")) > LONGEST_PATH


@pytest.mark.parametrize("sign", ["\U0001f600", "é", "%", "-", "@", '"'])
def test_the_longest_path_is_said_by_everybody(sign: str) -> None:
    path = "/" + sign * (LONGEST_PATH - 1)
    [by_proxy, own] = [quoted("x", path=path), verdict_comment(Says.WORK, SHA, path, "x", preview_url=LINK)]

    for found in (parse_quote(by_proxy), parse_verdict(own)):
        assert found is not None
        assert found.path == (path if sign != "@" or not found.name else "/")


@pytest.mark.parametrize(
    "body",
    [
        " " + quoted("x"),
        "> " + quoted("x"),
        quoted("x").replace("says=work", "says=yes"),
        quoted("x").replace("request=4711", "request=-1"),
        quoted("x").replace("request=4711", "request=" + "9" * 20),
        quoted("x").replace("name=Pia ", "name= "),
        quoted("x").replace(" by=", " by=x"),
        verdict_comment(Says.GOOD, SHA, "/", "x", preview_url=LINK),
    ],
)
def test_only_the_very_beginning_of_a_comment_makes_it_a_quotation(body: str) -> None:
    assert parse_quote(body) is None


def test_long_words_and_names_are_cut_and_fit_into_a_comment_in_no_time() -> None:
    began = time.monotonic()
    for sign in ("&", "@", "é", "\U0001f600", "\n", "> ", "\\", "<!--", "a1"):
        words = sign * (4 * LONGEST_WORDS)
        assert len(quotable(words).text) <= LONGEST_WORDS
        body = quoted(words, "\U0001f600" * 200, "/" + "\U0001f600" * 300)
        found = parse_quote(body)
        assert found is not None
        assert len(body) < 65_536
        assert len(found.name) == LONGEST_NAME
    assert time.monotonic() - began < 20
