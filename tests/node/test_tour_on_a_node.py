"""The demo's tour with all but GitHub on a real node: real pods, a real Gateway, a stand-in for mirrord."""

from __future__ import annotations

import asyncio
import html
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from previewbot_demo.tour import NEW_BANNER, Tour, Wrong
from tests.chart.helm import ROOT
from tests.node.conftest import Installation
from tests.node.engineer import commands
from tests.node.node import GATEWAY_PORT, wait_for
from tests.node.staging import DATABASE_PASSWORD
from tests.node.stand_in_databases import database
from tests.node.town import REPOSITORY_ID, Visitor
from tests.support.chromium import browser
from tests.support.crashes import Record

pytestmark = pytest.mark.timeout(900)

PATIENCE = 60.0
FOLLOWED = 5.0
HEIGHT = "both run at once, each shows only its own change"
KEPT = "a new commit of it keeps what was ordered"
CHROMIUM = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
    *("--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--window-size=1000,800",
)
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
def height(installation: Installation, record_property: Record) -> dict[str, Any]:
    """Take the tour; return what the cluster showed while two previews ran."""
    seen: dict[str, Any] = {}
    wait_for("the cluster to count requests", lambda: counted(installation))

    async def walk() -> None:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            visitor = Visitor(session, installation.town, installation.node)
            tour = NodeTour(visitor, PATIENCE)
            for words, step in tour.steps():
                began = time.monotonic()
                await step()
                record_property(words, f"{time.monotonic() - began:.2f} s")
                if words == HEIGHT:
                    seen.update(look(installation, tour.front_end))
                    seen["comments"] = [await visitor.conversation(number) for number in tour.both]
                if words == KEPT:
                    seen.update(look_at_the_database(installation))
        seen["left"] = databases(installation)

    try:
        asyncio.run(walk())
    except Wrong as wrong:
        wrong.add_note(said_by_previewbot(installation, "--prefix", "--tail=60"))
        raise
    return seen


def counted(installation: Installation) -> bool:
    """Return whether Kubernetes knows how many requests there are: before it does, it stores none."""
    quota = installation.node.get("resourcequota", "previewbot-requests", "--namespace", "previewbot")
    return "count/previewrequests.previewbot.dev" in quota["status"].get("used", {})


def said_by_previewbot(installation: Installation, *options: str) -> str:
    """Return what the processes wrote, as far as the options of `kubectl logs` say."""
    pods = ("logs", "--namespace", "previewbot", "--selector", "app.kubernetes.io/name=previewbot")
    return installation.node.kubectl(*pods, *options)


def look(installation: Installation, front_end: int) -> dict[str, Any]:
    node = installation.node
    [command] = commands("docs/install.md", "6.")
    return {
        "said": installation.engineer.types(command),
        "pods": node.kubectl("get", "pods", "--all-namespaces"),
        "routes": node.get("httproutes", "--namespace", "staging")["items"],
        "sessions": node.get("previewsessions", "--namespace", "staging")["items"],
        "previews": node.get("pods", "--namespace", "staging", "--selector", UID_LABEL)["items"],
        "staging": node.get("deployments", "--namespace", "staging")["items"],
        "chromium": in_chromium(installation, front_end),
    }


def look_at_the_database(installation: Installation) -> dict[str, Any]:
    """Return what the cluster has of a preview's own database, and all that previewbot says or stores."""
    node = installation.node
    kinds = "previews,previewsessions,branchdatabases,httproutes,events.events.k8s.io"
    stored = node.kubectl("get", kinds, "--all-namespaces", "--output", "json")
    return {
        "branches": node.get("branchdatabases", "--namespace", "staging")["items"],
        "databases": databases(installation),
        "told": stored + said_by_previewbot(installation, "--tail=-1"),
    }


def databases(installation: Installation) -> set[str]:
    """Return the names of the databases on staging's server, as PostgreSQL lists them."""
    exec_in = ("exec", "--namespace", "staging", "deployment/database", "--")
    login = ("env", f"PGPASSWORD={DATABASE_PASSWORD}", "psql", "--host=/data", "--username=shop")
    query = ("--tuples-only", "--no-align", "--command=SELECT datname FROM pg_database", "postgres")
    return set(installation.node.kubectl(*exec_in, *login, *query).split())


def in_chromium(installation: Installation, number: int) -> tuple[str, Path]:
    """Open a pull request's link in Chromium; return what it shows, as HTML, and a picture of it."""
    chromium = browser()
    assert chromium is not None, "there is no Chromium: run `make node-test`"
    routes = installation.node.get("httproutes", "--namespace", "staging")["items"]
    labels = {"previewbot.dev/preview": f"gh-{REPOSITORY_ID}-{number}"}
    [host] = [r["spec"]["hostnames"][0] for r in routes if r["metadata"].get("labels") == labels]
    picture = installation.engineer.folder / "preview.png"
    led = f"--host-resolver-rules=MAP *.example.com {installation.node.address}"
    command = [chromium, *CHROMIUM, f"--user-data-dir={installation.engineer.folder / 'chromium'}", led]
    target = f"http://{host}:{GATEWAY_PORT}/cart"
    shown = ""
    for what in (f"--screenshot={picture}", "--dump-dom"):
        done = subprocess.run([*command, what, target], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        shown = done.stdout
    if os.environ.get("UPDATE_PICTURES"):
        shutil.copyfile(picture, ROOT / "docs" / "pictures" / "preview.png")
    return shown, picture


def owned(route: dict[str, Any]) -> bool:
    return "ownerReferences" in route["metadata"]


def test_the_tour_goes_through_a_real_gateway_to_real_pods(
    height: dict[str, Any], record_property: Record
) -> None:
    shown, picture = height["chromium"]
    record_property("at the height of the tour", f"\n{height['said']}\n{height['pods']}")
    assert NEW_BANNER in html.unescape(shown)
    assert picture.read_bytes().startswith(b"\x89PNG")
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

    # What was ordered lies in a database of PostgreSQL's own, which goes with the preview.
    [branch] = height["branches"]
    assert branch["status"]["phase"] == "Ready"
    assert height["databases"] - height["left"] == {database(branch)}
    assert "orders" in height["left"]
    assert "branchdatabase" in height["told"].casefold()
    assert DATABASE_PASSWORD not in height["told"]
