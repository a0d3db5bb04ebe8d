"""Catalog: what the shop sells. Reads `HOST` and `PORT`; calls nobody.

GET /products   every product, as a JSON list
GET /healthz    ok
"""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PRODUCTS = json.loads((Path(__file__).parent / "products.json").read_text(encoding="utf-8"))


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the products, or say that there is no such page."""
        if self.path == "/healthz":
            self._answer(200, {"status": "ok"})
        elif self.path == "/products":
            self._answer(200, PRODUCTS)
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
