"""The fake GitHub against GitHub's published API description and what its documentation promises.

The models are generated from https://github.com/github/rest-api-description (package githubkit-schemas), for
the API version that previewbot asks for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from githubkit_schemas.v2022_11_28 import models
from pydantic import TypeAdapter

from previewbot.demo.github import Account, FakeGitHub
from previewbot.demo.github.model import Repository
from previewbot.demo.github.pages import Button

APP = 4242
SECRET = "a secret of the tests"
ALICE = Account(501, "alice")
BOB = Account(502, "bob")
COPILOT = Account(198982749, "Copilot", "Bot")
FILES = {"README.md": b"# Shop\n", "src/app.py": b"one\ntwo\nthree\nfour\n", "logo.png": b"\x89PNG\xff\x00"}
REPO = "/repos/acme/shop"


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


KEY, OTHER_KEY = _key(), _key()


def _pem(key: rsa.RSAPrivateKey) -> str:
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, kind).decode()


def app_jwt(key: rsa.RSAPrivateKey = KEY, **changes: Any) -> str:
    now = int(time.time())
    claims = {"iat": now - 60, "exp": now + 540, "iss": str(APP)} | changes
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, algorithm="RS256")


@dataclass
class Clock:
    """The time, which a test may move on."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Answered:
    """An answer: status, headers, and the body as bytes."""

    status: int
    headers: Any
    data: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.data)


@dataclass
class Town:
    """A GitHub with one repository, a client of its API, and an address that takes its webhooks."""

    url: str
    http: aiohttp.ClientSession
    clock: Clock = field(default_factory=Clock)
    heard: list[tuple[Any, bytes]] = field(default_factory=list)
    answers: int = 202
    token: str = ""

    def found(self, **changes: Any) -> FakeGitHub:
        settings = {"clock": self.clock} | changes
        self.github = FakeGitHub(APP, _pem(KEY), self.url + "/hook", SECRET, self.url, **settings)
        collaborators = {"alice": "maintain", "bob": "triage"}
        self.repository: Repository = self.github.create_repository(
            "acme/shop", FILES, repository_id=812, collaborators=collaborators
        )
        for person in (ALICE, BOB, COPILOT):
            self.github.know(person)
        self.installation = self.github.install("acme")
        self.token = self.github.doorkeeper.new_token(self.installation).value
        return self.github

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/hook":
            self.heard.append((request.headers.copy(), await request.read()))
            return web.Response(status=self.answers)
        return await self.github.handle(request)

    async def call(
        self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str
    ) -> Answered:
        sent = {"Authorization": f"Bearer {self.token if token is None else token}", "User-Agent": "tests"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        url = path if path.startswith("http") else self.url + "/api/v3" + path
        async with self.http.request(
            method,
            url,
            json=body,
            headers=sent,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=10),
        ) as answer:
            return Answered(answer.status, answer.headers.copy(), await answer.read())

    async def get(self, path: str, **more: Any) -> Answered:
        return await self.call("GET", path, **more)

    async def events(self) -> list[tuple[str, Any]]:
        await self.github.webhooks.settled()
        return [(headers["X-GitHub-Event"], json.loads(body)) for headers, body in self.heard]

    def pull_request(self, **more: Any) -> int:
        changes = {"src/app.py": b"one\nTWO\nthree\nfour\n", "README.md": None, "docs/README.md": b"# Shop\n"}
        values: dict[str, Any] = {"title": "Shout", "body": "Louder.", "message": "Shout"}
        return self.github.open_pull_request("acme/shop", COPILOT, "copilot/shout", changes, **values | more)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with aiohttp.ClientSession() as http:
        built = Town("", http)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", built.handle)
        async with TestServer(app) as server:
            built.url = str(server.make_url("")).rstrip("/")
            built.found()
            yield built
            await built.github.shutdown()


def described(model: Any, answer: Answered) -> None:
    """Hold an answer to the published description, strictly: no number for a text."""
    TypeAdapter(model).validate_json(answer.data, strict=True)


READS: tuple[tuple[str, Any], ...] = (
    ("/installation/repositories", models.InstallationRepositoriesGetResponse200),
    (REPO, models.FullRepository),
    (f"{REPO}/pulls?state=open", list[models.PullRequestSimple]),
    (f"{REPO}/pulls/1", models.PullRequest),
    (f"{REPO}/pulls/1/files", list[models.DiffEntry]),
    (f"{REPO}/pulls/1/commits", list[models.Commit]),
    (f"{REPO}/contents/src/app.py", models.ContentFile),
    (f"{REPO}/contents/logo.png?ref=main", models.ContentFile),
    (f"{REPO}/contents/src", list[models.ContentDirectoryItems]),
    (f"{REPO}/commits/HEAD/check-runs", models.ReposOwnerRepoCommitsRefCheckRunsGetResponse200),
    (f"{REPO}/actions/runs?head_sha=HEAD", models.ReposOwnerRepoActionsRunsGetResponse200),
    (f"{REPO}/issues/1/comments", list[models.IssueComment]),
    (f"{REPO}/issues/comments/COMMENT", models.IssueComment),
    (f"{REPO}/issues/comments/COMMENT/reactions", list[models.Reaction]),
    (f"{REPO}/collaborators/alice/permission", models.RepositoryCollaboratorPermission),
)


@pytest.mark.parametrize(("path", "model"), READS, ids=[path for path, _ in READS])
@pytest.mark.parametrize("state", ["open", "merged", "fork"])
async def test_every_answer_has_the_published_shape(town: Town, path: str, model: Any, state: str) -> None:
    number = town.pull_request(fork="mallory" if state == "fork" else "")
    head = town.github.pull_request(number).head_sha
    comment = town.github.comment(number, ALICE, "/preview")
    town.github.react(comment, town.github.app.bot, "eyes")
    town.github.set_check(head, "build", "in_progress")
    town.github.set_workflow_run(head, "build", "completed", "action_required")
    town.github.label(number, "preview")
    await town.call("POST", f"{REPO}/issues/1/comments", {"body": "here"})
    if state == "merged":
        town.github.merge(number)

    answer = await town.get(path.replace("HEAD", head).replace("COMMENT", str(comment)))

    assert answer.status == 200
    described(model, answer)


async def test_what_the_app_itself_reads_has_the_published_shape(town: Town) -> None:
    token = app_jwt()

    described(list[models.Installation], await town.get("/app/installations", token=token))
    described(models.Installation, await town.get(f"{REPO}/installation", token=token))
    path = f"/app/installations/{town.installation.id}/access_tokens"
    answer = await town.call("POST", path, {}, token=token)
    described(models.InstallationToken, answer)
    assert answer.status == 201
    assert (await town.get(REPO, token=answer.json["token"])).status == 200


async def test_what_is_written_is_answered_in_the_published_shape(town: Town) -> None:
    town.pull_request()

    made = await town.call("POST", f"{REPO}/issues/1/comments", {"body": "one"})
    path = f"{REPO}/issues/comments/{made.json['id']}"
    changed = await town.call("PATCH", path, {"body": "two"})
    first = await town.call("POST", f"{path}/reactions", {"content": "rocket"})
    again = await town.call("POST", f"{path}/reactions", {"content": "rocket"})
    deleted = await town.call("DELETE", path)

    described(models.IssueComment, made)
    described(models.IssueComment, changed)
    described(models.Reaction, first)
    assert [a.status for a in (made, changed, first, again, deleted)] == [201, 200, 201, 200, 204]
    assert changed.json["body"] == "two"
    assert (await town.get(path)).status == 404


async def test_every_event_has_the_published_shape(town: Town) -> None:
    github, number = town.github, town.pull_request(draft=True)
    sha = github.push(number, {"new": b"1\n"}, "More")
    github.set_draft(number, False)
    github.label(number, "preview")
    github.unlabel(number, "preview")
    github.edit(number, title="Shout louder", by=ALICE)
    github.set_check(sha, "build", "in_progress")
    github.set_check(sha, "build", "completed", "success")
    comment = github.comment(number, ALICE, "/preview")
    github.edit_comment(comment, "/preview stop")
    github.delete_comment(comment)
    github.close(number)
    github.reopen(number)
    github.merge(number, by=ALICE)

    events = await town.events()

    pulls = ["opened", "synchronize", "ready_for_review", "labeled", "unlabeled", "edited"]
    assert {(event, payload["action"]) for event, payload in events} == {
        *(("pull_request", action) for action in (*pulls, "closed", "reopened")),
        *(("issue_comment", action) for action in ("created", "edited", "deleted")),
        *(("check_run", action) for action in ("created", "completed")),
    }
    for event, payload in events:
        name = f"Webhook_{event}_{payload['action']}".title().replace("_", "")
        getattr(models, name).model_validate_json(json.dumps(payload), strict=True)
        assert payload["installation"]["id"] == town.installation.id
        assert payload["repository"]["id"] == 812


async def test_a_delivery_is_signed_over_its_raw_body(town: Town) -> None:
    town.pull_request()
    await town.events()

    headers, body = town.heard[0]

    expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={expected}"
    assert headers["X-GitHub-Hook-Installation-Target-ID"] == str(APP)
    assert headers["Content-Type"] == "application/json"
    delivery = town.github.webhooks.deliveries[0]
    assert (delivery.id, delivery.event, delivery.status) == (
        headers["X-GitHub-Delivery"],
        "pull_request",
        202,
    )


async def test_a_delivery_that_is_refused_or_dropped_is_not_sent_again_by_itself(town: Town) -> None:
    town.answers = 503
    number = town.pull_request()
    await town.events()
    town.github.webhooks.drop_next(1)
    town.github.label(number, "one")
    town.github.webhooks.drop_matching(lambda event, payload: payload["action"] == "unlabeled")
    town.github.unlabel(number, "one")

    heard = await town.events()
    records = [(d.payload["action"], d.status, d.dropped) for d in town.github.webhooks.deliveries]

    assert [payload["action"] for _, payload in heard] == ["opened"]
    assert records == [("opened", 503, False), ("labeled", None, True), ("unlabeled", None, True)]

    town.github.webhooks.redeliver(town.github.webhooks.deliveries[1].id)

    assert [payload["action"] for _, payload in await town.events()] == ["opened", "labeled"]


async def test_an_address_that_does_not_answer_counts_as_status_0(town: Town) -> None:
    town.github.webhooks.url = "http://127.0.0.1:1/hook"
    town.pull_request()
    await town.events()

    assert town.github.webhooks.deliveries[0].status == 0


JWTS = {
    "another key": app_jwt(OTHER_KEY),
    "expired": app_jwt(exp=int(time.time()) - 1),
    "no end": app_jwt(exp=None),
    "longer than ten minutes": app_jwt(exp=int(time.time()) + 3600),
    "from the future": app_jwt(iat=int(time.time()) + 3600),
    "no token at all": "x.y.z",
    "an HMAC": jwt.encode({"iss": str(APP), "exp": 4e9}, "k" * 32, algorithm="HS256"),
}


@pytest.mark.parametrize("token", JWTS.values(), ids=JWTS.keys())
async def test_a_wrong_json_web_token_is_refused(town: Town, token: str) -> None:
    answer = await town.get("/app/installations", token=token)

    assert answer.status == 401
    described(models.BasicError, answer)
    assert answer.json["message"]
    assert answer.json["documentation_url"]


async def test_a_json_web_token_of_another_app_finds_no_integration(town: Town) -> None:
    assert (await town.get("/app/installations", token=app_jwt(iss="1"))).status == 404


async def test_a_token_is_worth_nothing_after_an_hour_or_once_revoked(town: Town) -> None:
    town.clock.ahead = timedelta(minutes=59)
    assert (await town.get(REPO)).status == 200
    town.clock.ahead = timedelta(minutes=61)
    assert (await town.get(REPO)).status == 401
    town.clock.ahead = timedelta(0)
    town.github.doorkeeper.revoke_all()
    assert (await town.get(REPO)).json["message"] == "Bad credentials"


async def test_a_suspended_or_removed_installation_may_do_nothing(town: Town) -> None:
    path = f"/app/installations/{town.installation.id}/access_tokens"
    town.github.suspend(town.installation.id)
    listed = await town.get("/app/installations", token=app_jwt())
    statuses = [(await town.get(REPO)).status, (await town.call("POST", path, {}, token=app_jwt())).status]
    assert listed.json[0]["suspended_at"]
    assert statuses == [403, 403]

    town.github.uninstall(town.installation.id)
    statuses = [(await town.get(REPO)).status, (await town.call("POST", path, {}, token=app_jwt())).status]
    assert statuses == [401, 404]
    assert (await town.get(f"{REPO}/installation", token=app_jwt())).status == 404


async def test_a_repository_that_the_installation_does_not_cover_is_not_found(town: Town) -> None:
    town.github.create_repository("acme/secret", {}, installed=False)
    town.github.create_repository("other/thing", {})

    for name in ("acme/secret", "other/thing", "acme/none"):
        answer = await town.get(f"/repos/{name}/pulls")
        assert (answer.status, answer.json["message"]) == (404, "Not Found")
    listed = (await town.get("/installation/repositories")).json["repositories"]
    assert [repository["full_name"] for repository in listed] == ["acme/shop"]


MISSING = (
    ("checks", "GET", f"{REPO}/commits/x/check-runs"),
    ("actions", "GET", f"{REPO}/actions/runs"),
    ("contents", "GET", f"{REPO}/contents/README.md"),
    ("pull_requests", "GET", f"{REPO}/pulls"),
    ("pull_requests", "POST", f"{REPO}/issues/1/comments"),
)


@pytest.mark.parametrize(("missing", "method", "path"), MISSING)
async def test_what_the_app_has_no_permission_for_is_refused(
    town: Town, missing: str, method: str, path: str
) -> None:
    granted = {name: level for name, level in town.github.app.permissions.items() if name != missing}
    town.found(permissions=granted)

    answer = await town.call(method, path)

    assert (answer.status, answer.json["message"]) == (403, "Resource not accessible by integration")


async def test_who_may_only_read_may_not_write(town: Town) -> None:
    town.found(permissions=dict(town.github.app.permissions) | {"pull_requests": "read"})
    town.pull_request()

    assert (await town.get(f"{REPO}/issues/1/comments")).status == 200
    assert (await town.call("POST", f"{REPO}/issues/1/comments", {"body": "x"})).status == 403


async def test_a_listing_is_cut_into_pages_that_links_connect(town: Town) -> None:
    number = town.pull_request()
    ids = [town.github.comment(number, ALICE, f"comment {index}") for index in range(7)]
    path, pages, relations = f"{REPO}/issues/1/comments?per_page=3", [], []
    while path:
        answer = await town.get(path)
        links = answer.headers.get("Link", "")
        pages.append([comment["id"] for comment in answer.json])
        relations.append({part.split('rel="')[1].rstrip('"') for part in links.split(", ")})
        following = [part for part in links.split(", ") if 'rel="next"' in part]
        path = following[0].split(">")[0].lstrip("<") if following else ""

    assert pages == [ids[:3], ids[3:6], ids[6:]]
    assert relations == [{"next", "last"}, {"prev", "next", "last", "first"}, {"prev", "first"}]


async def test_a_page_has_30_items_and_at_most_100(town: Town) -> None:
    number = town.pull_request()
    for index in range(120):
        town.github.comment(number, ALICE, str(index))

    assert len((await town.get(f"{REPO}/issues/1/comments")).json) == 30
    assert len((await town.get(f"{REPO}/issues/1/comments?per_page=1000")).json) == 100


async def test_listings_inside_an_object_have_the_total_of_all_pages(town: Town) -> None:
    head = town.github.pull_request(town.pull_request()).head_sha
    for name in ("a", "b", "c"):
        town.github.set_check(head, name, "completed", "success")

    answer = await town.get(f"{REPO}/commits/{head}/check-runs?per_page=2")

    assert (answer.json["total_count"], len(answer.json["check_runs"])) == (3, 2)


async def test_an_unchanged_answer_is_304_and_costs_nothing(town: Town) -> None:
    town.pull_request()
    first = await town.get(f"{REPO}/pulls/1")
    tag = first.headers["ETag"]

    same = await town.get(f"{REPO}/pulls/1", If_None_Match=tag)
    town.clock.ahead = timedelta(seconds=5)
    town.github.push(1, {"x": b"y\n"}, "More")
    changed = await town.get(f"{REPO}/pulls/1", If_None_Match=tag)

    assert (same.status, same.data, same.headers["ETag"]) == (304, b"", tag)
    assert same.headers["X-RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"]
    assert (changed.status, changed.headers["ETag"] != tag) == (200, True)
    assert int(changed.headers["X-RateLimit-Used"]) == int(first.headers["X-RateLimit-Used"]) + 1


async def test_over_the_hourly_limit_everything_is_refused_until_the_reset(town: Town) -> None:
    town.github.rest.limits.hourly = 2
    statuses = [(await town.get(REPO)).status for _ in range(2)]
    refused = await town.get(REPO)

    assert statuses == [200, 200]
    assert (refused.status, refused.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert int(refused.headers["X-RateLimit-Reset"]) > time.time()
    town.clock.ahead = timedelta(minutes=59)
    assert (await town.get(REPO)).status == 403
    town.clock.ahead = timedelta(minutes=61)
    town.token = town.github.doorkeeper.new_token(town.installation).value
    assert (await town.get(REPO)).status == 200


async def test_the_secondary_limit_says_how_long_to_wait(town: Town) -> None:
    town.github.rest.limits.secondary = 7

    answer = await town.get(REPO)

    assert (answer.status, answer.headers["Retry-After"]) == (403, "7")
    assert "secondary rate limit" in answer.json["message"]
    assert answer.headers["X-RateLimit-Remaining"] != "0"


async def test_a_request_without_a_user_agent_is_refused(town: Town) -> None:
    answer = await town.get(REPO, User_Agent="")

    assert (answer.status, b"User-Agent" in answer.data) == (403, True)


async def test_every_answer_has_a_request_id_of_its_own(town: Town) -> None:
    one, other = await town.get(REPO), await town.get("/none")

    assert one.headers["X-GitHub-Request-Id"] != other.headers["X-GitHub-Request-Id"]
    assert other.status == 404


async def test_an_unknown_api_version_is_refused(town: Town) -> None:
    assert (await town.get(REPO, X_GitHub_Api_Version="2022-11-28")).status == 200
    assert (await town.get(REPO, X_GitHub_Api_Version="1999-01-01")).status == 400


async def test_with_a_lag_reads_show_the_world_as_it_was(town: Town) -> None:
    number = town.pull_request()
    old = town.github.pull_request(number).head_sha
    town.clock.ahead = timedelta(seconds=30)
    town.github.store.lag = 10
    new = town.github.push(number, {"x": b"y\n"}, "More")
    made = await town.call("POST", f"{REPO}/issues/1/comments", {"body": "hello"})

    heads, comments = [], []
    for seconds in (31, 45):
        town.clock.ahead = timedelta(seconds=seconds)
        heads.append((await town.get(f"{REPO}/pulls/1")).json["head"]["sha"])
        comments.append([c["id"] for c in (await town.get(f"{REPO}/issues/1/comments")).json])

    assert heads == [old, new]
    assert comments == [[], [made.json["id"]]]
    assert (await town.events())[1][1]["after"] == new


async def test_a_renamed_repository_answers_at_its_old_address_by_a_redirect(town: Town) -> None:
    town.pull_request()
    town.github.rename_repository("acme/shop", "store")

    moved = await town.get(f"{REPO}/pulls/1?a=b")
    posted = await town.call("POST", f"{REPO}/issues/1/comments", {"body": "x"})

    assert (moved.status, posted.status) == (301, 307)
    assert moved.headers["Location"] == f"{town.url}/api/v3/repositories/812/pulls/1?a=b"
    answer = await town.get(moved.headers["Location"])
    assert (answer.status, answer.json["base"]["repo"]["full_name"]) == (200, "acme/store")


async def test_comments_of_the_app_say_so_and_those_of_people_do_not(town: Town) -> None:
    town.pull_request()
    made = (await town.call("POST", f"{REPO}/issues/1/comments", {"body": "ours"})).json
    town.github.comment(1, ALICE, "theirs")

    ours, theirs = (await town.get(f"{REPO}/issues/1/comments")).json

    assert made["id"] == ours["id"] < theirs["id"]
    assert ours["performed_via_github_app"]["id"] == APP
    assert (ours["user"]["login"], ours["user"]["type"]) == ("previewbot[bot]", "Bot")
    assert theirs["performed_via_github_app"] is None
    assert (theirs["user"]["login"], theirs["user"]["type"]) == ("alice", "User")


async def test_comments_since_a_moment_are_those_updated_since(town: Town) -> None:
    number = town.pull_request()
    first, second = (town.github.comment(number, ALICE, text) for text in ("one", "two"))
    town.clock.ahead = timedelta(minutes=10)
    third = town.github.comment(number, ALICE, "three")
    town.github.edit_comment(first, "one, edited")
    since = (datetime.now(UTC) + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")

    found = (await town.get(f"{REPO}/issues/1/comments?since={since}")).json

    assert [comment["id"] for comment in found] == [first, third]
    assert second not in [comment["id"] for comment in found]


BODIES: tuple[Any, ...] = ({}, {"body": ""}, {"body": 7}, {"body": "x" * 65_537})


@pytest.mark.parametrize("body", BODIES, ids=["none", "empty", "a number", "too long"])
async def test_a_comment_without_a_usable_text_is_unprocessable(town: Town, body: Any) -> None:
    town.pull_request()

    answer = await town.call("POST", f"{REPO}/issues/1/comments", body)

    assert answer.status == 422
    described(models.ValidationError, answer)


async def test_an_unknown_reaction_is_unprocessable(town: Town) -> None:
    comment = town.github.comment(town.pull_request(), ALICE, "x")

    answer = await town.call("POST", f"{REPO}/issues/comments/{comment}/reactions", {"content": "shrug"})

    assert answer.status == 422


PERMISSIONS = (("alice", "write", "maintain"), ("bob", "read", "triage"), ("carol", "none", "none"))


@pytest.mark.parametrize(("login", "permission", "role"), PERMISSIONS)
async def test_a_permission_sums_up_the_role(town: Town, login: str, permission: str, role: str) -> None:
    town.github.know(Account(503, "carol"))

    answer = (await town.get(f"{REPO}/collaborators/{login}/permission")).json

    assert (answer["permission"], answer["role_name"]) == (permission, role)


@pytest.mark.parametrize("login", ["Copilot", "nobody"])
async def test_the_permission_endpoint_does_not_answer_for_bots_and_strangers(town: Town, login: str) -> None:
    assert (await town.get(f"{REPO}/collaborators/{login}/permission")).status == 404


async def test_changed_files_say_what_was_renamed_changed_and_added(town: Town) -> None:
    town.pull_request()
    town.github.push(1, {"logo.png": b"\xff\xfe", "new.txt": b"new\n"}, "More")

    files = {file["filename"]: file for file in (await town.get(f"{REPO}/pulls/1/files")).json}
    pull = (await town.get(f"{REPO}/pulls/1")).json

    assert {name: file["status"] for name, file in files.items()} == {
        "docs/README.md": "renamed",
        "src/app.py": "modified",
        "logo.png": "modified",
        "new.txt": "added",
    }
    assert files["docs/README.md"]["previous_filename"] == "README.md"
    assert files["src/app.py"]["patch"] == "@@ -1,4 +1,4 @@\n one\n-two\n+TWO\n three\n four"
    assert "patch" not in files["logo.png"]
    assert (pull["changed_files"], pull["additions"], pull["deletions"], pull["commits"]) == (4, 2, 1, 2)


async def test_a_new_merge_sha_is_made_whenever_head_or_base_moves(town: Town) -> None:
    town.pull_request()
    merges = [(await town.get(f"{REPO}/pulls/1")).json["merge_commit_sha"]]
    town.github.commit("main", {"base.txt": b"1\n"}, "Base moves", ALICE)
    merges.append((await town.get(f"{REPO}/pulls/1")).json["merge_commit_sha"])
    town.github.push(1, {"x": b"y\n"}, "Head moves")
    merges.append((await town.get(f"{REPO}/pulls/1")).json["merge_commit_sha"])

    assert len(set(merges)) == 3
    head = town.github.pull_request(1).head_sha
    assert town.github.store.state.commits[merges[2]].parents[1] == head
    assert [f["filename"] for f in (await town.get(f"{REPO}/pulls/1/files")).json].count("base.txt") == 0


async def test_under_a_conflict_there_is_no_new_merge(town: Town) -> None:
    town.pull_request()
    before = (await town.get(f"{REPO}/pulls/1")).json
    town.github.set_conflict(1, True)
    town.github.push(1, {"x": b"y\n"}, "Head moves")
    during = (await town.get(f"{REPO}/pulls/1")).json
    town.github.set_conflict(1, False)
    after = (await town.get(f"{REPO}/pulls/1")).json

    assert [p["mergeable"] for p in (before, during, after)] == [True, False, True]
    assert during["mergeable_state"] == "dirty"
    assert before["merge_commit_sha"] == during["merge_commit_sha"] != after["merge_commit_sha"]


async def test_whether_it_can_be_merged_is_unknown_at_first(town: Town) -> None:
    town.github.merge_seconds = 3
    town.pull_request()
    first = (await town.get(f"{REPO}/pulls/1")).json["mergeable"]
    town.clock.ahead = timedelta(seconds=5)

    assert (first, (await town.get(f"{REPO}/pulls/1")).json["mergeable"]) == (None, True)


async def test_merging_moves_the_default_branch_and_ends_the_pull_request(town: Town) -> None:
    town.pull_request()
    moved: list[tuple[str, str]] = []
    town.github.hooks.on_branch = lambda repository, branch, sha, tree: moved.append((branch, sha))
    town.github.merge(1, by=ALICE)

    pull = (await town.get(f"{REPO}/pulls/1")).json

    assert (pull["state"], pull["merged"], pull["merged_by"]["login"]) == ("closed", True, "alice")
    assert moved == [("main", pull["merge_commit_sha"])]
    assert (await town.get(f"{REPO}/pulls?state=open")).json == []
    raw = await town.get(f"{REPO}/contents/src/app.py", Accept="application/vnd.github.raw+json")
    assert raw.data == b"one\nTWO\nthree\nfour\n"
    with pytest.raises(ValueError, match="reopened"):
        town.github.reopen(1)


async def test_a_file_is_read_at_a_branch_at_a_commit_or_not_at_all(town: Town) -> None:
    town.pull_request()
    head = town.github.pull_request(1).head_sha
    path = f"{REPO}/contents/src/app.py"

    answers = [await town.get(path), await town.get(f"{path}?ref={head}")]

    assert [base64.b64decode(a.json["content"]).count(b"TWO") for a in answers] == [0, 1]
    assert (await town.get(f"{path}?ref=copilot/shout")).json["sha"] == answers[1].json["sha"]
    assert (await town.get(f"{REPO}/contents/none")).status == 404
    assert "none" in (await town.get(f"{path}?ref=none")).json["message"]


async def test_a_forks_head_is_another_repository_and_its_checks_name_no_pull_request(town: Town) -> None:
    number = town.pull_request(fork="mallory")
    head = town.github.pull_request(number).head_sha
    town.github.set_check(head, "build", "completed", "failure")

    pull = (await town.get(f"{REPO}/pulls/1")).json
    run = (await town.get(f"{REPO}/commits/{head}/check-runs")).json["check_runs"][0]

    assert pull["head"]["repo"]["full_name"] == "mallory/shop"
    assert pull["head"]["repo"]["id"] != pull["base"]["repo"]["id"]
    assert (run["conclusion"], run["pull_requests"]) == ("failure", [])
    town.github.delete_repository("mallory/shop")
    answer = await town.get(f"{REPO}/pulls/1")
    assert answer.json["head"]["repo"] is None
    described(models.PullRequest, answer)


async def test_ci_is_told_of_every_new_head(town: Town) -> None:
    heads: list[tuple[int, str, bytes]] = []
    town.github.hooks.on_head = lambda repository, number, sha, tree: heads.append(
        (number, sha, tree["src/app.py"])
    )
    town.pull_request()
    sha = town.github.push(1, {"src/app.py": b"again\n"}, "Again")

    assert [(number, content) for number, _, content in heads] == [
        (1, b"one\nTWO\nthree\nfour\n"),
        (1, b"again\n"),
    ]
    assert heads[1][1] == sha


async def test_a_refused_comment_leaves_reading_and_reacting_possible(town: Town) -> None:
    comment = town.github.comment(town.pull_request(), ALICE, "x")
    town.github.rest.sabotage.refuse_comments = True

    assert (await town.call("POST", f"{REPO}/issues/1/comments", {"body": "x"})).status == 403
    assert (await town.call("PATCH", f"{REPO}/issues/comments/{comment}", {"body": "x"})).status == 403
    reacted = await town.call("POST", f"{REPO}/issues/comments/{comment}/reactions", {"content": "eyes"})
    assert reacted.status == 201
    assert town.github.reactions(comment) == ["eyes"]


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
