"""GitHub with people's own tokens: the sign-in as GitHub documents it, and pages' client through it.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import pytest
from githubkit_schemas.v2022_11_28 import models

from previewbot.clients.github.people import PeopleClient, SessionOver
from previewbot.clients.github.people_answers import Account, RepositoryAccess, SignInRefused, Token, Written
from previewbot.config.server import GitHubSettings
from previewbot.errors import Forbidden, Unauthorized
from previewbot_demo.github import Account as Known
from previewbot_demo.github.signing_in import ACCESS_TOKEN, AUTHORIZE, LOGOUT, Somebody
from tests.contract.test_github_endpoints import CALLED_AS_PEOPLE, endpoint
from tests.support.github_town import ALICE, APP, BOB, COPILOT, REPO, Answered, Town, described, github_town

CLIENT_SECRET = "0123456789abcdef0123456789abcdef01234567"
BACK = "https://previews.example.com/sign-in/done"
STRANGER = Known(777, "mallory")
T = TypeVar("T")


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town(client_secret=CLIENT_SECRET, callback_url=BACK) as built:
        built.github.know(STRANGER)
        people = (ALICE, BOB, STRANGER)
        built.github.signing_in.people = [Somebody(each, "of the tests") for each in people]
        yield built


def client_of(town: Town, secret: str = CLIENT_SECRET) -> PeopleClient:
    github = GitHubSettings(api_url=f"{town.url}/api/v3", web_url=town.url, app_id=APP)
    client_id = town.github.doorkeeper.users.client_id
    return PeopleClient(github, client_id, lambda: secret, user_agent="tests", now=lambda: datetime.now(UTC))


async def asked(call: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Ask beside the loop in which the stand-in answers."""
    return await asyncio.to_thread(call, *arguments, **named)


async def press(town: Town, url: str, who: str, **headers: str) -> Answered:
    """Press the button of somebody on the page at an address, or Cancel."""
    query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
    return await form(town, AUTHORIZE, query | ({"as": who} if who else {}), **headers)


async def form(town: Town, path: str, values: Mapping[str, str], **headers: str) -> Answered:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with town.http.post(town.url + path, data=values, headers=named, allow_redirects=False) as answer:
        return Answered(answer.status, answer.headers.copy(), await answer.read())


def said(answer: Answered) -> dict[str, str]:
    """Return what GitHub says on the way back."""
    url = urlsplit(answer.headers["Location"])
    assert (answer.status, f"{url.scheme}://{url.netloc}{url.path}") == (302, BACK)
    return {key: values[0] for key, values in parse_qs(url.query).items()}


async def token_of(town: Town, who: str) -> str:
    """Sign somebody in; return their token."""
    client, verifier = client_of(town), secrets.token_urlsafe(64)
    url = client.authorize_url(state="s", verifier=verifier, redirect_uri=BACK)
    code = said(await press(town, url, who))["code"]
    return (await asked(client.exchange, code, verifier, BACK)).value


# The sign-in


async def test_a_person_is_asked_once_and_led_back_with_a_code_that_gives_a_token(town: Town) -> None:
    client, verifier = client_of(town), secrets.token_urlsafe(64)
    url = client.authorize_url(state="the state", verifier=verifier, redirect_uri=BACK)
    page = await town.get(url, token="")
    assert page.status == 200 and b"Authorize previewbot as alice" in page.data

    answer = await press(town, url, "alice")
    found = said(answer)
    token = await asked(client.exchange, found["code"], verifier, BACK)
    # In the same browser the next time is without a page.
    again = await town.get(url, token="", Cookie=answer.headers["Set-Cookie"].partition(";")[0])

    assert (found["state"], said(again)["state"]) == ("the state", "the state")
    assert isinstance(token, Token) and token.lives == timedelta(hours=8)
    assert token.value.startswith("ghu_") and len(token.value) == 500
    assert await asked(client.who, token.value) == Account(ALICE.id, "alice")


async def test_whoever_logs_out_is_asked_again(town: Town) -> None:
    url = client_of(town).authorize_url(state="s", verifier="v", redirect_uri=BACK)
    cookie = (await press(town, url, "alice")).headers["Set-Cookie"].partition(";")[0]
    async with town.http.get(town.url + LOGOUT, headers={"Cookie": cookie}, allow_redirects=False):
        pass

    assert (await town.get(url, token="", Cookie=cookie)).status == 200


async def test_a_person_may_say_no(town: Town) -> None:
    url = client_of(town).authorize_url(state="s", verifier="v", redirect_uri=BACK)

    found = said(await press(town, url, ""))

    assert (found["error"], found["state"]) == ("access_denied", "s")


async def test_github_leads_nowhere_but_to_the_apps_own_address(town: Town) -> None:
    client = client_of(town)
    url = client.authorize_url(state="s", verifier="v", redirect_uri="https://evil.example/")

    assert said(await town.get(url, token=""))["error"] == "redirect_uri_mismatch"
    other = client.authorize_url(state="s", verifier="v", redirect_uri=BACK).replace("Iv23li", "Iv23xx")
    assert (await town.get(other, token="")).status == 404


async def test_another_sites_page_presses_no_button(town: Town) -> None:
    url = client_of(town).authorize_url(state="s", verifier="v", redirect_uri=BACK)

    assert (await press(town, url, "alice", Sec_Fetch_Site="cross-site")).status == 403


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"code": "never given"}, "bad_verification_code"),
        ({"verifier": "of another browser"}, "bad_verification_code"),
        ({"redirect_uri": "https://previews.example.com/elsewhere"}, "redirect_uri_mismatch"),
        ({"secret": "0" * 40}, "incorrect_client_credentials"),
    ],
)
async def test_a_code_is_refused_with_what_does_not_fit(
    town: Town, changed: dict[str, str], refused: str
) -> None:
    client, verifier = client_of(town), secrets.token_urlsafe(64)
    code = said(
        await press(town, client.authorize_url(state="s", verifier=verifier, redirect_uri=BACK), "alice")
    )["code"]
    shown = {"code": code, "verifier": verifier, "redirect_uri": BACK} | changed
    other = client_of(town, shown.pop("secret", CLIENT_SECRET))

    with pytest.raises(SignInRefused) as caught:
        await asked(other.exchange, **shown)

    assert caught.value.code == refused


async def test_a_code_counts_once_and_for_ten_minutes(town: Town) -> None:
    client, verifier = client_of(town), secrets.token_urlsafe(64)
    url = client.authorize_url(state="s", verifier=verifier, redirect_uri=BACK)
    codes = [said(await press(town, url, "alice"))["code"] for _ in range(2)]
    await asked(client.exchange, codes[0], verifier, BACK)
    with pytest.raises(SignInRefused):
        await asked(client.exchange, codes[0], verifier, BACK)

    town.clock.ahead = timedelta(minutes=10)
    with pytest.raises(SignInRefused):
        await asked(client.exchange, codes[1], verifier, BACK)


async def test_the_answer_with_a_token_is_as_githubs_page_shows_it(town: Town) -> None:
    verifier = secrets.token_urlsafe(64)
    client = client_of(town)
    url = client.authorize_url(state="s", verifier=verifier, redirect_uri=BACK)
    values = {
        "client_id": town.github.doorkeeper.users.client_id,
        "client_secret": CLIENT_SECRET,
        "code": said(await press(town, url, "alice"))["code"],
        "code_verifier": verifier,
        "redirect_uri": BACK,
    }

    answer = (await form(town, ACCESS_TOKEN, values)).json

    assert answer.keys() == {
        *("access_token", "expires_in", "refresh_token", "refresh_token_expires_in", "scope", "token_type"),
    }
    assert (answer["scope"], answer["token_type"], answer["expires_in"]) == ("", "bearer", 28800)


# What the tokens open


async def test_each_is_told_what_they_may_themselves(town: Town) -> None:
    client = client_of(town)
    found = {
        who: await asked(client.repository, await token_of(town, who), 812)
        for who in ("alice", "bob", "mallory")
    }

    shop = RepositoryAccess(812, "acme/shop", f"{town.url}/acme/shop", writes=True)
    # Private: who is no collaborator is told that there is none.
    assert found == {"alice": shop, "bob": replace(shop, writes=False), "mallory": None}
    assert await asked(client.repository, await token_of(town, "alice"), 999) is None


@pytest.mark.parametrize("archived", [False, True])
async def test_an_archived_repository_can_only_be_read(town: Town, archived: bool) -> None:
    token = await token_of(town, "alice")
    town.github.archive_repository("acme/shop", archived)

    access = await asked(client_of(town).repository, token, 812)

    assert access is not None and access.writes is not archived


async def test_a_renamed_repository_is_found_by_its_number(town: Town) -> None:
    token = await token_of(town, "alice")
    town.github.rename_repository("acme/shop", "store")

    access = await asked(client_of(town).repository, token, 812)

    assert access is not None and access.full_name == "acme/store"


async def test_a_comment_is_the_persons_own_and_says_through_which_app(town: Town) -> None:
    number, token = town.pull_request(), await token_of(town, "bob")

    written = await asked(client_of(town).comment, token, "acme/shop", number, "Looks good")

    answer = await town.get(f"{REPO}/issues/comments/{written.id}")
    described(models.IssueComment, answer)
    comment = answer.json
    assert written == Written(comment["id"], comment["html_url"])
    assert (comment["user"]["login"], comment["user"]["type"], comment["body"]) == (
        *("bob", "User", "Looks good"),
    )
    assert comment["performed_via_github_app"]["id"] == APP
    [(_, payload)] = [each for each in await town.events() if each[0] == "issue_comment"]
    assert payload["comment"]["performed_via_github_app"]["id"] == APP
    assert payload["sender"]["login"] == "bob"


async def test_nobody_writes_where_they_may_not_read_or_where_the_app_is_not(town: Town) -> None:
    number = town.pull_request()
    client, mallory = client_of(town), await token_of(town, "mallory")
    denied = await town.call("POST", f"{REPO}/issues/{number}/comments", {"body": "x"}, token=mallory)
    assert denied.status == 404
    town.github.create_repository("acme/open", {"a": b"b"}, private=False, installed=False)
    town.github.open_pull_request(
        "acme/open", COPILOT, "copilot/x", {"a": b"c"}, title="x", body="x", message="x"
    )
    with pytest.raises(Forbidden):
        await asked(client.comment, mallory, "acme/open", 1, "x")


async def test_a_token_ends_with_its_time_or_when_it_is_taken_back(town: Town) -> None:
    client = client_of(town)
    first, second = await token_of(town, "alice"), await token_of(town, "alice")

    await asked(client.revoke, first)
    # A second time there is nothing to take back, and nothing is wrong with that.
    await asked(client.revoke, first)
    with pytest.raises(SessionOver):
        await asked(client.who, first)
    assert (await asked(client.who, second)).login == "alice"
    town.clock.ahead = timedelta(hours=8)
    with pytest.raises(SessionOver):
        await asked(client.repository, second, 812)


async def test_only_the_app_takes_back_what_was_given_to_it(town: Town) -> None:
    token = await token_of(town, "alice")
    with pytest.raises(Unauthorized):
        await asked(client_of(town, "0" * 40).revoke, token)
    for authorization in ("", f"Bearer {town.token}", "Basic !", f"Basic {base64.b64encode(b'x').decode()}"):
        path = f"/applications/{town.github.doorkeeper.users.client_id}/token"
        answer = await town.call("DELETE", path, {"access_token": token}, Authorization=authorization)
        assert answer.status == 401

    assert (await asked(client_of(town).who, token)).login == "alice"


async def test_an_installations_token_is_nobodys_and_a_persons_opens_nothing_of_the_apps(town: Town) -> None:
    token = await token_of(town, "alice")

    assert (await town.get("/user")).status == 403
    assert (await town.get("/app", token=token)).status == 401
    assert (await town.get("/installation/repositories", token=token)).status == 404
    described(models.PublicUser, await town.get("/user", token=token))
    described(models.FullRepository, await town.get("/repositories/812", token=token))
    described(models.FullRepository, await town.get("/repositories/812"))


async def test_what_pages_ask_as_people_is_what_is_listed(town: Town) -> None:
    number, client, token = town.pull_request(), client_of(town), await token_of(town, "alice")
    await asked(client.who, token)
    await asked(client.repository, token, 812)
    await asked(client.comment, token, "acme/shop", number, "x")
    await asked(client.revoke, token)

    names = [replace(one, path=one.path.replace("/repositories/812", REPO)) for one in town.script.asked]
    assert {endpoint(town, one) for one in names} == CALLED_AS_PEOPLE
    # Each of its methods that asks something is among them, or is the sign-in's.
    methods = {name for name, _ in inspect.getmembers(PeopleClient, inspect.isfunction) if name[0] != "_"}
    assert methods == {"authorize_url", "exchange", "who", "repository", "comment", "revoke"}
