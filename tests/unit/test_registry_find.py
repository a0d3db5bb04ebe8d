"""The registry adapter finds images, and says of everything else what it is."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from previewbot.clients.registry import FoundImage, Limits, Registry
from previewbot.clients.registry.problems import HeldBack, Limited, LoginMissing
from previewbot.config.server import RegistrySettings
from previewbot.errors import Invalid, RemoteError, TryLater, Unauthorized
from previewbot.rules.images import ImageReference
from tests.support.pki import Authority
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
    digest_of,
)
from tests.support.registry_server import Handler, Server, a_server, answers
from tests.support.registry_tls import Tls, make_tls

SMALL = Limits(body=64 * 1024)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def registry(server: Server, session: aiohttp.ClientSession) -> Registry:
    return Registry(session, {server.host: RegistrySettings(plain_http=True)}, limits=SMALL)


@pytest.mark.parametrize("kind", ["oci", "docker"])
@pytest.mark.parametrize("revision", [False, True])
async def test_a_tag_of_an_image_gives_the_digest_of_its_manifest(
    server: Server, registry: Registry, kind: Kind, revision: bool
) -> None:
    digest = server.serve(an_image(COMMIT, kind=kind))

    found = await registry.find(server.reference(), revision=revision)

    assert found == FoundImage(digest, COMMIT if revision else None)


@pytest.mark.parametrize("kind", ["oci", "docker"])
@pytest.mark.parametrize("revision", [False, True])
async def test_a_tag_of_an_index_gives_the_digest_of_the_index(
    server: Server, registry: Registry, kind: Kind, revision: bool
) -> None:
    images = [an_image(COMMIT, kind=kind, architecture=name) for name in ("amd64", "arm64")]
    digest = server.serve(an_index(*images, kind=kind))

    found = await registry.find(server.reference(), revision=revision)

    assert found == FoundImage(digest, COMMIT if revision else None)
    assert digest not in {image.digest for image in images}


async def test_a_tag_that_is_not_there_is_none(server: Server, registry: Registry) -> None:
    server.serve(an_image())

    assert await registry.find(server.reference("y")) is None
    assert await registry.find(server.reference("y"), revision=True) is None


async def test_all_four_media_types_are_asked_for_with_head(server: Server, registry: Registry) -> None:
    server.serve(an_image())

    await registry.find(server.reference())

    assert server.requests()[0] == "HEAD /v2/acme/web/manifests/x"
    accepted = server.seen[0].headers["Accept"].split(", ")
    assert set(accepted) == {*MANIFEST.values(), *INDEX.values()}


@pytest.mark.parametrize("status", [405, 501, 400])
async def test_a_registry_that_does_not_know_head_is_asked_with_get(
    server: Server, registry: Registry, status: int
) -> None:
    digest = server.serve(an_image())
    server.handlers[f"HEAD {server.path()}"] = answers(status=status)

    assert await registry.find(server.reference()) == FoundImage(digest)


@pytest.mark.parametrize("digest", ["", "sha256:short", "md5:" + "0" * 32, "sha256:" + "0" * 63 + "G"])
async def test_where_the_headers_name_no_digest_it_is_that_of_the_content(
    server: Server, registry: Registry, digest: str
) -> None:
    image = an_image()
    headers = {"Content-Type": image.manifest.media_type, "Docker-Content-Digest": digest}
    server.handlers[server.path()] = answers(image.manifest.body, headers=headers)

    assert await registry.find(server.reference()) == FoundImage(image.digest)


@pytest.mark.parametrize("body", ["<html>Sorry</html>", "{}", "[]", "", '{"schemaVersion": 1}', "[" * 50_000])
@pytest.mark.parametrize(
    ("media_type", "told"),
    [
        ("text/html", "it answers 200 with text/html, as no registry does"),
        ("application/json", "its answer is not a manifest"),
    ],
)
async def test_a_page_that_a_proxy_puts_in_the_place_of_a_manifest_is_no_image(
    server: Server, registry: Registry, body: str, media_type: str, told: str
) -> None:
    headers = {"Content-Type": media_type, "Docker-Content-Digest": "sha256:" + "0" * 64}
    server.handlers[server.path()] = answers(body, headers=headers)

    with pytest.raises(TryLater, match=told):
        await registry.find(server.reference())


async def test_content_that_is_not_what_its_digest_names_is_refused(
    server: Server, registry: Registry
) -> None:
    image, other = an_image(COMMIT), an_image("f" * 40)
    server.serve(image)
    server.handlers[server.path(image.digest)] = answers(other.manifest.body)

    with pytest.raises(TryLater, match=f"its answer is not what {image.digest} names"):
        await registry.find(server.reference(), revision=True)


async def test_a_configuration_that_is_not_what_its_digest_names_is_refused(
    server: Server, registry: Registry
) -> None:
    image, other = an_image("f" * 40), an_image(COMMIT)
    server.serve(image)
    server.handlers[server.path(image.blobs[0].digest, "blobs")] = answers(other.blobs[0].body)

    with pytest.raises(TryLater, match=f"its answer is not what {image.blobs[0].digest} names"):
        await registry.find(server.reference(), revision=True)


@pytest.mark.parametrize(
    "image",
    [
        an_image(COMMIT),
        an_image(COMMIT, kind="docker"),
        an_image("f" * 40, annotations={REVISION: COMMIT}),
        an_index(an_image(COMMIT), an_image("f" * 40)),
        an_index(an_image("f" * 40), annotations={REVISION: COMMIT}),
        an_index(an_image(annotations={REVISION: COMMIT})),
        an_index(an_image(COMMIT), attestation=an_image("f" * 40)),
        an_index(an_index(an_image(COMMIT))),
    ],
)
async def test_the_commit_is_read_through_index_manifest_and_configuration(
    server: Server, registry: Registry, image: Image
) -> None:
    digest = server.serve(image)

    assert await registry.find(server.reference(), revision=True) == FoundImage(digest, COMMIT)


def _image_with_config(config: bytes) -> Image:
    blob = Content(config, "application/vnd.oci.image.config.v1+json")
    body = b'{"schemaVersion": 2, "config": {"digest": "%s"}}' % blob.digest.encode()
    return Image(Content(body, MANIFEST["oci"]), (blob,))


@pytest.mark.parametrize(
    "image",
    [
        an_image(),
        an_index(),
        an_index(attestation=an_image(COMMIT)),
        an_index(an_index(an_index(an_index(an_image(COMMIT))))),
        _image_with_config(b"{}x"),
        _image_with_config(b'{"config": null}'),
        _image_with_config(b'{"config": {"Labels": null}}'),
        _image_with_config(b'{"config": {"Labels": ["%s"]}}' % REVISION.encode()),
        _image_with_config(b'{"config": {"Labels": {"%s": 7}}}' % REVISION.encode()),
    ],
)
async def test_an_image_that_does_not_say_its_commit_is_found_without_one(
    server: Server, registry: Registry, image: Image
) -> None:
    digest = server.serve(image)

    assert await registry.find(server.reference(), revision=True) == FoundImage(digest, None)


@pytest.mark.parametrize(
    "manifest",
    [
        b'{"schemaVersion": 2}',
        b'{"schemaVersion": 2, "config": {"digest": "../../other/manifests/x"}}',
        b'{"schemaVersion": 2, "manifests": [{}]}',
        b'{"schemaVersion": 2, "manifests": ["x"]}',
        b'{"schemaVersion": 2, "manifests": [{"digest": 7}]}',
    ],
)
async def test_a_manifest_that_names_no_digest_where_one_must_be_is_refused(
    server: Server, registry: Registry, manifest: bytes
) -> None:
    server.serve(Image(Content(manifest, MANIFEST["oci"])))

    with pytest.raises(TryLater, match="names no digest"):
        await registry.find(server.reference(), revision=True)


async def test_an_image_of_which_a_part_is_missing_is_not_taken_for_none(
    server: Server, registry: Registry
) -> None:
    image = an_image(COMMIT)
    server.serve(an_index(image))
    server.handlers[server.path(image.digest)] = answers(status=404)

    with pytest.raises(TryLater, match="a part of the image is not there"):
        await registry.find(server.reference(), revision=True)


async def test_a_part_that_is_not_where_it_is_kept_is_a_part_that_is_missing(
    server: Server, registry: Registry
) -> None:
    image = an_image(COMMIT)
    server.serve(image)
    async with a_server() as storage:
        storage.handlers["/bucket"] = answers("<Error/>", status=404, headers={"Content-Type": "text/xml"})
        elsewhere = {"Location": f"{storage.url}/bucket"}
        server.handlers[server.path(image.blobs[0].digest, "blobs")] = answers(status=307, headers=elsewhere)

        with pytest.raises(TryLater, match="a part of the image is not there"):
            await registry.find(server.reference(), revision=True)


async def test_what_a_digest_says_of_its_commit_is_read_only_once(server: Server, registry: Registry) -> None:
    server.serve(an_index(an_image(COMMIT)))
    first = await registry.find(server.reference(), revision=True)
    pulled = len(server.seen)
    again = await registry.find(server.reference(), revision=True)

    assert (first, server.requests()[pulled:]) == (again, ["HEAD /v2/acme/web/manifests/x"])

    moved = server.serve(an_image("f" * 40))

    assert await registry.find(server.reference(), revision=True) == FoundImage(moved, "f" * 40)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, Unauthorized),
        (403, LoginMissing),
        (412, HeldBack),
        (418, Invalid),
        (429, Limited),
        (500, TryLater),
        (502, TryLater),
        (503, TryLater),
        (204, TryLater),
        (304, TryLater),
    ],
)
@pytest.mark.parametrize("revision", [False, True])
async def test_a_refusal_is_of_the_right_kind_and_names_the_repository(
    server: Server, registry: Registry, status: int, kind: type[RemoteError], revision: bool
) -> None:
    server.handlers[server.path()] = answers(status=status)

    with pytest.raises(RemoteError) as caught:
        await registry.find(server.reference(), revision=revision)

    assert type(caught.value) is kind
    assert caught.value.what == f"{server.host}/acme/web"


async def test_a_refusal_repeats_what_the_registry_says_shortened(server: Server, registry: Registry) -> None:
    told = {"errors": [{"code": "DENIED", "message": "not for\nyou " + "x" * 1000 + " at all"}]}
    server.handlers[server.path()] = answers(told, status=403)

    with pytest.raises(LoginMissing) as caught:
        await registry.find(server.reference())

    said = caught.value.message.removeprefix("it wants a login and none is configured; it says: ")
    assert said.startswith("DENIED not for you xxx")
    assert said.endswith("xxx at all")
    assert len(said) == 300


@pytest.mark.parametrize("body", ["", "x", "[]", '{"errors": 5}', '{"errors": [5]}', '{"errors": [{}]}'])
async def test_a_refusal_without_reason_is_a_refusal_all_the_same(
    server: Server, registry: Registry, body: str
) -> None:
    server.handlers[server.path()] = answers(body, status=403)

    with pytest.raises(LoginMissing) as caught:
        await registry.find(server.reference())

    assert caught.value.message == "it wants a login and none is configured"


DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("written", "after"),
    [
        ("7", 7.0),
        (" 60 ", 60.0),
        ("0", 1.0),
        ("86400", 900.0),
        ("999999999999", 900.0),
        ("Wed, 21 Oct 2015 07:29:30 GMT", 90.0),
        ("Wed, 21 Oct 2015 07:20:00 GMT", 1.0),
        ("Thu, 22 Oct 2015 07:28:00 GMT", 900.0),
        ("", 60.0),
        ("²", 60.0),
        ("-1", 60.0),
        ("Wed, 21 Oct 2015 07:28", 60.0),
    ],
)
async def test_a_limit_says_when_to_come_back_and_is_not_asked_twice(
    server: Server, registry: Registry, written: str, after: float
) -> None:
    headers = {"Retry-After": written, "Date": DATE}
    server.handlers[server.path()] = answers(status=429, headers=headers)

    with pytest.raises(Limited) as caught:
        await registry.find(server.reference())

    assert caught.value.after == after
    assert server.requests() == [f"HEAD {server.path()}"]


async def test_an_answer_that_is_too_large_is_not_read_to_its_end(server: Server, registry: Registry) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 1000 * 1024 * 1024:
            await response.write(b" " * 65_536)
            sent += 65_536
        return response

    server.handlers[f"HEAD {server.path()}"] = answers(status=405)
    server.handlers[server.path()] = endless

    with pytest.raises(Invalid, match="its answer is larger than 65536 bytes"):
        await registry.find(server.reference())

    assert sent < 100 * 1024 * 1024


async def test_a_small_answer_that_unpacks_to_a_large_one_is_too_large(
    server: Server, registry: Registry
) -> None:
    packed = gzip.compress(b" " * 10_000_000)
    server.handlers[server.path()] = answers(packed, headers={"Content-Encoding": "gzip"})

    with pytest.raises(Invalid, match="its answer is larger"):
        await registry.find(server.reference())

    assert server.seen[0].headers["Accept-Encoding"] == "identity"


def silent(then: Callable[[], None] = lambda: None) -> Handler:
    """Return a handler that knows only GET, begins to answer and never ends."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method == "HEAD":
            return web.Response(status=405)
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        then()
        await asyncio.Event().wait()
        return response

    return handle


async def test_an_answer_that_never_ends_is_left_in_time(
    server: Server, session: aiohttp.ClientSession
) -> None:
    limits = Limits(answer_seconds=0.3)
    registry = Registry(session, {server.host: RegistrySettings(plain_http=True)}, limits=limits)
    server.handlers[server.path()] = silent()

    with pytest.raises(TryLater, match="it does not answer in time"):
        await registry.find(server.reference())


async def test_a_look_of_many_answers_has_a_limit_as_a_whole(
    server: Server, session: aiohttp.ClientSession
) -> None:
    limits = Limits(answer_seconds=60.0, lookup_seconds=0.3)
    registry = Registry(session, {server.host: RegistrySettings(plain_http=True)}, limits=limits)
    server.serve(an_index(an_image(COMMIT)))
    server.handlers[server.path(an_image(COMMIT).digest)] = silent()

    with pytest.raises(TryLater, match="looking takes too long"):
        await registry.find(server.reference(), revision=True)


async def test_a_look_that_is_cancelled_ends_at_once(server: Server, registry: Registry) -> None:
    reached = asyncio.Event()
    server.handlers[server.path()] = silent(reached.set)
    look = asyncio.create_task(registry.find(server.reference()))
    await asyncio.wait_for(reached.wait(), 10)

    look.cancel()

    with pytest.raises(asyncio.CancelledError):
        await look


async def test_a_connection_that_breaks_is_tried_later(server: Server, registry: Registry) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.handlers[server.path()] = broken

    with pytest.raises(TryLater) as caught:
        await registry.find(server.reference())

    assert caught.value.status == 0


async def test_a_registry_that_is_not_there_is_tried_later(session: aiohttp.ClientSession) -> None:
    async with a_server() as gone:
        reference = gone.reference()

    with pytest.raises(TryLater) as caught:
        await Registry(session, {}).find(reference)

    assert caught.value.what == f"{reference.registry}/acme/web"


async def test_without_the_setting_a_registry_is_never_asked_in_plain_http(
    server: Server, session: aiohttp.ClientSession
) -> None:
    server.serve(an_image())

    with pytest.raises(TryLater):
        await Registry(session, {"other:5000": RegistrySettings(plain_http=True)}).find(server.reference())

    assert server.seen == []


async def test_a_host_in_capital_letters_is_the_same_host(session: aiohttp.ClientSession) -> None:
    async with a_server() as server:
        digest = server.serve(an_image())
        host = server.host.replace("127.0.0.1", "localhost")
        settings = {host.upper(): RegistrySettings(plain_http=True)}

        found = await Registry(session, settings).find(ImageReference(host, "acme/web", "x"))

    assert found == FoundImage(digest)


async def test_a_certificate_that_the_system_does_not_trust_is_refused_with_the_reason(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    async with a_server(make_tls(tmp_path).server_context()) as server:
        server.serve(an_image())

        with pytest.raises(TryLater, match="its certificate is not trusted: unable to get local issuer"):
            await Registry(session, {}).find(server.reference())

        assert server.seen == []


async def test_a_ca_of_ones_own_is_trusted_where_it_is_set_and_read_again_when_it_changes(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    tls, other = make_tls(tmp_path / "one"), make_tls(tmp_path / "other")
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(other.ca_file.read_bytes())
    async with a_server(tls.server_context()) as server:
        digest = server.serve(an_image())
        registry = Registry(session, {server.host: RegistrySettings(ca_file=ca_file)})
        with pytest.raises(TryLater, match="certificate is not trusted"):
            await registry.find(server.reference())
        replaced = tmp_path / "new.pem"
        replaced.write_bytes(tls.ca_file.read_bytes())
        replaced.rename(ca_file)

        assert await registry.find(server.reference()) == FoundImage(digest)


async def test_a_ca_is_trusted_without_the_one_above_it_as_nodes_trust_it(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "issuing").mkdir()
    issuing = Authority(tmp_path / "issuing", Authority(tmp_path / "root"))
    tls = Tls(issuing.certificate, *issuing.server("registry"))
    async with a_server(tls.server_context()) as server:
        digest = server.serve(an_image())
        registry = Registry(session, {server.host: RegistrySettings(ca_file=tls.ca_file)})

        assert await registry.find(server.reference()) == FoundImage(digest)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
async def test_a_ca_file_that_is_none_is_named_in_the_error(
    tmp_path: Path, session: aiohttp.ClientSession, content: bytes | None
) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_bytes(content)
    registry = Registry(session, {"registry.invalid": RegistrySettings(ca_file=ca_file)})

    with pytest.raises(TryLater, match=f"{ca_file}, its ca_file, cannot be read as certificates"):
        await registry.find(ImageReference("registry.invalid", "acme/web", "x"))


async def test_a_redirect_is_followed_and_keeps_the_method(server: Server, registry: Registry) -> None:
    digest = server.serve(an_image(), "elsewhere")
    server.handlers[server.path()] = answers(status=307, headers={"Location": server.path("elsewhere")})

    assert await registry.find(server.reference()) == FoundImage(digest)
    assert server.requests()[:2] == [f"HEAD {server.path()}", f"HEAD {server.path('elsewhere')}"]


async def test_redirects_without_end_are_left(server: Server, registry: Registry) -> None:
    server.handlers[server.path()] = answers(status=302, headers={"Location": server.path()})

    with pytest.raises(TryLater, match="it redirects without end"):
        await registry.find(server.reference())

    assert len(server.seen) < 10


@pytest.mark.parametrize("location", ["", "ftp://127.0.0.1/x", "http://[", "//:0/x", "data:x"])
async def test_a_redirect_to_nowhere_is_tried_later(
    server: Server, registry: Registry, location: str
) -> None:
    server.handlers[server.path()] = answers(status=302, headers={"Location": location})

    with pytest.raises(TryLater):
        await registry.find(server.reference())


async def test_a_redirect_from_tls_to_plain_http_is_not_followed(
    tmp_path: Path, server: Server, session: aiohttp.ClientSession
) -> None:
    server.serve(an_image())
    tls = make_tls(tmp_path)
    async with a_server(tls.server_context()) as secure:
        secure.handlers[secure.path()] = answers(status=307, headers={"Location": server.url + server.path()})
        registry = Registry(session, {secure.host: RegistrySettings(ca_file=tls.ca_file)})

        with pytest.raises(TryLater, match="it redirects from https to http"):
            await registry.find(secure.reference())

    assert server.seen == []


async def test_docker_hub_is_asked_where_it_answers() -> None:
    asked: list[str] = []

    async def record(_: aiohttp.ClientSession, __: object, sent: aiohttp.TraceRequestStartParams) -> None:
        asked.append(str(sent.url))
        raise ConnectionRefusedError

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(record)
    trace.freeze()
    async with aiohttp.ClientSession(trace_configs=[trace]) as traced:
        with pytest.raises(TryLater):
            await Registry(traced, {}).find(ImageReference("docker.io", "library/web", "x"))

    assert asked == ["https://registry-1.docker.io/v2/library/web/manifests/x"]


def test_the_digest_of_an_image_is_that_of_its_manifest() -> None:
    assert an_image().digest == digest_of(an_image().manifest.body)
