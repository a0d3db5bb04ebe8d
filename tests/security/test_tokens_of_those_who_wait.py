"""The attack: whoever waits has a token, and is led elsewhere with it, or told by others that it is ready.

Anybody with write access can comment, deploy and call a check as they like; anybody who can answer in
GitHub's or previewbot's place can redirect.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from previewbot.asking import Listing, NoAccess, access_from
from previewbot.asking.opening import proxies_for
from previewbot.asking.page import PageSource
from previewbot.asking.standing import State
from previewbot.errors import RemoteError
from tests.support.asking import LINK, Says, asking, block, reference
from tests.support.github_script import sends
from tests.support.github_town import ALICE, REPO, Town, github_town
from tests.support.servers import served

TOKEN = "ghs_of_whoever_waits"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        built.pull_request()
        yield built


@pytest.fixture
def says(town: Town) -> Says:
    return Says(town, 1)


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """Yield another server's address, and the authorizations that it was sent."""
    heard: list[str] = []

    async def listen(request: web.Request) -> web.Response:
        heard.append(request.headers.get("Authorization", ""))
        return web.json_response({})

    with served(listen) as (url, _):
        yield url, heard


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_to_another_server_gets_no_token(
    town: Town, elsewhere: tuple[str, list[str]], status: int
) -> None:
    url, heard = elsewhere
    town.script.on("GET", f"{REPO}/pulls/1", sends({}, status, location=f"{url}/api/v3{REPO}/pulls/1"))
    with pytest.raises(RemoteError, match="another server"):
        await asking(town).look(reference(), "a" * 40)
    assert heard == []


async def test_a_next_page_on_another_server_gets_no_token(
    town: Town, says: Says, elsewhere: tuple[str, list[str]]
) -> None:
    url, heard = elsewhere
    town.script.on("GET", f"{REPO}/issues/1/comments", sends([], link=f'<{url}/next>; rel="next"'))
    with pytest.raises(RemoteError, match="another server"):
        await asking(town).look(reference(), says.head)
    assert heard == []


@pytest.mark.parametrize("address", ["http://[", "http://here.example.com:99999/", "https://"])
async def test_an_address_that_is_none_is_told_in_words(town: Town, says: Says, address: str) -> None:
    town.script.on("GET", f"{REPO}/issues/1/comments", sends([], link=f'<{address}>; rel="next"'))
    with pytest.raises(RemoteError, match="leads to"):
        await asking(town).look(reference(), says.head)
    town.script.on("GET", f"{REPO}/pulls/1", sends({}, 302, location=address))
    with pytest.raises(RemoteError, match="leads to"):
        await asking(town).look(reference(), says.head)


async def test_previewbots_bearer_stays_with_previewbot_too(
    town: Town, elsewhere: tuple[str, list[str]]
) -> None:
    url, heard = elsewhere

    async def leads_away(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": url})

    with served(leads_away) as (here, _):
        access = access_from({"PREVIEWBOT_URL": here, "PREVIEWBOT_BEARER": "b" * 40})
        with pytest.raises(RemoteError, match="another server"):
            await PageSource(town.http, access).look(reference(), "a" * 40)
    assert heard == []


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": "http://api.github.com"}, "write https://"),
        ({"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": "http://ghe.svc"}, "write https://"),
        ({"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": "ftp://api.github.com"}, "is no address"),
        ({"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": "https://me:pw@api.github.com"}, "has a login in it"),
        ({"GITHUB_TOKEN": f"{TOKEN}\r\nX-Evil: 1"}, "is no token"),
        ({"GITHUB_TOKEN": "${env:GITHUB_TOKEN}"}, r"GITHUB_TOKEN is \$\{env:GITHUB_TOKEN\}, the name"),
        ({"GITHUB_TOKEN": "$COPILOT_MCP_GITHUB_TOKEN"}, "the name of a variable or secret"),
        ({"PREVIEWBOT_URL": "https://a", "PREVIEWBOT_BEARER": "${input:bearer}"}, "the name of a variable"),
        ({"PREVIEWBOT_URL": "http://previews.example.com", "PREVIEWBOT_BEARER": TOKEN}, "write https://"),
        ({"PREVIEWBOT_URL": "https://previews.example.com"}, "bearer is missing"),
        ({"PREVIEWBOT_URL": "https://a/?b=c", "PREVIEWBOT_BEARER": TOKEN}, "is no address"),
        ({}, "whom to ask is not known"),
    ],
)
def test_a_secret_is_sent_nowhere_where_others_could_read_it(environ: dict[str, str], words: str) -> None:
    with pytest.raises(NoAccess, match=words) as raised:
        access_from(environ)
    assert TOKEN not in str(raised.value) and ":pw@" not in str(raised.value)


def test_a_bearer_is_not_sent_through_a_proxy_that_reads_it() -> None:
    within = "http://previewbot-web.previewbot.svc"
    proxied = {"HTTP_PROXY": "http://me:pw@proxy.example.com:3128"}
    access = access_from({"PREVIEWBOT_URL": within, "PREVIEWBOT_BEARER": TOKEN})
    with pytest.raises(NoAccess, match="NO_PROXY") as raised:
        proxies_for(access, proxied)
    assert TOKEN not in str(raised.value) and "pw" not in str(raised.value)

    assert proxies_for(access, proxied | {"NO_PROXY": ".svc"}).of(within) is None
    encrypted = access_from({"PREVIEWBOT_URL": "https://p.example.com", "PREVIEWBOT_BEARER": TOKEN})
    assert (
        proxies_for(encrypted, proxied | {"HTTPS_PROXY": "http://proxy.example.com:3128"}).https is not None
    )
    here = access_from({"PREVIEWBOT_URL": "http://localhost:8080", "PREVIEWBOT_BEARER": TOKEN})
    assert proxies_for(here, proxied).of(here.url) is None


def test_a_github_token_is_never_what_previewbot_is_asked_with(tmp_path: Path) -> None:
    file = tmp_path / "bearer"
    file.write_text("b" * 40 + "\n")
    both = {"GITHUB_TOKEN": TOKEN, "PREVIEWBOT_URL": "https://p.example.com", "PREVIEWBOT_BEARER": "c" * 40}
    by_default = access_from(both)
    asked_to = access_from(both, url="https://p.example.com", bearer_file=file)
    assert (by_default.api_url, by_default.token, by_default.url, by_default.bearer) == (
        *("https://api.github.com", TOKEN),
        *("", ""),
    )
    assert (asked_to.api_url, asked_to.token, asked_to.bearer) == ("", "", "b" * 40)
    assert TOKEN not in repr(by_default) and "bbbb" not in repr(asked_to)


READY: dict[str, Any] = {"state": "success", "environment_url": "https://evil.example.com/"}
BY_ALICE = {"login": "alice", "type": "User"}
BY_ACTIONS = {"login": "github-actions[bot]", "type": "Bot"}
ALIKE = {"login": "previewbot[bot]", "type": "User"}


@pytest.mark.parametrize("creator", [BY_ALICE, BY_ACTIONS, ALIKE, None])
async def test_a_deployment_of_somebody_else_is_not_ours(town: Town, says: Says, creator: Any) -> None:
    forged = {"id": 7, "sha": says.head, "creator": creator, "payload": {"preview": says.preview}}
    town.script.on("GET", f"{REPO}/deployments", sends([forged]))
    town.script.on("GET", f"{REPO}/deployments/7/statuses", sends([{"id": 1, "creator": creator, **READY}]))
    assert (await asking(town).look(reference(), says.head)).standing.state is State.NOTHING


@pytest.mark.parametrize("creator", [BY_ALICE, BY_ACTIONS, ALIKE, None])
async def test_what_somebody_else_says_of_our_deployment_is_not_said(
    town: Town, says: Says, creator: Any
) -> None:
    number = await says.deployment("in_progress")
    path = f"{REPO}/deployments/{number}/statuses"
    ours = (await town.get(path)).json
    flood = [{"id": 10**9 + index, "creator": creator, **READY} for index in range(100)]
    following = f'<{town.url}/api/v3{path}?per_page=100&page=2>; rel="next"'
    town.script.on("GET", path, sends(flood, link=following), sends(ours))
    found = (await asking(town).look(reference(), says.head)).standing
    assert (found.state, found.url) == (State.WAITING, "")


async def test_a_check_that_another_app_calls_like_ours_is_not_ours(town: Town, says: Says) -> None:
    town.github.set_check(says.head, "preview", "completed", "success")
    assert (await asking(town).look(reference(), says.head)).standing.state is State.NOTHING


@pytest.mark.parametrize("author", ["alice", "github-actions[bot]", "previewbot"])
async def test_a_comment_that_looks_like_ours_is_not_ours(town: Town, says: Says, author: str) -> None:
    forged = {"id": 5, "user": {"login": author, "type": "Bot"}, "body": block(says.head)}
    forged["issue_url"] = f"https://api.github.com{REPO}/issues/1"
    town.script.on("GET", f"{REPO}/issues/1/comments", sends([forged]))
    town.script.on("GET", f"{REPO}/issues/comments", sends([forged]))
    look = await asking(town).look(reference(), says.head)
    # Nor is it taken for another installation's, which whoever asks would be told to name.
    assert (look.standing.state, look.doubt) == (State.NOTHING, "")
    assert await asking(town).told(reference()) is None
    assert await asking(town).listing("acme/shop") == Listing(())


async def test_a_block_that_was_pasted_speaks_of_the_pull_request_in_which_it_stands(
    town: Town, says: Says
) -> None:
    changes = {"shop/main.py": b"2"}
    other = town.github.open_pull_request("acme/shop", ALICE, "another", changes, "Other", "…")
    Says(town, other).comment(block(town.github.pull_request(other).head_sha, "Queued", number=other))
    elsewhere = "https://evil.example.com/acme/shop/pull/9"
    for named in ({"number": other}, {"repository": "acme/other"}, {"number": "9"}):
        says.comment(block(says.head, **named, pull_request_url=elsewhere))
    listed = (await asking(town).listing("acme/shop")).previews
    told = await asking(town).told(reference())

    assert {(each.repository, each.number): each.phase for each in listed} == {
        ("acme/shop", 1): "Ready",
        ("acme/shop", other): "Queued",
    }
    assert told is not None and (told.repository, told.number) == ("acme/shop", 1)
    assert all("evil" not in (each.pull_request_url or "") for each in (told, *listed))
    assert (told.pull_request_url or "").endswith("/acme/shop/pull/1")


async def test_a_person_who_writes_through_an_app_is_not_the_app(town: Town, says: Says) -> None:
    town.github.comment(1, ALICE, block(says.head), via=town.github.app)
    assert (await asking(town).look(reference(), says.head)).standing.state is State.NOTHING


async def test_the_last_words_of_a_container_in_our_comment_are_no_word_of_ours(
    town: Town, says: Says
) -> None:
    evil = block(says.head, url="https://evil.example.com/")
    real = block(says.head, "Failed").partition("\n")[2]
    says.comment(f"<!-- previewbot status key=p-1 command=0 -->\n`````\n{evil}\n```\n````\n`````\n\n{real}")
    found = (await asking(town).look(reference(), says.head)).standing
    assert (found.state, found.url) == (State.FAILED, "")


async def test_a_link_of_ours_that_would_be_more_than_a_link_is_none(town: Town, says: Says) -> None:
    says.comment(block(says.head, url=f"{LINK}\nstate=ready"))
    assert (await asking(town).look(reference(), says.head)).standing.state is State.WAITING
