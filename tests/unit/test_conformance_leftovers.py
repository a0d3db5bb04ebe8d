"""What a trial leaves whose process was killed: the next one takes it away, and nothing of one at work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from previewbot.clients.kubernetes.client import Kube
from previewbot.config.repository import TargetPath
from previewbot.config.server import GatewaySettings
from previewbot.doctor.conformance.leftovers import take_away_leftovers
from previewbot.doctor.conformance.subject import Backend, Subject, route_manifest, session_manifest
from previewbot_demo.faults import Call
from previewbot_demo.kube import FakeKube
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.servers import served

SUBJECT = Subject(
    namespace="staging",
    target=TargetPath("deployment", "web"),
    container="app",
    image="ghcr.io/acme/web:main",
    key="conformance-000000000000",
    entry_url="https://staging.example.com",
    gateway=GatewaySettings(name="public", namespace="gateways", domain="preview.example.com"),
    backend=Backend("web", 80),
)


class World:
    """A cluster with what an earlier trial made, and a client of it."""

    def __init__(self, fake: FakeKube, client: Kube) -> None:
        self.fake, self.client, self.said = fake, client, list[str]()

    @property
    def left(self) -> list[str]:
        kinds = ("previewsessions", "httproutes")
        return [obj["metadata"]["name"] for kind in kinds for obj in self.fake.objects(kind)]

    async def next_trial(self, later: timedelta) -> None:
        """Begin a trial so much later than the newest object was made."""
        made = [obj["metadata"]["creationTimestamp"] for obj in self.fake.objects("httproutes")]
        now = datetime.fromisoformat(max(made)) + later
        await take_away_leftovers(self.client, SUBJECT, now, self.said.append)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    fake = FakeKube()
    stranger = route_manifest(SUBJECT)
    stranger["metadata"] |= {"name": "somebodys", "labels": {}}
    for manifest in (session_manifest(SUBJECT), route_manifest(SUBJECT), stranger):
        fake.seed(manifest)
    with served(fake.handle) as (url, _):
        client = await Kube.connect(write_kubeconfig(tmp_path / "kubeconfig", url), user_agent="tests")
        yield World(fake, client)
        await client.close()


async def test_what_is_older_than_a_trial_is_taken_away(world: World) -> None:
    await world.next_trial(timedelta(minutes=31))

    assert world.left == ["somebodys"]
    assert f"removing {SUBJECT.key}, which an earlier trial left" in world.said


async def test_what_may_be_of_a_trial_at_work_is_left_alone(world: World) -> None:
    await world.next_trial(timedelta(minutes=29))

    assert world.left == [SUBJECT.session_name, *sorted([SUBJECT.key, "somebodys"])]
    assert world.said == []


async def test_a_cluster_that_does_not_let_us_look_keeps_no_trial_from_beginning(world: World) -> None:
    async def refusing(call: Call) -> web.StreamResponse | None:
        return web.json_response({"message": "no"}, status=403)

    world.fake.faults.before = refusing

    await world.next_trial(timedelta(minutes=31))

    assert [each.startswith("what an earlier trial may have left stays") for each in world.said] == [
        True,
        True,
    ]
