"""What of a commit's CI builds a service's image, and what that says of one that is not there. Pure.

A commit has many runs: reviews by bots, linters, coverage, deployments. What failed or waits is the reason
only if it builds the image, so all runs are put into an order: the one that the configuration names; those
that ran when an image of the service appeared before; then by what workflow, jobs and checks are called. The
likeliest decide; what else failed or waits is told beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum, StrEnum

from previewbot.api.ci import CheckRun, Runs, WorkflowRun
from previewbot.rules.build_words import Says, delivers, is_ci_system, mentions, says

WORKFLOWS = ".github/workflows/"
"""Where GitHub looks for workflows: https://docs.github.com/en/actions/writing-workflows."""

_FAILED = frozenset({"failure", "timed_out", "startup_failure", "stale"})
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
class Sought:
    """Whose build is looked for.

    `names` are those of the service (its own, that of its image), `others` those of the other services of the
    repository. `workflow` (a path) or `check` (a name) is what the configuration calls its build.
    `remembered` are the paths of workflows that ran when an image of it appeared before. What our own App
    (`app_id`) reports is no build.
    """

    names: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    workflow: str = ""
    check: str = ""
    remembered: frozenset[str] = frozenset()
    app_id: int = 0


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


class _Rank(IntEnum):
    """How likely a run is the build: the least decides."""

    NAMED = 0
    REMEMBERED = 1
    IMAGE_OF_SERVICE = 2
    IMAGE = 3
    BUILD_OF_SERVICE = 4
    BUILD = 5
    ANY = 6
    TESTS = 7
    ELSEWHERE = 8


class _State(IntEnum):
    """How a run or a job stands; of several the first of these is what all of them come to."""

    RUNNING = 0
    HELD = 1
    FAILED = 2
    WAITS = 3
    DONE = 4
    CANCELLED = 5
    SKIPPED = 6


_RANKS = {
    Says.IMAGE: _Rank.IMAGE,
    Says.BUILD: _Rank.BUILD,
    Says.NOTHING: _Rank.ANY,
    Says.TESTS: _Rank.TESTS,
    Says.ELSEWHERE: _Rank.ELSEWHERE,
}
_STATES = {
    _State.RUNNING: BuildState.RUNNING,
    # A job's environment wants an approval. The link to it is a deployment's, so it is not given.
    _State.HELD: BuildState.RUNNING,
    _State.FAILED: BuildState.FAILED,
    _State.WAITS: BuildState.NEEDS_APPROVAL,
    _State.DONE: BuildState.DONE,
    _State.CANCELLED: BuildState.FAILED,
}


@dataclass(frozen=True)
class _Candidate:
    rank: _Rank
    state: _State
    run: WorkflowRun | CheckRun = field(compare=False)

    @property
    def name(self) -> str:
        run = self.run
        return run.name or (run.path.rpartition("/")[2] if isinstance(run, WorkflowRun) else "")


def build_of(runs: Runs, sought: Sought) -> Build:
    """Return what CI says of a service's image that is not there."""
    found = _candidates(runs, sought)
    if sought.workflow or sought.check:
        named = [each for each in found if each.rank is _Rank.NAMED]
        return _told(named, found) if named else _beside(Build(BuildState.NOT_RUN), found)
    likely = [each for each in found if each.rank <= _Rank.ANY]
    if not likely:
        # Where all workflows wait for an approval it is one for all of them, as for an agent's pull request.
        tests = [e for e in found if e.rank is _Rank.TESTS and e.state is _State.WAITS]
        return _told(tests, found) if tests else _beside(Build(BuildState.UNKNOWN), found)
    best = min(each.rank for each in likely)
    chosen = [each for each in likely if each.rank is best]
    states = {each.state for each in chosen}
    if states <= {_State.DONE, _State.CANCELLED}:
        # What builds may be done while what pushes the image still runs.
        running = [each for each in likely if each.state is _State.RUNNING]
        if running:
            return _told(running, found)
    if best is _Rank.ANY and {_State.DONE, _State.FAILED} <= states:
        # Nothing tells which of them builds: neither is blamed.
        return _beside(Build(BuildState.UNKNOWN), found)
    return _told(chosen, found)


def may_have_built(runs: Runs, sought: Sought) -> tuple[str, ...]:
    """Return the paths of workflows one of which builds the image, as it was not there yet: what ran then.

    Only if none ran, those that were done: another, which is not seen here, may have followed.
    """
    found = [e for e in _candidates(runs, sought) if e.rank <= _Rank.ANY and isinstance(e.run, WorkflowRun)]
    for states in ({_State.RUNNING, _State.HELD}, {_State.DONE}):
        paths = {
            (e.rank, e.run.path)
            for e in found
            if e.state in states and isinstance(e.run, WorkflowRun) and e.run.path.startswith(WORKFLOWS)
        }
        if paths:
            return tuple(dict.fromkeys(path for _, path in sorted(paths)))[:_MOST_REMEMBERED]
    return ()


def narrowed(seen: Iterable[Sequence[str]]) -> frozenset[str]:
    """Return which workflows ran each time that an image appeared: none if nothing is common to all."""
    sets = [frozenset(each) for each in seen if each]
    return frozenset.intersection(*sets) if sets else frozenset()


def _candidates(runs: Runs, sought: Sought) -> list[_Candidate]:
    """Return what could build, each with its rank: the newest attempts, and nothing that was skipped."""
    checks = [check for check in runs.checks if not (sought.app_id and check.app_id == sought.app_id)]
    jobs: dict[int, list[CheckRun]] = {}
    for check in _newest(checks):
        jobs.setdefault(check.suite, []).append(check)
    # Each job of a workflow is a check run as well: its workflow run speaks for it.
    told = {run.suite for run in runs.workflows if run.suite}
    found = [_of_workflow(run, jobs.get(run.suite, []) if run.suite else [], sought) for run in _latest(runs)]
    found += [_of_check(check, sought, is_job=check.suite in told) for check in _newest(checks)]
    return [each for each in found if each is not None and each.state is not _State.SKIPPED]


def _latest(runs: Runs) -> list[WorkflowRun]:
    """Return the newest run of each workflow and event; of one that was cancelled the one that goes on.

    Concurrency cancels one beside a sibling: https://docs.github.com/en/actions/how-tos/write-workflows
    """
    newest: dict[tuple[int, str], WorkflowRun] = {}
    for run in runs.workflows:
        key = run.workflow_id, run.event
        before = newest.get(key)
        # By number and not by time: runs that begin in the same second would be told apart by nothing else.
        if before is None or (_counts(run), run.id) > (_counts(before), before.id):
            newest[key] = run
    going_on = {run.workflow_id for run in newest.values() if _counts(run)}
    return [run for run in newest.values() if _counts(run) or run.workflow_id not in going_on]


def _counts(run: WorkflowRun) -> bool:
    return run.conclusion not in ("cancelled", "skipped")


def _newest(checks: Sequence[CheckRun]) -> list[CheckRun]:
    """Return the newest of each name in each suite: a job that runs again is one more check run."""
    newest: dict[tuple[int, int, str], CheckRun] = {}
    for check in checks:
        key = check.app_id, check.suite, check.name
        if key not in newest or check.id > newest[key].id:
            newest[key] = check
    return list(newest.values())


def _of_workflow(run: WorkflowRun, jobs: Sequence[CheckRun], sought: Sought) -> _Candidate | None:
    # GitHub's own, without a file: Copilot's reviews and agent, CodeQL's default setup, Dependabot, Pages.
    if run.event == "dynamic" or run.path.startswith("dynamic/"):
        return None
    if sought.workflow and run.path == sought.workflow:
        return _Candidate(_Rank.NAMED, _state_of(run, _building(run, jobs, sought), jobs), run)
    called = _called(run)
    building = _building(run, jobs, sought)
    state = _state_of(run, building, jobs)
    rank = _rank(called, [job.name for job in building], sought)
    if run.path in sought.remembered and rank is not _Rank.ELSEWHERE:
        rank = _Rank.REMEMBERED
    elif state in (_State.HELD, _State.WAITS) and not building and delivers(called):
        # Nobody is asked to approve a deployment so that an image gets built.
        return None
    return _Candidate(rank, state, run)


def _called(run: WorkflowRun) -> str:
    """Return a workflow's name and its file's: `CI docker.yml`."""
    return f"{run.name} {run.path.rpartition('/')[2]}"


def _building(run: WorkflowRun, jobs: Sequence[CheckRun], sought: Sought) -> list[CheckRun]:
    """Return which jobs of a workflow build, of a matrix those of this service."""
    images = [job for job in jobs if says(job.name) is Says.IMAGE]
    # Many starter workflows call their only job `build`, whatever it does.
    if not images and says(_called(run)) in (Says.IMAGE, Says.BUILD, Says.NOTHING):
        images = [job for job in jobs if says(job.name) is Says.BUILD]
    own = [job for job in images if _is_of(job.name, sought) is True]
    return own or [job for job in images if _is_of(job.name, sought) is None]


def _is_of(name: str, sought: Sought) -> bool | None:
    """Return whether a name is about this service, or (False) about another; None if about neither."""
    own, other = mentions(name, sought.names), mentions(name, sought.others)
    return None if own == other == 0 else own >= other


def _rank(called: str, jobs: Sequence[str], sought: Sought) -> _Rank:
    own = any(_is_of(name, sought) for name in [called, *jobs])
    if not jobs and _is_of(called, sought) is False:
        return _Rank.ELSEWHERE
    rank = min([_RANKS[says(called)], *(_RANKS[says(job)] for job in jobs)])
    if own and rank in (_Rank.IMAGE, _Rank.BUILD):
        return _Rank(rank - 1)
    return rank


def _state_of(run: WorkflowRun, building: Sequence[CheckRun], jobs: Sequence[CheckRun]) -> _State:
    """Return how what builds in a workflow stands: its jobs tell more than the run, which has others too."""
    whole = _state(run.status, run.conclusion)
    if whole is _State.HELD and not building:
        # What ran before the job that waits for its environment's approval was the build.
        before = {_state(job.status, job.conclusion) for job in jobs} - {_State.SKIPPED, _State.HELD}
        return _State.DONE if before == {_State.DONE} else min(before, default=_State.HELD)
    if whole is _State.WAITS or not building:
        return whole
    states = {_state(job.status, job.conclusion) for job in building} - {_State.SKIPPED}
    if not states:
        # It needs a job that failed, or a path filter says that there is nothing to build.
        return _State.SKIPPED if whole is _State.DONE else whole
    state = min(states)
    # Jobs that need others are not shown before these are done.
    if state in (_State.DONE, _State.CANCELLED) and whole in (_State.RUNNING, _State.CANCELLED):
        return whole if whole is _State.RUNNING else state
    return state


def _of_check(check: CheckRun, sought: Sought, *, is_job: bool) -> _Candidate | None:
    state = _state(check.status, check.conclusion)
    if sought.check and check.name == sought.check:
        return _Candidate(_Rank.NAMED, _State.HELD if state is _State.WAITS else state, check)
    # What another App wants somebody to do (an unsigned agreement, say) holds up no image.
    if is_job or state in (_State.WAITS, _State.HELD):
        return None
    system, word = is_ci_system(check.app), says(check.name)
    if system is False or (system is None and word not in (Says.IMAGE, Says.BUILD)):
        return None
    return _Candidate(_rank(check.name, (), sought), state, check)


def _state(status: str, conclusion: str) -> _State:
    """https://docs.github.com/en/rest/checks/runs has the words."""
    if "action_required" in (status, conclusion):
        return _State.WAITS
    # Of a run or a job: an environment's protection. It begins with GitHub's words for a deployment.
    if status == "waiting":
        return _State.HELD
    if status != "completed":
        return _State.RUNNING
    if conclusion in _FAILED:
        return _State.FAILED
    return {"success": _State.DONE, "cancelled": _State.CANCELLED}.get(conclusion, _State.SKIPPED)


def _told(chosen: Sequence[_Candidate], found: Sequence[_Candidate]) -> Build:
    state = min(each.state for each in chosen)
    first = next(each for each in chosen if each.state is state)
    ends = [e.run.changed_at for e in chosen if e.state is _State.DONE and e.run.changed_at]
    build = Build(
        _STATES[state],
        first.name,
        # Not of what is held: whoever follows it is asked to approve a deployment.
        "" if state is _State.HELD else first.run.url,
        first.run.started_at,
        max(ends, default=None),
    )
    return _beside(build, [each for each in found if each.name != first.name])


def _beside(build: Build, found: Sequence[_Candidate]) -> Build:
    """Return a build with what else failed or waits: workflows, which a reader knows by name."""
    runs = sorted((e for e in found if isinstance(e.run, WorkflowRun)), key=lambda e: (e.rank, e.name))
    # One approval is for all workflows that wait for it.
    approved_with_it = build.state is BuildState.NEEDS_APPROVAL
    waiting = () if approved_with_it else _names(runs, _State.WAITS)
    return replace(build, also_failed=_names(runs, _State.FAILED), also_wait=waiting)


def _names(found: Sequence[_Candidate], state: _State) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.name for each in found if each.state is state))[:_MOST_TOLD]
