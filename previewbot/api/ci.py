"""What GitHub shows of a commit's CI, as it is: what of that is the build, `rules/builds.py` says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ACTIONS = "github-actions"
"""The slug of GitHub's own App, which reports each job of a workflow as a check run."""


@dataclass(frozen=True)
class WorkflowRun:
    """A run of a workflow for a commit, in GitHub's words; `path` is that of the file, or `dynamic/…`.

    `suite` is the check suite in which its jobs are check runs, 0 if GitHub does not say. `changed_at` is
    when GitHub last noted anything of it: of one that is done, its end. `uses` are the paths of this
    repository's workflows that it calls; what is called has no run of its own.
    https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
    """

    id: int
    workflow_id: int
    name: str = ""
    path: str = ""
    event: str = ""
    status: str = ""
    conclusion: str = ""
    url: str = ""
    started_at: datetime | None = None
    changed_at: datetime | None = None
    suite: int = 0
    uses: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckRun:
    """A check run of a commit: a job of a workflow, or what another App reports.

    https://docs.github.com/en/rest/checks/runs
    """

    id: int
    name: str
    status: str
    conclusion: str = ""
    url: str = ""
    started_at: datetime | None = None
    changed_at: datetime | None = None
    suite: int = 0
    app_id: int = 0
    app: str = ""


@dataclass(frozen=True)
class Runs:
    """All that ran for a commit, or runs, or waits to; not `whole` if one of the two may not be read."""

    workflows: tuple[WorkflowRun, ...] = ()
    checks: tuple[CheckRun, ...] = ()
    whole: bool = True
