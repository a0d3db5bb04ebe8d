"""Over plain HTTP no header says what an image is: the digest is that of the content, or nothing.

What is looked up is deployed by its digest. A header alone costs whoever is on the way one line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from previewbot.clients.registry import FoundImage, Registry
from previewbot.config.server import RegistrySettings
from previewbot.errors import RemoteError
from tests.support.registry_images import MANIFEST, an_image
from tests.support.registry_server import Server, a_server, answers
from tests.support.registry_tls import make_tls

FALSE = "sha256:" + "f" * 64


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def claims(server: Server, digest: str) -> None:
    """Let the header of the tag name another digest."""
    headers = {"Content-Type": MANIFEST["oci"], "Docker-Content-Digest": digest}
    server.handlers[f"HEAD {server.path()}"] = answers(headers=headers)


@pytest.mark.parametrize("revision", [False, True])
async def test_a_digest_that_only_a_header_names_is_not_taken(
    session: aiohttp.ClientSession, revision: bool
) -> None:
    async with a_server() as server:
        image = an_image()
        server.serve(image)
        claims(server, FALSE)
        # Whoever writes the header answers for the content too.
        server.handlers[server.path(FALSE)] = answers(
            image.manifest.body, headers={"Content-Type": MANIFEST["oci"], "Docker-Content-Digest": FALSE}
        )
        registry = Registry(session, {server.host: RegistrySettings(plain_http=True)})

        with pytest.raises(RemoteError, match=f"its answer is not what {FALSE} names"):
            await registry.find(server.reference(), revision=revision)


async def test_a_digest_of_which_there_is_no_content_is_no_image(session: aiohttp.ClientSession) -> None:
    async with a_server() as server:
        server.serve(an_image())
        claims(server, FALSE)
        registry = Registry(session, {server.host: RegistrySettings(plain_http=True)})

        assert await registry.find(server.reference()) is None


async def test_the_content_is_read_once_for_a_digest(session: aiohttp.ClientSession) -> None:
    async with a_server() as server:
        digest = server.serve(an_image())
        registry = Registry(session, {server.host: RegistrySettings(plain_http=True)})

        assert await registry.find(server.reference()) == FoundImage(digest)
        assert await registry.find(server.reference()) == FoundImage(digest)
        assert server.requests() == [
            f"HEAD {server.path()}",
            f"GET {server.path(digest)}",
            f"HEAD {server.path()}",
        ]


async def test_what_was_read_of_one_repository_counts_for_no_other(session: aiohttp.ClientSession) -> None:
    async with a_server() as server:
        digest = server.serve(an_image())
        registry = Registry(session, {server.host: RegistrySettings(plain_http=True)})
        await registry.find(server.reference())
        headers = {"Content-Type": MANIFEST["oci"], "Docker-Content-Digest": digest}
        server.handlers[f"HEAD {server.path(repository='acme/other')}"] = answers(headers=headers)

        assert await registry.find(server.reference(repository="acme/other")) is None


async def test_over_tls_the_registry_is_believed_and_nothing_is_pulled(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    tls = make_tls(tmp_path)
    async with a_server(tls.server_context()) as server:
        digest = server.serve(an_image())
        registry = Registry(session, {server.host: RegistrySettings(ca_file=tls.ca_file)})

        assert await registry.find(server.reference()) == FoundImage(digest)
        assert server.requests() == [f"HEAD {server.path()}"]
