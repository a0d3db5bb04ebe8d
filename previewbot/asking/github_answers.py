"""GitHub's answers as far as they are used, and which of the things in them are our App's. Pure.

Whoever may write to a repository can comment as previewbot does, deploy to its environment and call a check
like its own: by its words nothing is known to be ours, only by who made it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, field_validator

from previewbot.api.reference import Reference
from previewbot.asking.facts import Facts, address, facts_in
from previewbot.asking.judging import CheckRun, Deployment
from previewbot.asking.words import one_line
from previewbot.text.json import read_json
from previewbot.text.markers import parse_marker

_OF_WORKFLOWS = "github-actions"
"""As this App each workflow of the repository can write: nobody's previewbot is it."""

_ISSUE = re.compile(r".+/repos/(?P<name>[^/]+/[^/]+)/issues/(?P<number>[1-9][0-9]{0,17})")


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Account(_Answer):
    """Who made something."""

    login: str
    type: str = ""


class AppSeen(_Answer):
    """The App through which it was made."""

    slug: str | None = None


class _Made(_Answer):
    performed_via_github_app: AppSeen | None = None

    def _is_by(self, account: Account | None, app: str) -> bool:
        # No person's name has brackets, so only the App's own account is called like this
        # (https://docs.github.com/en/apps/creating-github-apps/about-creating-github-apps/deciding-when-to-build-a-github-app).
        if account is None or account.type != "Bot" or account.login.lower() != f"{app}[bot]":
            return False
        through = self.performed_via_github_app
        return through is None or through.slug is None or through.slug.lower() == app


class RepositorySeen(_Answer):
    """A repository."""

    id: int


class BranchSeen(_Answer):
    """One end of a pull request."""

    sha: str
    repo: RepositorySeen | None = None


class PullSeen(_Answer):
    """A pull request."""

    number: int
    state: str
    merged_at: str | None = None
    merge_commit_sha: str | None = None
    head: BranchSeen
    base: BranchSeen

    @property
    def preview(self) -> str:
        """The name of its Preview, "" where the repository is not known (any more)."""
        return f"gh-{self.base.repo.id}-{self.number}" if self.base.repo else ""


class CommitSeen(_Answer):
    """A commit of a pull request."""

    sha: str


class DeploymentSeen(_Made):
    """A deployment; its payload is whatever its maker likes."""

    id: int
    creator: Account | None = None
    payload: Any = None
    created_at: datetime | None = None

    def is_ours(self, app: str, preview: str) -> bool:
        """Return whether it is the App's, of this Preview: two pull requests may have one head."""
        payload = _as_json(self.payload) if isinstance(self.payload, str) else self.payload
        named = payload.get("preview") if isinstance(payload, dict) else None
        return self._is_by(self.creator, app) and named == preview


class DeploymentStatusSeen(_Made):
    """A status of a deployment."""

    id: int
    state: str
    creator: Account | None = None
    description: str | None = None
    environment_url: str | None = None
    created_at: datetime | None = None

    def is_ours(self, app: str) -> bool:
        """Return whether the App said it; others can say something of its deployments."""
        return self._is_by(self.creator, app)


class OutputSeen(_Answer):
    """What a check run says."""

    title: str | None = None


class CheckRunSeen(_Answer):
    """A check run."""

    id: int
    status: str
    conclusion: str | None = None
    external_id: str | None = None
    app: AppSeen | None = None
    output: OutputSeen = OutputSeen()
    started_at: datetime | None = None
    completed_at: datetime | None = None

    def is_ours(self, app: str, preview: str) -> bool:
        """Return whether it is the App's, of this Preview."""
        slug = self.app.slug if self.app else None
        return (slug or "").lower() == app and self.external_id == preview


class CheckRunsSeen(_Answer):
    """The check runs of a commit."""

    check_runs: list[CheckRunSeen]


class CommentSeen(_Made):
    """A comment; its `body` is "" unless it begins as one of how a preview stands does."""

    id: int
    user: Account | None = None
    body: str | None = None
    updated_at: datetime | None = None
    issue_url: str | None = None
    html_url: str | None = None

    @field_validator("body")
    @classmethod
    def _of_a_status(cls, body: str | None) -> str:
        # Pages are remembered for as long as somebody asks, and a conversation may be 160 MB long.
        marker = parse_marker(body or "")
        return body if body and marker is not None and marker.kind == "status" else ""

    def is_status(self, app: str) -> bool:
        """Return whether it is the App's comment of how a preview stands."""
        return bool(self.body) and self._is_by(self.user, app)

    @property
    def place(self) -> Reference | None:
        """The pull request in which it stands, None where GitHub does not say so."""
        found = _ISSUE.fullmatch(self.issue_url or "")
        return Reference(found["name"], int(found["number"])) if found else None

    @property
    def looks_like_ours(self) -> str:
        """The slug of another App that has written such a comment, or ""."""
        login = self.user.login.lower() if self.user else ""
        slug = login.removesuffix("[bot]")
        is_an_apps = login.endswith("[bot]") and slug != _OF_WORKFLOWS
        return slug if is_an_apps and self.is_status(slug) else ""


PULL = TypeAdapter(PullSeen)
COMMITS = TypeAdapter(list[CommitSeen])
DEPLOYMENTS = TypeAdapter(list[DeploymentSeen])
STATUSES = TypeAdapter(list[DeploymentStatusSeen])
CHECK_RUNS = TypeAdapter(CheckRunsSeen)
COMMENTS = TypeAdapter(list[CommentSeen])
COMMENT = TypeAdapter(CommentSeen)


def newest_deployment(found: Sequence[DeploymentSeen], app: str, preview: str) -> DeploymentSeen | None:
    """Return the newest that is ours."""
    ours = [each for each in found if each.is_ours(app, preview)]
    return max(ours, key=lambda each: each.id, default=None)


def deployment_by(statuses: Sequence[DeploymentStatusSeen], app: str) -> Deployment:
    """Return a deployment of ours by its statuses."""
    ours = [each for each in statuses if each.is_ours(app)]
    last = max(ours, key=lambda each: each.id, default=None)
    if last is None:
        return Deployment()
    words = one_line(last.description or "")
    return Deployment(last.state, words, address(last.environment_url), last.created_at)


def newest_check(found: Sequence[CheckRunSeen], app: str, preview: str) -> CheckRun | None:
    """Return the newest that is ours."""
    ours = [each for each in found if each.is_ours(app, preview)]
    last = max(ours, key=lambda each: each.id, default=None)
    if last is None:
        return None
    conclusion = (last.conclusion or "") if last.status == "completed" else ""
    return CheckRun(conclusion, one_line(last.output.title or ""), last.completed_at or last.started_at)


def facts_told(comment: CommentSeen | None, place: Reference | None) -> Facts | None:
    """Return what a comment of ours tells programs of the pull request in which it stands.

    Which one that is it does not say: a block that was pasted there would speak of another.
    """
    if comment is None or place is None:
        return None
    facts = facts_in(comment.body or "")
    if facts is None:
        return None
    url = address((comment.html_url or "").partition("#")[0])
    return facts.model_copy(
        update={"repository": place.repository, "number": place.number, "pull_request_url": url}
    )


def _as_json(text: str) -> Any:
    """Return what a payload holds that GitHub gives as a text; None of what is no JSON."""
    try:
        return read_json(text)
    except ValueError:
        return None
