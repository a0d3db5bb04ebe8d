"""What GitHub answers people's tokens, over HTTP: within limits of time and size, and in our words."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from aiohttp import web

from previewbot.clients.github.people import PeopleClient, SessionOver
from previewbot.clients.github.people_answers import (
    LONGEST_SESSION,
    Account,
    RepositoryAccess,
    SignInRefused,
    Token,
    Written,
)
from previewbot.config.server import GitHubSettings
from previewbot.errors import Forbidden, Invalid, NoAnswer, RemoteError, TooLarge, TryLater
from previewbot.rules.proxies import Proxies, read_proxy
from tests.support.forward_proxy import forward_proxy
from tests.support.pki import Authority
from tests.support.servers import served

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
CLIENT_ID, SECRET = "Iv23liAbCdEfGhIjKlMn", "s" * 40
BACK = "https://previews.example.com/sign-in/done"
REPOSITORY: dict[str, Any] = {
    "id": 812,
    "full_name": "acme/shop",
    "html_url": "https://github.com/acme/shop",
    "archived": False,
    "permissions": {"admin": False, "maintain": False, "push": True, "triage": True, "pull": True},
}
READS = {"admin": False, "push": False, "pull": True}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Heard:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Town:
    """A server that answers one thing, and what it heard."""

    client: PeopleClient
    heard: list[Heard] = field(default_factory=list)


@contextmanager
def town(answer: web.Response | Answer, *, budget: float = 30.0, proxied: bool = False) -> Iterator[Town]:
    heard: list[Heard] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        heard.append(Heard(request.method, request.raw_path, headers, await request.read()))
        if isinstance(answer, web.Response):
            return web.Response(body=answer.body, status=answer.status, headers=answer.headers)
        return await answer(request)

    with served(handle) as (url, _):
        # As a proxy would have it, for a host that only it knows.
        base = "http://github.invalid" if proxied else url
        proxies = Proxies(http=read_proxy(url.replace("://", "://me:secret@"))) if proxied else Proxies()
        github = GitHubSettings(api_url=f"{base}/api/v3", web_url=base, app_id=7)
        made = PeopleClient(
            github,
            CLIENT_ID,
            lambda: SECRET,
            user_agent="previewbot-test",
            now=lambda: NOW,
            proxies=proxies,
            budget=budget,
        )
        yield Town(made, heard)


def said(value: object, status: int = 200, **headers: str) -> web.Response:
    return web.Response(body=json.dumps(value).encode(), status=status, headers=headers)


# What is asked


def test_a_person_is_led_to_github_with_what_pkce_wants() -> None:
    github = GitHubSettings(api_url="https://api.github.com", web_url="https://github.com", app_id=7)
    client = PeopleClient(github, CLIENT_ID, lambda: SECRET, user_agent="x", now=lambda: NOW)

    # The example of RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    url = urlsplit(client.authorize_url(state="a+b", verifier=verifier, redirect_uri=BACK))

    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://github.com/login/oauth/authorize"
    assert dict(parse_qsl(url.query)) == {
        "client_id": CLIENT_ID,
        "redirect_uri": BACK,
        "state": "a+b",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    assert SECRET not in url.query and verifier not in url.query


def test_a_code_is_exchanged_with_secret_and_verifier() -> None:
    token = "ghu_" + "t" * 500
    answer = {"access_token": token, "token_type": "bearer", "expires_in": 28800, "refresh_token": "ghr_x"}
    with town(said({**answer, "scope": ""})) as there:
        found = there.client.exchange("the code", "the verifier", BACK)

    assert found == Token(token, timedelta(hours=8))
    assert token not in repr(found)
    (heard,) = there.heard
    assert (heard.method, heard.path) == ("POST", "/login/oauth/access_token")
    assert heard.headers["accept"] == "application/json"
    assert {key: values[0] for key, values in parse_qs(heard.body.decode()).items()} == {
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "code": "the code",
        "code_verifier": "the verifier",
        "redirect_uri": BACK,
    }


@pytest.mark.parametrize(
    ("expires", "lives"),
    [
        (28800, timedelta(hours=8)),
        (600, timedelta(minutes=10)),
        (10**9, LONGEST_SESSION),
        (None, LONGEST_SESSION),
        ("28800", LONGEST_SESSION),
        (-5, timedelta(0)),
    ],
)
def test_a_session_lives_as_long_as_its_token_and_never_longer_than_eight_hours(
    expires: object, lives: timedelta
) -> None:
    with town(said({"access_token": "ghu_x", "expires_in": expires})) as there:
        assert there.client.exchange("c", "v", BACK).lives == lives


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("bad_verification_code", "bad_verification_code"),
        ("incorrect_client_credentials", "incorrect_client_credentials"),
        ("Call 555\n", "other"),
        ("", "other"),
        (5, "other"),
        ("a" * 61, "other"),
    ],
)
def test_a_refusal_with_status_200_is_one(written: object, code: str) -> None:
    with town(said({"error": written, "error_description": "…", "access_token": "ghu_x"})) as there:
        with pytest.raises(SignInRefused) as caught:
            there.client.exchange("c", "v", BACK)
        assert caught.value.code == code


def test_each_question_is_asked_with_the_persons_own_token() -> None:
    with town(said({"id": 7, "login": "maria"})) as there:
        assert there.client.who("ghu_maria") == Account(7, "maria")
    with town(said({**REPOSITORY})) as other:
        other.client.repository("ghu_maria", 812)
    with town(said({"id": 99, "html_url": "https://github.com/acme/shop/pull/42#c"}, 201)) as third:
        written = third.client.comment("ghu_maria", "acme/shop", 42, "Looks good ☃")

    heard = [*there.heard, *other.heard, *third.heard]
    assert [(each.method, each.path) for each in heard] == [
        ("GET", "/api/v3/user"),
        ("GET", "/api/v3/repositories/812"),
        ("POST", "/api/v3/repos/acme/shop/issues/42/comments"),
    ]
    for each in heard:
        assert each.headers["authorization"] == "Bearer ghu_maria"
        assert each.headers["x-github-api-version"] == "2022-11-28"
        assert each.headers["user-agent"] == "previewbot-test"
    assert written == Written(99, "https://github.com/acme/shop/pull/42#c")
    assert json.loads(heard[-1].body) == {"body": "Looks good ☃"}


@pytest.mark.parametrize(
    ("status", "fails"), [(204, False), (404, False), (422, False), (401, True), (500, True)]
)
def test_a_token_is_revoked_in_the_apps_name(status: int, fails: bool) -> None:
    with town(web.Response(status=status)) as there:
        if fails:
            with pytest.raises(RemoteError) as caught:
                there.client.revoke("ghu_maria")
            # It is the App's login that is not taken, and no person's session that is over.
            assert not isinstance(caught.value, SessionOver)
        else:
            there.client.revoke("ghu_maria")

    (heard,) = there.heard
    assert (heard.method, heard.path) == ("DELETE", f"/api/v3/applications/{CLIENT_ID}/token")
    assert (
        base64.b64decode(heard.headers["authorization"].removeprefix("Basic "))
        == f"{CLIENT_ID}:{SECRET}".encode()
    )
    assert json.loads(heard.body) == {"access_token": "ghu_maria"}


# What somebody may


@pytest.mark.parametrize(
    ("changed", "writes"),
    [
        ({}, True),
        ({"permissions": READS}, False),
        ({"permissions": {**READS, "maintain": True}}, True),
        ({"permissions": {**READS, "admin": True}}, True),
        ({"permissions": {**READS, "triage": True}}, False),
        ({"permissions": {"push": "true"}}, False),
        ({"permissions": None}, False),
        ({"permissions": []}, False),
        ({"archived": True}, False),
        ({"disabled": True}, False),
    ],
)
def test_who_may_push_writes_and_all_others_read(changed: dict[str, Any], writes: bool) -> None:
    with town(said({**REPOSITORY, **changed})) as there:
        found = there.client.repository("t", 812)

    assert found == RepositoryAccess(812, "acme/shop", "https://github.com/acme/shop", writes)


@pytest.mark.parametrize("status", [403, 404, 451])
def test_what_may_not_be_read_is_as_what_is_not_there(status: int) -> None:
    with town(said({"message": "Resource protected by organization SAML enforcement."}, status)) as there:
        assert there.client.repository("t", 812) is None


@pytest.mark.parametrize(
    ("status", "headers", "message", "after"),
    [
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 90)}, "", 90.0),
        (403, {"Retry-After": "30"}, "", 30.0),
        (403, {}, "You have exceeded a secondary rate limit", 60.0),
        (429, {}, "", 60.0),
    ],
)
def test_a_limit_is_no_word_on_what_somebody_may(
    status: int, headers: dict[str, str], message: str, after: float
) -> None:
    with town(said({"message": message}, status, **headers)) as there, pytest.raises(TryLater) as caught:
        there.client.repository("t", 812)
    assert caught.value.after == after


@pytest.mark.parametrize("ask", ["who", "repository", "comment"])
def test_a_token_that_is_taken_no_more_ends_the_session(ask: str) -> None:
    with town(said({"message": "Bad credentials"}, 401)) as there:
        asks: dict[str, Callable[[], object]] = {
            "who": lambda: there.client.who("t"),
            "repository": lambda: there.client.repository("t", 812),
            "comment": lambda: there.client.comment("t", "acme/shop", 42, "x"),
        }
        with pytest.raises(SessionOver):
            asks[ask]()


@pytest.mark.parametrize(("status", "error"), [(403, Forbidden), (422, Invalid), (502, TryLater)])
def test_a_comment_that_is_refused_says_why(status: int, error: type[RemoteError]) -> None:
    refused = said({"message": "Unable to create comment because issue is locked."}, status)
    with town(refused) as there, pytest.raises(error, match="issue is locked"):
        there.client.comment("t", "acme/shop", 42, "x")


async def broken_off(request: web.Request) -> web.StreamResponse:
    """End the connection after the request was heard, as a proxy does that is restarted."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize(
    "answer",
    [said({}, 500), said({}, 502), said({}, 504), web.Response(status=201, body=b"<html>"), broken_off],
)
def test_a_comment_that_may_be_there_all_the_same_is_told_apart(answer: web.Response | Answer) -> None:
    with town(answer) as there, pytest.raises(NoAnswer):
        there.client.comment("t", "acme/shop", 42, "x")


@pytest.mark.parametrize("answer", [said({}, 429), said({}, 302, Location="/x")])
def test_a_comment_that_was_not_taken_can_be_sent_again(answer: web.Response) -> None:
    with town(answer) as there, pytest.raises(TryLater) as caught:
        there.client.comment("t", "acme/shop", 42, "x")
    assert not isinstance(caught.value, NoAnswer)


@pytest.mark.parametrize("name", ["../../user", "acme/..", "acme//shop", "%2e%2e/x"])
def test_a_name_leads_nowhere_else(name: str) -> None:
    with town(said({})) as there, pytest.raises(RemoteError, match="leads elsewhere"):
        there.client.comment("t", name, 42, "x")
    assert there.heard == []


# What is no answer


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"[]", b"null", b'"x"', b"\xff", b"[" * 100_000, b"{}"),
        *(
            b'{"id": "812"}',
            b'{"id": true, "login": "x"}',
            b'{"id": 0, "login": "x"}',
            b'{"id": 7, "login": ""}',
        ),
    ],
)
def test_what_is_none_of_githubs_answers_is_told_as_such(body: bytes) -> None:
    with town(web.Response(body=body)) as there:
        for ask in (
            lambda: there.client.who("t"),
            lambda: there.client.repository("t", 812),
            lambda: there.client.comment("t", "a/b", 1, "x"),
            lambda: there.client.exchange("c", "v", BACK),
        ):
            with pytest.raises(TryLater, match="cannot be read"):
                ask()


@pytest.mark.parametrize("token", ["", "two words", "line\n", "ü", "t" * 2049, 5, None])
def test_a_token_that_fits_in_no_header_or_cookie_is_none(token: object) -> None:
    with town(said({"access_token": token})) as there, pytest.raises(TryLater):
        there.client.exchange("c", "v", BACK)


def test_another_repository_than_the_one_that_was_asked_for_is_no_answer() -> None:
    with town(said({**REPOSITORY, "id": 813})) as there, pytest.raises(TryLater):
        there.client.repository("t", 812)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed_with_somebodys_token(status: int) -> None:
    with town(said({}, status, Location="/elsewhere")) as there:
        for ask in (lambda: there.client.who("t"), lambda: there.client.exchange("c", "v", BACK)):
            with pytest.raises(TryLater, match="leads somewhere else"):
                ask()
    assert [each.path for each in there.heard] == ["/api/v3/user", "/login/oauth/access_token"]


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 65536)
        except ConnectionError:
            return response

    with town(endless) as there, pytest.raises(TooLarge):
        there.client.who("t")


@pytest.mark.parametrize("begins", [False, True])
def test_an_answer_that_takes_too_long_is_none(begins: bool) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if begins:
            await response.prepare(request)
        try:
            while True:
                await asyncio.sleep(0.05)
                if begins:
                    await response.write(b" ")
        except ConnectionError:
            return response

    with town(slow, budget=0.4) as there, pytest.raises(NoAnswer, match="cannot be reached"):
        there.client.who("t")


def test_nobody_there_is_told_and_no_secret_with_it(tmp_path: Path) -> None:
    # Port 9 of this machine: nobody listens there.
    github = GitHubSettings(api_url="http://127.0.0.1:9", web_url="http://127.0.0.1:9", app_id=7)
    client = PeopleClient(github, CLIENT_ID, lambda: SECRET, user_agent="x", now=lambda: NOW)
    for ask in (lambda: client.who("ghu_maria"), lambda: client.exchange("the-code", "the-verifier", BACK)):
        with pytest.raises(TryLater, match="GitHub cannot be reached") as caught:
            ask()
        # Nothing was sent, and so nothing was written.
        assert not isinstance(caught.value, NoAnswer)
        assert not any(word in str(caught.value) for word in ("ghu_", SECRET, "the-code", "the-verifier"))

    missing = GitHubSettings(**{**github.model_dump(), "ca_file": tmp_path / "ca.pem"})
    client = PeopleClient(missing, CLIENT_ID, lambda: SECRET, user_agent="x", now=lambda: NOW)
    with pytest.raises(TryLater, match=r"github\.ca_file cannot be read: FileNotFoundError"):
        client.who("t")


# Whom it trusts


def test_an_enterprise_servers_own_authority_is_trusted_where_the_settings_name_it(tmp_path: Path) -> None:
    ours = Authority(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*ours.server("github"))

    async def answer(request: web.Request) -> web.StreamResponse:
        return said({"id": 7, "login": "maria"})

    with served(answer, context) as (url, _):
        github = GitHubSettings(api_url=url, web_url=url, app_id=7, ca_file=ours.certificate)
        client = PeopleClient(github, CLIENT_ID, lambda: SECRET, user_agent="x", now=lambda: NOW)
        assert client.who("t").login == "maria"

        other = github.model_copy(update={"ca_file": None})
        client = PeopleClient(other, CLIENT_ID, lambda: SECRET, user_agent="x", now=lambda: NOW)
        with pytest.raises(TryLater, match="its certificate is not trusted"):
            client.who("t")


# Through a proxy


def test_a_proxy_is_gone_through_with_its_login() -> None:
    with town(said({"id": 7, "login": "maria"}), proxied=True) as there:
        assert there.client.who("t").login == "maria"

    (heard,) = there.heard
    assert heard.path == "http://github.invalid/api/v3/user"
    assert heard.headers["proxy-authorization"] == f"Basic {base64.b64encode(b'me:secret').decode()}"


def test_a_proxy_that_refuses_is_named() -> None:
    with town(web.Response(status=407), proxied=True) as there:
        with pytest.raises(TryLater, match=r"the proxy http://127\.0\.0\.1:.* answered 407") as caught:
            there.client.who("t")
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("login", "status"), [("", 0), ("Basic eA==", 407)])
def test_through_a_tunnel_a_token_is_sent_to_github_alone(tmp_path: Path, login: str, status: int) -> None:
    ours = Authority(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*ours.server("github", "github.corp.example"))

    async def answer(request: web.Request) -> web.StreamResponse:
        return said({"id": 7, "login": "maria"})

    with served(answer, context) as (url, _), forward_proxy(login=login) as proxy:
        port = urlsplit(url).port or 0
        proxy.hosts = {"github.corp.example": port}
        base = f"https://github.corp.example:{port}"
        github = GitHubSettings(api_url=base, web_url=base, app_id=7, ca_file=ours.certificate)
        client = PeopleClient(
            github,
            CLIENT_ID,
            lambda: SECRET,
            user_agent="x",
            now=lambda: NOW,
            proxies=Proxies(https=read_proxy(proxy.url)),
        )
        if status:
            with pytest.raises(TryLater, match=f"answered {status}: it wants a login"):
                client.who("ghu_maria")
        else:
            assert client.who("ghu_maria").login == "maria"
        assert proxy.asked == [f"CONNECT github.corp.example:{port}"]
        assert b"ghu_maria" not in proxy.heard


def test_pages_does_without_the_clients_of_the_controller() -> None:
    program = (
        "import sys, previewbot.runtime.pages_app, previewbot.clients.github.people; "
        "import previewbot.clients.kubernetes.pages_client; "
        "print({'aiohttp', 'gidgethub', 'ijson'} & {*sys.modules})"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
