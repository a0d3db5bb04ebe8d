"""Asks the doctor's questions: at the same time, each within its own time, and none hides another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from previewbot.doctor.check import Check, State, Whose, not_checked, wrong
from previewbot.errors import PreviewbotError, SettingsError

SECONDS = 20.0
"""How long a question may take that names no time of its own."""

SAY_SOMETHING_AFTER = 2.0
"""Seconds after which whoever waits is told for what."""

_AT_ONCE = 8


@dataclass(frozen=True)
class Question:
    """Something to find out; it is not asked where one of those that it is `after` found something wrong.

    What it `awaits` has only to be over, however it went. What is wrong here, where something is wrong with
    one of those that it `follows`, comes of that, and is not told as wrong again. `seconds` is its limit, in
    which its own cleaning up must fit as well.
    """

    name: str
    ask: Callable[[], Awaitable[Sequence[Check]]]
    after: tuple[str, ...] = ()
    awaits: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    seconds: float = SECONDS


async def asked(
    questions: Sequence[Question], waiting: Callable[[str], None] = lambda what: None
) -> AsyncGenerator[Check, None]:
    """Yield the findings in the order of the questions, each as soon as it and all before it are there.

    `waiting` is told whom we wait for, once for each that takes longer than two seconds. When whoever
    iterates is cancelled, or closes this generator, what is under way is cancelled and cleans up.
    """
    room = asyncio.Semaphore(_AT_ONCE)
    tasks: dict[str, asyncio.Task[Sequence[Check]]] = {}
    for question in questions:
        tasks[question.name] = asyncio.create_task(_answer(question, dict(tasks), room))
    try:
        for name, task in tasks.items():
            done, _ = await asyncio.wait({task}, timeout=SAY_SOMETHING_AFTER)
            if not done:
                waiting(name)
            for check in await task:
                yield check
    finally:
        for task in tasks.values():
            task.cancel()
        # Waited for, since one of them may have something to take away again.
        await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _answer(
    question: Question, before: dict[str, asyncio.Task[Sequence[Check]]], room: asyncio.Semaphore
) -> Sequence[Check]:
    for name in question.awaits:
        if name in before:
            await asyncio.shield(before[name])
    for name in question.after:
        if name not in before:
            continue
        found = await asyncio.shield(before[name])
        if _is_wrong(found):
            return [not_checked(question.name, f"because of what is wrong with {name}")]
        if found and all(check.state is State.NOT_CHECKED for check in found):
            return [not_checked(question.name, f"because {name} was not checked")]
    told: dict[str, Sequence[Check]] = {}
    for name in question.follows:
        if name in before:
            told[name] = await asyncio.shield(before[name])
    async with room:
        found = await _asked(question)
    cause = next((check.name for each in told.values() for check in each if check.state is State.WRONG), "")
    return [_as_follower(check, cause) for check in found] if cause else found


def _is_wrong(found: Sequence[Check]) -> bool:
    return any(check.state is State.WRONG for check in found)


def _as_follower(check: Check, cause: str) -> Check:
    if check.state is not State.WRONG:
        return check
    return not_checked(check.name, f"because of what is wrong with {cause}")


async def _asked(question: Question) -> Sequence[Check]:
    try:
        async with asyncio.timeout(question.seconds):
            return await question.ask()
    except TimeoutError:
        return [wrong(question.name, f"no answer within {question.seconds:.0f} s")]
    except SettingsError as error:
        return [wrong(question.name, "; ".join(error.problems))]
    except PreviewbotError as error:
        return [wrong(question.name, str(error))]
    except Exception as error:
        # Whatever it is, the other lines are still worth having.
        words = f"previewbot doctor itself failed here ({type(error).__name__}): please report it"
        return [wrong(question.name, words, Whose.NOBODY)]
