"""Asks for mirrord's operator about once a minute, and says once what changed."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

from prometheus_client import CollectorRegistry, Gauge

from previewbot.api import Reason
from previewbot.engine.operator import (
    OPERATOR_REASONS,
    Answer,
    OperatorProblem,
    OperatorSeen,
    problem_of,
    warnings_of,
)
from previewbot.runtime.health import Health

INTERVAL_SECONDS = 60.0
IN_TROUBLE_SECONDS = (5.0, 15.0)
"""The first pause while something is wrong, and the longest."""

_OPERATOR = "mirrord's operator"

log = logging.getLogger(__name__)

Look = Callable[[], Awaitable[OperatorSeen]]


class OperatorPoll:
    """Call it for what is known of the operator now.

    What is worse than what was known is believed when two looks in a row say so: one that fails must not
    change a preview. What is better is believed at once, and so is the first look of all, after which
    `looked` is set. `changed` is called whenever it becomes possible or impossible to make previews, or for
    another reason. A controller stays ready whatever comes of it: see docs/operations.md.
    """

    def __init__(
        self,
        look: Look,
        now: Callable[[], datetime],
        health: Health,
        metrics: CollectorRegistry,
        changed: Callable[[], None],
    ) -> None:
        self._look, self._now, self._health, self._changed = look, now, health, changed
        self._seen = OperatorSeen()
        self._suspected: Reason | None = None
        self._told: Reason | None = None
        self._said: tuple[OperatorProblem | None, tuple[str, ...]] | None = None
        self._trouble = 0
        self.looked = asyncio.Event()
        problem = Gauge(
            "previewbot_operator_problem",
            "Whether mirrord's operator is in such a state that no preview can be made, by the reason",
            ["reason"],
            registry=metrics,
        )
        for reason in sorted(OPERATOR_REASONS):
            problem.labels(reason.value).set_function(partial(self._is_because_of, reason))
        ends = Gauge(
            "previewbot_operator_licence_ends_timestamp_seconds",
            "The day with which the licence of mirrord's operator ends; 0 where that is not told",
            registry=metrics,
        )
        ends.set_function(lambda: _timestamp(self._seen))

    def __call__(self) -> OperatorSeen:
        """Return what is known."""
        return self._seen

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            seconds = await self.once()
            # Jittered, so that two controllers do not ask together for ever.
            await asyncio.sleep(seconds * random.uniform(0.8, 1.2))

    async def once(self) -> float:
        """Ask once; return in how many seconds to ask again."""
        found = await self._look()
        if self._is_to_be_believed(found):
            self._seen = found
        self.looked.set()
        self._say()
        # By what was told last, and not by what was known a moment ago: a licence expires by the clock alone.
        if self._reason() is not self._told:
            self._told = self._reason()
            self._changed()
        # The API server's silence is trouble of its own, which others say; it is no news of the operator.
        troubled = self._suspected is not None or self._reason() is not None
        self._trouble = self._trouble + 1 if troubled or found.answer is Answer.NOT_KNOWN else 0
        first, last = IN_TROUBLE_SECONDS
        return min(first * 2.0 ** min(self._trouble - 1, 8), last) if self._trouble else INTERVAL_SECONDS

    def _is_to_be_believed(self, found: OperatorSeen) -> bool:
        if found.answer is Answer.NOT_KNOWN:
            return False
        problem = problem_of(found, self._now())
        reason = problem.reason if problem else None
        news = reason is not None and reason is not self._reason()
        first = self._seen.answer is Answer.NOT_KNOWN
        if news and not first and self._suspected is None:
            self._suspected = reason
            return False
        self._suspected = None
        return True

    def _is_because_of(self, reason: Reason) -> float:
        return float(self._reason() is reason)

    def _reason(self) -> Reason | None:
        problem = problem_of(self._seen, self._now())
        return problem.reason if problem is not None else None

    def _say(self) -> None:
        """Say in the log, once a change, and in `/readyz` how it stands."""
        now = self._now()
        if self._seen.answer is Answer.NOT_KNOWN:
            return
        problem, warnings = problem_of(self._seen, now), warnings_of(self._seen, now)
        self._health.note(_OPERATOR, "; ".join([*([problem.words] if problem else []), *warnings]))
        said = self._said
        if said is not None and (_reason_of(said[0]), said[1]) == (_reason_of(problem), warnings):
            return
        self._said = (problem, warnings)
        if problem is not None:
            log.warning("no preview can be made", extra={"reason": problem.reason, "why": problem.words})
        elif said is None or said[0] is not None:
            about = {"version": self._seen.operator.version, "answer": self._seen.answer.name.lower()}
            log.info("mirrord's operator was asked: previews can be made as far as is known", extra=about)
        for warning in warnings:
            if said is None or warning not in said[1]:
                log.warning("mirrord's operator", extra={"why": warning})


def _reason_of(problem: OperatorProblem | None) -> Reason | None:
    return problem.reason if problem is not None else None


def _timestamp(seen: OperatorSeen) -> float:
    ends = seen.operator.licence.ends
    return datetime(ends.year, ends.month, ends.day, tzinfo=UTC).timestamp() if ends is not None else 0.0
