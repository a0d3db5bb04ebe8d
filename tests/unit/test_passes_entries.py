"""Which entry a preview's link opens, and what is told of the others."""

from __future__ import annotations

import base64
import json

from previewbot.api import Phase
from tests.support.passes import BOTH, CONFIGURATION, World

ENTRY = 'entry: {url: "https://staging.example.com", namespace: staging, service: web, port: 80}'
PRICING = "    target: deployment/pricing\n"
TWO = CONFIGURATION.replace(
    ENTRY,
    f"""{ENTRY}
entries:
  admin: {{url: "https://admin.example.com", namespace: staging, service: admin, port: 8080}}""",
).replace(
    "    target: deployment/pricing\n",
    f"    entry: admin\n    open: /prices\n{PRICING}",
)


def leads_to(world: World) -> str:
    """Return the Service that the only route leads to."""
    (route,) = world.cluster.routes.values()
    (rule,) = route["spec"]["rules"]
    return str(rule["backendRefs"][0]["name"])


async def a_world(*paths: str, configuration: str = TWO) -> World:
    world = World()
    world.github.configuration, world.github.paths = configuration, paths
    world.poke()
    await world.settle()
    return world


async def test_the_link_of_a_service_opens_the_entry_that_it_names() -> None:
    world = await a_world("pricing/app.py")

    assert world.status.phase is Phase.READY
    assert leads_to(world) == "admin"
    assert world.status.link.url.endswith(".preview.example.com/prices")
    assert world.status.other_links == ()


async def test_of_two_entries_the_link_opens_the_first_services_and_the_other_is_opened_with_the_header() -> (
    None
):
    world = await a_world(*BOTH)

    assert leads_to(world) == "web"
    assert world.status.link.url.endswith(".preview.example.com/"), (
        "the other entry's page means nothing here"
    )
    (other,) = world.status.other_links
    assert (other.services, other.url) == (("pricing",), "https://admin.example.com/prices")
    config = json.loads(base64.b64decode(other.extension_url.partition("#config=")[2]))
    assert config["inject_scope"] == "||admin.example.com"
    assert "**pricing** is behind another entry" in world.comment
    assert "<https://admin.example.com/prices>" in world.comment


async def test_the_link_turns_to_the_entry_of_what_still_serves_and_back() -> None:
    world = await a_world(*BOTH)
    first = next(name for name, s in world.cluster.sessions.items() if "checkout" in json.dumps(s["spec"]))
    world.cluster.sessions[first]["status"] = {"phase": "InProgress"}
    await world.settle()
    assert leads_to(world) == "admin"
    assert world.status.other_links == ()

    world.cluster.sessions[first]["status"] = {"phase": "Ready"}
    await world.settle()

    assert leads_to(world) == "web"


async def test_a_preview_that_ended_behind_another_entry_leads_to_the_page() -> None:
    world = await a_world("pricing/app.py")

    world.close()
    await world.settle()

    assert not world.cluster.sessions
    assert world.cluster.leads_to() in ("", "page")


async def test_an_entry_that_is_not_open_is_told_by_its_line() -> None:
    world = World(repositories=[{"match": ["acme/shop"], "entries": ["staging/web"]}])
    world.github.configuration = TWO
    world.poke()
    await world.settle()

    assert world.cluster.routes == {}
    assert "in line 5: no link may lead to `staging/admin:8080`" in world.comment
