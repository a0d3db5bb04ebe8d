"""What the stand-in for mirrord's operator gives sessions of their own: databases and messages."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from previewbot_demo.kubeapi import ApiError
from tests.e2e.test_operator import Cluster, answer, running

BRANCHES = "/apis/dbs.mirrord.metalbear.co/v1alpha1/namespaces/staging/branchdatabases"
TELLS = b"""
import http.server, json, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    staging = tmp_path / "staging.db"
    with closing(sqlite3.connect(staging)) as database:
        database.executescript("CREATE TABLE orders (id TEXT); INSERT INTO orders VALUES ('theirs');")
    variables = {"DATABASE_URL": f"sqlite:///{staging}", "PARCELS_QUEUE": "parcels", "EMPTY": ""}
    container = {"name": "app", "env": [{"name": n, "value": v} for n, v in variables.items()]}
    async with running(tmp_path / "operator") as built:
        built.kube.seed(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "web", "namespace": "staging"},
                "spec": {"template": {"spec": {"containers": [container]}}},
            }
        )
        yield built


async def branch(cluster: Cluster, name: str = "b1", **changes: Any) -> dict[str, Any]:
    spec = {
        "id": name,
        "connectionSource": {"url": {"env": {"container": None, "variable": "DATABASE_URL"}}},
        "target": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "container": ""},
        "ttlSecs": 3600,
        "postgresOptions": {"copy": {"mode": "all"}},
    }
    manifest = {
        "apiVersion": "dbs.mirrord.metalbear.co/v1alpha1",
        "kind": "BranchDatabase",
        "metadata": {"name": name, "namespace": "staging"},
        "spec": spec | changes,
    }
    return await cluster.api.create(BRANCHES, manifest)


async def status(cluster: Cluster, phase: str, name: str = "b1") -> dict[str, Any]:
    async with asyncio.timeout(15):
        while True:
            found = await cluster.api.get(f"{BRANCHES}/{name}")
            told: dict[str, Any] = found.get("status") or {}
            if told.get("phase") == phase:
                return told
            await asyncio.sleep(0.02)


async def environment(cluster: Cluster, session: dict[str, Any]) -> dict[str, str]:
    await cluster.phase("Ready")
    told: dict[str, str] = json.loads(await answer(cluster.pods[session["metadata"]["uid"]]))
    return told


def rows(url: str) -> list[str]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        return [row[0] for row in database.execute("SELECT id FROM orders")]


async def test_a_session_with_a_branch_has_a_copy_and_staging_has_its_own(cluster: Cluster) -> None:
    await branch(cluster)
    ready = await status(cluster, "Ready")
    session = await cluster.create(cluster.image(TELLS), dbBranching={"pgBranchNames": ["b1"]})

    own = await environment(cluster, session)

    assert ready["expireTime"]
    assert rows(own["DATABASE_URL"]) == ["theirs"]
    with closing(sqlite3.connect(own["DATABASE_URL"].removeprefix("sqlite:///"))) as database:
        database.execute("INSERT INTO orders VALUES ('ours')")
        database.commit()
    deployment = await cluster.api.get("/apis/apps/v1/namespaces/staging/deployments/web")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert rows(container["env"][0]["value"]) == ["theirs"]


async def test_a_branch_that_goes_takes_its_copy_along_and_the_next_knows_nothing_of_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    first = await branch(cluster)
    await status(cluster, "Ready")
    await cluster.api.delete(f"{BRANCHES}/b1", first["metadata"]["uid"])
    second = await branch(cluster)
    await status(cluster, "Ready")

    left = sorted(path.name for path in (tmp_path / "operator" / "branches").iterdir())
    assert left == [f"{second['metadata']['uid']}.db"]


async def test_a_branch_that_no_session_uses_is_removed_after_its_time(cluster: Cluster) -> None:
    await branch(cluster, ttlSecs=0)

    async with asyncio.timeout(15):
        with pytest.raises(ApiError, match="404"):
            while True:
                await cluster.api.get(f"{BRANCHES}/b1")
                await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"connectionSource": {"url": {"env": {"variable": "NONE"}}}}, "target web has no variable NONE"),
        ({"connectionSource": {"url": {"env": {"variable": "EMPTY"}}}}, "copies files of SQLite only"),
        ({"connectionSource": {"params": {}}}, "one variable that holds its address"),
        ({"postgresOptions": {"copy": {"mode": "all", "items": {"carts": {}}}}}, "there is no table carts"),
        ({"migrations": {"flavor": "container", "image": "i"}}, "runs no migrations"),
    ],
)
async def test_a_branch_that_cannot_be_made_says_why(
    cluster: Cluster, changes: dict[str, Any], said: str
) -> None:
    await branch(cluster, **changes)

    assert said in (await status(cluster, "Failed"))["error"]


async def test_a_session_whose_branch_is_not_there_fails(cluster: Cluster) -> None:
    await cluster.create(cluster.image(TELLS), dbBranching={"pgBranchNames": ["b1"]})

    assert (await cluster.phase("Failed"))["failureMessage"] == "database branch b1 is not ready"


async def test_a_session_gets_the_messages_that_its_filter_names_and_staging_all_others(
    cluster: Cluster,
) -> None:
    own = {"messageFilter": {"baggage": ".*mirrord-session=k1.*"}}
    session = await cluster.create(cluster.image(TELLS), queueSplitting={"sqsQueueFilters": {"parcels": own}})
    queue = (await environment(cluster, session))["PARCELS_QUEUE"]

    cluster.broker.send("parcels", "ours", {"baggage": "a=b,mirrord-session=k1"})
    cluster.broker.send("parcels", "theirs", {"baggage": "mirrord-session=k2"})
    ours, theirs = await cluster.broker.receive(queue, 0.1), await cluster.broker.receive("parcels", 0.1)
    assert (ours and ours.body, theirs and theirs.body) == ("ours", "theirs")

    await cluster.api.delete(
        "/apis/preview.mirrord.metalbear.co/v1alpha/namespaces/staging/previewsessions/s1",
        session["metadata"]["uid"],
    )
    await cluster.until(lambda gone: not gone)
    cluster.broker.send("parcels", "late", {"baggage": "mirrord-session=k1"})
    late = await cluster.broker.receive("parcels", 0.1)
    assert late and late.body == "late"
    cluster.broker.close()


@pytest.mark.parametrize(
    ("queues", "said"),
    [
        ({"sqsQueueFilters": {"carts": {"messageFilter": {"a": "b"}}}}, "has no queue carts"),
        ({"sqsQueueFilters": {"parcels": {"jqFilter": ".a"}}}, "not by jq"),
        ({"kafkaQueueJqFilters": {"parcels": ".a"}}, "does not know kafkaQueueJqFilters"),
    ],
)
async def test_a_session_that_asks_for_what_cannot_be_split_fails(
    cluster: Cluster, queues: dict[str, Any], said: str
) -> None:
    await cluster.create(cluster.image(TELLS), queueSplitting=queues)

    assert said in (await cluster.phase("Failed"))["failureMessage"]
