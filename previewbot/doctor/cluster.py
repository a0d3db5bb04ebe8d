"""Asks the API server what the doctor wants to know; what it tries is never made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

import yaml

from previewbot.api import KIND, PREVIEW_REQUESTS, AskedIn, Resource
from previewbot.clients.kubernetes.examining import ExaminedKube
from previewbot.clients.kubernetes.exec_plugin import PATIENCE_SECONDS
from previewbot.clients.kubernetes.operator import look_at_operator
from previewbot.clients.kubernetes.resources import PREVIEWS
from previewbot.config.server import Settings
from previewbot.doctor import cluster_judged as judged
from previewbot.doctor import fields, rights, samples
from previewbot.doctor.check import Check, State, not_checked
from previewbot.doctor.running import SECONDS, Question
from previewbot.engine import mirrord
from previewbot.engine.published import Schema, schema_of
from previewbot.errors import Forbidden, RemoteError
from previewbot.runtime.informers import required_resources
from previewbot.text.render import templates_directory

_AT_ONCE = 8
_LOGIN_SECONDS = PATIENCE_SECONDS + SECONDS
"""The kubeconfig's program has a time of its own, after which it is named."""

_CRD_OF_PREVIEWS, _CRD_OF_SESSIONS = "the CRD of Previews", "the CRD of preview sessions"
_APPLY = (
    "kubectl apply --server-side --filename charts/previewbot/crds/ (Helm never changes a CRD that is there)"
)
_OPERATOR = (
    "mirrord's operator must be 3.185.1 or newer, with preview environments; upgrade the older of the two"
)


class OfCluster:
    """The questions to the API server, with the account that this process has.

    `connect` raises SettingsError for a kubeconfig that cannot be used; `who` names the processes whose
    rights the account must have: `web`, `pages`, `controller`. `closed` has the namespaces in which no
    preview can be, once that was tried: of each it is told what is wrong.
    """

    kube: ExaminedKube
    """The client, once the login has shown that there is one."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[ExaminedKube]],
        settings: Settings,
        who: Sequence[str],
        now: Callable[[], datetime],
    ) -> None:
        self._connect, self._settings, self._who, self._now = connect, settings, who, now
        self._username = ""
        self._missing: Sequence[str] = ()
        self.closed: set[str] = set()
        self._room = asyncio.Semaphore(_AT_ONCE)

    def questions(self) -> list[Question]:
        """Return them in the order in which they are told."""
        known = (judged.LOGIN,)
        asked = [
            Question(judged.LOGIN, self._login, seconds=_LOGIN_SECONDS),
            Question(judged.RESOURCES, self._resources, after=known),
            *(Question(rights.name_of(who), partial(self._rights, who), after=known) for who in self._who),
            Question(judged.REQUESTS, self._requests, after=known),
            Question(_CRD_OF_PREVIEWS, self._previews, after=(*known, judged.RESOURCES)),
        ]
        if "controller" not in self._who:
            return asked
        return [
            *asked,
            Question(_CRD_OF_SESSIONS, self._sessions, after=(*known, judged.RESOURCES)),
            *self._of_namespaces(),
            Question(judged.OPERATOR, self._operator, after=known, awaits=(judged.RESOURCES,)),
            Question(judged.LEASE, self._lease, after=known),
        ]

    def _of_namespaces(self) -> list[Question]:
        after = (judged.LOGIN, judged.RESOURCES)
        return [
            Question(judged.namespace_name(name), partial(self._namespace, name), after=after)
            for name in self._settings.cluster.namespaces
        ]

    async def _login(self) -> list[Check]:
        # All others come after this one, and only where it went well.
        self.kube = await self._connect()
        try:
            self._username = await self.kube.who_am_i()
        except RemoteError as error:
            return [judged.login_refused(error)]
        return [judged.login(self._username)]

    async def _resources(self) -> list[Check]:
        wanted = required_resources(self._settings) if "controller" in self._who else [PREVIEWS]
        self._missing = await self.kube.missing_resources(wanted)
        return [judged.resources(self._missing)]

    async def _requests(self) -> list[Check]:
        if await self.kube.missing_resources([PREVIEW_REQUESTS]):
            return [judged.no_requests()]
        makes = "web" if "web" in self._who else self._pages_that_make_requests()
        if not makes:
            # The controller may make none, so that it cannot try.
            return [judged.requests("the cluster has it")]
        place = AskedIn.CHECK_RUN if makes == "web" else AskedIn.PAGE
        namespace = self._settings.cluster.lease_or_default.namespace
        try:
            await self.kube.try_to_create(
                PREVIEW_REQUESTS,
                namespace,
                samples.request(namespace, self._now(), place, self._settings.by_proxy),
            )
        except RemoteError as error:
            return [judged.request_refused(namespace, error)]
        return [judged.requests(f"the cluster has it, and stores what {makes} is told of")]

    def _pages_that_make_requests(self) -> str:
        return "pages" if "pages" in self._who and self._settings.people_press else ""

    async def _rights(self, who: str) -> list[Check]:
        wanted = rights.OF[who](self._settings)
        granted = await asyncio.gather(*(self._may(right) for right in wanted))
        lacking = [right for right, allowed in zip(wanted, granted, strict=True) if not allowed]
        places = dict.fromkeys(right.namespace for right in wanted)
        return [
            rights.judged(place, [right for right in lacking if right.namespace == place], who)
            for place in places
        ]

    async def _may(self, right: rights.Right) -> bool:
        async with self._room:
            return await self.kube.may(right.attributes)

    async def _previews(self) -> list[Check]:
        installed = await self._schema(PREVIEWS, KIND)
        wanted = shipped_schema()
        return _compared(_CRD_OF_PREVIEWS, installed, wanted, _APPLY)

    async def _sessions(self) -> list[Check]:
        installed = await self._schema(mirrord.SESSIONS, mirrord.KIND)
        namespace = self._settings.cluster.namespaces[0]
        sent = samples.session(self._settings, namespace)
        return _compared(_CRD_OF_SESSIONS, installed, fields.schema_like({"spec": sent["spec"]}), _OPERATOR)

    async def _schema(self, resource: Resource, kind: str) -> Schema | None:
        published = await self.kube.published(resource.group, resource.version)
        return schema_of(published, resource, kind)

    async def _namespace(self, namespace: str) -> list[Check]:
        manifest = samples.session(self._settings, namespace)
        try:
            await self.kube.try_to_create(mirrord.SESSIONS, namespace, manifest)
        except RemoteError as error:
            checks = judged.tried_session(namespace, self._username, error)
        else:
            checks = judged.tried_session(namespace, self._username, None)
        if any(check.state is State.WRONG for check in checks):
            self.closed.add(namespace)
        return checks

    async def _operator(self) -> list[Check]:
        return judged.operator(await look_at_operator(self.kube), self._now(), self._missing)

    async def _lease(self) -> list[Check]:
        lease = self._settings.cluster.lease_or_default
        try:
            found = await self.kube.get_lease(lease.namespace, lease.name)
        except Forbidden:
            return [not_checked(judged.LEASE, "without the right to read it; see “rights” above")]
        return [judged.lease(found, f"{lease.namespace}/{lease.name}", self._now())]


def shipped_schema() -> Schema:
    """Return the schema of the CRD that this version comes with."""
    package = templates_directory().parent
    folder = package / "crds"
    path = (folder if folder.is_dir() else package / "charts" / "previewbot" / "crds") / "previews.yaml"
    crd = yaml.safe_load(path.read_text(encoding="utf-8"))
    schema: Schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def _compared(name: str, installed: Schema | None, wanted: Schema, advice: str) -> list[Check]:
    if installed is None:
        return [not_checked(name, "the API server publishes no schema of it")]
    return [fields.judged(name, [*fields.missing(installed, wanted)], advice)]
