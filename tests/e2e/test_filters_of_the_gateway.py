"""With a sign-in of the gateway's own before the previews: who passes sees the change, others nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from previewbot_demo.demo_tour import browser_of
from previewbot_demo.faults import Call
from previewbot_demo.gateway_status import LISTENER
from previewbot_demo.ports import free_port
from previewbot_demo.tour import NEW_BANNER
from previewbot_demo.world import REPOSITORY, Options
from tests.support.worlds import Pull, Scene, failing, scene, until

pytestmark = pytest.mark.timeout(120)

SIGN_IN = {
    "type": "ExtensionRef",
    "extensionRef": {"group": "gateway.example.com", "kind": "SignIn", "name": "staff"},
}


def only_staff(request: web.BaseRequest) -> web.Response | None:
    """Let pass who has signed in."""
    signed_in = request.cookies.get("signed-in") == "yes"
    return None if signed_in else web.Response(status=401, text="sign in first\n")


def writes_a_route(call: Call) -> bool:
    """Return whether a request changes what a route says, not its status."""
    return call.changes and "/httproutes" in call.path and not call.path.endswith("/status")


async def asked(town: Scene, url: str, cookie: str = "") -> tuple[int, str, str]:
    """Return the status, the text and the `Location` of an address, opened with a cookie."""
    parts = urlsplit(url)
    headers = {"Host": parts.netloc} | ({"Cookie": cookie} if cookie else {})
    address = f"http://127.0.0.1:{town.world.port}{parts.path or '/'}"
    async with town.http.get(address, headers=headers, allow_redirects=False) as answer:
        return answer.status, await answer.text(), answer.headers.get("Location", "")


async def test_a_sign_in_stands_before_the_preview_and_not_before_the_page() -> None:
    port = free_port()
    gateway: dict[str, Any] = {
        "name": "public",
        "namespace": "staging",
        "domain": "preview.localhost",
        "scheme": "http",
        "port": port,
        "settle": "0s",
        "sectionName": LISTENER,
        "filters": [SIGN_IN],
        "labels": {"example.com/team": "shop"},
        "annotations": {"external-dns.alpha.kubernetes.io/ttl": "60"},
    }
    options = Options(port=port, build_seconds=0.3, settings={"links": {"gateway": gateway}})
    async with scene(options) as town:
        town.world.gateway.extensions["SignIn", "staff"] = only_staff
        browser = browser_of(town.world, town.http)
        pull = Pull(town.world, await browser.start_task("web"), REPOSITORY)
        link = await pull.ready()

        assert (await asked(town, link))[:2] == (401, "sign in first\n")
        status, text, _ = await asked(town, link, "signed-in=yes")
        assert status == 200
        assert NEW_BANNER in text
        (route,) = await browser.routes()
        assert route["metadata"]["labels"]["example.com/team"] == "shop"
        assert route["metadata"]["annotations"]["external-dns.alpha.kubernetes.io/ttl"] == "60"
        assert route["metadata"]["annotations"]["previewbot.dev/agent"] == "Copilot"
        assert route["spec"]["rules"][0]["backendRefs"][0]["weight"] == 1

        # What the API server added to the route is no difference: a pass that finds it writes nothing.
        with failing(town.world, writes_a_route, 500) as written:
            pull.write("/preview status")
            await pull.answered("is running")
        assert written == []

        pull.write("/preview stop")
        await pull.says("The preview was stopped")
        await until("the end of the sessions", lambda: not pull.sessions)
        status, _, location = await asked(town, link)
        assert status == 302
        assert urlsplit(location).path == f"/p/812/{pull.number}"


async def test_a_filter_that_is_not_there_shows_nobody_anything_and_no_link_to_it_is_announced() -> None:
    port = free_port()
    gateway: dict[str, Any] = {"name": "public", "namespace": "staging", "domain": "preview.localhost"}
    gateway |= {"scheme": "http", "port": port, "filters": [SIGN_IN]}
    options = Options(port=port, build_seconds=0.3, settings={"links": {"gateway": gateway}})
    async with scene(options) as town:
        browser = browser_of(town.world, town.http)
        pull = Pull(town.world, await browser.start_task("web"), REPOSITORY)
        await pull.says(
            "its link is being checked", "answers `500`, and staging without this change does not"
        )

        (route,) = await browser.routes()
        link = f"http://{route['spec']['hostnames'][0]}:{port}/"
        assert (await asked(town, link, "signed-in=yes"))[:2] == (500, "there is no SignIn staff\n")
