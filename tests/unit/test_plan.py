"""This world, that plan: the plan as a table. A world is what `gather` found; the plan asks nothing more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import (
    Child,
    ChildState,
    ConfigurationProblem,
    Ended,
    Holders,
    Lifecycle,
    Link,
    LinkKind,
    Phase,
    Preview,
    Reason,
    Service,
    Slot,
    SlotBound,
    Status,
    Waiting,
)
from previewbot.config.repository import Entry, RepositoryConfig
from previewbot.config.server import GatewaySettings
from previewbot.errors import TryLater
from previewbot.reconciler.children import KINDS, ROUTE
from previewbot.reconciler.children.actions import Delete
from previewbot.reconciler.conversation import Request
from previewbot.reconciler.observation import Found, ImageFound, ImageLookup, ImageMissing, Observation
from previewbot.reconciler.plan.decision import Decision, End, Hold, Leave, Run
from previewbot.reconciler.plan.inbox import comment_request
from previewbot.reconciler.plan.planner import Plan, make_plan, plan_removal, with_route_result
from previewbot.rules.commands import Command
from previewbot.rules.slots import SlotGrant
from tests.support.observations import (
    CONFIG,
    DIGEST,
    FACTS,
    FORK,
    LIMITS,
    REFERENCE,
    a_child,
    a_pull_request,
    a_service,
    a_session,
    an_observation,
    facts_of,
    planned,
    running,
    seen,
    session_hash,
    session_name,
)
from tests.support.previews import HEAD, NOW, OLDER, a_preview

BUILDING = ImageMissing(Waiting(reason=Reason.BUILD_RUNNING))
BUILT = ImageFound(REFERENCE, DIGEST)
FULL = SlotGrant(granted=False, position=3, limit=10)
MISTAKE = ConfigurationProblem(line=7, message="`imge` is unknown")

CREATE, DELETE = f"create {session_name()}", f"delete {session_name()}"
TILL = session_name("deployment/till")

NEW = a_preview()
AWAITING = running(services=(a_service(""),), slot=Slot())
CREATED = running(children=(a_child(ChildState.CREATING, reason=Reason.CREATING),))
READY = running(
    phase=Phase.READY,
    reason=Reason.ALL_READY,
    services=(a_service(phase=Phase.READY, serving_sha=HEAD, serving_since=NOW, since=NOW),),
    children=(a_child(),),
    lifecycle=Lifecycle(ready_at=NOW, ready_sha=HEAD, expires_at=NOW + timedelta(hours=8)),
)


def with_lifecycle(preview: Preview, lifecycle: Lifecycle) -> Preview:
    return replace(preview, status=replace(preview.status, lifecycle=lifecycle))


def with_status(preview: Preview, **changes: Any) -> Preview:
    return replace(preview, status=replace(preview.status, **changes))


def with_children(preview: Preview, *children: Child) -> Preview:
    return replace(preview, status=replace(preview.status, children=children))


EXPIRED = with_lifecycle(READY, replace(READY.status.lifecycle, expires_at=NOW))
STOPPED = with_lifecycle(READY, Lifecycle(ended=Ended(reason=Reason.BY_COMMAND, at=NOW, by="ann")))


def with_service(preview: Preview, **changes: object) -> Preview:
    (service,) = preview.status.services
    return replace(preview, status=replace(preview.status, services=(replace(service, **changes),)))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Case:
    """A world and what is planned in it. `slot` is whether the preview holds one afterwards."""

    world: Observation
    decision: Decision
    phase: Phase | None
    reason: Reason | None
    actions: tuple[str, ...] = ()
    slot: bool = False


def world(
    preview: Preview, *found: Found, images: ImageLookup | None = None, **changes: object
) -> Observation:
    looked = {"checkout": images} if images else {}
    return replace(an_observation(preview, found=found, images=looked), **changes)  # type: ignore[arg-type]


def unreadable(preview: Preview, *found: Found) -> Observation:
    """GitHub does not answer, and a restart has forgotten what it said."""
    return world(preview, *found, facts=None, fresh=False, read_error=TryLater("GitHub", status=502))


RUN, LET_BE = Run(), Hold()
CASES = {
    "nothing is known: nothing is done": Case(unreadable(NEW), LET_BE, None, Reason.LOOK_DELAYED),
    "what serves serves on while GitHub does not answer": Case(
        unreadable(READY, a_session()), LET_BE, Phase.READY, Reason.ALL_READY, slot=True
    ),
    "what vanished while GitHub does not answer is not called ready": Case(
        unreadable(READY), LET_BE, Phase.DEPLOYING, Reason.CREATING, slot=True
    ),
    "nobody asked for a preview": Case(
        world(NEW, facts=replace(FACTS, agent=None)),
        Leave(Reason.NOT_TRIGGERED), Phase.NOTHING_TO_PREVIEW, Reason.NOT_TRIGGERED,
    ),
    "no service is changed": Case(
        world(NEW, facts=replace(FACTS, files={})),
        End(Reason.NO_SERVICE_CHANGED), Phase.NOTHING_TO_PREVIEW, Reason.NO_SERVICE_CHANGED,
    ),
    "there is no configuration": Case(
        world(NEW, facts=replace(FACTS, config=None)),
        End(Reason.NO_CONFIGURATION), Phase.NOTHING_TO_PREVIEW, Reason.NO_CONFIGURATION,
    ),
    "the image is not there yet": Case(
        world(NEW, images=BUILDING), RUN, Phase.AWAITING_IMAGE, Reason.BUILD_RUNNING
    ),
    "no image came within the deadline": Case(
        world(AWAITING, images=ImageMissing(Waiting(reason=Reason.IMAGE_MISSING))),
        RUN, Phase.FAILED, Reason.IMAGE_MISSING,
    ),
    "the image is there and a slot is free": Case(
        world(AWAITING, images=BUILT), RUN, Phase.DEPLOYING, Reason.CREATING, (CREATE,), slot=True
    ),
    "the image is there and no slot is free": Case(
        world(AWAITING, images=BUILT, slot=FULL), RUN, Phase.QUEUED, Reason.LIMIT_REACHED
    ),
    "the session comes up": Case(
        world(CREATED, a_session(ChildState.CREATING)), RUN, Phase.DEPLOYING, Reason.CREATING, slot=True
    ),
    "the operator does not react": Case(
        world(
            running(children=(a_child(ChildState.CREATING, since=NOW - timedelta(minutes=2)),)),
            a_session(ChildState.CREATING, answered=False, created_at=NOW - timedelta(minutes=2)),
        ),
        RUN, Phase.DEPLOYING, Reason.OPERATOR_SILENT, slot=True,
    ),
    "the session is ready": Case(
        world(CREATED, a_session()), RUN, Phase.READY, Reason.ALL_READY, slot=True
    ),
    "the session sleeps": Case(
        world(READY, a_session(ChildState.IDLE)), RUN, Phase.IDLE, Reason.ASLEEP, slot=True
    ),
    "the session failed": Case(
        world(CREATED, a_session(ChildState.FAILED, message="KeyError")),
        RUN, Phase.FAILED, Reason.SERVICE_FAILED, (DELETE,), slot=True,
    ),
    "a push while it serves, and its image is built still": Case(
        world(READY, a_session(), facts=facts_of(OLDER), images=BUILDING),
        RUN, Phase.AWAITING_IMAGE, Reason.BUILD_RUNNING, slot=True,
    ),
    "a push while it serves, and its image is there": Case(
        world(READY, a_session(spec_hash="of the commit before")),
        RUN, Phase.DEPLOYING, Reason.REPLACING, (DELETE,), slot=True,
    ),
    "its time is up": Case(
        world(EXPIRED, a_session()),
        End(Reason.TIME_UP), Phase.STOPPING, Reason.TIME_UP, (DELETE,), slot=True,
    ),
    "its time is up, though GitHub does not answer": Case(
        unreadable(EXPIRED, a_session()),
        End(Reason.TIME_UP), Phase.STOPPING, Reason.TIME_UP, (DELETE,), slot=True,
    ),
    "its time is up, and nothing is left": Case(
        world(EXPIRED), End(Reason.TIME_UP), Phase.EXPIRED, Reason.TIME_UP
    ),
    "somebody stopped it": Case(
        world(STOPPED, a_session()),
        End(Reason.BY_COMMAND), Phase.STOPPING, Reason.BY_COMMAND, (DELETE,), slot=True,
    ),
    "somebody stopped it, and its session is going": Case(
        world(STOPPED, a_session(deleting_since=NOW)),
        End(Reason.BY_COMMAND), Phase.STOPPING, Reason.BY_COMMAND, slot=True,
    ),
    "somebody stopped it, and its session does not go": Case(
        world(STOPPED, a_session(deleting_since=NOW - timedelta(minutes=2))),
        End(Reason.BY_COMMAND), Phase.STOPPING, Reason.REMOVAL_STALLED, slot=True,
    ),
    "somebody stopped it, and nothing is left": Case(
        world(STOPPED), End(Reason.BY_COMMAND), Phase.STOPPED, Reason.BY_COMMAND
    ),
    "the pull request was closed": Case(
        world(READY, a_session(), facts=replace(FACTS, pull_request=a_pull_request(state="closed"))),
        Leave(Reason.CLOSED), Phase.STOPPING, Reason.CLOSED, (DELETE,), slot=True,
    ),
    "the pull request was merged, and nothing is left": Case(
        world(READY, facts=replace(FACTS, pull_request=a_pull_request(state="closed", merged=True))),
        Leave(Reason.MERGED), Phase.STOPPED, Reason.MERGED,
    ),
    "a fork's commit that nobody read": Case(
        world(NEW, images=BUILT, facts=replace(FACTS, pull_request=FORK)),
        End(Reason.FORK), Phase.AWAITING_APPROVAL, Reason.FORK,
    ),
    "a fork was pushed to while it served": Case(
        world(
            with_lifecycle(READY, Lifecycle(approved_sha=OLDER)),
            a_session(),
            facts=replace(FACTS, pull_request=FORK),
        ),
        End(Reason.FORK), Phase.STOPPING, Reason.FORK, (DELETE,), slot=True,
    ),
    "the configuration breaks while it serves": Case(
        world(READY, a_session(), facts=replace(FACTS, config=None, problems=(MISTAKE,))),
        Hold(Reason.CONFIGURATION_INVALID), Phase.FAILED, Reason.CONFIGURATION_INVALID, slot=True,
    ),
    "the configuration breaks before anything runs": Case(
        world(AWAITING, facts=replace(FACTS, config=None, problems=(MISTAKE,))),
        Hold(Reason.CONFIGURATION_INVALID), Phase.FAILED, Reason.CONFIGURATION_INVALID,
    ),
    "a session that no service accounts for": Case(
        world(READY, a_session(), a_session(name=TILL, service="till", uid="till-1")),
        RUN, Phase.READY, Reason.ALL_READY, (f"delete {TILL}",), slot=True,
    ),
    "a session that somebody else removed": Case(
        world(READY), RUN, Phase.DEPLOYING, Reason.CREATING, (CREATE,), slot=True
    ),
    "a session that somebody else removed once more": Case(
        world(with_children(READY, a_child(recreations=1))),
        RUN, Phase.FAILED, Reason.SERVICE_FAILED,
    ),
    "a session of an older namesake": Case(
        world(READY, a_session(owner_uid="uid-0")),
        RUN, Phase.DEPLOYING, Reason.REPLACING, (DELETE,), slot=True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_in_this_world_that_is_planned(name: str) -> None:
    case = CASES[name]
    plan = make_plan(case.world, KINDS, ROUTE)

    assert plan.decision == case.decision
    assert (plan.status.phase, plan.status.reason) == (case.phase, case.reason)
    assert (actions_of(plan), plan.status.slot.held) == (case.actions, case.slot)


def actions_of(plan: Plan) -> tuple[str, ...]:
    return tuple(
        f"delete {a.found.name}" if isinstance(a, Delete) else f"create {a.desired.name}"
        for a in plan.steps.actions
    )


# What else the plan says


def test_on_facts_that_could_not_be_confirmed_nothing_is_created() -> None:
    later = TryLater("GitHub", status=502)

    assert planned(AWAITING, images={"checkout": BUILT}).may_create
    assert not planned(AWAITING, images={"checkout": BUILT}, fresh=False, read_error=later).may_create


def test_what_waits_for_a_slot_says_since_when_and_where_it_stands_in_the_queue() -> None:
    first = planned(AWAITING, images={"checkout": BUILT}, slot=FULL).status.slot
    later = replace(a_preview(), status=replace(AWAITING.status, slot=first))
    again = planned(
        later,
        images={"checkout": BUILT},
        slot=SlotGrant(False, 0, SlotBound.AUTHOR, 2, Holders((7,), 1, 1)),
        now=NOW + timedelta(hours=1),
    ).status.slot
    later = replace(later, status=replace(later.status, slot=again))
    held = planned(later, images={"checkout": BUILT}, now=NOW + timedelta(hours=2)).status.slot

    assert first == Slot(held=False, waiting_since=NOW, queue_position=3, limit=10)
    assert again == Slot(waiting_since=NOW, bound=SlotBound.AUTHOR, limit=2, holders=Holders((7,), 1, 1))
    assert held == Slot(held=True, held_since=NOW + timedelta(hours=2), waiting_since=NOW)


def test_what_a_push_replaces_is_forgotten_in_the_status_before_it_is_deleted() -> None:
    plan = planned(READY, found=(a_session(spec_hash="of the commit before"),))
    (child,) = plan.status.children

    assert actions_of(plan) == (DELETE,)
    assert (child.uid, child.spec_hash, child.state) == ("", session_hash(), ChildState.REPLACING)
    assert plan.status.services[0].serving_sha == ""


def test_the_clock_starts_with_the_first_ready_and_the_end_is_told() -> None:
    plan = planned(CREATED, found=(a_session(),))

    assert plan.status.lifecycle == Lifecycle(
        ready_at=NOW, ready_sha=HEAD, expires_at=NOW + timedelta(hours=8)
    )
    assert plan.status.expires == "2026-11-24 17:00 UTC"


def test_a_stop_is_carried_out_and_noted_in_the_plan_that_deletes() -> None:
    stop = Request(comment_request(900), "ann", (Command("stop"),), may_write=True)
    observation = an_observation(READY, found=(a_session(),))
    plan = make_plan(replace(observation, inbox=replace(observation.inbox, requests=(stop,))), KINDS, ROUTE)

    assert (plan.decision, actions_of(plan)) == (End(Reason.BY_COMMAND), (DELETE,))
    assert plan.status.requests.handled == (comment_request(900),)
    assert [reply.command for reply in plan.status.replies] == ["stop"]


def test_an_inbox_that_was_not_read_in_this_pass_is_not_obeyed() -> None:
    stop = Request(comment_request(900), "ann", (Command("stop"),), may_write=True)
    observation = an_observation(READY, found=(a_session(),), fresh=False)
    plan = make_plan(replace(observation, inbox=replace(observation.inbox, requests=(stop,))), KINDS, ROUTE)

    assert plan.decision == RUN


# A repository that is gone

GONE = Leave(Reason.REPOSITORY_GONE)


def test_of_a_repository_that_is_gone_everything_is_removed() -> None:
    plan = plan_removal(world(READY, a_session(), facts=None, fresh=False), GONE, KINDS, ROUTE)

    assert (plan.status.phase, plan.status.reason) == (Phase.STOPPING, Reason.REPOSITORY_GONE)
    assert (actions_of(plan), plan.status.children[0].uid) == ((DELETE,), "")


def test_a_repository_that_is_gone_stays_stopping_until_the_preview_itself_goes() -> None:
    plan = plan_removal(world(READY, facts=None, fresh=False), GONE, KINDS, ROUTE)

    assert (plan.status.phase, plan.status.reason) == (Phase.STOPPING, Reason.REPOSITORY_GONE)
    assert (plan.status.children, plan.status.slot) == ((), Slot())


# The route


GATEWAY = GatewaySettings(name="public", namespace="gateways", domain="preview.example.com")
ENTRY = Entry(url="https://staging.example.com", namespace="staging", service="web", port=80)
ROUTED = replace(FACTS, config=RepositoryConfig(version=1, entry=ENTRY, services=(CONFIG,)))
BEHIND_GATEWAY = replace(LIMITS, gateway=GATEWAY)
REFUSED = Child(
    "HTTPRoute", "", a_preview().spec.environment_key, state=ChildState.FAILED,
    reason=Reason.ROUTE_REFUSED, message="no routes here", since=NOW,
)  # fmt: skip


def routed(preview: Preview, *found: Found, **changes: object) -> Plan:
    """Return the plan for a world with a gateway, in which the repository has an entry."""
    changes = {"facts": ROUTED, "limits": BEHIND_GATEWAY} | changes
    return make_plan(world(preview, *found, **changes), KINDS, ROUTE)  # type: ignore[arg-type]


def leads_to(plan: Plan) -> str:
    if plan.route is None:
        return "nowhere"
    return "the sessions" if ROUTE.leads_to_sessions(plan.route) else "the page"


def a_route(**changes: Any) -> Child:
    """Return the entry of the route that is wanted, taken by its Gateway; or as the changes say."""
    wanted = routed(READY, a_session()).route
    assert wanted is not None
    entry = Child(
        "HTTPRoute", "staging", wanted.name, spec_hash=wanted.spec_hash, state=ChildState.READY, since=NOW
    )
    return replace(entry, **changes)


SHOWN = Link(
    kind=LinkKind.GATEWAY,
    url=f"https://{READY.spec.environment_key}.preview.example.com/",
    staging_url="https://staging.example.com/",
)


def test_while_something_serves_the_route_leads_to_it() -> None:
    plan = routed(with_children(READY, a_child(), a_route()), a_session())

    assert leads_to(plan) == "the sessions"
    assert plan.status.link == SHOWN
    assert (plan.status.phase, plan.status.reason) == (Phase.READY, Reason.ALL_READY)


NOT_ACCEPTED: dict[str, Any] = {
    "state": ChildState.FAILED, "reason": Reason.ROUTE_NOT_ACCEPTED, "message": "NotAllowedByListeners: no",
}  # fmt: skip
AWAITED: dict[str, Any] = {"state": ChildState.CREATING, "reason": Reason.CREATING}
LONG_AGO = NOW - timedelta(seconds=61)


@pytest.mark.parametrize(
    ("changes", "reason", "message"),
    [
        (NOT_ACCEPTED, Reason.ROUTE_NOT_ACCEPTED, "NotAllowedByListeners: no"),
        (AWAITED, Reason.CREATING, ""),
        (AWAITED | {"since": LONG_AGO}, Reason.ROUTE_UNANSWERED, ""),
        # Accepted was the route that led to the page: what this one is told is not known yet.
        ({"spec_hash": "of the page"}, Reason.CREATING, ""),
        (NOT_ACCEPTED | {"spec_hash": "of the page"}, Reason.CREATING, ""),
    ],
)
def test_until_the_gateway_takes_the_route_there_is_no_link_and_the_preview_says_why(
    changes: dict[str, Any], reason: Reason, message: str
) -> None:
    status = routed(with_children(READY, a_child(), a_route(**changes)), a_session()).status

    assert (status.phase, status.reason) == (Phase.DEPLOYING, reason)
    assert (status.link.kind, status.link.url) == (None, "")
    assert (status.link.reason, status.link.message) == (reason, message)
    assert status.link.extension_url.startswith("https://metalbear.com/mirrord/extension#config=")
    assert [service.phase for service in status.services] == [Phase.READY]
    said = {c.type: (c.status, c.reason) for c in status.conditions}
    assert said["SessionsReady"] == ("True", "AsExpected")
    assert said["LinkReady"] == said["Ready"] == ("False", str(reason))


def test_what_serves_without_a_link_has_an_end_all_the_same() -> None:
    before = with_children(CREATED, a_child(), a_route(**NOT_ACCEPTED))
    status = routed(before, a_session()).status

    assert status.lifecycle.expires_at == NOW + timedelta(hours=8)
    assert status.expires


@pytest.mark.parametrize(("since", "shown"), [(NOW, True), (LONG_AGO, False)])
def test_a_link_that_was_shown_stays_while_the_gateway_looks_at_a_change_of_its_route(
    since: datetime, shown: bool
) -> None:
    before = with_status(with_children(READY, a_child(), a_route(**AWAITED, since=since)), link=SHOWN)
    status = routed(before, a_session()).status

    assert (status.link == SHOWN) is shown
    assert status.phase is (Phase.READY if shown else Phase.DEPLOYING)


@pytest.mark.parametrize(
    ("preview", "found"),
    [
        (AWAITING, ()),
        (CREATED, (a_session(ChildState.CREATING),)),
        (READY, (a_session(spec_hash="of the commit before"),)),
        (READY, (a_session(owner_uid="uid-0"),)),
        (READY, ()),
        (STOPPED, (a_session(),)),
        (EXPIRED, (a_session(),)),
    ],
)
def test_what_does_not_serve_or_is_about_to_go_is_not_led_to(
    preview: Preview, found: tuple[Found, ...]
) -> None:
    plan = routed(preview, *found)

    assert leads_to(plan) == "the page"
    assert plan.status.link.kind is None


def test_without_a_gateway_or_an_entry_there_is_no_route() -> None:
    assert leads_to(routed(READY, a_session(), limits=LIMITS)) == "nowhere"
    assert leads_to(routed(READY, a_session(), facts=FACTS)) == "nowhere"


def test_no_route_is_begun_for_what_nobody_asked_for() -> None:
    assert leads_to(routed(NEW, facts=replace(ROUTED, agent=None))) == "nowhere"


def test_while_the_route_is_refused_the_service_has_failed_of_it() -> None:
    status = routed(with_children(AWAITING, REFUSED), images=BUILT).status

    assert (status.phase, status.reason) == (Phase.FAILED, Reason.ROUTE_REFUSED)
    assert status.services[0].failure_message == "no routes here"


def test_what_serves_already_does_not_fail_of_a_refused_route() -> None:
    shown = with_status(with_children(READY, a_child(), REFUSED), link=SHOWN)
    status = routed(shown, a_session()).status

    assert (status.phase, status.reason) == (Phase.READY, Reason.ALL_READY)


def test_what_serves_and_never_had_a_link_has_none_through_a_route_that_is_refused() -> None:
    status = routed(with_children(READY, a_child(), REFUSED), a_session()).status

    assert (status.phase, status.reason) == (Phase.DEPLOYING, Reason.ROUTE_NOT_ACCEPTED)
    assert status.link.message == "no routes here"


def test_once_the_route_was_taken_in_this_pass_the_service_has_not_failed() -> None:
    observation = world(with_children(AWAITING, REFUSED), images=BUILT, facts=ROUTED, limits=BEHIND_GATEWAY)
    plan = make_plan(observation, KINDS, ROUTE)
    taken = replace(REFUSED, state=ChildState.READY, reason=None, message="", namespace="staging")
    session = next(child for child in plan.status.children if child.kind != "HTTPRoute")
    status = replace(plan.status, children=(session, taken))

    after = with_route_result(plan, status, observation, KINDS)

    assert (after.phase, after.reason) == (Phase.DEPLOYING, Reason.CREATING)


# Whatever the world


COMMITS = st.sampled_from([HEAD, OLDER])
STATES = st.sampled_from(list(ChildState))
AGO = st.sampled_from([0, 1, 119, 120, 3600]).map(lambda seconds: NOW - timedelta(seconds=seconds))

FOUND = st.builds(
    lambda state, head, spec, owner, deleting, created, answered, name: a_session(
        state, head_sha=head, spec_hash=spec, owner_uid=owner, deleting_since=deleting,
        created_at=created, answered=answered, name=name,
    ),
    st.sampled_from([ChildState.CREATING, ChildState.READY, ChildState.IDLE, ChildState.FAILED]),
    COMMITS,
    st.sampled_from([session_hash(), "of another commit"]),
    st.sampled_from(["uid-1", "uid-0"]),
    st.none() | AGO,
    AGO,
    st.booleans(),
    st.sampled_from([session_name(), TILL]),
)  # fmt: skip
CHILDREN = st.builds(
    lambda state, uid, attempt, recreations, reason: a_child(
        state, uid=uid, failed_attempt=attempt, recreations=recreations, reason=reason
    ),
    STATES,
    st.sampled_from(["", "session-1", "session-0"]),
    st.sampled_from(["", f"{HEAD}:{session_hash()}", "another"]),
    st.integers(0, 1),
    st.sampled_from([None, Reason.CREATING, Reason.REMOVAL_STALLED, Reason.SESSION_FAILED]),
)
LIFECYCLES = st.builds(
    lambda ended, expires, ready, approved: Lifecycle(
        ended=ended, expires_at=expires, ready_sha=ready, approved_sha=approved
    ),
    st.none()
    | st.builds(
        lambda reason, head: Ended(reason=reason, at=NOW, head_sha=head),
        st.sampled_from([Reason.TIME_UP, Reason.BY_COMMAND]),
        COMMITS,
    ),
    st.none() | st.sampled_from([NOW, NOW + timedelta(hours=1)]),
    st.just("") | COMMITS,
    st.just("") | COMMITS,
)
SERVICES: st.SearchStrategy[tuple[Service, ...]] = (
    st.just(()) | st.just("").map(lambda _: (a_service(""),)) | COMMITS.map(lambda head: (a_service(head),))
)
ENDS = st.sampled_from([(None, None), *((reason.phase, reason) for reason in Reason)])
PREVIEWS = st.builds(
    lambda end, services, children, lifecycle, held, observed: a_preview(
        phase=end[0], reason=end[1], services=services, children=tuple(children),
        lifecycle=lifecycle, slot=Slot(held=held), observed=observed,
    ),
    ENDS,
    SERVICES,
    st.lists(CHILDREN, max_size=1),
    LIFECYCLES,
    st.booleans(),
    st.sampled_from([seen(), seen(OLDER), seen(trigger="")]),
)  # fmt: skip
WORLD_FACTS = st.sampled_from(
    [
        None,
        FACTS,
        ROUTED,
        facts_of(OLDER),
        replace(FACTS, pull_request=FORK),
        replace(FACTS, agent=None),
        replace(FACTS, files={}),
        replace(FACTS, config=None),
        replace(FACTS, config=None, problems=(MISTAKE,)),
        replace(FACTS, pull_request=a_pull_request(state="closed", merged=True)),
    ]
)
IMAGES = st.sampled_from(
    [{}, *({"checkout": ImageMissing(Waiting(reason=r))} for r in Reason if r.phase is Phase.AWAITING_IMAGE),
     {"checkout": ImageMissing(Waiting(reason=Reason.IMAGE_MISSING))}, {"checkout": BUILT}]
)  # fmt: skip
WORLDS = st.builds(
    lambda preview, facts, fresh, found, images, granted, gateway: an_observation(
        preview,
        facts=facts,
        fresh=fresh and facts is not None,
        found=tuple({each.identity: each for each in found}.values()),
        images=images,
        # Who holds a slot keeps it.
        slot=SlotGrant(granted=True) if granted or preview.status.slot.held else FULL,
        limits=BEHIND_GATEWAY if gateway else LIMITS,
    ),
    PREVIEWS,
    WORLD_FACTS,
    st.booleans(),
    st.lists(FOUND, max_size=2),
    IMAGES,
    st.booleans(),
    st.booleans(),
)


def again(observation: Observation, status: Status) -> Plan:
    """Return the plan of the same world once this status is stored."""
    slot = SlotGrant(granted=True) if status.slot.held else observation.slot
    preview = replace(observation.preview, status=status)
    return make_plan(replace(observation, preview=preview, slot=slot), KINDS, ROUTE)


@given(WORLDS)
def test_whatever_the_world_to_plan_again_on_what_was_planned_changes_nothing(world: Observation) -> None:
    once = make_plan(world, KINDS, ROUTE)
    twice = again(world, once.status)

    assert twice.status == once.status
    assert twice.decision == once.decision


@given(WORLDS)
def test_whatever_the_world_phase_and_reason_agree_as_the_table_of_reasons_says(world: Observation) -> None:
    status = make_plan(world, KINDS, ROUTE).status

    assert status.reason is not None
    assert status.phase in (status.reason.phase, Phase.STOPPING)
    for service in status.services:
        if service.reason is not None:
            assert service.phase in (service.reason.phase, Phase.STOPPING)


@given(WORLDS)
def test_whatever_the_world_each_object_gets_at_most_one_action_and_nothing_is_deleted_twice(
    world: Observation,
) -> None:
    plan = make_plan(world, KINDS, ROUTE)

    assert len(actions_of(plan)) == len({action.partition(" ")[2] for action in actions_of(plan)})
    assert all(not isinstance(a, Delete) or a.found.deleting_since is None for a in plan.steps.actions)


@given(WORLDS)
def test_whatever_the_world_the_route_never_leads_to_what_the_plan_deletes(world: Observation) -> None:
    plan = make_plan(world, KINDS, ROUTE)
    deleted = [a.found.name for a in plan.steps.actions if isinstance(a, Delete)]

    if session_name() in deleted:
        assert leads_to(plan) != "the sessions"
