"""What CI says of a commit, summed up from its workflow runs and check runs.

Status and conclusion: https://docs.github.com/en/rest/checks/runs and
https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from previewbot.api.github import Build
from previewbot.clients.github.fields import has, moment, number, text

_FAILED = frozenset({"failure", "timed_out", "startup_failure", "cancelled", "stale"})


@dataclass(frozen=True)
class _Run:
    status: str
    conclusion: str
    name: str
    url: str
    started_at: datetime | None
    suite: int | None

    @property
    def waits(self) -> bool:
        return self.conclusion == "action_required" or self.status == "waiting"


def build_from(check_runs: Sequence[Any], workflow_runs: Sequence[Any], *, app_id: int) -> Build:
    """Sum up what CI says; a workflow that waits for a person counts most, then what runs, then what failed.

    Superseded runs of a workflow do not count, nor check runs of our own App (`app_id`). A check of another
    App that wants something of somebody (an unsigned agreement, say) holds up no image: it is told last.
    Raises RemoteError on what is not GitHub's shape.
    """
    runs = [_workflow_run(run) for run in _latest(workflow_runs)]
    # Each job of a workflow is a check run as well: its workflow run speaks for it.
    told = {number(run, "check_suite_id") for run in workflow_runs if has(run, "check_suite_id")}
    checks = [_check_run(run) for run in check_runs if not _is_of(run, app_id)]
    others = [run for run in checks if run.suite not in told]
    both = [*runs, *others]
    groups: tuple[tuple[Literal["needs_approval", "running", "failed"], list[_Run]], ...] = (
        ("needs_approval", [run for run in runs if run.waits]),
        ("running", [run for run in both if run.status != "completed"]),
        ("failed", [run for run in both if run.conclusion in _FAILED]),
        # Last, since an approval that another App waits for holds up no image; a workflow that waits for one
        # does, which is why that stands first.
        ("needs_approval", [run for run in others if run.waits]),
    )
    for state, found in groups:
        if found:
            return Build(state, name=found[0].name, url=found[0].url, started_at=found[0].started_at)
    return Build("succeeded" if both else "none")


def _latest(workflow_runs: Sequence[Any]) -> list[Any]:
    newest: dict[tuple[int, str], Any] = {}
    for run in workflow_runs:
        key = number(run, "workflow_id"), text(run, "event")
        # By number and not by time: runs that begin in the same second would be told apart by nothing else.
        if key not in newest or number(run, "id") > number(newest[key], "id"):
            newest[key] = run
    return list(newest.values())


def _workflow_run(obj: Any) -> _Run:
    return _Run(
        status=_text_or_empty(obj, "status"),
        conclusion=_text_or_empty(obj, "conclusion"),
        name=_text_or_empty(obj, "name"),
        url=text(obj, "html_url"),
        started_at=moment(obj, "run_started_at") if has(obj, "run_started_at") else None,
        suite=None,
    )


def _check_run(obj: Any) -> _Run:
    return _Run(
        status=text(obj, "status"),
        conclusion=_text_or_empty(obj, "conclusion"),
        name=text(obj, "name"),
        url=_text_or_empty(obj, "html_url"),
        started_at=moment(obj, "started_at") if has(obj, "started_at") else None,
        suite=number(obj, "check_suite.id") if has(obj, "check_suite.id") else None,
    )


def _is_of(check_run: Any, app_id: int) -> bool:
    return has(check_run, "app.id") and number(check_run, "app.id") == app_id


def _text_or_empty(obj: Any, path: str) -> str:
    return text(obj, path) if has(obj, path) else ""
