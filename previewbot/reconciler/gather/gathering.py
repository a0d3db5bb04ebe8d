"""Fills an observation, asking for no more than the decision needs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from previewbot.api import Preview
from previewbot.errors import RemoteError, TryLater
from previewbot.reconciler.children.kind import selector
from previewbot.reconciler.context import Context
from previewbot.reconciler.gather.github import must_read, read_github
from previewbot.reconciler.gather.images import look_up_image, read_target
from previewbot.reconciler.gather.pods import pod_problems
from previewbot.reconciler.observation import (
    Found,
    ImageLookup,
    Observation,
    PullRequestFacts,
    Target,
)
from previewbot.reconciler.pauses import may_wait
from previewbot.reconciler.plan.decision import Run, decide
from previewbot.reconciler.plan.lifecycle import end_if_expired
from previewbot.reconciler.plan.planner import status_with_input
from previewbot.reconciler.plan.requeue import read_patience
from previewbot.reconciler.plan.services import changed_services
from previewbot.reconciler.plan.steps import prepare
from previewbot.reconciler.store import PreviewStore
from previewbot.rules.policy import slot_for

log = logging.getLogger(__name__)


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
    if not _ends_now(observation) and (afresh or must_read(store.preview, cached, observation.now)):
        waits = may_wait(context.memory.pauses, store.preview, observation.found, cached, observation.now)
        observation = await _read(context, store, replace(observation, may_wait=waits), cached)
    return await _ask_for_services(context, observation)


async def gather_removal(context: Context, store: PreviewStore) -> Observation:
    """Return what there is to remove, where GitHub cannot be asked about it any more."""
    return await _begin(context, store)


async def _begin(context: Context, store: PreviewStore) -> Observation:
    preview = store.preview
    return Observation(
        preview=preview,
        now=context.now(),
        limits=context.limits,
        found=await _children(context, preview),
        slot=slot_for(preview, context.previews(), context.settings.limits.previews),
    )


async def _children(context: Context, preview: Preview) -> tuple[Found, ...]:
    """List the children live: a cache could take one we just made for one that vanished."""
    found: list[Found] = []
    for kind in context.kinds:
        for namespace in context.settings.cluster.namespaces:
            items = await context.kube.list_children(kind.resource, namespace, selector(preview))
            found += [kind.read(item) for item in items]
    for child in found:
        if child.disbelieved:
            extra = {"preview": preview.name, "child": child.name, "namespace": child.namespace}
            log.warning("a child's status is not believed", extra={**extra, "why": child.disbelieved})
    return tuple(found)


def _ends_now(observation: Observation) -> bool:
    """Return whether something is to be removed, whatever GitHub says: before asking it, then."""
    ended = end_if_expired(observation.preview.status, observation.now).lifecycle.ended
    return ended is not None and any(child.deleting_since is None for child in observation.found)


async def _read(
    context: Context, store: PreviewStore, observation: Observation, cached: PullRequestFacts | None
) -> Observation:
    """Look at GitHub; its slowness delays no end."""
    seconds = read_patience(observation.preview.status, observation.now)
    try:
        async with within(seconds, "look"):
            facts, inbox = await read_github(context, store, observation.now, may_wait=observation.may_wait)
    except RemoteError as error:
        # What an earlier look found still counts, so that a GitHub that is down ends no preview. With
        # `read_error` set the plan removes and reports, but creates nothing.
        return replace(observation, facts=cached, read_error=error)
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
    facts, status = observation.facts, status_with_input(observation)
    if facts is None or not isinstance(decide(status, facts), Run):
        return observation
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
            targets[prepared.config.name] = await read_target(context, prepared.config)
    as_planned = replace(as_planned, targets=targets)
    runnable = [prepared.service for prepared in prepare(as_planned) if prepared.can_run]
    problems = await pod_problems(context, preview, runnable, observation.found)
    # The questions may have taken most of a minute. The plan must not measure deadlines by a clock that stood
    # still meanwhile.
    return replace(observation, now=context.now(), targets=targets, pod_problems=problems)


@asynccontextmanager
async def within(seconds: float, what: str) -> AsyncIterator[None]:
    """Give GitHub so long in all, however long each of its answers takes; raises TryLater."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TryLater("GitHub", message=f"the {what} took too long") from None
