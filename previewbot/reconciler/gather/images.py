"""Looks for the image of a commit, and says why it is not there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import Preview, Reason, Service, Waiting
from previewbot.clients.registry import RepositoryUnknown, reason_of
from previewbot.config.repository import ServiceConfig
from previewbot.errors import RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.gather.builds import builders, why_missing
from previewbot.reconciler.observation import (
    ImageFound,
    ImageLookup,
    ImageMissing,
    ImageNotDue,
    PullRequestFacts,
)
from previewbot.reconciler.plan.requeue import image_interval
from previewbot.reconciler.plan.services import candidates, is_pinned
from previewbot.rules import images

_TOLD_WITH_STATUS = (Reason.REGISTRY_REFUSED, Reason.REGISTRY_UNREACHABLE)
_SAME_MOMENT = 15.0

log = logging.getLogger(__name__)


async def look_up_image(
    context: Context, preview: Preview, config: ServiceConfig, service: Service, facts: PullRequestFacts
) -> ImageLookup:
    """Look in the registry, at most every so often; say why if the image is not there."""
    references = candidates(config, facts, preview.status.observed.merge_shas)
    # Before what is known already: the settings may have been narrowed since it was found.
    refused = _refused(references, facts)
    if refused is not None:
        return refused
    if is_pinned(service, facts.pull_request.head.sha, references):
        return ImageFound(service.image, service.digest)
    now = context.now()
    if _looked_lately(context, preview, service, now):
        return ImageNotDue()
    # Noted before the question, so that a registry that times out is not asked again in every pass that a
    # session or a pod wakes.
    context.memory.image_lookups[_memory_key(preview, service)] = now
    lookup = await _lookup(context, preview, config, references, facts, service.waiting)
    if isinstance(lookup, ImageFound):
        return replace(lookup, built_by=builders(context, preview, config, facts))
    if not isinstance(lookup, ImageMissing):
        return lookup
    return replace(
        lookup, waiting=await why_missing(context, preview, config, service, facts, lookup.waiting)
    )


async def _lookup(
    context: Context,
    preview: Preview,
    config: ServiceConfig,
    references: list[str],
    facts: PullRequestFacts,
    before: Waiting | None,
) -> ImageLookup:
    try:
        merge_shas = preview.status.observed.merge_shas
        return await _find(context, config, references, facts, merge_shas)
    except RemoteError as error:
        # What exactly is wrong (a certificate, a file) is for the platform team, not for the comment.
        about = {"preview": preview.name, "service": config.name, "error": str(error)}
        log.warning("cannot look for an image", extra=about)
        return ImageMissing(_cannot_look(error, context.now(), before))


def _refused(references: Sequence[str], facts: PullRequestFacts) -> ImageMissing | None:
    """Return that an image is not allowed, by the real references; None if all of them are."""
    # A branch of 130 characters gives a tag that no registry can hold: nobody forbids it, it never comes.
    possible = [reference for reference in references if images.well_formed(reference)]
    allowed = facts.bounds.images if facts.bounds is not None else ()
    refused = [reference for reference in possible if not images.is_allowed(reference, allowed)]
    return ImageMissing(Waiting(reason=Reason.IMAGE_NOT_ALLOWED, detail=refused[0])) if refused else None


def _cannot_look(error: RemoteError, now: datetime, before: Waiting | None) -> Waiting:
    """Say what the registry said, by its kind: the words are the reason's."""
    reason = reason_of(error)
    said = f"{error.what} answered {error.status}" if error.status else error.what
    if error.after is None:
        return Waiting(reason=reason, detail=said if reason in _TOLD_WITH_STATUS else error.what)
    until = (now + timedelta(seconds=error.after)).replace(microsecond=0)
    # The same moment, counted down by another clock: the comment is not to change with each look.
    if before and before.until and abs((until - before.until).total_seconds()) < _SAME_MOMENT:
        until = before.until
    return Waiting(reason=reason, detail=error.what, until=until)


def _looked_lately(context: Context, preview: Preview, service: Service, now: datetime) -> bool:
    last = context.memory.image_lookups.get(_memory_key(preview, service))
    if last is None:
        return False
    deadline = context.settings.deadlines.image
    interval = image_interval(preview.status.observed.head_first_seen_at, last, deadline)
    # A second early is in time: timers are not exact, and a missed look costs a whole interval.
    return (now - last).total_seconds() < interval - 1


def _memory_key(preview: Preview, service: Service) -> str:
    return f"{preview.name}/{service.name}/{preview.status.observed.head_sha}"


async def _find(
    context: Context,
    config: ServiceConfig,
    references: list[str],
    facts: PullRequestFacts,
    merge_shas: tuple[str, ...],
) -> ImageLookup:
    """A tag that names no commit counts only if the image itself says which commit it was built from."""
    by_tag = images.names_commit(config.image)
    reason = Reason.NO_IMAGE
    for reference in filter(images.well_formed, references):
        # A tag such as `pr-12` stays the same over many commits. The image behind it counts only if its label
        # names this head, or a test merge of it; else the preview would show the commit before.
        try:
            found = await context.registry.find(images.parse_reference(reference), revision=not by_tag)
        except RepositoryUnknown as error:
            # The first push may make it, so this is waited for like any image that is not there.
            log.info("the registry knows no such repository", extra={"error": str(error)})
            found, reason = None, Reason.REPOSITORY_UNKNOWN
        if found is None:
            continue
        if by_tag or found.revision in (facts.pull_request.head.sha, *merge_shas):
            return ImageFound(reference, found.digest)
        detail = f"{reference} was built from {found.revision or 'an unknown commit'}"
        return ImageMissing(Waiting(reason=Reason.NOT_OF_THIS_COMMIT, detail=detail))
    detail = references[0] if references else config.image
    return ImageMissing(Waiting(reason=reason, detail=detail))
