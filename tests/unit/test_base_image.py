"""The Dockerfile's base is pinned to the byte, and refreshed from the registry, asked here on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from supply.dockerfile import DOCKERFILE, Base, base_of, with_digest
from supply.refresh_base import main
from tests.support.registry_images import an_image, an_index
from tests.support.registry_server import Server, a_server, answers

OLD = "sha256:" + "0" * 64
REPOSITORY, TAG = "acme/web", "3.11-slim-bookworm"
INDEX = an_index(an_image(), an_image(architecture="arm64"))


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as server:
        yield server


async def refresh(server: Server, path: Path, digest: str = OLD) -> tuple[int, str]:
    """Write a Dockerfile that is built on the server's image, refresh it; return exit code and text."""
    path.write_text(f"# before\nARG BASE={server.host}/{REPOSITORY}:{TAG}@{digest}\nFROM ${{BASE}}\n")
    # In a thread: it has an event loop of its own, and the server is in ours.
    code = await asyncio.to_thread(main, ["--dockerfile", str(path), "--plain-http"])
    return code, path.read_text()


async def test_the_line_gets_the_digest_of_the_index_that_the_tag_names_and_the_rest_stays(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.serve(INDEX, TAG)

    code, text = await refresh(server, tmp_path / "Dockerfile")

    assert code == 0
    line = f"ARG BASE={server.host}/{REPOSITORY}:{TAG}@{INDEX.digest}"
    assert text == f"# before\n{line}\nFROM ${{BASE}}\n"
    assert capsys.readouterr().out == f"{server.host}/{REPOSITORY}:{TAG} was {OLD}, is {INDEX.digest}\n"


async def test_a_digest_that_is_right_is_left_alone(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.serve(INDEX, TAG)

    code, text = await refresh(server, tmp_path / "Dockerfile", INDEX.digest)

    assert (code, INDEX.digest in text) == (0, True)
    assert "is what its tag names" in capsys.readouterr().out


async def test_content_that_is_not_what_the_digest_names_changes_nothing(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.serve(INDEX, TAG)
    path = server.path(INDEX.digest)
    server.handlers[path] = answers(INDEX.images[0].manifest.body)

    code, text = await refresh(server, tmp_path / "Dockerfile")

    assert (code, OLD in text) == (1, True)
    assert "stays as it is" in capsys.readouterr().err


async def test_a_tag_that_is_gone_changes_nothing(server: Server, tmp_path: Path) -> None:
    code, text = await refresh(server, tmp_path / "Dockerfile")

    assert (code, OLD in text) == (1, True)


def test_the_dockerfile_pins_its_base_by_tag_and_digest() -> None:
    base = base_of(DOCKERFILE.read_text("utf-8"))
    assert base_of(DOCKERFILE.with_suffix(".pictures").read_text("utf-8")) == base

    assert (base.name, base.tag) == ("docker.io/library/python", "3.11-slim-bookworm")
    assert base.digest.startswith("sha256:") and base.digest != OLD


def test_no_other_image_is_named_in_it_whose_bytes_are_not_pinned() -> None:
    lines = DOCKERFILE.read_text("utf-8").splitlines()
    stages = [line.split()[1] for line in lines if line.startswith("FROM ")]
    copied = [word for line in lines for word in line.split() if word.startswith("--from=")]

    assert set(stages) == {"${BASE}"}
    assert copied == ["--from=build"]


BASES = {
    "pinned": (f"ARG BASE=docker.io/library/python:3@{OLD}", Base("docker.io/library/python", "3", OLD)),
    "by its tag": ("ARG BASE=docker.io/library/python:3", Base("docker.io/library/python", "3", "")),
    "with a port": (f"ARG BASE=r.io:5000/a/b:1.2-x@{OLD}", Base("r.io:5000/a/b", "1.2-x", OLD)),
}


@pytest.mark.parametrize(("line", "base"), BASES.values(), ids=BASES)
def test_the_line_is_read_and_written_again(line: str, base: Base) -> None:
    text = f"{line}\nFROM ${{BASE}}\n"

    assert base_of(text) == base
    assert base_of(with_digest(text, OLD)) == Base(base.name, base.tag, OLD)


@pytest.mark.parametrize("text", ["FROM python", "ARG BASE=python", "ARG BASE=r.io/a:1\nARG BASE=r.io/b:1"])
def test_a_dockerfile_without_the_line_or_with_two_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ARG BASE="):
        base_of(text)
