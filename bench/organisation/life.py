"""One life of a pull request, and what it asks of GitHub by kind: opened, ready, pushed to, closed."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.organisation.cluster import Kubernetes
from bench.organisation.controller import Controller
from bench.organisation.people import Organisation, Town
from bench.organisation.time import Clock, run
from previewbot_demo.github.charges import Charged

OPENED, PUSHED, CLOSED = "opened, until it is ready", "pushed to, until it is replaced", "closed"
STEPS = (OPENED, PUSHED, CLOSED)
POINTS, UNCHANGED, TOKENS, ONCE = "GraphQL points", "304, free", "tokens", "once for all lives"
"""What is told apart from the requests that count: another hour, nothing, the App's own, who the App is."""

_LISTING = re.compile(r"/installation/repositories$|/app/installations$")
_ONCE = re.compile(r"/app$|/users/[^/]+$")
_REPOSITORY = re.compile(r"^/api/v3/repos/[^/]+/[^/]+")
_ONE = re.compile(r"/(?:[0-9a-f]{40}|\d+)(?=/|$)")
_CONTENTS = re.compile(r"/contents/.*")


@dataclass
class Spent:
    """What each step asked by kind, and what was refused."""

    steps: dict[str, Counter[str]] = field(default_factory=lambda: {step: Counter() for step in STEPS})
    refused: list[Charged] = field(default_factory=list)

    def note(self, step: str, charged: Charged) -> None:
        """Count a request of a step; what the listing asks is no preview's."""
        if _LISTING.search(charged.path):
            return
        if charged.why or charged.status >= 400:
            self.refused.append(charged)
        amount = charged.points if charged.resource == "graphql" else 1
        self.steps[step][kind_of(charged)] += amount

    @property
    def kinds(self) -> Sequence[str]:
        """Every kind that counts, those asked most first."""
        apart = (POINTS, UNCHANGED, TOKENS, ONCE)
        return [kind for kind, _ in self.all.most_common() if kind not in apart]

    @property
    def all(self) -> Counter[str]:
        """The same of the whole life."""
        return sum(self.steps.values(), Counter[str]())

    def counted(self, *steps: str) -> int:
        """Return how many requests count of these steps, or of all."""
        return sum(self.steps[step][kind] for step in steps or STEPS for kind in self.kinds)


def kind_of(charged: Charged) -> str:
    """Return what a request was, without the numbers that tell two of a kind apart."""
    if charged.resource == "graphql":
        return POINTS
    if charged.path.endswith("/access_tokens"):
        return TOKENS
    if charged.status == 304:
        return UNCHANGED
    if _ONCE.search(charged.path):
        return ONCE
    path = _CONTENTS.sub("/contents/…", _REPOSITORY.sub("", charged.path))
    return f"{charged.method} {_ONE.sub('/…', path)}"


def live(settings: Mapping[str, Any] | None = None) -> Spent:
    """Live one life with these settings, in no time; raises AssertionError if it is not lived to its end."""
    random.seed(13)
    return run(_live(settings or {}))


async def _live(settings: Mapping[str, Any]) -> Spent:
    clock, heard = Clock(), list[Charged]()
    organisation = Organisation(Town(1, 0, lost=0), clock, heard.append)
    organisation.fill(lambda words: None)
    kube, spent = Kubernetes(clock), Spent()
    working = asyncio.create_task(Controller(organisation, kube, clock, settings).run())
    await asyncio.sleep(400)
    for step, do, seconds in (
        (OPENED, organisation.open_by_agent, 700),
        (PUSHED, organisation.push_by_agent, 700),
        (CLOSED, organisation.close_by_agent, 100),
    ):
        heard.clear()
        do()
        await asyncio.sleep(seconds)
        for charged in heard:
            spent.note(step, charged)
        assert kube.live == (step != CLOSED), step
    assert not kube.previews
    working.cancel()
    await asyncio.wait([working])
    return spent


def table(lives: Mapping[str, Spent]) -> str:
    """Return the requests by kind: a row for each, columns for the steps of each life and their sum."""
    kinds = sorted({kind for spent in lives.values() for kind in spent.kinds})
    rows = [
        (kind, [[spent.steps[step][kind] for step in STEPS] for spent in lives.values()])
        for kind in (*kinds, POINTS, UNCHANGED)
    ]
    rows.insert(len(kinds), ("counted", [[s.counted(step) for step in STEPS] for s in lives.values()]))
    width = max(len(kind) for kind, _ in rows)
    lines = [f"{'':{width}}" + "".join(f"{name:>32}" for name in lives)]
    lines += [f"{'':{width}}" + "".join(f"{h:>8}" for h in ("open", "push", "close", "all")) * len(lives)]
    for kind, numbers in rows:
        cells = "".join("".join(f"{n:>8}" for n in (*each, sum(each))) for each in numbers)
        lines.append(f"{kind:{width}}{cells}")
    return "\n".join(lines)
