"""The doctor's questions: each for itself, in their order, within their time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from previewbot.doctor.check import Check, State, not_checked, ok, wrong
from previewbot.doctor.running import Question, asked


def answers(*checks: Check) -> Question:
    async def ask() -> Sequence[Check]:
        return checks

    return Question(checks[0].name, ask)


async def told(*questions: Question) -> list[Check]:
    return [check async for check in asked(questions)]


async def test_what_comes_after_something_wrong_is_not_asked_and_says_why() -> None:
    async def never() -> Sequence[Check]:
        raise AssertionError("asked all the same")

    first, second = answers(wrong("login", "no")), Question("rights", never, after=("login",))
    third = Question("roles", never, after=("rights",))

    checks = await told(first, second, third, answers(ok("GitHub", "fine")))

    assert [(check.name, check.state) for check in checks] == [
        ("login", State.WRONG),
        ("rights", State.NOT_CHECKED),
        ("roles", State.NOT_CHECKED),
        ("GitHub", State.OK),
    ]
    assert checks[1].words == "because of what is wrong with login"
    assert checks[2].words == "because rights was not checked"


async def test_what_only_awaits_another_is_asked_however_that_went() -> None:
    async def fine() -> Sequence[Check]:
        return [ok("clock", "right")]

    checks = await told(answers(wrong("App", "no")), Question("clock", fine, awaits=("App",)))

    assert [check.state for check in checks] == [State.WRONG, State.OK]


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyError("x"), TimeoutError()])
async def test_a_question_that_breaks_hides_no_other(error: Exception) -> None:
    async def breaks() -> Sequence[Check]:
        raise error

    checks = await told(Question("broken", breaks), answers(ok("whole", "fine")))

    assert [check.state for check in checks] == [State.WRONG, State.OK]


async def test_a_question_has_its_time_and_whoever_reads_is_told_of_waiting() -> None:
    async def hangs() -> Sequence[Check]:
        await asyncio.Event().wait()
        return []

    waited: list[str] = []
    questions = [Question("slow", hangs, seconds=2.5), answers(not_checked("other", "no"))]

    checks = [check async for check in asked(questions, waited.append)]

    assert checks[0].words == "no answer within 2 s"
    assert waited == ["slow"]


async def test_whoever_stops_reading_has_what_is_under_way_cleaned_up() -> None:
    cleaned: list[str] = []

    async def makes() -> Sequence[Check]:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("taken away")
        return []

    async with aclosing(asked([answers(ok("first", "fine")), Question("probe", makes)])) as checks:
        async for _ in checks:
            await asyncio.sleep(0.01)
            break

    assert cleaned == ["taken away"]
