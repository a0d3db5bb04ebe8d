"""Deployments of a repository, and what is said of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from previewbot.api.deployments import Deployment, DeploymentState, DeploymentStatus
from previewbot.clients.github import fields, kept
from previewbot.clients.github.sending import Sending

MOST_LISTED = 100
"""The most deployments of an environment, or of one commit in it, that are read: GitHub's one page."""


class Deployments:
    """Reads and writes deployments of a repository, `owner/name`.

    Every method raises the RemoteError that GitHub's answer means.
    """

    def __init__(self, api: Sending) -> None:
        self._api = api

    async def of_commit(self, repository: str, environment: str, sha: str) -> list[Deployment]:
        """Return the deployments of a commit in an environment, newest first; MOST_LISTED at most."""
        return await self._listed(repository, {"environment": environment, "sha": sha})

    async def newest(self, repository: str, environment: str) -> list[Deployment]:
        """Return an environment's MOST_LISTED newest deployments, whichever commits they are of."""
        return await self._listed(repository, {"environment": environment})

    async def _listed(self, repository: str, query: Mapping[str, str]) -> list[Deployment]:
        url = f"/repos/{repository}/deployments?{urlencode(query)}"
        return await self._api.items(url, kept.DEPLOYMENTS, deployment_from, most=1)

    async def is_ended(self, repository: str, deployment_id: int) -> bool:
        """Return whether the last that was said of a deployment, by anybody, is that it is inactive.

        Raises NotFound if somebody deleted it
        (https://docs.github.com/en/rest/deployments/statuses#list-deployment-statuses).
        """
        url = f"/repos/{repository}/deployments/{deployment_id}/statuses"
        said = await self._api.items(url, kept.DEPLOYMENT_STATUSES, _state_of, most=1)
        return said[:1] == [DeploymentState.INACTIVE]

    async def create(self, repository: str, environment: str, sha: str, preview: str) -> Deployment:
        """Make the deployment of a commit; as long as nothing is said of it, it waits.

        https://docs.github.com/en/rest/deployments/deployments#create-a-deployment
        """
        body = {
            "ref": sha,
            "environment": environment,
            # Else GitHub merges the default branch into the pull request's, and answers with an error unless
            # every check of the commit has passed, ours among them.
            "auto_merge": False,
            "required_contexts": [],
            "transient_environment": True,
            "production_environment": False,
            # Two pull requests may have one head. By this each knows its own.
            "payload": {"preview": preview},
            "description": "A preview of a pull request",
        }
        return deployment_from(
            await self._api.send("POST", f"/repos/{repository}/deployments", kept.DEPLOYMENT, body)
        )

    async def say(self, repository: str, deployment_id: int, status: DeploymentStatus) -> None:
        """Say how it stands; raises NotFound if somebody deleted the deployment.

        https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status
        """
        said = {
            "description": status.description,
            "environment_url": status.environment_url,
            "log_url": status.log_url,
        }
        # Those of other commits are ended by whoever made them: an older one may serve on.
        body = {"state": str(status.state), "auto_inactive": False}
        url = f"/repos/{repository}/deployments/{deployment_id}/statuses"
        await self._api.send(
            "POST", url, kept.NOTHING, body | {name: text for name, text in said.items() if text}
        )


def deployment_from(obj: Any) -> Deployment:
    """Read a `deployment`; raises RemoteError on what is not GitHub's shape."""
    return Deployment(
        id=fields.number(obj, "id"),
        sha=fields.sha(obj, "sha"),
        creator_id=fields.number_or_zero(obj, "creator.id"),
        app_id=fields.number_or_zero(obj, "performed_via_github_app.id") or None,
        preview=_preview_of(obj),
    )


def _state_of(obj: Any) -> str:
    return fields.text(obj, "state")


def _preview_of(obj: Any) -> str:
    # A payload is whatever its maker likes: one that is not of ours is no error. GitHub's description lets it
    # be a text too, of which `kept` leaves the name alone.
    payload = obj.get("payload") if isinstance(obj, dict) else None
    preview = payload.get("preview") if isinstance(payload, dict) else payload
    return preview if isinstance(preview, str) else ""
