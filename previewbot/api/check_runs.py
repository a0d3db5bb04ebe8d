"""What is said by a check run: values, as GitHub's Checks API takes them.

https://docs.github.com/en/rest/checks/runs
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CHECK_NAME = "preview"
"""The name under which people, rules of branches and programs know the check."""

VERDICT_CHECK_NAME = "preview verdict"
"""That of the check which waits for somebody's verdict."""

MOST_ANNOTATIONS = 50
"""GitHub takes so many in one request."""

MOST_ACTIONS = 3
"""GitHub shows so many buttons."""

LONGEST_TITLE = 255
"""GitHub's limit of a title, in characters."""

LONGEST_OUTPUT = 65_535
"""GitHub's limit of a summary or a text: characters by its description, and bytes by its answers
(https://github.com/github/docs/issues/35252)."""


class Conclusion(StrEnum):
    """How a check run that is completed came out; those of GitHub's that are used here."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    SKIPPED = "skipped"
    ACTION_REQUIRED = "action_required"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class CheckAction:
    """A button of a check run that is completed; the webhook of whoever presses it has its `identifier`.

    GitHub takes 20, 40 and 20 characters.
    """

    label: str
    description: str
    identifier: str


@dataclass(frozen=True)
class Annotation:
    """A mistake in a line (from 1) of a file of the commit; `path` is from the repository's root."""

    path: str
    line: int
    message: str


@dataclass(frozen=True)
class CheckOutput:
    """What a check run says: a title in plain text, the others in Markdown. An empty text is none."""

    title: str
    summary: str
    text: str = ""


@dataclass(frozen=True)
class CheckRunContent:
    """All that is written of a check run; a `conclusion` of None says that it is in progress.

    `external_id` is the Preview's name. `annotations` are added to those that GitHub has of it by then.
    """

    external_id: str
    conclusion: Conclusion | None
    output: CheckOutput
    details_url: str
    actions: tuple[CheckAction, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    name: str = CHECK_NAME


@dataclass(frozen=True)
class OwnCheckRun:
    """A check run of ours as GitHub shows it: its id, whose it is, and how it came out.

    `conclusion` is empty while it is not `completed`; `annotations` is how many it has.
    """

    id: int
    external_id: str
    completed: bool
    conclusion: str = ""
    annotations: int = 0
