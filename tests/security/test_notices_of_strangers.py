"""Whoever opens a pull request chooses which issues it closes: nobody is told there in a stranger's name."""

from __future__ import annotations

from previewbot.api import Phase
from previewbot.api.github import Account
from tests.support.passes import CONFIGURATION, A
from tests.support.passes_in_issues import IN_THE_ISSUE, Issues

MALLORY = Account(66, "mallory")


def a_strangers_world() -> Issues:
    """Return a world with a fork's pull request, which closes an issue of many people's and calls a team."""
    world = Issues(CONFIGURATION + 'notify: {where: issue, mention: ["@acme/product"]}\n')
    world.github.fork, world.github.author = True, MALLORY
    world.github.permissions[MALLORY.login] = "read"
    world.github.branch = "@acme/everyone"
    world.github.body = "Closes #12 @acme/everyone"
    return world


async def test_a_fork_tells_nobody_until_somebody_with_write_access_lets_it_run() -> None:
    world = a_strangers_world()
    await world.settle()
    assert world.status.phase is Phase.AWAITING_APPROVAL
    world.say(f"/preview start {A}", MALLORY)
    await world.settle()
    assert (world.said_in(12), world.said_here) == ([], [])

    world.say(f"/preview start {A}")
    await world.settle()
    assert len(world.said_in(12)) == 1


async def test_a_notice_calls_nobody_but_those_whom_the_default_branch_names() -> None:
    world = a_strangers_world()
    await world.settle()
    world.say(f"/preview start {A}")
    await world.settle()

    [text] = world.said_in(12)
    assert text.count("@") == text.count("@acme/product") + text.count("@\u200b") == 1


async def test_what_a_strangers_commit_says_of_itself_reaches_no_issue_as_markup() -> None:
    world = Issues(IN_THE_ISSUE)
    told = "@acme/everyone `x` <img src=https://evil.example/x> [here](https://evil.example)"
    world.cluster.session_status = {"phase": "Failed", "failureMessage": told}
    await world.settle()

    [text] = world.said_in(12)
    before, _, after = text.partition("``")
    assert "evil.example" not in before
    assert "evil.example" not in after.partition("``")[2]
