"""The demo's tour with all but GitHub on a real node: real pods, a real Gateway, a stand-in for mirrord."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from previewbot.demo.tour import Tour, Wrong
from tests.node.conftest import Installation
from tests.node.engineer import commands
from tests.node.node import GATEWAY_PORT
from tests.node.town import Visitor

pytestmark = pytest.mark.timeout(900)

PATIENCE = 60.0
FOLLOWED = 5.0
HEIGHT = "both run at once, each shows only its own change"
UID_LABEL = "preview.metalbear.co/session-uid"


class NodeTour(Tour):
    """The tour where a gateway takes a moment to follow a route."""

    async def _shows(self, url: str, there: tuple[str, ...], not_there: tuple[str, ...]) -> None:
        deadline = time.monotonic() + FOLLOWED
        while True:
            try:
                return await super()._shows(url, there, not_there)
            except Wrong:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.1)


@pytest.fixture
def height(installation: Installation, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Take the tour; return what the cluster showed while two previews ran."""
    seen: dict[str, Any] = {}

    async def walk() -> None:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            visitor = Visitor(session, installation.town, installation.node)
            tour = NodeTour(visitor, PATIENCE)
            for words, step in tour.steps():
                began = time.monotonic()
                await step()
                with capsys.disabled():
                    print(f"    ok {time.monotonic() - began:5.2f} s  {words}")
                if words == HEIGHT:
                    seen.update(look(installation))
                    seen["comments"] = [await visitor.conversation(number) for number in (1, 2)]

    asyncio.run(walk())
    return seen


def look(installation: Installation) -> dict[str, Any]:
    node = installation.node
    [command] = commands("docs/install.md", "6.")
    return {
        "said": installation.engineer.types(command),
        "pods": node.kubectl("get", "pods", "--all-namespaces"),
        "routes": node.get("httproutes", "--namespace", "staging")["items"],
        "sessions": node.get("previewsessions", "--namespace", "staging")["items"],
        "previews": node.get("pods", "--namespace", "staging", "--selector", UID_LABEL)["items"],
        "staging": node.get("deployments", "--namespace", "staging")["items"],
        "picture": screenshot(installation),
    }


def screenshot(installation: Installation) -> Path | None:
    """Open the newest preview's link in Chromium, where there is one."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return None
    routes = installation.node.get("httproutes", "--namespace", "staging")["items"]
    [host, *_] = [route["spec"]["hostnames"][0] for route in routes if owned(route)]
    picture = installation.engineer.folder / "preview.png"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1100,760"]
    led = f"--host-resolver-rules=MAP *.example.com {installation.node.address}"
    target = f"http://{host}:{GATEWAY_PORT}/cart"
    command = [chromium, *options, led, f"--screenshot={picture}", target]
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    return picture


def owned(route: dict[str, Any]) -> bool:
    return "ownerReferences" in route["metadata"]


def test_the_tour_goes_through_a_real_gateway_to_real_pods(
    height: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\n{height['said']}\n{height['pods']}\nscreenshot: {height['picture'] or 'no Chromium here'}")
    routes = [route for route in height["routes"] if owned(route)]
    assert len(routes) == 2
    for route in routes:
        [parent] = route["status"]["parents"]
        conditions = {c["type"]: c["status"] for c in parent["conditions"]}
        assert conditions["Accepted"] == conditions["ResolvedRefs"] == "True"
        assert "baggage" in str(route["spec"]["rules"])
    assert len({route["spec"]["hostnames"][0] for route in routes}) == 2

    for session in height["sessions"]:
        uid = session["metadata"]["uid"]
        [pod] = [pod for pod in height["previews"] if pod["metadata"]["labels"][UID_LABEL] == uid]
        conditions = {c["type"]: c["status"] for c in pod["status"]["conditions"]}
        assert (conditions["ContainersReady"], conditions["Ready"]) == ("True", "False")
        [container] = pod["spec"]["containers"]
        assert container["image"] == session["spec"]["image"]
        assert re.search(r"@sha256:[0-9a-f]{64}$", container["image"])
        target = session["spec"]["target"]["name"]
        [model] = [d for d in height["staging"] if d["metadata"]["name"] == target]
        assert pod["spec"]["serviceAccountName"] == model["spec"]["template"]["spec"]["serviceAccountName"]
        assert container["env"] == model["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {s["spec"]["target"]["name"] for s in height["sessions"]} == {"web", "pricing"}
