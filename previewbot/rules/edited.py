"""Whether a text still counts as a command after it was edited.

GitHub sets `updated_at` a second after `created_at` at times, without any edit, so these two tell nothing.
What GraphQL says of the edits tells it: who made them, and when, by GitHub's own clock.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import Enum

from previewbot.api.github import Comment, Edits
from previewbot.rules.commands import parse

CORRECTED_WITHIN = timedelta(minutes=10)
"""So long after it was written its author may correct a command that came to nothing."""


class Standing(Enum):
    """What a text is worth as a command."""

    AS_WRITTEN = "as written"
    CORRECTED = "corrected"
    LATE = "edited late"
    BY_OTHER = "edited by somebody else"
    UNKNOWN = "unknown"
    """It is to be asked again."""
    SEEN = "seen before"
    """It was carried out long ago, and only touched since then."""
    NOT_TOLD = "not told"
    """GitHub could not be asked for so long that nobody waits any longer."""

    @property
    def counts(self) -> bool:
        """Whether it may be carried out."""
        return self in (Standing.AS_WRITTEN, Standing.CORRECTED)


def text_hash(comment: Comment) -> str:
    """Return the hash of what a comment asks for: of a review REST shows no other sign of an edit."""
    return hashlib.sha256(comment.body.encode()).hexdigest()[:16]


def standing_of(comment: Comment, edits: Edits | None, done_until: datetime | None = None) -> Standing:
    """Return what a comment, as the listing shows it, is worth by its edits; None where GitHub showed none.

    What anybody else than its author ever edited is never a command, also if the author edited it again:
    whoever reads it does not see what is whose. `done_until`: what others could read until then was carried
    out, as the comment's number says.
    """
    # The two answers may be of different moments, or from servers that are not equally far. Only of the very
    # text that asks for something it counts who wrote it.
    if edits is None or parse(edits.body) != parse(comment.body):
        return Standing.UNKNOWN
    # Whether it is a draft of then that was submitted now, or was only touched, its own times do not tell.
    if done_until is not None and edits.published_at is not None and edits.published_at <= done_until:
        return Standing.SEEN
    if edits.last_edited_at is None:
        return Standing.AS_WRITTEN
    if not edits.are_only_by(comment.author.id):
        return Standing.BY_OTHER
    # What was begun as a draft counts as written when it was submitted.
    written_at = max(edits.created_at, edits.published_at or edits.created_at)
    in_time = edits.last_edited_at - written_at <= CORRECTED_WITHIN
    return Standing.CORRECTED if in_time else Standing.LATE
