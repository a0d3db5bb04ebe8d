"""Looks for the image of a commit, and for the container it replaces."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from previewbot import images
from previewbot.errors import Forbidden, RemoteError, Unauthorized
from previewbot.mirrord import TargetProblem, resolve_container
from previewbot.model import Build
from previewbot.plan import Facts, ImageLook, Look
from previewbot.plan.when import image_interval
from previewbot.preview import Preview, Service, Status, Waiting
from previewbot.reconcile.context import Context
from previewbot.repoconfig import ServiceConfig

_OF_A_BUILD = {"running": "BuildRunning", "needs_approval": "BuildNeedsApproval", "failed": "BuildFailed"}

log = logging.getLogger(__name__)


def candidates(config: ServiceConfig, facts: Facts, status: Status) -> list[str]:
    """Return the references that count for the head: one, or one per merge commit seen for it."""
    pull_request = facts.pull_request
    fields = images.template_fields(config.image)
    merges = status.observed.merge_shas if "merge_sha" in fields else ("",)
    return [
        images.render_template(
            config.image,
            head_sha=pull_request.head.sha,
            merge_sha=merge,
            number=pull_request.number,
            branch=pull_request.head.ref,
            service=config.name,
        )
        for merge in reversed(merges)
    ]


async def look_for_image(
    context: Context, preview: Preview, config: ServiceConfig, service: Service, facts: Facts
) -> ImageLook:
    """Look in the registry, at most every so often; say why if the image is not there."""
    now = context.now()
    references = candidates(config, facts, preview.status)
    if service.head_sha == facts.pull_request.head.sha and service.image in references:
        return ImageLook(Look.FOUND, service.image, service.digest)
    if _looked_lately(context, preview, service, now):
        return ImageLook()
    context.memory.image_looks[_memory_key(preview, service)] = now
    # A branch of 130 characters gives a tag that no registry can hold: nobody forbids it, it never comes.
    possible = [r for r in references if images.well_formed(r)]
    refused = [r for r in possible if not images.allowed(r, context.settings.images.allowed)]
    if refused:
        return ImageLook(Look.MISSING, waiting=Waiting(reason="ImageNotAllowed", detail=refused[0]))
    try:
        return await _find(context, config, references, facts, preview.status)
    except RemoteError as error:
        # What exactly is wrong (a certificate, a file) is for the platform team, not for the comment.
        about = {"preview": preview.name, "service": config.name, "error": str(error)}
        log.warning("cannot look for an image", extra=about)
        return ImageLook(Look.MISSING, waiting=_cannot_look(error))


def _cannot_look(error: RemoteError) -> Waiting:
    if isinstance(error, Unauthorized | Forbidden):
        return Waiting(reason="RegistryRefused", detail=f"{error.what} answered {error.status}")
    return Waiting(reason="RegistryUnreachable", detail=error.what)


async def with_container(context: Context, config: ServiceConfig, service: Service) -> tuple[Service, str]:
    """Resolve the container once per pinned image; the second value says what is wrong with the target."""
    if service.container or not service.head_sha:
        return service, ""
    target = config.target
    try:
        workload = await context.kube.get_target(config.namespace, target.kind, target.name)
    except RemoteError as error:
        # This service waits, and no other with it: a sibling that serves must get its end.
        log.warning("cannot look at a target", extra={"service": config.name, "error": str(error)})
        return service, f"{target.kind} {target.name} cannot be looked at ({error.status or 'no answer'})"
    try:
        container = resolve_container(target, workload)
    except TargetProblem as problem:
        return service, str(problem)
    return replace(service, container=container), ""


async def why_missing(
    context: Context, preview: Preview, facts: Facts, waiting: Waiting, known: Waiting | None
) -> Waiting:
    """Say what CI does about a missing image: it runs, waits for a person, failed, or cannot even start.

    While GitHub does not tell, what was `known` before holds: an explanation is no reason to end a pass.
    Where it refuses to tell, that is said, since only a person can grant the permission.
    """
    if waiting.reason != "NoImage":
        return waiting
    if facts.pull_request.mergeable is False:
        return Waiting(reason="MergeConflict", name=facts.pull_request.base.ref)
    client = context.github.installation(preview.spec.installation_id)
    first_seen = preview.status.observed.head_first_seen_at
    late = first_seen is not None and context.now() - first_seen >= context.settings.deadlines.image
    build, otherwise = Build("none"), "NoImage"
    try:
        build = await client.build(facts.pull_request.base.repository, facts.pull_request.head.sha)
    except RemoteError as error:
        log.warning("cannot ask for a build", extra={"preview": preview.name, "error": str(error)})
        if known and known.detail == waiting.detail and known.reason in _OF_A_BUILD.values():
            return known
        otherwise = "BuildsUnreadable" if isinstance(error, Forbidden) else "NoImage"
    return _from_build(build, "DeadlinePassed" if late else otherwise, waiting)


def _from_build(build: Build, otherwise: str, waiting: Waiting) -> Waiting:
    reason = _OF_A_BUILD.get(build.state, otherwise)
    return Waiting(
        reason=reason, url=build.url, name=build.name, since=build.started_at, detail=waiting.detail
    )


def _looked_lately(context: Context, preview: Preview, service: Service, now: datetime) -> bool:
    last = context.memory.image_looks.get(_memory_key(preview, service))
    if last is None:
        return False
    deadline = context.settings.deadlines.image
    interval = image_interval(preview.status.observed.head_first_seen_at, last, deadline)
    # A second early is in time: timers are not exact, and a missed look costs a whole interval.
    return (now - last).total_seconds() < interval - 1


def _memory_key(preview: Preview, service: Service) -> str:
    return f"{preview.name}/{service.name}/{preview.status.observed.head_sha}"


async def _find(
    context: Context, config: ServiceConfig, references: list[str], facts: Facts, status: Status
) -> ImageLook:
    """A tag that names no commit counts only if the image itself says which commit it was built from."""
    by_tag = images.names_commit(config.image)
    for reference in filter(images.well_formed, references):
        found = await context.registry.find(images.parse_reference(reference), revision=not by_tag)
        if found is None:
            continue
        if by_tag or found.revision in (facts.pull_request.head.sha, *status.observed.merge_shas):
            return ImageLook(Look.FOUND, reference, found.digest)
        detail = f"{reference} was built from {found.revision or 'an unknown commit'}"
        return ImageLook(Look.MISSING, waiting=Waiting(reason="NotOfThisCommit", detail=detail))
    detail = references[0] if references else config.image
    return ImageLook(Look.MISSING, waiting=Waiting(reason="NoImage", detail=detail))
