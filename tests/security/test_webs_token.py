"""Whoever has web's token writes Previews of their own making: of another pull request, or that capture all.

What the API server refuses of them is tried in tests/contract/test_kubernetes_answers.py and, with the
chart's account, in tests/security/test_webs_token_on_the_api_server.py. Here something got stored all the
same: before the rules were there, or with a hash that no rule can compute.
"""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import Poke
from previewbot.errors import Invalid, TryLater
from previewbot.rules.environment_keys import SHAPE, environment_key, wrong_identity
from previewbot_demo.kube.json_copy import json_copy
from tests.support.passes import GITHUB, World, ready
from tests.support.previews import a_preview
from tests.unit.test_preview_crd import CRD

OURS = environment_key("github.com", 812, 42, "acme/shop")
OTHER_PULL = environment_key("github.com", 812, 43, "acme/shop")
OTHER_REPOSITORY = environment_key("github.com", 7, 42, "acme/shop")

WRONG_KEYS = {
    "one that captures everything": ".*",
    "one that captures everything besides its own": f"{OURS}|.*",
    "that of another pull request": OTHER_PULL,
    "another pull request's with our number": f"{OTHER_PULL[:11]}-shop-42",
    "another repository's": OTHER_REPOSITORY,
    "ours with another number": f"{OURS[:11]}-shop-43",
    "ours with a longer number": f"{OURS}1",
    "the beginning of ours": OURS[:11],
    "that of another GitHub": environment_key("github.example.com", 812, 42, "acme/shop"),
    "ours in capitals": OURS.upper(),
    "ours with a line break": f"{OURS}\n",
    "ours, and longer than any": f"{OURS[:11]}-{'a' * 40}-42",
    "none": "",
}


def world_with(**changes: Any) -> World:
    world = World()
    tamper(world, **changes)
    return world


def tamper(world: World, **changes: Any) -> None:
    assert world.cluster.preview is not None
    preview = json_copy(world.cluster.preview)
    preview["spec"] |= changes
    world.cluster.preview = preview


def asked_github(world: World) -> list[str]:
    return [call for call in world.calls.made if call in GITHUB]


@pytest.mark.parametrize("key", WRONG_KEYS.values(), ids=WRONG_KEYS.keys())
async def test_a_key_that_is_not_the_pull_requests_own_gets_nothing(
    key: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = world_with(environmentKey=key)
    world.poke()

    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            await world.run()
            assert asked_github(world) == []

    assert (world.cluster.sessions, world.cluster.routes) == ({}, {})
    assert world.status.last_error.startswith("refused: its environmentKey is ")
    assert "kubectl delete preview gh-812-42" in world.status.last_error
    said = [record for record in caplog.records if record.message == "a Preview is refused"]
    assert [vars(record)["preview"] for record in said] == ["gh-812-42"]
    assert world.outcome.requeue_after is None


@pytest.mark.parametrize("changes", [{"number": 43}, {"repositoryId": 7}], ids=["number", "repository"])
async def test_a_name_that_is_another_pull_requests_gets_nothing(changes: dict[str, int]) -> None:
    """Even with the right key of that other one: it would be two Previews for one pull request."""
    number, repository_id = changes.get("number", 42), changes.get("repositoryId", 812)
    key = environment_key("github.com", repository_id, number, "acme/shop")
    world = world_with(environmentKey=key, **changes)

    await world.run()

    assert asked_github(world) == []
    assert world.status.last_error.startswith("refused: its name is not that of pull request")


@pytest.mark.parametrize(
    ("changes", "told"), [({"appId": 1}, False), ({"githubHost": "github.example.com"}, True)]
)
async def test_a_preview_of_another_app_or_another_github_is_left_alone(
    changes: dict[str, Any], told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be that of another installation of previewbot in the same cluster, which looks after it."""
    world = await ready()
    tamper(world, **changes)
    before = json_copy(world.cluster.preview)

    await world.run()
    await world.run()

    assert world.calls.made == []
    assert world.cluster.preview == before
    assert len(world.cluster.sessions) == 1
    assert [r.message for r in caplog.records].count("a Preview is refused") == told


async def test_one_that_was_tampered_with_loses_what_it_has_the_route_first_and_its_slot() -> None:
    """Its children would go on for as long as it is there, with nobody to end them."""
    world = await ready()
    assert world.status.slot.held
    tamper(world, environmentKey=OTHER_PULL)

    await world.run()
    assert (len(world.cluster.routes), len(world.cluster.sessions)) == (0, 1)
    await world.run()
    assert world.cluster.sessions == {}
    await world.run()

    assert not world.status.slot.held
    assert (world.status.phase, world.status.children, world.status.link.url) == (None, (), "")
    assert world.preview.name == "gh-812-42", "who made it can be seen"


async def test_it_takes_nothing_of_another_preview_that_has_its_name_on_a_label() -> None:
    world = await ready()
    for session in world.cluster.sessions.values():
        session["metadata"]["ownerReferences"][0]["uid"] = "another"
    for route in world.cluster.routes.values():
        route["metadata"]["ownerReferences"][0]["uid"] = "another"
    tamper(world, environmentKey=".*")

    await world.run()

    assert (len(world.cluster.routes), len(world.cluster.sessions)) == (1, 1)


async def test_an_api_server_that_takes_no_status_of_it_is_not_asked_for_ever() -> None:
    world = world_with(environmentKey=".*")
    world.fail("put status", by=Invalid("status", status=422))

    await world.run()

    assert (world.outcome.error, world.outcome.requeue_after) == (None, None)


async def test_a_preview_of_a_repository_that_was_renamed_keeps_its_key_and_goes_on() -> None:
    world = world_with(environmentKey=f"{OURS[:11]}-what-it-was-called-once-42")

    await ready(world)


@pytest.mark.parametrize("restarted", [False, True])
async def test_nothing_is_written_in_a_repository_that_no_look_has_confirmed(restarted: bool) -> None:
    """With each poke web tells the repository's name; GitHub cannot be read just then, and time is up."""
    world = await ready()
    world.say("/preview status")
    world.github.written_in.clear()
    tamper(world, repository="acme/other")
    world.fail("pull request", by=TryLater("GitHub", status=502))
    if restarted:
        world.restart()
    world.clock.forward(hours=9)
    await world.settle()
    assert world.cluster.sessions == {}, "what is due is done all the same"
    assert world.github.written_in == []

    world.mend()
    world.poke()
    await world.settle()

    assert set(world.github.written_in) == {"acme/shop"}
    assert "The preview ended" in world.comment


async def test_a_poke_from_the_future_is_not_looked_for_until_then() -> None:
    world = await ready()
    tomorrow = world.clock.now + timedelta(days=1)
    world.cluster.poke(Poke("d", tomorrow, updated_at=tomorrow, comment_id=999, closed_id="d", event_id="d"))
    await world.run()

    looks = [await world.looks(seconds=2) for _ in range(5)]

    assert not any(looks)
    assert world.outcome.requeue_after is None or world.outcome.requeue_after > 2


async def test_a_number_that_the_status_cannot_hold_does_not_keep_it_from_being_stored() -> None:
    """64 bits are at most 9223372036854775807: the API server refuses a status with more."""
    world = await ready()
    world.cluster.poke(Poke("d", world.clock.now, member_comment_id=10**19 - 1, event_id="d"))

    await world.settle()

    assert world.status.requests.member_comment_id < 2**63
    assert world.status.observed.delivery_id == "d"


names = st.text(max_size=120)
numbers = st.integers(min_value=1, max_value=2**40)


@given(numbers, numbers, names)
def test_what_previewbot_makes_is_never_refused(repository_id: int, number: int, name: str) -> None:
    preview = a_preview(name=f"gh-{repository_id}-{number}")
    key = environment_key("github.com", repository_id, number, f"acme/{name}")

    assert re.fullmatch(SHAPE, key)
    assert wrong_identity(preview.name, preview.spec) == ""


@given(st.from_regex(re.compile(SHAPE), fullmatch=True).filter(lambda key: len(key) <= 40))
def test_a_key_of_the_right_shape_that_is_not_refused_captures_its_own_requests_only(key: str) -> None:
    """Whatever the hash is: what mirrord's expression takes for letters is letters."""
    header = f"(?i)^baggage: .*mirrord-session={key}.*$"

    assert re.search(header, f"baggage: mirrord-session={key}")
    assert not re.search(header, f"baggage: mirrord-session={OURS}") or key[:11] == OURS[:11]


def test_the_shape_of_a_key_is_the_same_in_the_crd_and_here() -> None:
    schema = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]

    assert schema["environmentKey"]["pattern"] == f"^{SHAPE}$"
    assert yaml.safe_dump(CRD).count("optionalOldSelf") == 2
