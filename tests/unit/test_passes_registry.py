"""What the comment says of each answer of a registry: a pass, with the real client of registries."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from previewbot.api import Phase, Reason
from previewbot.clients.registry import Registry
from tests.support.github_ci_samples import runs_of, workflow_run
from tests.support.passes import CONFIGURATION, A, World, ready
from tests.support.registry_images import Image, an_image
from tests.support.registry_server import (
    PASSWORD,
    USER,
    Handler,
    Server,
    a_server,
    answers,
    basic,
    behind,
    docker_config,
    login,
)
from tests.support.registry_tls import make_tls

REPOSITORY = "acme/checkout"
HTML = {"Content-Type": "text/html; charset=utf-8"}
OLD = {
    "schemaVersion": 1,
    "name": REPOSITORY,
    "tag": A,
    "fsLayers": [{"blobSum": "sha256:" + "0" * 64}],
    "signatures": [],
}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as server:
        yield server


class Scene:
    """A pull request whose image is in a registry that a test lets answer as it likes."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server, self._session = server, session
        self.world = self.asking({})

    def asking(self, access: dict[str, Any], host: str = "", template: str = "{head_sha}") -> World:
        """Let the controller know the registry in this way, by this name."""
        host = host or self.server.host
        plain = {"plain_http": True} if self.server.scheme == "http" else {}
        images = {"allowed": [f"{host}/"], "registries": {host: {**plain, **access}}}
        self.world = World(images=images)
        self.world.github.configuration = CONFIGURATION.replace("ghcr.io/", f"{host}/").replace(
            "{head_sha}", template
        )
        self.world.registry = Registry(  # type: ignore[assignment]
            self._session, self.world.settings.images.registries, clock=self._seconds
        )
        self.world.restart()
        return self.world

    def _seconds(self) -> float:
        return self.world.clock.now.timestamp()

    def logs_in_with(self, path: Path, user: str = USER, password: str = PASSWORD) -> None:
        """Give the controller a login in a file."""
        config = docker_config(path / "config.json", {self.server.host: login(user, password)})
        self.asking({"docker_config_file": str(config)})

    def answers(self, handler: Handler, *methods: str, tag: str = A) -> None:
        """Let the registry answer so when it is asked for the image."""
        path = self.server.path(tag, repository=REPOSITORY)
        for method in methods or ("HEAD", "GET"):
            self.server.handlers[f"{method} {path}"] = handler

    def serves(self, image: Image, tag: str = A) -> None:
        """Let the registry have the image, whatever it answers to HEAD."""
        headers = {"Content-Type": image.manifest.media_type, "Docker-Content-Digest": image.digest}
        for name in (tag, image.digest):
            self.answers(answers(image.manifest.body, headers=headers), tag=name)

    def servesbehind(self, wanted: str, image: Image) -> None:
        """Let the registry have the image, for those with a login."""
        self.serves(image)
        for path, handler in self.server.handlers.items():
            self.server.handlers[path] = behind(wanted, handler)

    async def comment(self) -> str:
        """Return what the comment says after some passes."""
        await self.world.settle()
        return self.world.comment


@pytest.fixture
async def scene(server: Server) -> AsyncIterator[Scene]:
    async with aiohttp.ClientSession() as session:
        yield Scene(server, session)


def error(code: str, message: str, status: int, headers: dict[str, str] | None = None) -> Handler:
    return answers({"errors": [{"code": code, "message": message}]}, status=status, headers=headers)


# An image that is there is found


@pytest.mark.parametrize(
    "head",
    [
        answers(status=404, headers={"Content-Type": "application/json"}),
        answers(status=404),
        answers(status=405),
        answers(status=400),
        answers(status=401),
        answers(status=403),
        answers(status=500),
        answers(status=501),
        answers(status=200),
        answers(status=200, headers=HTML),
    ],
)
async def test_an_image_is_there_whatever_is_answered_to_head(scene: Scene, head: Handler) -> None:
    scene.serves(an_image())
    scene.answers(head, "HEAD")

    assert "### [Open the preview]" in await scene.comment()


async def test_docker_hubs_no_to_head_is_believed(monkeypatch: pytest.MonkeyPatch, scene: Scene) -> None:
    """It counts each GET against what an address may pull in some hours."""
    monkeypatch.setattr("previewbot.clients.registry.client.HUB_HOST", scene.server.host)

    assert "is waiting for its image" in await scene.comment()
    assert {seen.method for seen in scene.server.seen} == {"HEAD"}


@pytest.mark.parametrize("body", [b"", b"default backend - 404", b"404 page not found"])
async def test_a_bare_no_counts_where_a_registry_answers(scene: Scene, body: bytes) -> None:
    scene.answers(answers(body, status=404))

    assert "is waiting for its image" in await scene.comment()
    assert scene.server.requests().count("GET /v2/") == 1


@pytest.mark.parametrize(
    ("missing", "root"),
    [
        (answers(b"default backend - 404", status=404), answers(b"default backend - 404", status=404)),
        (answers(b"<html>", status=404, headers=HTML), answers(status=200)),
        (answers(status=404), answers(b"<html>", headers=HTML)),
    ],
)
async def test_a_no_of_something_that_is_no_registry_is_none(
    scene: Scene, missing: Handler, root: Handler
) -> None:
    scene.answers(missing)
    scene.server.handlers["/v2/"] = root

    assert "something else answers in the registry's place" in await scene.comment()


@pytest.mark.parametrize(
    ("template", "tag"),
    [
        ("sha-{short_merge_sha}", "sha-eeeeeee"),
        ("sha-{merge_sha}", "sha-" + "e" * 40),
        ("pr-{number}-{short_merge_sha}", "pr-42-eeeeeee"),
        ("sha-{short_sha}", f"sha-{A[:7]}"),
        ("pr-{number}-{short_sha}", f"pr-42-{A[:7]}"),
    ],
)
async def test_the_usual_tags_of_a_test_merge_and_of_the_commit_are_found(
    scene: Scene, template: str, tag: str
) -> None:
    scene.asking({}, template=template)
    scene.world.github.merge_commit_sha = "e" * 40
    scene.serves(an_image(), tag)

    assert "### [Open the preview]" in await scene.comment()


# What a registry says is told


SAID: list[tuple[Handler, Reason, str, str]] = [
    (
        error("TOOMANYREQUESTS", "too many", 429, {"Retry-After": "60"}),
        Reason.REGISTRY_LIMITED,
        "the registry was asked too often, by previewbot or by others",
        "your platform team can give previewbot a login of its own",
    ),
    (
        error("PROJECTPOLICYVIOLATION", "cannot be pulled due to policy", 412),
        Reason.IMAGE_HELD_BACK,
        "it is there, and a policy of the registry holds it back",
        "This is for your platform team, or whoever keeps that policy",
    ),
    (
        error("DENIED", "Download blocked by Xray", 403),
        Reason.IMAGE_HELD_BACK,
        "it is there, and a policy of the registry holds it back",
        "This is for your platform team, or whoever keeps that policy",
    ),
    (
        answers(b"<html>Sign in</html>", headers=HTML),
        Reason.NOT_A_REGISTRY,
        "something else answers in the registry's place, such as a sign-in page",
        "This is for your platform team: what stands before the registry",
    ),
    (
        answers(b"<html>Forbidden</html>", status=403, headers=HTML),
        Reason.NOT_A_REGISTRY,
        "something else answers in the registry's place, such as a sign-in page",
        "This is for your platform team: what stands before the registry",
    ),
    (
        answers(OLD, headers={"Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"}),
        Reason.IMAGE_TOO_OLD,
        "is in a format that nodes do not run any more",
        "build and push it with a newer tool",
    ),
    (
        answers(OLD, headers={"Content-Type": "application/json"}),
        Reason.IMAGE_TOO_OLD,
        "is in a format that nodes do not run any more",
        "build and push it with a newer tool",
    ),
    (
        error("DENIED", "requested access to the resource is denied", 403),
        Reason.REGISTRY_WANTS_LOGIN,
        "the registry wants a login, and previewbot has none for it",
        "This is for your platform team: `images.registries`",
    ),
    (
        error("UNAUTHORIZED", "authentication required", 401, {"WWW-Authenticate": 'Basic realm="x"'}),
        Reason.REGISTRY_WANTS_LOGIN,
        "the registry wants a login, and previewbot has none for it",
        "Whether the image is there, it does not say",
    ),
    (
        error("NAME_UNKNOWN", "repository name not known to registry", 404),
        Reason.REPOSITORY_UNKNOWN,
        "The registry knows no such repository: nothing was pushed there yet, or it is private",
        "No build is running that previewbot can see",
    ),
    (
        error("NOT_FOUND", "repository acme/checkout not found", 404),
        Reason.REPOSITORY_UNKNOWN,
        "The registry knows no such repository: nothing was pushed there yet, or it is private",
        "which is for your platform team",
    ),
    (
        answers(status=503),
        Reason.REGISTRY_UNREACHABLE,
        "the registry fails",
        "previewbot tries again by itself",
    ),
]


@pytest.mark.parametrize(("handler", "reason", "told", "whose"), SAID)
async def test_what_a_registry_says_is_told_with_whose_it_is(
    scene: Scene, caplog: pytest.LogCaptureFixture, handler: Handler, reason: Reason, told: str, whose: str
) -> None:
    caplog.set_level(logging.INFO)
    scene.answers(handler)

    comment = await scene.comment()

    assert scene.world.service.reason is reason
    assert told in comment
    assert whose in comment
    assert any(f"{scene.server.host}/{REPOSITORY}" in str(vars(r).get("error")) for r in caplog.records)

    # And by itself, once the registry has it.
    scene.serves(an_image())
    scene.world.clock.forward(seconds=120)
    assert "### [Open the preview]" in await scene.comment()


async def test_a_redirect_to_a_sign_in_on_the_same_host_is_told(scene: Scene) -> None:
    scene.answers(answers(status=302, headers={"Location": "/login"}))
    scene.server.handlers["/login"] = answers(b"<html>Sign in</html>", headers=HTML)

    assert "something else answers in the registry's place, such as a sign-in page" in await scene.comment()


@pytest.mark.parametrize("headers", [HTML, {}, {"Content-Type": "application/json"}])
async def test_a_redirect_to_a_page_that_is_missing_says_nothing_of_the_image(
    scene: Scene, headers: dict[str, str]
) -> None:
    scene.answers(answers(status=302, headers={"Location": "/login"}))
    scene.server.handlers["/login"] = answers(b"{}", status=404, headers=headers)

    assert "something else answers in the registry's place, such as a sign-in page" in await scene.comment()


@pytest.mark.parametrize("status", [200, 401, 404])
async def test_a_redirect_to_a_sign_in_on_another_host_is_told(scene: Scene, status: int) -> None:
    async with a_server() as sso:
        sso.handlers["/login"] = answers(b"<html>Sign in</html>", status=status, headers=HTML)
        scene.answers(answers(status=302, headers={"Location": f"{sso.url}/login"}))

        assert "something else answers in the registry's place" in await scene.comment()


async def test_a_build_that_runs_is_told_before_a_repository_that_is_not_known(scene: Scene) -> None:
    scene.answers(error("NAME_UNKNOWN", "repository name not known to registry", 404))
    scene.world.github.ci = runs_of(workflow_run(status="in_progress", html_url="https://github.com/x"))

    assert "[The build](https://github.com/x) has been running" in await scene.comment()


async def test_a_repository_that_stays_unknown_is_told_when_its_time_is_up(scene: Scene) -> None:
    scene.answers(error("NAME_UNKNOWN", "repository name not known to registry", 404))
    await scene.comment()
    scene.world.clock.forward(minutes=61)

    comment = await scene.comment()

    assert scene.world.status.reason is Reason.REPOSITORY_MISSING
    assert "its image never appeared.** The registry knows no repository for" in comment


async def test_a_certificate_that_is_not_trusted_is_the_platform_teams(tmp_path: Path) -> None:
    async with a_server(make_tls(tmp_path).server_context()) as server, aiohttp.ClientSession() as session:
        comment = await Scene(server, session).comment()

    assert "the registry's certificate is not trusted" in comment
    assert "This is for your platform team: `ca_file` under `images.registries`" in comment


async def test_a_registry_that_is_away_is_said_to_be() -> None:
    async with a_server() as gone, aiohttp.ClientSession() as session:
        scene = Scene(gone, session)

    async with aiohttp.ClientSession() as session:
        scene = Scene(gone, session)
        assert "now**: the registry does not answer" in await scene.comment()


# A limit


async def test_a_registry_is_left_alone_for_as_long_as_it_wants_whatever_is_looked_for(scene: Scene) -> None:
    scene.world.github.paths = ("checkout/app.py", "pricing/app.py")
    scene.answers(error("TOOMANYREQUESTS", "too many", 429, {"Retry-After": "60"}))
    await scene.world.run()
    asked = len(scene.server.seen)

    for _ in range(5):
        scene.world.clock.forward(seconds=11)
        await scene.world.run()
    assert len(scene.server.seen) == asked
    assert (
        "previewbot looks again by itself, after Tue 24 Nov, 09:01 UTC, 1 minute after it first said so"
        in scene.world.comment
    )

    scene.world.clock.forward(seconds=11)
    await scene.world.run()
    assert len(scene.server.seen) > asked


async def test_the_comment_stands_still_while_a_registry_is_left_alone(scene: Scene) -> None:
    scene.answers(error("TOOMANYREQUESTS", "too many", 429, {"Retry-After": "600"}))
    await scene.world.settle(3)
    before = scene.world.comment
    edits = 0
    for _ in range(40):
        scene.world.clock.forward(seconds=11)
        await scene.world.run()
        edits += scene.world.calls.made.count("update comment")

    assert (edits, scene.world.comment) == (0, before)


async def test_a_wait_without_an_end_is_bounded(scene: Scene) -> None:
    scene.answers(error("TOOMANYREQUESTS", "too many", 429, {"Retry-After": "31536000"}))
    await scene.world.settle(3)
    scene.serves(an_image())
    scene.world.clock.forward(minutes=15)

    assert "### [Open the preview]" in await scene.comment()


# Logins


@pytest.mark.parametrize(
    ("user", "refusal"),
    [
        ("AWS", error("DENIED", "Your authorization token has expired. Reauthenticate and try again.", 403)),
        ("AWS", answers(b"Not Authorized\n", status=401, headers={"Content-Type": "text/plain"})),
        ("oauth2accesstoken", error("UNAUTHORIZED", "authentication failed", 401)),
        ("00000000-0000-0000-0000-000000000000", error("UNAUTHORIZED", "authentication required", 401)),
        ("robot", error("UNAUTHORIZED", "token is expired", 401)),
    ],
)
async def test_a_login_of_a_cloud_that_has_ended_is_told(
    scene: Scene, tmp_path: Path, user: str, refusal: Handler
) -> None:
    async def wants_a_login(request: web.Request) -> web.StreamResponse:
        if "Authorization" in request.headers:
            return await refusal(request)
        return await answers(status=401, headers={"WWW-Authenticate": 'Basic realm="ECR"'})(request)

    scene.logs_in_with(tmp_path, user)
    scene.answers(wants_a_login)

    comment = await scene.comment()

    assert scene.world.service.reason is Reason.REGISTRY_LOGIN_ENDED
    assert "previewbot's login for the registry has ended" in comment
    assert "This is for your platform team: what a cloud gives as a password lives for some hours" in comment


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"errors": [{"code": "UNAUTHORIZED", "message": "the access token has expired"}]}),
        (403, {"errors": [{"code": "DENIED", "message": "Unauthenticated request."}]}),
        (400, {"error": "invalid_grant", "error_description": "AADSTS700082: The refresh token has expired"}),
    ],
)
async def test_a_token_server_that_says_that_a_login_has_ended_is_believed(
    scene: Scene, tmp_path: Path, status: int, body: dict[str, Any]
) -> None:
    scene.logs_in_with(tmp_path, "oauth2accesstoken")
    scene.server.wants_token()
    scene.server.handlers["/token"] = answers(body, status=status)

    assert "previewbot's login for the registry has ended" in await scene.comment()


@pytest.mark.parametrize("user", [USER, "AWS"])
async def test_a_login_that_may_not_read_is_told_from_none_and_from_one_that_has_ended(
    scene: Scene, tmp_path: Path, user: str
) -> None:
    scene.logs_in_with(tmp_path, user)
    refusal = error("DENIED", "requested access to the resource is denied", 403)
    scene.answers(behind(basic(user), refusal))

    comment = await scene.comment()

    assert scene.world.service.reason is Reason.REGISTRY_REFUSED
    assert f"the registry refuses previewbot (`{scene.server.host}/{REPOSITORY} answered 403`)" in comment
    assert "This is for your platform team: the credentials" in comment


async def test_a_login_of_a_pattern_is_used_as_nodes_use_it(scene: Scene, tmp_path: Path) -> None:
    host = scene.server.host.replace("127.0.0.1", "127.*.0.*")
    config = docker_config(tmp_path / "config.json", {host: login()})
    scene.asking({"docker_config_file": str(config)})
    scene.servesbehind(basic(), an_image())

    assert "### [Open the preview]" in await scene.comment()


async def test_of_several_logins_that_fit_the_next_is_tried(scene: Scene, tmp_path: Path) -> None:
    keys = {scene.server.host: login(USER, "old"), scene.server.host.replace("127", "*"): login()}
    config = docker_config(tmp_path / "config.json", keys)
    scene.asking({"docker_config_file": str(config)})
    scene.servesbehind(basic(), an_image())

    assert "### [Open the preview]" in await scene.comment()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("no JSON", "is no docker config file"),
        (
            json.dumps({"auths": {"127.0.0.1:*": {}}, "credsStore": "../../bin/sh"}),
            "a credential helper that",
        ),
        (json.dumps({"credsStore": "not-here"}), "docker-credential-not-here is not in PATH"),
    ],
)
async def test_a_login_that_cannot_be_had_is_told_and_the_log_says_why(
    scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str, told: str
) -> None:
    (tmp_path / "config.json").write_text(content)
    scene.asking({"docker_config_file": str(tmp_path / "config.json")})
    scene.server.wanted = {basic()}

    comment = await scene.comment()

    assert "previewbot's login for the registry cannot be read" in comment
    assert "This is for your platform team: the file or the credential helper" in comment
    assert any(told in str(vars(record).get("error")) for record in caplog.records)


# Addresses


async def test_a_mirror_is_asked_for_images_that_have_another_name(scene: Scene) -> None:
    world = scene.asking({"address": scene.server.host}, host="localhost:5001")
    scene.serves(an_image())

    assert "### [Open the preview]" in await scene.comment()
    ((session),) = world.cluster.sessions.values()
    assert f"localhost:5001/{REPOSITORY}@{an_image().digest}" in json.dumps(session)


async def test_a_registry_at_an_ipv6_address_is_asked(tmp_path: Path) -> None:
    async with a_server(host="::1") as server, aiohttp.ClientSession() as session:
        scene = Scene(server, session)
        scene.serves(an_image())
        assert server.host.startswith("[::1]:")

        assert "### [Open the preview]" in await scene.comment()


async def test_once_it_serves_nothing_is_asked_any_more(scene: Scene) -> None:
    scene.serves(an_image())
    await ready(scene.world)
    scene.server.seen.clear()

    await scene.world.settle()

    assert scene.world.status.phase is Phase.READY
    assert scene.server.seen == []


async def test_an_image_that_comes_late_is_found_past_the_deadline(scene: Scene) -> None:
    await scene.comment()
    scene.world.clock.forward(minutes=61)
    assert "its image never appeared" in await scene.comment()

    scene.serves(an_image())
    scene.world.clock.forward(seconds=timedelta(minutes=6).total_seconds())

    assert "### [Open the preview]" in await scene.comment()
