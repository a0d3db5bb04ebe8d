"""The look at GitHub: the pull request, its configuration and what it changes, and the conversation."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import AgentSeen, Observed, Preview, Status, Unseen
from previewbot.api.github import PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.config.agents import AgentTable
from previewbot.config.repository import RepositoryConfig, Triggers
from previewbot.errors import Invalid, NotFound
from previewbot.reconciler.context import Context
from previewbot.reconciler.conversation import Inbox, OwnComments
from previewbot.reconciler.gather.base_branches import read_base_branch
from previewbot.reconciler.gather.configuration import (
    file_elsewhere,
    read_changes,
    read_configuration,
)
from previewbot.reconciler.gather.glances import glance_at
from previewbot.reconciler.gather.merge_queue import queue_heads
from previewbot.reconciler.gather.mistakes import mistakes_of
from previewbot.reconciler.gather.presses import with_presses
from previewbot.reconciler.gather.pull_request import read_pull_request
from previewbot.reconciler.gather.requests import read_inbox, read_own
from previewbot.reconciler.gather.routes import leads_outside
from previewbot.reconciler.gather.verdicts import with_verdicts
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.reconciler.plan.inbox import COMMENT
from previewbot.reconciler.plan.late import next_look
from previewbot.reconciler.plan.requeue import FACTS_HOLD, LAG_LIMIT
from previewbot.reconciler.store import PreviewStore
from previewbot.rules import agents, images, policy
from previewbot.rules.base_branches import configuration_ref
from previewbot.rules.glance_pace import APART, Left, apart
from previewbot.rules.repositories import Bounds, bounds_of, why_nothing
from previewbot.rules.seldom import kind_of
from previewbot.rules.unknown_apps import taken_for

log = logging.getLogger(__name__)

_SECOND = timedelta(seconds=1)
"""GitHub's times have whole seconds: what happens in the same one is told with the same time."""

_WATCHED_APART = timedelta(seconds=5)
"""Less than any interval at which something is waited for."""


def must_read(context: Context, preview: Preview, facts: PullRequestFacts | None, now: datetime) -> bool:
    """Return whether GitHub must be read: poked, waited for, or not known (any more)."""
    if facts is None or facts.lagging or preview.unseen_poke:
        return True
    pace = _pace(context, preview, facts, now)
    return _is_due(facts, pace, now) or _is_old(facts, pace, now)


def wants_a_look(context: Context, preview: Preview, facts: PullRequestFacts, now: datetime) -> bool:
    """Return whether GitHub would be read now if nobody had told of anything."""
    pace = _pace(context, preview, facts, now)
    # What is watched is read at intervals of its own, and not once more with each comment.
    due = facts.read_at is None or now - facts.read_at >= _WATCHED_APART
    return (due and _is_due(facts, pace, now)) or _is_old(facts, pace, now)


def _pace(context: Context, preview: Preview, facts: PullRequestFacts, now: datetime) -> timedelta | None:
    """Return how far apart looks at a pull request are that waits for something; None if it does not."""
    if not (facts.problems or any(service.waiting for service in preview.status.services)):
        return None
    installation_id = preview.spec.installation_id
    watched = context.memory.watched.count(installation_id, preview.name, now)
    points = context.github.installation(installation_id).hours.points
    left = Left(points.limit, points.remaining, points.reset - now.timestamp()) if points else None
    pace = apart(watched, left)
    # Where no glance told it, nothing but what is free was asked. Once points are scarce those looks are as
    # far apart: each would take a glance if it could, or else all those requests again.
    return pace if facts.glanced or pace > APART else timedelta(0)


def _is_due(facts: PullRequestFacts, pace: timedelta | None, now: datetime) -> bool:
    return pace is not None and (facts.read_at is None or now - facts.read_at >= pace)


def _is_old(facts: PullRequestFacts, pace: timedelta | None, now: datetime) -> bool:
    moments = (facts.again_at, facts.unseen_at, facts.verdicts_at)
    due = [moment for moment in moments if moment is not None]
    again = any(now >= moment for moment in due)
    holds = max(FACTS_HOLD, pace or FACTS_HOLD)
    return again or facts.read_at is None or now - facts.read_at >= holds


async def read_github(
    context: Context, store: PreviewStore, now: datetime, *, may_wait: bool = False, sparing: bool = False
) -> tuple[PullRequestFacts, Inbox]:
    """Read all of GitHub that a pass goes by.

    With `sparing` the last fifth of the hour's requests is left to others, whatever runs. Raises what
    `read_pull_request` raises; `Paused` if this `may_wait` and is a stranger's whose next look is not due; or
    a RemoteError when any of it cannot be read now: half a look is no look, since it would be told under the
    name of a commit that nobody acted on.
    """
    name, pauses = store.preview.name, context.memory.pauses
    if may_wait:
        pauses.require_due(store.preview, now)
    if store.preview.unseen_poke:
        # Something happened, perhaps the build's end: look for the image now, not when it is due.
        context.memory.forget_image_lookups(name)
    before = context.memory.facts.get(name)
    seen = await glance_at(context, store.preview, before, now, sparing=sparing)
    if seen is not None and seen.pull_request is not None:
        client, pull_request = seen.client, seen.pull_request
    else:
        client, pull_request = await read_pull_request(context, store, sparing=sparing)
    if pull_request.is_fork:
        pauses.note_fork(name, pull_request.author.id)
    if may_wait:
        # Again, since only this answer says whose it is. What follows costs four requests and more.
        pauses.require_due(store.preview, now)
    # By the name in this very answer, whose number was compared with the Preview's. What the spec calls the
    # repository, web's token may write.
    repository = pull_request.base.repository
    bounds = bounds_of(context.settings, repository)
    if bounds is None:
        return await _nothing_here(context, client, store.preview, pull_request, now)
    facts = await _facts(context, client, store, pull_request, bounds, now)
    if seen is not None and seen.inbox is not None:
        inbox, in_reviews = seen.inbox, False
    else:
        inbox, in_reviews = await read_inbox(context, client, store.preview, pull_request, facts.agent, now)
    inbox = await with_presses(context, client, store.preview, pull_request, inbox)
    inbox, verdicts_at = await with_verdicts(context, client, store.preview, pull_request, facts.agent, inbox)
    heads = await queue_heads(context, client, store.preview, pull_request)
    lagging = _lagging(store.preview, pull_request, inbox.unseen, in_reviews or heads == (), now)
    facts = replace(
        facts,
        queue_heads=None if lagging and heads == () else heads,
        elsewhere=await _elsewhere(context, client, store.status, facts, inbox),
        mistakes=await mistakes_of(context, client, store.status, facts, bounds, asked=bool(inbox.requests)),
        settled=pull_request.updated_at + _SECOND <= client.time_at(now),
        lagging=lagging,
        unseen_at=next_look(inbox.unseen, now),
        again_at=inbox.left.again_at if inbox.left else None,
        verdicts_at=verdicts_at,
        glanced=seen is not None,
    )
    # Remembered only here, when all of it was read. If the comments could not be read after the pull request
    # was, a new head would be told of although its commands and files are not known.
    context.memory.facts[name] = facts
    return facts, inbox


async def _facts(
    context: Context,
    client: InstallationClient,
    store: PreviewStore,
    pull_request: PullRequest,
    bounds: Bounds,
    now: datetime,
) -> PullRequestFacts:
    """Return what GitHub shows of a pull request, but for its conversation."""
    repository = pull_request.base.repository
    recognised = await _agent(client, pull_request, context.settings.agents.known)
    agent, command_only = taken_for(
        recognised, pull_request.author, context.settings.agents, is_fork=pull_request.is_fork
    )
    base_branch = await read_base_branch(client, pull_request, context.settings)
    ref = configuration_ref(pull_request, base_branch)
    configuration = await read_configuration(context.memory.configurations, client, bounds, repository, ref)
    changed = await read_changes(context, client, store.preview, pull_request, configuration)
    files = changed.files
    observed, read = store.status.observed, configuration.read
    # A file with other mistakes does not say where the route leads that is there.
    entry_refused = read.entry_refused or (
        bool(read.problems) and await leads_outside(context, store.preview, bounds)
    )
    return PullRequestFacts(
        pull_request=pull_request,
        config=configuration.config,
        bounds=bounds,
        config_sha=configuration.sha,
        base_branch=base_branch,
        problems=read.problems,
        not_allowed=read.not_allowed,
        entry_refused=entry_refused,
        agent=agent,
        command_only=command_only,
        files=files,
        left_out=changed.left_out,
        shared=changed.shared,
        room=changed.room,
        changes_configuration=changed.configuration,
        merge_sha=await _merge_sha(client, observed, pull_request, configuration.config, files),
        read_at=now,
    )


async def _elsewhere(
    context: Context, client: InstallationClient, status: Status, facts: PullRequestFacts, inbox: Inbox
) -> str:
    """Return where a file lies that may have been meant for the configuration that is missing.

    It is looked for only where somebody may be told of it: most pull requests of a repository without
    previews ask for none.
    """
    pull_request = facts.pull_request
    if facts.config_sha or facts.problems or pull_request.state == "closed":
        return ""
    started_by, command_only = status.lifecycle.started_by, facts.command_only
    waits = policy.trigger(pull_request, Triggers(), facts.agent, started_by, command_only=command_only)
    if not waits and not inbox.requests:
        return ""
    ref = configuration_ref(pull_request, facts.base_branch)
    return await file_elsewhere(context, client, pull_request.base.repository, ref, pull_request.base.sha)


async def _nothing_here(
    context: Context, client: InstallationClient, preview: Preview, pull_request: PullRequest, now: datetime
) -> tuple[PullRequestFacts, Inbox]:
    """Return what is known of a pull request in a repository that may have nothing: what cannot be spared.

    Its file, its commits and its commands are not read. Only a comment of ours that an earlier pass announced
    and did not record is looked for, since it must not go on offering what is not there.
    """
    repository = pull_request.base.repository
    if context.memory.said.is_due(kind_of(context.settings, repository), repository.lower(), now):
        about = {"repository": repository, "why": why_nothing(context.settings, repository)}
        log.warning("a repository gets nothing", extra=about)
    report = preview.status.report(COMMENT)
    lost = report.intent_at is not None and not report.id
    own = await read_own(context, client, preview, pull_request) if lost else OwnComments()
    known = preview.status.requests
    inbox = Inbox(own=own, read_at=pull_request.updated_at, told_comment_id=known.told_comment_id)
    facts = PullRequestFacts(pull_request=pull_request, config=None, bounds=None, read_at=now)
    context.memory.facts[preview.name] = facts
    return facts, inbox


async def _agent(
    client: InstallationClient, pull_request: PullRequest, table: AgentTable
) -> AgentSeen | None:
    signs = agents.Signs.of(pull_request)
    if not agents.needs_commits(signs, table):
        return agents.recognise(signs, None, table)
    commits = await client.commits(pull_request.base.repository, pull_request.number)
    return agents.recognise(signs, commits, table)


async def _merge_sha(
    client: InstallationClient,
    observed: Observed,
    pull_request: PullRequest,
    config: RepositoryConfig | None,
    files: Mapping[str, int],
) -> str:
    """Return the test merge of this very head, if an image of a changed service can be named by it.

    For a while after a push GitHub goes on showing the test merge of the commit before, of which there may be
    an image: only the second parent says of which head it is.
    """
    sha, head = pull_request.merge_commit_sha, pull_request.head.sha
    services = config.services if config else ()
    if not sha or pull_request.mergeable is False:
        return ""
    if not any(images.counts_merges(service.image) for service in services if service.name in files):
        return ""
    # Asked before, and the answer never changes: a commit's parents are part of its SHA.
    if observed.head_sha == head and sha in observed.merge_shas:
        return sha
    try:
        parents = await client.parents(pull_request.base.repository, sha)
    except (NotFound, Invalid):
        return ""
    # The first parent is the tip of the base branch, the second the head that was merged into it.
    return sha if parents[1:] == (head,) else ""


def _lagging(
    preview: Preview, pull_request: PullRequest, missing: Sequence[Unseen], elsewhere: bool, now: datetime
) -> bool:
    """Return whether GitHub's API is behind its own webhook; believed for at most a minute.

    `missing` are comments of which a webhook told and that it does not show; `elsewhere`: there is such a
    thing in reviews, or a branch of a merge queue.
    """
    poke = preview.poke
    # Nor is a poke of tomorrow believed, which whoever writes annotations could make: it would be looked for
    # every two seconds until then. Clocks of two pods differ by less.
    if poke.poked_at is None or abs(now - poke.poked_at) >= LAG_LIMIT:
        return False
    # For example the webhook told of 12:00:05 and comment 42, and the API still shows 12:00:01 and comment
    # 41. The pass acts on what it sees, and looks again in two seconds.
    behind = poke.updated_at is not None and pull_request.updated_at < poke.updated_at
    unseen = elsewhere or any(each.id == poke.comment_id for each in missing)
    return behind or unseen
