"""A real Kubernetes API server in the demo's world: reached through it, as the in-memory one is.

The world passes requests on: those with the world's own token under the kubeconfig's identity, all others
under the credentials that they carry. So nobody else on this machine gets at the cluster through it, and
tests can give previewbot's processes identities, and faults, of their own.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from aiohttp import web
from kubernetes import client, config

from previewbot_demo.faults import Faults
from previewbot_demo.kubeapi import ApiError, KubeApi, Object
from previewbot_demo.operator_api import OperatorApi
from previewbot_demo.processes import StartError
from previewbot_demo.tls import end_at_once

PREVIEWS = "/apis/previewbot.dev/v1alpha1/previews"
SESSIONS = "/apis/preview.mirrord.metalbear.co/v1alpha"
BRANCHES = "/apis/dbs.mirrord.metalbear.co/v1alpha1"
ROUTES = "/apis/gateway.networking.k8s.io/v1"
OPERATOR = "/apis/operator.metalbear.co/v1"
LEASES = "/apis/coordination.k8s.io/v1"
WORKLOADS = "/apis/apps/v1"
_LEASE = "previewbot-controller"
_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10)
_HOP_BY_HOP = frozenset({"connection", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
_ALL_GONE_SECONDS = 30.0
_LOOK_AGAIN = 0.1


class Cluster(Protocol):
    """What the world needs of an API server; the in-memory one is `previewbot_demo.kube.FakeKube`."""

    operator_api: OperatorApi

    def objects(self, plural: str) -> list[Object]:
        """Return the stored objects of a resource."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request to the API server."""


class RealCluster:
    """The cluster of a kubeconfig; `objects` knows what lies in `namespace`, as its watches tell it.

    What the stand-in for mirrord's operator tells of itself is answered here where the cluster says that it
    has no operator: the stand-in is no part of it.
    """

    def __init__(self, kubeconfig: Path, namespace: str, token: str, faults: Faults) -> None:
        self._token = token
        self._faults = faults
        self._namespace = namespace
        self._known: dict[str, dict[str, Object]] = {}
        self._stack = AsyncExitStack()
        self._credentials = _credentials(kubeconfig)
        self.operator_api = OperatorApi()

    async def open(self) -> None:
        """Connect; nothing is sent yet."""
        as_ourselves, as_whoever = _tls(self._credentials), _tls(self._credentials, certificate=False)
        self._ours = await self._stack.enter_async_context(_session(as_ourselves))
        self._others = await self._stack.enter_async_context(_session(as_whoever))

    async def close(self) -> None:
        """Stop following and disconnect."""
        await self._stack.aclose()

    def objects(self, plural: str) -> list[Object]:
        """Return the objects of a resource that is followed."""
        return list(self._known[plural].values())

    async def follow(self, api: KubeApi) -> None:
        """Follow sessions and Leases of the namespace from now on."""
        for plural, group in (("previewsessions", SESSIONS), ("leases", LEASES)):
            path = f"{group}/namespaces/{self._namespace}/{plural}"
            following = asyncio.create_task(api.follow(path, self._see(plural)))
            self._stack.callback(following.cancel)

    async def refuse_operator(self) -> None:
        """Raise `StartError` if the cluster has an operator of mirrord's, or will not tell.

        It would work on the demo's sessions as the stand-in does, and each would undo what the other did.
        """
        # By discovery, which whoever is logged in may ask. An operator that is down answers 503 here, and
        # comes back.
        url = self._credentials.host.rstrip("/") + OPERATOR
        try:
            async with self._ours.get(url, headers=self._authorization()) as answer:
                status = answer.status
        except aiohttp.ClientError as error:
            raise StartError(f"the cluster does not answer: {error}") from error
        if status == 404:
            return
        if status in (200, 503):
            raise StartError(
                "this cluster has an operator of mirrord's, and the demo brings a stand-in of its own: two "
                "would work on one session. Choose a cluster that has only the CRDs, or try that operator "
                "itself with `previewbot conformance` (docs/operations.md)"
            )
        raise StartError(f"the cluster does not tell whether it has an operator of mirrord's ({status})")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Pass a request on; the answer is streamed, as a watch needs it."""
        return await self._faults.around("kube", request, lambda: self._answer(request))

    def _see(self, plural: str) -> Any:
        known = self._known.setdefault(plural, {})

        async def see(event: str, obj: Object) -> None:
            if event == "DELETED":
                known.pop(obj["metadata"]["uid"], None)
            else:
                known[obj["metadata"]["uid"]] = obj

        return see

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        stand_in = self.operator_api.answer(request)
        if stand_in is not None and self.operator_api.state != "there":
            return stand_in
        return await self._pass_on(request, stand_in)

    async def _pass_on(
        self, request: web.Request, if_missing: web.StreamResponse | None
    ) -> web.StreamResponse:
        """Pass a request on; what the cluster does not have is answered by `if_missing`, if it is set."""
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        session = self._others
        if request.headers.get("Authorization") == f"Bearer {self._token}":
            session = self._ours
            del headers["Authorization"]
            headers |= self._authorization()
        elif "Authorization" not in request.headers:
            return web.json_response({"message": "the demo's cluster needs credentials"}, status=401)
        url = self._credentials.host.rstrip("/") + request.raw_path
        try:
            async with session.request(
                request.method, url, headers=headers, data=await request.read() or None, allow_redirects=False
            ) as answer:
                if answer.status == 404 and if_missing is not None:
                    return if_missing
                return await _stream(request, answer)
        except aiohttp.ClientConnectionError as error:
            return web.json_response({"message": f"the API server is away: {error}"}, status=502)

    def _authorization(self) -> dict[str, str]:
        # Asked each time: a kubeconfig's plugin may have to renew what it gave.
        settings = self._credentials.auth_settings().get("BearerToken", {})
        return {"Authorization": settings["value"]} if settings.get("value") else {}


async def prepare(api: KubeApi, namespace: str) -> bool:
    """Look for what the tour needs and make the namespace; return whether it is new.

    Raises `StartError` with all that the cluster lacks.
    """
    missing = []
    mirrords = (f"{SESSIONS}/previewsessions", f"{BRANCHES}/branchdatabases")
    for path in (PREVIEWS, *mirrords, f"{ROUTES}/httproutes", f"{ROUTES}/gateways"):
        try:
            await api.get(f"{path}?limit=1")
        except ApiError as error:
            if error.status != 404:
                raise StartError(f"the cluster does not let us list {path}: {error}") from error
            missing.append(path.rpartition("/")[2])
    if missing:
        raise StartError(
            f"the cluster lacks the CRDs of {', '.join(missing)}: install charts/previewbot/crds, the CRDs "
            "of mirrord and the Gateway API"
        )
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    try:
        # One that an earlier demo left may still be going: nothing could be made in it.
        await _until_gone(api, f"/api/v1/namespaces/{namespace}", _is_going)
        await api.create("/api/v1/namespaces", manifest)
    except ApiError as error:
        if error.status != 409:
            raise StartError(f"the namespace {namespace} cannot be made: {error}") from error
        return False
    return True


async def clean_up(api: KubeApi, namespace: str, github_host: str, *, whole: bool) -> None:
    """Remove what the demo made: Previews, all they own, and the `whole` namespace or what is ours in it."""
    for preview in (await api.get(PREVIEWS))["items"]:
        if preview["spec"]["githubHost"] == github_host:
            await _delete(api, f"{PREVIEWS}/{preview['metadata']['name']}", preview)
    # Sessions go while the operator still runs: they have its finalizer.
    sessions = f"{SESSIONS}/namespaces/{namespace}/previewsessions"
    await _until_gone(api, sessions, lambda found: bool(found["items"]))
    if whole:
        path = f"/api/v1/namespaces/{namespace}"
        await _delete(api, path, await api.get(path))
        await _until_gone(api, path, _is_going)
        return
    for path in (
        f"{LEASES}/namespaces/{namespace}/leases",
        f"{WORKLOADS}/namespaces/{namespace}/deployments",
        f"{ROUTES}/namespaces/{namespace}/httproutes",
        f"{ROUTES}/namespaces/{namespace}/gateways",
    ):
        for obj in (await api.get(path))["items"]:
            if _is_ours(obj["metadata"]):
                await _delete(api, f"{path}/{obj['metadata']['name']}", obj)


def _is_ours(metadata: Object) -> bool:
    labels = metadata.get("labels") or {}
    return metadata["name"] == _LEASE or labels.get("app.kubernetes.io/part-of") == "previewbot-demo"


async def _delete(api: KubeApi, path: str, obj: Object) -> None:
    try:
        await api.delete(path, obj["metadata"]["uid"])
    except ApiError as error:
        if error.status not in (404, 409):
            raise


async def _until_gone(api: KubeApi, path: str, going: Callable[[Object], bool]) -> None:
    """Wait for what is being deleted, though not for ever."""
    deadline = asyncio.get_running_loop().time() + _ALL_GONE_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        try:
            if not going(await api.get(path)):
                return
        except ApiError as error:
            if error.status != 404:
                raise
            return
        await asyncio.sleep(_LOOK_AGAIN)


def _is_going(obj: Object) -> bool:
    return "deletionTimestamp" in obj["metadata"]


async def _stream(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    kept = {k: v for k, v in answer.headers.items() if k.lower() not in (*_HOP_BY_HOP, "content-length")}
    kept.pop("Content-Encoding", None)
    response = web.StreamResponse(status=answer.status, headers=kept)
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    except aiohttp.ClientPayloadError:
        # The API server went away in the middle: so must we, or a watch would look like one that ended well.
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        # Whoever asked has gone.
        answer.close()
    return response


def _session(tls: ssl.SSLContext | bool) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(ssl=tls, limit=0)
    return aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT)


def _credentials(kubeconfig: Path) -> Any:
    found = client.Configuration()
    try:
        config.load_kube_config(str(kubeconfig), client_configuration=found)
    except Exception as error:
        # Measured: also TypeError and YAMLError for a file that is no kubeconfig.
        raise StartError(f"{kubeconfig} is no kubeconfig: {error}") from error
    return found


def _tls(credentials: Any, *, certificate: bool = True) -> ssl.SSLContext | bool:
    if not credentials.host.startswith("https:"):
        return True
    context = end_at_once(ssl.create_default_context(cafile=credentials.ssl_ca_cert))
    if certificate and credentials.cert_file:
        context.load_cert_chain(credentials.cert_file, credentials.key_file)
    if not credentials.verify_ssl:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
