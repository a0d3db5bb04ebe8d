"""What previewbot makes of registries that answer otherwise than the specification has it.

Each mood stands before distribution's registry, and before the demo's; the demo's can also be in it itself.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from previewbot.clients.registry import FoundImage, Registry, RepositoryUnknown
from previewbot.clients.registry.problems import (
    HeldBack,
    Limited,
    LoginEnded,
    LoginMissing,
    ManifestTooOld,
    NotARegistry,
)
from previewbot.config.server import RegistrySettings
from previewbot.errors import RemoteError
from previewbot.rules.images import ImageReference
from previewbot_demo.registry import FakeRegistry
from previewbot_demo.registry_moods import Mood
from tests.support.registry_fronts import a_front
from tests.support.registry_hosts import HostKind, running
from tests.support.registry_images import COMMIT, an_image
from tests.support.registry_push import Pusher
from tests.support.registry_server import docker_config, login
from tests.support.servers import served

REAL = HostKind(real=True)
SIDES = [
    "the demo's own",
    "before the demo's",
    pytest.param("before distribution's", marks=pytest.mark.cluster),
]

SAID: dict[Mood, type[RemoteError]] = {
    Mood.LIMITED: Limited,
    Mood.HOLDS_BACK: HeldBack,
    Mood.SIGN_IN: NotARegistry,
    Mood.OLD_FORMAT: ManifestTooOld,
    Mood.LOGIN_ENDED: LoginMissing,
    Mood.HIDES_REPOSITORIES: RepositoryUnknown,
    Mood.NO_REGISTRY: NotARegistry,
}
FOUND = sorted(set(Mood) - set(SAID), key=lambda mood: mood.name)


@dataclass
class Moody:
    """A registry, and how it is put into a mood."""

    url: str
    be: Callable[[Mood | None], None]

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


@pytest.fixture(scope="module", params=SIDES)
def moody(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moody]:
    if request.param == "the demo's own":
        fake = FakeRegistry()
        with served(fake.handle) as (url, _):
            yield Moody(url, lambda mood: setattr(fake, "mood", mood))
        return
    kind = REAL if "distribution" in request.param else HostKind(real=False)
    with running(kind, tmp_path_factory.mktemp("registry")) as host, a_front(host.url) as front:
        yield Moody(front.url, lambda mood: setattr(front, "mood", mood))


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def reference(moody: Moody, session: aiohttp.ClientSession) -> AsyncIterator[ImageReference]:
    """An image that is there, for a registry in a good mood."""
    moody.be(None)
    repository = f"acme/web-{uuid.uuid4().hex}"
    await Pusher(session, moody.url, None).push(repository, "x", an_image(COMMIT))
    yield ImageReference(moody.host, repository, "x")
    moody.be(None)


def asking(moody: Moody, session: aiohttp.ClientSession, **access: Any) -> Registry:
    settings = RegistrySettings.model_validate({"plain_http": True, **access})
    return Registry(session, {moody.host: settings})


@pytest.mark.parametrize("mood", FOUND, ids=lambda mood: mood.name)
@pytest.mark.parametrize("revision", [False, True])
async def test_an_image_is_found_whatever_is_said_to_head(
    moody: Moody, session: aiohttp.ClientSession, reference: ImageReference, mood: Mood, revision: bool
) -> None:
    moody.be(mood)

    found = await asking(moody, session).find(reference, revision=revision)

    assert found == FoundImage(an_image(COMMIT).digest, COMMIT if revision else None)


@pytest.mark.parametrize("mood", [None, *FOUND], ids=lambda mood: mood.name if mood else "good")
async def test_an_image_that_is_not_there_is_none_all_the_same(
    moody: Moody, session: aiohttp.ClientSession, reference: ImageReference, mood: Mood | None
) -> None:
    moody.be(mood)
    other = ImageReference(reference.registry, reference.repository, "other")

    assert await asking(moody, session).find(other) is None


@pytest.mark.parametrize(("mood", "kind"), SAID.items(), ids=lambda value: getattr(value, "name", ""))
async def test_what_is_said_is_told_from_an_image_that_is_not_there(
    moody: Moody,
    session: aiohttp.ClientSession,
    reference: ImageReference,
    mood: Mood,
    kind: type[RemoteError],
) -> None:
    moody.be(mood)

    with pytest.raises(RemoteError) as caught:
        await asking(moody, session).find(reference)

    assert type(caught.value) is kind


async def test_a_login_that_has_ended_is_told_from_none(
    moody: Moody, session: aiohttp.ClientSession, reference: ImageReference, tmp_path: Path
) -> None:
    moody.be(Mood.LOGIN_ENDED)
    config = docker_config(tmp_path / "config.json", {moody.host: login("AWS", "of-yesterday")})

    with pytest.raises(LoginEnded, match="Your authorization token has expired"):
        await asking(moody, session, docker_config_file=str(config)).find(reference)


async def test_a_registry_is_found_under_the_address_that_the_settings_name(
    moody: Moody, session: aiohttp.ClientSession, reference: ImageReference
) -> None:
    settings = RegistrySettings(address=moody.host, plain_http=True)
    registry = Registry(session, {"localhost:5001": settings})

    found = await registry.find(ImageReference("localhost:5001", reference.repository, "x"))

    assert found == FoundImage(an_image(COMMIT).digest)


@pytest.mark.parametrize("mood", [None, Mood.NO_REGISTRY], ids=["good", "NO_REGISTRY"])
async def test_a_look_at_a_registry_says_whether_it_is_one(
    moody: Moody, session: aiohttp.ClientSession, mood: Mood | None
) -> None:
    moody.be(mood)
    registry = asking(moody, session)

    if mood is None:
        checked = await registry.check(moody.host)
        assert (checked.address, checked.user) == (moody.host, "")
    else:
        with pytest.raises(NotARegistry):
            await registry.check(moody.host)
    moody.be(None)
