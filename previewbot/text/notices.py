"""What a notice says beside how the preview stands: whom it names, and where it stands for which reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class NotThere(StrEnum):
    """Why it stands in the pull request although the repository wants it in the issue."""

    NONE = "none"
    """The pull request closes no issue of its own repository."""
    UNKNOWN = "unknown"
    """It is not known which issues the pull request closes."""
    NOT_GRANTED = "not granted"
    """The App may not write in issues."""
    REFUSED = "refused"
    """GitHub did not take the comment there."""


@dataclass(frozen=True)
class Elsewhere:
    """Why it stands elsewhere; the `issue` that GitHub refused, and GitHub's own words for that."""

    why: NotThere
    issue: int = 0
    message: str = ""


@dataclass(frozen=True)
class Told:
    """Whom a notice names (checked where the configuration is read: they are written as they are), the number
    of the `issue` in which it stands (0: the pull request), and whether another one follows a failure."""

    mentions: Sequence[str] = ()
    issue: int = 0
    elsewhere: Elsewhere | None = None
    ready_follows: bool = False
