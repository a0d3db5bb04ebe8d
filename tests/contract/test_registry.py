"""What previewbot relies on of a registry, held against distribution's and against the demo's alike."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from previewbot.clients.registry import Checked, FoundImage, Registry
from previewbot.clients.registry.transport import Limits
from previewbot.config.server import RegistrySettings
from previewbot.errors import Forbidden, RemoteError, TryLater, Unauthorized
from previewbot.rules.images import ImageReference
from tests.support.registry_hosts import KINDS, Host, HostKind, running
from tests.support.registry_images import (
    COMMIT,
    INDEX,
    MANIFEST,
    REVISION,
    Content,
    Image,
    Kind,
    an_image,
    an_index,
)
from tests.support.registry_push import Pusher
from tests.support.registry_server import USER, docker_config, login

ACCEPT = ", ".join((*MANIFEST.values(), *INDEX.values()))
NOTHING = "sha256:" + "0" * 64


def sides(kinds: Iterable[HostKind]) -> list[Any]:
    """Return registries as parameters: `make test` has the fake, `make test-cluster` the real ones."""
    return [pytest.param(kind, marks=[pytest.mark.cluster] if kind.real else []) for kind in kinds]


@pytest.fixture(scope="module", params=sides(KINDS), ids=str)
def kind(request: pytest.FixtureRequest) -> HostKind:
    found: HostKind = request.param
    return found


@pytest.fixture(scope="module")
def host(kind: HostKind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running(kind, tmp_path_factory.mktemp(str(kind))) as host:
        yield host


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def pusher(host: Host, session: aiohttp.ClientSession) -> Pusher:
    return Pusher(session, host.url, host.ca_file)


@pytest.fixture
def access(host: Host, tmp_path: Path) -> RegistrySettings:
    config = docker_config(tmp_path / "config.json", {host.name: login()}) if host.login != "none" else None
    return access_with(config, host)


def access_with(config: Path | None, host: Host, *, ca_file: bool = True) -> RegistrySettings:
    plain_http = host.url.startswith("http:")
    return RegistrySettings(
        docker_config_file=config,
        plain_http=plain_http,
        ca_file=host.ca_file if ca_file else None,
        token_server=host.token_server if plain_http else None,
    )


@pytest.fixture
def registry(host: Host, session: aiohttp.ClientSession, access: RegistrySettings) -> Registry:
    return Registry(session, {host.name: access})


@pytest.fixture
def repository() -> str:
    return f"acme/web-{uuid.uuid4().hex}"


@pytest.fixture
def reference(host: Host, repository: str) -> ImageReference:
    return ImageReference(host.name, repository, "x")


@pytest.mark.parametrize("media", ["oci", "docker"])
async def test_a_pushed_image_is_found_with_its_digest_and_its_commit(
    registry: Registry, pusher: Pusher, reference: ImageReference, media: Kind
) -> None:
    digest = await pusher.push(reference.repository, "x", an_image(COMMIT, kind=media))

    assert await registry.find(reference) == FoundImage(digest)
    assert await registry.find(reference, revision=True) == FoundImage(digest, COMMIT)


@pytest.mark.parametrize("media", ["oci", "docker"])
async def test_an_index_of_two_architectures_is_found_with_its_own_digest(
    registry: Registry, pusher: Pusher, reference: ImageReference, media: Kind
) -> None:
    images = [an_image(COMMIT, kind=media, architecture=name) for name in ("amd64", "arm64")]
    digest = await pusher.push(reference.repository, "x", an_index(*images, kind=media))

    assert await registry.find(reference) == FoundImage(digest)
    assert await registry.find(reference, revision=True) == FoundImage(digest, COMMIT)


async def test_what_buildkit_attests_is_not_taken_for_the_image(
    registry: Registry, pusher: Pusher, reference: ImageReference
) -> None:
    index = an_index(an_image(COMMIT), attestation=an_image("f" * 40, architecture="unknown"))
    digest = await pusher.push(reference.repository, "x", index)

    assert await registry.find(reference, revision=True) == FoundImage(digest, COMMIT)


@pytest.mark.parametrize(
    "image",
    [
        an_image(annotations={REVISION: COMMIT}),
        an_index(an_image("f" * 40), annotations={REVISION: COMMIT}),
    ],
)
async def test_an_annotation_names_the_commit_too(
    registry: Registry, pusher: Pusher, reference: ImageReference, image: Image
) -> None:
    digest = await pusher.push(reference.repository, "x", image)

    assert await registry.find(reference, revision=True) == FoundImage(digest, COMMIT)


async def test_an_image_without_a_commit_is_found_without_one(
    registry: Registry, pusher: Pusher, reference: ImageReference
) -> None:
    digest = await pusher.push(reference.repository, "x", an_image())

    assert await registry.find(reference, revision=True) == FoundImage(digest, None)


@pytest.mark.parametrize("revision", [False, True])
async def test_a_tag_that_is_missing_is_none_in_a_repository_that_is_there_and_in_one_that_is_not(
    registry: Registry, pusher: Pusher, reference: ImageReference, revision: bool
) -> None:
    assert await registry.find(reference, revision=revision) is None

    await pusher.push(reference.repository, "other", an_image())

    assert await registry.find(reference, revision=revision) is None


async def test_an_image_is_found_as_soon_as_it_is_pushed_and_not_before_its_tag_is(
    registry: Registry, pusher: Pusher, reference: ImageReference
) -> None:
    image = an_image()
    for blob in image.blobs:
        await pusher.blob(reference.repository, blob)
    await pusher.push(reference.repository, image.digest, image)
    assert await registry.find(reference) is None

    await pusher.push(reference.repository, "x", image)

    assert await registry.find(reference) == FoundImage(image.digest)


async def test_a_tag_that_moves_names_the_new_image(
    registry: Registry, pusher: Pusher, reference: ImageReference
) -> None:
    await pusher.push(reference.repository, "x", an_image(COMMIT))
    first = await registry.find(reference, revision=True)
    moved = await pusher.push(reference.repository, "x", an_image("f" * 40))

    assert first != await registry.find(reference, revision=True)
    assert await registry.find(reference, revision=True) == FoundImage(moved, "f" * 40)


async def test_a_tag_is_of_one_repository(
    registry: Registry, pusher: Pusher, reference: ImageReference
) -> None:
    await pusher.push(reference.repository, "x", an_image())

    assert await registry.find(replace(reference, repository=f"{reference.repository}/deeper")) is None


async def test_without_a_login_where_one_is_wanted_one_is_refused_and_else_served(
    host: Host, session: aiohttp.ClientSession, reference: ImageReference
) -> None:
    anonymous = Registry(session, {host.name: access_with(None, host)})

    if host.login == "none":
        assert await anonymous.find(reference) is None
    else:
        with pytest.raises(Unauthorized):
            await anonymous.find(reference)


async def test_a_look_at_a_registry_takes_its_login(
    host: Host, session: aiohttp.ClientSession, registry: Registry
) -> None:
    assert await registry.check(host.name) == Checked(host.name, "" if host.login == "none" else USER)

    if host.login != "none":
        with pytest.raises(Unauthorized):
            await Registry(session, {host.name: access_with(None, host)}).check(host.name)


async def test_with_a_wrong_password_one_is_refused_where_one_is_wanted(
    host: Host,
    session: aiohttp.ClientSession,
    reference: ImageReference,
    tmp_path: Path,
) -> None:
    config = docker_config(tmp_path / "wrong.json", {host.name: login(USER, "wrong")})
    registry = Registry(session, {host.name: access_with(config, host)})

    if host.login == "none":
        assert await registry.find(reference) is None
    else:
        with pytest.raises(Unauthorized):
            await registry.find(reference)


@pytest.mark.parametrize("kind", sides(k for k in KINDS if k.can_refuse), indirect=True, ids=str)
async def test_a_repository_that_is_refused_is_not_taken_for_one_that_is_missing(
    host: Host, registry: Registry, pusher: Pusher, reference: ImageReference
) -> None:
    await pusher.push(reference.repository, "x", an_image())
    other = replace(reference, repository=f"{reference.repository}-other")
    host.refuse(reference.repository)

    # Without a login it may be that one would do.
    with pytest.raises(Forbidden if host.login == "basic" else Unauthorized):
        await registry.find(reference)

    assert await registry.find(other) is None


async def test_one_that_speaks_tls_is_not_asked_without_and_the_other_way_round(
    host: Host, session: aiohttp.ClientSession, access: RegistrySettings, reference: ImageReference
) -> None:
    wrong = RegistrySettings(docker_config_file=access.docker_config_file, plain_http=not access.plain_http)

    with pytest.raises(RemoteError) as caught:
        await Registry(session, {host.name: wrong}).find(reference)

    assert caught.value.what == f"{host.name}/{reference.repository}"


@pytest.mark.parametrize("kind", sides(k for k in KINDS if k.tls), indirect=True, ids=str)
async def test_a_ca_that_is_not_known_is_said(
    host: Host, session: aiohttp.ClientSession, access: RegistrySettings, reference: ImageReference
) -> None:
    with pytest.raises(TryLater, match="its certificate is not trusted: "):
        await Registry(
            session, {host.name: access_with(access.docker_config_file, host, ca_file=False)}
        ).find(reference)


@pytest.mark.parametrize("image", [an_image(), an_image(kind="docker"), an_index(an_image())])
async def test_head_tells_the_same_as_get(pusher: Pusher, repository: str, image: Image) -> None:
    await pusher.push(repository, "x", image)

    for name in ("x", image.digest):
        path = f"/v2/{repository}/manifests/{name}"
        status, head, nothing = await pusher.ask("HEAD", path, accept=ACCEPT)
        again, got, body = await pusher.ask("GET", path, accept=ACCEPT)

        assert (status, again, nothing, body) == (200, 200, b"", image.manifest.body)
        for headers in (head, got):
            assert headers["Docker-Content-Digest"] == image.digest
            assert headers["Content-Type"] == image.manifest.media_type
            assert headers["Content-Length"] == str(len(body))


async def test_a_blob_is_served_by_its_digest(pusher: Pusher, repository: str) -> None:
    image = an_image()
    await pusher.push(repository, "x", image)
    blob = image.blobs[0]

    status, headers, body = await pusher.ask("GET", f"/v2/{repository}/blobs/{blob.digest}")

    assert (status, body) == (200, blob.body)
    assert headers["Docker-Content-Digest"] == blob.digest
    assert headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("image", "accept"),
    [
        (an_image(), MANIFEST["docker"]),
        (an_image(), "*/*"),
    ],
)
async def test_an_image_of_a_type_that_was_not_asked_for_is_missing(
    pusher: Pusher, repository: str, image: Image, accept: str
) -> None:
    await pusher.push(repository, "x", image)

    status, _, body = await pusher.ask("GET", f"/v2/{repository}/manifests/x", accept=accept)

    assert (status, _code(body)) == (404, "MANIFEST_UNKNOWN")


def _code(body: bytes) -> str:
    code: str = json.loads(body)["errors"][0]["code"]
    return code


@pytest.mark.parametrize("pushed", [False, True])
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("manifests/missing", "MANIFEST_UNKNOWN"),
        (f"manifests/{NOTHING}", "MANIFEST_UNKNOWN"),
        (f"blobs/{NOTHING}", "BLOB_UNKNOWN"),
    ],
)
async def test_what_is_missing_is_told_by_its_code(
    pusher: Pusher, repository: str, path: str, code: str, pushed: bool
) -> None:
    if pushed:
        await pusher.push(repository, "x", an_image())

    status, headers, body = await pusher.ask("GET", f"/v2/{repository}/{path}", accept=ACCEPT)

    assert (status, _code(body)) == (404, code)
    assert headers["Content-Type"].startswith("application/json")


async def test_all_tags_are_read_page_by_page(
    host: Host,
    session: aiohttp.ClientSession,
    access: RegistrySettings,
    pusher: Pusher,
    reference: ImageReference,
) -> None:
    registry = Registry(session, {host.name: access}, limits=Limits(tags=2))
    for tag in ("b", "a", "sha-0123456", "latest", "v1.2.0"):
        await pusher.push(reference.repository, tag, an_image(COMMIT))

    assert await registry.tags(reference) == ("a", "b", "latest", "sha-0123456", "v1.2.0")


async def test_the_tags_of_a_repository_that_is_not_there_are_an_error(
    registry: Registry, reference: ImageReference
) -> None:
    with pytest.raises(RemoteError):
        await registry.tags(reference)


async def test_tags_are_listed_where_a_repository_is_and_else_its_name_is_unknown(
    pusher: Pusher, repository: str
) -> None:
    path = f"/v2/{repository}/tags/list"
    status, _, body = await pusher.ask("GET", path)
    assert (status, _code(body)) == (404, "NAME_UNKNOWN")

    for tag in ("b", "a"):
        await pusher.push(repository, tag, an_image())

    status, _, body = await pusher.ask("GET", path)
    assert (status, json.loads(body)) == (200, {"name": repository, "tags": ["a", "b"]})


async def test_a_content_of_one_repository_is_not_served_from_another(
    pusher: Pusher, repository: str
) -> None:
    image = an_image(uuid.uuid4().hex)
    await pusher.push(repository, "x", image)
    await pusher.push(f"{repository}-other", "x", an_image())

    for path in (f"manifests/{image.digest}", f"blobs/{image.blobs[0].digest}"):
        status, _, _ = await pusher.ask("GET", f"/v2/{repository}-other/{path}", accept=ACCEPT)
        assert status == 404


async def test_a_manifest_is_taken_only_when_its_parts_are_there(pusher: Pusher, repository: str) -> None:
    image = an_image(uuid.uuid4().hex)

    status, _, body = await pusher.manifest(repository, "x", image.manifest)
    assert (status, _code(body)) == (400, "MANIFEST_BLOB_UNKNOWN")

    index = an_index(image)
    status, _, body = await pusher.manifest(repository, "x", index.manifest)
    assert (status, _code(body)) == (400, "MANIFEST_BLOB_UNKNOWN")


@pytest.mark.parametrize(
    "manifest",
    [
        Content(b"{", MANIFEST["oci"]),
        Content(b"{}", "text/plain"),
        Content(an_image().manifest.body, MANIFEST["docker"]),
    ],
)
async def test_what_is_no_manifest_is_not_taken(pusher: Pusher, repository: str, manifest: Content) -> None:
    status, _, body = await pusher.manifest(repository, "x", manifest)

    assert (status, _code(body)) == (400, "MANIFEST_INVALID")


async def test_a_content_under_a_wrong_digest_is_not_taken(pusher: Pusher, repository: str) -> None:
    image = an_image()

    assert await pusher.blob(repository, image.blobs[0], NOTHING) == 400

    await pusher.push(repository, "x", image)
    status, _, body = await pusher.manifest(repository, NOTHING, image.manifest)
    assert (status, _code(body)) == (400, "DIGEST_INVALID")


async def test_whether_a_login_is_wanted_and_which_is_told_at_the_root(host: Host, pusher: Pusher) -> None:
    status, headers, _ = await pusher.ask("GET", "/v2/", logins=0)
    challenge = headers.get("WWW-Authenticate", "")

    wanted = {"none": (200, ""), "basic": (401, "Basic"), "token": (401, "Bearer")}
    assert wanted[host.login] == (status, challenge.partition(" ")[0])

    status, _, body = await pusher.ask("GET", "/v2/")
    assert (status, json.loads(body)) == (200, {})
