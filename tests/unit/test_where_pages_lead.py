"""Where texts lead people: to a page that tells them something, and to where they say what they think."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.config.server import parse
from previewbot.engine.view import view_of
from tests.support.people import VALUES
from tests.support.states import STATES

PAGE = "https://previews.example.com/p/812/42"


@pytest.mark.parametrize(
    ("changed", "page_url", "say_url"),
    [
        ({"access": "none", "pages": "private"}, "", ""),
        ({"access": "none", "pages": "public"}, PAGE, ""),
        ({"access": "github", "pages": "private"}, PAGE, PAGE),
        ({"access": "github", "pages": "public"}, PAGE, PAGE),
    ],
)
def test_a_text_leads_to_a_page_that_tells_something(
    changed: dict[str, Any], page_url: str, say_url: str
) -> None:
    view = view_of(parse({**VALUES, **changed}, {}), STATES["ready"])

    assert (view.page_url, view.say_url) == (page_url, say_url)
