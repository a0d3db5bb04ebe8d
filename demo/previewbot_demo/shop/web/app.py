"""Web: the shop's front end. Reads `HOST`, `PORT`, `CATALOG_URL`, `PRICING_URL` and `ORDERS_URL`.

    GET /                     every product
    GET /product/<id>         one product
    GET /cart                 the basket
    GET /cart/add?id=…        puts a product into the basket (a cookie)
    GET /orders               what was ordered
    POST /orders              orders what is in the basket (`basket=mug+sencha`)
    GET /api/pricing/baggage  the `baggage` header that pricing was given for this request
    GET /healthz              ok

It passes the `baggage` header on to the services it calls, as every service of the shop has to
(https://www.w3.org/TR/baggage/).
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from html import escape
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qs, urlsplit

HERE = Path(__file__).parent
PAGE = Template((HERE / "page.html").read_text(encoding="utf-8"))
STYLE = (HERE / "style.css").read_text(encoding="utf-8")

BANNER = ""
BUTTON_LABEL = "Check out"
ACCENT = "#2f6f4f"
ACCENT_DARK = "#7fd1a4"

MOST_BYTES = 10_000
FIRST_BASKET = ("teapot", "sencha", "mug")
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}


def fetch(url: str, baggage: str | None, body: object = None) -> Any:
    """Return the JSON at `url`, or what it answers to a body; raises OSError if it takes more than 5 s."""
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if baggage:
        request.add_header("baggage", baggage)
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response)


def money(cents: int, currency: str) -> str:
    """Write an amount: `€ 48.00`."""
    return f"{SYMBOLS.get(currency, currency)} {cents / 100:,.2f}"


def drawing(path: str) -> str:
    """Return the HTML of a product's picture, drawn in lines: not every machine has a font with pictures."""
    return f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{escape(path)}"/></svg>'


class Shop:
    """What one request sees: the products, each with its price."""

    def __init__(self, baggage: str | None) -> None:
        self.products = fetch(os.environ["CATALOG_URL"] + "/products", baggage)
        priced = fetch(os.environ["PRICING_URL"] + "/prices", baggage)
        self.currency: str = priced["currency"]
        self.note: str = priced["note"]
        self.prices: dict[str, dict[str, Any]] = priced["prices"]

    def product(self, name: str) -> dict[str, Any] | None:
        """Return a product, or None."""
        return next((product for product in self.products if product["id"] == name), None)

    def cost(self, name: str) -> str:
        """Return the HTML of a product's price, the earlier one crossed out."""
        price = self.prices[name]
        now = f'<b class="price">{money(price["cents"], self.currency)}</b>'
        if price["before"] is None:
            return now
        return f'<s class="before">{money(price["before"], self.currency)}</s> {now}'

    def index(self) -> str:
        """Return the HTML of the front page."""
        cards = "".join(self._card(product) for product in self.products)
        return f'<h1>Good things for slow mornings</h1>{self._note()}<div class="grid">{cards}</div>'

    def detail(self, product: dict[str, Any]) -> str:
        """Return the HTML of one product."""
        return (
            f'<article class="detail"><div class="picture" style="--tint:{escape(product["tint"])}">'
            f"{drawing(product['icon'])}</div><div><h1>{escape(product['name'])}</h1>"
            f'<p class="line">{escape(product["line"])}</p><p>{escape(product["text"])}</p>{self._note()}'
            f'<p class="big">{self.cost(product["id"])}</p>'
            f'<a class="button" href="/cart/add?id={escape(product["id"])}">Add to basket</a></div></article>'
        )

    def cart(self, basket: list[str]) -> str:
        """Return the HTML of the basket."""
        names = self.known(basket)
        rows = "".join(self._row(name, basket.count(name)) for name in dict.fromkeys(names))
        return (
            f'<h1>Your basket</h1>{self._note()}<ul class="rows">{rows}</ul>'
            f'<p class="total"><span>Total</span><b id="total">{self.total(basket)}</b></p>'
            '<form method="post" action="/orders">'
            f'<input type="hidden" name="basket" value="{escape(" ".join(names))}">'
            f'<button class="button wide" type="submit">{escape(BUTTON_LABEL)}</button></form>'
            '<p class="small">Delivered in two days. Returns are free for thirty.</p>'
        )

    def known(self, basket: list[str]) -> list[str]:
        """Return what of a basket the catalogue knows."""
        return [name for name in basket if self.product(name)]

    def total(self, basket: list[str]) -> str:
        """Return what a basket costs, in words."""
        return money(sum(self.prices[name]["cents"] for name in self.known(basket)), self.currency)

    def _note(self) -> str:
        return f'<p class="note">{escape(self.note)}</p>' if self.note else ""

    def _card(self, product: dict[str, Any]) -> str:
        return (
            f'<a class="card" href="/product/{escape(product["id"])}">'
            f'<div class="picture" style="--tint:{escape(product["tint"])}">{drawing(product["icon"])}</div>'
            f"<h2>{escape(product['name'])}</h2>"
            f'<p class="line">{escape(product["line"])}</p><p>{self.cost(product["id"])}</p></a>'
        )

    def _row(self, name: str, count: int) -> str:
        product = self.product(name) or {}
        return (
            f'<li><span class="picture small" style="--tint:{escape(product["tint"])}">'
            f"{drawing(product['icon'])}</span><span><b>{escape(product['name'])}</b>"
            f'<br><span class="line">{count} × {escape(product["line"])}</span></span>'
            f"<span>{self.cost(name)}</span></li>"
        )


def orders_page(orders: list[dict[str, str]]) -> str:
    """Return the HTML of what was ordered."""
    rows = "".join(
        f'<li><span><b>{escape(order["items"])}</b><br><span class="line">Order {escape(order["id"])}. '
        f"{escape(order['note'])}</span></span>"
        f'<span class="line">{escape(order["packed"] and "Packed " + order["packed"])}</span>'
        f"<span>{escape(order['total'])}</span></li>"
        for order in orders
    )
    return f'<h1>Orders</h1><ul class="rows orders">{rows}</ul>' if rows else "<h1>No orders yet</h1>"


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a page; 502 if a service behind this one cannot be reached."""
        url = urlsplit(self.path)
        if url.path == "/healthz":
            self._answer(200, b"ok", "text/plain")
            return
        if url.path == "/style.css":
            self._answer(200, STYLE.encode(), "text/css")
            return
        try:
            if url.path == "/api/pricing/baggage":
                received = fetch(os.environ["PRICING_URL"] + "/baggage", self.headers.get("baggage"))
                self._answer(200, json.dumps(received).encode(), "application/json")
                return
            if url.path == "/orders":
                placed = fetch(os.environ["ORDERS_URL"] + "/orders", self.headers.get("baggage"))
                self._page(200, "Orders", orders_page(placed))
                return
            shop = Shop(self.headers.get("baggage"))
        except (OSError, ValueError, KeyError) as error:
            self._page(502, "Closed", f"<h1>We are restocking</h1><p>{escape(str(error))}</p>")
            return
        self._shop(shop, url.path, parse_qs(url.query))

    def do_POST(self) -> None:
        """Order what is in the basket, and lead to the orders."""
        length = min(int(self.headers.get("Content-Length") or 0), MOST_BYTES)
        given = parse_qs(self.rfile.read(length).decode(errors="replace"))
        baggage = self.headers.get("baggage")
        if urlsplit(self.path).path != "/orders":
            self._page(404, "Not found", "<h1>There is nothing here</h1>")
            return
        try:
            shop = Shop(baggage)
            items = shop.known(given.get("basket", [""])[0].split(" "))
            order = {"items": items, "total": shop.total(items)}
            fetch(os.environ["ORDERS_URL"] + "/orders", baggage, order)
        except (OSError, ValueError, KeyError) as error:
            self._page(502, "Closed", f"<h1>We are restocking</h1><p>{escape(str(error))}</p>")
            return
        self.send_response(303)
        self.send_header("Location", "/orders")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _shop(self, shop: Shop, path: str, query: dict[str, list[str]]) -> None:
        basket = self._basket(query)
        if path == "/cart/add":
            added = [name for name in query.get("id", []) if shop.product(name)]
            # Into a header goes only what the catalogue knows.
            self._redirect("+".join([name for name in basket if shop.product(name)] + added))
        elif path == "/cart":
            self._page(200, "Your basket", shop.cart(basket))
        elif path == "/":
            self._page(200, "Good things for slow mornings", shop.index())
        else:
            product = shop.product(path.removeprefix("/product/"))
            if product is None:
                self._page(404, "Not found", "<h1>There is nothing here</h1>")
            else:
                self._page(200, product["name"], shop.detail(product))

    def _basket(self, query: dict[str, list[str]]) -> list[str]:
        """Return what is in the basket: as the address says, else the cookie, else a first one.

        A browser keeps no cookie for a shop in a frame of another site's page; the address works there too.
        """
        if "basket" in query:
            return query["basket"][0].split(" ")
        try:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get("basket")
        except CookieError:
            cookie = None
        return cookie.value.split("+") if cookie else list(FIRST_BASKET)

    def _page(self, status: int, title: str, main: str) -> None:
        banner = f'<p class="banner">{escape(BANNER)}</p>' if BANNER else ""
        html = PAGE.substitute(
            title=escape(title), main=main, banner=banner, accent=ACCENT, accent_dark=ACCENT_DARK
        )
        self._answer(status, html.encode(), "text/html")

    def _redirect(self, basket: str) -> None:
        self.send_response(303)
        self.send_header("Location", f"/cart?basket={basket}")
        self.send_header("Set-Cookie", f"basket={basket}; Path=/; SameSite=Lax; HttpOnly")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))
    ThreadingHTTPServer(address, Handler).serve_forever()
