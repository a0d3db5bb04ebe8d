"""Pricing: what it costs today. Reads `HOST` and `PORT`; calls nobody, and no browser ever calls it.

GET /prices     {"currency": "EUR", "note": "", "prices": {"mug": {"cents": 1600, "before": null}}}
GET /baggage    {"baggage": "mirrord-session=…"}: the header that this request came with
GET /healthz    ok
"""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LIST_PRICES = json.loads((Path(__file__).parent / "prices.json").read_text(encoding="utf-8"))

CURRENCY = "EUR"
DISCOUNT_PERCENT = 0
DISCOUNT_NOTE = ""


def price(cents: int) -> dict[str, int | None]:
    """Return today's price in cents, and what it was before if there is a discount."""
    if not DISCOUNT_PERCENT:
        return {"cents": cents, "before": None}
    return {"cents": round(cents * (100 - DISCOUNT_PERCENT) / 100), "before": cents}


def prices() -> dict[str, object]:
    """Return every product's price."""
    listed = {product: price(cents) for product, cents in LIST_PRICES.items()}
    return {"currency": CURRENCY, "note": DISCOUNT_NOTE, "prices": listed}


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the prices, or say that there is no such page."""
        if self.path == "/healthz":
            self._answer(200, {"status": "ok"})
        elif self.path == "/prices":
            self._answer(200, prices())
        elif self.path == "/baggage":
            self._answer(200, {"baggage": self.headers.get("baggage", "")})
        else:
            self._answer(404, {"error": f"no such path: {self.path}"})

    def _answer(self, status: int, document: object) -> None:
        body = json.dumps(document, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))
    ThreadingHTTPServer(address, Handler).serve_forever()
