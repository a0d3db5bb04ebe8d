"""Deployments as GitHub has them: what is said of a commit in an environment.

https://docs.github.com/en/rest/deployments/deployments and
https://docs.github.com/en/rest/deployments/statuses
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from previewbot.api.github import AppIdentity
from previewbot.api.reasons import Reason


class DeploymentState(StrEnum):
    """The states that previewbot gives, in GitHub's words. A deployment without a status waits, too."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    INACTIVE = "inactive"


LONGEST_DESCRIPTION = 140
"""GitHub takes so many characters of words."""


@dataclass(frozen=True)
class Word:
    """What is said of one commit; `reason` is why it failed, or why its link is not shown."""

    state: DeploymentState
    reason: Reason | None = None


@dataclass(frozen=True)
class Deployment:
    """A deployment: of whose account, by which App (None where GitHub names none), for which Preview.

    `preview` is empty in what is not ours.
    """

    id: int
    sha: str
    creator_id: int
    app_id: int | None
    preview: str

    def is_of(self, us: AppIdentity, preview: str) -> bool:
        """Return whether our App itself made it, in its own name, for this Preview."""
        # Nobody but the App can act as its bot account. GitHub's description lets it leave out the App.
        by_us = self.creator_id == us.bot_id and self.app_id in (None, us.app_id)
        return by_us and self.preview == preview


@dataclass(frozen=True)
class DeploymentStatus:
    """What is said of a deployment; each address may be empty. GitHub takes 140 characters of words."""

    state: DeploymentState
    description: str = ""
    environment_url: str = ""
    log_url: str = ""
