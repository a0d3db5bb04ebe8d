"""One day: the organisation, the controller that is restarted every few hours, and what both cost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.organisation.cluster import Kubernetes
from bench.organisation.controller import Controller
from bench.organisation.ledger import HOUR, Ledger
from bench.organisation.people import Organisation, Town, seconds_of
from bench.organisation.time import MIDNIGHT, Clock, run
from previewbot.api import name_of

ALONE, EVERYWHERE, REQUIRED = "comment alone", "deployments, check", "check: required"
PLACES: Mapping[str, Mapping[str, Any]] = {
    ALONE: {"deployments": "off", "check": "off"},
    EVERYWHERE: {"deployments": {"environment": "preview"}, "check": "on"},
    REQUIRED: {"deployments": {"environment": "preview"}, "check": "required"},
}
"""Where previews are told of: the settings, by the name that they have here."""

_SLICE = 60.0


@dataclass(frozen=True)
class Day:
    """What came of it: `open` pull requests and `live` previews at its end, `lost` that were not found.

    `limit` and `points` are what the installation's hour has, of requests and of GraphQL.

    `places`: where previews were told of, a name of `PLACES`.
    """

    town: Town
    places: str
    ledger: Ledger
    limit: int
    points: int
    open: int
    live: int
    lost: int


def live_through(
    town: Town,
    progress: Callable[[str], None] = lambda words: None,
    places: str = ALONE,
) -> Day:
    """Live through a day; `progress` is told how far it is, `places` is a name of `PLACES`."""
    # What previewbot spreads at random is spread alike each time.
    random.seed(town.seed)
    with _no_bugs():
        return run(_day(town, progress, places))


async def _day(town: Town, progress: Callable[[str], None], places: str) -> Day:
    clock = Clock()
    ledger = Ledger(MIDNIGHT.timestamp())
    organisation = Organisation(town, clock, ledger.charge)
    organisation.fill(progress)
    kube = Kubernetes(clock)
    kube.wrote = lambda what: ledger.write(what, seconds_of(clock))

    def seen(preview: Mapping[str, Any]) -> None:
        spec, told = preview["spec"], preview.get("status", {}).get("observed", {}).get("updatedAt")
        if told:
            as_of = datetime.fromisoformat(told).timestamp() - MIDNIGHT.timestamp()
            ledger.see(spec["repository"], spec["number"], as_of, seconds_of(clock))

    kube.seen = seen
    controller = Controller(organisation, kube, clock, PLACES[places])

    def lost(repository: str, number: int, action: str) -> None:
        name = name_of(organisation.github.find(repository).id, number)
        if action == "opened" or any(p["metadata"]["name"] == name for p in kube.previews):
            ledger.lose(repository, number, seconds_of(clock))

    organisation.lost = lost
    people = asyncio.create_task(organisation.live())
    working: asyncio.Task[None] | None = None
    for at in range(int(town.hours * HOUR / _SLICE)):
        if (at * _SLICE) % town.restart_every == 0:
            await _end(working)
            ledger.restart(seconds_of(clock))
            working = asyncio.create_task(controller.run())
        await asyncio.sleep(_SLICE)
        for task in (people, working):
            if task is not None and task.done():
                task.result()
        if at % 10 == 0:
            passed = sum(ledger.rest(int(at * _SLICE / HOUR) + 1))
            progress(f"{at * _SLICE / HOUR:5.1f} h, {passed} counted requests, {kube.live} previews")
    # What was lost in the last half hour may be found yet.
    never = ledger.never_found(seconds_of(clock) - HOUR / 2)
    await _end(working)
    await _end(people)
    return Day(
        town,
        places,
        ledger,
        organisation.limit,
        organisation.points,
        len(organisation.pulls),
        kube.live,
        never,
    )


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class _Bugs(logging.Handler):
    """Keeps what previewbot calls a fault of its own, which must not pass for a quiet day."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.met: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.met.append(logging.Formatter().format(record))


@contextlib.contextmanager
def _no_bugs() -> Iterator[None]:
    """Say nothing of what previewbot logs; raises AssertionError if it was a fault of its own."""
    log, bugs = logging.getLogger("previewbot"), _Bugs()
    level, propagates = log.level, log.propagate
    log.addHandler(bugs)
    log.setLevel(logging.ERROR)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(bugs)
        log.setLevel(level)
        log.propagate = propagates
    assert not bugs.met, bugs.met[0]
