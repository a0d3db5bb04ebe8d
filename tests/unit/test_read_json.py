"""JSON from outside is read, or it is a ValueError: nothing else comes of a text, however it is made."""

from __future__ import annotations

import pytest

from previewbot.text.json import read_json


@pytest.mark.parametrize("text", ['{"a": [1, null]}', b'{"a": [1, null]}'])
def test_a_text_is_read_whether_it_is_decoded_or_not(text: str | bytes) -> None:
    assert read_json(text) == {"a": [1, None]}


@pytest.mark.parametrize(
    "text",
    ["", "{", b"\xff\xfe\xff", "[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000],
    ids=["nothing", "half", "no text", "brackets", "braces", "brackets that end"],
)
def test_what_cannot_be_read_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        read_json(text)
