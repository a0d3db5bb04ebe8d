"""The demo's node: what it pulls, and what it refuses."""

import hashlib
import io
import json
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from previewbot_demo.hosts import listen
from previewbot_demo.ports import free_port
from previewbot_demo.pulling import Puller, PullError


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(files: dict[str, bytes], mode: Any = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class Registry:
    """Serves what a test puts into `contents`, by path."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.contents: dict[str, bytes] = {}
        self.token = ""

    def image(self, files: dict[str, bytes], mode: str = "w:gz") -> str:
        return self.layered(layer(files, mode))

    def layered(self, blob: bytes) -> str:
        manifest = json.dumps({"schemaVersion": 2, "layers": [{"digest": digest(blob)}]}).encode()
        self.contents[f"/v2/acme/web/blobs/{digest(blob)}"] = blob
        self.contents[f"/v2/acme/web/manifests/{digest(manifest)}"] = manifest
        return digest(manifest)

    def reference(self, wanted: str) -> str:
        return f"127.0.0.1:{self.port}/acme/web@{wanted}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/token":
            return web.json_response({"token": self.token})
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            challenge = f'Bearer realm="http://127.0.0.1:{self.port}/token",service="r",scope="pull"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        body = self.contents.get(request.path)
        return web.Response(status=404) if body is None else web.Response(body=body)


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    serving = Registry(free_port())
    runner = await listen(serving.handle, serving.port)
    yield serving
    await runner.cleanup()


async def pull(reference: str, into: Path) -> None:
    async with aiohttp.ClientSession() as session:
        await Puller(session).pull(reference, into)


@pytest.mark.parametrize("mode", ["w:", "w:gz"])
async def test_an_image_is_unpacked_whether_its_layer_is_compressed_or_not(
    registry: Registry, tmp_path: Path, mode: str
) -> None:
    wanted = registry.image({"app.py": b"print(1)"}, mode)

    await pull(registry.reference(wanted), tmp_path)

    assert (tmp_path / "app.py").read_bytes() == b"print(1)"


async def test_an_index_leads_to_its_first_manifest(registry: Registry, tmp_path: Path) -> None:
    index = json.dumps({"manifests": [{"digest": registry.image({"app.py": b"1"})}]}).encode()
    registry.contents[f"/v2/acme/web/manifests/{digest(index)}"] = index

    await pull(registry.reference(digest(index)), tmp_path)

    assert (tmp_path / "app.py").exists()


async def test_a_registry_that_asks_for_a_token_gets_one(registry: Registry, tmp_path: Path) -> None:
    registry.token = "let-me-in"

    await pull(registry.reference(registry.image({"app.py": b"1"})), tmp_path)

    assert (tmp_path / "app.py").exists()


async def test_an_image_that_is_not_there_is_said_as_a_node_says_it(
    registry: Registry, tmp_path: Path
) -> None:
    with pytest.raises(PullError, match=r"ErrImagePull: .*not found"):
        await pull(registry.reference("sha256:" + "0" * 64), tmp_path)


async def test_content_that_does_not_match_its_digest_is_refused(registry: Registry, tmp_path: Path) -> None:
    wanted = registry.image({"app.py": b"1"})
    other = registry.image({"app.py": b"2"})
    manifests = "/v2/acme/web/manifests/"
    registry.contents[manifests + wanted] = registry.contents[manifests + other]

    with pytest.raises(PullError, match="does not match"):
        await pull(registry.reference(wanted), tmp_path)


async def test_a_layer_cannot_write_outside_its_directory(registry: Registry, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()

    with pytest.raises(PullError, match="outside"):
        await pull(registry.reference(registry.image({"../escaped": b"1"})), inside)

    assert not (tmp_path / "escaped").exists()


async def test_a_layer_cannot_bring_a_link_that_leads_outside(registry: Registry, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("app.py")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)

    with pytest.raises(PullError, match="neither a file nor a folder"):
        await pull(registry.reference(registry.layered(buffer.getvalue())), tmp_path)

    assert list(tmp_path.iterdir()) == []
