"""`docs/security.md` names the test of each attack: it is there, and none is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
SECURITY = sorted(path.name for path in (ROOT / "tests" / "security").glob("test_*.py"))
NAMED = sorted(set(re.findall(r"`((?:tests/\w+/)?test_\w+\.py)`", PAGE)))
COLUMNS = ["attack", "who could want what", "what stops them", "test", "what is left"]
UNTESTED = {
    "a pull request filled to 2,500 comments",
    "the secrets of people who sign in, taken out of pages' memory",
}
"""What nothing of ours stops, as these rows say."""


def attacks() -> list[list[str]]:
    """Return the cells of each attack's row."""
    found: list[list[str]] = []
    inside = False
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        inside = cells == COLUMNS or (inside and line.startswith("|"))
        if inside and cells != COLUMNS and not line.startswith("|---"):
            found.append(cells)
    return found


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_the_page_names_is_there(name: str) -> None:
    assert (ROOT / name if "/" in name else ROOT / "tests" / "security" / name).is_file()


@pytest.mark.parametrize("name", SECURITY)
def test_an_attack_that_has_a_test_is_on_the_page(name: str) -> None:
    assert any(f"`{name}`" in test for *_, test, _ in attacks())


def test_every_row_of_an_attack_says_what_stops_it_which_test_shows_that_and_what_is_left() -> None:
    rows = attacks()

    assert len(rows) > 60
    assert [row for row in rows if len(row) != len(COLUMNS) or not all(row)] == []
    assert {row[0] for row in rows if not re.search(r"`(?:tests/\w+/)?test_\w+\.py`", row[3])} <= UNTESTED


def test_each_section_is_in_the_list_at_the_top_and_its_table_ends_before_the_next() -> None:
    lines = PAGE.splitlines()
    headings = [at for at, line in enumerate(lines) if line.startswith("## ")]
    names = [lines[at].removeprefix("## ").lower() for at in headings]
    anchors = [re.sub(r"[^\w -]", "", name).replace(" ", "-") for name in names]

    assert [at for at in headings if lines[at - 1]] == []
    assert set(re.findall(r"\(#([^)]+)\)", PAGE)) == set(anchors)
