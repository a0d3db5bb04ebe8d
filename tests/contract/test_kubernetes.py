"""What previewbot relies on of a Kubernetes API server, through its own clients.

The in-memory API server must pass, and Kubernetes' own is the truth.
"""

from __future__ import annotations

import asyncio
import copy
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from previewbot.api import (
    PREVIEW_REQUESTS,
    SAY,
    Actor,
    AgentSeen,
    Ask,
    Observed,
    Poke,
    Preview,
    Resource,
    Saying,
    Says,
    Source,
    from_object,
    new_request,
    request_from,
)
from previewbot.clients.kubernetes.cache import ObjectCache
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.informer import Informer
from previewbot.clients.kubernetes.pages_client import PagesClient
from previewbot.clients.kubernetes.resources import PREVIEWS, collection_path, contains, object_path
from previewbot.clients.kubernetes.web_client import WebClient
from previewbot.config.repository import Entry, TargetPath
from previewbot.config.server import GatewaySettings, LeaseSettings
from previewbot.config.types import TARGET_KINDS
from previewbot.engine import mirrord
from previewbot.engine.routes import route
from previewbot.errors import Conflict, Invalid, NotFound, NotServed
from previewbot.reconciler.children.kind import selector
from previewbot.reconciler.children.routes import Routes
from previewbot.reconciler.children.sessions import Sessions
from previewbot.runtime.leadership import Clock, Leadership
from previewbot.runtime.listing_asked import LEAST_SECONDS, ListingAsked
from tests.contract.conftest import ApiServer
from tests.support.previews import a_preview
from tests.unit.test_mirrord import DESIRED

SESSIONS, ROUTES = Sessions.resource, Routes.resource
MICROSECONDS = "2026-11-24T09:00:00.000000Z"


def a_poke(delivery: str = "1") -> Poke:
    return Poke(delivery_id=delivery, poked_at=datetime.now(UTC))


async def a_stored_preview(server: ApiServer, kube: Kube) -> Preview:
    await kube.poke(server.spec, a_poke(), create=True)
    return await server.stored(kube)


async def a_session_to_create(server: ApiServer, kube: Kube) -> tuple[Preview, dict[str, Any]]:
    """ObjectCache a Preview; return it, and the manifest of a session of its own."""
    preview = await a_stored_preview(server, kube)
    return preview, mirrord.manifest(preview, replace(DESIRED, namespace=server.namespace))


def a_route(server: ApiServer) -> dict[str, Any]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "r", "namespace": server.namespace},
        "spec": {
            "hostnames": ["a.example.com"],
            "rules": [
                {"backendRefs": [{"group": "", "kind": "Service", "name": "web", "port": 80, "weight": 1}]}
            ],
        },
    }


def a_lease(server: ApiServer) -> dict[str, Any]:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "l", "namespace": server.namespace},
        "spec": {"holderIdentity": "a", "leaseDurationSeconds": 10, "renewTime": MICROSECONDS},
    }


async def test_a_poke_creates_only_where_it_may_and_then_patches(server: ApiServer, kube: Kube) -> None:
    assert not await kube.poke(server.spec, a_poke("1"), create=False)
    assert await kube.poke(server.spec, a_poke("2"), create=True)
    assert await kube.poke(server.spec, Poke(delivery_id="3", comment_id=9), create=True)

    poke = (await server.stored(kube)).poke
    assert (poke.delivery_id, poke.comment_id) == ("3", 9)
    assert poke.poked_at is not None


def test_the_sync_poke_does_the_same(server: ApiServer) -> None:
    poker = WebClient(server.kubeconfig, user_agent="tests")

    assert poker.ready()
    assert not poker.poke(server.spec, a_poke("1"), create=False)
    assert poker.poke(server.spec, a_poke("2"), create=True)
    assert poker.poke(server.spec, a_poke("3"), create=False)
    with closing(PagesClient(server.kubeconfig, user_agent="tests")) as pages:
        assert pages.ready()
        obj = pages.get_preview(server.name)
        assert pages.get_preview("gh-1-1") is None
    assert obj is not None
    assert from_object(obj).poke.delivery_id == "3"


def test_all_previews_are_read_although_one_answer_does_not_have_them_all(server: ApiServer) -> None:
    mine = f"gh-{server.spec.repository_id}-"
    names = {f"{mine}{number}" for number in range(1, 61)}
    with closing(WebClient(server.kubeconfig, user_agent="tests")) as web:
        for name in names:
            assert web.poke(a_preview(name=name).spec, a_poke("1"), create=True)
    with closing(PagesClient(server.kubeconfig, user_agent="tests")) as pages:
        found = [obj["metadata"]["name"] for obj in pages.list_previews()]
    for name in names:
        server.call("DELETE", object_path(PREVIEWS, None, name))

    assert sorted(name for name in found if name.startswith(mine)) == sorted(names)


async def test_a_status_is_a_compare_and_swap_and_does_not_touch_the_rest(
    server: ApiServer, kube: Kube
) -> None:
    await a_stored_preview(server, kube)
    obj = await kube.get_preview(server.name)
    assert obj is not None

    written = await kube.put_status(
        {**obj, "status": {"phase": "Ready"}, "spec": {**obj["spec"], "number": 1}}
    )
    assert written["status"] == {"phase": "Ready"}
    assert written["spec"]["number"] == 42
    assert written["metadata"]["generation"] == obj["metadata"]["generation"]
    with pytest.raises(Conflict, match="has been modified"):
        await kube.put_status({**obj, "status": {"phase": "Failed"}})


async def test_the_same_status_again_changes_nothing_so_that_no_watch_wakes_for_it(
    server: ApiServer, kube: Kube
) -> None:
    await a_stored_preview(server, kube)
    obj = await kube.get_preview(server.name)
    assert obj is not None

    first = await kube.put_status({**obj, "status": {"phase": "Ready"}})
    second = await kube.put_status(first)

    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


async def test_a_status_that_the_crd_does_not_know_is_refused_as_a_whole(
    server: ApiServer, kube: Kube
) -> None:
    await a_stored_preview(server, kube)
    obj = await kube.get_preview(server.name)
    assert obj is not None

    with pytest.raises(Invalid, match=r'unknown field "status\.picturez"'):
        await kube.put_status({**obj, "status": {"phase": "Ready", "picturez": {"sha": "a"}}})


async def test_a_status_of_a_preview_that_is_gone_or_another_one_is_not_written(
    server: ApiServer, kube: Kube
) -> None:
    before = await a_stored_preview(server, kube)
    obj = await kube.get_preview(server.name)
    assert obj is not None
    await kube.delete_preview(before.name, before.uid, before.resource_version)

    with pytest.raises(NotFound):
        await kube.put_status({**obj, "status": {"phase": "Ready"}})
    await a_stored_preview(server, kube)
    with pytest.raises(Conflict):
        await kube.put_status({**obj, "status": {"phase": "Ready"}})


async def test_a_poke_does_not_touch_status_or_generation(server: ApiServer, kube: Kube) -> None:
    await a_stored_preview(server, kube)
    obj = await kube.get_preview(server.name)
    assert obj is not None
    await kube.put_status({**obj, "status": {"phase": "Ready"}})

    await kube.poke(server.spec, a_poke("2"), create=False)

    found = await kube.get_preview(server.name)
    assert found is not None
    assert found["status"] == {"phase": "Ready"}
    assert found["metadata"]["generation"] == 1


async def test_a_hint_in_the_spec_is_refreshed(server: ApiServer, kube: Kube) -> None:
    await a_stored_preview(server, kube)

    await kube.patch_preview_spec(server.name, {"repository": "acme/renamed"})

    obj = await kube.get_preview(server.name)
    assert obj is not None
    assert obj["spec"] == {**obj["spec"], "repository": "acme/renamed", "number": 42}
    assert obj["metadata"]["generation"] == 2


async def test_a_status_written_with_the_object_is_dropped(server: ApiServer, kube: Kube) -> None:
    _, manifest = await a_session_to_create(server, kube)
    body = {**manifest, "status": {"phase": "Ready", "startedAt": "2026-11-24T09:00:00Z"}}

    session = await kube.create_child(SESSIONS, server.namespace, body)

    assert "status" not in session


async def test_a_name_is_taken_once(server: ApiServer, kube: Kube) -> None:
    _, manifest = await a_session_to_create(server, kube)
    await kube.create_child(SESSIONS, server.namespace, manifest)

    with pytest.raises(Conflict, match="already exists"):
        await kube.create_child(SESSIONS, server.namespace, manifest)


async def test_what_breaks_the_schema_is_refused_for_that_even_if_its_name_is_taken(
    server: ApiServer, kube: Kube
) -> None:
    _, manifest = await a_session_to_create(server, kube)
    await kube.create_child(SESSIONS, server.namespace, manifest)
    manifest["spec"]["ttlSecs"] = "soon"

    with pytest.raises(Invalid, match=r"spec\.ttlSecs"):
        await kube.create_child(SESSIONS, server.namespace, manifest)


async def test_a_field_that_the_crd_does_not_know_is_refused(server: ApiServer, kube: Kube) -> None:
    _, manifest = await a_session_to_create(server, kube)
    manifest["spec"]["idel"] = {}

    with pytest.raises(Invalid, match=r'unknown field "spec\.idel"') as refused:
        await kube.create_child(SESSIONS, server.namespace, manifest)
    assert refused.value.status == 400


@pytest.mark.parametrize(("field", "value"), [("key", None), ("ttlSecs", "soon"), ("target", {})])
async def test_a_value_that_breaks_the_schema_is_refused(
    server: ApiServer, kube: Kube, field: str, value: Any
) -> None:
    _, manifest = await a_session_to_create(server, kube)
    manifest["spec"][field] = value

    with pytest.raises(Invalid) as refused:
        await kube.create_child(SESSIONS, server.namespace, manifest)
    assert refused.value.status == 422


async def test_nothing_is_created_in_a_namespace_that_is_not_there(server: ApiServer, kube: Kube) -> None:
    preview = await a_stored_preview(server, kube)

    with pytest.raises(NotFound, match='namespaces "nowhere" not found'):
        await kube.create_child(
            SESSIONS, "nowhere", mirrord.manifest(preview, replace(DESIRED, namespace="nowhere"))
        )
    assert await kube.list_children(SESSIONS, "nowhere", "") == []


async def test_sessions_are_found_by_label(server: ApiServer, kube: Kube) -> None:
    preview, manifest = await a_session_to_create(server, kube)
    await kube.create_child(SESSIONS, server.namespace, manifest)

    assert len(await kube.list_children(SESSIONS, server.namespace, selector(preview))) == 1
    other = selector(replace(preview, name="gh-1-1"))
    assert await kube.list_children(SESSIONS, server.namespace, other) == []
    assert await kube.list_children(SESSIONS, "elsewhere", selector(preview)) == []


async def test_only_the_very_session_that_was_meant_is_deleted(server: ApiServer, kube: Kube) -> None:
    _, manifest = await a_session_to_create(server, kube)
    session = await kube.create_child(SESSIONS, server.namespace, manifest)
    name, uid = session["metadata"]["name"], session["metadata"]["uid"]

    with pytest.raises(Conflict):
        await kube.delete_child(SESSIONS, server.namespace, name, "another")
    await kube.delete_child(SESSIONS, server.namespace, name, uid)
    await kube.delete_child(SESSIONS, server.namespace, name, uid)


async def test_a_session_that_a_finalizer_holds_is_listed_until_that_is_gone(
    server: ApiServer, kube: Kube
) -> None:
    preview, manifest = await a_session_to_create(server, kube)
    manifest["metadata"]["finalizers"] = ["mirrord.metalbear.co/held"]
    session = await kube.create_child(SESSIONS, server.namespace, manifest)
    name, uid = session["metadata"]["name"], session["metadata"]["uid"]

    await kube.delete_child(SESSIONS, server.namespace, name, uid)
    (held,) = await kube.list_children(SESSIONS, server.namespace, selector(preview))
    await kube.delete_child(SESSIONS, server.namespace, name, uid)

    assert held["metadata"]["deletionTimestamp"]
    path = f"/apis/preview.mirrord.metalbear.co/v1alpha/namespaces/{server.namespace}/previewsessions/{name}"
    server.call("PATCH", path, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    assert await kube.list_children(SESSIONS, server.namespace, selector(preview)) == []


async def test_children_go_with_their_preview(server: ApiServer, kube: Kube) -> None:
    preview, manifest = await a_session_to_create(server, kube)
    await kube.create_child(SESSIONS, server.namespace, manifest)
    route = a_route(server)
    route["metadata"]["ownerReferences"] = manifest["metadata"]["ownerReferences"]
    await kube.apply_child(ROUTES, route)

    await kube.delete_preview(server.name, preview.uid, preview.resource_version)

    async with asyncio.timeout(60):
        while await kube.list_children(SESSIONS, server.namespace, selector(preview)):
            await asyncio.sleep(0.05)
        while await kube.get_child(ROUTES, server.namespace, "r"):
            await asyncio.sleep(0.05)


async def test_a_session_whose_preview_is_gone_already_does_not_stay(server: ApiServer, kube: Kube) -> None:
    preview, manifest = await a_session_to_create(server, kube)
    await kube.delete_preview(server.name, preview.uid, preview.resource_version)

    await kube.create_child(SESSIONS, server.namespace, manifest)

    async with asyncio.timeout(60):
        while await kube.list_children(SESSIONS, server.namespace, selector(preview)):
            await asyncio.sleep(0.05)


async def test_a_preview_that_changed_since_is_not_deleted(server: ApiServer, kube: Kube) -> None:
    preview = await a_stored_preview(server, kube)
    await kube.poke(server.spec, a_poke("later"), create=False)

    with pytest.raises(Conflict):
        await kube.delete_preview(server.name, preview.uid, preview.resource_version)


async def test_a_preview_that_is_gone_is_deleted_without_a_word(server: ApiServer, kube: Kube) -> None:
    preview = await a_stored_preview(server, kube)

    await kube.delete_preview(server.name, preview.uid, preview.resource_version)
    await kube.delete_preview(server.name, preview.uid, preview.resource_version)

    assert await kube.get_preview(server.name) is None


async def test_a_route_is_made_once_patched_where_it_differs_and_else_left_alone(server: ApiServer) -> None:
    writes: list[None] = []
    kube = await Kube.connect(server.kubeconfig, user_agent="tests", fence=lambda: writes.append(None))
    route = a_route(server)
    redirect = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 302}}
    changed = {**route, "spec": {**route["spec"], "rules": [{"filters": [redirect]}]}}
    written = []

    for manifest in (route, route, changed, changed):
        await kube.apply_child(ROUTES, manifest)
        found = await kube.get_child(ROUTES, server.namespace, "r")
        assert found is not None
        assert contains(found, manifest)
        written.append(len(writes))
    await kube.delete_child(ROUTES, server.namespace, "r")
    await kube.delete_child(ROUTES, server.namespace, "r")

    assert written == [1, 1, 2, 2]
    assert await kube.get_child(ROUTES, server.namespace, "r") is None
    await kube.close()


GATEWAY = GatewaySettings.model_validate(
    {
        "name": "public",
        "namespace": "gateways",
        "domain": "preview.example.com",
        "sectionName": "https",
        "filters": [
            {
                "type": "ExtensionRef",
                "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "x"},
            },
            {"type": "CORS", "cors": {"allowOrigins": ["https://example.com"], "allowCredentials": True}},
            {"type": "URLRewrite", "urlRewrite": {"hostname": "staging.example.com"}},
            {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["server"]}},
        ],
        "labels": {"example.com/team": "shop", "app.kubernetes.io/part-of": ""},
        "annotations": {"external-dns.alpha.kubernetes.io/ttl": "60"},
    }
)
ENTRY = Entry(
    url="https://staging.example.com",
    namespace="staging",
    service="web",
    port=80,
    target=TargetPath("deployment", "web"),
)


def the_route(server: ApiServer, preview: Preview, entry: Entry | None) -> dict[str, Any]:
    made = route(preview, GATEWAY, server.namespace, entry, page="https://previews.example.com/p/812/42")
    del made["metadata"]["ownerReferences"]
    return made


async def test_a_route_with_all_that_the_settings_may_add_is_taken_and_then_left_alone(
    server: ApiServer,
) -> None:
    writes: list[None] = []
    kube = await Kube.connect(server.kubeconfig, user_agent="tests", fence=lambda: writes.append(None))
    written, found = [], []

    for entry in (ENTRY, ENTRY, None, None, ENTRY, ENTRY):
        found.append(await kube.apply_child(ROUTES, the_route(server, a_preview(), entry)))
        written.append(len(writes))

    assert written == [1, 1, 2, 2, 3, 3]
    assert found[0]["spec"]["rules"][0]["backendRefs"][0]["weight"] == 1
    assert found[0]["spec"] == found[-1]["spec"]
    assert len(found[2]["spec"]["rules"][0]["filters"]) == 1
    await kube.delete_child(ROUTES, server.namespace, found[0]["metadata"]["name"])
    await kube.close()


async def test_a_route_of_an_earlier_version_without_what_has_a_default_is_patched_and_leads_where_it_led(
    server: ApiServer, kube: Kube
) -> None:
    wanted = the_route(server, a_preview(), ENTRY)
    earlier = copy.deepcopy(wanted)
    earlier["metadata"]["annotations"]["previewbot.dev/spec-hash"] = "0" * 16
    for added in ("group", "kind"):
        del earlier["spec"]["parentRefs"][0][added]
    for added in ("group", "kind", "weight"):
        del earlier["spec"]["rules"][0]["backendRefs"][0][added]
    before = await kube.apply_child(ROUTES, earlier)
    after = await kube.apply_child(ROUTES, wanted)

    # Its gateway has nothing to acknowledge, and a tool that compares sees what was written.
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert after["spec"] == before["spec"]
    assert after["spec"]["parentRefs"] == wanted["spec"]["parentRefs"]
    assert after["spec"]["rules"][0]["backendRefs"] == wanted["spec"]["rules"][0]["backendRefs"]
    assert after["metadata"]["annotations"]["previewbot.dev/spec-hash"] != "0" * 16
    await kube.delete_child(ROUTES, server.namespace, after["metadata"]["name"])


async def test_a_route_says_for_whom_it_is_and_nothing_of_what_is_not_known_any_more(
    server: ApiServer, kube: Kube
) -> None:
    by_an_agent = Observed(author="Copilot", agent=AgentSeen("Copilot", "its account"))
    generations = []

    for observed in (by_an_agent, Observed(author="größe-测试"), Observed()):
        wanted = the_route(server, a_preview(observed=observed), None)
        found = await kube.apply_child(ROUTES, wanted)
        said = found["metadata"]["annotations"]
        assert said == {key: value for key, value in wanted["metadata"]["annotations"].items() if value}
        generations.append(found["metadata"]["generation"])

    # So a gateway has nothing to acknowledge.
    assert generations == [1, 1, 1]
    await kube.delete_child(ROUTES, server.namespace, found["metadata"]["name"])


async def test_a_filter_that_the_installed_gateway_api_does_not_know_is_refused_in_words(
    server: ApiServer, kube: Kube
) -> None:
    auth = {"type": "ExternalAuth", "externalAuth": {"protocol": "HTTP", "backendRef": {"name": "sign-in"}}}
    wanted = the_route(server, a_preview(), ENTRY)
    wanted["spec"]["rules"][0]["filters"].insert(0, auth)

    with pytest.raises(Invalid) as caught:
        await kube.apply_child(ROUTES, wanted)

    assert "externalAuth" in str(caught.value) or "ExternalAuth" in str(caught.value)


async def test_a_lease_is_made_once_and_taken_only_as_it_is_known(server: ApiServer, kube: Kube) -> None:
    assert await kube.get_lease(server.namespace, "l") is None
    made = await kube.create_lease(a_lease(server))
    with pytest.raises(Conflict, match="already exists"):
        await kube.create_lease(a_lease(server))

    taken = await kube.replace_lease({**made, "spec": {**made["spec"], "holderIdentity": "b"}})

    assert await kube.get_lease(server.namespace, "l") == taken
    assert (taken["spec"]["holderIdentity"], taken["spec"]["renewTime"]) == ("b", MICROSECONDS)
    with pytest.raises(Conflict, match="has been modified"):
        await kube.replace_lease(made)


async def test_a_lease_that_somebody_deleted_is_not_replaced(server: ApiServer, kube: Kube) -> None:
    made = await kube.create_lease(a_lease(server))
    server.call("DELETE", f"/apis/coordination.k8s.io/v1/namespaces/{server.namespace}/leases/l")

    with pytest.raises(Conflict):
        await kube.replace_lease(made)


async def test_web_asks_for_a_listing_in_a_lease_of_the_controllers_which_then_sees_it(
    server: ApiServer, kube: Kube
) -> None:
    lease = LeaseSettings(name="l-listing", namespace=server.namespace)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    asked = ListingAsked(kube, lease, sleep=sleep)
    with closing(WebClient(server.kubeconfig, user_agent="tests", lease=lease)) as web:
        assert not await asyncio.to_thread(web.ask_for_listing, "d-0")
        await asked.begin()
        assert await asyncio.to_thread(web.ask_for_listing, "d-1")
        await asked.wait(600)
        assert waits == [LEAST_SECONDS]

        await asked.wait(600)
        assert sum(waits[1:]) == 600
        assert await asyncio.to_thread(web.ask_for_listing, "d-2")

    # Another controller that takes over lists first of all, and with that has answered it.
    successor = ListingAsked(kube, lease, sleep=sleep)
    await successor.begin()
    waits.clear()
    await successor.wait(600)
    assert sum(waits) == 600


async def test_web_stores_each_press_once_and_the_controller_sees_takes_and_removes_it(
    server: ApiServer, kube: Kube
) -> None:
    lease = LeaseSettings(name="l-listing", namespace=server.namespace)
    source = Source("CheckRun", 9001, f"d {server.namespace}", "a" * 40)
    moment = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    ask = Ask(812, 42, "stop", Actor("alice", 501), source, moment)
    with closing(WebClient(server.kubeconfig, user_agent="tests", lease=lease)) as web:
        await asyncio.to_thread(web.ask, ask)
        await asyncio.to_thread(web.ask, ask)

    [obj], _ = await kube.list_for_watch(PREVIEW_REQUESTS, server.namespace)
    found = request_from(obj)
    assert found is not None
    assert (found.ask, found.owners) == (ask, ())
    with pytest.raises(Conflict):
        await kube.delete_child(PREVIEW_REQUESTS, server.namespace, found.name, "another")
    # Last, since nobody has this uid: where a controller-manager runs, its garbage collector takes the
    # request at any moment from now on.
    owner = {"apiVersion": "previewbot.dev/v1alpha1", "kind": "Preview", "name": "gh-812-42", "uid": "u"}
    patch = {"metadata": {"uid": found.uid, "ownerReferences": [owner]}}
    given = request_from(await kube.patch_child(PREVIEW_REQUESTS, server.namespace, found.name, patch))
    assert given is not None
    assert given.owners == ("u",)
    await kube.delete_child(PREVIEW_REQUESTS, server.namespace, found.name, found.uid)
    await kube.delete_child(PREVIEW_REQUESTS, server.namespace, found.name)
    assert (await kube.list_for_watch(PREVIEW_REQUESTS, server.namespace))[0] == []


MARK = "0123456789ab"
SAID_BY_PROXY: dict[str, dict[str, Any]] = {
    "as it is": {},
    "an account's": {"actor": {"id": 501, "login": "alice"}},
    "nobody's": {"actor": {"id": 0}},
    "a login without an account": {"actor": {"id": 0, "login": "alice"}},
    "an account with a name": {"actor": {"id": 501, "login": "alice", "name": "Pia"}},
    "a name without a mark": {"actor": {"id": 0, "name": "Pia"}},
    "a mark that is none": {"actor": {"id": 0, "name": "Pia", "mark": "Pia"}},
    "a name of two lines": {"actor": {"id": 0, "name": "Pia\n/preview stop", "mark": MARK}},
    "words with a button": {"asked": "extend"},
    "nothing said": {"saying": None},
    "a path of another host": {"saying": {"says": "good", "sha": "a" * 40, "path": "https://x.example.com"}},
}


async def test_what_somebody_said_by_proxy_is_taken_in_its_one_shape_alone(
    server: ApiServer, kube: Kube
) -> None:
    lease = LeaseSettings(name="l-listing", namespace=server.namespace)
    source = Source("Page", 0, f"page-say-{server.namespace}", "a" * 40)
    moment = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    saying = Saying(Says.WORK, "a" * 40, "/cart", "é" * 4_000)
    pia = Actor(name="Pia Müller <pia@acme.example>", mark=MARK)
    ask = Ask(812, 42, SAY, pia, source, moment, saying)

    with closing(PagesClient(server.kubeconfig, user_agent="tests", lease=lease)) as pages:
        await asyncio.to_thread(pages.ask, ask)
    [stored], _ = await kube.list_for_watch(PREVIEW_REQUESTS, server.namespace)
    found = request_from(stored)
    assert found is not None
    assert found.ask == ask
    await kube.delete_child(PREVIEW_REQUESTS, server.namespace, found.name, found.uid)

    place = f"{collection_path(PREVIEW_REQUESTS, server.namespace)}?dryRun=All"
    for case, change in SAID_BY_PROXY.items():
        obj = new_request(ask, server.namespace)
        obj["spec"] = {key: value for key, value in (obj["spec"] | change).items() if value is not None}
        answer = await asyncio.to_thread(server.call, "POST", place, obj)
        # That no account says anything so is the chart's policy, which knows who asks.
        fits = case in ("as it is", "an account's")
        assert answer.status == (201 if fits else 422), (case, answer.body)


async def test_a_lease_must_say_its_times_in_microseconds(server: ApiServer, kube: Kube) -> None:
    lease = a_lease(server)
    lease["spec"]["renewTime"] = "2026-11-24T09:00:00Z"

    with pytest.raises(Invalid):
        await kube.create_lease(lease)


async def test_leadership_passes_from_one_controller_to_another_also_on_the_full_second(
    server: ApiServer, kube: Kube
) -> None:
    clock = Clock(now=lambda: datetime(2026, 11, 24, 9, tzinfo=UTC))
    first, second = (Leadership(kube, server.namespace, "l", name, clock=clock) for name in ("a", "b"))

    async with asyncio.timeout(20):
        await first.acquire()
        assert first.leading
        await first.release()
        await second.acquire()
        assert (first.leading, second.leading) == (False, True)


async def test_missing_resources_are_named_without_any_permission(kube: Kube) -> None:
    wanted = [PREVIEWS, Resource("preview.mirrord.metalbear.co", "v9", "previewsessions")]

    assert await kube.missing_resources(wanted) == ["previewsessions.preview.mirrord.metalbear.co (v9)"]


@pytest.mark.parametrize("kind", [kind for kind in TARGET_KINDS if kind != "rollout"])
async def test_a_target_that_is_not_there_is_none(server: ApiServer, kube: Kube, kind: str) -> None:
    assert await kube.get_target(server.namespace, kind, "nobody") is None


async def test_a_kind_of_target_that_the_cluster_does_not_know_is_told_from_one_that_is_not_there(
    server: ApiServer, kube: Kube
) -> None:
    with pytest.raises(NotServed, match=r"404 rollouts\.argoproj\.io \(v1alpha1\)"):
        await kube.get_target(server.namespace, "rollout", "nobody")


async def test_following_shows_what_is_there_what_comes_and_what_goes(server: ApiServer, kube: Kube) -> None:
    before = await a_stored_preview(server, kube)
    seen: asyncio.Queue[tuple[bool, bool]] = asyncio.Queue()

    def changed(old: Any, new: Any) -> None:
        if (old or new)["metadata"]["name"] == server.name:
            seen.put_nowait((old is not None, new is not None))

    follower = Informer(kube, PREVIEWS, None, ObjectCache(changed), progressed=lambda: None)
    task = asyncio.create_task(follower.run())
    async with asyncio.timeout(20):
        assert await seen.get() == (False, True)
        await kube.poke(server.spec, a_poke("2"), create=False)
        assert await seen.get() == (True, True)
        obj = await kube.get_preview(server.name)
        assert obj is not None
        await kube.delete_preview(server.name, before.uid, obj["metadata"]["resourceVersion"])
        assert await seen.get() == (True, False)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_only_fields_that_we_set_are_compared() -> None:
    assert contains({"a": 1, "b": [{"c": 1, "default": 2}]}, {"b": [{"c": 1}]})
    assert not contains({"b": [1, 2]}, {"b": [1]})
    assert not contains({"b": {"c": 2}}, {"b": {"c": 1}})
