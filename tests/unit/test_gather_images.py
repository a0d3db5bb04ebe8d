"""What a pass says of an image, for everything that a registry may answer."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import aiohttp
import pytest

from previewbot.api import Observed, Reason, Service, Waiting
from previewbot.api.ci import Runs
from previewbot.clients.github.parse import pull_request_from
from previewbot.clients.registry import Registry
from previewbot.config.repository import ServiceConfig, parse_target
from previewbot.config.server import RegistrySettings, Settings, parse
from previewbot.reconciler.children import KINDS, ROUTE
from previewbot.reconciler.context import Context
from previewbot.reconciler.gather.images import look_up_image
from previewbot.reconciler.memory import Memory
from previewbot.reconciler.observation import (
    ImageFound,
    ImageLookup,
    ImageMissing,
    ImageNotDue,
    PullRequestFacts,
)
from previewbot.reconciler.plan.services import candidates
from previewbot.rules.repositories import bounds_of
from tests.support import github_samples as samples
from tests.support.previews import HEAD, NOW, OLDER, a_preview
from tests.support.registry_images import an_image
from tests.support.registry_server import Server, a_server, answers

MERGE = "e" * 40


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as server:
        yield server


class NoBuilds:
    """A GitHub that knows of no build."""

    def installation(self, installation_id: int) -> NoBuilds:
        return self

    def sparing(self) -> NoBuilds:
        return self

    async def runs(self, repository: str, sha: str) -> Runs:
        return Runs()


class Looking:
    """A pass that looks for one service's image."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.branch = "feature/cart"
        self.now = NOW
        self.tag = "{head_sha}"
        self.service = Service(name="checkout", namespace="staging", target="deployment/checkout")
        access = {server.host: RegistrySettings(plain_http=True)}
        nothing = cast(Any, None)
        self.context = Context(
            kube=nothing,
            github=cast(Any, NoBuilds()),
            registry=Registry(session, access),
            links=nothing,
            renderer=nothing,
            settings=_settings(f"{server.host}/acme/"),
            now=lambda: self.now,
            previews=list,
            pods=lambda *_: (),
            wrote=lambda _: None,
            kinds=KINDS,
            route=ROUTE,
            memory=Memory(),
        )

    def image(self, tag: str, repository: str = "acme/checkout") -> str:
        return f"{self.server.host}/{repository}:{tag}"

    def candidates(self) -> list[str]:
        return candidates(self._config(), self._facts(), self._preview().status.observed.merge_shas)

    async def look(self, repository: str = "acme/checkout") -> ImageLookup:
        config = self._config(repository)
        return await look_up_image(self.context, self._preview(), config, self.service, self._facts())

    def _config(self, repository: str = "acme/checkout") -> ServiceConfig:
        return ServiceConfig(
            name="checkout",
            paths=("services/checkout/**",),
            target=parse_target("deployment/checkout"),
            namespace="staging",
            image=self.image(self.tag, repository),
            ports=(8080,),
        )

    def _preview(self) -> Any:
        seen = Observed(head_sha=HEAD, merge_shas=("d" * 40, MERGE), head_first_seen_at=NOW)
        return a_preview(observed=seen)

    def _facts(self) -> PullRequestFacts:
        shown = samples.pull_request(head=samples.branch(self.branch, HEAD))
        return PullRequestFacts(
            pull_request_from(shown), config=None, bounds=bounds_of(self.context.settings, "acme/shop")
        )


def _settings(allowed: str) -> Settings:
    return parse(
        {
            "github": {"api_url": "http://127.0.0.1", "web_url": "http://127.0.0.1", "app_id": 7},
            "public_url": "http://127.0.0.1",
            "cluster": {"namespaces": ["staging"]},
            "images": {"allowed": [allowed]},
        },
        {},
    )


@pytest.fixture
async def looking(server: Server) -> AsyncIterator[Looking]:
    async with aiohttp.ClientSession() as session:
        yield Looking(server, session)


def serve(looking: Looking, tag: str, revision: str | None = None) -> str:
    image = an_image(revision)
    path = looking.server.path(tag, repository="acme/checkout")
    headers = {"Content-Type": image.manifest.media_type, "Docker-Content-Digest": image.digest}
    looking.server.handlers[path] = answers(image.manifest.body, headers=headers)
    by_digest = looking.server.path(image.digest, repository="acme/checkout")
    looking.server.handlers[by_digest] = answers(image.manifest.body, headers=headers)
    config = looking.server.path(image.blobs[0].digest, "blobs", "acme/checkout")
    looking.server.handlers[config] = answers(image.blobs[0].body)
    return image.digest


async def test_the_tag_of_the_head_is_found_and_pinned_by_digest(looking: Looking) -> None:
    digest = serve(looking, HEAD)

    assert await looking.look() == ImageFound(looking.image(HEAD), digest)


async def test_a_tag_of_any_merge_commit_of_the_head_counts_the_newest_first(looking: Looking) -> None:
    looking.tag = "{merge_sha}"
    digest = serve(looking, "d" * 40)

    assert looking.candidates() == [looking.image(MERGE), looking.image("d" * 40)]
    assert await looking.look() == ImageFound(looking.image("d" * 40), digest)


@pytest.mark.parametrize("revision", [HEAD, MERGE])
async def test_a_tag_that_names_no_commit_counts_if_the_image_says_it_is_of_this_one(
    looking: Looking, revision: str
) -> None:
    looking.tag = "{branch}"
    digest = serve(looking, "feature-cart", revision)

    assert await looking.look() == ImageFound(looking.image("feature-cart"), digest)


@pytest.mark.parametrize(("revision", "told"), [(OLDER, OLDER), (None, "an unknown commit")])
async def test_an_image_of_another_commit_is_waited_for_with_words(
    looking: Looking, revision: str | None, told: str
) -> None:
    looking.tag = "{branch}"
    serve(looking, "feature-cart", revision)
    detail = f"{looking.image('feature-cart')} was built from {told}"

    assert await looking.look() == ImageMissing(Waiting(reason=Reason.NOT_OF_THIS_COMMIT, detail=detail))


async def test_an_image_that_is_not_there_is_named(looking: Looking) -> None:
    expected = ImageMissing(Waiting(reason=Reason.NO_IMAGE, detail=looking.image(HEAD)))

    assert await looking.look() == expected


async def test_a_branch_that_makes_no_tag_is_an_image_that_is_not_there(looking: Looking) -> None:
    looking.tag, looking.branch = "{branch}", "x" * 129

    look = await looking.look()

    assert look == ImageMissing(Waiting(reason=Reason.NO_IMAGE, detail=looking.image("x" * 129)))
    assert looking.server.seen == []


async def test_an_image_outside_the_allowed_repositories_is_not_even_looked_for(looking: Looking) -> None:
    look = await looking.look("acme-evil/checkout")

    refused = looking.image(HEAD, "acme-evil/checkout")
    assert look == ImageMissing(Waiting(reason=Reason.IMAGE_NOT_ALLOWED, detail=refused))
    assert looking.server.seen == []


@pytest.mark.parametrize(
    ("status", "reason", "more"),
    [
        (401, Reason.REGISTRY_REFUSED, " answered 401"),
        (403, Reason.REGISTRY_WANTS_LOGIN, ""),
        (412, Reason.IMAGE_HELD_BACK, ""),
        (500, Reason.REGISTRY_UNREACHABLE, " answered 500"),
    ],
)
async def test_a_registry_that_cannot_be_asked_is_told_to_readers_and_in_the_log(
    looking: Looking, caplog: pytest.LogCaptureFixture, status: int, reason: Reason, more: str
) -> None:
    path = looking.server.path(HEAD, repository="acme/checkout")
    looking.server.handlers[path] = answers({"errors": [{"code": "TOLD"}]}, status=status)
    caplog.set_level(logging.WARNING)

    look = await looking.look()

    detail = f"{looking.server.host}/acme/checkout{more}"
    assert look == ImageMissing(Waiting(reason=reason, detail=detail))
    (record,) = caplog.records
    assert vars(record)["preview"] == "gh-812-42"
    assert f"acme/checkout: {status}" in vars(record)["error"]


async def test_it_is_looked_for_again_only_after_a_while(looking: Looking) -> None:
    await looking.look()
    asked = len(looking.server.seen)

    assert await looking.look() == ImageNotDue()
    assert len(looking.server.seen) == asked

    looking.now += timedelta(seconds=10)
    await looking.look()
    assert len(looking.server.seen) > asked


async def test_what_was_found_for_this_head_is_not_looked_for_again(looking: Looking) -> None:
    looking.service = replace_service(looking.service, looking.image(HEAD))

    assert await looking.look() == ImageFound(looking.image(HEAD), "sha256:1")
    assert looking.server.seen == []


def replace_service(service: Service, image: str) -> Service:
    return replace(service, head_sha=HEAD, image=image, digest="sha256:1")
