"""A verdict through real processes: told by a webhook, judged by GitHub's word, shown by the check."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from previewbot.api import Says
from previewbot.api.check_runs import VERDICT_CHECK_NAME
from previewbot.text.verdicts import verdict_comment
from previewbot_demo.github.model import Account, Person
from previewbot_demo.tasks import ALICE, MARIA
from previewbot_demo.world import Options
from tests.support.worlds import Pull, Scene, scene, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Scene]:
    # The listing comes once a minute at most: what is seen sooner came by a webhook.
    settings = {"listing": {"interval": "1m"}, "verdicts": "check"}
    async with scene(Options(build_seconds=0.2, settings=settings)) as built:
        yield built


def outcome(town: Scene, pull: Pull) -> str:
    """Return how the check of the newest commit stands; empty if it has none."""
    github = town.world.github
    ours = [
        run
        for run in github.store.state.checks.values()
        if (run.sha, run.app, run.name) == (pull.head, github.app.slug, VERDICT_CHECK_NAME)
    ]
    assert len(ours) <= 1
    return (ours[0].conclusion or ours[0].status) if ours else ""


async def stands(town: Scene, pull: Pull, wanted: str) -> None:
    await until(f"the check at {wanted}", lambda: outcome(town, pull) == wanted, lambda: outcome(town, pull))


def say(town: Scene, pull: Pull, who: Person, says: Says = Says.GOOD, words: str = "") -> int:
    """Write a verdict as pages does: in a person's name, through the App."""
    github = town.world.github
    body = verdict_comment(says, pull.head, "/", words, preview_url="")
    return github.comment(pull.number, who, body, pull.repository, via=github.app)


async def test_a_verdict_moves_the_check_until_somebody_touches_it(town: Scene) -> None:
    pull, github = town.open(author=MARIA), town.world.github
    await pull.ready()
    await stands(town, pull, "in_progress")

    number = say(town, pull, ALICE, Says.WORK, "The sum is wrong.\n/preview stop")
    await stands(town, pull, "action_required")
    await until("the line", lambda: "**alice**: [needs work](" in pull.comment, lambda: pull.comment)
    assert pull.answers == []
    assert [each["words"].splitlines()[0] for each in pull.status["verdicts"]] == ["The sum is wrong."]

    github.edit_comment(number, "Fine by me", by=MARIA)
    await stands(town, pull, "in_progress")
    await until("the word", lambda: "(edited since" in pull.comment, lambda: pull.comment)

    again = say(town, pull, ALICE)
    await stands(town, pull, "success")
    github.delete_comment(again)
    await stands(town, pull, "in_progress")
    assert pull.phase == "Ready"


async def test_the_author_and_whoever_only_reads_move_nothing(town: Scene) -> None:
    pull = town.open(author=ALICE)
    await pull.ready()
    for who in (ALICE, Account(990, "rita", "User")):
        say(town, pull, who)
    await until("both words", lambda: pull.comment.count(": [looks good](") == 2, lambda: pull.comment)

    assert outcome(town, pull) == "in_progress"
