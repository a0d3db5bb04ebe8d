"""Databases of a preview's own: made before the sessions that use them, kept across pushes, gone with it."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api import ChildState, Phase, Reason
from previewbot.config.server import parse
from previewbot.engine.operator import Answer, Operator, OperatorSeen
from previewbot.engine.parts import Branch
from previewbot.errors import Forbidden, NotFound, TryLater
from tests.support.branching import ORDERS, QUEUE, SECRET, USERS, Parts, a_branch, migrating
from tests.support.branching import parts as parts
from tests.support.passes import BOTH, SETTINGS, A, B, C, World

pytestmark = pytest.mark.timeout(300)


async def ready(*paths: str, **settings: Any) -> World:
    """Return a world whose preview runs."""
    world = World(**settings)
    world.github.paths = paths or BOTH[:1]
    await world.settle()
    return world


def uids(world: World) -> dict[str, str]:
    return {name: branch["metadata"]["uid"] for name, branch in world.cluster.branches.items()}


async def not_migrated(parts: Parts) -> tuple[World, dict[str, str]]:
    """Return a world in which the migrations of B, the second commit, failed; and the uids of before."""
    parts.have("checkout", migrating("orders"))
    world = await ready()
    before = uids(world)
    world.cluster.migrations = "Failed"
    world.push(B)
    await world.settle()
    return world, before


def changes_of(world: World) -> list[str]:
    """Return what the controller asks from now on, in order."""
    found, note = list[str](), world.calls.note

    def noted(call: str) -> None:
        found.append(call)
        note(call)

    world.calls.note = noted  # type: ignore[method-assign]
    return found


def sessions(world: World) -> set[str]:
    return {session["metadata"]["uid"] for session in world.cluster.sessions.values()}


async def test_a_session_is_made_once_its_databases_are_ready(parts: Parts) -> None:
    parts.have("checkout", ORDERS, USERS)
    world = World()
    world.cluster.branch_status = {"phase": "Init"}
    await world.settle()

    assert set(world.cluster.branches) == {"orders", "users"}
    assert world.cluster.sessions == {}
    assert (world.status.phase, world.status.reason) == (Phase.DEPLOYING, Reason.BRANCH_CREATING)
    assert "its own copies of the databases **orders** and **users** are being made" in world.comment

    world.cluster.branch_becomes("Ready")
    await world.settle()

    (session,) = world.cluster.sessions.values()
    names = [branch["metadata"]["name"] for branch in world.cluster.branches.values()]
    assert sorted(session["spec"]["dbBranching"]["pgBranchNames"]) == sorted(names)
    assert world.serving == [A]


async def test_a_branch_is_as_mirrords_command_makes_it_and_belongs_to_the_preview(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = await ready()
    (branch,) = world.cluster.branches.values()
    key = world.preview.spec.environment_key

    assert branch["spec"] == {
        "id": f"{key}-orders",
        "connectionSource": {"url": {"env": {"container": None, "variable": "DATABASE_URL"}}},
        "databaseName": "orders",
        "target": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout", "container": ""},
        "ttlSecs": 73 * 3600,
        "postgresOptions": {"copy": {"mode": "schema"}},
    }
    assert branch["metadata"]["labels"]["mirrord-branch-id"] == f"{key}-orders"
    assert branch["metadata"]["ownerReferences"][0]["uid"] == world.preview.uid


async def test_a_push_keeps_the_data(parts: Parts) -> None:
    parts.have("checkout", ORDERS, USERS)
    world = await ready()
    before = uids(world)
    world.push(B)
    await world.settle()

    assert world.serving == [B]
    assert uids(world) == before


async def test_a_database_that_is_not_kept_is_new_with_each_commit_and_only_that_one(parts: Parts) -> None:
    parts.have("checkout", a_branch("orders", kept=False), USERS)
    world = await ready()
    before = uids(world)
    world.push(B)
    await world.settle()

    assert world.serving == [B]
    assert uids(world)["orders"] != before["orders"]
    assert uids(world)["users"] == before["users"]


async def test_the_old_commit_keeps_its_database_until_the_new_image_is_there(parts: Parts) -> None:
    parts.have("checkout", a_branch("orders", kept=False))
    world = await ready()
    before = uids(world)
    world.push(B, built=False)
    await world.settle()

    assert (world.serving, uids(world)) == ([A], before)


async def test_another_ttl_in_the_settings_replaces_nothing(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = await ready()
    before = (uids(world), sessions(world))
    world.settings = parse({**SETTINGS, "ttl": {"max": "100h"}}, {})
    world.restart()
    world.poke()
    await world.settle()

    assert (uids(world), sessions(world)) == before


async def test_a_database_goes_after_its_sessions_and_these_after_their_route(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    parts.have("pricing", ORDERS, USERS)
    world = await ready(*BOTH)
    changes = changes_of(world)
    world.close()
    await world.settle()

    assert (world.cluster.branches, world.cluster.sessions, world.cluster.preview) == ({}, {}, None)
    removed = [change for change in changes if change.startswith(("apply route", "delete"))]
    order = ["apply route", "delete session", "delete branchdatabases", "delete preview"]
    assert list(dict.fromkeys(removed)) == order


async def test_a_database_stays_while_another_service_uses_it(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    parts.have("pricing", ORDERS)
    world = await ready(*BOTH)
    before = uids(world)
    world.say("/preview stop checkout")
    await world.settle()

    assert (world.serving, uids(world)) == ([A], before)


async def test_a_database_whose_last_service_is_stopped_goes(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = await ready(*BOTH)
    world.say("/preview stop checkout")
    await world.settle()

    assert (world.serving, uids(world)) == ([A], {})


@pytest.mark.parametrize("databases", [(ORDERS, USERS), ()])
@pytest.mark.parametrize("end", ["stopped", "expired"])
async def test_an_end_that_takes_databases_with_it_says_so(
    end: str, databases: tuple[Branch, ...], parts: Parts
) -> None:
    parts.have("checkout", *databases)
    world = await ready()
    if end == "stopped":
        world.say("/preview stop")
    else:
        assert world.status.lifecycle.expires_at is not None
        world.clock.now = world.status.lifecycle.expires_at
    await world.settle()

    assert (world.serving, uids(world)) == ([], {})
    said = "Its own copies of databases are gone, with what was entered in them."
    assert (said in world.comment) == bool(databases)

    world.say("/preview start")
    await world.settle()
    assert world.serving == [A]
    assert said not in world.comment


async def test_a_failure_of_a_database_fails_only_the_services_that_use_it(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = World()
    world.github.paths = BOTH
    world.cluster.branch_status = {"phase": "Failed", "error": "no pg_dump for version 19"}
    await world.settle()

    by_name = {service.name: service for service in world.status.services}
    assert (by_name["checkout"].phase, by_name["checkout"].reason) == (Phase.FAILED, Reason.BRANCH_FAILED)
    assert by_name["pricing"].phase is Phase.READY
    assert "no pg_dump for version 19" in world.comment
    assert world.cluster.branches == {}


async def test_while_nothing_runs_for_want_of_a_database_others_may_have_the_slot(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = World()
    world.cluster.branch_status = {"phase": "Failed", "error": "no pg_dump for version 19"}
    await world.settle()

    assert (world.status.reason, world.cluster.branches) == (Reason.BRANCH_FAILED, {})
    assert not world.status.slot.held

    world.cluster.branch_status = {"phase": "Ready"}
    world.push(B)
    await world.settle()
    assert (world.serving, world.status.slot.held) == ([B], True)


async def test_what_an_operator_says_of_a_failure_is_masked(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = World()
    world.cluster.branch_status = {
        "phase": "Failed",
        "error": "postgres://app:hunter2secret@db/orders refused",
    }
    await world.settle()

    assert "hunter2secret" not in world.comment
    assert "hunter2secret" not in str(world.cluster.preview)


async def test_a_database_that_is_not_ready_in_time_has_failed(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = World()
    world.cluster.branch_status = {"phase": "Pending"}
    await world.settle()
    world.clock.forward(minutes=16)
    await world.settle()

    words = "its copy of the database orders was not ready within 15m"
    assert world.service.failure_message == words
    assert world.cluster.branches == {}


async def test_a_start_tries_a_failed_database_again(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = World()
    world.cluster.branch_status = {"phase": "Failed"}
    await world.settle()
    world.cluster.branch_status = {"phase": "Ready"}
    world.say("/preview start checkout")
    await world.settle()

    assert world.serving == [A]


async def test_a_database_that_somebody_removed_is_made_again_and_its_session_with_it(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = await ready()
    before = sessions(world)
    world.cluster.others["branchdatabases"].clear()
    world.poke()
    await world.settle()

    assert world.serving == [A]
    assert len(world.cluster.branches) == 1
    # The session of before was told of a database that is gone.
    assert not sessions(world) & before


async def test_a_database_that_fails_later_takes_its_session_with_it(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = await ready()
    world.cluster.branch_becomes("Failed", error="the disk is full")
    world.poke()
    await world.settle()

    assert (world.cluster.sessions, world.cluster.branches) == ({}, {})
    assert (world.service.reason, world.service.failure_message) == (
        Reason.BRANCH_FAILED,
        "its copy of the database orders failed: the disk is full",
    )


async def test_a_name_that_is_somebody_elses_is_told_of_and_left_alone(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = await ready()
    theirs = next(iter(world.cluster.branches.values()))
    world.close()
    await world.settle()
    theirs["metadata"] |= {"labels": {"mirrord-branch-id": "x"}, "ownerReferences": []}
    world.cluster.others["branchdatabases"][theirs["metadata"]["name"]] = theirs
    world.github.state = "open"
    world.poke()
    await world.settle()

    assert world.status.reason is Reason.BRANCH_TAKEN
    assert list(world.cluster.branches.values()) == [theirs]

    world.cluster.others["branchdatabases"].clear()
    world.poke()
    await world.settle()
    assert world.serving == [A]


# The operator, the cluster


async def test_an_operator_that_has_no_branches_of_this_engine_is_told_of(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    features = frozenset({"PreviewEnv", "UnifiedBranchDbCrd"})
    world = World()
    world.operator = OperatorSeen(Answer.FOUND, Operator(version="3.250.0", features=features))
    await world.settle()

    assert world.status.reason is Reason.FEATURE_MISSING
    assert "copies of PostgreSQL (PgBranching)" in world.comment
    assert (world.cluster.branches, world.cluster.sessions) == ({}, {})

    features = features | {"PgBranching"}
    world.operator = OperatorSeen(Answer.FOUND, Operator(version="3.250.0", features=features))
    await world.settle()
    assert world.serving == [A]


async def test_a_cluster_without_branches_is_told_of_where_a_database_is_wanted(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = World()
    missing = NotFound("Kubernetes: list branchdatabases", status=404)
    for call in ("list branchdatabases", "list all branchdatabases"):
        world.calls.failures[call] = missing
    await world.settle()

    assert world.status.reason is Reason.FEATURE_MISSING
    assert "copies of databases (UnifiedBranchDbCrd)" in world.comment


async def test_a_cluster_without_branches_is_not_even_asked_where_no_database_is_wanted() -> None:
    world = await ready(*BOTH)
    world.push(B)
    await world.settle()
    world.close()
    await world.settle()

    assert [call for call in world.calls.listed if "branchdatabases" in call] == []


async def test_without_the_right_to_make_branches_the_platform_team_is_named(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = World()
    world.github.paths = BOTH
    refused = Forbidden("Kubernetes: list branchdatabases", status=403, message="cannot list")
    for call in ("list all branchdatabases", "list branchdatabases", "create branchdatabases"):
        world.calls.failures[call] = refused
    await world.settle()

    # At each look alike, and what needs no database runs in the same namespace.
    for _ in range(3):
        await world.settle(1)
        by_name = {service.name: service for service in world.status.services}
        assert by_name["checkout"].reason is Reason.BRANCH_FAILED
        assert "which is for your platform team" in by_name["checkout"].failure_message
        assert by_name["pricing"].phase is Phase.READY


async def test_data_that_may_not_be_looked_at_any_more_is_not_taken_for_gone(parts: Parts) -> None:
    world, before = await not_migrated(parts)
    assert (world.status.reason, uids(world)) == (Reason.MIGRATION_FAILED, before)

    refused = Forbidden("Kubernetes: list branchdatabases", status=403, message="cannot list")
    world.calls.failures["list branchdatabases"] = refused
    await world.settle()
    assert world.status.reason is Reason.NAMESPACE_FORBIDDEN

    del world.calls.failures["list branchdatabases"]
    world.cluster.migrations = "Succeeded"
    world.push(C)
    await world.settle()
    assert (world.serving, uids(world)) == ([C], before)


@pytest.mark.parametrize("ends", ["/preview stop", "/preview stop checkout"])
async def test_beside_data_that_may_not_be_looked_at_a_session_goes_and_is_recorded_once(
    parts: Parts, ends: str
) -> None:
    parts.have("checkout", ORDERS)
    world = await ready(*BOTH)
    (session,) = (name for name, each in world.cluster.sessions.items() if "dbBranching" in each["spec"])
    refused = Forbidden("Kubernetes: list branchdatabases", status=403, message="cannot list")
    world.calls.failures["list branchdatabases"] = refused
    world.cluster.operator_removes = False
    world.say(ends)
    for _ in range(4):
        await world.settle()
        world.clock.forward(seconds=10)
        identities = [child.identity for child in world.status.children]
        assert len(set(identities)) == len(identities)
    going = [name for name, each in world.cluster.sessions.items() if "deletionTimestamp" in each["metadata"]]
    assert session in going
    for name in going:
        del world.cluster.sessions[name]

    world.cluster.operator_removes = True
    del world.calls.failures["list branchdatabases"]
    await world.settle()
    assert uids(world) == {}


# Migrations


async def test_a_push_migrates_the_data_that_stays_before_the_new_commit_runs(parts: Parts) -> None:
    parts.have("checkout", migrating("orders"))
    world = await ready()
    before = uids(world)
    (branch,) = world.cluster.branches.values()
    migrated = branch["spec"]["migrations"]["image"]
    changes = changes_of(world)
    world.push(B)
    await world.settle()

    (branch,) = world.cluster.branches.values()
    (session,) = world.cluster.sessions.values()
    assert branch["spec"]["migrations"]["image"] == session["spec"]["image"] != migrated
    assert (uids(world), world.serving) == (before, [B])
    order = ["delete session", "patch branchdatabases", "create session"]
    assert [change for change in changes if change in order] == order


async def test_a_patch_leaves_nothing_of_the_migrations_of_before(parts: Parts) -> None:
    parts.have("checkout", a_branch("orders", migrations={"flavor": "flyway", "archive": "QQ=="}))
    world = await ready()
    parts.have("checkout", migrating("orders"))
    world.push(B)
    await world.settle()

    (branch,) = world.cluster.branches.values()
    assert set(branch["spec"]["migrations"]) == {"flavor", "command", "image"}


async def test_a_migration_that_fails_keeps_the_data_and_the_next_commit_mends_it(parts: Parts) -> None:
    world, before = await not_migrated(parts)

    assert (world.service.phase, world.service.reason) == (Phase.FAILED, Reason.MIGRATION_FAILED)
    assert world.service.failure_message == "migrating its copy of the database orders failed: no such table"
    assert "/preview reset" in world.comment
    assert uids(world) == before

    world.cluster.migrations = "Succeeded"
    world.registry.images.add("checkout:" + C)
    world.push(C)
    await world.settle()
    assert (world.serving, uids(world)) == ([C], before)


async def test_a_role_that_may_not_patch_is_told_of_and_the_data_stays(parts: Parts) -> None:
    parts.have("checkout", migrating("orders"))
    world = await ready()
    before = uids(world)
    refused = Forbidden("Kubernetes: patch branchdatabases", status=403, message="cannot patch")
    world.calls.failures["patch branchdatabases"] = refused
    world.push(B)
    await world.settle()

    assert world.service.reason is Reason.MIGRATION_FORBIDDEN
    assert "previewbot may not change the database branch" in world.comment
    assert uids(world) == before

    del world.calls.failures["patch branchdatabases"]
    world.say("/preview start")
    await world.settle()
    assert (world.serving, uids(world)) == ([B], before)


# Secret files


async def test_secret_files_go_to_the_operator_alone(parts: Parts) -> None:
    parts.have("checkout", secret_mounts=(SECRET,), queues=(QUEUE,))
    world = await ready()
    (session,) = world.cluster.sessions.values()

    assert session["spec"]["secretMounts"] == [{"path": "/run/token", "secretKey": "k0"}]
    assert [given["values"] for given in world.cluster.secrets_given] == [{"k0": SECRET.data}]
    assert world.cluster.secrets_given[0]["owner_ref"]["uid"] == session["metadata"]["uid"]
    assert SECRET.data not in str(world.cluster.sessions) + str(world.cluster.preview)


async def test_secret_files_that_did_not_arrive_are_given_again_and_not_twice(parts: Parts) -> None:
    parts.have("checkout", secret_mounts=(SECRET,))
    world = World()
    world.calls.failures["give secret mounts"] = TryLater(
        "Kubernetes: create previewsecretmounts", status=503
    )
    await world.settle(5)
    assert world.cluster.secrets_given == []
    del world.calls.failures["give secret mounts"]
    await world.settle()

    assert len(world.cluster.secrets_given) == 1
    assert world.serving == [A]


async def test_an_operator_that_takes_no_secret_files_fails_the_service_in_words(parts: Parts) -> None:
    parts.have("checkout", secret_mounts=(SECRET,))
    world = World()
    refused = Forbidden("Kubernetes: create previewsecretmounts", status=403, message="cannot create")
    world.calls.failures["give secret mounts"] = refused
    await world.settle()

    assert world.service.phase is Phase.FAILED
    assert "did not take the secret files, which is for your platform team" in world.service.failure_message
    assert world.cluster.sessions == {}


async def test_what_no_status_knows_of_two_branches_is_kept_while_the_file_is_broken(parts: Parts) -> None:
    parts.have("checkout", ORDERS, USERS)
    world = await ready()
    before = uids(world)
    assert world.cluster.preview is not None
    status = world.cluster.preview["status"]
    status["children"] = [c for c in status["children"] if c.get("title") != "users"]
    world.configure("version: 2")
    await world.settle()

    assert (world.serving, uids(world)) == ([A], before)
    titles = {child.title: child.state for child in world.status.children if child.kind == "BranchDatabase"}
    assert ChildState.READY in titles.values()


# Reset


async def test_a_reset_makes_the_databases_anew_and_then_their_sessions(parts: Parts) -> None:
    parts.have("checkout", ORDERS, USERS)
    world = await ready(*BOTH)
    before, running = uids(world), sessions(world)
    changes = changes_of(world)
    asked = world.say("/preview reset")
    await world.settle()

    assert not set(uids(world).values()) & set(before.values())
    assert world.serving == [A, A]
    # pricing has no database, and goes on.
    assert len(sessions(world) & running) == 1
    assert (asked, "rocket") in world.github.reacted
    order = [
        "apply route",
        "delete session",
        "delete branchdatabases",
        "create branchdatabases",
        "create session",
    ]
    assert list(dict.fromkeys(change for change in changes if change in order)) == order


@pytest.mark.parametrize("name", ["orders", "ORDERS", "pricing"])
async def test_a_reset_by_name_leaves_the_others_as_they_are(parts: Parts, name: str) -> None:
    parts.have("checkout", USERS)
    parts.have("pricing", ORDERS)
    world = await ready(*BOTH)
    before = uids(world)
    world.say(f"/preview reset {name}")
    await world.settle()

    assert uids(world)["users"] == before["users"]
    assert uids(world)["orders"] != before["orders"]


async def test_a_reset_counts_once(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = await ready()
    world.say("/preview reset")
    await world.settle()
    before = uids(world)
    world.push(B)
    world.restart()
    await world.settle()

    assert (world.serving, uids(world)) == ([B], before)


async def test_a_reset_while_an_image_is_awaited_waits_for_it_and_is_not_forgotten(parts: Parts) -> None:
    parts.have("checkout", ORDERS)
    world = await ready()
    before = uids(world)
    world.push(B, built=False)
    await world.settle()
    asked = world.say("/preview reset")
    await world.settle()
    assert (world.serving, uids(world)) == ([A], before)
    assert (asked, "rocket") not in world.github.reacted

    world.push(B)
    await world.settle()
    assert world.serving == [B]
    assert uids(world) != before
    assert (asked, "rocket") in world.github.reacted


async def test_a_reset_of_nothing_says_that_there_is_nothing(parts: Parts) -> None:
    world = await ready()
    world.say("/preview reset")
    await world.settle()
    assert "This preview has no database of its own" in world.github.own_comments()[-1]
    assert "/preview reset" not in world.comment

    parts.have("checkout", ORDERS)
    world.push(B)
    await world.settle()
    before = uids(world)
    world.say("/preview reset odrers")
    await world.settle()
    assert "called `odrers`" in world.github.own_comments()[-1]
    assert "orders, checkout" in world.github.own_comments()[-1]
    assert "/preview reset" in world.comment
    assert uids(world) == before


async def test_a_reset_tries_a_failed_database_again(parts: Parts) -> None:
    world, before = await not_migrated(parts)
    world.cluster.migrations = "Succeeded"
    world.say("/preview reset")
    await world.settle()

    assert world.serving == [B]
    assert uids(world) != before
