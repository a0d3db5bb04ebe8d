"""Which pictures are wished for, how they stand in the status, and when to wish again. Pure.

They are of what is announced: wished for once the link is proven for a commit, and again with each look that
is due, since a worker that was started anew knows of nothing. Nothing of a fork is ever pictured.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot.api import (
    Phase,
    Picture,
    Pictures,
    PictureState,
    Preview,
    Proven,
    Service,
    Status,
)
from previewbot.api.pictures import MOST_OF_A_PATH, MOST_PATHS, Which
from previewbot.config.repository import RepositoryConfig
from previewbot.engine import links
from previewbot.reconciler.limits import Limits
from previewbot.reconciler.observation import Observation, PicturesAskedFor, PicturesSeen, PullRequestFacts
from previewbot.rules.pictures import MOST_ADDRESSES, Place, Wish, at_path, may_pass, path_of, pictures_of

AGAIN = timedelta(minutes=5)
"""How often the worker is asked whether it still has what was taken."""

_ASLEEP = timedelta(minutes=15)
"""How often it is asked the same of what is not looked at: nothing is taken, but something may be lost."""

AWAY = timedelta(seconds=30)
"""How long a worker is not asked anything that did not answer."""

_SOON, _LATER = 2.0, 60.0
"""Seconds until it is asked whether pictures were taken meanwhile: soon at first, and then more seldom."""

_LARGEST_STATUS = 999


@dataclass(frozen=True)
class _Shown:
    """What a link shows that works: of which commit, and whether nothing sleeps that a look would wake."""

    sha: str
    since: datetime | None
    awake: bool


def wish_of(
    preview: Preview,
    facts: PullRequestFacts | None,
    limits: Limits,
    now: datetime,
    *,
    addresses: Sequence[str] = (),
) -> Wish | None:
    """Return what is to be pictured of a Preview as it is stored; None if nothing is.

    Of what sleeps, or while it is not known what the link shows, it only asks: nothing is looked at, and what
    was wished for before waits.

    `addresses` are those of the Gateway, for a link whose name is not known in the cluster.
    """
    config, status = facts.config if facts is not None else None, preview.status
    if facts is None or config is None or not limits.pictures or facts.pull_request.is_fork:
        return None
    until = status.lifecycle.expires_at or now + limits.ttl_max
    shown = _shown(status, limits)
    if shown is None or not shown.awake:
        return _question(status.pictures, until)
    link = status.link
    places = tuple(
        Place(path, at_path(link.url, path), at_path(link.staging_url, path))
        for path in paths_of(config, status.services, path_of(link.url))
        # A link may land on a longer one.
        if len(path) <= MOST_OF_A_PATH
    )
    if not places:
        return None
    known = tuple(addresses)[:MOST_ADDRESSES]
    return Wish(shown.sha, until, places, addresses=known, serving_since=shown.since)


def _question(pictures: Pictures, until: datetime) -> Wish | None:
    """Return a wish that only asks how these pictures stand, and keeps them until then; None without any."""
    paths = dict.fromkeys(each.path for each in pictures.taken)
    if not pictures.of or not paths:
        return None
    places = tuple(Place(path, "", "") for path in paths)
    return Wish(pictures.sha, until, places, only_asks=True, asks_of=pictures.of)


def paths_of(config: RepositoryConfig, services: Sequence[Service], lands_on: str) -> tuple[str, ...]:
    """Return the paths that are pictured: those that the services behind the link name, and its entry."""
    entry = links.entry_of(config, services)
    serving = {service.name for service in services if service.serving_sha}
    behind = [
        each for each in config.services if each.name in serving and config.entry_of(each.name) == entry
    ]
    named = [each.pictures for each in behind if each.pictures is not None]
    if entry is not None and entry.pictures is not None:
        named.append(entry.pictures)
    if not named:
        return (lands_on,)
    return tuple(dict.fromkeys(path for paths in named for path in paths))[:MOST_PATHS]


def with_pictures(status: Status, observation: Observation) -> Status:
    """Return a status with how its pictures stand, as the worker said; without any where none are taken."""
    if not observation.limits.pictures and status.pictures != Pictures():
        return replace(status, pictures=Pictures())
    seen = observation.pictures
    if seen is None:
        return status
    found = _as_seen(seen, status.pictures, observation.now)
    return status if found == status.pictures else replace(status, pictures=found)


def seconds_until_wished(
    status: Status, wish: Wish | None, now: datetime, *, asked: PicturesAskedFor | None
) -> float | None:
    """Return in how many seconds the worker is to be asked; in 0 or less at once, None if it is not.

    `asked` is what it was last asked for this Preview, None if that was nothing, by this process.
    """
    if wish is None:
        return None
    if asked is None:
        return 0.0
    pictures = status.pictures
    waits = AGAIN.total_seconds()
    if asked.of != wish.of or asked.only_asks != wish.only_asks:
        # What falls asleep is not to be woken by what is still to be looked at.
        waits = _SOON
    elif asked.rests:
        waits = asked.rests
    elif status.lifecycle.expires_at is not None and asked.until < wish.until:
        waits = _SOON
    elif wish.only_asks:
        waits = _ASLEEP.total_seconds()
    elif pictures.of != wish.of:
        # Its answer was not stored. Something was faster perhaps, and perhaps it never can be.
        waits = _slower(asked.since, now, AGAIN.total_seconds())
    elif pictures.are_due:
        waits = _slower(pictures.since or now, now, _LATER)
    elif any(may_pass(each) for each in pictures.taken):
        # The worker tries these again by itself, soon at first.
        waits = max(_LATER, _slower(pictures.since or now, now, AGAIN.total_seconds()))
    return waits - (now - asked.at).total_seconds()


def _slower(since: datetime, now: datetime, most: float) -> float:
    """Return how long to wait, in seconds, for what has been waited for `since` then."""
    return min(max(_SOON, (now - since).total_seconds() / 4), most)


def _shown(status: Status, limits: Limits) -> _Shown | None:
    link = status.link
    if link.kind is None or not link.kind.just_works or not link.url or not link.staging_url:
        return None
    if limits.check_links and (link.proven in (None, Proven.NO) or link.outdated):
        return None
    serving = [service for service in status.services if service.serving_sha]
    shas = {service.serving_sha for service in serving}
    if len(shas) != 1 or status.phase not in (Phase.READY, Phase.IDLE):
        return None
    since = max((service.serving_since for service in serving if service.serving_since), default=None)
    return _Shown(shas.pop(), since, awake=all(service.phase is not Phase.IDLE for service in serving))


def _as_seen(seen: PicturesSeen, before: Pictures, now: datetime) -> Pictures:
    """Return what the worker said of what was wished for, and of nothing else: it is not believed further."""
    if seen.wish is None:
        return Pictures()
    said = {each.which: each for each in seen.taken}
    same = before.of == seen.wish.of
    # What sleeps is not looked at, so nothing of it is taken anew.
    had = before.taken if same and not seen.wish.only_asks else ()
    again = {each.which for each in had if each.state.was_taken}
    taken = tuple(_known(each, said, again) for each in pictures_of(seen.wish))
    # Of a worker that was started anew the time begins anew too, so that it is asked soon.
    since = before.since if same and before.are_due else now
    found = Pictures(seen.wish.sha, seen.wish.of, since, taken, seen.public)
    return before if same and replace(found, since=before.since) == before else found


def _known(wished: Picture, said: Mapping[Which, Picture], again: Collection[Which]) -> Picture:
    found = said.get(wished.which, wished)
    if found.state.is_due:
        return replace(wished, state=PictureState.AGAIN) if wished.which in again else wished
    answered = found.answered if 0 <= found.answered <= _LARGEST_STATUS else 0
    return replace(wished, state=found.state, why=found.why, answered=answered)
