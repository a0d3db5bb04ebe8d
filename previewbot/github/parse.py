"""GitHub's JSON as values of `previewbot.model`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from previewbot.model import (
    Account,
    Branch,
    Build,
    ChangedFile,
    Comment,
    Commit,
    OpenPullRequest,
    PullRequest,
    Repository,
)

_GHOST = Account(id=10137, login="ghost")
"""Whom GitHub shows in place of a deleted account."""

_FAILED = frozenset({"failure", "timed_out", "startup_failure", "cancelled", "stale"})


def moment(text: str) -> datetime:
    """Read an ISO 8601 time of GitHub's."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def account_from(obj: Mapping[str, Any] | None) -> Account:
    """Read an account; a deleted one is the ghost."""
    if not obj:
        return _GHOST
    return Account(id=obj["id"], login=obj["login"], type=obj.get("type", "User"))


def repository_from(obj: Mapping[str, Any]) -> Repository:
    """Read a repository."""
    return Repository(id=obj["id"], full_name=obj["full_name"], default_branch=obj["default_branch"])


def pull_request_from(obj: Mapping[str, Any]) -> PullRequest:
    """Read a pull request."""
    base = obj["base"]["repo"]
    return PullRequest(
        number=obj["number"],
        state="open" if obj["state"] == "open" else "closed",
        merged=bool(obj.get("merged")),
        title=obj["title"],
        body=obj.get("body") or "",
        draft=bool(obj.get("draft")),
        author=account_from(obj["user"]),
        head=_branch(obj["head"]),
        base=_branch(obj["base"]),
        default_branch=base["default_branch"],
        labels=tuple(label["name"] for label in obj.get("labels", ())),
        private=bool(base.get("private", True)),
        updated_at=moment(obj["updated_at"]),
        closed_at=moment(obj["closed_at"]) if obj.get("closed_at") else None,
        mergeable=obj.get("mergeable"),
        merge_commit_sha=obj.get("merge_commit_sha"),
        changed_files=obj.get("changed_files", 0),
        html_url=obj["html_url"],
    )


def open_pull_request_from(obj: Mapping[str, Any]) -> OpenPullRequest:
    """Read a row of the listing."""
    return OpenPullRequest(
        number=obj["number"], head_sha=obj["head"]["sha"], updated_at=moment(obj["updated_at"])
    )


def changed_file_from(obj: Mapping[str, Any]) -> ChangedFile:
    """Read a changed file."""
    return ChangedFile(path=obj["filename"], previous_path=obj.get("previous_filename"))


def commit_from(obj: Mapping[str, Any]) -> Commit:
    """Read a commit of a pull request."""
    author = obj["commit"].get("author") or {}
    return Commit(
        sha=obj["sha"],
        message=obj["commit"]["message"],
        author_name=author.get("name") or "",
        author_email=author.get("email") or "",
        author=account_from(obj["author"]) if obj.get("author") else None,
    )


def comment_from(obj: Mapping[str, Any]) -> Comment:
    """Read a comment."""
    app = obj.get("performed_via_github_app")
    return Comment(
        id=obj["id"],
        author=account_from(obj["user"]),
        app_id=app["id"] if app else None,
        body=obj.get("body") or "",
        created_at=moment(obj["created_at"]),
        updated_at=moment(obj["updated_at"]),
    )


def build_from(check_runs: Sequence[Mapping[str, Any]], workflow_runs: Sequence[Mapping[str, Any]]) -> Build:
    """Sum up what CI says of a commit: what waits for a person counts most, then what runs, then what failed."""
    for run in workflow_runs:
        if run.get("conclusion") == "action_required" or run.get("status") == "waiting":
            return _build("needs_approval", run)
    for run in (*check_runs, *workflow_runs):
        if run.get("status") != "completed":
            return _build("running", run)
    for run in (*check_runs, *workflow_runs):
        if run.get("conclusion") in _FAILED:
            return _build("failed", run)
    return Build("succeeded") if check_runs or workflow_runs else Build("none")


def _build(state: Any, run: Mapping[str, Any]) -> Build:
    started = run.get("started_at") or run.get("run_started_at")
    return Build(
        state=state,
        name=run.get("name") or "",
        url=run.get("html_url") or "",
        started_at=moment(started) if started else None,
    )


def _branch(obj: Mapping[str, Any]) -> Branch:
    repository = obj.get("repo")
    return Branch(
        ref=obj["ref"],
        sha=obj["sha"],
        repository_id=repository["id"] if repository else None,
        repository=repository["full_name"] if repository else "",
    )
