"""What asking a link came to: the link of the status as it is proven, or why it is not shown. Pure.

A link is asked before it is announced, and after each change of it. Until somebody has answered the preview
says that it is being checked; one at which staging answers, or nothing, is not announced, and is asked again
with growing pauses, so that it comes by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

from previewbot.api import (
    REASONS,
    Child,
    ChildState,
    Link,
    LinkKind,
    Phase,
    Preview,
    Proven,
    Reason,
    Service,
    Waits,
    Why,
)
from previewbot.config.repository import Entry, RepositoryConfig
from previewbot.engine import links
from previewbot.engine.annotations import hash_of
from previewbot.reconciler.children.routes import route_among
from previewbot.reconciler.limits import Limits
from previewbot.reconciler.observation import LinkAnswer, Observation, PullRequestFacts
from previewbot.reconciler.plan.guard_check import is_told_at_once, seconds_until_asked_again
from previewbot.rules.hosts import place_of
from previewbot.rules.link_answers import Asked, pause, reason_of, verdict_of

LINK_REASONS = tuple(reason for reason, row in REASONS.items() if row.waits is Waits.LINK)
"""Why a link is not shown that everything but its answer speaks for."""

FOLLOWS_WITHIN = timedelta(seconds=60)
"""So long a Gateway may take to follow a route that it has accepted: what it is made of is told of it later
than its controller."""

_STILL_ASKED, _ASKED_FOR_LONG = 0.5, 10.0
"""Seconds until it is looked whether a link has answered meanwhile: soon at first, and then more seldom."""


@dataclass(frozen=True)
class Inquiry:
    """What a link is asked now.

    `of` tells it from what was asked before: another address, commit, route or check. Of a link that leads
    `through_gateway`, `staging` is the host of staging's own front end, if that is behind the same Gateway,
    and `from_then` is when the Gateway follows the route; `unsaid` if it does not say that it takes it.
    """

    of: str
    url: str
    asked: Asked
    through_gateway: bool = False
    staging: str = ""
    from_then: datetime | None = None
    unsaid: bool = False

    def is_early(self, now: datetime) -> bool:
        """Return whether the Gateway may not follow the route yet, and answer for it that it knows no such
        host."""
        return self.unsaid or (self.from_then is not None and now - self.from_then < FOLLOWS_WITHIN)

    def at(self, path: str) -> str:
        """Return the address of another path of the link."""
        parts = urlsplit(self.url)
        there = urlsplit(path)
        return urlunsplit((parts.scheme, parts.netloc, there.path, there.query, ""))


def inquiry_of(
    preview: Preview,
    facts: PullRequestFacts | None,
    limits: Limits,
    services: Sequence[Service],
    children: Iterable[Child],
) -> Inquiry | None:
    """Return what a link would be asked; None if none is, since it does not just work, or is not to be."""
    config = facts.config if facts is not None else None
    if facts is None or config is None or not limits.check_links or not _may_be_asked(preview, facts):
        return None
    key = preview.spec.environment_key
    link = links.link(limits.gateway, config, services, key)
    if link.kind is None or not link.kind.just_works:
        return None
    entry = links.entry_of(config, services)
    # What is behind another entry is not behind this link.
    serving = [s for s in services if s.serving_sha and config.entry_of(s.name) == entry]
    checks = {each.name: each.check for each in config.services if each.check}
    lands_on = links.lands_on(link, config, services)
    behind = tuple(
        service.name for service in serving if service.name != lands_on and _listens(config, service)
    )
    through_gateway = link.kind is LinkKind.GATEWAY and limits.gateway is not None
    asked = Asked(
        key,
        entry=lands_on,
        behind=behind,
        checks={name: path for name, path in checks.items() if name in (lands_on, *behind)},
        pages=place_of(limits.public_url),
        staging=_place_of_staging(entry, link),
        guarded=through_gateway and limits.gateway is not None and limits.gateway.guard is not None,
    )
    route = route_among(children)
    seen = [link.url, [[s.name, s.serving_sha] for s in serving], lands_on, sorted(asked.checks.items())]
    return Inquiry(
        of=hash_of({"asked": seen, "route": route.spec_hash if through_gateway and route else ""}),
        url=link.url,
        asked=asked,
        through_gateway=through_gateway,
        staging=_staging(entry, link) if through_gateway else "",
        from_then=_settled(route, limits) if through_gateway else None,
        unsaid=through_gateway and route is not None and route.state is not ChildState.READY,
    )


def is_due(
    inquiry: Inquiry, link: Link, services: Iterable[Service], deadline: timedelta, now: datetime
) -> bool:
    """Return whether the link of a stored status is to be asked now."""
    after = seconds_until_asked(inquiry, link, services, deadline, now)
    return after is not None and after <= 0


def seconds_until_asked(
    inquiry: Inquiry, link: Link, services: Iterable[Service], deadline: timedelta, now: datetime
) -> float | None:
    """Return in how many seconds a link is to be asked, in 0 or less at once; None if nothing is left to
    ask."""
    ours = (link.kind is not None and link.kind.just_works) or link.reason in LINK_REASONS
    # Whoever sleeps is not woken: what was known stays.
    if not ours or _sleeps(services):
        return None
    if link.question != inquiry.of:
        return (inquiry.from_then - now).total_seconds() if inquiry.from_then else 0.0
    if link.checked_at is None:
        return None
    since = link.asked_since or link.checked_at
    # What did not answer for once may a moment later; a check that is in nobody's staging never will.
    missed = link.why is Why.CHECK_REFUSED and link.checked_at - since < deadline
    if link.proven is not Proven.NO and not missed:
        return seconds_until_asked_again(inquiry.asked, link, now)
    return (link.checked_at + pause(since, link.checked_at, deadline, inquiry.url) - now).total_seconds()


def look_for_an_answer_in(asked_since: datetime | None, now: datetime) -> float:
    """Return in how many seconds to look whether a link that is being asked has answered.

    Few are asked at a time, so that after a restart hundreds may wait for their turn: they must not fill it
    with passes that find nothing.
    """
    waited = (now - asked_since).total_seconds() if asked_since is not None else 0.0
    return min(max(_STILL_ASKED, waited / 2), _ASKED_FOR_LONG)


def checked(
    observation: Observation, link: Link, services: Sequence[Service], children: Sequence[Child]
) -> Link:
    """Return the link that everything else speaks for as its own answer has it."""
    if link.kind is None or not link.kind.just_works or observation.facts is None:
        return link
    preview, before = observation.preview, observation.preview.status.link
    inquiry = inquiry_of(preview, observation.facts, observation.limits, services, children)
    config = observation.facts.config
    if inquiry is None or config is None:
        known = replace(link, outdated=before.outdated)
        return _as_known(known, before) if observation.limits.check_links else link
    answer, deadline = observation.link_answer, observation.limits.session_deadline
    again = answer is not None and answer.again
    if answer is not None and answer.of == inquiry.of and not _is_still_guarded(inquiry, answer):
        verdict = verdict_of(inquiry.asked, answer.answers)
        same = before.question == inquiry.of and before.proven is verdict.proven
        link = replace(
            link,
            proven=verdict.proven,
            checked_at=answer.at,
            why=verdict.why,
            answered=verdict.answered,
            about=verdict.services,
            unchecked=verdict.unchecked,
            passed_on=verdict.passed_on,
            question=inquiry.of,
            asked_since=before.asked_since if same else answer.at,
        )
    elif before.question == inquiry.of:
        link = _as_known(link, before)
        link = replace(link, checked_at=answer.at) if answer is not None and again else link
    elif _sleeps(services) or _is_shown(link, before):
        link = _as_known(replace(link, outdated=True), before)
    else:
        return _withheld(observation, link, links.entry_of(config, services), Reason.CHECKING_LINK)
    if link.proven is not Proven.NO:
        return link
    waited = observation.now - (link.asked_since or observation.now)
    waits = waited < deadline and not is_told_at_once(link, before, again=again)
    reason = Reason.CHECKING_LINK if waits else _reason(link)
    return _withheld(observation, link, links.entry_of(config, services), reason)


def _is_still_guarded(inquiry: Inquiry, answer: LinkAnswer) -> bool:
    """Return whether nothing but the guard was asked about, and no stranger got in: not even where nobody
    answered."""
    return answer.again and verdict_of(inquiry.asked, answer.answers).why is not Why.UNGUARDED


def _may_be_asked(preview: Preview, facts: PullRequestFacts) -> bool:
    """Return whether what answers is of a commit that somebody answers for."""
    return not facts.pull_request.is_fork or preview.is_approved


def _listens(config: RepositoryConfig, service: Service) -> bool:
    """Return whether a service takes requests at all; a worker does not."""
    ports = next((each.ports for each in config.services if each.name == service.name), None)
    return ports is None or bool(ports)


def _staging(entry: Entry | None, link: Link) -> str:
    """Return the host that staging's front end has, to be asked for at the link's own place; empty if
    none."""
    # Never gone to: the file of a repository names it, and previewbot asks from inside of the cluster.
    host = urlsplit(entry.url).netloc if entry is not None else ""
    return "" if host.lower() == urlsplit(link.url).netloc.lower() else host


def _place_of_staging(entry: Entry | None, link: Link) -> str:
    """Return where staging's front end is for everybody; empty if the link itself leads there."""
    place = place_of(entry.url) if entry is not None else ""
    return "" if place == place_of(link.url) else place


def _settled(route: Child | None, limits: Limits) -> datetime | None:
    if route is None or route.since is None or limits.gateway is None:
        return None
    return route.since + limits.gateway.settle


def _sleeps(services: Iterable[Service]) -> bool:
    return any(service.serving_sha and service.phase is Phase.IDLE for service in services)


def _is_shown(link: Link, before: Link) -> bool:
    """Return whether people have it already: it is not taken from them while a change of it is asked
    about."""
    return (before.kind, before.url) == (link.kind, link.url)


def _as_known(link: Link, before: Link) -> Link:
    """Return a link with what was known of it; the very one of before where nothing else is new."""
    if _without_proof(link) == _without_proof(before):
        return before
    return replace(
        link,
        proven=before.proven,
        checked_at=before.checked_at,
        why=before.why,
        answered=before.answered,
        about=before.about,
        unchecked=before.unchecked,
        passed_on=before.passed_on,
        question=before.question,
        asked_since=before.asked_since,
    )


def _without_proof(link: Link) -> tuple[object, ...]:
    shown = (link.kind, link.url, link.extension_url, link.reason, link.message)
    return (*shown, link.since, link.lost, link.outdated)


def _reason(link: Link) -> Reason:
    return reason_of(link.why) if link.why is not None else Reason.LINK_UNANSWERED


def _withheld(observation: Observation, link: Link, entry: Entry | None, reason: Reason) -> Link:
    before = observation.preview.status.link
    key = observation.preview.spec.environment_key
    return replace(
        link,
        kind=None,
        url="",
        extension_url=links.entry_extension_link(key, entry) if entry is not None else "",
        reason=reason,
        since=before.since if before.reason is reason else observation.now,
    )
