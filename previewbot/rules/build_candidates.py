"""Which of a commit's runs and checks may build a service's image, the likeliest first. Pure.

What is told of them, `rules/builds.py` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from previewbot.api.ci import CheckRun, Runs, WorkflowRun
from previewbot.rules.build_words import Says, delivers, is_ci_system, joins, mentions, says

_FAILED = frozenset({"failure", "timed_out", "startup_failure", "stale"})


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

    @property
    def things(self) -> tuple[str, ...]:
        """What only calls a service says nothing of what is done with it."""
        return self.names + self.others


class Rank(IntEnum):
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


class State(IntEnum):
    """How a run or a job stands; of several the first of these is what all of them come to."""

    RUNNING = 0
    HELD = 1
    FAILED = 2
    WAITS = 3
    DONE = 4
    CANCELLED = 5
    SKIPPED = 6


_RANKS = {
    Says.IMAGE: Rank.IMAGE,
    Says.BUILD: Rank.BUILD,
    Says.NOTHING: Rank.ANY,
    Says.TESTS: Rank.TESTS,
    Says.ELSEWHERE: Rank.ELSEWHERE,
}


@dataclass(frozen=True)
class Candidate:
    """A run or a check that may be the build, how likely that is, and how it stands."""

    rank: Rank
    state: State
    run: WorkflowRun | CheckRun = field(compare=False)
    # Of several that ran before: by what they are called. Tests may run whenever an image appears.
    second: Rank = Rank.ANY

    @property
    def likelihood(self) -> tuple[Rank, Rank]:
        """How likely it is the build: the least decides."""
        return self.rank, self.second

    @property
    def name(self) -> str:
        """What readers know it by."""
        run = self.run
        return run.name or (run.path.rpartition("/")[2] if isinstance(run, WorkflowRun) else "")


def candidates(runs: Runs, sought: Sought) -> list[Candidate]:
    """Return what could build, each with its rank: the newest attempts, and nothing that was skipped."""
    checks = [check for check in runs.checks if not (sought.app_id and check.app_id == sought.app_id)]
    newest = _newest(checks)
    jobs: dict[int, list[CheckRun]] = {}
    for check in newest:
        jobs.setdefault(check.suite, []).append(check)
    # Each job of a workflow is a check run as well: its workflow run speaks for it.
    told = {run.suite: run for run in runs.workflows if run.suite}
    found = [_of_workflow(run, jobs.get(run.suite, []) if run.suite else [], sought) for run in _latest(runs)]
    found += [_of_check(check, sought, told.get(check.suite)) for check in newest]
    shown = [each for each in found if each is not None and each.state is not State.SKIPPED]
    return _without_made_good(shown, told)


def _without_made_good(found: Sequence[Candidate], told: Mapping[int, WorkflowRun]) -> list[Candidate]:
    """Leave out what failed where the same workflow, or its job, went well in a run that began after that.

    Somebody began it by hand, say, which is an event of its own. Of two that ran beside each other, for a
    push and for its pull request, nothing tells which has the image.
    """
    done: dict[int, list[Candidate]] = {}
    for each in found:
        run = _workflow_of(each.run, told)
        # For a pull request many workflows build an image and do not push it.
        if run is not None and each.state is State.DONE and not run.event.startswith("pull_request"):
            done.setdefault(run.workflow_id, []).append(each)

    def is_made_good(each: Candidate) -> bool:
        run = _workflow_of(each.run, told)
        later = done.get(run.workflow_id, []) if run is not None and each.state is State.FAILED else []
        return any(_makes_good(good, each) for good in later)

    return [each for each in found if not is_made_good(each)]


def _makes_good(good: Candidate, failed: Candidate) -> bool:
    began, ended = good.run.started_at, failed.run.changed_at
    # One that builds only other services is less likely than what failed.
    as_likely = good.likelihood <= failed.likelihood
    return as_likely and began is not None and ended is not None and began > ended


def _workflow_of(run: WorkflowRun | CheckRun, told: Mapping[int, WorkflowRun]) -> WorkflowRun | None:
    return run if isinstance(run, WorkflowRun) else told.get(run.suite)


def _latest(runs: Runs) -> list[WorkflowRun]:
    """Return the newest run of each workflow and event; of one that was cancelled the one that goes on.

    Concurrency cancels one beside a sibling: https://docs.github.com/en/actions/how-tos/write-workflows
    """
    newest: dict[tuple[int, str], WorkflowRun] = {}
    for run in runs.workflows:
        key = run.workflow_id, run.event
        before = newest.get(key)
        # By number and not by time: runs that begin in the same second would be told apart by nothing else.
        if before is None or (_weight(run), run.id) > (_weight(before), before.id):
            newest[key] = run
    going_on = {run.workflow_id for run in newest.values() if _weight(run) > 1}
    return [run for run in newest.values() if _weight(run) > 1 or run.workflow_id not in going_on]


def _weight(run: WorkflowRun) -> int:
    """A label may cancel the build by concurrency, and itself begin a run that has nothing to do."""
    return {"skipped": 0, "cancelled": 1}.get(run.conclusion, 2)


def _newest(checks: Sequence[CheckRun]) -> list[CheckRun]:
    """Return the newest of each name in each suite: a job that runs again is one more check run."""
    newest: dict[tuple[int, int, str], CheckRun] = {}
    for check in checks:
        key = check.app_id, check.suite, check.name
        if key not in newest or check.id > newest[key].id:
            newest[key] = check
    return list(newest.values())


def _of_workflow(run: WorkflowRun, jobs: Sequence[CheckRun], sought: Sought) -> Candidate | None:
    # GitHub's own, without a file: Copilot's reviews and agent, CodeQL's default setup, Dependabot, Pages.
    if run.event == "dynamic" or run.path.startswith("dynamic/"):
        return None
    called = _called(run)
    images = _images(called, jobs, sought)
    building = _building(images, sought)
    state = _state_of(run, building, jobs)
    # Where only the services are built that a change is about, the jobs are all of others.
    only_others = bool(images) and not building and state is not State.RUNNING
    if sought.workflow and sought.workflow in (run.path, *run.uses):
        return Candidate(Rank.NAMED, State.SKIPPED if only_others else state, run)
    rank = Rank.ELSEWHERE if only_others else _rank(called, [job.name for job in building], sought)
    if rank is Rank.ANY and run.status == "completed" and _only_tests(jobs, sought):
        rank = Rank.TESTS
    if run.path in sought.remembered and rank is not Rank.ELSEWHERE:
        return Candidate(Rank.REMEMBERED, state, run, rank)
    if state in (State.HELD, State.WAITS) and not building and delivers(called, sought.things):
        # Nobody is asked to approve a deployment so that an image gets built.
        return None
    return Candidate(rank, state, run)


def _only_tests(jobs: Sequence[CheckRun], sought: Sought) -> bool:
    """Return whether all jobs only look at a change: all of a run that is over are shown."""
    said = {says(job.name, sought.things) for job in jobs}
    return bool(said) and said <= {Says.TESTS, Says.ELSEWHERE}


def _called(run: WorkflowRun) -> str:
    """Return a workflow's name and its file's: `CI docker.yml`."""
    return f"{run.name} {run.path.rpartition('/')[2]}"


def _building(images: Sequence[CheckRun], sought: Sought) -> list[CheckRun]:
    """Return which of the jobs that build images count, of a matrix those of this service."""
    own = [job for job in images if _is_of(job.name, sought) is True]
    nobodys = [job for job in images if _is_of(job.name, sought) is None]
    if not own:
        return nobodys
    return own + [job for job in nobodys if joins(job.name, sought.things)]


def _images(called: str, jobs: Sequence[CheckRun], sought: Sought) -> list[CheckRun]:
    """Return which jobs of a workflow that is `called` so build images, of whatever service."""
    things = sought.things
    images = [job for job in jobs if says(job.name, things) is Says.IMAGE]
    # Many starter workflows call their only job `build`, whatever it does.
    if not images and says(called, things) in (Says.IMAGE, Says.BUILD, Says.NOTHING):
        images = [job for job in jobs if says(job.name, things) is Says.BUILD]
    if not images:
        return []
    names = {job.name for job in images}
    return images + [job for job in jobs if job.name not in names and joins(job.name, things)]


def _is_of(name: str, sought: Sought) -> bool | None:
    """Return whether a name is about this service, or (False) about another; None if about neither."""
    own, other = mentions(name, sought.names), mentions(name, sought.others)
    return None if own == other == 0 else own >= other


def _rank(called: str, jobs: Sequence[str], sought: Sought) -> Rank:
    own = any(_is_of(name, sought) for name in [called, *jobs])
    if not jobs and _is_of(called, sought) is False:
        return Rank.ELSEWHERE
    rank = min(_RANKS[says(name, sought.things)] for name in [called, *jobs])
    if own and rank in (Rank.IMAGE, Rank.BUILD):
        return Rank(rank - 1)
    return rank


def _state_of(run: WorkflowRun, building: Sequence[CheckRun], jobs: Sequence[CheckRun]) -> State:
    """Return how what builds in a workflow stands: its jobs tell more than the run, which has others too."""
    whole = _state(run.status, run.conclusion)
    if whole is State.HELD and not building:
        # What ran before the job that waits for its environment's approval was the build.
        before = {_state(job.status, job.conclusion) for job in jobs} - {State.SKIPPED, State.HELD}
        return State.DONE if before == {State.DONE} else min(before, default=State.HELD)
    if whole is State.WAITS or not building:
        return whole
    states = {_state(job.status, job.conclusion) for job in building} - {State.SKIPPED}
    if not states:
        # It needs a job that failed, or a path filter says that there is nothing to build.
        return State.SKIPPED if whole is State.DONE else whole
    state = min(states)
    # Jobs that need others are not shown before these are done.
    if state in (State.DONE, State.CANCELLED) and whole in (State.RUNNING, State.CANCELLED):
        return whole if whole is State.RUNNING else state
    return state


def _of_check(check: CheckRun, sought: Sought, run: WorkflowRun | None) -> Candidate | None:
    """Return a check as what may build; `run` is the workflow run of which it is a job."""
    state = _state(check.status, check.conclusion)
    if sought.check and sought.check in _calls(check, run):
        return Candidate(Rank.NAMED, State.HELD if state is State.WAITS else state, check)
    # What another App wants somebody to do (an unsigned agreement, say) holds up no image.
    if run is not None or state in (State.WAITS, State.HELD):
        return None
    system, word = is_ci_system(check.app, check.name), says(check.name, sought.things)
    if system is False or (system is None and word not in (Says.IMAGE, Says.BUILD)):
        return None
    return Candidate(_rank(check.name, (), sought), state, check)


def _calls(check: CheckRun, run: WorkflowRun | None) -> tuple[str, ...]:
    """Return what a check is called: a pull request shows its workflow and its event as well."""
    if run is None:
        return (check.name,)
    whole = f"{run.name} / {check.name}"
    return check.name, whole, f"{whole} ({run.event})"


def _state(status: str, conclusion: str) -> State:
    """https://docs.github.com/en/rest/checks/runs has the words."""
    if "action_required" in (status, conclusion):
        return State.WAITS
    # Of a run or a job: an environment's protection. It begins with GitHub's words for a deployment.
    if status == "waiting":
        return State.HELD
    if status != "completed":
        return State.RUNNING
    if conclusion in _FAILED:
        return State.FAILED
    return {"success": State.DONE, "cancelled": State.CANCELLED}.get(conclusion, State.SKIPPED)
