"""Which of all previews somebody sees, and how much of each: as GitHub says to their own token."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from previewbot.api import Preview
from previewbot.api.rights import Rights
from previewbot.pages.all_previews import Listed
from previewbot.pages.visitors import GITHUB, Visitors
from previewbot.rules.what_runs import Wanted, fits, rank

MOST_REPOSITORIES = 50
"""GitHub is asked of so many for one look; what it says is kept for two minutes (`people.access`)."""

SECONDS_FOR_GITHUB = 5.0
"""So long a look asks GitHub; the next one, which the page makes by itself, goes on from there."""

MOST_ROWS = 200
"""More are no list that anybody reads; the filters lead to the others."""


@dataclass(frozen=True)
class SeenPreview:
    """A preview in the list of somebody; with `words` they see all that may be read in the pull request."""

    preview: Preview
    words: bool


@dataclass(frozen=True)
class Seen:
    """What somebody sees: the first of so many (`count`).

    Of `too_many` repositories GitHub is not asked in one look, of the `late` ones there was no time to.
    `names` are the repositories of all that they see, whatever they ask for. `has_more`: not all were read.
    """

    rows: tuple[SeenPreview, ...]
    count: int
    names: tuple[str, ...]
    too_many: int = 0
    late: int = 0
    has_more: bool = False


def seen_by(
    visitors: Visitors,
    listed: Listed,
    wanted: Wanted,
    *,
    most: int = MOST_ROWS,
    seconds: Callable[[], float] = time.monotonic,
) -> Seen:
    """Return what whoever sent the request that is under way sees of all previews.

    Raises RemoteError if GitHub cannot be asked, SessionOver if it takes the person's token no more.
    """
    ids = _in_order(listed.previews, wanted)
    asks_github = visitors.asks == GITHUB and visitors.person() is not None
    rights, late = (
        _by_github(visitors, listed.previews, ids, seconds)
        if asks_github
        else ({each.name: visitors.of(each) for each in listed.previews}, 0)
    )
    shown = [
        SeenPreview(each, may.words)
        for each in listed.previews
        # What is not public has no row for those who may not read it: its name alone would tell of it.
        if (may := rights.get(each.name)) is not None
        and (may.words or (may.state and each.status.observed.public))
    ]
    fitting = [each for each in shown if fits(each.preview, wanted, words=each.words)]
    fitting.sort(key=lambda each: rank(each.preview))
    names = {each.preview.repository for each in shown}
    return Seen(
        rows=tuple(fitting[:most]),
        count=len(fitting),
        names=tuple(sorted(names, key=str.lower)),
        too_many=max(0, len(ids) - MOST_REPOSITORIES) if asks_github else 0,
        late=late,
        has_more=listed.has_more,
    )


def _in_order(previews: Iterable[Preview], wanted: Wanted) -> list[int]:
    """Return the repositories of all previews: the one that is asked for first, so that it is never left out.

    The others are asked of all the same: else time would tell whether there is one of that name.
    """
    names = {each.spec.repository_id: each.repository.lower() for each in previews}
    return sorted(names, key=lambda one: (names[one] != wanted.repository.lower(), names[one], one))


def _by_github(
    visitors: Visitors, previews: Iterable[Preview], ids: list[int], seconds: Callable[[], float]
) -> tuple[dict[str, Rights], int]:
    """Return the rights at each preview, by its name; of how many repositories there was no time to ask."""
    of_each = {each.spec.repository_id: each for each in previews}
    found: dict[int, Rights] = {}
    asked, until = ids[:MOST_REPOSITORIES], seconds() + SECONDS_FOR_GITHUB
    for one in asked:
        if seconds() >= until:
            break
        found[one] = visitors.of(of_each[one])
    rights = {
        each.name: found[each.spec.repository_id] for each in previews if each.spec.repository_id in found
    }
    return rights, len(asked) - len(found)
