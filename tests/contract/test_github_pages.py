"""The fake GitHub's pages: every button works by HTTP alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from previewbot_demo.github import Button
from tests.support.github_town import (
    ALICE,
    BOB,
    REPO,
    Answered,
    Town,
    github_town,
)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


async def press(town: Town, path: str, **form: str) -> Answered:
    url = town.url + path
    async with town.http.post(url, data=form, allow_redirects=False) as answer:
        return Answered(answer.status, answer.headers.copy(), await answer.read())


async def read(town: Town, path: str) -> str:
    async with town.http.get(town.url + path) as answer:
        return await answer.text()


async def test_a_button_opens_a_pull_request_and_leads_to_its_page(town: Town) -> None:
    town.github.pages.buttons = [Button("shout", "Let an agent shout", town.pull_request)]

    assert "Let an agent shout" in await read(town, "/")
    answer = await press(town, "/acme/shop/tasks/shout")

    assert (answer.status, answer.headers["Location"]) == (303, "/acme/shop/pull/1")
    page = await read(town, "/acme/shop/pull/1")
    assert '<span class="badge">bot</span>' in page
    assert "Shout" in page
    assert "src/app.py" in page
    assert "Shout" in await read(town, "/acme/shop/pulls")


async def test_every_button_of_a_pull_request_works_without_javascript(town: Town) -> None:
    town.pull_request()
    pushed: list[int] = []
    town.github.pages.push = lambda repository, number: pushed.append(number)
    town.github.pages.people = (ALICE, BOB)
    page = "/acme/shop/pull/1"

    await press(town, f"{page}/comment", body="/preview status\r\nplease", **{"as": "bob"})
    await press(town, f"{page}/push")
    await press(town, f"{page}/close")
    closed = town.github.pull_request(1).state
    await press(town, f"{page}/reopen")
    reopened = town.github.pull_request(1).state
    await press(town, f"{page}/merge")

    comment = town.github.comments(1)[0]
    assert (comment.author, comment.body) == (BOB, "/preview status\nplease")
    assert (pushed, closed, reopened) == ([1], "closed", "open")
    assert ">Merged<" in await read(town, page)
    assert (await press(town, f"{page}/reopen")).status == 409


async def test_the_live_part_has_comments_reactions_and_checks(town: Town) -> None:
    number = town.pull_request()
    comment = town.github.comment(number, ALICE, "hello **there**")
    town.github.react(comment, town.github.app.bot, "eyes")
    town.github.set_check(town.github.pull_request(number).head_sha, "build", "in_progress")

    live = await read(town, "/acme/shop/pull/1/live")

    assert "hello <strong>there</strong>" in live
    assert "👀 1" in live
    assert "build: in progress" in live
    assert "<script" not in live


async def test_another_sites_form_changes_nothing(town: Town) -> None:
    town.pull_request()
    url = f"{town.url}/acme/shop/pull/1/close"
    async with town.http.post(url, headers={"Sec-Fetch-Site": "cross-site"}) as answer:
        status = answer.status

    assert (status, town.github.pull_request(1).state) == (403, "open")


async def test_a_page_that_does_not_exist_is_a_404(town: Town) -> None:
    for path in ("/acme/none", "/acme/shop/pull/9", "/acme/shop/runs/1", "/acme/shop/x/y"):
        async with town.http.get(town.url + path) as answer:
            assert answer.status == 404, path


async def test_what_a_check_links_to_is_a_page(town: Town) -> None:
    head = town.github.pull_request(town.pull_request()).head_sha
    town.github.set_check(head, "build", "completed", "failure")
    town.github.set_workflow_run(head, "ci", "completed", "action_required")
    run = (await town.get(f"{REPO}/commits/{head}/check-runs")).json["check_runs"][0]
    workflow = (await town.get(f"{REPO}/actions/runs?head_sha={head}")).json["workflow_runs"][0]

    assert "Failure" in await read(town, run["html_url"].removeprefix(town.url))
    assert "Action required" in await read(town, workflow["html_url"].removeprefix(town.url))


async def test_a_page_runs_its_own_script_only_whatever_a_comment_says(town: Town) -> None:
    town.github.comment(town.pull_request(), ALICE, "<script>alert(1)</script>")
    for path in ("/", "/acme/shop/pull/1", "/acme/none"):
        async with town.http.get(town.url + path) as answer:
            page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
        nonce = policy.partition("script-src 'nonce-")[2].partition("'")[0]
        tags = re.findall("<(?:script|style)[^>]*>", page)
        assert nonce
        assert tags
        assert all(f'nonce="{nonce}"' in tag for tag in tags), path
        assert policy.endswith("frame-ancestors 'self'")


async def test_a_table_scrolls_in_a_box_of_its_own_and_does_not_break_its_words(town: Town) -> None:
    town.github.comment(town.pull_request(), ALICE, "| service | image |\n|---|---|\n| web | `acme/web` |")

    page = await read(town, "/acme/shop/pull/1")

    assert '<div class="scroll" role="region" tabindex="0" aria-label="Table"><table>' in page
    assert page.count("</table></div>") == 1


async def test_a_check_of_the_app_is_shown_with_what_it_says_and_its_buttons_send_what_was_pressed(
    town: Town,
) -> None:
    number = town.pull_request()
    head = town.github.pull_request(number).head_sha
    body = {
        "name": "preview",
        "head_sha": head,
        "conclusion": "failure",
        "output": {"title": "A service crashes", "summary": "It **crashes**.", "text": "Out of luck."},
        "actions": [{"label": "Start", "description": "Run it again", "identifier": "start"}],
    }
    run = (await town.call("POST", f"{REPO}/check-runs", body)).json
    page = await read(town, f"/acme/shop/pull/{number}/live")

    pressed = await press(town, f"/acme/shop/pull/{number}/check", run=str(run["id"]), identifier="start")
    missing = await press(town, f"/acme/shop/pull/{number}/check", run=str(run["id"]), identifier="stop")

    assert "A service crashes" in page and "<strong>crashes</strong>" in page and "Out of luck." in page
    assert (pressed.status, missing.status) == (303, 404)
    [(_, sent)] = [each for each in await town.events() if each[1].get("action") == "requested_action"]
    assert (sent["requested_action"]["identifier"], sent["sender"]["login"]) == ("start", "alice")
    assert sent["check_run"]["app"]["id"] == town.github.app.id
    assert "It <strong>crashes</strong>" in await read(town, run["html_url"].removeprefix(town.url))
