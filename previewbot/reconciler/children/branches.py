"""mirrord's database branches: a copy of each database that a preview has of its own.

One is made before the sessions that use it and removed after them. It outlives a push, so that what a
reviewer entered is still there, unless the repository says otherwise: then it is made anew with each commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from previewbot.api import Child, ChildState, Reason
from previewbot.config.repository import ServiceConfig
from previewbot.engine import branches, translation
from previewbot.engine.annotations import MIGRATIONS_HASH, SPEC_HASH
from previewbot.engine.isolation import own_database_from
from previewbot.engine.operator import Operator
from previewbot.engine.parts import Branch
from previewbot.engine.session_spec import workload
from previewbot.reconciler.children.kind import ChildHealth, Desired, Inputs, Mode, Object
from previewbot.reconciler.children.step import DELETION_STALLED_AFTER, began_to_wait
from previewbot.reconciler.children.time_to_live import time_to_live
from previewbot.reconciler.found import Found, Identity
from previewbot.reconciler.limits import Limits
from previewbot.reconciler.observation import Prepared
from previewbot.rules import images
from previewbot.text.durations import format_duration

_STATES: Mapping[branches.BranchPhase, ChildState] = {
    "Ready": ChildState.READY,
    "Failed": ChildState.FAILED,
}


@dataclass(frozen=True)
class _Used:
    """A database that services which should run have a copy of; `by` are those, `first` is the first of all
    that name it, whether it runs or not."""

    branch: Branch
    first: ServiceConfig
    by: tuple[Prepared, ...]


class Branches:
    """The kind `BranchDatabase`."""

    name = branches.KIND
    resource = branches.BRANCHES
    patched = True
    optional = True

    def desired(self, inputs: Inputs) -> Sequence[Desired]:
        """Return a branch for each database of which services that should run have a copy."""
        return [self._desired(inputs, used) for used in _used(inputs)]

    def read(self, obj: Object) -> Found:
        """Read a branch."""
        seen = branches.branch_from(obj)
        state = _STATES.get(seen.phase, ChildState.CREATING)
        reason, message = None, seen.failure
        if state is ChildState.READY and seen.migrates and seen.migrated != "Succeeded":
            failed = seen.migrated == "Failed"
            state, reason = ChildState.CREATING, Reason.MIGRATION_FAILED if failed else Reason.MIGRATING
            message = seen.migration_failure if failed else ""
        return Found(
            kind=self.name,
            namespace=seen.namespace,
            name=seen.name,
            uid=seen.uid,
            owner_uid=seen.owner_uid,
            created_at=seen.created_at,
            state=state,
            spec_hash=seen.spec_hash,
            head_sha=seen.head_sha,
            answered=seen.phase != "Pending",
            reason=reason,
            message=message,
            deleting_since=seen.deleting_since,
            stalled=Reason.OPERATOR_SILENT,
            removal_stalled=Reason.REMOVAL_STALLED,
            database=own_database_from(obj),
            in_place=seen.in_place,
            in_place_hash=seen.in_place_hash,
        )

    def in_the_way(self, desired: Desired, others: Sequence[Object], operator: Operator) -> str:
        """Return whose branch has the name."""
        return branches.in_the_way(desired.manifest, others)

    def health(self, found: Found, was: Child, limits: Limits, now: datetime) -> ChildHealth:
        """Return how a branch fares; one that is not ready, or not migrated, in time has failed."""
        failed, copy = ChildState.FAILED, f"its copy of the database {was.title}"
        why = f": {found.message}" if found.message else ""
        if found.state is failed:
            return ChildHealth(failed, message=f"{copy} failed{why}")
        if found.reason is Reason.MIGRATION_FAILED:
            return ChildHealth(failed, Reason.MIGRATION_FAILED, f"migrating {copy} failed{why}")
        if found.state is not ChildState.CREATING:
            return ChildHealth(found.state)
        waited = now - began_to_wait(found, was, now)
        migrating = found.reason is Reason.MIGRATING
        if waited >= limits.branch_deadline:
            what = f"the mirrord operator did not begin {copy}"
            if found.answered:
                what = f"the migrations of {copy} did not end" if migrating else f"{copy} was not ready"
            message = f"{what} within {format_duration(limits.branch_deadline)}"
            return ChildHealth(failed, Reason.MIGRATION_FAILED if migrating else None, message)
        silent = not found.answered and waited >= DELETION_STALLED_AFTER
        waits = found.reason or Reason.BRANCH_CREATING
        return ChildHealth(ChildState.CREATING, Reason.OPERATOR_SILENT if silent else waits)

    def _desired(self, inputs: Inputs, used: _Used) -> Desired:
        preview, branch = inputs.preview, used.branch
        key, namespace = preview.spec.environment_key, used.first.namespace
        identity = _identity(key, namespace, branch)
        found = next((each for each in inputs.found if each.identity == identity), None)
        known = next((child for child in preview.status.children if child.identity == identity), None)
        runs = next((each for each in used.by if each.can_run), None)
        desired = Desired(
            *identity,
            services=tuple(each.service.name for each in used.by),
            title=branch.name,
            what="database branch",
            failure=Reason.BRANCH_FAILED,
            taken=Reason.BRANCH_TAKEN,
            features=branches.features_of(branch),
            holds_data=True,
            mode=Mode.MAKE if runs else Mode.KEEP,
        )
        if runs is None:
            # Not before there is something to run with it; what is there serves the commit before.
            return desired
        manifest = branches.manifest(
            preview,
            branches.DesiredBranch(
                branch,
                namespace,
                used.first.name,
                workload(used.first.target),
                runs.head_sha,
                images.with_digest(runs.service.image, runs.service.digest),
                time_to_live(inputs.limits),
                known.resets if known else 0,
            ),
        )
        annotations = manifest["metadata"]["annotations"]
        spec_hash = annotations[SPEC_HASH]
        if found is not None and _serves_an_older_commit(inputs, identity):
            # Another service waits for its image, and the commit before of it goes on with this database.
            spec_hash = found.spec_hash
        migrations = {name: each for name, each in manifest["spec"].items() if name == "migrations"}
        return replace(
            desired,
            head_sha=runs.head_sha,
            spec_hash=spec_hash,
            manifest=manifest,
            in_place=migrations,
            in_place_hash=annotations[MIGRATIONS_HASH],
        )


def branches_of(inputs: Inputs, prepared: Prepared) -> tuple[Identity, ...]:
    """Return the branches that a service's session has."""
    key, namespace = inputs.preview.spec.environment_key, prepared.service.namespace
    return tuple(_identity(key, namespace, branch) for branch in prepared.parts.branches)


def marks_of(inputs: Inputs, needs: Sequence[Identity]) -> dict[str, str]:
    """Return what tells these branches from all others that they may be replaced by, by their names.

    It is another one as soon as a branch is gone, or is to be made anew or migrated.
    """
    there = {found.identity: found for found in inputs.found}
    marks = {}
    for desired in inputs.before:
        if desired.identity not in needs:
            continue
        found = there.get(desired.identity)
        seen = (found.spec_hash, found.in_place_hash) if found else ("", "")
        meant = (desired.spec_hash, desired.in_place_hash) if desired.mode is Mode.MAKE else seen
        marks[desired.name] = ":".join((found.uid if found else "", *seen, *meant))
    return marks


def _used(inputs: Inputs) -> list[_Used]:
    """Return the databases of services that should run, in the order of the configuration."""
    config = inputs.facts.config
    if config is None or not any(prepared.parts.branches for prepared in inputs.services):
        return []
    by: dict[tuple[str, str], list[Prepared]] = {}
    for prepared in inputs.services:
        for branch in prepared.parts.branches:
            by.setdefault((prepared.config.namespace, branch.name), []).append(prepared)
    found: dict[tuple[str, str], _Used] = {}
    for service in config.services:
        if len(found) == len(by):
            # There may be hundreds of services, and a pass asks for these more than once.
            break
        for branch in translation.parts_of(config, service).branches:
            place = (service.namespace, branch.name)
            if place in by and place not in found:
                found[place] = _Used(branch, service, tuple(by[place]))
    return list(found.values())


def _serves_an_older_commit(inputs: Inputs, identity: Identity) -> bool:
    waiting = {each.service.name for each in inputs.services if not each.can_run}
    return any(identity in found.needs and found.service in waiting for found in inputs.found)


def _identity(key: str, namespace: str, branch: Branch) -> Identity:
    name = branches.branch_name(branch.dialect, namespace, branches.branch_id(key, branch.name))
    return branches.KIND, namespace, name
