"""What a pull request was asked for: what GitHub's GraphQL tells of it, and what our client makes of that.

https://docs.github.com/en/graphql/reference/objects#pullrequest (`closingIssuesReferences`)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from previewbot import errors
from previewbot.api import IssuesUnknown
from previewbot.api.asked_for import AskedFor
from previewbot_demo.github.server import PERMISSIONS
from tests.support.github_script import sends
from tests.support.github_town import ALICE, BOB, COPILOT, Town, github_town

SESSION = "https://github.com/acme/shop/sessions/0f6a"
OTHER = "https://github.com/acme/shop/sessions/4c1b"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


async def opened(town: Town, body: str, message: str = "One") -> str:
    """Open a pull request with this description; return its node id."""
    changes = {"src/app.py": b"two\n"}
    number = town.github.open_pull_request("acme/shop", COPILOT, "copilot/x", changes, "One", body, message)
    return (await town.client.pull_request("acme/shop", number)).node_id


async def asked_for(town: Town, body: str, message: str = "One") -> AskedFor:
    return await town.client.asked_for(await opened(town, body, message), [COPILOT.id])


async def test_an_issue_is_told_with_its_repository_its_title_and_its_first_lines(town: Town) -> None:
    words = "<!-- a template -->\n\n**Customers** should see it.\n\n1\n\n2\n\n3"
    issue = town.github.open_issue(ALICE, "Dress the\u202e basket", words)

    found = await asked_for(town, f"Closes #{issue}.")

    [told] = found.issues
    assert (told.repository_id, told.repository, told.number) == (812, "acme/shop", issue)
    assert (told.private, told.closed, told.title) == (True, False, "Dress the basket")
    assert told.opening == ("Customers should see it.", "1", "2")
    assert (found.total, found.unknown) == (1, None)


async def test_what_becomes_of_an_issue_is_told_when_it_is_asked_again(town: Town) -> None:
    first, second = (town.github.open_issue(ALICE, title) for title in ("One", "Two"))
    node_id = await opened(town, f"Fixes #{first}, resolves acme/shop#{second}")

    town.github.edit_issue(first, title="Uno")
    town.github.close_issue(second)
    told = (await town.client.asked_for(node_id, [])).issues
    assert [(each.title, each.closed) for each in told] == [("Uno", False), ("Two", True)]

    town.github.create_repository("acme/design", {}, private=False)
    town.github.delete_issue(first)
    moved = town.github.transfer_issue(second, "acme/design")
    town.github.edit(3, body=f"Fixes #{first}, resolves acme/design#{moved}")
    told = (await town.client.asked_for(node_id, [])).issues
    assert [(each.repository, each.private) for each in told] == [("acme/design", False)]


async def test_ten_issues_are_read_and_all_are_counted(town: Town) -> None:
    numbers = [town.github.open_issue(ALICE, f"Issue {n}") for n in range(14)]

    found = await asked_for(town, " ".join(f"closes #{number}" for number in numbers))

    assert [each.number for each in found.issues] == numbers[:10]
    assert found.total == 14


async def test_an_issue_that_is_not_for_us_to_read_counts_and_is_not_named(town: Town) -> None:
    town.github.create_repository("globex/roadmap", {}, private=True, installed=False)
    hidden = town.github.open_issue(BOB, "Buy Acme", repository="globex/roadmap")
    own = town.github.open_issue(ALICE, "One")

    found = await asked_for(town, f"Closes #{own}, closes globex/roadmap#{hidden}")

    assert [each.number for each in found.issues] == [own]
    assert (found.total, found.unknown) == (2, None)


async def test_sessions_are_read_of_description_commits_and_the_agents_comments(town: Town) -> None:
    node_id = await opened(town, "Done.", f"One\n\nAgent-Logs-Url: {SESSION}")
    town.github.comment(1, COPILOT, f"See {OTHER}")
    town.github.comment(1, BOB, "See https://github.com/acme/shop/sessions/bobs")

    found = await town.client.asked_for(node_id, [COPILOT.id])

    assert found.sessions == (SESSION, OTHER)


async def test_the_newest_commits_session_comes_first(town: Town) -> None:
    node_id = await opened(town, "", f"One\n\nAgent-Logs-Url: {SESSION}")
    town.github.push(1, {"src/app.py": b"3\n"}, f"Two\n\nAgent-Logs-Url: {OTHER}")

    assert (await town.client.asked_for(node_id, [])).sessions == (OTHER, SESSION)


async def test_without_the_permission_the_rest_is_told(town: Town) -> None:
    town.found(permissions={name: level for name, level in PERMISSIONS.items() if name != "issues"})

    found = await asked_for(town, f"Closes #{town.github.open_issue(ALICE, 'One')}. See {SESSION}")

    assert (found.issues, found.unknown) == ((), IssuesUnknown.PERMISSION)
    assert found.sessions == (SESSION,)


async def test_a_server_that_does_not_know_the_field_is_asked_for_the_rest(town: Town) -> None:
    node_id = await opened(town, "Closes #1.")
    message = "Field 'closingIssuesReferences' doesn't exist on type 'PullRequest'"
    unknown: Any = {"errors": [{"message": message, "extensions": {"code": "undefinedField"}}]}
    rest = {"description": f"See {SESSION}", "commits": {"nodes": []}, "comments": {"nodes": []}}
    town.script.on("POST", "/graphql", sends(unknown), sends({"data": {"nodes": [rest]}}))

    found = await town.client.asked_for(node_id, [])

    assert (found.issues, found.unknown, found.sessions) == ((), IssuesUnknown.FIELD, (SESSION,))


async def test_a_question_that_takes_too_much_is_not_said_to_be_unknown_to_the_server(town: Town) -> None:
    node_id = await opened(town, "Closes #1.")
    too_much: Any = {"errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits exceeded"}]}
    rest = {"description": "", "commits": {"nodes": []}, "comments": {"nodes": []}}
    town.script.on("POST", "/graphql", sends(too_much), sends({"data": {"nodes": [rest]}}))

    with pytest.raises(errors.Invalid, match="limits exceeded"):
        await town.client.asked_for(node_id, [])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"data": {"nodes": [None]}}, errors.NotFound),
        ({"data": {"nodes": []}}, errors.RemoteError),
        ({"data": {"nodes": [{"closingIssuesReferences": {"nodes": [{"number": 1}]}}]}}, errors.NotFound),
        ({"errors": [{"message": "Something went wrong while executing your query."}]}, errors.TryLater),
    ],
)
async def test_what_is_no_answer_is_none(town: Town, answer: Any, error: type[Exception]) -> None:
    node_id = await opened(town, "")
    town.script.on("POST", "/graphql", sends(answer))

    with pytest.raises(error):
        await town.client.asked_for(node_id, [])


async def test_it_costs_one_point(town: Town) -> None:
    node_id = await opened(town, "")
    before = sum(quota.used for quota in town.github.graphql.limits.quotas.values())

    await town.client.asked_for(node_id, [])

    assert sum(quota.used for quota in town.github.graphql.limits.quotas.values()) == before + 1


async def test_how_comments_were_edited_is_told_with_the_same_question(town: Town) -> None:
    issue = town.github.open_issue(ALICE, "One")
    node_id = await opened(town, f"Closes #{issue}. See {SESSION}")
    town.github.comment(2, ALICE, "/preview stop")
    [comment] = await town.client.comments("acme/shop", 2, None)
    alone, whole = await town.client.edits([comment.node_id]), await town.client.asked_for(node_id, [])
    before = len(town.script.asked)

    both = await town.client.edits_and_asked_for([comment.node_id], node_id, [])

    assert both == (alone, whole)
    assert len(town.script.asked) == before + 1


@pytest.mark.parametrize("gone", [False, True])
async def test_without_an_answer_to_the_one_the_other_counts(town: Town, gone: bool) -> None:
    node_id = await opened(town, "")
    town.github.comment(1, ALICE, "/preview stop")
    [comment] = await town.client.comments("acme/shop", 1, None)
    alone = await town.client.edits([comment.node_id])
    if gone:
        node_id = "UHVsbFJlcXVlc3Q6OTk="
    else:
        error = {"message": "Field 'x' doesn't exist", "extensions": {"code": "undefinedField"}}
        edits = {"body": "/preview stop", "createdAt": alone[comment.node_id].created_at.isoformat()}
        edits |= {"publishedAt": edits["createdAt"]}
        town.script.on("POST", "/graphql", sends({"errors": [error]}), sends({"data": {"nodes": [edits]}}))

    found, request = await town.client.edits_and_asked_for([comment.node_id], node_id, [])

    assert request is None
    assert found[comment.node_id].body == "/preview stop"
