"""What a preview can touch: per kind of state, which services have it of their own and which share staging's.

It goes by what the sessions that serve were sent (`api/isolation.py`). What nobody says anything of is taken
to be staging's: a preview that may write to staging's database is told as one that does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from previewbot.api import (
    Isolation,
    Link,
    OwnDatabase,
    OwnEnvironment,
    OwnMessages,
    RequestsTaken,
    Service,
    Severity,
    Status,
    TakenBy,
    Why,
)

Fact = TypeVar("Fact")

EVERY_QUEUE = "*"
"""mirrord's id for all queues of a target."""


@dataclass(frozen=True)
class Databases:
    """Which databases are a service's own, and which of those it uses are `shared`.

    `said`: the configuration says which it uses, so there are no others.
    """

    own: tuple[OwnDatabase, ...]
    shared: tuple[str, ...]
    said: bool

    @property
    def isolated(self) -> bool:
        """Whether nothing that it writes to a database can be seen by others."""
        return self.said and not self.shared


@dataclass(frozen=True)
class Queues:
    """Of which queues a service gets messages of its own, and which of those it uses are `shared`."""

    own: tuple[OwnMessages, ...]
    shared: tuple[str, ...]
    said: bool

    @property
    def isolated(self) -> bool:
        """Whether it takes no message that is meant for staging."""
        return not self.shared and (self.said or any(queue.id == EVERY_QUEUE for queue in self.own))


class Passing(StrEnum):
    """Whether the header gets from the front end to a service that is behind it."""

    PASSED_ON = "passed on"
    NOT_PASSED_ON = "not passed on"
    NOT_CHECKED = "not checked"
    UNANSWERED = "unanswered"
    """Its check did not answer."""


@dataclass(frozen=True)
class Header:
    """From which front end, and through whatever is between, the header must get to a service."""

    front_end: str
    passing: Passing


@dataclass(frozen=True)
class Line(Generic[Fact]):
    """One fact that is true of these services alike; WARNING where it may harm others, or mislead."""

    services: tuple[Service, ...]
    fact: Fact
    severity: Severity


@dataclass(frozen=True)
class OthersSee:
    """Services of which others see what they change: in staging's databases, in its queues, or in both."""

    services: tuple[Service, ...]
    databases: bool
    queues: bool


@dataclass(frozen=True)
class BlastRadius:
    """All that is known, by kind; services of which the same holds are told together.

    `others_see` is what is said of it in one line; `takes_others` are services that may take requests which
    are nobody's of this preview.
    """

    requests: tuple[Line[RequestsTaken], ...] = ()
    databases: tuple[Line[Databases], ...] = ()
    queues: tuple[Line[Queues], ...] = ()
    environment: tuple[Line[OwnEnvironment], ...] = ()
    headers: tuple[Line[Header], ...] = ()
    others_see: tuple[OthersSee, ...] = ()
    takes_others: tuple[Service, ...] = ()


def blast_radius(status: Status) -> BlastRadius | None:
    """Return what a preview can touch now; None while nothing of it serves, as then it touches nothing."""
    serving = [(service, service.isolation) for service in status.services if service.isolation is not None]
    if not serving:
        return None
    by_requests = _told(serving, lambda _, isolation: isolation.requests, _taken)
    return BlastRadius(
        requests=by_requests,
        databases=_told(serving, lambda _, isolation: databases_of(isolation), _isolated),
        queues=_told(serving, lambda _, isolation: queues_of(isolation), _isolated),
        environment=_told(serving, lambda _, isolation: isolation.environment, lambda _: Severity.GOOD),
        headers=_told(_behind(serving), lambda s, i: _header(status.link, s.name, i), _passed),
        others_see=_others_see(serving),
        takes_others=tuple(s for s, isolation in serving if isolation.requests.by is TakenBy.OTHER),
    )


def has_own_databases(status: Status) -> bool:
    """Return whether some of what a preview shows may come from a database of its own."""
    isolations = (service.isolation for service in status.services if service.isolation is not None)
    return any(databases_of(isolation).own for isolation in isolations)


def databases_of(isolation: Isolation) -> Databases:
    """Return which databases are a service's own, and which staging's."""
    own = tuple(database for database in isolation.databases if not database.unreached)
    # What nothing leads to is there for nobody: the service goes on to use staging's.
    unreached = [database.name for database in isolation.databases if database.unreached]
    uses, names = isolation.uses.databases, {database.name for database in own}
    shared = [name for name in (*unreached, *(uses or ())) if name not in names]
    return Databases(own, tuple(dict.fromkeys(shared)), uses is not None)


def queues_of(isolation: Isolation) -> Queues:
    """Return of which queues a service gets its own messages, and which are shared."""
    own, uses = isolation.queues, isolation.uses.queues
    ids = {queue.id for queue in own}
    shared = () if EVERY_QUEUE in ids else tuple(name for name in uses or () if name not in ids)
    return Queues(own, shared, uses is not None)


_Serving = Sequence[tuple[Service, Isolation]]


def _told(
    serving: _Serving, fact_of: Callable[[Service, Isolation], Fact], severity_of: Callable[[Fact], Severity]
) -> tuple[Line[Fact], ...]:
    """Return a line for each fact, with all services of which it is true, in the services' order."""
    facts: list[tuple[Fact, list[Service]]] = []
    for service, isolation in serving:
        fact = fact_of(service, isolation)
        same = next((services for known, services in facts if known == fact), None)
        if same is None:
            facts.append((fact, [service]))
        else:
            same.append(service)
    return tuple(Line(tuple(services), fact, severity_of(fact)) for fact, services in facts)


def _taken(requests: RequestsTaken) -> Severity:
    return Severity.WARNING if requests.by is TakenBy.OTHER else Severity.GOOD


def _isolated(state: Databases | Queues) -> Severity:
    return Severity.GOOD if state.isolated else Severity.WARNING


def _passed(header: Header) -> Severity:
    return Severity.WARNING if header.passing is Passing.NOT_PASSED_ON else Severity.GOOD


def _behind(serving: _Serving) -> _Serving:
    """Return those to which a request gets through others; where it gets in at all, and to them."""
    return [
        (service, isolation)
        for service, isolation in serving
        if isolation.behind and isolation.requests.by is not TakenBy.NOTHING
    ]


def _header(link: Link, name: str, isolation: Isolation) -> Header:
    passing = Passing.NOT_CHECKED
    if name in link.passed_on:
        passing = Passing.PASSED_ON
    elif name in link.about and link.why is Why.NOT_PASSED_ON:
        passing = Passing.NOT_PASSED_ON
    elif name in link.about and link.why is Why.CHECK_REFUSED:
        passing = Passing.UNANSWERED
    return Header(isolation.behind, passing)


def _others_see(serving: Iterable[tuple[Service, Isolation]]) -> tuple[OthersSee, ...]:
    found: dict[tuple[bool, bool], list[Service]] = {}
    for service, isolation in serving:
        shares = (not databases_of(isolation).isolated, not queues_of(isolation).isolated)
        if any(shares):
            found.setdefault(shares, []).append(service)
    return tuple(OthersSee(tuple(services), *shares) for shares, services in found.items())
