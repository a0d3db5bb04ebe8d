"""The reviews of a pull request: their bodies, and the comments on lines, in which people give commands too.

They are read because a delivery or the listing told of them, and never with each look: it takes two requests
more. Anybody may review where the repository is public, so each look reads a bounded part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot.api import OF_REVIEWS, Place, Preview, RequestId, RequestKind, Requests
from previewbot.api.github import Comment, PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.clients.github.cache import PAGE_SIZE
from previewbot.clients.github.installation import REVIEW_PAGES
from previewbot.reconciler.plan.inbox import REVIEW_OVERLAP
from previewbot.rules.edited import CORRECTED_WITHIN

_MOST = REVIEW_PAGES * PAGE_SIZE

_ON_ITS_WAY = timedelta(minutes=2)
"""How long a delivery may take, and the look that it calls for."""


@dataclass(frozen=True)
class Reviews:
    """What a look found in reviews, and what is known of each kind since; nothing if it did not read them."""

    comments: Sequence[Comment] = ()
    places: Mapping[str, Place] | None = None

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than this look read."""
        return any(place.left for place in (self.places or {}).values())


async def read_reviews(
    client: InstallationClient,
    preview: Preview,
    pull_request: PullRequest,
    known: Requests,
    earliest: datetime,
    now: datetime,
) -> Reviews:
    """Return what stands in reviews, if there is a reason to ask; nothing before `earliest` is obeyed."""
    preview = replace(preview, status=replace(preview.status, requests=known))
    if not preview.must_read_reviews and not may_be_corrected(preview, client.time_at(now)):
        return Reviews()
    repository, number = pull_request.base.repository, pull_request.number
    bodies, on_lines = (known.place(kind) for kind in OF_REVIEWS)
    # A review that was submitted is never taken away again, so full pages stay as they are. The last of them
    # is read once more: GitHub answers that with 304, which costs nothing.
    first = max(1, bodies.pages)
    reviews = await client.reviews(repository, number, first)
    since = max(earliest, on_lines.shown_at - _overlap(on_lines)) if on_lines.shown_at else earliest
    comments = await client.review_comments(repository, number, since)
    places: dict[str, Place] = {
        RequestKind.REVIEW: replace(
            _shown(bodies, reviews), pages=max(bodies.pages, first - 1 + len(reviews) // PAGE_SIZE)
        ),
        RequestKind.REVIEW_COMMENT: _shown(on_lines, comments),
    }
    return Reviews((*reviews, *comments), places)


def may_be_corrected(preview: Preview, now: datetime) -> bool:
    """Return whether a delivery may tell of a correction, by GitHub's time.

    That of an edit may name the review that was told of last, so within that time any delivery has the lists
    read. Only who may write has something to correct: strangers cannot begin it.
    """
    return preview.unseen_poke and any(
        each.request.kind in OF_REVIEWS and now - each.updated_at <= CORRECTED_WITHIN + _ON_ITS_WAY
        for each in preview.status.requests.correctable
    )


def is_unseen(preview: Preview, known: Requests, reviews: Reviews) -> bool:
    """Return whether GitHub does not show yet what a delivery told of.

    By the very id: of what was begun as a draft the id says nothing of when it is shown.
    """
    if reviews.places is None or reviews.is_cut:
        return False
    shown = {comment.request for comment in reviews.comments} | set(known.handled)
    told = {kind: preview.poke.told(kind) for kind in OF_REVIEWS}
    return any(
        number not in (0, known.place(kind).told) and RequestId(kind=kind, id=number) not in shown
        for kind, number in told.items()
    )


def _overlap(place: Place) -> timedelta:
    # What was left goes on where it ended: with an overlap a crowd could keep a look at the same comments.
    return timedelta(0) if place.left else REVIEW_OVERLAP


def _shown(place: Place, comments: Sequence[Comment]) -> Place:
    newest = max((comment.shown_at for comment in comments), default=None)
    moments = [moment for moment in (place.shown_at, newest) if moment is not None]
    return replace(place, shown_at=max(moments, default=None), left=len(comments) >= _MOST)
