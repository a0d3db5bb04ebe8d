"""What docs/security.md says of the perimeter names settings that there are, and pages load nothing.

That it is all that leaves is shown by tests/e2e/test_perimeter.py and tests/chart/test_network.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot.config.schema import schema_of
from previewbot.config.server import Settings
from previewbot.text.render import Renderer
from tests.support import perimeter

ROOT = Path(__file__).parents[2]
RENDERER = Renderer()
OF_NO_PREVIEW = ("unavailable", "closed", "home", "no_address", "not_found")
VALUES = {"who": "GitHub", "login": "", "sign_in_url": "/sign-in", "signs_in": True}
PAGES = {
    **{path.stem: path.read_text("utf-8") for path in (ROOT / "tests" / "golden").glob("page*/*.html")},
    "no preview": RENDERER.no_preview(),
    **{f"{name}.html": RENDERER.html(f"{name}.html", **VALUES) for name in OF_NO_PREVIEW},
}
NAMED = sorted(set(re.findall(r"`((?:[a-zA-Z_]+\.)+[a-zA-Z_<>.]+)`", perimeter.section())))
NOT_SETTINGS = {"resolv.conf"}


def test_each_row_says_who_speaks_to_whom_and_what_of() -> None:
    found = perimeter.rows()

    assert len(found) == 11
    assert all(set(row.who) <= {"web", "pages", "controller"} for row in found)
    assert all((row.whom, row.named_by, row.port, row.content, row.stopped_by) for row in found)
    assert [row.port for row in found if row.whom == perimeter.DNS] == ["53"]


@pytest.mark.parametrize("name", sorted(set(NAMED) - NOT_SETTINGS))
def test_a_setting_that_the_section_names_is_there(name: str) -> None:
    values = yaml.safe_load((ROOT / "charts" / "previewbot" / "values.yaml").read_text("utf-8"))
    if name.partition(".")[0] in values:
        assert _lookup(values, name.split(".")) is not None
    else:
        schema = schema_of(Settings)
        assert name in set(_paths(schema, "", schema["$defs"]))


def _lookup(values: Any, keys: list[str]) -> Any:
    for key in keys:
        values = values[key]
    return values


def _paths(schema: Mapping[str, Any], path: str, models: Mapping[str, Any]) -> Iterator[str]:
    """Yield each setting's path; a key of a mapping is `<host>`."""
    yield path
    parts = [schema, *schema.get("anyOf", ()), *schema.get("allOf", ())]
    for part in (models[part["$ref"].rpartition("/")[2]] if "$ref" in part else part for part in parts):
        for name, inner in part.get("properties", {}).items():
            yield from _paths(inner, f"{path}.{name}".lstrip("."), models)
        for inner in part.get("patternProperties", {}).values():
            yield from _paths(inner, f"{path}.<host>", models)


class _Loads(HTMLParser):
    """Collects what a browser would fetch, or run, without being asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # What somebody who is signed in sends goes to the page's own host, which the policy holds it to.
        own = tag == "form" and str(dict(attrs).get("action")).startswith("/")
        names = {name for name, _ in attrs if not (own and name == "action")}
        # A script of the page's own is in the page; the policy lets it ask pages alone.
        if tag == "script" and attrs:
            self.found.append(self.get_starttag_text() or tag)
        if tag in ("link", "img", "iframe", "object", "embed", "video", "audio", "base"):
            self.found.append(tag)
        if tag == "form" and not own:
            self.found.append(tag)
        if names & {"src", "srcset", "data", "poster", "action", "background", "ping", "style"}:
            self.found.append(self.get_starttag_text() or tag)
        self.found += [name for name in names if name.startswith("on")]
        if tag != "a" and "href" in names:
            self.found.append(self.get_starttag_text() or tag)


@pytest.mark.parametrize("page", sorted(PAGES))
def test_a_page_loads_nothing_from_anywhere(page: str) -> None:
    parser = _Loads()
    parser.feed(PAGES[page])

    assert parser.found == []


def test_the_style_of_the_pages_loads_nothing_either() -> None:
    style = (ROOT / "templates" / "page.css").read_text("utf-8")

    assert not re.search(r"@import|url\(|@font-face", style)
