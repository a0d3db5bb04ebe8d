"""Copies of a database in a file of SQLite's, as mirrord makes them of PostgreSQL's.

`empty` has nothing, `schema` the tables without what is in them, `all` everything; a table that is named has
of its rows those that its filter, a condition of SQL, lets through
(https://metalbear.com/mirrord/docs/sharing-the-cluster/db-branching).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

FILE = "sqlite:///"
_SECONDS = 10


class CopyError(Exception):
    """There is no copying this; the text says why."""


def path_of(url: str) -> Path:
    """Return the file that a URL names; raises CopyError if it names none."""
    if not url.startswith(FILE):
        raise CopyError(f"this stand-in copies files of SQLite only, and {url.partition(':')[0]} is none")
    return Path(url.removeprefix(FILE))


def copy(source: Path, into: Path, how: Mapping[str, Any]) -> None:
    """Copy a database as mirrord's `copy` says it; raises CopyError, after which there is no copy."""
    mode, items = how.get("mode", "empty"), how.get("items") or {}
    into.parent.mkdir(parents=True, exist_ok=True)
    into.unlink(missing_ok=True)
    try:
        if not source.exists():
            raise CopyError(f"there is no database at {source}")
        with closing(sqlite3.connect(source, timeout=_SECONDS)) as old, closing(sqlite3.connect(into)) as new:
            if mode == "all" and not items:
                old.backup(new)
            elif mode != "empty" or items:
                _tables(old, new, mode, items)
    except (sqlite3.Error, CopyError) as error:
        into.unlink(missing_ok=True)
        raise CopyError(str(error)) from error


def _tables(old: sqlite3.Connection, new: sqlite3.Connection, mode: str, items: Mapping[str, Any]) -> None:
    """Copy tables; of those named in `items` the rows that their filters let through."""
    # What SQLite keeps for itself has no statement, or cannot be made by one.
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    made = [each for each in old.execute(query) if not each[1].startswith("sqlite_")]
    names = [name for kind, name, _, _ in made if kind == "table"]
    for name in items:
        if name not in names:
            raise CopyError(f"there is no table {name}")
    wanted = [(kind, statement) for kind, _, of, statement in made if mode != "empty" or of in items]
    for kind, statement in wanted:
        if kind == "table":
            new.execute(statement)
    for name in names if mode == "all" else items:
        condition = (items.get(name) or {}).get("filter")
        quoted = '"' + name.replace('"', '""') + '"'
        rows = old.execute(
            f"SELECT * FROM {quoted}" + (f" WHERE {condition}" if condition else "")
        ).fetchall()
        if rows:
            new.executemany(f"INSERT INTO {quoted} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    # Only now: no trigger may act on what is copied.
    for kind, statement in wanted:
        if kind != "table":
            new.execute(statement)
    new.commit()
