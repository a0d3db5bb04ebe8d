"""Passes tell what a preview can touch: of what the cluster has, and only while it serves."""

from __future__ import annotations

import json
from typing import Any

from previewbot.api import Copied, Isolation, OwnDatabase, OwnEnvironment, OwnMessages, TakenBy, Uses
from previewbot.engine.annotations import SPEC_HASH
from tests.support.passes import CONFIGURATION, A, B, World, ready

ITS_IMAGE = '    image: "ghcr.io/acme/checkout:{head_sha}"\n'
WITH_ORDERS = CONFIGURATION.replace(
    ITS_IMAGE,
    ITS_IMAGE
    + """\
    mirrord:
      feature:
        db_branches:
          - {type: pg, name: orders, connection: {url: DATABASE_URL}, copy: {mode: schema}}
""",
)
WITH_MORE = CONFIGURATION.replace(
    ITS_IMAGE,
    ITS_IMAGE
    + """\
    mirrord:
      feature:
        env: {override: {A: hunter2, B: c}, exclude: [SECRET_*]}
        split_queues:
          mail: {queue_type: SQS, message_filter: {baggage: '.*mirrord-session={{ key }}.*'}}
""",
)
DECLARED = CONFIGURATION.replace(
    "services:\n",
    "databases:\n  orders: {type: pg, connection: {url: DATABASE_URL}}\nservices:\n",
).replace(ITS_IMAGE, ITS_IMAGE + "    databases: [orders]\n    queues: {mail: {type: sqs}}\n")
CAREFUL = "Others see what **checkout** changes in staging's databases and queues."


def the_session(world: World) -> dict[str, Any]:
    (session,) = world.cluster.sessions.values()
    return session


def isolation(world: World) -> Isolation:
    found = world.service.isolation
    assert found is not None
    return found


async def test_what_a_session_was_sent_is_told_once_it_serves_and_not_before() -> None:
    world = World()
    world.cluster.session_status = {}
    await world.settle(3)
    assert world.cluster.sessions
    assert world.service.isolation is None
    assert "can touch" not in world.comment

    world.cluster.session_becomes("Ready")
    await world.settle()
    assert world.serving == [A]
    assert isolation(world).requests.by is TakenBy.BAGGAGE
    assert isolation(world).behind == "web"
    assert CAREFUL in world.comment
    assert "What this preview can touch" in world.comment


async def test_a_service_that_is_the_front_end_is_behind_none() -> None:
    world = World()
    world.github.configuration = CONFIGURATION.replace(
        "service: web, port: 80", "service: checkout, port: 80"
    )
    await world.settle()

    assert isolation(world).behind == ""


async def test_what_the_cluster_does_not_have_is_not_told_though_it_was_sent() -> None:
    """An older CRD drops what it does not know, and the hash is still that of what was wished for."""
    world = await ready()
    session = the_session(world)
    session["spec"]["queueSplitting"] = {"sqsQueueFilters": {"mail": {"messageFilter": {"baggage": "x"}}}}
    await world.settle(2)
    assert [queue.id for queue in isolation(world).queues] == ["mail"]

    del session["spec"]["queueSplitting"]
    assert session["metadata"]["annotations"][SPEC_HASH]
    await world.settle(2)
    assert isolation(world).queues == ()


async def test_a_filter_that_somebody_changed_is_told_above_the_fold() -> None:
    world = await ready()
    the_session(world)["spec"]["incoming"]["httpFilter"] = json.dumps({"path_filter": "^/"})
    await world.settle(2)

    assert isolation(world).requests.by is TakenBy.OTHER
    assert "may get other people's requests" in world.comment.partition("<details>")[0]


async def test_the_session_of_the_commit_before_is_told_of_until_it_goes() -> None:
    world = await ready()
    world.push(B, built=False)
    await world.settle(3)
    assert world.serving == [A]
    assert isolation(world).requests.by is TakenBy.BAGGAGE


async def test_of_a_preview_that_is_stopped_nothing_is_told() -> None:
    world = await ready()
    world.say("/preview stop")
    await world.settle()

    assert [service.isolation for service in world.status.services] == [None]
    assert "can touch" not in world.comment
    assert "Others see" not in world.comment


async def test_what_the_file_says_that_a_service_does_not_use_is_not_warned_of() -> None:
    world = World()
    world.github.configuration = CONFIGURATION.replace(
        ITS_IMAGE, ITS_IMAGE + "    databases: none\n    queues: none\n"
    )
    await world.settle()

    assert isolation(world).uses == Uses((), ())
    assert "Others see" not in world.comment
    # While the file cannot be read, what it said before holds: nothing is known that speaks against it.
    world.configure("version: 2\n")
    await world.settle(2)
    assert isolation(world).uses == Uses((), ())


async def test_what_a_service_names_and_has_of_its_own_is_not_warned_of() -> None:
    world = World()
    world.github.configuration = DECLARED
    await world.settle(10)

    assert world.serving == [A]
    assert [database.name for database in isolation(world).databases] == ["orders"]
    assert isolation(world).uses == Uses(("orders",), ("mail",))
    assert isolation(world).queues == (OwnMessages("mail"),)
    assert "Others see" not in world.comment


async def test_what_a_mirrord_file_names_and_staging_shares_is_told_together() -> None:
    world = World()
    both = WITH_ORDERS.replace(ITS_IMAGE, ITS_IMAGE + "    databases: [users]\n    queues: none\n")
    world.github.configuration = both.replace("services:\n", "databases: {users: staging}\nservices:\n")
    await world.settle(10)

    assert isolation(world).uses == Uses(("users", "orders"), ())
    assert "its own copy of `orders` (schema only); `users` is staging's" in world.comment
    assert "Others see what **checkout** changes in staging's databases." in world.comment

    # Without the other one, all that the service uses is its own.
    world.github.configuration = WITH_ORDERS.replace(ITS_IMAGE, ITS_IMAGE + "    queues: none\n")
    world.poke()
    await world.settle(10)
    assert "Others see" not in world.comment


async def test_nothing_is_written_where_nothing_changed() -> None:
    world = await ready()
    before = world.status
    await world.settle(2)

    assert world.status.services == before.services


async def test_a_database_of_its_own_is_called_as_in_the_file_also_once_its_branch_is_gone() -> None:
    world = World()
    world.github.configuration = WITH_ORDERS
    await world.settle(10)
    (branch,) = world.cluster.branches.values()
    own = OwnDatabase(branch["metadata"]["name"], "orders", Copied.SCHEMA)

    assert world.serving == [A]
    assert isolation(world).databases == (own,)
    assert "its own copy of `orders` (schema only)" in world.comment
    assert "with its real data" not in world.comment
    # What the mirrord file names is said, as if `preview.yaml` did; of queues nobody says anything.
    assert isolation(world).uses == Uses(("orders",), None)
    assert "Others see what **checkout** changes in staging's queues." in world.comment

    world.cluster.others["branchdatabases"].clear()
    await world.run()
    # What the session was sent is what it was, until it is made anew.
    assert world.service.isolation is None or isolation(world).databases == (own,)


async def test_what_a_file_says_of_queues_and_variables_is_told_as_it_was_sent() -> None:
    world = World()
    world.github.configuration = WITH_MORE
    await world.settle(10)

    assert isolation(world).queues == (OwnMessages("mail"),)
    assert isolation(world).uses == Uses(None, ("mail",))
    assert "Others see what **checkout** changes in staging's databases." in world.comment
    assert isolation(world).environment == OwnEnvironment(overridden=2, left_out=True)
    assert "3 overridden" not in world.comment
    assert "2 overridden, some or all left out" in world.comment
    assert "hunter2" not in json.dumps(world.cluster.preview)
