"""A repository publishes another team's Service: its `entry` decides where the link's route leads.

A route gives a Service of the cluster a host name that anybody who has the link can open, past whatever
stands before staging.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from previewbot.config.repository import Entry, PathRoute
from previewbot.config.server import GatewaySettings
from previewbot.reconciler.children import ROUTE
from tests.support.observations import BOUNDS, FACTS, LIMITS, REPOSITORY, running
from tests.support.passes import BROKEN, CONFIGURATION, A, World, ready

OPEN = {"match": ["acme/shop"], "namespaces": ["staging"], "entries": ["staging/web:80"]}
WIDE: dict[str, Any] = {"cluster": {"namespaces": ["staging", "payments"]}}
ENTRY = 'entry: {url: "https://staging.example.com", namespace: staging, service: web, port: 80}'


def with_entry(changed: str) -> str:
    assert ENTRY in CONFIGURATION
    return CONFIGURATION.replace(ENTRY, f'entry: {{url: "https://staging.example.com", {changed}}}')


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("namespace: staging, service: admin, port: 80", "no link may lead to `staging/admin:80` for this"),
        ("namespace: staging, service: web, port: 9090", "no link may lead to `staging/web:9090` for this"),
        ("namespace: payments, service: web, port: 80", "no link may lead to `payments/web:80` for this"),
    ],
    ids=["service", "port", "namespace"],
)
async def test_no_route_leads_to_a_service_that_is_not_open_to_the_repository(entry: str, words: str) -> None:
    world = World(**WIDE, repositories=[OPEN])
    world.github.configuration = with_entry(entry)
    await world.settle()

    assert world.cluster.routes == {}
    assert words in world.comment
    assert "open are: staging/web:80. That is the platform team's to decide" in world.comment


API = ", routes: [{path: /api, service: api, port: 8080}]"
"""What else a front end leads to."""


@pytest.mark.parametrize(
    ("open_too", "words"),
    [
        ([], "no link may lead to `staging/api:8080` for this repository"),
        (["staging/api:80"], "no link may lead to `staging/api:8080` for this repository"),
        (["payments/api"], "no link may lead to `staging/api:8080` for this repository"),
        (["staging/api"], ""),
        (["staging/a*:8080"], ""),
    ],
)
async def test_no_path_of_a_link_leads_to_a_service_that_is_not_open_to_the_repository(
    open_too: list[str], words: str
) -> None:
    world = World(**WIDE, repositories=[OPEN | {"entries": [*OPEN["entries"], *open_too]}])
    world.github.configuration = with_entry(f"namespace: staging, service: web, port: 80{API}")
    await world.settle()

    assert bool(world.cluster.routes) is not bool(words)
    assert words in world.comment


async def test_an_entry_that_one_service_alone_names_is_held_to_the_same() -> None:
    named = 'entries: {admin: {url: "https://a.example.com", namespace: staging, service: admin, port: 80}}'
    checkouts = "    target: deployment/checkout\n"
    world = World(**WIDE, repositories=[OPEN])
    world.github.configuration = CONFIGURATION.replace(ENTRY, f"{ENTRY}\n{named}").replace(
        checkouts, f"    entry: admin\n{checkouts}"
    )
    await world.settle()

    assert world.cluster.routes == {}
    assert "no link may lead to `staging/admin:80`" in world.comment


async def test_a_path_whose_service_the_settings_took_back_closes_the_link_also_with_a_broken_file() -> None:
    world = World(**WIDE, repositories=[OPEN | {"entries": ["staging/*"]}])
    world.github.configuration = with_entry(f"namespace: staging, service: web, port: 80{API}")
    await ready(world)
    assert world.cluster.leads_to() == "staging"

    world.settings = World(**WIDE, repositories=[OPEN]).settings
    world.configure(BROKEN)
    world.restart()
    await world.settle()

    assert world.cluster.leads_to() == "page"
    assert world.cluster.sessions == {}


@pytest.mark.parametrize("entries", [["*/*"], ["staging/web"], ["*/web:80"]])
async def test_a_star_opens_no_namespace_that_the_settings_do_not(entries: list[str]) -> None:
    world = World(**WIDE, repositories=[OPEN | {"entries": entries}])
    world.github.configuration = with_entry("namespace: kube-system, service: web, port: 80")
    await world.settle()

    assert world.cluster.routes == {}
    said = world.comment.replace("\\", "")
    assert (
        "no link may lead to `kube-system/web:80` for this repository, and its namespace is open to n" in said
    )
    assert f"open are: {entries[0]}. That is the platform team's to decide" in said
    assert "payments" not in world.comment, "other namespaces are nobody's business here"


async def test_a_rule_that_names_namespaces_only_opens_no_service_of_another() -> None:
    world = World(**WIDE, repositories=[{"match": ["acme/*"], "namespaces": ["staging"]}])
    world.github.configuration = with_entry("namespace: payments, service: web, port: 80")
    await world.settle()

    assert world.cluster.routes == {}
    assert "the namespace `payments` is not open to this repository; choose from: staging." in world.comment


async def test_a_repository_without_entries_may_still_run_but_have_no_link() -> None:
    world = World(**WIDE, repositories=[OPEN | {"entries": []}])
    await world.settle()
    assert "this repository may have no `entry`" in world.comment

    world.configure(CONFIGURATION.replace(ENTRY, ""))
    await world.settle()
    assert world.serving == [A]
    assert world.cluster.routes == {}


async def test_a_service_that_the_settings_took_back_is_led_to_no_more() -> None:
    world = await ready(World(**WIDE))
    assert world.cluster.leads_to() == "staging"

    world.settings = World(**WIDE, repositories=[OPEN | {"entries": ["staging/other"]}]).settings
    world.restart()
    await world.settle()

    assert world.cluster.leads_to() == "page"
    assert world.cluster.sessions == {}


async def test_a_broken_file_keeps_no_route_to_a_service_that_the_settings_took_back() -> None:
    """Else whoever wants to keep the link need only break the file that names its entry."""
    world = await ready(World(**WIDE))
    assert world.cluster.leads_to() == "staging"

    world.settings = World(**WIDE, repositories=[OPEN | {"entries": ["staging/other"]}]).settings
    world.configure(BROKEN)
    world.restart()
    await world.settle()

    assert world.cluster.leads_to() == "page"
    assert world.cluster.sessions == {}


async def test_a_broken_file_keeps_the_route_to_a_service_that_is_open() -> None:
    world = await ready(World(**WIDE, repositories=[OPEN]))

    world.configure(BROKEN)
    world.restart()
    await world.settle()

    assert world.cluster.leads_to() == "staging"
    assert world.serving == [A]


async def test_a_service_that_the_file_turns_to_is_led_to_no_more() -> None:
    world = await ready(World(**WIDE, repositories=[OPEN]))
    assert world.cluster.leads_to() == "staging"

    world.configure(with_entry("namespace: staging, service: admin, port: 80"))
    await world.settle()

    assert world.cluster.leads_to() == "page"
    assert "no link may lead to `staging/admin:80`" in world.comment


@pytest.mark.parametrize(
    ("port", "paths", "leads"),
    [(80, (), True), (81, (), False), (80, (80,), True), (80, (80, 81), False)],
)
def test_no_way_past_the_reading_of_the_file_ends_in_a_route(
    port: int, paths: tuple[int, ...], leads: bool
) -> None:
    entry = Entry(
        url="https://staging.example.com",
        namespace="staging",
        service="web",
        port=port,
        routes=tuple(PathRoute(path=f"/{each}", service="web", port=each) for each in paths),
    )
    bounds = replace(BOUNDS, entries=("staging/web:80",))
    facts = replace(FACTS, bounds=bounds, config=REPOSITORY.model_copy(update={"entry": entry}))
    gateway = GatewaySettings(name="public", namespace="gateways", domain="preview.example.com")
    limits = replace(LIMITS, gateway=gateway)

    assert (ROUTE.desired(running(), facts, limits, begins=True) is not None) is leads
