"""The shop's services as real processes, reached through the demo's routing."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from previewbot_demo import shop, tasks
from previewbot_demo.broker import Broker
from previewbot_demo.hosts import listen
from previewbot_demo.ports import free_port
from previewbot_demo.processes import Process, StartError, start_service
from previewbot_demo.routing import Router, Service
from previewbot_demo.sleeping import Beds


def session(key: str, service: str) -> dict[str, Any]:
    http_filter = json.dumps({"header_filter": f"^baggage: .*mirrord-session={key}.*$"})
    return {
        "metadata": {"namespace": "staging", "uid": key, "creationTimestamp": "2026-11-23T10:00:00Z"},
        "spec": {
            "key": key,
            "target": {"kind": "Deployment", "name": service},
            "incoming": {"steal": True, "httpFilter": http_filter},
        },
        "status": {"phase": "Ready"},
    }


class Town:
    """The shop in staging, and what was started beside it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sessions: list[dict[str, Any]] = []
        self.pods: dict[str, str] = {}
        self.staging: dict[str, str] = {}
        self.router = Router(lambda: self.sessions, self.pods, self.staging, Beds(self.pods))
        self.urls: dict[str, str] = {}
        self.processes: list[Process] = []
        self.broker = Broker()
        self.broker_url = ""

    async def build(self) -> None:
        port = free_port()
        self.broker_url = f"http://127.0.0.1:{port}"
        self.listening = await listen(self.broker.handle, port)
        for name in shop.SERVICES:
            self.urls[name] = await self.router.add(Service("staging", name, name, shop.CONTAINER_PORT))
        for name in shop.SERVICES:
            self.staging[f"staging/{name}"] = await self.run(name, shop.repository_files(1))

    async def run(self, service: str, files: dict[str, bytes], database: Path | None = None) -> str:
        source = self.directory / str(len(self.processes))
        source.mkdir()
        for path, content in shop.service_files(files, service).items():
            (source / path).write_bytes(content)
        environment = {f"{name.upper()}_URL": url for name, url in self.urls.items()}
        environment |= {"BROKER_URL": self.broker_url, "PARCELS_QUEUE": "parcels"}
        environment |= {"DATABASE_URL": f"sqlite:///{database or self.directory / 'orders.db'}"}
        process = await start_service(source, environment, source / "log")
        self.processes.append(process)
        return process.url

    async def preview(self, key: str, service: str, task: tasks.Task, database: Path | None = None) -> None:
        files = shop.repository_files(1)
        changed = files | tasks.apply(files, task.step(0))
        self.pods[key] = await self.run(service, changed, database)
        self.sessions.append(session(key, service))

    async def page(self, path: str, key: str = "") -> str:
        headers = {"baggage": f"mirrord-session={key}"} if key else {}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.get(self.urls["web"] + path) as answer,
        ):
            assert answer.status == 200
            return await answer.text()

    async def order(self, basket: str, key: str = "") -> None:
        headers = {"baggage": f"mirrord-session={key}"} if key else {}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(self.urls["web"] + "/orders", data={"basket": basket}) as answer,
        ):
            assert (answer.status, answer.url.path) == (200, "/orders")

    async def until_packed(self, key: str = "") -> str:
        async with asyncio.timeout(15):
            while "Packed" not in (page := await self.page("/orders", key)):
                await asyncio.sleep(0.05)
        return page


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    built = Town(tmp_path)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(built.router.close)
        await built.build()
        yield built
        await asyncio.gather(*(process.stop() for process in built.processes))
        built.broker.close()
        await built.listening.cleanup()


async def test_the_shop_shows_products_with_prices_and_a_basket(town: Town) -> None:
    front, product, cart = await town.page("/"), await town.page("/product/honey"), await town.page("/cart")

    assert "Stoneware teapot" in front
    assert "€ 48.00" in front
    assert "€ 11.90" in product
    assert '<b id="total">€ 78.50</b>' in cart
    assert "Check out" in cart
    assert 'class="banner"' not in cart


async def test_what_is_added_stays_in_the_basket(town: Town) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    url = town.urls["web"] + "/cart/add?id=honey"
    async with aiohttp.ClientSession(cookie_jar=jar) as http, http.get(url) as answer:
        text = await answer.text()

    assert "Forest honey" in text
    assert '<b id="total">€ 90.40</b>' in text


async def test_a_basket_needs_no_cookie_since_a_frame_of_another_site_has_none(town: Town) -> None:
    forged = "honey+teapot%0d%0aX-Forged:1"
    url = f"{town.urls['web']}/cart/add?id=mug&basket={forged}"
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http, http.get(url) as answer:
        text = await answer.text()

    assert str(answer.url).endswith("/cart?basket=honey+mug")
    assert "X-Forged" not in answer.history[0].headers
    assert '<b id="total">€ 27.90</b>' in text


async def test_a_page_that_does_not_exist_is_a_404(town: Town) -> None:
    async with aiohttp.ClientSession() as http, http.get(town.urls["web"] + "/product/none") as answer:
        assert answer.status == 404


async def test_two_previews_each_show_only_their_own_change(town: Town) -> None:
    await town.preview("kweb", "web", tasks.COPILOT_WEB)
    await town.preview("kprice", "pricing", tasks.CODEX_PRICING)

    web, price, staging = (
        await town.page("/cart", "kweb"),
        await town.page("/cart", "kprice"),
        await town.page("/cart"),
    )

    assert "Autumn is here" in web
    assert "€ 78.50" in web
    assert "Autumn is here" not in price
    assert "20 % off" in price
    assert '<b id="total">€ 62.80</b>' in price
    assert "Autumn" not in staging
    assert "€ 78.50" in staging


async def test_what_is_ordered_is_written_down_and_packed(town: Town) -> None:
    await town.order("mug honey nothing-we-have")

    page = await town.until_packed()

    assert "mug, honey" in page
    assert "€ 27.90" in page
    assert "Packed in brown paper" in page
    assert "teapot, sencha" in page, "the orders of other people"


async def test_an_order_in_a_preview_with_a_database_of_its_own_is_packed_there(
    town: Town, tmp_path: Path
) -> None:
    await town.preview("korders", "orders", tasks.CLAUDE_ORDERS, tmp_path / "own.db")
    await town.order("mug", "korders")

    page = await town.until_packed("korders")

    assert "A handwritten note comes with it." in page
    staging = await town.page("/orders")
    assert "Packed" not in staging
    assert "mug" not in staging


async def test_a_preview_that_stopped_gives_way_to_staging(town: Town) -> None:
    await town.preview("kweb", "web", tasks.COPILOT_WEB)
    town.pods.clear()

    assert "Autumn is here" not in await town.page("/cart", "kweb")


async def test_with_the_filter_ignored_staging_shows_a_preview(town: Town) -> None:
    await town.preview("kweb", "web", tasks.COPILOT_WEB)
    town.router.sabotage.ignore_filter = True

    assert "Autumn is here" in await town.page("/cart")


async def test_a_shop_without_prices_says_so(town: Town) -> None:
    del town.staging["staging/pricing"]

    async with aiohttp.ClientSession() as http, http.get(town.urls["web"] + "/") as answer:
        assert answer.status == 502
        assert "restocking" in await answer.text()


async def test_a_service_that_crashes_at_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("raise SystemExit('DB_URL is not set')\n")

    with pytest.raises(StartError, match=re.escape("exited with code 1: DB_URL is not set")):
        await start_service(tmp_path, {}, tmp_path / "log")
