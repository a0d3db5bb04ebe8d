"""Whether a glance shows a pull request as a look read it before: then it is not read again. Pure.

A look costs some requests, and most looks find nothing new: our own comment moves `updated_at` and the
entity tags of all that is read. A glance tells what it was. What it cannot explain is read.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot.api.github import Comment, Glance, PullRequest

_SAME_CHANGE = timedelta(seconds=2)
"""GitHub notes a comment and, a moment later, that its pull request was updated."""

_MOST_HEARD = 100


@dataclass(frozen=True)
class Heard:
    """What a look read of a conversation: comments, by id and `updated_at`, and everything before `since`.

    `since` None: all of it was read.
    """

    words: frozenset[tuple[int, datetime]] = frozenset()
    since: datetime | None = None

    def knows(self, comment_id: int, updated_at: datetime) -> bool:
        """Return whether that look has read this comment as it is."""
        return (comment_id, updated_at) in self.words or (self.since is not None and updated_at < self.since)


def heard(comments: Collection[Comment], since: datetime | None) -> Heard:
    """Return what a look has read that listed these comments: all that were updated `since`."""
    newest = sorted(comments, key=lambda each: each.updated_at, reverse=True)[:_MOST_HEARD]
    words = frozenset((each.id, each.updated_at) for each in newest)
    if len(comments) <= _MOST_HEARD:
        return Heard(words, since)
    return Heard(words, newest[-1].updated_at)


def as_read(seen: Glance, before: PullRequest) -> PullRequest | None:
    """Return the pull request as it is now, if all is as it was `before` but its times; else None.

    A closed one is read: when and how it ended only a look tells.
    """
    base = before.base
    same = (
        seen.open
        and before.state == "open"
        and seen.updated_at >= before.updated_at
        and (seen.head_sha, seen.base_ref) == (before.head.sha, base.ref)
        and (seen.draft, seen.title, seen.body) == (before.draft, before.title, before.body)
        and seen.labels == frozenset(before.labels)
        and (seen.private, seen.archived) == (before.private, before.archived)
        and (seen.repository_id, seen.full_name) == (base.repository_id, base.repository)
        # Of a conflict that comes or goes the test merge changes too, which only a look tells.
        and seen.mergeable == before.mergeable
    )
    return replace(before, updated_at=seen.updated_at) if same else None


def nothing_was_said(seen: Glance, known: Heard, us: int) -> bool:
    """Return whether nobody but our own account (`us`) wrote or edited a comment since a look."""
    return all(each.author == us or known.knows(each.id, each.updated_at) for each in seen.words)


def is_explained(seen: Glance, before: PullRequest) -> bool:
    """Return whether one of the newest comments is what the pull request was updated by, if it was at all.

    Only then nothing that a glance does not show was the last that happened: a comment on lines, say.
    """
    if seen.updated_at == before.updated_at:
        return True
    return any(timedelta(0) <= seen.updated_at - each.updated_at <= _SAME_CHANGE for each in seen.words)


def no_review_since(seen: Glance, as_of: datetime | None) -> bool:
    """Return whether there is no review that is newer than the state `as_of` which reviews were read."""
    return seen.reviewed_at is None or (as_of is not None and seen.reviewed_at <= as_of)
