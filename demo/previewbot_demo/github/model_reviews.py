"""Reviews of a pull request, and comments on its lines, as immutable values.

A comment on lines belongs to a review, also where somebody writes a single one; until its review is submitted
only its author sees either.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from previewbot_demo.github.model import Comment


@dataclass(frozen=True)
class Review(Comment):
    """A review, whose body is its text; `submitted_at` is None as long as it is a draft (`PENDING`)."""

    state: str = "COMMENTED"
    sha: str = ""
    submitted_at: datetime | None = None


@dataclass(frozen=True)
class LineComment(Comment):
    """A comment on a line of a file, as of a commit."""

    review_id: int = 0
    path: str = ""
    sha: str = ""
    line: int = 1
