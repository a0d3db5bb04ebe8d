"""What previewbot relies on of a Kubernetes API server, through the official clients.

Written against a URL: the fake is one server that must pass, a real one is another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot import mirrord
from previewbot.demo.kube import FakeKube
from previewbot.errors import Conflict, Invalid
from previewbot.kube.client import Kube
from previewbot.kube.follow import Follower
from previewbot.kube.poker import Poker
from previewbot.kube.requests import contains
from previewbot.kube.store import Store
from previewbot.preview import GROUP, PLURAL, VERSION, Poke, Preview, from_object
from tests.support.previews import a_preview
from tests.support.servers import served
from tests.unit.test_mirrord import WANTED

SPEC = a_preview().spec
NAME = "gh-812-42"


def a_poke(delivery: str = "1") -> Poke:
    return Poke(delivery_id=delivery, poked_at=datetime.now(UTC))


def write_kubeconfig(path: Path, url: str) -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "test", "user": {"token": "test"}}],
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    fake = FakeKube()
    with served(fake.handle) as (url, _):
        yield write_kubeconfig(tmp_path / "kubeconfig", url)


@pytest.fixture
async def kube(kubeconfig: Path) -> AsyncIterator[Kube]:
    client = await Kube.connect(kubeconfig, user_agent="tests")
    yield client
    await client.close()


async def a_stored_preview(kube: Kube) -> Preview:
    await kube.poke(SPEC, a_poke(), create=True)
    obj = await kube.get_preview(NAME)
    assert obj is not None
    return from_object(obj)


async def test_a_poke_creates_only_where_it_may_and_then_patches(kube: Kube) -> None:
    assert not await kube.poke(SPEC, a_poke("1"), create=False)
    assert await kube.poke(SPEC, a_poke("2"), create=True)
    assert await kube.poke(SPEC, Poke(delivery_id="3", comment_id=9), create=True)

    obj = await kube.get_preview(NAME)
    assert obj is not None
    poke = from_object(obj).poke
    assert (poke.delivery_id, poke.comment_id) == ("3", 9)
    assert poke.poked_at is not None


def test_the_sync_poke_does_the_same(kubeconfig: Path) -> None:
    poker = Poker(kubeconfig, user_agent="tests")

    assert poker.ready()
    assert not poker.poke(SPEC, a_poke("1"), create=False)
    assert poker.poke(SPEC, a_poke("2"), create=True)
    assert poker.poke(SPEC, a_poke("3"), create=False)
    obj = poker.get_preview(NAME)
    assert obj is not None
    assert from_object(obj).poke.delivery_id == "3"
    assert poker.get_preview("gh-1-1") is None


async def test_a_status_is_a_compare_and_swap_and_does_not_touch_the_rest(kube: Kube) -> None:
    await a_stored_preview(kube)
    obj = await kube.get_preview(NAME)
    assert obj is not None

    written = await kube.put_status(
        {**obj, "status": {"phase": "Ready"}, "spec": {**obj["spec"], "number": 1}}
    )
    assert written["status"] == {"phase": "Ready"}
    assert written["spec"]["number"] == 42
    with pytest.raises(Conflict, match="has been modified"):
        await kube.put_status({**obj, "status": {"phase": "Failed"}})


async def test_a_status_written_with_the_object_is_dropped(kube: Kube) -> None:
    preview = await a_stored_preview(kube)
    body = {
        **mirrord.manifest(preview, WANTED),
        "status": {"phase": "Ready", "startedAt": "2026-11-24T09:00:00Z"},
    }

    session = await kube.create_session("staging", body)

    assert "status" not in session


async def test_a_name_is_taken_once(kube: Kube) -> None:
    manifest = mirrord.manifest(await a_stored_preview(kube), WANTED)
    await kube.create_session("staging", manifest)

    with pytest.raises(Conflict, match="already exists"):
        await kube.create_session("staging", manifest)


async def test_a_field_that_the_crd_does_not_know_is_refused(kube: Kube) -> None:
    manifest = mirrord.manifest(await a_stored_preview(kube), WANTED)
    manifest["spec"]["idel"] = {}

    with pytest.raises(Invalid, match=r'unknown field "spec\.idel"') as refused:
        await kube.create_session("staging", manifest)
    assert refused.value.status == 400


@pytest.mark.parametrize(("field", "value"), [("key", None), ("ttlSecs", "soon"), ("target", {})])
async def test_a_value_that_breaks_the_schema_is_refused(kube: Kube, field: str, value: Any) -> None:
    manifest = mirrord.manifest(await a_stored_preview(kube), WANTED)
    manifest["spec"][field] = value

    with pytest.raises(Invalid) as refused:
        await kube.create_session("staging", manifest)
    assert refused.value.status == 422


async def test_sessions_are_found_by_label(kube: Kube) -> None:
    preview = await a_stored_preview(kube)
    await kube.create_session("staging", mirrord.manifest(preview, WANTED))

    assert len(await kube.list_sessions("staging", mirrord.selector(preview))) == 1
    assert await kube.list_sessions("staging", mirrord.selector(replace(preview, name="gh-1-1"))) == []
    assert await kube.list_sessions("elsewhere", mirrord.selector(preview)) == []


async def test_only_the_very_session_that_was_meant_is_deleted(kube: Kube) -> None:
    session = await kube.create_session("staging", mirrord.manifest(await a_stored_preview(kube), WANTED))
    name, uid = session["metadata"]["name"], session["metadata"]["uid"]

    with pytest.raises(Conflict):
        await kube.delete_session("staging", name, "another")
    await kube.delete_session("staging", name, uid)
    await kube.delete_session("staging", name, uid)


async def test_children_go_with_their_preview(kube: Kube) -> None:
    preview = await a_stored_preview(kube)
    await kube.create_session("staging", mirrord.manifest(preview, WANTED))

    await kube.delete_preview(NAME, preview.uid, preview.resource_version)

    async with asyncio.timeout(20):
        while await kube.list_sessions("staging", mirrord.selector(preview)):
            await asyncio.sleep(0.05)


async def test_a_preview_that_changed_since_is_not_deleted(kube: Kube) -> None:
    preview = await a_stored_preview(kube)
    await kube.poke(SPEC, a_poke("later"), create=False)

    with pytest.raises(Conflict):
        await kube.delete_preview(NAME, preview.uid, preview.resource_version)


async def test_a_route_is_made_once_patched_where_it_differs_and_else_left_alone(kube: Kube) -> None:
    route: dict[str, Any] = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "r", "namespace": "staging"},
        "spec": {"hostnames": ["a.example.com"], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
    }
    redirect = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 302}}
    changed = {**route, "spec": {**route["spec"], "rules": [{"filters": [redirect]}]}}

    await kube.apply_route(route)
    await kube.apply_route(route)
    await kube.apply_route(changed)
    await kube.delete_route("staging", "r")
    await kube.delete_route("staging", "r")


async def test_missing_resources_are_named_without_any_permission(kube: Kube) -> None:
    wanted = [(GROUP, VERSION, PLURAL), ("preview.mirrord.metalbear.co", "v9", "previewsessions")]

    assert await kube.missing_resources(wanted) == ["previewsessions.preview.mirrord.metalbear.co (v9)"]


async def test_a_target_that_is_not_there_is_none(kube: Kube) -> None:
    assert await kube.get_target("staging", "deployment", "nobody") is None


async def test_following_shows_what_is_there_what_comes_and_what_goes(kube: Kube) -> None:
    before = await a_stored_preview(kube)
    seen: asyncio.Queue[tuple[bool, bool]] = asyncio.Queue()
    store = Store(lambda old, new: seen.put_nowait((old is not None, new is not None)))
    follower = Follower(kube, (GROUP, VERSION, PLURAL), None, store, progressed=lambda: None)
    task = asyncio.create_task(follower.run())
    async with asyncio.timeout(20):
        assert await seen.get() == (False, True)
        await kube.poke(SPEC, a_poke("2"), create=False)
        assert await seen.get() == (True, True)
        obj = await kube.get_preview(NAME)
        assert obj is not None
        await kube.delete_preview(NAME, before.uid, obj["metadata"]["resourceVersion"])
        assert await seen.get() == (True, False)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_only_fields_that_we_set_are_compared() -> None:
    assert contains({"a": 1, "b": [{"c": 1, "default": 2}]}, {"b": [{"c": 1}]})
    assert not contains({"b": [1, 2]}, {"b": [1]})
    assert not contains({"b": {"c": 2}}, {"b": {"c": 1}})
