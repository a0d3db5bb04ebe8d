"""What of a commit's CI builds a service's image, and what that says of one that is not there. Pure.

A commit has many runs: reviews by bots, linters, coverage, deployments. What failed or waits is the reason
only if it builds the image, so all runs are put into an order: the one that the configuration names; those
that ran when an image of the service appeared before; then by what workflow, jobs and checks are called. The
likeliest decide; what else failed or waits is told beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from previewbot.api.ci import Runs, WorkflowRun
from previewbot.config.repository.builds import FOLDER
from previewbot.rules.build_candidates import Candidate, Rank, Sought, State, candidates

_MOST_TOLD = 3
_MOST_REMEMBERED = 8


class BuildState(StrEnum):
    """What CI does about an image: `NOT_RUN` is a build that is named and has not begun for this commit.

    `DONE` means that what builds went well; `UNKNOWN` that nothing is seen which would build.
    """

    RUNNING = "running"
    NEEDS_APPROVAL = "needs_approval"
    FAILED = "failed"
    DONE = "done"
    NOT_RUN = "not_run"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Build:
    """What is told of a build: its state, and the run to look at.

    `ended_at` is when the last of what builds ended, of one that is done. `also_failed` and `also_wait` are
    the names of workflows beside it that failed, or that wait for somebody to approve their run.
    """

    state: BuildState
    name: str = ""
    url: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    also_failed: tuple[str, ...] = ()
    also_wait: tuple[str, ...] = ()


_STATES = {
    State.RUNNING: BuildState.RUNNING,
    # A job's environment wants an approval. The link to it is a deployment's, so it is not given.
    State.HELD: BuildState.RUNNING,
    State.FAILED: BuildState.FAILED,
    State.WAITS: BuildState.NEEDS_APPROVAL,
    State.DONE: BuildState.DONE,
    State.CANCELLED: BuildState.FAILED,
}


def build_of(runs: Runs, sought: Sought) -> Build:
    """Return what CI says of a service's image that is not there."""
    found = candidates(runs, sought)
    if sought.workflow or sought.check:
        named = [each for each in found if each.rank is Rank.NAMED]
        return _told(named, found) if named else _beside(Build(BuildState.NOT_RUN), found)
    likely = [each for each in found if each.rank <= Rank.ANY]
    if not likely:
        # Where all workflows wait for an approval it is one for all of them, as for an agent's pull request.
        tests = [e for e in found if e.rank is Rank.TESTS and e.state is State.WAITS]
        return _told(tests, found) if tests else _beside(Build(BuildState.UNKNOWN), found)
    best = min(each.likelihood for each in likely)
    chosen = [each for each in likely if each.likelihood == best]
    states = {each.state for each in chosen}
    if states <= {State.DONE, State.CANCELLED}:
        # What builds may be done while what pushes the image still runs.
        running = [each for each in likely if each.state is State.RUNNING]
        if running:
            return _told(running, found)
    if best[0] is Rank.ANY and {State.DONE, State.FAILED} <= states:
        # Nothing tells which of them builds: neither is blamed.
        return _beside(Build(BuildState.UNKNOWN), found)
    return _told(chosen, found)


def may_have_built(runs: Runs, sought: Sought) -> tuple[str, ...]:
    """Return the paths of workflows one of which builds the image, as it was not there yet: what ran then.

    Only if none ran, those that were done: another, which is not seen here, may have followed.
    """
    found = [e for e in candidates(runs, sought) if e.rank <= Rank.ANY and isinstance(e.run, WorkflowRun)]
    for states in ({State.RUNNING, State.HELD}, {State.DONE}):
        paths = {
            (e.rank, e.run.path)
            for e in found
            if e.state in states and isinstance(e.run, WorkflowRun) and e.run.path.startswith(FOLDER)
        }
        if paths:
            return tuple(dict.fromkeys(path for _, path in sorted(paths)))[:_MOST_REMEMBERED]
    return ()


def narrowed(seen: Iterable[Sequence[str]]) -> frozenset[str]:
    """Return which workflows ran each time that an image appeared: none if nothing is common to all."""
    sets = [frozenset(each) for each in seen if each]
    return frozenset.intersection(*sets) if sets else frozenset()


def _told(chosen: Sequence[Candidate], found: Sequence[Candidate]) -> Build:
    state = min(each.state for each in chosen)
    first = next(each for each in chosen if each.state is state)
    ends = [e.run.changed_at for e in chosen if e.state is State.DONE and e.run.changed_at]
    build = Build(
        _STATES[state],
        first.name,
        # Not of what is held: whoever follows it is asked to approve a deployment.
        "" if state is State.HELD else first.run.url,
        first.run.started_at,
        max(ends, default=None),
    )
    return _beside(build, [each for each in found if each.name != first.name])


def _beside(build: Build, found: Sequence[Candidate]) -> Build:
    """Return a build with what else failed or waits: workflows, which a reader knows by name."""
    runs = sorted((e for e in found if isinstance(e.run, WorkflowRun)), key=lambda e: (e.rank, e.name))
    # One approval is for all workflows that wait for it.
    approved_with_it = build.state is BuildState.NEEDS_APPROVAL
    waiting = () if approved_with_it else _names(runs, State.WAITS)
    return replace(build, also_failed=_names(runs, State.FAILED), also_wait=waiting)


def _names(found: Sequence[Candidate], state: State) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.name for each in found if each.state is state))[:_MOST_TOLD]
