"""Worlds for the plan: a pull request of acme/shop that changes one service.

Each function returns a small world that works; a test changes in it only what it is about.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from previewbot.api import AgentSeen, Child, ChildState, Observed, Preview, Reason, Service, Slot, Waiting
from previewbot.api.github import Account, Branch, PullRequest
from previewbot.config.repository import RepositoryConfig, ServiceConfig, Triggers, parse_target
from previewbot.engine import mirrord
from previewbot.engine.parts import taking
from previewbot.reconciler.children import KINDS, ROUTE
from previewbot.reconciler.limits import Limits
from previewbot.reconciler.observation import Found, Observation, PullRequestFacts, Target
from previewbot.reconciler.plan.planner import Plan, make_plan
from previewbot.rules.repositories import Bounds
from previewbot.rules.slots import SlotGrant
from tests.support.previews import HEAD, NOW, a_preview

COPILOT = AgentSeen(name="Copilot", signal="its account")
SESSION_UID = "session-1"
DIGEST = "sha256:" + "a" * 64
REFERENCE = f"ghcr.io/acme/checkout:{HEAD}"

LIMITS = Limits(
    ttl_default=timedelta(hours=8),
    ttl_max=timedelta(hours=72),
    session_deadline=timedelta(minutes=5),
    image_deadline=timedelta(hours=1),
    branch_deadline=timedelta(minutes=15),
    split_deadline=timedelta(minutes=2),
    public_url="https://previews.example.com",
)


def a_pull_request(**changes: Any) -> PullRequest:
    """Return an open pull request by Copilot."""
    values: dict[str, Any] = {
        "number": 42,
        "state": "open",
        "merged": False,
        "title": "Round prices",
        "body": "",
        "draft": False,
        "author": Account(198982749, "Copilot", "Bot"),
        "head": Branch("copilot/round", HEAD, 812, "acme/shop"),
        "base": Branch("main", "b" * 40, 812, "acme/shop"),
        "default_branch": "main",
        "labels": (),
        "private": False,
        "updated_at": NOW,
        "closed_at": None,
        "mergeable": True,
        "merge_commit_sha": "m" * 40,
        "changed_files": 1,
        "html_url": "https://github.com/acme/shop/pull/42",
    }
    return PullRequest(**(values | changes))


FORK = a_pull_request(head=Branch("main", HEAD, 99, "mallory/shop"))
CONFIG = ServiceConfig(
    name="checkout",
    paths=("services/checkout/**",),
    target=parse_target("deployment/checkout"),
    namespace="staging",
    image="ghcr.io/acme/checkout:{head_sha}",
    ports=(8080,),
)
REPOSITORY = RepositoryConfig(version=1, entry=None, services=(CONFIG,), triggers=Triggers(), ttl=None)
BOUNDS = Bounds(
    namespaces=("staging",),
    linkable=("staging",),
    images=("ghcr.io/acme/",),
    longest=timedelta(hours=72),
)
FACTS = PullRequestFacts(
    a_pull_request(), REPOSITORY, bounds=BOUNDS, agent=COPILOT, files={"checkout": 2}, read_at=NOW
)


def facts_of(head_sha: str, **changes: Any) -> PullRequestFacts:
    """Return what GitHub shows after a push of this commit."""
    head = Branch("copilot/round", head_sha, 812, "acme/shop")
    return replace(FACTS, pull_request=a_pull_request(head=head), **changes)


def a_service(head_sha: str = HEAD, **changes: Any) -> Service:
    """Return the status of the service; with a commit its image is known, without it is waited for."""
    service = Service(name="checkout", namespace="staging", target="deployment/checkout", files=2)
    if not head_sha:
        awaiting = replace(service, waiting=Waiting(reason=Reason.NO_IMAGE))
        return replace(awaiting, **changes)
    image = f"ghcr.io/acme/checkout:{head_sha}"
    pinned = replace(service, head_sha=head_sha, image=image, digest=DIGEST, container="app")
    return replace(pinned, **changes)


def session_name(target: str = "deployment/checkout") -> str:
    """Return the name of the session that replaces this target."""
    key = a_preview().spec.environment_key
    return mirrord.session_name(key, "staging", parse_target(target))


def session_hash(digest: str = DIGEST) -> str:
    """Return the spec hash of the session that should be there."""
    session = mirrord.DesiredSession(
        service="checkout",
        namespace="staging",
        target=CONFIG.target,
        container="app",
        image=f"ghcr.io/acme/checkout@{digest}",
        parts=taking((8080,)),
        head_sha=HEAD,
        ttl_seconds=1,
    )
    return mirrord.spec_hash(a_preview().spec.environment_key, session)


def a_session(state: ChildState = ChildState.READY, **changes: Any) -> Found:
    """Return a session as the cluster shows it; it is as it should be."""
    deleting = changes.get("deleting_since") is not None
    found = Found(
        kind=mirrord.KIND,
        namespace="staging",
        name=session_name(),
        uid=SESSION_UID,
        owner_uid=a_preview().uid,
        created_at=NOW,
        state=state,
        service="checkout",
        spec_hash=session_hash(),
        head_sha=HEAD,
        serving=state in (ChildState.READY, ChildState.IDLE) and not deleting,
        stalled=Reason.OPERATOR_SILENT,
        removal_stalled=Reason.REMOVAL_STALLED,
    )
    return replace(found, **changes)


def a_child(state: ChildState = ChildState.READY, **changes: Any) -> Child:
    """Return what is recorded of the session."""
    ready = state in (ChildState.READY, ChildState.IDLE)
    child = Child(
        kind=mirrord.KIND,
        namespace="staging",
        name=session_name(),
        service="checkout",
        uid=SESSION_UID,
        spec_hash=session_hash(),
        state=state,
        since=NOW,
        was_ready=ready,
    )
    return replace(child, **changes)


def an_observation(preview: Preview | None = None, **changes: Any) -> Observation:
    """Return a world in which the facts were just read, the target is there, and a slot is free."""
    observation = Observation(
        preview=preview or a_preview(),
        now=NOW,
        limits=LIMITS,
        facts=FACTS,
        fresh=True,
        targets={"checkout": Target(container="app")},
        slot=SlotGrant(granted=True),
    )
    return replace(observation, **changes)


def seen(head_sha: str = HEAD, **changes: Any) -> Observed:
    """Return what an earlier look at GitHub recorded."""
    observed = Observed(
        updated_at=NOW,
        head_sha=head_sha,
        head_first_seen_at=NOW,
        agent=COPILOT,
        trigger="Copilot, recognised by its account",
    )
    return replace(observed, **changes)


def running(**status: Any) -> Preview:
    """Return a Preview that holds a slot, whose image is known."""
    values: dict[str, Any] = {
        "observed": seen(),
        "services": (a_service(),),
        "slot": Slot(held=True, waiting_since=NOW),
    }
    return a_preview(**(values | status))


def planned(preview: Preview | None = None, **changes: Any) -> Plan:
    """Return the plan for a world."""
    return make_plan(an_observation(preview, **changes), KINDS, ROUTE)
