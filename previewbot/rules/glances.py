"""What a glance at a pull request tells, so that it is not read again. Pure.

A look costs some requests, and most looks find nothing new: our own comment moves `updated_at` and the
entity tags of all that is read. A glance tells what it was. What it cannot tell is read.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot.api.github import Comment, Glance, PullRequest

_SAME_CHANGE = timedelta(seconds=2)
"""GitHub notes a comment and, a moment later, that its pull request was updated."""

_MOST_HEARD = 100
_SECOND = timedelta(seconds=1)


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


def heard(comments: Collection[Comment], since: datetime | None, read_at: datetime) -> Heard:
    """Return what a look has read that listed these comments, all that were updated `since`.

    `read_at` is the least that GitHub's clock showed then. What was updated in the second before may be
    edited once more within that second, and would have the same time: it does not count as read.
    """
    settled = [each for each in comments if each.updated_at + _SECOND < read_at]
    newest = sorted(settled, key=lambda each: each.updated_at, reverse=True)[:_MOST_HEARD]
    words = frozenset((each.id, each.updated_at) for each in newest)
    if len(settled) <= _MOST_HEARD:
        return Heard(words, since)
    return Heard(words, newest[-1].updated_at)


def as_now(seen: Glance, before: PullRequest) -> PullRequest | None:
    """Return a pull request as it is now, by how it was `before`; None if it is to be read.

    It is read where a glance is older than what is known, and where repositories are other ones: renamed, or
    transferred, or deleted. A test merge is of one head and one base: none is known of what a glance shows.
    """
    head, base = before.head, before.base
    same_places = (seen.repository_id, seen.full_name, seen.head_repository_id) == (
        base.repository_id,
        base.repository,
        head.repository_id,
    )
    # Another default branch has another configuration.
    same_places = same_places and seen.default_branch == before.default_branch
    if not same_places or seen.updated_at < before.updated_at or seen.base_ref != base.ref:
        return None
    return replace(
        before,
        state="open" if seen.open else "closed",
        merged=seen.merged,
        closed_at=seen.closed_at,
        title=seen.title,
        body=seen.body,
        draft=seen.draft,
        head=replace(head, sha=seen.head_sha),
        labels=seen.labels,
        assignees=seen.assignees,
        private=seen.private,
        archived=seen.archived,
        updated_at=seen.updated_at,
        mergeable=seen.mergeable,
        merge_commit_sha=None,
        changed_files=seen.changed_files,
    )


def nothing_was_said(seen: Glance, known: Heard, us: int) -> bool:
    """Return whether nobody but our own account (`us`) wrote or edited a comment since a look.

    Where there are more comments than a glance shows, one that the look has read has to be among those: else
    a new one may be hidden behind many of ours.
    """
    unread = [each for each in seen.words if not known.knows(each.id, each.updated_at)]
    reaches_back = len(unread) < len(seen.words) or not seen.more_words
    return reaches_back and all(each.author == us for each in unread)


def is_explained(seen: Glance, before: PullRequest) -> bool:
    """Return whether one of the newest comments is what the pull request was updated by, if it was at all.

    Only then nothing that a glance does not show was the last that happened: a comment on lines, say.
    """
    if seen.updated_at == before.updated_at:
        return True
    return any(timedelta(0) <= seen.updated_at - each.updated_at <= _SAME_CHANGE for each in seen.words)


def no_review_since(seen: Glance, as_of: datetime | None, overlap: timedelta) -> bool:
    """Return whether there is no review that is newer than the state `as_of` which reviews were read.

    Those of the time `overlap` before it may have been shown late.
    """
    if seen.more_reviews:
        return False
    return seen.reviewed_at is None or (as_of is not None and seen.reviewed_at + overlap < as_of)
