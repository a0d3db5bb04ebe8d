"""Issues, and which of them a pull request closes by the words of its description."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from previewbot_demo.github.model import Account

if TYPE_CHECKING:
    from previewbot_demo.github.model import PullRequest, State

# https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
_CLOSES = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+"
    r"(?:https?://[^\s/]+/)?(?P<repository>[\w.-]+/[\w.-]+)?(?:#|/issues/)(?P<number>\d{1,9})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Issue:
    """An issue; its number is of the same sequence as those of pull requests."""

    id: int
    repository_id: int
    number: int
    author: Account
    title: str
    body: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None

    @property
    def key(self) -> tuple[int, int]:
        """The key in `State.issues`."""
        return (self.repository_id, self.number)


def closed_by(state: State, pull: PullRequest) -> list[Issue]:
    """Return the issues that merging a pull request closes, each once, in the order of its description."""
    return list(dict.fromkeys(_named(state, pull)))


def _named(state: State, pull: PullRequest) -> Iterator[Issue]:
    for found in _CLOSES.finditer(pull.body):
        named = found["repository"]
        repository = state.repository(named) if named else state.repositories.get(pull.repository_id)
        issue = state.issues.get((repository.id, int(found["number"]))) if repository else None
        if issue is not None:
            yield issue
