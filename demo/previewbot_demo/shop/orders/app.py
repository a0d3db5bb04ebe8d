"""Orders: what was ordered. Reads `HOST`, `PORT` and `DATABASE_URL`, and where there is a broker `BROKER_URL`
and `PARCELS_QUEUE`.

GET  /orders               every order, the newest first, as a JSON list
POST /orders               {"items": ["mug"], "total": "€ 16.00"}: writes it, and sends it to the packers
POST /orders/<id>/packed   {"how": "in paper"}: what the packers say of an order
GET  /healthz              ok

Its database is PostgreSQL (`postgresql://…`), or a file of SQLite's where there is no PostgreSQL
(`sqlite:////…`). It passes the `baggage` header on: to the packers as an attribute of the message.
"""

from __future__ import annotations

import importlib
import json
import os
import secrets
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NOTE = "Thank you for your order."

FIRST_ORDERS = (
    ("4c1f0a", "teapot, sencha", "€ 62.50", "2026-11-20T08:14:00+00:00"),
    ("9b27e3", "honey", "€ 11.90", "2026-11-21T17:02:00+00:00"),
)
"""What a new database begins with; the orders of other people."""

COLUMNS = ("id", "items", "total", "placed", "note", "packed")
MOST_BYTES = 10_000
MOST_SHOWN = 50
FILE = "sqlite:///"
SECONDS = 10


class Database:
    """A database at an address; each statement has a connection and a transaction of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._in_a_file = url.startswith(FILE)

    def run(self, statement: str, *values: object) -> int:
        """Run a statement with a `%s` for each value; return how many rows it touched."""
        with self._cursor(statement, values) as cursor:
            return int(cursor.rowcount)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with self._cursor(query, values) as cursor:
            return list(cursor.fetchall())

    def has_table(self, name: str) -> bool:
        """Return whether there is such a table."""
        if self._in_a_file:
            return bool(self.rows("SELECT 1 FROM sqlite_master WHERE name = %s", name))
        return bool(self.rows("SELECT 1 FROM information_schema.tables WHERE table_name = %s", name))

    @contextmanager
    def _cursor(self, statement: str, values: tuple[object, ...]) -> Iterator[Any]:
        if self._in_a_file:
            connection: Any = sqlite3.connect(self._url.removeprefix(FILE), timeout=SECONDS)
            statement = statement.replace("%s", "?")
        else:
            # Only where there is PostgreSQL.
            connection = importlib.import_module("psycopg2").connect(self._url, connect_timeout=SECONDS)
        try:
            cursor = connection.cursor()
            cursor.execute(statement, values)
            yield cursor
            connection.commit()
        finally:
            connection.close()


def prepare(database: Database) -> None:
    """Make the table where there is none yet."""
    if database.has_table("orders"):
        return
    database.run(
        "CREATE TABLE orders (id TEXT PRIMARY KEY, items TEXT NOT NULL, total TEXT NOT NULL, "
        "placed TEXT NOT NULL, note TEXT NOT NULL, packed TEXT NOT NULL)"
    )
    for order in FIRST_ORDERS:
        database.run("INSERT INTO orders VALUES (%s, %s, %s, %s, %s, %s)", *order, NOTE, "")


def wait_for(database: Database) -> None:
    """Prepare the database once it answers; raises whatever it says if it does not within half a minute."""
    for left in reversed(range(SECONDS * 3)):
        try:
            return prepare(database)
        except Exception as error:  # whatever the client of this database raises
            print(f"the database does not answer: {error}", flush=True)
            if not left:
                raise
            time.sleep(1)


def every_order(database: Database) -> list[dict[str, Any]]:
    """Return the newest orders, the newest first."""
    query = f"SELECT {', '.join(COLUMNS)} FROM orders ORDER BY placed DESC, id LIMIT {MOST_SHOWN}"
    return [dict(zip(COLUMNS, row, strict=True)) for row in database.rows(query)]


def place(database: Database, items: list[str], total: str) -> dict[str, Any]:
    """Write an order; return it."""
    placed = datetime.now(UTC).isoformat(timespec="milliseconds")
    order = (secrets.token_hex(3), ", ".join(items), total, placed, NOTE, "")
    database.run("INSERT INTO orders VALUES (%s, %s, %s, %s, %s, %s)", *order)
    return dict(zip(COLUMNS, order, strict=True))


def send(order: dict[str, Any], baggage: str | None) -> None:
    """Tell the packers of an order; without a broker there are none."""
    broker, queue = os.environ.get("BROKER_URL"), os.environ.get("PARCELS_QUEUE")
    if not broker or not queue:
        return
    attributes = {"baggage": baggage} if baggage else {}
    body = json.dumps({"body": {"order": order["id"]}, "attributes": attributes}).encode()
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{broker}/queues/{queue}", data=body, headers=kind, method="POST")
    with urllib.request.urlopen(request, timeout=5):
        pass


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    database: Database

    def do_GET(self) -> None:
        """Answer with the orders, or say that there is no such page."""
        if self.path == "/healthz":
            self._answer(200, {"status": "ok"})
        elif self.path == "/orders":
            self._answer(200, every_order(self.database))
        else:
            self._answer(404, {"error": f"no such path: {self.path}"})

    def do_POST(self) -> None:
        """Write an order, or what the packers say of one."""
        given = self._given()
        parts = self.path.strip("/").split("/")
        if given is None:
            self._answer(400, {"error": "that is no order"})
        elif parts == ["orders"]:
            order = place(self.database, list(map(str, given.get("items", []))), str(given.get("total", "")))
            send(order, self.headers.get("baggage"))
            self._answer(201, order)
        elif len(parts) == 3 and (parts[0], parts[2]) == ("orders", "packed"):
            found = self.database.run(
                "UPDATE orders SET packed = %s WHERE id = %s", str(given.get("how", "")), parts[1]
            )
            self._answer(200 if found else 404, {"packed": found})
        else:
            self._answer(404, {"error": f"no such path: {self.path}"})

    def _given(self) -> dict[str, Any] | None:
        try:
            length = min(int(self.headers.get("Content-Length") or 0), MOST_BYTES)
            given = json.loads(self.rfile.read(length))
        except ValueError:
            return None
        return given if isinstance(given, dict) else None

    def _answer(self, status: int, document: object) -> None:
        body = json.dumps(document, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    Handler.database = Database(os.environ["DATABASE_URL"])
    wait_for(Handler.database)
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))
    ThreadingHTTPServer(address, Handler).serve_forever()
