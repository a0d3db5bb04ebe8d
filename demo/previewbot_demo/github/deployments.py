"""Deployments through the API: made for a commit, and what is said of each.

https://docs.github.com/en/rest/deployments/deployments and https://docs.github.com/en/rest/deployments/statuses
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from previewbot_demo.github.answers import Answer, ApiError, Call, Listing, invalid, not_found
from previewbot_demo.github.conversations import Conversations
from previewbot_demo.github.model import State, put
from previewbot_demo.github.model_deployments import Deployment, DeploymentStatus
from previewbot_demo.github.shapes import Json, iso, node_id

_STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")
_LONGEST_DESCRIPTION = 140
_LONGEST_ENVIRONMENT = 255


class DeploymentEndpoints:
    """Answers the calls about deployments."""

    def __init__(self, github: Conversations) -> None:
        self._github = github

    def listing(self, call: Call) -> Listing:
        """`GET /repos/{owner}/{repo}/deployments`, newest first, with `sha` and `environment`."""
        found = [each for each in call.state.deployments.values() if each.repository_id == call.repo.id]
        for name in ("sha", "environment"):
            wanted = call.query.get(name)
            found = [each for each in found if wanted in (None, getattr(each, name))]
        return Listing([self._shape(call.state, each) for each in reversed(found)])

    def create(self, call: Call) -> Answer:
        """`POST /repos/{owner}/{repo}/deployments`: 409 where checks that are asked for did not pass."""
        ref, environment = _text(call.body, "ref"), _text(call.body, "environment", "production")
        sha = call.repo.commit_at(ref)
        state = self._github.store.state
        if not ref or sha not in state.commits:
            raise invalid(f"No ref found for: {ref}")
        if not environment or len(environment) > _LONGEST_ENVIRONMENT:
            raise _bad("environment")
        if call.body.get("auto_merge", True):
            raise invalid("the stand-in merges nothing: `auto_merge` has to be false")
        self._require(state, call, sha)
        payload = call.body.get("payload", "")
        new = Deployment(
            self._github.store.next_id(), call.repo.id, sha, ref, environment,
            _text(call.body, "task", "deploy"), _description(call.body), payload if payload else "",
            transient=bool(call.body.get("transient_environment", False)),
            production=bool(call.body.get("production_environment", environment == "production")),
            creator=self._github.app.bot, at=self._github.store.now(),
        )  # fmt: skip
        self._put(new)
        return Answer(self._shape(state, new), status=HTTPStatus.CREATED)

    def statuses(self, call: Call) -> Listing:
        """`GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses`, newest first."""
        found = _found(call, call.state)
        return Listing([self._status(call.state, found, each) for each in reversed(found.statuses)])

    def create_status(self, call: Call) -> Answer:
        """`POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses`."""
        state = self._github.store.state
        found, word = _found(call, state), _text(call.body, "state")
        if word not in _STATES:
            raise _bad("state")
        if call.body.get("auto_inactive", True):
            raise invalid("the stand-in ends no other deployments: `auto_inactive` has to be false")
        status = DeploymentStatus(
            self._github.store.next_id(), word, _description(call.body),
            _address(call.body, "environment_url"), _address(call.body, "log_url"), self._github.store.now(),
        )  # fmt: skip
        self._put(replace(found, statuses=(*found.statuses, status)))
        return Answer(self._status(state, found, status), status=HTTPStatus.CREATED)

    def _require(self, state: State, call: Call, sha: str) -> None:
        """Raise the 409 unless the checks that are asked for passed: all there are, where none is named."""
        wanted = call.body.get("required_contexts")
        runs = [r for r in state.checks.values() if (r.repository_id, r.sha) == (call.repo.id, sha)]
        failed = [r for r in runs if (wanted is None or r.name in wanted) and r.conclusion != "success"]
        if failed:
            raise ApiError(HTTPStatus.CONFLICT, f"Conflict: Commit status checks failed for {sha}.")

    def _put(self, deployment: Deployment) -> None:
        state = self._github.store.state
        changed = put(state.deployments, deployment.id, deployment)
        self._github.store.change(replace(state, deployments=changed))

    def _shape(self, state: State, deployment: Deployment) -> Json:
        """Return a `deployment`."""
        url, repository = self._urls(state, deployment)
        changed = deployment.last.at if deployment.last else deployment.at
        return {
            "url": url,
            "id": deployment.id,
            "node_id": node_id("Deployment", deployment.id),
            "sha": deployment.sha,
            "ref": deployment.ref,
            "task": deployment.task,
            "payload": deployment.payload,
            "original_environment": deployment.environment,
            "environment": deployment.environment,
            "description": deployment.description or None,
            "creator": self._github.shapes.account(deployment.creator),
            "created_at": iso(deployment.at),
            "updated_at": iso(changed),
            "statuses_url": f"{url}/statuses",
            "repository_url": repository,
            "transient_environment": deployment.transient,
            "production_environment": deployment.production,
            "performed_via_github_app": None,
        }

    def _status(self, state: State, deployment: Deployment, status: DeploymentStatus) -> Json:
        """Return a `deployment-status`."""
        url, repository = self._urls(state, deployment)
        return {
            "url": f"{url}/statuses/{status.id}",
            "id": status.id,
            "node_id": node_id("DeploymentStatus", status.id),
            "state": status.state,
            "creator": self._github.shapes.account(deployment.creator),
            "description": status.description,
            "environment": deployment.environment,
            "target_url": status.log_url,
            "created_at": iso(status.at),
            "updated_at": iso(status.at),
            "deployment_url": url,
            "repository_url": repository,
            "environment_url": status.environment_url,
            "log_url": status.log_url,
            "performed_via_github_app": None,
        }

    def _urls(self, state: State, deployment: Deployment) -> tuple[str, str]:
        repository = (
            f"{self._github.shapes.api}/repos/{state.repositories[deployment.repository_id].full_name}"
        )
        return f"{repository}/deployments/{deployment.id}", repository


def shown_on(state: State, repository_id: int, shas: tuple[str, ...]) -> list[Deployment]:
    """Return the deployments of a pull request's commits, newest first."""
    found = [d for d in state.deployments.values() if d.repository_id == repository_id and d.sha in shas]
    return sorted(found, key=lambda deployment: -deployment.id)


def _found(call: Call, state: State) -> Deployment:
    deployment = state.deployments.get(int(call.args["deployment_id"]))
    if deployment is None or deployment.repository_id != call.repo.id:
        raise not_found()
    return deployment


def _text(body: Mapping[str, Any], name: str, default: str = "") -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise _bad(name)
    return value


def _description(body: Mapping[str, Any]) -> str:
    text = _text(body, "description")
    if len(text) > _LONGEST_DESCRIPTION:
        raise _bad("description")
    return text


def _address(body: Mapping[str, Any], name: str) -> str:
    url = _text(body, name)
    if url and not url.startswith(("http://", "https://")):
        raise _bad(name)
    return url


def _bad(field: str) -> Exception:
    return invalid("Validation Failed", {"resource": "Deployment", "code": "invalid", "field": field})
