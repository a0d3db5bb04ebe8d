"""The pass: enforce expiry, observe, plan, act in order, report, say when to look again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from previewbot import links, plan
from previewbot.errors import Conflict, Forbidden, Invalid, NotFound, RemoteError
from previewbot.github import GitHub
from previewbot.kube.client import Kube
from previewbot.plan import Create, Decision, Delete, Facts
from previewbot.plan.decision import expire
from previewbot.plan.services import find, remove
from previewbot.policy import place
from previewbot.preview import LinkState, Phase, Preview, Status
from previewbot.reconcile import act, observe, report, telling
from previewbot.reconcile.context import Context
from previewbot.reconcile.memory import Memory, Untriggered
from previewbot.reconcile.planning import Planned, deletions, make_plan, sessions_of, without_creations
from previewbot.reconcile.stored import Stored, Superseded, in_words
from previewbot.registry import Registry
from previewbot.render import Renderer
from previewbot.settings import Settings

_REMOVING = 2.0
"""Seconds until the next look while something is being removed and GitHub does not answer."""


@dataclass(frozen=True)
class Outcome:
    """How a pass ended: `again` is in seconds; None means "when something happens".

    With an `error` it is to be repeated after a backoff, yet no later than `again`.
    """

    again: float | None = None
    error: RemoteError | None = None


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
            return Outcome(again=0.2)
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
        before = stored.status
        stored.status = expire(stored.status, context.now())
        sessions = await sessions_of(context, stored.preview)
        trouble: RemoteError | None = None
        facts = context.memory.facts.get(stored.preview.name)
        looked = False
        if observe.needs_look(stored.preview, facts, context.now()):
            try:
                facts = await observe.look(context, stored)
                looked = True
            except RemoteError as error:
                # Nothing is torn down because GitHub cannot be read; expiry is enforced all the same.
                trouble = error
        planned = await make_plan(context, stored.preview, facts, sessions)
        if any(isinstance(action, Create) for action in planned.actions) and not looked and not trouble:
            facts = await observe.look(context, stored)
            planned = await make_plan(context, stored.preview, facts, sessions)
        if trouble is not None:
            planned = without_creations(planned)
        await self._settle(stored, facts, planned)
        moved, refused = await self._act(stored, facts, planned)
        trouble = await self._report(stored, planned.decision) or refused or trouble
        await telling.tell(context, stored, before)
        return await self._finish(stored, facts, planned, moved, trouble)

    async def _settle(self, stored: Stored, facts: Facts | None, planned: Planned) -> None:
        """Store what the plan says before acting on it: cleared uids, messages of failures, the place taken.

        Whether there is a place is asked and the answer stored under one lock, so that two passes cannot
        take the last one both.
        """
        if not planned.needs_place and not planned.sessions:
            stored.status = stored.status.model_copy(update={"placed": False, "waiting_since": None})
        if not planned.needs_place or stored.status.placed:
            self._take(stored, facts, planned)
            await stored.write()
            return
        async with self._places:
            waiting = stored.status.waiting_since or self._context.now()
            stored.status = stored.status.model_copy(update={"waiting_since": waiting})
            limit = self._context.settings.limits.previews
            granted = place(stored.preview, self._context.previews(), limit)
            stored.status = stored.status.model_copy(
                update={"placed": granted.granted, "place": granted.position, "limit": limit}
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
            ttl=ttl,
            ttl_max=settings.ttl.max,
            remaining=len(planned.sessions),
            now=self._context.now(),
        )
        stored.status = plan.settle_replies(self._with_link(stored.preview, status, facts))
        stored.status = telling.with_message(self._context, stored)

    def _with_link(self, preview: Preview, status: Status, facts: Facts | None) -> Status:
        if facts is None or facts.config is None:
            serves = any(service.serving_sha for service in status.services)
            return status if serves else status.model_copy(update={"link": LinkState(), "url": ""})
        key = preview.spec.environment_key
        link = links.link(self._context.gateway, facts.config, status.services, key)
        return status.model_copy(update={"link": link, "url": link.url})

    async def _act(
        self, stored: Stored, facts: Facts | None, planned: Planned
    ) -> tuple[bool, RemoteError | None]:
        """Act; return whether anything was to be done, and the error of a route that may not be written.

        Such a route will not be otherwise soon, so nothing is made for it, but what is to go does go.
        """
        followed, refused = True, None
        if not planned.decision.silent or stored.status.route_namespace:
            try:
                followed = await act.route(self._context, stored, facts)
            except (Forbidden, Invalid, NotFound) as error:
                refused = error
        actions = planned.actions
        if refused is not None or not stored.status.placed:
            actions = tuple(action for action in actions if isinstance(action, Delete))
        return await act.act(self._context, stored, actions, followed=followed), refused

    async def _report(self, stored: Stored, decision: Decision) -> RemoteError | None:
        try:
            await report.report(self._context, stored, decision)
        except RemoteError as error:
            return error
        return None

    async def _finish(
        self,
        stored: Stored,
        facts: Facts | None,
        planned: Planned,
        moved: bool,
        trouble: RemoteError | None,
    ) -> Outcome:
        context, decision = self._context, planned.decision
        error = in_words(trouble) if trouble else ""
        stored.status = stored.status.model_copy(update={"last_error": error})
        await stored.write()
        if trouble is not None:
            # An hour that GitHub asks for must not hold up what waits for a gateway to be removed.
            expiry = plan.until_expiry(stored.status, context.now())
            removing = _REMOVING if moved else None
            times = [seconds for seconds in (expiry, removing) if seconds is not None]
            return Outcome(again=min(times, default=None), error=trouble)
        over = decision.closed or decision.untriggered
        if over and facts and not facts.lagging and not planned.sessions and not stored.status.replies:
            return await self._delete_preview(stored, facts, decision)
        if moved:
            return Outcome(again=0.5 if any(isinstance(a, Delete) for a in planned.actions) else 5.0)
        deadline = context.settings.deadlines.image
        return Outcome(
            again=plan.look_again(stored.status, decision, facts, deadline=deadline, now=context.now())
        )

    async def _delete_preview(self, stored: Stored, facts: Facts, decision: Decision) -> Outcome:
        """The Preview goes last, and only as we know it: a poke in between means another look."""
        spec = stored.preview.spec
        if decision.untriggered:
            pull_request = facts.pull_request
            self.untriggered.remember(
                spec.repository_id, spec.number, pull_request.updated_at, pull_request.head.sha
            )
        try:
            await stored.delete()
        except Conflict:
            return Outcome(again=0.2)
        self._context.memory.forget(stored.preview.name)
        return Outcome()

    async def _tear_down(self, stored: Stored) -> Outcome:
        """Remove everything of a repository that is gone or took the App away; there is nobody to tell."""
        now, sessions = self._context.now(), await sessions_of(self._context, stored.preview)
        steps = [remove(service, find(service, sessions), now) for service in stored.status.services]
        stored.status = stored.status.model_copy(
            update={
                "services": tuple(step.service for step in steps),
                "phase": Phase.STOPPING,
                "reason": "RepositoryGone",
            }
        )
        await stored.write()
        followed = await act.route(self._context, stored, None)
        await act.act(self._context, stored, deletions(sessions), followed=followed)
        if sessions:
            return Outcome(again=2.0)
        try:
            await stored.delete()
        except Conflict:
            return Outcome(again=0.2)
        self._context.memory.forget(stored.preview.name)
        return Outcome()
