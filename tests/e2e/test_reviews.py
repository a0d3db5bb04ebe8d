"""Commands in reviews, through HTTP: webhook, lists, answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from previewbot_demo.tasks import ALICE
from previewbot_demo.world import Options
from tests.support.worlds import Scene, scene, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Scene]:
    # The listing comes once a minute at most: what is seen sooner came by a webhook.
    async with scene(Options(build_seconds=0.2, settings={"listing": {"interval": "1m"}})) as built:
        yield built


async def test_a_review_and_a_comment_on_lines_are_answered_and_stop_nothing(town: Scene) -> None:
    pull, github = town.open(), town.world.github
    await pull.ready()
    review = github.review(pull.number, ALICE, "Fine.\n\n/preview stop", repository=pull.repository)
    answer = await pull.answered("counts only in the conversation of this pull request")
    assert f"#pullrequestreview-{review}" in answer and "```\n/preview stop\n```" in answer

    line = github.comment_on_line(pull.number, ALICE, "README.md", "/preview help", pull.repository)
    await pull.answered(f"#discussion_r{line}")
    await until("the reaction", lambda: github.line_reactions(line) == ["rocket"])

    # What came to nothing may be corrected, in a review as well.
    github.edit_review(review, "Fine.\n\n/preview extend 1h")
    await pull.answered("The preview now stays open until")

    assert len(pull.answers) == 3
    assert pull.sessions
    pull.close()
    await pull.ended()
