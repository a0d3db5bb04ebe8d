"""What a pull request was asked for: the issues that it closes, or where its agent worked on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import WithJsonSchema

from previewbot.api.value import Value

MOST_SHOWN = 3
"""The most issues that a text names; of others it says how many there are."""


class IssuesUnknown(StrEnum):
    """Why it is not known which issues a pull request closes."""

    PERMISSION = "Permission"
    """The App may not read issues there."""
    FIELD = "Field"
    """GitHub's server does not know the question: an Enterprise Server from before it had it."""
    ANSWER = "Answer"
    """GitHub did not answer; it is asked again."""

    @classmethod
    def _missing_(cls, value: object) -> IssuesUnknown:
        """Read a cause that only a newer version knows: the next pass finds its own."""
        return cls.ANSWER


@dataclass(frozen=True)
class ClosingIssue(Value):
    """An issue that the pull request closes; `repository` is the issue's own, as `owner/name`.

    `own`: that is the pull request's repository, by its number. Of others nothing is kept but their name.
    `public` is whether anybody may read the issue's repository. `title` is in one line, without what cannot
    be seen, cut at the end; `opening` are the first lines of its text, as they stand there (Markdown), and
    only there if anybody may read the repository. Both are somebody's words: escape them for where they go.
    """

    repository: str
    number: int
    own: bool = False
    public: bool = False
    closed: bool = False
    title: str = ""
    opening: tuple[str, ...] = ()


@dataclass(frozen=True)
class RequestSeen(Value):
    """What is known of the request beside the issues that are listed; None in its place: nobody looked yet.

    `total` is how many issues the pull request closes, those that are not listed too. `unknown` says why
    that is not known. `session_url` is where the agent's own record of its work is, if it left such a link.
    """

    total: int = 0
    unknown: Annotated[IssuesUnknown, WithJsonSchema({"type": "string"})] | None = None
    session_url: str = ""
