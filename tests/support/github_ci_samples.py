"""GitHub's JSON of Apps, check runs and workflow runs, complete by its published description."""

from __future__ import annotations

from typing import Any

from previewbot.api.ci import Runs
from previewbot.clients.github.builds import check_run_from, workflow_run_from
from tests.support.github_samples import API, EARLIER, HEAD, LATER, WEB, repository, user


def app(id: int = 15368, slug: str = "github-actions") -> dict[str, Any]:
    """Return a GitHub App."""
    return {
        "id": id,
        "node_id": f"A_{id}",
        "slug": slug,
        "owner": user("acme", id=9),
        "name": slug,
        "description": None,
        "external_url": "https://example.com",
        "html_url": f"{WEB}/apps/{slug}",
        "created_at": EARLIER,
        "updated_at": EARLIER,
        "permissions": {"metadata": "read"},
        "events": [],
    }


def check_run(id: int = 1, name: str = "lint", suite: int = 900, **changes: Any) -> dict[str, Any]:
    """Return a check run, finished well."""
    url = f"{API}/repos/acme/shop/check-runs/{id}"
    texts = {"title": None, "summary": None, "text": None}
    return {
        "id": id,
        "head_sha": HEAD,
        "node_id": f"CR_{id}",
        "external_id": "",
        "url": url,
        "html_url": f"{WEB}/acme/shop/runs/{id}",
        "details_url": url,
        "status": "completed",
        "conclusion": "success",
        "started_at": EARLIER,
        "completed_at": LATER,
        "output": {**texts, "annotations_count": 0, "annotations_url": url},
        "name": name,
        "check_suite": {"id": suite},
        "app": app(),
        "pull_requests": [],
        **changes,
    }


def workflow_run(id: int = 1, name: str = "build", workflow: int = 40, **changes: Any) -> dict[str, Any]:
    """Return a workflow run, finished well."""
    url = f"{API}/repos/acme/shop/actions/runs/{id}"
    names = ("jobs", "logs", "check_suite", "artifacts", "cancel", "rerun", "workflow")
    return {
        "id": id,
        "name": name,
        "node_id": f"WR_{id}",
        "check_suite_id": 3000 + id,
        "head_branch": "devin/shipping",
        "head_sha": HEAD,
        "path": ".github/workflows/build.yml",
        "run_number": id,
        "event": "pull_request",
        "status": "completed",
        "conclusion": "success",
        "workflow_id": workflow,
        "url": url,
        "html_url": f"{WEB}/acme/shop/actions/runs/{id}",
        "pull_requests": [],
        "created_at": EARLIER,
        "updated_at": LATER,
        "run_started_at": EARLIER,
        **{f"{name}_url": f"{url}/{name}" for name in names},
        "head_commit": None,
        "repository": repository(),
        "head_repository": repository(),
        "display_title": "Cheaper shipping",
        **changes,
    }


def named_run(
    name: str = "Build image", conclusion: str | None = "success", **changes: Any
) -> dict[str, Any]:
    """Return a workflow run, done unless `conclusion` is None; each name is a workflow of its own."""
    of_name = sum(map(ord, name))
    number = changes.pop("id", 10 + of_name)
    shown = workflow_run(
        number,
        name,
        changes.pop("workflow", of_name),
        status="completed" if conclusion else "in_progress",
        conclusion=conclusion,
        path=f".github/workflows/{name.lower().replace(' ', '-')}.yml",
        check_suite_id=changes.pop("suite", number + 50_000),
    )
    return {**shown, **changes}


def runs_of(*shown: dict[str, Any]) -> Runs:
    """Return workflow runs and check runs as the adapter reads them."""
    return Runs(
        tuple(workflow_run_from(one) for one in shown if "workflow_id" in one),
        tuple(check_run_from(one) for one in shown if "workflow_id" not in one),
    )
