"""A login, a label or an agent's name that is more than a name forges nothing in what an auditor reads.

Logins are GitHub's words, and a label, which stands in the words of what started a preview, is some
collaborator's. That they are harmless must not be taken from anybody: in a terminal a line break looks like
the next record, an escape sequence hides the last one, and a mark of direction turns `ann` around. Half a
character (a lone surrogate, which JSON can hold) would keep the object from being made.
"""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api import AgentSeen, Lifecycle, Observed
from previewbot.api.github import Account
from previewbot.engine.annotations import who_and_why
from tests.support.passes import World, ready
from tests.support.previews import a_preview

ODD = [
    ("ann\nstarted-by: eve", "ann started-by: eve"),
    ("ann\x1b[2K\x1b[1Aeve", "ann[2K[1Aeve"),
    ("\u202enna", "nna"),
    ("a\u200bnn\ufeff", "ann"),
    ("a\x00nn", "ann"),
    ("ann\ud800", "ann"),
    ("a\U000e0041nn", "ann"),
    ("a\u2028nn\x85eve", "a nn eve"),
    ("  ann\t \r\n", "ann"),
    ("\x1b\u200b ", ""),
    ("größe-测试", "größe-测试"),
    ("a" * 5000, "a" * 99 + "…"),
    ('","previewbot.dev/started-by":"eve', '","previewbot.dev/started-by":"eve'),
]


@pytest.mark.parametrize(("written", "said"), ODD)
@pytest.mark.parametrize("key", ["agent", "author", "started-by"])
def test_a_name_is_one_short_line_of_what_can_be_seen(key: str, written: str, said: str) -> None:
    given: dict[str, Any] = {
        "agent": {"observed": Observed(agent=AgentSeen(written, "its account"))},
        "author": {"observed": Observed(author=written)},
        "started-by": {"lifecycle": Lifecycle(started_by=written)},
    }

    found = who_and_why(a_preview(**given[key])).get(f"previewbot.dev/{key}", "")

    assert found == said


async def test_a_login_that_is_none_still_lets_a_preview_run_and_is_told_on_one_line() -> None:
    world = World()
    world.github.author = Account(1, "bob\nroot\x00\x1b[8m\ud800")
    await ready(world)

    for one in (*world.cluster.sessions.values(), *world.cluster.routes.values()):
        told = one["metadata"]["annotations"]
        assert told["previewbot.dev/author"] == "bob root[8m"
        assert all(value.isprintable() for value in told.values())
