"""Attack: to read how all previews stand without the bearer: by guessing, or by one set carelessly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.cli.secret_files import read_bearers
from previewbot.config.server import LEAST_BEARER, Bearer, bearers, parse
from previewbot.errors import SettingsError
from previewbot.runtime.pages_app import create_pages
from tests.security.test_counting_pages import Cluster, stored
from tests.support.passes import SETTINGS
from tests.support.previews import NOW
from tests.support.states import STATES

BEARER = "0123456789abcdef0123456789abcdef0123456789abcdef"
FILE = Path("bearer")


def listing() -> Iterator[dict[str, Any]]:
    yield stored(STATES["ready"])


CLIENT = create_pages(
    parse(SETTINGS, {}),
    Cluster(),
    now=lambda: NOW,
    bearers=lambda: (Bearer(BEARER.encode()),),
    listing=listing,
).test_client()
NEAR = st.sampled_from(
    ["", " ", BEARER[:-1], BEARER + "0", BEARER.upper(), BEARER[::-1], f"{BEARER},{BEARER}"]
)
GUESSES = (st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60) | NEAR).filter(
    lambda guess: guess.strip() != BEARER
)


@given(scheme=st.sampled_from(["Bearer ", "bearer ", "Basic ", "token ", ""]), guess=GUESSES)
def test_no_other_word_lets_anybody_in(scheme: str, guess: str) -> None:
    for address in ("/p/812/42.json", "/p.json?repository=acme/shop&number=42", "/previews.json"):
        found = CLIENT.get(address, headers={"Authorization": f"{scheme}{guess}"})
        assert found.status_code == 404
        assert "acme" not in found.text


def test_a_bearer_in_the_address_or_in_a_cookie_is_none() -> None:
    # Addresses stand in logs and in browsers' histories; cookies are sent by pages of others.
    assert CLIENT.get(f"/previews.json?bearer={BEARER}&access_token={BEARER}").status_code == 404
    assert (
        CLIENT.get("/previews.json", headers={"Cookie": f"Authorization=Bearer {BEARER}"}).status_code == 404
    )
    assert CLIENT.get("/previews.json", headers={"Authorization": f"Bearer {BEARER}"}).status_code == 200


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n\r\n", "is empty"),
        (b"x" * (LEAST_BEARER - 1), "of 31 characters, which can be guessed"),
        (b"y" * 40 + b"\n" + b"x" * 8, "of 8 characters"),
        (b"a b" * 20, "with signs that no header can carry"),
        (b"acme/x " + b"\xff" * 40, "with signs that no header can carry"),
        ("ö".encode() * 40, "with signs"),
        (b"\xff\xfe" + b"x\0" * 40, "with signs"),
        (b"\n".join(letter * 40 for letter in (b"a", b"b", b"c")), "holds 3 bearers; it"),
        (b"\n".join(b"acme/x " + letter * 40 for letter in (b"a", b"b", b"c")), "holds 3 bearers for acme/x"),
        (b"acme/x " + b"x" * 8, "of 8 characters"),
        (b"acme/* " + b"x" * 40, "which is none of"),
        (b"acme " + b"x" * 40, "which is none of"),
        (b"acme/x acme/y " + b"x" * 40, "which is none of"),
        (b"acme/x " + b"x" * 40 + b"\nacme/y " + b"x" * 40, "one bearer for several repositories"),
        (b"acme/x " + b"x" * 40 + b"\n" + b"x" * 40, "one bearer for several repositories"),
    ],
)
def test_a_bearer_that_can_be_guessed_or_never_sent_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as raised:
        bearers(FILE, content)

    assert "x" * 8 not in str(raised.value)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
def test_the_end_of_a_line_is_no_part_of_it(end: bytes) -> None:
    assert bearers(FILE, BEARER.encode() + end) == (Bearer(BEARER.encode()),)


def test_what_counts_is_read_from_the_file_each_time_and_nothing_counts_without_one(tmp_path: Path) -> None:
    file = tmp_path / "bearer"
    settings = parse({**SETTINGS, "api": {"bearer_file": str(file)}}, {})
    with pytest.raises(SettingsError, match="cannot be read"):
        read_bearers(settings)
    for content in ("a" * 40, "b" * 40):
        file.write_text(content)
        assert read_bearers(settings) == (Bearer(content.encode()),)

    assert read_bearers(parse(SETTINGS, {})) == ()
