"""`docs/security.md` names the test of each attack: it is there, and none is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
SECURITY = sorted(path.name for path in (ROOT / "tests" / "security").glob("test_*.py"))
NAMED = sorted(set(re.findall(r"`((?:tests/unit/)?test_\w+\.py)`", PAGE)))


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_the_page_names_is_there(name: str) -> None:
    assert (ROOT / name if "/" in name else ROOT / "tests" / "security" / name).is_file()


@pytest.mark.parametrize("name", SECURITY)
def test_an_attack_that_has_a_test_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_row_of_an_attack_says_what_stops_it_and_what_is_left() -> None:
    rows = [line for line in PAGE.splitlines() if re.search(r"\| `(?:tests/unit/)?test_\w+\.py`", line)]
    assert len(rows) > 20
    assert all(cell.strip() for row in rows for cell in row.strip("|").split(" | "))
