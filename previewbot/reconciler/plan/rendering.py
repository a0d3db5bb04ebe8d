"""What would be created for a pull request, without asking anybody: for `previewbot render`.

It is the plan of a pass over a world in which every image is there, every target has its container and a slot
is free. So a manifest here is the one that a pass would create, made by the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from previewbot.api import ChildState, Observed, Phase, Preview, Service, Spec, Status, name_of
from previewbot.api.github import Account, Branch, PullRequest
from previewbot.api.poke import Poke
from previewbot.config.repository import RepositoryConfig, ServiceConfig
from previewbot.reconciler.children import KINDS, ROUTE
from previewbot.reconciler.children.actions import Create
from previewbot.reconciler.children.kind import Desired
from previewbot.reconciler.found import Found
from previewbot.reconciler.limits import Limits
from previewbot.reconciler.observation import ImageFound, Observation, PullRequestFacts, Target
from previewbot.reconciler.plan.planner import Plan, plan_run
from previewbot.reconciler.plan.services import candidates
from previewbot.rules import images
from previewbot.rules.bounds import image_outside
from previewbot.rules.repositories import Bounds
from previewbot.rules.slots import SlotGrant

NO_DIGEST = f"sha256:{'0' * 64}"
"""The digest of an image that nobody looked for."""
NO_UID = "00000000-0000-0000-0000-000000000000"
"""The uid of a Preview that is not there: the API server gives it one."""
USUAL_CONTAINER = "main"
"""The container of a target that names none, whose workload nobody looked at."""

_ANY_NUMBER = 2**31 - 1
"""Of pods: more than mirrord's field holds nobody may ask for anyway."""
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


class CannotRender(Exception):
    """Nothing would be created for a service; the text says for which, and why."""


@dataclass(frozen=True)
class Asked:
    """The pull request whose objects are wanted, as it was described: nobody asks GitHub for it.

    `services` are the names of those that it changes. `container` is the one that sessions replace, whatever
    the configuration says; None: as that says, else `USUAL_CONTAINER`.
    """

    spec: Spec
    head_sha: str
    branch: str
    merge_sha: str
    services: Sequence[str]
    container: str | None = None


@dataclass(frozen=True)
class Rendered:
    """One object that would be created: of which service (empty: of all of them), and its manifest."""

    service: str
    manifest: Mapping[str, Any]


def rendered(
    asked: Asked,
    config: RepositoryConfig,
    limits: Limits,
    bounds: Bounds | None = None,
    *,
    ready: bool = False,
) -> tuple[Rendered, ...]:
    """Return what a pass would create, in that order; a field of None is one that an object does not have.

    Without `bounds` the repository may have all that its file says. `ready`: the route is as it becomes once
    the sessions serve. Raises `CannotRender`.
    """
    observation = _world(asked, config, limits, bounds or _all_of(config, limits))
    plan = plan_run(observation, KINDS, ROUTE)
    made = _created(plan)
    # What sessions need is made before them: once it is ready they are made too.
    before = [desired for desired in made if not desired.service]
    if before:
        there = tuple(_as_ready(desired, observation) for desired in before)
        plan = plan_run(replace(observation, found=there), KINDS, ROUTE)
        made = [*before, *_created(plan)]
    refused = [service for service in plan.status.services if service.phase is Phase.FAILED]
    if refused:
        raise CannotRender(f"{refused[0].name}: {refused[0].failure_message}")
    leads = plan.route
    if ready:
        serving = tuple(replace(s, serving_sha=asked.head_sha) for s in plan.status.services)
        served = replace(observation.preview, status=replace(plan.status, services=serving))
        leads = ROUTE.desired(served, observation.facts, limits, begins=True)
    first = [Rendered("", leads.manifest)] if leads is not None else []
    return (*first, *(Rendered(desired.service, desired.manifest) for desired in made))


def _created(plan: Plan) -> list[Desired]:
    return [action.desired for action in plan.steps.actions if isinstance(action, Create)]


def _as_ready(desired: Desired, observation: Observation) -> Found:
    """Return a child as the cluster would show it once it is ready."""
    return Found(
        *desired.identity,
        uid=NO_UID,
        owner_uid=observation.preview.uid,
        created_at=observation.now,
        state=ChildState.READY,
        spec_hash=desired.spec_hash,
        in_place_hash=desired.in_place_hash,
    )


def container_of(asked: Asked, service: ServiceConfig) -> str:
    """Return the container that a service's session replaces: as given, else as configured, else `main`."""
    return asked.container or service.target.container or USUAL_CONTAINER


def _world(asked: Asked, config: RepositoryConfig, limits: Limits, bounds: Bounds) -> Observation:
    spec, wanted = asked.spec, [s for s in config.services if s.name in asked.services]
    facts = PullRequestFacts(
        _pull_request(asked), config, bounds=bounds, files={service.name: 1 for service in wanted}
    )
    status = Status(
        observed=Observed(
            head_sha=asked.head_sha,
            head_first_seen_at=_BEFORE_ALL,
            merge_shas=(asked.merge_sha,),
            repository=spec.repository,
            fork=False,
        ),
        # The names that links and routes go by, as if an earlier pass had seen them.
        services=tuple(Service(name=s.name, namespace=s.namespace, target=str(s.target)) for s in wanted),
    )
    preview = Preview(
        name=name_of(spec.repository_id, spec.number),
        uid=NO_UID,
        resource_version="",
        generation=1,
        created_at=_BEFORE_ALL,
        deleting=False,
        spec=spec,
        poke=Poke(),
        status=status,
    )
    return Observation(
        preview=preview,
        now=_BEFORE_ALL,
        limits=limits,
        facts=facts,
        images={s.name: ImageFound(_reference(asked, s, facts, bounds), NO_DIGEST) for s in wanted},
        targets={s.name: Target(container_of(asked, s)) for s in wanted},
        slot=SlotGrant(granted=True),
    )


def _reference(asked: Asked, service: ServiceConfig, facts: PullRequestFacts, bounds: Bounds) -> str:
    reference = candidates(service, facts, (asked.merge_sha,))[0]
    if not images.well_formed(reference):
        # A branch of 130 characters, say, gives a tag that no registry can hold.
        raise CannotRender(
            f"{service.name}: its image would be {reference}, which no registry can hold; so nothing would "
            "be created"
        )
    refused = image_outside(bounds, reference)
    if refused:
        raise CannotRender(f"{service.name}: {refused}")
    return reference


def _pull_request(asked: Asked) -> PullRequest:
    spec = asked.spec
    return PullRequest(
        number=spec.number,
        state="open",
        merged=False,
        title="",
        body="",
        draft=False,
        author=Account(0, ""),
        head=Branch(asked.branch, asked.head_sha, spec.repository_id, spec.repository),
        base=Branch("", "", spec.repository_id, spec.repository),
        default_branch="",
        labels=(),
        private=True,
        updated_at=_BEFORE_ALL,
        closed_at=None,
        mergeable=None,
        merge_commit_sha=asked.merge_sha,
        changed_files=len(asked.services),
        html_url="",
    )


def _all_of(config: RepositoryConfig, limits: Limits) -> Bounds:
    """Return bounds within which a repository may have all that its file says."""
    namespaces = tuple(dict.fromkeys(service.namespace for service in config.services))
    entries = tuple(dict.fromkeys(front.entry.namespace for front in config.front_ends.values()))
    registries = tuple(dict.fromkeys(service.image.split("/")[0] for service in config.services))
    return Bounds(
        namespaces=(*namespaces, *entries),
        linkable=(*namespaces, *entries),
        images=registries,
        longest=limits.ttl_max,
        replicas=_ANY_NUMBER,
        secrets=True,
    )
