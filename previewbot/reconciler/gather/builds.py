"""Says why an image is not there: what CI does about it, and which tags there are instead."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

from previewbot.api import Preview, Reason, Service, Waiting
from previewbot.api.ci import Runs
from previewbot.config.repository import ServiceConfig
from previewbot.errors import Forbidden, RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.rules import images
from previewbot.rules.build_candidates import Sought
from previewbot.rules.builds import Build, BuildState, build_of, may_have_built, narrowed
from previewbot.rules.tags import Alike, Wanted, alike

OF_A_BUILD = {
    BuildState.RUNNING: Reason.BUILD_RUNNING,
    BuildState.NEEDS_APPROVAL: Reason.BUILD_NEEDS_APPROVAL,
    BuildState.FAILED: Reason.BUILD_FAILED,
    BuildState.NOT_RUN: Reason.BUILD_NOT_RUN,
    BuildState.DONE: Reason.NO_SUCH_TAG,
}
NOT_THERE = {Reason.NO_IMAGE: Reason.IMAGE_MISSING, Reason.REPOSITORY_UNKNOWN: Reason.REPOSITORY_MISSING}
"""What is told of an image that is not there, and what once it has been waited for long enough."""

# What a build pushed is there before it ends. But it may have ended between two questions of one look, and a
# registry of several places may need a moment until all of them show it.
_SHOWN_WITHIN = timedelta(seconds=20)
# A webhook may be ahead of a workflow's run by so much, and a check of another system comes when that begins.
_BEGINS_WITHIN = timedelta(minutes=2)
_TAGS_SECONDS = 10.0

log = logging.getLogger(__name__)


async def why_missing(
    context: Context,
    preview: Preview,
    config: ServiceConfig,
    service: Service,
    facts: PullRequestFacts,
    waiting: Waiting,
) -> Waiting:
    """Say what CI does about a missing image: it runs, waits for a person, failed, or cannot even start.

    While GitHub does not tell, what was said before holds: an explanation is no reason to end a pass. Where
    it refuses to tell, that is said, since only a person can grant the permission.
    """
    if waiting.reason not in NOT_THERE:
        return waiting
    # GitHub makes no test merge while there is a conflict, so workflows on `pull_request` do not run: nobody
    # builds the image until the conflict is resolved. None is not False: GitHub is still working it out.
    conflicts = facts.pull_request.mergeable is False
    conflict = Waiting(reason=Reason.MERGE_CONFLICT, name=facts.pull_request.base.ref)
    if conflicts and images.names_merge(config.image):
        return conflict
    try:
        runs = await _runs(context, preview, facts)
    except RemoteError as error:
        log.warning("cannot ask for a build", extra={"preview": preview.name, "error": str(error)})
        return conflict if conflicts else _untold(context, preview, service, waiting, error)
    build = build_of(runs, sought(context, preview, config, facts))
    # Workflows on `push`, and other systems, build the commit itself, whatever it conflicts with.
    if conflicts and build.state in (BuildState.UNKNOWN, BuildState.NOT_RUN, BuildState.DONE):
        return conflict
    build = _as_of_now(context, preview, build)
    if not runs.whole and build.state is BuildState.NOT_RUN:
        build = replace(build, state=BuildState.UNKNOWN)
    told = _told(build, config, waiting, late=_is_late(context, preview))
    if not runs.whole and told.reason is waiting.reason:
        # What builds may be among what previewbot was not granted to see.
        return replace(told, reason=Reason.BUILDS_UNREADABLE)
    if told.reason not in (Reason.NO_SUCH_TAG, Reason.IMAGE_MISSING):
        return told
    found = await _tags(context, preview, config, facts, waiting, before=service.waiting)
    return replace(told, tags=found.tags, of_commit=found.of_commit, instead=found.instead)


def builders(
    context: Context, preview: Preview, config: ServiceConfig, facts: PullRequestFacts
) -> tuple[str, ...]:
    """Return which workflows may have built an image that has just appeared, and remember them.

    By what the looks before it were told anyway: nothing is asked for it. An image that was there at once
    teaches nothing, and neither does a fork, in which a stranger can name a workflow as they like.
    """
    runs = context.memory.builds.runs(preview.name, facts.pull_request.head.sha)
    if runs is None or config.build is not None or facts.pull_request.is_fork:
        return ()
    found = may_have_built(runs, sought(context, preview, config, facts))
    if found:
        context.memory.builds.note_builders(preview.spec.repository_id, config.name, found)
    return found


def sought(context: Context, preview: Preview, config: ServiceConfig, facts: PullRequestFacts) -> Sought:
    """Return whose build is looked for."""
    repository_id, services = preview.spec.repository_id, facts.config.services if facts.config else ()
    # Of all Previews of the repository, so that a restart forgets nothing.
    seen = [
        service.built_by
        for other in context.previews()
        if other.spec.repository_id == repository_id and not other.status.observed.fork
        for service in other.status.services
        if service.name == config.name
    ]
    known = context.memory.builds.builders(repository_id, config.name)
    return Sought(
        names=_names(config),
        others=tuple(name for other in services if other.name != config.name for name in _names(other)),
        workflow=config.build.workflow or "" if config.build else "",
        check=config.build.check or "" if config.build else "",
        remembered=narrowed([known, *seen]),
        app_id=context.settings.github.app_id,
    )


def _names(config: ServiceConfig) -> tuple[str, ...]:
    """Return what a service is called, and its image."""
    repository = config.image.rpartition(":")[0].rpartition("/")[2]
    return (config.name,) if "{" in repository else (config.name, repository)


async def _runs(context: Context, preview: Preview, facts: PullRequestFacts) -> Runs:
    """Ask for what runs for the head: once for all services that wait for images, and not in each pass."""
    memory, sha = context.memory.builds, facts.pull_request.head.sha
    known = memory.runs_lately(preview.name, sha, context.now())
    if known is not None:
        return known
    # An explanation can wait for the next hour's requests; a preview that runs cannot.
    client = context.github.installation(preview.spec.installation_id).sparing()
    found = await client.runs(facts.pull_request.base.repository, sha)
    memory.note_runs(preview.name, sha, found, context.now())
    return found


def _untold(
    context: Context, preview: Preview, service: Service, waiting: Waiting, error: RemoteError
) -> Waiting:
    # The comment must not flicker between "the build runs" and "nothing is known" whenever GitHub fails to
    # answer. What was said of another image does not count.
    before = service.waiting
    if before and before.detail == waiting.detail and before.reason in OF_A_BUILD.values():
        return before
    if _is_late(context, preview):
        return replace(waiting, reason=NOT_THERE[Reason(waiting.reason)])
    return replace(waiting, reason=Reason.BUILDS_UNREADABLE) if isinstance(error, Forbidden) else waiting


def _as_of_now(context: Context, preview: Preview, build: Build) -> Build:
    """Return a build with what only the clock tells: whether it ended this moment, or may still begin."""
    now, first_seen = context.now(), preview.status.observed.head_first_seen_at
    if build.state is BuildState.DONE and build.ended_at and now - build.ended_at < _SHOWN_WITHIN:
        return replace(build, state=BuildState.RUNNING)
    if build.state is BuildState.NOT_RUN and (first_seen is None or now - first_seen < _BEGINS_WITHIN):
        return replace(build, state=BuildState.UNKNOWN)
    return build


def _told(build: Build, config: ServiceConfig, waiting: Waiting, *, late: bool) -> Waiting:
    missing = Reason(waiting.reason)
    reason = OF_A_BUILD.get(build.state, missing)
    # Without a repository there is no tag to compare: the registry's word says more.
    if reason is Reason.NO_SUCH_TAG and (late or missing is not Reason.NO_IMAGE):
        reason = missing
    if reason is missing and late:
        reason = NOT_THERE[missing]
    named = config.build.called if config.build and build.state is BuildState.NOT_RUN else ""
    return Waiting(
        reason=reason,
        url=build.url,
        name=named or build.name,
        since=build.started_at,
        detail=waiting.detail,
        also_failed=build.also_failed,
        also_wait=build.also_wait,
    )


def _is_late(context: Context, preview: Preview) -> bool:
    first_seen = preview.status.observed.head_first_seen_at
    return first_seen is not None and context.now() - first_seen >= context.settings.deadlines.image


async def _tags(
    context: Context,
    preview: Preview,
    config: ServiceConfig,
    facts: PullRequestFacts,
    waiting: Waiting,
    *,
    before: Waiting | None,
) -> Alike:
    """Return what tags the image has instead; nothing where the registry lets nobody list them.

    Where it cannot be asked now, what was told `before` of the same image holds: a comment is not to change
    with each failure.

    Asked for once the build is done and its tag is not there, or when it never came: once for each head, and
    again after a quarter of an hour. No commit of a fork comes here that nobody approved.
    """
    memory, now = context.memory.builds, context.now()
    known = memory.tags(preview.name, config.name, waiting.detail, now)
    if known is not None:
        return known
    found = Alike()
    try:
        async with asyncio.timeout(_TAGS_SECONDS):
            listed = await context.registry.tags(images.parse_reference(waiting.detail))
        found = alike(listed, _wanted(config, facts, preview))
    except (RemoteError, TimeoutError, ValueError) as error:
        about = {"preview": preview.name, "service": config.name, "error": str(error)}
        log.info("tags cannot be listed", extra=about)
        if before and before.detail == waiting.detail:
            found = Alike(before.tags, of_commit=before.of_commit, instead=before.instead)
    memory.note_tags(preview.name, config.name, waiting.detail, found, now)
    return found


def _wanted(config: ServiceConfig, facts: PullRequestFacts, preview: Preview) -> Wanted:
    pull_request = facts.pull_request
    merges = [*preview.status.observed.merge_shas, facts.merge_sha, pull_request.merge_commit_sha or ""]
    return Wanted(
        config.image,
        pull_request.head.sha,
        tuple(dict.fromkeys(sha for sha in reversed(merges) if sha)),
        pull_request.number,
        pull_request.head.ref,
    )
