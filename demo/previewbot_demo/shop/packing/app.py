"""Packing: a worker that packs what was ordered. Reads `BROKER_URL`, `PARCELS_QUEUE` and `ORDERS_URL`.

It takes messages from a queue, and nobody sends it requests: at `HOST` and `PORT` it only says that it is
well.

GET /healthz    ok

It passes the `baggage` of a message on to the orders, as a header.
"""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOW = "in brown paper"

WAIT = 10
PAUSE = 1.0


def call(method: str, url: str, body: object = None, baggage: str = "") -> Any:
    """Send a request; return the answer's JSON, None for an empty one; raises OSError."""
    headers = {"Content-Type": "application/json"} | ({"baggage": baggage} if baggage else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=WAIT + 5) as response:
        content = response.read()
        return json.loads(content) if content else None


def pack(message: dict[str, Any]) -> None:
    """Pack what one message asks for."""
    order, baggage = message["body"]["order"], message["attributes"].get("baggage", "")
    try:
        call("POST", f"{os.environ['ORDERS_URL']}/orders/{order}/packed", {"how": HOW}, baggage)
    except urllib.error.HTTPError as error:
        # An order that is gone needs no parcel; whatever else it is may be over the next time.
        if error.code != 404:
            raise


def work(queue: str) -> None:
    """Take messages for ever; one that cannot be packed now comes again."""
    while True:
        try:
            message = call("GET", f"{queue}?wait={WAIT}")
            if message is not None:
                pack(message)
                call("DELETE", f"{queue}/{message['id']}")
        except (OSError, ValueError, KeyError) as error:
            print(f"again soon: {error}", flush=True)
            time.sleep(PAUSE)


class Handler(BaseHTTPRequestHandler):
    """Says that the worker is there."""

    def do_GET(self) -> None:
        """Answer that all is well, or that there is nothing else here."""
        status, body = (200, b"ok") if self.path == "/healthz" else (404, b"there is nothing here")
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    # Where there is no broker nothing is to be packed.
    if broker := os.environ.get("BROKER_URL"):
        queue = f"{broker}/queues/{os.environ['PARCELS_QUEUE']}"
        threading.Thread(target=work, args=(queue,), daemon=True).start()
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))
    ThreadingHTTPServer(address, Handler).serve_forever()
