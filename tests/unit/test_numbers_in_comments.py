"""What a comment of the App's says can be changed by whoever may write: no number in it breaks a status."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api.preview_request import Actor, Saying
from previewbot.api.verdicts import Says
from previewbot.text.markers import parse_marker
from previewbot.text.numbers import MOST, number_in
from previewbot.text.quotes import parse_quote, quote_comment

PIA = Actor(login="", id=0, name="Pia", mark="0123456789ab")
SAYING = Saying(Says.GOOD, "a" * 40, "/", "Ship it.")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        (str(MOST), MOST),
        (str(MOST + 1), 0),
        ("9" * 19, 0),
        ("9" * 5_000, 0),
        ("-1", 0),
        ("١", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_a_number_that_no_status_can_hold_is_none(text: str | None, number: int) -> None:
    assert number_in(text) == number


@given(st.integers(0, MOST * 2).map(str) | st.integers(1, 6_000).map(lambda length: "9" * length))
def test_no_marker_gives_a_number_that_no_status_can_hold(digits: str) -> None:
    status = parse_marker(f"<!-- previewbot status key=x command={digits} -->")
    reply = parse_marker(f"<!-- previewbot reply reply-to={digits} edit={digits} -->")

    assert status is not None
    assert status.command <= MOST
    assert reply is not None
    assert reply.edit <= MOST
    assert reply.reply_to is None or 0 < reply.reply_to.id <= MOST


@pytest.mark.parametrize("number", [0, MOST + 1, 10**19 - 1])
def test_a_quotation_of_such_a_number_is_none(number: int) -> None:
    written = quote_comment(4711, PIA, SAYING, preview_url="")
    changed = written.replace("request=4711", f"request={number}")

    assert changed != written
    assert parse_quote(written) is not None
    assert parse_quote(changed) is None
