"""What the doctor asks of an API server, held on both sides: the fake one, and a real one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml

from previewbot.api import KIND, Poke
from previewbot.clients.kubernetes.examining import ExaminedKube
from previewbot.clients.kubernetes.resources import PREVIEWS
from previewbot.config.server import GatewaySettings, Settings
from previewbot.doctor import fields, rights, samples
from previewbot.doctor.cluster import shipped_schema
from previewbot.engine import mirrord, probe
from previewbot.engine.published import schema_of
from previewbot.errors import Conflict, Invalid, LeaseLost, NotFound
from previewbot.reconciler.children import KINDS, ROUTE
from tests.contract.conftest import ApiServer
from tests.support import passes

SESSIONS = next(kind.resource for kind in KINDS if kind.name == mirrord.KIND)
GATEWAY = GatewaySettings(name="public", namespace="gateways", domain="preview.example.com")
SETTINGS = Settings.model_validate(yaml.safe_load(yaml.safe_dump(passes.SETTINGS)))


def refuse() -> None:
    raise LeaseLost("the doctor changes nothing")


@pytest.fixture
async def doctor(server: ApiServer) -> AsyncIterator[ExaminedKube]:
    """The doctor's client of that server."""
    client = await ExaminedKube.connect(server.kubeconfig, user_agent="tests", fence=refuse)
    yield client
    await client.close()


async def test_an_account_may_ask_who_it_is_and_what_it_may_do(doctor: ExaminedKube) -> None:
    assert await doctor.who_am_i()
    assert await doctor.may(rights.Right("staging", "apps", "deployments", "get").attributes)


async def test_the_schemas_of_both_crds_have_every_field_that_is_written(
    server: ApiServer, doctor: ExaminedKube
) -> None:
    sent = samples.session(SETTINGS, server.namespace)
    wanted = (
        (PREVIEWS, KIND, shipped_schema()),
        (SESSIONS, mirrord.KIND, fields.schema_like({"spec": sent["spec"]})),
    )

    for resource, kind, schema in wanted:
        published = await doctor.published(resource.group, resource.version)
        installed = schema_of(published, resource, kind)
        assert installed is not None
        assert [*fields.missing(installed, schema)] == []
        assert [*fields.missing(installed, {"properties": {"spec": {"properties": {"x": {}}}}})] == ["spec.x"]


async def test_of_a_group_that_is_not_there_nothing_is_published(doctor: ExaminedKube) -> None:
    assert await doctor.published("nothing.example.com", "v1") == {}


async def test_what_is_tried_is_not_made(server: ApiServer, doctor: ExaminedKube) -> None:
    manifest = samples.session(SETTINGS, server.namespace)

    await doctor.try_to_create(SESSIONS, server.namespace, manifest)
    await doctor.try_to_create(SESSIONS, server.namespace, manifest)

    assert await doctor.get_child(SESSIONS, server.namespace, manifest["metadata"]["name"]) is None


async def test_trying_tells_of_a_namespace_that_is_not_there(doctor: ExaminedKube) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        await doctor.try_to_create(SESSIONS, "nowhere", samples.session(SETTINGS, "nowhere"))


async def test_trying_tells_of_a_field_that_the_crd_does_not_know(
    server: ApiServer, doctor: ExaminedKube
) -> None:
    manifest: dict[str, Any] = samples.session(SETTINGS, server.namespace)
    manifest["spec"]["later"] = True

    with pytest.raises(Invalid, match="unknown field"):
        await doctor.try_to_create(SESSIONS, server.namespace, manifest)


async def test_the_probe_is_stored_as_it_is_sent_made_once_and_taken_away_twice(
    server: ApiServer, doctor: ExaminedKube
) -> None:
    made = probe.probe(GATEWAY, server.namespace, SETTINGS.public_url)

    await doctor.put_probe(ROUTE.resource, server.namespace, made)
    with pytest.raises(Conflict):
        await doctor.put_probe(ROUTE.resource, server.namespace, made)
    found = await doctor.get_child(ROUTE.resource, server.namespace, probe.NAME)
    for _ in range(2):
        await doctor.take_away_probe(ROUTE.resource, server.namespace, probe.NAME)

    assert found is not None
    assert found["spec"] == made["spec"]
    assert await doctor.get_child(ROUTE.resource, server.namespace, probe.NAME) is None


async def test_its_client_changes_nothing_else(server: ApiServer, doctor: ExaminedKube) -> None:
    with pytest.raises(LeaseLost):
        await doctor.poke(server.spec, Poke(), create=True)
    with pytest.raises(LeaseLost):
        await doctor.delete_child(ROUTE.resource, server.namespace, probe.NAME)
