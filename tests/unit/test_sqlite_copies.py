"""The demo's copies of a database: as much of it as mirrord's `copy` says."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from previewbot_demo.sqlite_copies import CopyError, copy, path_of

MADE = """
CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, total INTEGER);
CREATE INDEX by_total ON orders (total);
CREATE VIEW dear AS SELECT * FROM orders WHERE total > 10;
CREATE TABLE "odd ""name" (word TEXT);
INSERT INTO orders (total) VALUES (5), (50);
INSERT INTO "odd ""name" VALUES ('x');
CREATE TRIGGER also AFTER INSERT ON "odd ""name" BEGIN INSERT INTO orders (total) VALUES (7); END;
"""
ODD = 'odd "name'


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    path = tmp_path / "staging.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(MADE)
    return path


def held(path: Path) -> dict[str, list[Any]]:
    """Return the rows of each table, by its name."""
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
        )
        names = [name for (name,) in tables]
        quoted = {name: name.replace('"', '""') for name in names}
        return {name: [r[-1] for r in database.execute(f'SELECT * FROM "{quoted[name]}"')] for name in names}


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, {}),
        ({"mode": "empty"}, {}),
        ({"mode": "schema"}, {"orders": [], ODD: []}),
        ({"mode": "all"}, {"orders": [5, 50], ODD: ["x"]}),
        ({"mode": "empty", "items": {"orders": {}}}, {"orders": [5, 50]}),
        ({"mode": "empty", "items": {ODD: {}}}, {ODD: ["x"]}),
        ({"mode": "schema", "items": {"orders": {"filter": "total < 10"}}}, {"orders": [5], ODD: []}),
        ({"mode": "all", "items": {"orders": {"filter": "total < 10"}}}, {"orders": [5], ODD: ["x"]}),
    ],
)
def test_a_copy_has_what_its_mode_and_its_filters_say(
    staging: Path, tmp_path: Path, how: dict[str, Any], expected: dict[str, list[Any]]
) -> None:
    copy(staging, tmp_path / "own" / "copy.db", how)

    assert held(tmp_path / "own" / "copy.db") == expected


def test_a_copy_of_everything_has_its_views_and_indices_too(staging: Path, tmp_path: Path) -> None:
    copy(staging, tmp_path / "copy.db", {"mode": "schema"})

    with closing(sqlite3.connect(tmp_path / "copy.db")) as database:
        kinds = dict(database.execute("SELECT name, type FROM sqlite_master"))
    assert (kinds["by_total"], kinds["dear"]) == ("index", "view")


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ({"carts": {}}, "there is no table carts"),
        ({"orders": {"filter": "no such"}}, "syntax error|no such column"),
    ],
)
def test_what_cannot_be_copied_says_why_and_leaves_nothing(
    staging: Path, tmp_path: Path, items: dict[str, Any], said: str
) -> None:
    with pytest.raises(CopyError, match=said):
        copy(staging, tmp_path / "copy.db", {"mode": "all", "items": items})

    assert not (tmp_path / "copy.db").exists()


def test_there_must_be_something_to_copy(tmp_path: Path) -> None:
    with pytest.raises(CopyError, match="there is no database at"):
        copy(tmp_path / "none.db", tmp_path / "copy.db", {"mode": "all"})
    with pytest.raises(CopyError, match="postgresql is none"):
        path_of("postgresql://shop:secret@database/orders")
