"""Reads workflow runs and check runs as values; what of them is the build is not decided here.

https://docs.github.com/en/rest/checks/runs and
https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository.
"""

from __future__ import annotations

from typing import Any

from previewbot.api.ci import CheckRun, WorkflowRun
from previewbot.clients.github.fields import has, moment_or_none, number, number_or_zero, text, text_or_empty


def workflow_run_from(obj: Any) -> WorkflowRun:
    """Read a `workflow-run`; raises RemoteError on what is not GitHub's shape."""
    return WorkflowRun(
        id=number(obj, "id"),
        workflow_id=number(obj, "workflow_id"),
        name=text_or_empty(obj, "name"),
        # Of a workflow that a ruleset requires, and of a run by hand, GitHub writes the ref behind it.
        path=text_or_empty(obj, "path").partition("@")[0],
        event=text(obj, "event"),
        status=text_or_empty(obj, "status"),
        conclusion=text_or_empty(obj, "conclusion"),
        url=text(obj, "html_url"),
        started_at=moment_or_none(obj, "run_started_at"),
        changed_at=moment_or_none(obj, "updated_at"),
        suite=number_or_zero(obj, "check_suite_id"),
        uses=_called_by(obj),
    )


def check_run_from(obj: Any) -> CheckRun:
    """Read a `check-run`; raises RemoteError on what is not GitHub's shape."""
    return CheckRun(
        id=number_or_zero(obj, "id"),
        name=text(obj, "name"),
        status=text(obj, "status"),
        conclusion=text_or_empty(obj, "conclusion"),
        url=text_or_empty(obj, "html_url"),
        started_at=moment_or_none(obj, "started_at"),
        changed_at=moment_or_none(obj, "completed_at"),
        suite=number_or_zero(obj, "check_suite.id"),
        app_id=number_or_zero(obj, "app.id"),
        app=text_or_empty(obj, "app.slug"),
    )


def _called_by(obj: Any) -> tuple[str, ...]:
    """Return which workflows of the same repository a run calls: `acme/shop/.github/workflows/x.yml@ref`.

    https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows
    """
    if not has(obj, "referenced_workflows") or not has(obj, "repository.full_name"):
        return ()
    listed, own = obj["referenced_workflows"], text(obj, "repository.full_name").lower() + "/"
    if not isinstance(listed, list):
        return ()
    paths = [text_or_empty(each, "path").partition("@")[0] for each in listed]
    return tuple(path[len(own) :] for path in paths if path.lower().startswith(own))
