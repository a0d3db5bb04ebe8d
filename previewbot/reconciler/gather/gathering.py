"""Fills an observation, asking for no more than the decision needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from previewbot.errors import QuotaKept, RemoteError, TryLater
from previewbot.reconciler.context import Context
from previewbot.reconciler.found import waking
from previewbot.reconciler.gather.asked_for import ask_for_request
from previewbot.reconciler.gather.children import look_at_children
from previewbot.reconciler.gather.gateway import look_at_gateway
from previewbot.reconciler.gather.github import must_read, read_github, wants_a_look
from previewbot.reconciler.gather.images import look_up_image
from previewbot.reconciler.gather.links import ask_link
from previewbot.reconciler.gather.others import taken_by_others
from previewbot.reconciler.gather.pictures import look_at_pictures
from previewbot.reconciler.gather.pod_logs import read_logs
from previewbot.reconciler.gather.pods import look_again_in, pod_problems
from previewbot.reconciler.gather.presses import presses_waiting
from previewbot.reconciler.gather.targets import read_target
from previewbot.reconciler.observation import (
    ImageLookup,
    Observation,
    Target,
)
from previewbot.reconciler.pauses import WHILE_IT_RUNS, Paused, may_wait
from previewbot.reconciler.plan.decision import Hold, Run, decide
from previewbot.reconciler.plan.lifecycle import end_if_expired
from previewbot.reconciler.plan.planner import status_with_input
from previewbot.reconciler.plan.requeue import read_patience
from previewbot.reconciler.plan.services import changed_services
from previewbot.reconciler.plan.steps import prepare
from previewbot.reconciler.store import PreviewStore


async def gather(context: Context, store: PreviewStore, *, afresh: bool = False) -> Observation:
    """Return what the world looks like to this Preview now; `afresh` reads GitHub although it was read
    lately.

    Raises `Gone` if the repository is gone, `Paused` if the look is not due yet, RemoteError if not even the
    children can be listed. That GitHub cannot be read is noted in the observation: nothing is torn down
    because of it.
    """
    observation = await _begin(context, store)
    cached = context.memory.facts.get(store.preview.name)
    observation = replace(observation, facts=cached)
    # Removing needs no facts of GitHub. If a preview's time is up while GitHub hangs, the session goes in
    # this pass, and GitHub is asked in a later one.
    if not _ends_now(observation) and (_must_read(context, observation, afresh)):
        callers = () if afresh else _only_callers(context, observation)
        if callers:
            observation = await _read_for(callers, context, store, observation)
        else:
            waits = may_wait(context.memory.pauses, store.preview, observation.found, cached, observation.now)
            observation = replace(observation, may_wait=waits)
            again_at = None if afresh else _next_kept_look(context, observation)
            observation = await _read_sparing(context, store, observation, again_at)
    return await _ask_for_services(context, observation)


async def gather_removal(context: Context, store: PreviewStore) -> Observation:
    """Return what there is to remove, where GitHub cannot be asked about it any more."""
    return await _begin(context, store)


async def _begin(context: Context, store: PreviewStore) -> Observation:
    preview = store.preview
    found, unseen, absent = await look_at_children(context, preview)
    settings = context.limits.gateway
    gateway = await look_at_gateway(context.kube, settings, context.memory.gateway, context.now())
    names = settings is not None and settings.names_commit(supported=gateway.state.sets_answers)
    return Observation(
        preview=preview,
        now=context.now(),
        limits=replace(context.limits, names_commit=names),
        found=waking(found, preview.status.children),
        unseen=unseen,
        absent=absent,
        slot=context.slot_for(preview),
        gives_way=context.gives_way(preview),
        operator=context.operator(),
        gateway=gateway,
    )


def _must_read(context: Context, observation: Observation, afresh: bool) -> bool:
    preview = observation.preview
    # A request whose poke was lost waits for nothing else.
    asked = afresh or bool(presses_waiting(context, preview))
    return asked or must_read(context, preview, observation.facts, observation.now)


def _ends_now(observation: Observation) -> bool:
    """Return whether something is to be removed, whatever GitHub says: before asking it, then."""
    ended = end_if_expired(observation.preview.status, observation.now).lifecycle.ended
    return ended is not None and any(child.deleting_since is None for child in observation.found)


def _only_callers(context: Context, observation: Observation) -> Sequence[int]:
    """Return the accounts for whose comments alone GitHub would be read now; nobody if there is more reason.

    Who was found to have write access is no stranger.
    """
    memory, preview, facts = context.memory, observation.preview, observation.facts
    callers = memory.pauses.only_callers(preview)
    if any(memory.writers.knows(preview.spec.repository_id, caller) for caller in callers):
        return ()
    if facts is None:
        # Of a Preview that was looked at before (by another process, say) all must be known; one that this
        # comment made has nothing to lose.
        return () if preview.status.observed.head_sha else callers
    return () if wants_a_look(context, preview, facts, observation.now) else callers


def _next_kept_look(context: Context, observation: Observation) -> datetime | None:
    """Return when a fork with a session may next be looked at with what is kept; None if it may be now.

    Its author can push and edit without end, and is a stranger although a commit of theirs was approved.
    """
    pauses, preview, facts = context.memory.pauses, observation.preview, observation.facts
    if facts is None or facts.read_at is None or not pauses.knows(preview.name):
        return None
    if not preview.status.slot.held or preview.asked_by_member or pauses.is_closed(preview):
        return None
    again_at = facts.read_at + WHILE_IT_RUNS
    return again_at if observation.now < again_at else None


async def _read_sparing(
    context: Context, store: PreviewStore, observation: Observation, again_at: datetime | None
) -> Observation:
    """Look at GitHub; with what is kept of the hour's requests only at `again_at`, if that is not now."""
    cached = observation.facts
    found = await _read(context, store, observation, sparing=again_at is not None)
    if again_at is None or cached is None or not isinstance(found.read_error, QuotaKept):
        return found
    return replace(observation, facts=replace(cached, lagging=False, again_at=again_at))


async def _read_for(
    callers: Sequence[int], context: Context, store: PreviewStore, observation: Observation
) -> Observation:
    """Look at GitHub for comments of people who are not known to have any rights, if that is due.

    Until then the pass goes by what is known: anybody may comment where a session is being made. And it costs
    nothing of what is kept for those that run: there the next look of our own finds the comment.
    """
    now, preview, cached = observation.now, store.preview, observation.facts
    due = context.memory.pauses.due_at(callers, now)
    if cached is None:
        if due > now:
            raise Paused((due - now).total_seconds())
        return await _read(context, store, observation)
    runs = observation.found or preview.status.slot.held or preview.is_approved
    if runs and cached.read_at is not None:
        due = min(due, cached.read_at + WHILE_IT_RUNS)
    if due <= now:
        return await _read_sparing(context, store, observation, now + WHILE_IT_RUNS)
    return replace(observation, facts=replace(cached, lagging=False, again_at=due))


async def _read(
    context: Context, store: PreviewStore, observation: Observation, *, sparing: bool = False
) -> Observation:
    """Look at GitHub; its slowness delays no end."""
    seconds = read_patience(observation.preview.status, observation.now)
    try:
        async with within(seconds, "look"):
            facts, inbox = await read_github(
                context, store, observation.now, may_wait=observation.may_wait, sparing=sparing
            )
    except RemoteError as error:
        # What an earlier look found still counts, so that a GitHub that is down ends no preview. With
        # `read_error` set the plan removes and reports, but creates nothing.
        return replace(observation, read_error=error)
    # The look may have refreshed the hints in the spec.
    return replace(
        observation,
        preview=store.preview,
        now=context.now(),
        facts=facts,
        inbox=inbox,
        fresh=True,
        read_at=observation.now,
    )


async def _ask_for_services(context: Context, observation: Observation) -> Observation:
    """Ask for images, targets and pods of the services that should run."""
    if observation.fresh and observation.facts is not None:
        requests = observation.inbox.requests
        logs = await read_logs(context, observation.preview, observation.facts, requests, observation.found)
        observation = replace(observation, logs=logs)
    facts, status = observation.facts, status_with_input(observation)
    decision = decide(status, facts, observation.found)
    if facts is not None and observation.fresh and isinstance(decision, Run | Hold):
        requested = await ask_for_request(context, observation.preview, facts)
        observation = replace(observation, requested=requested)
    if facts is None or not isinstance(decision, Run):
        # What its link is being asked is over: taken later, the answer would be one of a session of before.
        context.links_being_asked.forget(observation.preview.name)
        seen = await look_at_pictures(context, observation.preview, observation, decision)
        return replace(observation, pictures=seen)
    preview = replace(observation.preview, status=status)
    # Each question needs the answer to the one before: a target is only worth reading once there is an image
    # for it, and pods only once their session can run.
    images: dict[str, ImageLookup] = {}
    for config, service in changed_services(preview, facts):
        images[config.name] = await look_up_image(context, preview, config, service, facts)
    observation = replace(observation, images=images)
    targets: dict[str, Target] = {}
    as_planned = replace(observation, preview=preview)
    for prepared in prepare(as_planned):
        if prepared.service.head_sha and not prepared.service.container:
            targets[prepared.config.name] = await read_target(context, prepared.config, prepared.service)
    as_planned = replace(as_planned, targets=targets)
    services = prepare(as_planned)
    runnable = [prepared.service for prepared in services if prepared.can_run]
    problems = await pod_problems(context, preview, runnable, observation.found)
    again = look_again_in(context, preview, runnable, observation.found)
    taken, absent = await taken_by_others(context, as_planned, services)
    answer = await ask_link(context, preview, observation)
    pictures = await look_at_pictures(context, preview, observation, decision)
    # The questions may have taken most of a minute. The plan must not measure deadlines by a clock that stood
    # still meanwhile.
    return replace(
        observation,
        now=context.now(),
        targets=targets,
        pod_problems=problems,
        pods_again=again,
        taken=taken,
        absent=observation.absent | absent,
        link_answer=answer,
        link_asked_since=context.links_being_asked.since(preview.name),
        pictures=pictures,
        pictures_asked=context.pictures_asked.of(preview.name),
        pictures_rest=context.pictures_asked.rest(context.now()),
    )


@asynccontextmanager
async def within(seconds: float, what: str) -> AsyncIterator[None]:
    """Give GitHub so long in all, however long each of its answers takes; raises TryLater."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TryLater("GitHub", message=f"the {what} took too long") from None
