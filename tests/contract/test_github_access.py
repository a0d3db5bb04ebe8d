"""Who may do what on the fake GitHub.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import timedelta

import jwt
import pytest
from githubkit_schemas.v2022_11_28 import models

from tests.support.github_town import (
    ALICE,
    APP,
    OTHER_KEY,
    REPO,
    Town,
    app_jwt,
    described,
    github_town,
)

PULLS = f"{REPO}/pulls"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


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
    assert (await town.get(PULLS)).status == 200
    town.clock.ahead = timedelta(minutes=61)
    assert (await town.get(PULLS)).status == 401
    town.clock.ahead = timedelta(0)
    town.github.doorkeeper.revoke_all()
    assert (await town.get(PULLS)).json["message"] == "Bad credentials"


async def test_a_suspended_or_removed_installation_may_do_nothing(town: Town) -> None:
    path = f"/app/installations/{town.installation.id}/access_tokens"
    town.github.suspend(town.installation.id)
    listed = await town.get("/app/installations", token=app_jwt())
    statuses = [(await town.get(PULLS)).status, (await town.call("POST", path, {}, token=app_jwt())).status]
    assert listed.json[0]["suspended_at"]
    assert statuses == [403, 403]

    town.github.uninstall(town.installation.id)
    statuses = [(await town.get(PULLS)).status, (await town.call("POST", path, {}, token=app_jwt())).status]
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
    ("checks", "POST", f"{REPO}/check-runs"),
    ("checks", "PATCH", f"{REPO}/check-runs/1"),
    ("deployments", "GET", f"{REPO}/deployments"),
    ("deployments", "GET", f"{REPO}/deployments/1/statuses"),
    ("deployments", "POST", f"{REPO}/deployments"),
    ("deployments", "POST", f"{REPO}/deployments/1/statuses"),
    ("actions", "GET", f"{REPO}/actions/runs"),
    ("contents", "GET", f"{REPO}/contents/README.md"),
    ("contents", "GET", f"{REPO}/branches/main"),
    ("metadata", "GET", f"{REPO}/rules/branches/main"),
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


async def test_a_refused_comment_leaves_reading_and_reacting_possible(town: Town) -> None:
    comment = town.github.comment(town.pull_request(), ALICE, "x")
    town.github.rest.sabotage.refuse_comments = True

    assert (await town.call("POST", f"{REPO}/issues/1/comments", {"body": "x"})).status == 403
    assert (await town.call("PATCH", f"{REPO}/issues/comments/{comment}", {"body": "x"})).status == 403
    reacted = await town.call("POST", f"{REPO}/issues/comments/{comment}/reactions", {"content": "eyes"})
    assert reacted.status == 201
    assert town.github.reactions(comment) == ["eyes"]
