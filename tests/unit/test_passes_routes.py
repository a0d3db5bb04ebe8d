"""A link is shown while the Gateway takes the route; where it does not, the words say why and whose it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from previewbot.api import Phase, Reason
from previewbot.api.github import Comment
from previewbot.errors import Forbidden, TryLater
from previewbot.reconciler.memory import Memory
from previewbot_demo.kube.json_copy import json_copy
from tests.support.gateways import (
    ACCEPTED,
    NOT_ALLOWED,
    PENDING,
    RESOLVED,
    Said,
    a_gateway_object,
    a_listener,
    a_parent,
)
from tests.support.passes import SETTINGS, World, ready

OPEN = "### [Open the preview]"
BACKEND_NOT_FOUND: Said = ("ResolvedRefs", "False", "BackendNotFound", 'Service "web" not found')
NOT_PROGRAMMED = (ACCEPTED, ("Programmed", "False", "Invalid", "no listener is ready"))


async def a_world(says: tuple[Said, ...] | None = (ACCEPTED, RESOLVED), **gateway: Any) -> World:
    """Return a world whose Gateway says this of the route, after a minute and a half."""
    world = World(links={"gateway": SETTINGS["links"]["gateway"] | gateway})
    world.cluster.gateway.says = says
    return await world.settle(18)


def stands(world: World) -> tuple[Phase | None, Reason | None]:
    return world.status.phase, world.status.reason


def assert_no_link(world: World, reason: Reason, words: str) -> None:
    assert stands(world) == (Phase.DEPLOYING, reason)
    assert world.status.link.url == ""
    assert "Open the preview" not in world.comment
    assert words in world.comment
    assert "This is for your platform team" in world.comment
    # What runs goes on, with an end.
    assert world.service.phase is Phase.READY
    assert world.serving
    assert world.status.lifecycle.expires_at is not None


class Edits:
    """Counts how often the comment of a world is edited from now on."""

    def __init__(self, world: World) -> None:
        self.count, self._edit = 0, world.github.update_comment
        setattr(world.github, "update_comment", self)  # noqa: B010

    async def __call__(self, repository: str, comment_id: int, body: str) -> Comment:
        self.count += 1
        return await self._edit(repository, comment_id, body)


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ((NOT_ALLOWED, RESOLVED), "`NotAllowedByListeners: No listeners included by this parent ref"),
        ((ACCEPTED, BACKEND_NOT_FOUND), '`BackendNotFound: Service "web" not found`'),
        ((ACCEPTED, ("ResolvedRefs", "False", "RefNotPermitted", "no grant")), "`RefNotPermitted: no grant`"),
        ((("Accepted", "False", "UnsupportedValue", "no baggage"),), "`UnsupportedValue: no baggage`"),
        (
            (ACCEPTED, ("PartiallyInvalid", "True", "UnsupportedValue", "a filter")),
            "`UnsupportedValue: a filter`",
        ),
    ],
)
async def test_a_route_that_the_gateway_does_not_take_gives_no_link_and_its_words_are_told(
    says: tuple[Said, ...], words: str
) -> None:
    world = await a_world(says)

    assert_no_link(world, Reason.ROUTE_NOT_ACCEPTED, "the Gateway does not take its route")
    assert words in world.comment


async def test_a_route_of_which_nobody_says_anything_gives_no_link_and_after_a_minute_the_words_say_so() -> (
    None
):
    world = World()
    world.cluster.gateway.says = None
    world.cluster.gateway.gateway_class = None
    await world.settle(3)
    assert stands(world) == (Phase.DEPLOYING, Reason.CREATING)
    assert "Open the preview" not in world.comment

    await world.settle(15)
    assert_no_link(world, Reason.ROUTE_UNANSWERED, "no Gateway has said that it takes its route")


async def test_once_the_gateway_takes_the_route_the_link_comes_by_itself() -> None:
    world = await a_world((NOT_ALLOWED,))
    world.cluster.gateway_says(ACCEPTED, RESOLVED)
    await world.settle(2)

    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert OPEN in world.comment


async def test_while_there_is_no_link_the_next_look_comes_by_itself() -> None:
    """That the Gateway itself was mended wakes nobody."""
    world = await a_world((NOT_ALLOWED,))

    assert world.outcome.requeue_after is not None
    assert world.outcome.requeue_after <= 15


async def test_what_is_said_of_the_route_to_the_page_shows_no_link_to_staging() -> None:
    """Stale generations: the Gateway took the route that redirects, and says nothing of the present one."""
    world = World()
    world.cluster.session_status = {"phase": "Pending"}
    await world.settle(3)
    assert world.cluster.leads_to() == "page"
    world.cluster.gateway.follows = False
    world.cluster.session_becomes("Ready")
    await world.settle(3)

    assert world.cluster.leads_to() == "staging"
    assert stands(world) == (Phase.DEPLOYING, Reason.CREATING)
    assert "Open the preview" not in world.comment
    await world.settle(15)
    assert_no_link(world, Reason.ROUTE_UNANSWERED, "no Gateway has said that it takes its route")

    world.cluster.gateway_says(ACCEPTED, RESOLVED)
    await world.settle(2)
    assert OPEN in world.comment


@pytest.mark.parametrize(
    ("gateway", "words"),
    [
        (None, "there is no Gateway gateways/public"),
        (a_gateway_object(PENDING), "no controller has taken the Gateway gateways/public (class shared)"),
        (
            a_gateway_object(listeners=[a_listener(allowedRoutes={"namespaces": {"from": "Same"}})]),
            "its listeners take routes of the namespace gateways alone (allowedRoutes.namespaces), "
            "and not of staging",
        ),
        (
            a_gateway_object(listeners=[a_listener(hostname="*.other.example.com")]),
            "no listener of the Gateway gateways/public is for HTTP at *.preview.example.com",
        ),
    ],
)
async def test_where_nothing_is_said_of_the_route_the_gateway_itself_says_why(
    gateway: dict[str, Any] | None, words: str
) -> None:
    world = World()
    world.cluster.gateway.says, world.cluster.gateway.object = None, gateway
    await world.settle(18)

    assert_no_link(world, Reason.ROUTE_UNANSWERED, words)


async def test_a_listener_that_the_settings_misspell_is_named() -> None:
    world = await a_world(None, sectionName="htps")

    assert_no_link(world, Reason.ROUTE_UNANSWERED, "the Gateway gateways/public has no listener htps")


async def test_a_gateway_that_is_not_programmed_gives_no_link_whatever_is_said_of_the_route() -> None:
    world = World()
    world.cluster.gateway.object = a_gateway_object(*NOT_PROGRAMMED)
    await world.settle(5)
    assert_no_link(world, Reason.ROUTE_NOT_ACCEPTED, "not programmed: Invalid: no listener is ready")

    world.cluster.gateway.object = a_gateway_object()
    await world.settle(5)
    assert OPEN in world.comment


async def test_another_teams_broken_listener_takes_no_link_away() -> None:
    world = await ready()
    listeners = [
        a_listener(),
        a_listener("https-of-others", protocol="HTTPS", hostname="*.other.example.com"),
    ]
    world.cluster.gateway.object = a_gateway_object(
        ("Accepted", "False", "ListenersNotValid", "All Listeners must be valid"),
        listeners=listeners,
        listener_says={"https-of-others": (("ResolvedRefs", "False", "InvalidCertificateRef", "no Secret"),)},
    )
    await world.settle(14)

    assert OPEN in world.comment


async def test_a_gateway_that_goes_takes_the_link_with_it_and_brings_it_back() -> None:
    world = await ready()
    world.cluster.gateway.object = None
    await world.settle(14)
    assert_no_link(world, Reason.ROUTE_UNANSWERED, "there is no Gateway gateways/public")

    world.cluster.gateway.object = a_gateway_object()
    await world.settle(5)
    assert OPEN in world.comment


HEADER = {"type": "Exact", "name": "x-tester", "value": "ann"}
EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "for some requests only": lambda rule: rule["matches"][0].update(headers=[HEADER]),
    "for one path only": lambda rule: rule["matches"][0]["path"].update(value="/cart"),
    "without the header": lambda rule: rule["filters"][0]["requestHeaderModifier"].update(remove=["baggage"]),
    "with another header": lambda rule: rule["filters"][0]["requestHeaderModifier"].update(add=[HEADER]),
    "with a filter of one Service": lambda rule: rule["backendRefs"][0].update(filters=[{}]),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
async def test_a_route_that_somebody_changed_in_a_part_that_we_write_is_put_right_at_once(
    edit: Callable[[dict[str, Any]], object],
) -> None:
    world = await ready()
    [route] = world.cluster.routes.values()
    right = json_copy(route["spec"])
    edit(route["spec"]["rules"][0])
    await world.run()

    [route] = world.cluster.routes.values()
    assert route["spec"] == right


async def test_a_gateway_that_is_made_anew_under_the_same_name_takes_the_link_until_it_is_served() -> None:
    """What its controller said of the route stays there, and may well be gone itself."""
    world = await ready()
    world.cluster.gateway.object = a_gateway_object(PENDING)
    await world.settle(18)
    assert_no_link(world, Reason.ROUTE_UNANSWERED, "no controller has taken the Gateway gateways/public")

    world.cluster.gateway.object = a_gateway_object()
    await world.settle(5)
    assert OPEN in world.comment


async def test_a_gateway_that_is_changed_while_its_controller_starts_anew_keeps_its_links() -> None:
    """What it said of the form of before is no silence: requests go on as they did."""
    world = await ready()
    edits = Edits(world)
    world.cluster.gateway.object = a_gateway_object(generation=2, of=1)
    await world.settle(18)

    assert OPEN in world.comment
    assert edits.count == 0


async def test_other_words_for_the_same_reason_are_told() -> None:
    world = await a_world((ACCEPTED, ("ResolvedRefs", "False", "BackendNotFound", 'Service "web" not found')))
    world.cluster.gateway_says(
        ACCEPTED, ("ResolvedRefs", "False", "BackendNotFound", 'Service "api" not found')
    )
    await world.settle(4)

    assert 'Service "api" not found' in world.comment


@pytest.mark.parametrize(
    "error", [Forbidden("get gateways", status=403), TryLater("get gateways", status=503)]
)
async def test_of_a_gateway_that_may_not_be_read_only_what_it_says_of_the_route_counts(
    error: Exception,
) -> None:
    world = World()
    world.fail("get gateways", by=error)
    await world.settle(5)
    assert OPEN in world.comment

    world.cluster.gateway_says(NOT_ALLOWED)
    await world.settle(5)
    assert_no_link(world, Reason.ROUTE_NOT_ACCEPTED, "NotAllowedByListeners")


async def test_a_moment_without_the_api_server_changes_nothing_about_the_gateway() -> None:
    world = World()
    world.cluster.gateway.object = None
    await world.settle(5)
    world.fail("get gateways", by=TryLater("get gateways", status=503))
    await world.settle(8)

    assert_no_link(world, Reason.ROUTE_UNANSWERED, "there is no Gateway gateways/public")


async def test_the_gateway_is_read_once_a_minute_for_all_previews() -> None:
    memory, reads = Memory(), 0
    worlds = [World(memory=memory) for _ in range(3)]
    for _ in range(24):
        for world in worlds:
            await world.run()
            reads += world.calls.made.count("get gateways")
            world.clock.forward(seconds=5)

    assert reads == 2


async def test_a_gateway_that_writes_nothing_of_any_route_keeps_its_links() -> None:
    """Traefik before 3.1 serves routes, says so of the Gateway, and writes into no route."""
    world = World()
    world.cluster.gateway.says = None
    world.cluster.gateway.object = a_gateway_object(attached=0)
    await world.settle(2)
    assert "Open the preview" not in world.comment

    await world.settle(3)
    assert OPEN in world.comment


async def test_a_gateway_that_counts_its_routes_and_says_nothing_of_ours_does_not_take_it() -> None:
    """Its controller is away, say: what it said of the Gateway is from before."""
    world = await a_world(None)

    assert_no_link(world, Reason.ROUTE_UNANSWERED, "no Gateway has said that it takes its route")


# A link that people have


async def test_a_route_that_was_taken_and_is_not_any_more_loses_its_link_after_a_moment() -> None:
    world = await ready()
    world.cluster.gateway_says(ACCEPTED, BACKEND_NOT_FOUND)
    await world.run()
    assert OPEN in world.comment
    assert world.outcome.requeue_after is not None
    assert world.outcome.requeue_after <= 15

    await world.settle(4)
    assert_no_link(world, Reason.ROUTE_NOT_ACCEPTED, "BackendNotFound")


async def test_a_moment_in_which_the_gateway_refuses_a_route_edits_no_comment() -> None:
    """A controller that starts anew may know the Service a moment later than the route."""
    world = await ready()
    edits = Edits(world)
    for _ in range(20):
        world.cluster.gateway_says(ACCEPTED, BACKEND_NOT_FOUND)
        await world.settle(1, seconds=5)
        world.cluster.gateway_says(ACCEPTED, RESOLVED)
        await world.settle(1, seconds=5)

    assert edits.count == 0
    assert OPEN in world.comment


async def test_a_gateway_that_flaps_for_an_hour_edits_the_comment_a_few_times() -> None:
    world = await ready()
    edits = Edits(world)
    for _ in range(60):
        world.cluster.gateway_says(ACCEPTED, BACKEND_NOT_FOUND)
        await world.settle(3, seconds=10)
        world.cluster.gateway_says(ACCEPTED, RESOLVED)
        await world.settle(3, seconds=10)

    # Away and back twice, and away once more: from then on it must be well for longer than it ever is.
    assert 2 <= edits.count <= 6


async def test_a_gateway_that_is_well_again_after_it_flapped_gets_its_link_back() -> None:
    world = await ready()
    for _ in range(6):
        world.cluster.gateway_says(ACCEPTED, BACKEND_NOT_FOUND)
        await world.settle(4, seconds=10)
        world.cluster.gateway_says(ACCEPTED, RESOLVED)
        await world.settle(4, seconds=10)
    await world.settle(61, seconds=10)

    assert OPEN in world.comment


async def test_words_of_which_the_end_is_another_each_time_edit_the_comment_once() -> None:
    world = await a_world((("Accepted", "False", "NoMatchingParent", "tried 1 times"),))
    edits = Edits(world)
    for tries in range(2, 10):
        world.cluster.gateway_says(("Accepted", "False", "NoMatchingParent", f"tried {tries} times"))
        await world.settle(2)

    assert edits.count == 0
    world.cluster.gateway_says(NOT_ALLOWED)
    await world.settle(2)
    assert "NotAllowedByListeners" in world.comment


async def test_silence_after_a_no_is_no_other_answer() -> None:
    world = await a_world((NOT_ALLOWED,))
    edits = Edits(world)
    world.cluster.gateway.parents = []
    await world.settle(20)

    assert_no_link(world, Reason.ROUTE_NOT_ACCEPTED, "NotAllowedByListeners")
    assert edits.count == 0


async def test_a_change_of_the_route_of_a_link_that_people_have_edits_no_comment() -> None:
    """A header of the settings, say, changes the routes of all previews."""
    world = await ready()
    edits = Edits(world)
    world.cluster.gateway.follows = False
    world.settings = World(
        links={"gateway": SETTINGS["links"]["gateway"] | {"sectionName": "https"}}
    ).settings
    world.restart()
    await world.settle(3)
    world.cluster.gateway.parents = [a_parent(ACCEPTED, RESOLVED, listener="https", generation=9)]
    world.cluster.gateway.follows = True
    await world.settle(3)

    assert edits.count == 0
    assert OPEN in world.comment


async def test_a_listener_of_the_settings_that_is_not_there_takes_the_link_away() -> None:
    world = await ready()
    world.settings = World(links={"gateway": SETTINGS["links"]["gateway"] | {"sectionName": "htps"}}).settings
    world.restart()
    await world.settle(18)

    assert_no_link(world, Reason.ROUTE_UNANSWERED, "the Gateway gateways/public has no listener htps")


# What a preview without a link goes on to do


async def test_a_preview_without_a_link_ends_in_its_time() -> None:
    world = await a_world((NOT_ALLOWED,))
    expires_at = world.status.lifecycle.expires_at
    assert expires_at is not None
    world.clock.forward(seconds=(expires_at - world.clock.now) / timedelta(seconds=1))
    await world.settle(6)

    assert world.status.phase is Phase.EXPIRED
    assert world.cluster.sessions == {}


async def test_commands_work_on_a_preview_without_a_link() -> None:
    world = await a_world((NOT_ALLOWED,))
    before = world.status.lifecycle.expires_at
    world.say("/preview extend 2h")
    world.say("/preview start")
    await world.settle(3)
    assert before is not None
    assert world.status.lifecycle.expires_at == before + timedelta(hours=2)
    assert not world.status.replies

    world.say("/preview stop")
    await world.settle(6)
    assert world.status.phase is Phase.STOPPED


async def test_after_a_push_the_link_comes_once_the_gateway_takes_the_route() -> None:
    world = await a_world((NOT_ALLOWED,))
    world.push("b" * 40)
    await world.settle(6)
    assert stands(world) == (Phase.DEPLOYING, Reason.ROUTE_NOT_ACCEPTED)

    world.cluster.gateway_says(ACCEPTED, RESOLVED)
    await world.settle(2)
    assert stands(world) == (Phase.READY, Reason.ALL_READY)
    assert world.status.observed.head_sha == "b" * 40
