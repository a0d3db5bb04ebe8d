"""Passes in a cluster whose mirrord operator is away, unlicensed, or says something unusual of a session."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from previewbot.api import Phase, Reason
from previewbot.engine.mirrord import KEY_LABEL
from previewbot.engine.operator import Answer, OperatorSeen, operator_seen
from previewbot.errors import NotFound
from previewbot.rules.environment_keys import hashed_label
from previewbot_demo.operator_api import an_operator
from tests.support.passes import BOTH, A, B, World, ready
from tests.support.previews import a_preview

WELL = operator_seen(an_operator())
EXPIRED = {"name": "Acme Inc", "organization": "acme", "expire_at": "2020-01-01"}
STATES = {
    Reason.OPERATOR_MISSING: OperatorSeen(Answer.MISSING),
    Reason.OPERATOR_UNAVAILABLE: OperatorSeen(Answer.UNAVAILABLE, detail="503 ServiceUnavailable"),
    Reason.LICENCE_EXPIRED: operator_seen(an_operator(license=EXPIRED)),
    Reason.PREVIEWS_NOT_SUPPORTED: operator_seen(an_operator(supported_features=["ProxyApi"])),
    Reason.MANAGEMENT_ONLY: operator_seen(an_operator(operator_namespace="mirrord")),
}
WORDS = {
    Reason.OPERATOR_MISSING: "the cluster has no mirrord operator",
    Reason.OPERATOR_UNAVAILABLE: "installed and cannot be reached",
    Reason.LICENCE_EXPIRED: "licence of the mirrord operator has expired",
    Reason.PREVIEWS_NOT_SUPPORTED: "offers no preview environments",
    Reason.MANAGEMENT_ONLY: "is not supported",
}
EACH = pytest.mark.parametrize("reason", STATES)


def key() -> str:
    return a_preview().spec.environment_key


@EACH
async def test_nothing_is_made_that_would_not_be_answered_and_the_comment_says_why(reason: Reason) -> None:
    world = World()
    world.operator = STATES[reason]
    await world.settle()

    assert world.cluster.sessions == {}
    assert (world.status.phase, world.status.reason) == (Phase.DEPLOYING, reason)
    assert WORDS[reason] in world.comment and "platform team" in world.comment
    # Whose licence it is, and what the API server said, is not for the readers of a pull request.
    assert "Acme" not in world.comment and "ServiceUnavailable" not in world.comment


@EACH
async def test_it_holds_no_slot_runs_no_deadline_and_starts_by_itself(reason: Reason) -> None:
    world = World()
    world.operator = STATES[reason]
    await world.settle(4)
    world.clock.forward(hours=30)
    await world.settle(4)

    assert not world.status.slot.held
    assert (world.status.phase, world.service.failure_message) == (Phase.DEPLOYING, "")
    assert world.outcome.requeue_after is not None and world.outcome.requeue_after <= 60

    world.operator = WELL
    await world.settle()
    assert world.serving == [A]
    assert world.status.reason is Reason.ALL_READY


@EACH
async def test_what_runs_stays_and_is_ready(reason: Reason) -> None:
    world = await ready()
    before = world.comment
    world.operator = STATES[reason]
    await world.settle()

    assert world.serving == [A]
    assert world.status.reason is Reason.ALL_READY
    assert world.comment == before
    assert world.cluster.leads_to() == "staging"


@EACH
async def test_a_commit_before_it_serves_on_until_another_can_be_made(reason: Reason) -> None:
    world = await ready()
    world.operator = STATES[reason]
    world.push(B)
    await world.settle()

    assert world.serving == [A]
    assert (world.status.phase, world.status.reason) == (Phase.DEPLOYING, reason)
    assert world.cluster.leads_to() == "staging"
    assert f"the preview of `{A[:7]}`" in world.comment and "still works" in world.comment

    world.operator = WELL
    await world.settle()
    assert world.serving == [B]


async def test_a_restart_waits_for_the_operator_and_then_happens() -> None:
    world = await ready()
    (uid,) = [s["metadata"]["uid"] for s in world.cluster.sessions.values()]
    world.operator = STATES[Reason.OPERATOR_UNAVAILABLE]
    world.say("/preview restart")
    await world.settle(60, seconds=60)

    assert [s["metadata"]["uid"] for s in world.cluster.sessions.values()] == [uid]
    assert world.cluster.leads_to() == "staging"

    world.operator = WELL
    await world.settle()
    assert world.serving == [A]
    assert [s["metadata"]["uid"] for s in world.cluster.sessions.values()] != [uid]


async def test_a_session_that_was_being_made_has_all_its_time_once_the_operator_is_back() -> None:
    world = World()
    world.cluster.session_status = {}
    await world.settle(3)
    assert world.status.phase is Phase.DEPLOYING
    world.operator = STATES[Reason.OPERATOR_UNAVAILABLE]
    await world.settle(20, seconds=60)
    assert (world.status.phase, world.status.reason) == (Phase.DEPLOYING, Reason.OPERATOR_UNAVAILABLE)
    assert len(world.cluster.sessions) == 1

    world.operator = WELL
    await world.run()
    assert world.status.phase is Phase.DEPLOYING
    world.clock.forward(minutes=4)
    await world.run()
    assert world.status.reason is Reason.OPERATOR_SILENT
    world.restart()
    world.clock.forward(minutes=2)
    await world.run()
    assert world.preview.status.phase is Phase.FAILED


async def test_sessions_that_went_with_the_operator_are_made_again_and_nobody_is_blamed() -> None:
    """Its chart has the CRD: who uninstalls it removes all sessions with it, twice if need be."""
    world = await ready()
    for _ in range(3):
        world.operator = STATES[Reason.OPERATOR_MISSING]
        world.cluster.sessions.clear()
        await world.settle(4)
        assert world.status.reason is Reason.OPERATOR_MISSING
        world.operator = WELL
        await world.settle()
        assert world.serving == [A]


async def test_without_the_crd_of_sessions_the_comment_still_says_that_the_operator_is_gone() -> None:
    world = await ready()
    world.cluster.sessions.clear()
    world.fail("list previewsessions", by=NotFound("Kubernetes: list previewsessions", status=404))
    world.operator = STATES[Reason.OPERATOR_MISSING]
    world.poke()
    await world.settle(4)
    assert WORDS[Reason.OPERATOR_MISSING] in world.comment

    world.operator = WELL
    outcome = await world.run()
    assert outcome.error is not None

    world.mend()
    await world.settle()
    assert world.serving == [A]


async def test_who_waits_for_a_slot_keeps_the_place_in_line() -> None:
    world = World(limits={"previews": 1})
    holder = await ready()
    world.others = [replace(holder.preview, name="gh-812-7")]
    await world.settle(3)
    since = world.status.slot.waiting_since
    assert world.status.phase is Phase.QUEUED and since is not None
    world.operator = STATES[Reason.OPERATOR_MISSING]
    await world.settle(3)
    assert world.status.reason is Reason.OPERATOR_MISSING

    world.operator = WELL
    await world.settle(3)
    assert world.status.phase is Phase.QUEUED
    assert world.status.slot.waiting_since == since


@pytest.mark.parametrize("answer", [Answer.FORBIDDEN, Answer.UNREADABLE, Answer.NOT_KNOWN])
async def test_where_nothing_is_known_of_the_operator_previews_go_on(answer: Answer) -> None:
    world = World()
    world.operator = OperatorSeen(answer)
    await world.settle()

    assert world.serving == [A]


async def test_what_is_to_end_ends_while_the_operator_is_away() -> None:
    world = await ready()
    world.operator = STATES[Reason.OPERATOR_UNAVAILABLE]
    world.say("/preview stop")
    await world.settle()

    assert world.cluster.sessions == {}
    assert world.status.phase is Phase.STOPPED


# Paused, and phases that nobody knows


async def test_somebody_who_debugs_a_session_is_told_of_and_the_link_goes_on() -> None:
    world = await ready()
    expires = world.status.lifecycle.expires_at
    world.cluster.session_becomes("Paused", startedAt="2026-11-26T07:00:00.123456Z")
    await world.settle(30, seconds=60)

    assert "Somebody debugs this preview now" in world.comment
    assert "Open the preview" in world.comment
    assert world.cluster.leads_to() == "staging"
    assert (world.status.phase, world.status.reason) == (Phase.READY, Reason.PAUSED)
    assert world.status.lifecycle.expires_at == expires

    world.cluster.session_becomes("Ready")
    await world.settle(2)
    assert world.status.reason is Reason.ALL_READY
    assert "Somebody debugs" not in world.comment


async def test_a_session_that_was_paused_before_it_was_ever_ready_has_no_deadline_until_that_ends() -> None:
    world = World()
    world.cluster.session_status = {"phase": "Paused"}
    await world.settle(30, seconds=60)

    assert world.status.reason is Reason.PAUSED
    assert len(world.cluster.sessions) == 1

    world.cluster.session_becomes("Waiting")
    await world.settle(4, seconds=60)
    assert (world.status.phase, world.status.reason) == (Phase.DEPLOYING, Reason.CREATING)
    await world.settle(4, seconds=60)
    assert world.status.phase is Phase.FAILED


async def test_one_of_two_services_that_is_paused_is_named() -> None:
    world = World()
    world.github.paths = BOTH
    await ready(world)
    first = next(s for s in world.cluster.sessions.values() if s["spec"]["target"]["name"] == "pricing")
    first["status"] = {"phase": "Paused"}
    await world.settle(2)

    assert "in the place of **pricing**" in world.comment


@pytest.mark.parametrize("phase", ["Hibernating", "Unknown", "ready", {"a": "map"}, "x\n" * 500 + "`<b>"])
async def test_a_phase_that_nobody_knows_is_said_by_its_name_and_has_the_deadline(phase: Any) -> None:
    world = World()
    world.cluster.session_status = {"phase": phase}
    await world.settle(4)

    assert (world.status.phase, world.status.reason) == (Phase.DEPLOYING, Reason.PHASE_UNKNOWN)
    (child,) = [c for c in world.status.children if c.kind == "PreviewSession"]
    assert child.message == " ".join(str(phase).split())[:40].strip()
    assert child.message in world.comment

    await world.settle(6, seconds=60)
    assert world.status.phase is Phase.FAILED
    assert f"phase {child.message}" in world.service.failure_message


# Sessions of others


def a_strangers_session(**changes: Any) -> dict[str, Any]:
    """Return a session that the CLI made for the same workload, with a key and the default filter of that."""
    name = changes.pop("name", "deployment-checkout-ann-1a2b3c4d")
    theirs = changes.pop("key", "ann")
    filters = {"header_filter": f"^baggage: .*mirrord-session={theirs}.*$"}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout", "container": "app"}
    spec = {
        "image": "ghcr.io/acme/checkout:ann",
        "key": theirs,
        "target": target,
        "ttlSecs": 3600,
        "incoming": {"steal": True, "httpFilter": json.dumps(filters)},
    }
    metadata = {
        "name": name,
        "namespace": "staging",
        "uid": "a stranger's",
        "labels": {KEY_LABEL: hashed_label(theirs)},
        "creationTimestamp": "2026-11-24T09:00:00Z",
        "managedFields": [{"manager": "mirrord", "operation": "Update"}],
    }
    return {"metadata": metadata, "spec": {**spec, **changes}, "status": {"phase": "Ready"}}


def the_key_as_it_is() -> dict[str, Any]:
    session = a_strangers_session(key=key())
    session["metadata"]["labels"] = {KEY_LABEL: key()}
    return session


PRICING = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "pricing", "container": "app"}
IN_THE_WAY = {
    "the same key and target": a_strangers_session(key=key()),
    "a label that an older CLI wrote": the_key_as_it_is(),
    "another container of the same workload": a_strangers_session(
        key=key(), target={**PRICING, "name": "checkout", "container": "other"}
    ),
    "all requests, without a filter": a_strangers_session(incoming={"steal": True}),
    "a key that ours begins with": a_strangers_session(key=key()[:6].upper()),
    "whatever carries the header": a_strangers_session(
        incoming={"steal": True, "httpFilter": '{"header_filter":"^baggage: .+"}'}
    ),
}
NOT_IN_THE_WAY = {
    "another key": a_strangers_session(),
    "the same key on another workload": a_strangers_session(key=key(), target=PRICING),
    "one that only looks on": a_strangers_session(incoming={"steal": False}),
    "one without requests": a_strangers_session(incoming=None),
    "other ports": a_strangers_session(incoming={"steal": True, "ports": [9090]}),
    "a filter of paths": a_strangers_session(incoming={"steal": True, "httpFilter": '{"path_filter":"^/x"}'}),
    "a filter that is none": a_strangers_session(
        incoming={"steal": True, "httpFilter": '{"header_filter":"(((("}'}
    ),
    "a filter that is no JSON": a_strangers_session(incoming={"steal": True, "httpFilter": "{"}),
    "no spec": {**a_strangers_session(), "spec": None},
}


@pytest.mark.parametrize("what", IN_THE_WAY)
async def test_a_session_of_somebody_else_in_the_way_is_named_before_ours_is_made(what: str) -> None:
    world, stranger = World(), copy.deepcopy(IN_THE_WAY[what])
    name = stranger["metadata"]["name"]
    world.cluster.sessions[name] = stranger
    await world.settle()

    assert set(world.cluster.sessions) == {name}
    assert (world.status.phase, world.status.reason) == (Phase.DEPLOYING, Reason.TARGET_TAKEN)
    assert f"preview session named {name} in the namespace staging, made with mirrord" in world.comment
    assert not world.status.slot.held

    del world.cluster.sessions[name]
    await world.settle()
    assert world.serving == [A]


@pytest.mark.parametrize("what", NOT_IN_THE_WAY)
async def test_a_session_of_somebody_else_that_leaves_ours_alone_is_in_nobodys_way(what: str) -> None:
    world, stranger = World(), copy.deepcopy(NOT_IN_THE_WAY[what])
    world.cluster.sessions[stranger["metadata"]["name"]] = stranger
    await world.settle()

    assert len(world.cluster.sessions) == 2
    assert world.status.reason is Reason.ALL_READY


async def test_readers_of_a_public_repository_are_not_told_whose_session_it_is() -> None:
    world = World()
    world.github.private = False
    stranger = a_strangers_session(key=key(), name="deployment-checkout-secret-project-12345678")
    world.cluster.sessions[stranger["metadata"]["name"]] = stranger
    await world.settle()

    assert "somebody else's mirrord session" in world.comment
    assert "secret-project" not in world.comment
    # `kubectl describe preview` shows it.
    assert any("secret-project" in child.message for child in world.status.children)


async def test_a_developer_who_takes_all_requests_of_a_workload_is_named() -> None:
    world = World()
    session = {
        "user": "ann (Ann's laptop)",
        "target": "deployment/checkout",
        "namespace": "staging",
        "locked_ports": [[8080, "steal", None]],
    }
    world.operator = operator_seen(an_operator() | {"status": {"sessions": [session]}})
    await world.settle()

    assert world.status.reason is Reason.TARGET_TAKEN
    assert "ann (Ann's laptop) takes all requests of deployment/checkout" in world.comment

    world.operator = WELL
    await world.settle()
    assert world.serving == [A]


async def test_mirrords_own_replacement_of_our_session_is_no_removal_of_ours() -> None:
    """`mirrord preview start` with our key and target deletes ours and makes its own."""
    world = await ready()
    stranger = a_strangers_session(key=key())
    for _ in range(3):
        world.cluster.sessions = {stranger["metadata"]["name"]: stranger}
        await world.settle(4)
        assert world.status.reason is Reason.TARGET_TAKEN
        world.cluster.sessions = {}
        await world.settle()
        assert world.serving == [A]


async def test_who_removes_a_session_twice_is_told_which_command_does_that() -> None:
    world = await ready()
    for _ in range(2):
        world.cluster.sessions.clear()
        await world.settle()

    assert f"removed from the cluster twice, as `mirrord preview stop --key {key()}` does" in world.comment


async def test_others_sessions_are_asked_for_only_where_one_is_about_to_be_made() -> None:
    world = await ready()
    await world.run()
    assert "list all previewsessions" not in world.calls.listed

    world.cluster.sessions.clear()
    await world.run()
    assert "list all previewsessions" in world.calls.listed
