"""Makes a route as previews have them, reads what the Gateway says of it, and takes it away again.

It is taken away whatever happens: after an error, a time that is up, Ctrl-C, SIGTERM. What a process leaves
that is killed, the next one takes away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial

from previewbot.clients.kubernetes.examining import ExaminedKube
from previewbot.clients.links import Links, Question
from previewbot.config.server import GatewaySettings, Settings
from previewbot.doctor import probing_judged as judged
from previewbot.doctor import running
from previewbot.doctor.check import Check, State, not_checked
from previewbot.doctor.cluster_judged import LOGIN, RESOURCES, namespace_name
from previewbot.doctor.gateways import decides, last_look, said_of_route
from previewbot.engine import links, no_preview, probe
from previewbot.engine.gateway_state import UNREAD
from previewbot.engine.route_answers import RouteAnswer
from previewbot.engine.routes import ROUTES
from previewbot.errors import Conflict, RemoteError, TryLater
from previewbot.reconciler.gather.gateway import read_gateway
from previewbot.rules.guard_bearers import of_a_question

_PATIENCE = timedelta(seconds=10)
"""How long a Gateway may take to say something; most do within two seconds."""

_FOLLOWING = timedelta(seconds=4)
"""How long a Gateway may take to follow a route that it has accepted; Traefik takes two seconds."""

_TAKING_AWAY_SECONDS = 10.0
_SOMEBODYS_FOR = timedelta(minutes=2)
"""So long one that is there already is taken for that of another doctor, which works on it now."""


class _Left(Exception):
    """The route could not be taken away."""

    def __init__(self, error: RemoteError) -> None:
        self.error = error
        super().__init__(str(error))


class OfRoutes:
    """The questions about links: a route in each namespace where previews may be."""

    def __init__(
        self,
        kube: Callable[[], ExaminedKube],
        links: Links,
        settings: Settings,
        gateway: GatewaySettings,
        now: Callable[[], datetime],
        guard_keys: tuple[bytes, ...] = (),
    ) -> None:
        self._kube, self._links, self._now, self._guard_keys = kube, links, now, guard_keys
        self._settings, self._gateway = settings, gateway
        self._gateway_state = UNREAD

    def questions(self) -> list[running.Question]:
        """Return them: one about the Gateway, and one for each namespace."""
        namespaces = self._settings.cluster.namespaces
        longest = (_PATIENCE + _FOLLOWING + self._gateway.settle).total_seconds() + 2 * _TAKING_AWAY_SECONDS
        known = (LOGIN, RESOURCES)
        asked = [running.Question(judged.GATEWAY, self._state, after=known)]
        return asked + [
            running.Question(
                judged.name_of(namespace),
                partial(self._probed, namespace),
                after=(*known, namespace_name(namespace), judged.GATEWAY),
                seconds=longest,
            )
            for namespace in namespaces
        ]

    async def _state(self) -> list[Check]:
        self._gateway_state = await read_gateway(self._kube(), self._gateway)
        return [judged.gateway(self._gateway_state, self._gateway, self._settings.cluster.namespaces)]

    async def _probed(self, namespace: str) -> list[Check]:
        try:
            async with self._probe(namespace) as ours:
                if not ours:
                    return [judged.somebodys(namespace)]
                answer = await self._answer(namespace)
                silent = self._gateway_state.silent
                checks = [judged.answered(namespace, answer, self._gateway, silent=silent)]
                if judged.may_lead(checks[0]) and namespace == self._settings.cluster.namespaces[0]:
                    checks += await self._link()
                return checks
        except _Left as left:
            return [judged.left(namespace, left.error)]
        except RemoteError as error:
            return [judged.refused(namespace, error)]

    async def _link(self) -> list[Check]:
        """Return what the probe's address answers, given the time that a Gateway needs to follow a route."""
        if self._settings.links is not None and not self._settings.links.check:
            return [not_checked(judged.LINK, judged.NOT_ASKED)]
        # Where its name is not known here, the Gateway is asked where it says that it is, as for links.
        addresses, url = self._gateway_state.addresses, probe.url_of(self._gateway)

        async def look() -> Check:
            # A policy for a whole Gateway guards this host too.
            question = Question(url, addresses, bearer=self._bearer(probe.NAME))
            return judged.link(await self._links.ask(question), self._gateway, self._settings.public_url)

        patience = (self._gateway.settle + _FOLLOWING).total_seconds()
        found = await last_look(look, lambda check: check.state is not State.WRONG, self._clock, patience)
        if found.state is not State.OK:
            # Whatever is wrong with addresses is so for this one, and is told once.
            return [found]
        url = links.gateway_url(self._gateway, no_preview.NOBODYS)
        bearer = self._bearer(no_preview.NOBODYS)
        answer = await self._links.ask(Question(url, addresses, bearer=bearer))
        return [found, judged.without_preview(answer, url, self._settings.public_url)]

    def _bearer(self, label: str) -> str:
        """Return what lets a question past the guard at a host, "" without one."""
        if self._gateway.guard is None or not self._guard_keys:
            return ""
        return of_a_question(self._guard_keys, label, self._gateway.domain, self._now())

    async def _answer(self, namespace: str) -> RouteAnswer:
        """Return what the Gateway says, as soon as it says something of the route as it is."""

        async def look() -> RouteAnswer:
            by = self._gateway_state.controller
            return await said_of_route(self._kube(), namespace, probe.NAME, self._gateway, by)

        return await last_look(look, decides, self._clock, _PATIENCE.total_seconds())

    def _clock(self) -> float:
        return self._now().timestamp()

    @asynccontextmanager
    async def _probe(self, namespace: str) -> AsyncIterator[bool]:
        """Have the route for a while; False where somebody else has it now."""
        if not await self._put(namespace):
            yield False
            return
        try:
            yield True
        finally:
            await self._take_away(namespace)

    async def _put(self, namespace: str) -> bool:
        """Make the route, in place of one that a killed doctor left; False where somebody works with it."""
        try:
            await self._put_once(namespace)
        except Conflict:
            if await self._is_somebodys(namespace):
                return False
            await self._take_away(namespace)
            await self._put_once(namespace)
        return True

    async def _put_once(self, namespace: str) -> None:
        manifest = probe.probe(self._gateway, namespace, self._settings.public_url)
        try:
            await self._kube().put_probe(ROUTES, namespace, manifest)
        except (asyncio.CancelledError, TryLater):
            # The request may have got through, and its answer be lost, or come to nobody.
            await self._take_away(namespace)
            raise

    async def _is_somebodys(self, namespace: str) -> bool:
        found = await self._kube().get_child(ROUTES, namespace, probe.NAME)
        if found is None:
            return False
        made = datetime.fromisoformat(found["metadata"]["creationTimestamp"])
        return self._now() - made < _SOMEBODYS_FOR

    async def _take_away(self, namespace: str) -> None:
        try:
            await self._kube().take_away_probe(ROUTES, namespace, probe.NAME)
        except RemoteError as error:
            raise _Left(error) from error
