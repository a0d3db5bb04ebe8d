"""The pass: enforce expiry, observe, plan, act in order, report, say when to look again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from previewbot import links, plan
from previewbot.errors import Conflict, RemoteError, TryLater
from previewbot.github import GitHub
from previewbot.kube.client import Kube
from previewbot.mirrord import Session
from previewbot.plan import Decision, Delete, Facts
from previewbot.plan.services import find, remove
from previewbot.policy import place
from previewbot.preview import LinkState, Phase, Preview, Status
from previewbot.reconcile import act, observe, report, telling
from previewbot.reconcile.act import Acted, Routed
from previewbot.reconcile.context import Context
from previewbot.reconcile.memory import Memory, Untriggered
from previewbot.reconcile.outcome import Look, Outcome, Troubles, is_refusal, sooner
from previewbot.reconcile.planning import (
    Planned,
    creates,
    deletions,
    make_plan,
    sessions_of,
    without_creations,
)
from previewbot.reconcile.stored import Stored, Superseded, in_words
from previewbot.registry import Registry
from previewbot.render import Renderer
from previewbot.settings import Settings

_REMOVING = 2.0
"""Seconds until the next look while something is being removed and GitHub does not answer."""

_SOON = 0.2
"""Seconds until the next look where somebody else changed something under us."""

_PATIENCE = 50.0
"""Seconds that a look at GitHub may take, or a report to it; a preview's end cuts a look short."""


class Reconciler:
    """Reconciles one Preview at a time; holds nothing that a restart would miss."""

    def __init__(
        self,
        *,
        kube: Kube,
        github: GitHub,
        registry: Registry,
        renderer: Renderer,
        settings: Settings,
        now: Callable[[], datetime],
        previews: Callable[[], Sequence[Preview]],
        pods: Callable[[str], Sequence[Mapping[str, Any]]],
        wrote: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.untriggered = Untriggered()
        self._places = asyncio.Lock()
        self._context = Context(
            kube=kube,
            github=github,
            registry=registry,
            renderer=renderer,
            settings=settings,
            now=now,
            previews=previews,
            pods=pods,
            wrote=wrote,
            memory=Memory(),
            untriggered=self.untriggered,
        )

    async def reconcile(self, name: str) -> Outcome:
        """Make one pass over a Preview; raises RemoteError if the Preview itself cannot be read."""
        obj = await self._context.kube.get_preview(name)
        if obj is None:
            self._context.memory.forget(name)
            return Outcome()
        stored = Stored(self._context, obj)
        if stored.preview.deleting or stored.preview.spec.app_id != self._context.settings.github.app_id:
            return Outcome()
        try:
            return await self._pass_or_tear_down(stored)
        except Superseded:
            return Outcome(again=_SOON)
        except RemoteError as error:
            # A backoff, or an hour that GitHub asks for, must not make a preview outlast its time.
            return Outcome(again=plan.until_expiry(stored.status, self._context.now()), error=error)

    async def _pass_or_tear_down(self, stored: Stored) -> Outcome:
        try:
            return await self._pass(stored)
        except observe.Gone:
            return await self._tear_down(stored)

    async def _pass(self, stored: Stored) -> Outcome:
        context = self._context
        before, now = stored.status, context.now()
        known = context.memory.facts.get(stored.preview.name)
        stored.status = plan.expire(stored.status, now)
        sessions = await sessions_of(context, stored.preview)
        look = Look(known)
        if not _ends_now(stored.status, sessions) and observe.needs_look(stored.preview, known, now):
            look = await self._look(stored, known)
        stored.status = plan.renew(stored.status, remaining=len(sessions))
        planned = await make_plan(context, stored.preview, look.facts, sessions)
        if creates(planned) and not look.made and look.trouble is None:
            # Nothing is made on facts that are minutes old.
            look = await self._look(stored, known)
            planned = await make_plan(context, stored.preview, look.facts, sessions)
        if look.trouble is not None:
            planned = without_creations(planned)
        await self._settle(stored, look.facts, planned)
        problem = stored.status.route_problem
        acted, routed = await self._act(stored, look.facts, planned)
        if stored.status.route_problem != problem:
            # What the whole amounts to depends on the route, which was not known when it was planned.
            self._take(stored, look.facts, planned)
        reported: RemoteError | None = None
        if look.made or not acted.held:
            # A slow GitHub must not hold up the end of a session that only waits for its gateway.
            reported = await self._report(stored, planned.decision)
        await telling.tell(context, stored, before)
        troubles = Troubles(look.trouble, routed.error, reported, acted.error)
        return await self._finish(stored, look, planned, acted, troubles)

    async def _look(self, stored: Stored, known: Facts | None) -> Look:
        """Look at GitHub; nothing is torn down because it cannot be read, and its slowness delays no end."""
        left = plan.until_expiry(stored.status, self._context.now())
        try:
            async with _within(min(left or _PATIENCE, _PATIENCE), "look"):
                return Look(await observe.look(self._context, stored), made=True)
        except RemoteError as error:
            return Look(known, trouble=error)

    async def _settle(self, stored: Stored, facts: Facts | None, planned: Planned) -> None:
        """Store what the plan says before acting on it: cleared uids, messages of failures, the place taken.

        Whether there is a place is asked and the answer stored under one lock, so that two passes cannot
        take the last one both.
        """
        if not planned.needs_place and not planned.sessions and facts is not None:
            stored.status = replace(stored.status, placed=False, waiting_since=None)
        if not planned.needs_place or stored.status.placed:
            self._take(stored, facts, planned)
            await stored.write()
            return
        async with self._places:
            waiting = stored.status.waiting_since or self._context.now()
            stored.status = replace(stored.status, waiting_since=waiting)
            limit = self._context.settings.limits.previews
            granted = place(stored.preview, self._context.previews(), limit)
            stored.status = replace(
                stored.status, placed=granted.granted, place=granted.position, limit=limit
            )
            self._take(stored, facts, planned)
            await stored.write()

    def _take(self, stored: Stored, facts: Facts | None, planned: Planned) -> None:
        settings = self._context.settings
        config = facts.config if facts else None
        ttl = min((config.ttl if config and config.ttl else settings.ttl.default), settings.ttl.max)
        status = plan.overall(
            stored.status,
            planned.decision,
            planned.services,
            planned.sessions,
            ttl=ttl,
            ttl_max=settings.ttl.max,
            now=self._context.now(),
        )
        stored.status = plan.settle_replies(self._with_link(stored.preview, status, facts))
        stored.status = telling.with_message(self._context, stored)

    def _with_link(self, preview: Preview, status: Status, facts: Facts | None) -> Status:
        if facts is None or facts.config is None:
            serves = any(service.serving_sha for service in status.services)
            return status if serves else replace(status, link=LinkState(), url="")
        key = preview.spec.environment_key
        link = links.link(self._context.gateway, facts.config, status.services, key)
        return replace(status, link=link, url=link.url)

    async def _act(self, stored: Stored, facts: Facts | None, planned: Planned) -> tuple[Acted, Routed]:
        """Act: the route first; while that cannot be written nothing is made, but what is to end does end.

        What is to be replaced waits for the route, since it serves and has an end; what is to end waits a
        while for one that fails for a moment, and not at all for one that is refused.
        """
        decision, routed = planned.decision, Routed()
        if not decision.silent or stored.status.route_namespace:
            routed = await act.route(self._context, stored, facts)
        past_waiting = is_refusal(routed.error) or routed.overdue
        followed = routed.followed or (past_waiting and not decision.runs)
        if routed.error is not None or not stored.status.placed:
            planned = without_creations(planned)
        return await act.act(self._context, stored, planned.actions, followed=followed), routed

    async def _report(self, stored: Stored, decision: Decision) -> RemoteError | None:
        try:
            async with _within(_PATIENCE, "report"):
                await report.report(self._context, stored, decision)
        except RemoteError as error:
            return error
        return None

    async def _finish(
        self, stored: Stored, look: Look, planned: Planned, acted: Acted, troubles: Troubles
    ) -> Outcome:
        context, decision, trouble = self._context, planned.decision, troubles.first
        error = in_words(trouble) if trouble else ""
        stored.status = replace(stored.status, last_error=error)
        await stored.write()
        told = not troubles.passing and not stored.status.replies
        over = (decision.closed or decision.untriggered) and told and not planned.sessions
        if over and stored.preview.unseen_poke:
            # Poked since we looked, by a reopening perhaps.
            return Outcome(again=_SOON)
        if over and look.facts is not None and not look.facts.lagging:
            return await self._delete_preview(stored, look.facts, decision)
        now, deadline = context.now(), context.settings.deadlines.image
        # What waits for a route that fails, or for a cluster that does, waits for the backoff.
        works = troubles.act is None and (troubles.route is None or not decision.runs)
        removing = works and any(isinstance(action, Delete) for action in planned.actions)
        if troubles.passing is not None:
            # An hour that GitHub asks for must not hold up what waits for a gateway to be removed.
            again = plan.until_expiry(stored.status, now)
            return Outcome(sooner(again, _REMOVING if removing else None), troubles.passing)
        again = plan.look_again(stored.status, decision, look.facts, deadline=deadline, now=now)
        if removing:
            again = sooner(again, 0.5)
        elif works and acted.moved:
            again = sooner(again, 5.0)
        return Outcome(again, trouble)

    async def _delete_preview(self, stored: Stored, facts: Facts, decision: Decision) -> Outcome:
        """The Preview goes last, and only as we know it: a poke in between means another look."""
        spec = stored.preview.spec
        if decision.untriggered:
            pull_request = facts.pull_request
            self.untriggered.remember(
                spec.repository_id, spec.number, pull_request.updated_at, pull_request.head.sha
            )
        return await self._forget(stored)

    async def _forget(self, stored: Stored) -> Outcome:
        try:
            await stored.delete()
        except Conflict:
            return Outcome(again=_SOON)
        self._context.memory.forget(stored.preview.name)
        return Outcome()

    async def _tear_down(self, stored: Stored) -> Outcome:
        """Remove everything of a repository that is gone or took the App away; there is nobody to tell."""
        delivery_id = stored.preview.poke.delivery_id
        now, sessions = self._context.now(), await sessions_of(self._context, stored.preview)
        steps = [remove(service, find(service, sessions), now) for service in stored.status.services]
        services = tuple(step.service for step in steps)
        stored.status = replace(
            stored.status, services=services, phase=Phase.STOPPING, reason="RepositoryGone"
        )
        await stored.write()
        planned = Planned(Decision(closed=True), services, tuple(deletions(sessions)), tuple(sessions))
        acted, _ = await self._act(stored, None, planned)
        if sessions or stored.preview.poke.delivery_id != delivery_id:
            return Outcome(_REMOVING, acted.error)
        return await self._forget(stored)


@asynccontextmanager
async def _within(seconds: float, what: str) -> AsyncIterator[None]:
    """Give GitHub so long in all, however long each of its answers takes; raises TryLater."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TryLater("GitHub", message=f"the {what} took too long") from None


def _ends_now(status: Status, sessions: Sequence[Session]) -> bool:
    """Return whether something is to be removed, whatever GitHub says: before asking it, then."""
    return status.ended is not None and any(session.deleting_since is None for session in sessions)
