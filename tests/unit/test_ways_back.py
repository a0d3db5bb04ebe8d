"""Where somebody may be led back to: pages of ours, and never anywhere else."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.people.ways_back import page_behind, way_back

OURS = "https://previews.example.com"


@pytest.mark.parametrize(
    "path",
    [
        *("/p/812/42", "/p/1/1", "/p/812/42?path=%2Fbasket%3Fa%3D1", "/p/812/42?path=/basket"),
        *("/previews", "/previews?repository=acme/shop&state=ready"),
        f"/enter?to=https%3A%2F%2Fkey.preview.example.net%2Fcart%3Fa%3D1&way={'w' * 43}",
    ],
)
def test_pages_of_ours_are_led_to_as_they_are(path: str) -> None:
    assert way_back(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "p/812/42", "//evil.example", "/\\evil.example", "\\\\evil.example", "///evil.example"),
        *("https://evil.example", "https:evil.example", "javascript:alert(1)", "data:text/html,x"),
        *(
            "https://previews.example.com/p/812/42",
            "//previews.example.com/p/812/42",
            "/p/812/42@evil.example",
        ),
        *(
            "/p/812/42/../../..//evil.example",
            "/p/812/42/",
            "/p/812/42#x",
            "/p/812/42\n",
            "/p/812/42?a\r\nb: c",
        ),
        *(
            "/p/812/42?a=<b>",
            "/p/812/42?a='",
            "/p/812/42?\u202e",
            "/p/812/42\\",
            "/p/0/1",
            "/p/-1/1",
            "/p/１/1",
        ),
        *("/sign-in", "/sign-out", "/sign-in/done?code=x", "/previewsx", "/previews.json", "/p/812/42.json"),
        f"/p/812/42?{'a' * 1001}",
        *("/enter", "/enter?to=https%3A%2F%2Fa", f"/enter?to=https://a&way={'w' * 43}"),
        *(f"/enter?to={'a' * 1501}&way={'w' * 43}", f"/enter?to=a&way={'w' * 44}"),
    ],
)
def test_everything_else_leads_home(path: str) -> None:
    assert way_back(path) == "/"


@given(st.text() | st.from_regex(r"[/\\]{0,3}[a-z.@:]{0,9}/p/[0-9]/[0-9][?#/\\@]?.{0,9}"))
def test_whatever_is_wanted_nobody_leaves_our_host(wanted: str) -> None:
    found = way_back(wanted)

    assert urlsplit(urljoin(OURS, found)).netloc == urlsplit(OURS).netloc
    assert f"{OURS}{found}" == urljoin(OURS, found)
    assert found.isascii() and found.isprintable() and "\\" not in found


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/p/812/42/verdict", "/p/812/42"),
        ("/p/812/42", "/p/812/42"),
        ("/p/812/42x", "/"),
        ("/p/812/", "/"),
        ("/previews", "/previews"),
        ("/previewsx", "/"),
        ("/sign-out", "/"),
        ("//evil.example/p/812/42", "/"),
    ],
)
def test_a_form_leads_back_to_its_page(path: str, page: str) -> None:
    assert page_behind(path) == page
