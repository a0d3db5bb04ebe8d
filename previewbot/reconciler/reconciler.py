"""One pass over one Preview: gather, plan, store, apply, report, requeue.

A pass reads the truth, computes what should be, and moves the world one step nearer. Run twice, it does
nothing the second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from previewbot.api import Pictures, Preview, Reason, Status
from previewbot.clients.github import GitHub
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.links import Links
from previewbot.clients.pictures import Album
from previewbot.clients.registry import Registry
from previewbot.config.server import Settings
from previewbot.engine.operator import OperatorSeen, nobody_asked
from previewbot.errors import Conflict, RemoteError
from previewbot.reconciler.apply import ApplyResult, RouteResult, apply_actions, apply_route
from previewbot.reconciler.children import KINDS, ROUTE, ChildKind, Route
from previewbot.reconciler.context import Context
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.gather import Gone, Suspended, gather, gather_removal
from previewbot.reconciler.gather.gathering import within
from previewbot.reconciler.gather.pictures import forget_pictures, is_too_new
from previewbot.reconciler.gather.presses import left_to_quote, says_waiting
from previewbot.reconciler.listing_memory import OfAgents, Untriggered
from previewbot.reconciler.memory import Memory, note_look, note_refusals
from previewbot.reconciler.observation import Observation, PullRequestFacts
from previewbot.reconciler.pass_outcome import PassErrors, next_pass, without_foreign_reports
from previewbot.reconciler.pauses import Paused
from previewbot.reconciler.plan.decision import End, Leave, Run
from previewbot.reconciler.plan.fold import with_conditions
from previewbot.reconciler.plan.lifecycle import end_if_expired
from previewbot.reconciler.plan.link import route_of
from previewbot.reconciler.plan.places import lacks_something
from previewbot.reconciler.plan.planner import Plan, plan_removal, with_route_result
from previewbot.reconciler.plan.requeue import (
    FAR_BACK,
    READ_PATIENCE,
    REMOVING,
    SOON,
    Outcome,
    earliest,
    until_expiry,
)
from previewbot.reconciler.refusing import refuse
from previewbot.reconciler.reporters import CLUSTER_REPORTERS, GITHUB_REPORTERS, Reporter, Reporting
from previewbot.reconciler.store import PreviewStore, Superseded
from previewbot.reconciler.storing import plan_for, store_plan, with_words
from previewbot.reconciler.tending import tend, tend_orphans, until_tended
from previewbot.text.render import Renderer

_LAST_ERROR_LENGTH = 500


class Reconciler:
    """Reconciles one Preview at a time; holds nothing that a restart would miss.

    `kinds`, `route` and `reporters` are what a preview consists of and where it is told of; `slots` is the
    lock under which slots are taken; `memory` is what earlier passes of this process remembered.
    """

    def __init__(
        self,
        *,
        kube: Kube,
        github: GitHub,
        registry: Registry,
        links: Links,
        renderer: Renderer,
        settings: Settings,
        now: Callable[[], datetime],
        previews: Callable[[], Sequence[Preview]],
        pods: Callable[[str, str], Sequence[Mapping[str, Any]]],
        wrote: Callable[[Mapping[str, Any]], None],
        kinds: Sequence[ChildKind] = KINDS,
        route: Route = ROUTE,
        reporters: Sequence[Reporter] = GITHUB_REPORTERS,
        slots: asyncio.Lock | None = None,
        memory: Memory | None = None,
        operator: Callable[[], OperatorSeen] = nobody_asked,
        asked_elsewhere: Callable[[str], Sequence[Mapping[str, Any]]] = lambda preview: (),
        guard_keys: Callable[[], tuple[bytes, ...]] = tuple,
        pictures: Album | None = None,
    ) -> None:
        self._slots = slots or asyncio.Lock()
        self._reporters = reporters
        self._context = Context(
            kube=kube,
            github=github,
            registry=registry,
            links=links,
            renderer=renderer,
            settings=settings,
            now=now,
            previews=previews,
            pods=pods,
            wrote=wrote,
            kinds=kinds,
            route=route,
            memory=memory or Memory(),
            operator=operator,
            asked_elsewhere=asked_elsewhere,
            guard_keys=guard_keys,
            pictures=pictures,
        )

    @property
    def untriggered(self) -> Untriggered:
        """The pull requests that were found to trigger nothing, for the resync."""
        return self._context.memory.untriggered

    @property
    def of_agents(self) -> OfAgents:
        """What the listing found to be an agent's, before any look could."""
        return self._context.memory.of_agents

    def first_in_line(self, freed: Sequence[Preview] = ()) -> set[str]:
        """Return the names of those that are to be looked at when the line for slots has moved.

        `freed` are the Previews, as they were, that gave their slots back.
        """
        return self._context.first_in_line(freed)

    def giving_way(self) -> set[str]:
        """Return the names of those that sleep and are to give their slots to others that wait."""
        return self._context.giving_way()

    async def reconcile(self, name: str) -> Outcome:
        """Make one pass over a Preview; raises RemoteError if the Preview itself cannot be read."""
        # Read it from the API server and not from the informer's cache: the cache may lag behind our own last
        # write, and a write on top of an old resourceVersion would only be refused with a conflict.
        obj = await self._context.kube.get_preview(name)
        if obj is None:
            await forget_pictures(self._context, name)
            self._context.forget(name)
            return Outcome(await tend_orphans(self._context, name))
        store = PreviewStore(self._context, obj)
        # Somebody deleted the Preview: its owner references remove the children.
        if store.preview.deleting:
            return Outcome()
        try:
            refused = await refuse(self._context, store)
            return refused if refused is not None else await self._pass_or_removal(store)
        except Superseded:
            return Outcome(SOON)
        except RemoteError as error:
            if is_too_new(self._context, error):
                return Outcome(SOON)
            # A backoff, or an hour that GitHub asks for, must not make a preview outlast its time. What is
            # past its time already waits for the backoff: the end is tried again with each pass.
            now = self._context.now()
            return Outcome(until_expiry(end_if_expired(store.status, now), now), error)

    async def _pass_or_removal(self, store: PreviewStore) -> Outcome:
        try:
            return await self._pass(store)
        except Gone as gone:
            return await self._remove_all(store, Leave(gone.reason))
        except Suspended:
            return await self._remove_all(store, End(Reason.INSTALLATION_SUSPENDED))
        except Paused as paused:
            return Outcome(paused.seconds)

    async def _pass(self, store: PreviewStore) -> Outcome:
        # Each step reads only what the one before returned. If the process dies between any two, the next
        # pass gathers anew, finds in the status what was about to be done, and goes on from there.
        before = store.status
        observation = await gather(self._context, store)
        plan = plan_for(self._context, store, observation)
        if plan.creates and not observation.fresh and observation.read_error is None:
            # Nothing is made on facts that are minutes old.
            observation = await gather(self._context, store, afresh=True)
            plan = plan_for(self._context, store, observation)
        observation, plan = await store_plan(self._context, self._slots, store, observation, plan)
        approved = plan.status.lifecycle.approved_sha != before.lifecycle.approved_sha
        note_look(self._context.memory, observation, approved=approved, runs=isinstance(plan.decision, Run))
        note_refusals(self._context.memory, observation, plan.status, before)
        applied, route = await self._apply(store, observation, plan)
        status, report_error = await self._report(store, observation, plan, applied, before)
        errors = PassErrors(observation.read_error, route.error, report_error, applied.error)
        return await self._requeue(store, observation, plan, applied, errors, status)

    async def _apply(
        self, store: PreviewStore, observation: Observation, plan: Plan
    ) -> tuple[ApplyResult, RouteResult]:
        """Act: the route first; while that cannot be written nothing is made, but what is to end does end."""
        context = self._context
        status, route = await apply_route(context, store, plan)
        if route_of(status) != route_of(plan.status):
            # Phases and link depend on whether the route was accepted, which we only know now. They are
            # computed again before the actions, whose own results are told on top of them.
            status = with_route_result(plan, status, observation, context.kinds)
            status = with_words(context, store, status)
        return await apply_actions(context, store, plan, status, route), route

    async def _report(
        self,
        store: PreviewStore,
        observation: Observation,
        plan: Plan,
        applied: ApplyResult,
        before: Status,
    ) -> tuple[Status, RemoteError | None]:
        """Tell people, unless a session only waits for its gateway: a slow GitHub must not hold that up.

        On GitHub only in a repository that a look has confirmed by its number: what the spec calls it, web's
        token may write, and GitHub would put our comment below another repository's pull request.
        """
        error, facts = None, observation.facts
        confirmed = facts.pull_request.base.repository if facts else None
        says, quotes = says_waiting(self._context, store.preview, facts)
        reporting = Reporting(
            self._context, store, plan, applied.status, before=before, says=says, quotes=quotes
        )
        if confirmed == store.preview.spec.repository and (observation.fresh or not applied.deferred):
            try:
                async with within(READ_PATIENCE, "report"):
                    error = await reporting.report(self._reporters, observation.inbox.own)
            except RemoteError as failure:
                error = failure
        await reporting.report(CLUSTER_REPORTERS, OwnComments())
        return reporting.status, error

    async def _requeue(
        self,
        store: PreviewStore,
        observation: Observation,
        plan: Plan,
        applied: ApplyResult,
        errors: PassErrors,
        status: Status,
    ) -> Outcome:
        """Store what was done, and say when to look again; a Preview that has done its work goes."""
        facts, error = observation.facts, str(errors.stored)[:_LAST_ERROR_LENGTH] if errors.stored else ""
        # Before the words: of what could not be looked at they say why.
        status = status if status.last_error == error else replace(status, last_error=error)
        status = with_words(self._context, store, with_conditions(status, observation))
        # Comment ids, answers, uids of children. If this last write is lost, the next pass finds our comments
        # by their markers and our children by their owner.
        await store.write(status)
        # Only behind it: what was just quoted must not be removed before it is stored that it was.
        await store.write(await tend(self._context, store.preview, store.status))
        ours = without_foreign_reports(store.status, self._reporters)
        owed = any(reporter.is_owed(ours) for reporter in self._reporters)
        # Words stand nowhere else: they are quoted, or removed after a day, before the Preview goes.
        said, left = (left_to_quote(self._context, p, facts) for p in (observation.preview, store.preview))
        told = errors.blocking is None and not ours.replies and not owed and not left
        leave = plan.decision if isinstance(plan.decision, Leave) else None
        over = leave is not None and told and not observation.found
        if over and store.preview.unseen_poke:
            # Poked since we looked, by a reopening perhaps.
            return Outcome(SOON)
        # While GitHub's API is behind its own webhook, "closed" may be what was true before somebody reopened
        # the pull request. So the Preview stays until GitHub shows at least what the webhook told us; and
        # until all commands were read, of which one may be a "start".
        read = facts is not None and not facts.lagging and (facts.again_at, facts.unseen_at) == (None, None)
        if over and leave is not None and facts is not None and read:
            return await self._leave(store, facts, leave)
        outcome = next_pass(ours, observation, plan, applied, errors, now=self._context.now())
        tended = until_tended(self._context, store.preview, store.status)
        # Some were done with, perhaps given up, and only so many are written at a time.
        next_ones = SOON if 0 < left < said else None
        return replace(outcome, requeue_after=earliest(outcome.requeue_after, tended, next_ones))

    async def _leave(self, store: PreviewStore, facts: PullRequestFacts, decision: Leave) -> Outcome:
        """The Preview goes last, and only as we know it: a poke in between means another look."""
        spec, pull_request = store.preview.spec, facts.pull_request
        self._context.memory.conversations.remember(store.preview.name, store.status.requests)
        # Something of the very second of this look would not change what the listing compares.
        # Nor is an archived repository's remembered: made usable again it shows the same times and heads.
        if facts.settled and facts.read_at is not None and decision.reason is Reason.NOT_TRIGGERED:
            state = (pull_request.updated_at, pull_request.head.sha, facts.read_at)
            for_now = facts.base_branch is not None or lacks_something(store.status)
            self.untriggered.remember(spec.repository_id, spec.number, *state, for_now=for_now)
        return await self._delete(store)

    async def _delete(self, store: PreviewStore) -> Outcome:
        try:
            await store.delete()
        except Conflict:
            return Outcome(SOON)
        if store.status.pictures != Pictures():
            await forget_pictures(self._context, store.preview.name)
        self._context.forget(store.preview.name)
        return Outcome()

    async def _remove_all(self, store: PreviewStore, decision: Leave | End) -> Outcome:
        """Remove everything of what is gone, or took the App away; there is nobody to tell.

        Whoever may be let in again keeps the Preview: it knows what was stopped, and which commit approved.
        """
        # Remember which delivery this removal knows of. If the App is installed again while we remove, a
        # webhook pokes the Preview: then it must be looked at once more instead of being deleted.
        delivery_id = store.preview.poke.delivery_id
        observation = await gather_removal(self._context, store)
        plan = plan_removal(observation, decision, self._context.kinds, self._context.route)
        if store.status.pictures != Pictures():
            await forget_pictures(self._context, store.preview.name)
        await store.write(plan.status)
        applied, _ = await self._apply(store, observation, plan)
        if observation.found or store.preview.poke.delivery_id != delivery_id:
            return Outcome(REMOVING, applied.error)
        return await self._delete(store) if isinstance(decision, Leave) else Outcome(FAR_BACK)
