"""Comments on issues, of previewbot's client at the stand-in for GitHub: it takes another right there."""

from __future__ import annotations

import pytest
from githubkit_schemas.v2022_11_28 import models as published

from previewbot.errors import Forbidden, NotFound
from previewbot.rules.app_rights import is_not_granted
from previewbot_demo.github.server import PERMISSIONS
from tests.support.github_town import ALICE, described, github_town

SHOP = "acme/shop"
IN_ISSUES = {**PERMISSIONS, "issues": "write"}


async def test_a_comment_on_an_issue_is_listed_there_and_in_no_pull_request() -> None:
    async with github_town(permissions=IN_ISSUES) as town:
        issue, pull = town.github.open_issue(ALICE, "Dress the basket"), town.pull_request()
        written = await town.client.create_comment(SHOP, issue, "It is ready")

        assert [each.id for each in await town.client.comments(SHOP, issue, None)] == [written.id]
        assert await town.client.comments(SHOP, pull, None) == []
        identity = await town.app.identity(town.installation.id)
        assert identity.wrote(written)


async def test_without_the_right_to_write_in_issues_the_refusal_says_so() -> None:
    async with github_town() as town:
        issue = town.github.open_issue(ALICE, "Dress the basket")
        with pytest.raises(Forbidden) as refused:
            await town.client.create_comment(SHOP, issue, "It is ready")

        assert is_not_granted(refused.value.message)
        assert await town.client.comments(SHOP, issue, None) == []


async def test_an_issue_that_is_gone_takes_no_comment() -> None:
    async with github_town(permissions=IN_ISSUES) as town:
        issue = town.github.open_issue(ALICE, "Dress the basket")
        town.github.delete_issue(issue)

        with pytest.raises(NotFound):
            await town.client.create_comment(SHOP, issue, "It is ready")


async def test_what_is_answered_is_of_the_published_shape_and_no_event_is_sent() -> None:
    async with github_town(permissions=IN_ISSUES) as town:
        issue = town.github.open_issue(ALICE, "Dress the basket")
        answer = await town.call("POST", f"/repos/{SHOP}/issues/{issue}/comments", {"body": "It is ready"})

        assert answer.status == 201
        described(published.IssueComment, answer)
        assert [name for name, _ in await town.events() if name == "issue_comment"] == []
