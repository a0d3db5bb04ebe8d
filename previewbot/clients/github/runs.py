"""Asks what runs and ran for a commit: its check runs, and its workflow runs."""

from __future__ import annotations

from previewbot.api.ci import CheckRun, Runs
from previewbot.clients.github import builds, kept
from previewbot.clients.github.sending import Sending
from previewbot.errors import Forbidden, Invalid, NotFound


async def awaits_approval(api: Sending, repository: str, head_sha: str) -> bool:
    """Ask what `InstallationClient.awaits_approval` returns."""
    url = f"/repos/{repository}/actions/runs?head_sha={head_sha}&status=action_required"
    try:
        found = await api.items(url, kept.WORKFLOW_RUNS, builds.workflow_run_from, "workflow_runs", most=1)
    except NotFound:
        return False
    return bool(found)


async def runs(api: Sending, repository: str, head_sha: str) -> Runs:
    """Read what runs and ran for a commit, as `InstallationClient.runs` returns and raises it."""
    checks: list[CheckRun] = []
    refused: Forbidden | None = None
    try:
        # Both are needed: other systems report check runs only, and of a workflow that waits for an
        # approval there is a workflow run but no check run yet.
        url = f"/repos/{repository}/commits/{head_sha}/check-runs"
        checks = await api.items(url, kept.CHECK_RUNS, builds.check_run_from, "check_runs")
    except Invalid:
        return Runs()
    except Forbidden as error:
        refused = error
    try:
        url = f"/repos/{repository}/actions/runs?head_sha={head_sha}"
        workflows = await api.items(url, kept.WORKFLOW_RUNS, builds.workflow_run_from, "workflow_runs")
    except (Forbidden, NotFound) as error:
        if refused is not None:
            raise refused from error
        # The check runs were found, so the repository is there: its server has no Actions.
        return Runs((), tuple(checks), whole=isinstance(error, NotFound))
    return Runs(tuple(workflows), tuple(checks), whole=refused is None)
