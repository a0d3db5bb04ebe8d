"""The plan: what should be, the next step towards it, the status that says so; a function of an observation.

facts and requests ─▶ lifecycle ─▶ decision ─▶ services and children ─▶ phase, clock, link, conditions
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from previewbot.api import Child, ChildState, ConfigurationProblem, Pictures, Reason, RequestKind, Status
from previewbot.config.repository import Notify
from previewbot.reconciler.children.actions import Create, Delete
from previewbot.reconciler.children.kind import ChildKind, Desired, Route
from previewbot.reconciler.conversation import Inbox, Request
from previewbot.reconciler.observation import Observation, PullRequestFacts
from previewbot.reconciler.plan import lifecycle
from previewbot.reconciler.plan.agents_commands import counted, is_too_many
from previewbot.reconciler.plan.commands import apply_request, show_eyes
from previewbot.reconciler.plan.decision import Decision, End, Leave, Run, decide
from previewbot.reconciler.plan.fold import Steps, fold
from previewbot.reconciler.plan.inbox import adopt, resume, summed_up
from previewbot.reconciler.plan.link import with_route_to_write
from previewbot.reconciler.plan.notices import wanted_now
from previewbot.reconciler.plan.pictures import with_pictures
from previewbot.reconciler.plan.presses import with_answers_bounded, without_answers
from previewbot.reconciler.plan.refusals import refuse
from previewbot.reconciler.plan.reviews import with_reviews
from previewbot.reconciler.plan.steps import of_kinds, removal, steps_of
from previewbot.reconciler.plan.unseen import hidden
from previewbot.reconciler.plan.verdicts import with_verdicts


@dataclass(frozen=True)
class Plan:
    """What is to be done, and the status to store before any of it is done.

    `route` is what leads people there, None where there is nothing to change about it. `may_create` is false
    on facts that could not be confirmed now. `notify` is whom the repository wants to be told once, as far as
    that is known and a person may wait. `mistakes` are those that the pull request itself makes.
    """

    status: Status
    decision: Decision
    steps: Steps
    route: Desired | None = None
    may_create: bool = True
    notify: Notify | None = None
    mistakes: tuple[ConfigurationProblem, ...] = ()

    @property
    def creates(self) -> bool:
        """Whether something is to be created."""
        return any(isinstance(action, Create) for action in self.steps.actions)

    @property
    def removes(self) -> bool:
        """Whether something is to be deleted."""
        return any(isinstance(action, Delete) for action in self.steps.actions)


def status_with_input(observation: Observation) -> Status:
    """Return the stored status with what GitHub, people and the clock changed since."""
    status, facts = observation.preview.status, observation.facts
    # By the moment when the look began: what was in time then must not be too late after a slow look.
    now = observation.read_at or observation.now
    # The clock comes before the commands: a preview that is past its time has ended, and `extend` is refused.
    status = lifecycle.end_if_expired(status, now)
    if observation.fresh and facts is not None:
        status = lifecycle.record_facts(status, facts, now)
        if observation.requested is not None:
            status = lifecycle.record_request(status, observation.requested)
        status = _with_conversation(status, observation, facts, now)
        status = with_verdicts(status, observation.inbox, facts, observation.requested)
        # Only now is the delivery accounted for. If the process dies before this status is stored, the poke
        # counts as unseen, and the next pass looks at GitHub again.
        delivery_id = observation.preview.poke.delivery_id
        status = lifecycle.record_facts(status, facts, now, delivery_id=delivery_id)
        status = lifecycle.record_queue(status, facts, observation.preview.poke.queued_id)
    if _gives_way(observation, status):
        status = lifecycle.give_way(status, now)
    status = with_pictures(status, observation)
    remaining = len(observation.found) + len(hidden(status.children, observation.unseen))
    return lifecycle.restart_clock(status, remaining=remaining)


def _gives_way(observation: Observation, status: Status) -> bool:
    """Return whether what sleeps ends now for one that waits.

    By what the cluster shows now: somebody may have opened the link a moment ago. And not while the slot
    would be for nothing: where GitHub, or mirrord's operator, is away, whoever waits cannot begin.
    """
    if not observation.gives_way or status.lifecycle.ended is not None or observation.facts is None:
        return False
    if observation.read_error is not None or observation.no_preview_because is not None:
        return False
    if observation.inbox.requests or status.observed.head_sha != observation.preview.status.observed.head_sha:
        # Somebody asked for something in this very look, or pushed: the answer must not be that it ends.
        return False
    # What a session needs (a database of its own) is up and takes no requests.
    sleeps = [
        child.state is ChildState.IDLE and child.reason is not Reason.WAKING
        for child in observation.found
        if child.serving
    ]
    others = all(child.state is ChildState.READY for child in observation.found if not child.serving)
    return bool(sleeps) and all(sleeps) and others


def _with_conversation(
    status: Status, observation: Observation, facts: PullRequestFacts, now: datetime
) -> Status:
    """Return the status with what was new in the conversation, so that what was left is read again."""
    inbox, left = observation.inbox, observation.inbox.left
    status = adopt(resume(status, inbox.earlier), inbox.own)
    refused = list[Request]()
    if status.observed.head_sha != observation.preview.status.observed.head_sha:
        status = without_answers(status)
    for request in inbox.requests:
        if not (request.granted or request.too_many) or is_too_many(request, status.requests, now):
            refused.append(request)
            continue
        status = replace(status, requests=counted(request, status.requests, now))
        ttl_max = observation.limits.ttl_max
        status = apply_request(status, request, facts=facts, ttl_max=ttl_max, now=now, logs=observation.logs)
    for request in inbox.waiting:
        status = show_eyes(status, request)
    status = with_answers_bounded(refuse(status, refused, inbox.told, inbox.refusals_left))
    kind = RequestKind.ISSUE_COMMENT
    requests = summed_up(status.requests, _oldest_waiting(inbox))
    requests = replace(
        requests,
        floor=max(requests.floor, inbox.passed_over),
        read_at=_read_at(inbox),
        unseen=inbox.unseen,
        told_comment_id=inbox.told_comment_id,
    )
    seen = observation.preview.poke.member_comment_id
    oldest = left.oldest.get(kind) if left else None
    taken = oldest is None or seen < oldest or seen in requests.comments
    if taken and not facts.lagging:
        # While GitHub lags the command may not be shown yet; that is believed for a minute at most, so that
        # one which was deleted again does not count for ever.
        requests = replace(requests, member_comment_id=seen)
    return replace(status, requests=with_reviews(requests, observation.preview.poke, inbox, facts))


def _read_at(inbox: Inbox) -> datetime | None:
    """Return how far the conversation was read: what was left is read again."""
    read_at = inbox.read_at
    since = inbox.left.since.get(RequestKind.ISSUE_COMMENT) if inbox.left else None
    return min(read_at, since) if since and read_at else read_at


def _oldest_waiting(inbox: Inbox) -> dict[str, int]:
    """Return the oldest of each kind that is still to be carried out, or to be shown."""
    oldest, kind = dict(inbox.left.oldest) if inbox.left else {}, RequestKind.ISSUE_COMMENT
    waits = [*(each.id for each in inbox.unseen), *([oldest[kind]] if kind in oldest else [])]
    return oldest | ({kind: min(waits)} if waits else {})


def make_plan(observation: Observation, kinds: Sequence[ChildKind], route: Route) -> Plan:
    """Decide what is to be done in this world."""
    before = status_with_input(observation)
    decision = decide(before, observation.facts, observation.found)
    steps = steps_of(
        replace(observation, preview=replace(observation.preview, status=before)), decision, kinds
    )
    return _plan(observation, before, decision, steps, kinds, route)


def plan_run(observation: Observation, kinds: Sequence[ChildKind], route: Route) -> Plan:
    """Plan that everything of this world runs, whoever asked for it; the status is taken as it is."""
    decision = Run()
    return _plan(
        observation,
        observation.preview.status,
        decision,
        steps_of(observation, decision, kinds),
        kinds,
        route,
    )


def plan_removal(
    observation: Observation, decision: Leave | End, kinds: Sequence[ChildKind], route: Route
) -> Plan:
    """Plan an end about which GitHub cannot be asked: everything goes, and there is nobody to tell."""
    status = replace(observation.preview.status, pictures=Pictures())
    steps = removal(observation, kinds)
    return _plan(observation, status, decision, steps, kinds, route)


def with_route_result(
    plan: Plan, status: Status, observation: Observation, kinds: Sequence[ChildKind]
) -> Status:
    """Return how everything stands once it is known whether the cluster took the route, as `status` says."""
    steps = replace(plan.steps, children=tuple(of_kinds(status.children, kinds)))
    return fold(observation, status, plan.decision, steps, _others(status, kinds))


def _plan(
    observation: Observation,
    before: Status,
    decision: Decision,
    steps: Steps,
    kinds: Sequence[ChildKind],
    route: Route,
) -> Plan:
    # Where the route leads follows from what serves, and the link from what is known of the route.
    served = before if before.services == steps.services else replace(before, services=steps.services)
    preview = replace(observation.preview, status=served)
    begins = _may_have_route(observation, before, decision)
    desired = route.desired(preview, observation.facts, observation.limits, begins=begins)
    before = with_route_to_write(before, desired, observation.now)
    status = fold(observation, before, decision, steps, _others(before, kinds))
    notify = wanted_now(status, observation.facts)
    mistakes = observation.facts.mistakes if observation.facts else ()
    return Plan(status, decision, steps, desired, observation.read_error is None, notify, mistakes)


def _may_have_route(observation: Observation, before: Status, decision: Decision) -> bool:
    """Return whether something may run, or did.

    Anybody can open a pull request, and a host name in staging is not for the asking. Until there is a route
    nothing names its host; comment and answers lead to previewbot's own page.
    """
    # Not only while it runs: a process that died may have made the route and not recorded it. It must be
    # turned to the page at the end like any other.
    return isinstance(decision, Run) or bool(observation.found) or before.lifecycle.ready_at is not None


def _others(status: Status, kinds: Sequence[ChildKind]) -> list[Child]:
    """Return the children that no kind here looks after: the route, and what a newer version knows."""
    names = {kind.name for kind in kinds}
    return [child for child in status.children if child.kind not in names]
