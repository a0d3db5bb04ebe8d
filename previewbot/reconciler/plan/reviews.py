"""What a look at the reviews of a pull request leaves known of them, for the next one."""

from __future__ import annotations

from dataclasses import replace

from previewbot.api import OF_REVIEWS, Poke, RequestKind, Requests
from previewbot.reconciler.conversation import Inbox
from previewbot.reconciler.observation import PullRequestFacts


def with_reviews(requests: Requests, poke: Poke, inbox: Inbox, facts: PullRequestFacts) -> Requests:
    """Return the requests with what this look knows of reviews; as they were if it did not read them."""
    if inbox.places is None:
        return requests
    for kind in OF_REVIEWS:
        requests = _with_kind(requests, kind, poke, inbox, facts)
    if facts.lagging or any(requests.place(kind).left for kind in OF_REVIEWS):
        return requests
    # The listing compares it: where another webhook had the pull request looked at, and that of a review was
    # lost, the time that was seen last says nothing of reviews.
    return replace(requests, reviews_as_of=facts.pull_request.updated_at)


def _with_kind(
    requests: Requests, kind: RequestKind, poke: Poke, inbox: Inbox, facts: PullRequestFacts
) -> Requests:
    found = (inbox.places or {}).get(kind, requests.place(kind))
    place = replace(requests.place(kind), shown_at=found.shown_at, pages=found.pages, left=found.left)
    left = inbox.left.since.get(kind) if inbox.left else None
    if left is not None:
        # Shown, and still to be carried out: the next look has to find it again.
        shown_at = min(found.shown_at or left, left)
        place = replace(place, left=True, pages=requests.place(kind).pages, shown_at=shown_at)
    if not place.left and not facts.lagging:
        place = replace(place, told=poke.told(kind), told_by_member=poke.told_by_member(kind))
    return requests.with_place(kind, place)
