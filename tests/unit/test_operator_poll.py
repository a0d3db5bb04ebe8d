"""The poll for mirrord's operator: what it believes, when it asks again, what it says and to whom."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from previewbot.api import Reason
from previewbot.engine.operator import Answer, OperatorSeen, operator_seen, problem_of
from previewbot.runtime.health import Health
from previewbot.runtime.operator import INTERVAL_SECONDS, OperatorPoll
from previewbot_demo.operator_api import an_operator
from tests.support.clock import Clock

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
WELL = operator_seen(an_operator())
MISSING = OperatorSeen(Answer.MISSING)
AWAY = OperatorSeen(Answer.UNAVAILABLE, detail="503")
SILENT = OperatorSeen()
FORBIDDEN = OperatorSeen(Answer.FORBIDDEN)


class Poll:
    """A poll whose looks find these, one after the other."""

    def __init__(self, *found: OperatorSeen) -> None:
        self.found = list(found)
        self.clock, self.health, self.metrics = Clock(NOW), Health(missing=""), CollectorRegistry()
        self.changes: list[Reason | None] = []
        self.poll = OperatorPoll(self._look, self.clock, self.health, self.metrics, self._changed)

    async def _look(self) -> OperatorSeen:
        return self.found.pop(0)

    def _changed(self) -> None:
        self.changes.append(self.reason)

    @property
    def reason(self) -> Reason | None:
        problem = problem_of(self.poll(), self.clock())
        return problem.reason if problem else None

    async def looks(self) -> list[float]:
        """Look until nothing is left to be found; return the pauses."""
        return [await self.poll.once() for _ in range(len(self.found))]

    def metric(self, name: str) -> str:
        text = generate_latest(self.metrics).decode()
        return next(line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(name))


@pytest.mark.parametrize(
    ("found", "changes"),
    [
        ([WELL], []),
        ([MISSING], [Reason.OPERATOR_MISSING]),
        # One look that fails changes nothing; two in a row do.
        ([WELL, AWAY, WELL], []),
        ([WELL, AWAY, WELL, AWAY, WELL], []),
        ([WELL, AWAY, AWAY], [Reason.OPERATOR_UNAVAILABLE]),
        ([WELL, AWAY, MISSING], [Reason.OPERATOR_MISSING]),
        ([WELL, MISSING, MISSING, WELL], [Reason.OPERATOR_MISSING, None]),
        # An API server that does not answer is no word about the operator, whatever was known of it.
        ([WELL, SILENT, SILENT, SILENT], []),
        ([MISSING, SILENT, SILENT], [Reason.OPERATOR_MISSING]),
        ([WELL, AWAY, SILENT, AWAY], [Reason.OPERATOR_UNAVAILABLE]),
        ([SILENT, WELL], []),
        ([SILENT, MISSING], [Reason.OPERATOR_MISSING]),
        ([FORBIDDEN, FORBIDDEN], []),
        ([MISSING, FORBIDDEN], [Reason.OPERATOR_MISSING, None]),
    ],
)
async def test_what_is_worse_must_be_said_twice_and_what_is_better_once(
    found: Sequence[OperatorSeen], changes: list[Reason | None]
) -> None:
    world = Poll(*found)
    await world.looks()

    assert world.changes == changes
    assert world.poll.looked.is_set()


async def test_it_asks_sooner_while_something_is_wrong_and_about_once_a_minute_else() -> None:
    world = Poll(WELL, AWAY, AWAY, AWAY, AWAY, WELL, SILENT, WELL, FORBIDDEN)

    assert await world.looks() == [60.0, 5.0, 10.0, 15.0, 15.0, INTERVAL_SECONDS, 5.0, 60.0, 60.0]


async def test_a_licence_that_expires_between_two_looks_is_told_at_once() -> None:
    licence = {"name": "Acme", "organization": "acme", "expire_at": "2026-11-27"}
    ends_today = operator_seen(an_operator(license=licence))
    world = Poll(ends_today, ends_today, ends_today)
    await world.poll.once()
    world.clock.forward(hours=13)
    await world.looks()

    assert world.changes == [Reason.LICENCE_EXPIRED]
    day = datetime(2026, 11, 27, tzinfo=UTC).timestamp()
    assert float(world.metric("previewbot_operator_licence_ends_timestamp_seconds")) == day


async def test_each_change_is_said_once_in_the_log_and_for_as_long_as_it_lasts_to_whoever_probes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = Poll(WELL, MISSING, MISSING, MISSING, MISSING)
    await world.looks()

    said = [r for r in caplog.records if r.message == "no preview can be made"]
    assert [r.levelname for r in said] == ["WARNING"]
    # It stays ready: who waits for it would wait for what a new process could not mend.
    assert world.health.not_ready() == ""
    assert "no mirrord operator" in world.health.notes
    assert world.metric('previewbot_operator_problem{reason="OperatorMissing"}') == "1.0"
    assert world.metric('previewbot_operator_problem{reason="LicenceExpired"}') == "0.0"

    world.found = [WELL, WELL]
    await world.looks()
    assert world.health.notes == ""
    assert world.metric('previewbot_operator_problem{reason="OperatorMissing"}') == "0.0"


async def test_what_should_be_seen_to_is_said_once_and_not_each_day(caplog: pytest.LogCaptureFixture) -> None:
    licence = {"name": "Acme", "organization": "acme", "expire_at": "2026-12-05"}
    old = operator_seen(an_operator(license=licence, operator_version="3.150.0"))
    world = Poll(*[old] * 6)
    for _ in range(6):
        await world.poll.once()
        world.clock.now += timedelta(days=1)

    said = [record for record in caplog.records if record.message == "mirrord's operator"]
    assert len(said) == 2
    assert world.changes == []
    assert "ends with 2026-12-05" in world.health.notes and "3.185.1 or newer" in world.health.notes


async def test_that_it_may_not_be_asked_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    world = Poll(*[FORBIDDEN] * 4)
    await world.looks()

    assert len([r for r in caplog.records if r.message == "mirrord's operator"]) == 1
    assert world.reason is None
